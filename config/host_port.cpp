#include "config/host_port.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace overlayd::config {
namespace {

constexpr std::size_t kNameBytesMax = 253;  // RFC 1035, without the trailing dot

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_v6_literal(const std::string& text) {
  in6_addr address{};
  return inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint32_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port < 1 || port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

Failure refuse(std::string_view text, std::string_view why) {
  return Failure{'"' + std::string(text) + "\" " + std::string(why)};
}

Result<HostPort> with_port(std::string_view text, std::string host, std::string_view rest, std::uint16_t default_port) {
  if (rest.empty()) return HostPort{std::move(host), default_port};
  const auto port = rest.front() == ':' ? parse_port(rest.substr(1)) : std::nullopt;
  if (!port) return refuse(text, "must end in :port, 1..65535");
  return HostPort{std::move(host), *port};
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return refuse(text, "has no closing bracket");
    std::string host(text.substr(1, close - 1));
    if (!is_v6_literal(host)) return refuse(text, "has no IPv6 address in its brackets");
    return with_port(text, std::move(host), text.substr(close + 1), default_port);
  }
  if (std::count(text.begin(), text.end(), ':') > 1) return refuse(text, "must be written [address]:port");
  const std::size_t colon = text.find(':');
  const std::string_view host = text.substr(0, colon);
  if (host.empty() || host.size() > kNameBytesMax || !std::all_of(host.begin(), host.end(), is_name_character)) {
    return refuse(text, "is not a host name or address");
  }
  return with_port(text, std::string(host), colon == std::string_view::npos ? "" : text.substr(colon), default_port);
}

std::string to_string(const HostPort& address) {
  const bool is_v6 = address.host.find(':') != std::string::npos;
  return (is_v6 ? '[' + address.host + ']' : address.host) + ':' + std::to_string(address.port);
}

bool is_ip_literal(const std::string& text) {
  in_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1 || is_v6_literal(text);
}

}  // namespace overlayd::config
