#include "core/book/address.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace overlayd::book {
namespace {

using Groups = std::array<std::uint16_t, 8>;

std::optional<std::uint32_t> parse_number(std::string_view text, int base, std::size_t digits_max, std::uint32_t max) {
  if (text.empty() || text.size() > digits_max) return std::nullopt;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

std::optional<std::array<std::uint8_t, 4>> parse_v4(std::string_view text) {
  std::array<std::uint8_t, 4> ip{};
  for (std::size_t i = 0; i < ip.size(); ++i) {
    const std::size_t dot = i + 1 < ip.size() ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return std::nullopt;
    const std::string_view part = text.substr(0, dot);
    const auto number = parse_number(part, 10, 3, 255);
    if (!number || (part.size() > 1 && part.front() == '0')) return std::nullopt;
    ip[i] = static_cast<std::uint8_t>(*number);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return ip;
}

// One side of "::" (or all of it): groups of four hexadecimal digits, the last of which may be an IPv4 address.
std::optional<std::vector<std::uint16_t>> parse_groups(std::string_view text) {
  std::vector<std::uint16_t> groups;
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    if (colon == std::string_view::npos && part.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(part);
      if (!v4) return std::nullopt;
      groups.push_back(static_cast<std::uint16_t>((*v4)[0] << 8 | (*v4)[1]));
      groups.push_back(static_cast<std::uint16_t>((*v4)[2] << 8 | (*v4)[3]));
      return groups;
    }
    const auto group = parse_number(part, 16, 4, 0xffff);
    if (!group || groups.size() == 8) return std::nullopt;
    groups.push_back(static_cast<std::uint16_t>(*group));
    if (colon == std::string_view::npos) return groups;
    text.remove_prefix(colon + 1);
    if (text.empty()) return std::nullopt;  // a single colon at the end
  }
  return groups;
}

std::optional<Groups> parse_v6(std::string_view text) {
  const std::size_t gap = text.find("::");
  const auto left = parse_groups(text.substr(0, gap));
  if (!left) return std::nullopt;
  Groups groups{};
  if (gap == std::string_view::npos) {
    if (left->size() != groups.size()) return std::nullopt;
    std::copy(left->begin(), left->end(), groups.begin());
    return groups;
  }
  const auto right = parse_groups(text.substr(gap + 2));
  if (!right || left->size() + right->size() >= groups.size()) return std::nullopt;
  std::copy(left->begin(), left->end(), groups.begin());
  std::copy(right->begin(), right->end(), groups.end() - static_cast<std::ptrdiff_t>(right->size()));
  return groups;
}

Groups groups_of(const PeerAddress& address) {
  Groups groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i] = static_cast<std::uint16_t>(address.ip[2 * i] << 8 | address.ip[2 * i + 1]);
  }
  return groups;
}

std::array<std::uint8_t, 16> bytes_of(const Groups& groups) {
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    bytes[2 * i] = static_cast<std::uint8_t>(groups[i] >> 8);
    bytes[2 * i + 1] = static_cast<std::uint8_t>(groups[i] & 0xff);
  }
  return bytes;
}

std::string v6_to_string(const Groups& groups) {
  // RFC 5952: the longest run of at least two zero groups is shortened, the first of equals.
  std::size_t best = 0;
  std::size_t best_length = 1;
  for (std::size_t i = 0; i < groups.size();) {
    std::size_t end = i;
    while (end < groups.size() && groups[end] == 0) ++end;
    if (end - i > best_length) best = i, best_length = end - i;
    i = std::max(end, i + 1);
  }
  std::string text;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (best_length > 1 && i == best) {
      text += "::";
      i += best_length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    std::array<char, 4> digits{};
    const auto [end, error] = std::to_chars(digits.begin(), digits.end(), groups[i], 16);
    text.append(digits.begin(), end);
  }
  return text;
}

struct HostAndPort {
  std::string_view host;
  std::optional<std::string_view> port;
  bool is_bracketed = false;
};

std::optional<HostAndPort> split(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view rest = text.substr(close + 1);
    if (rest.empty()) return HostAndPort{text.substr(1, close - 1), std::nullopt, true};
    if (rest.front() != ':') return std::nullopt;
    return HostAndPort{text.substr(1, close - 1), rest.substr(1), true};
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return HostAndPort{text, std::nullopt, false};
  return HostAndPort{text.substr(0, colon), text.substr(colon + 1), false};
}

struct ParsedIp {
  PeerAddress address;
  std::uint32_t bits = 0;  // that its notation has
};

std::optional<ParsedIp> parse_ip(std::string_view text) {
  const bool is_bracketed = text.starts_with('[') && text.ends_with(']');
  if (is_bracketed) text = text.substr(1, text.size() - 2);
  if (text.find(':') == std::string_view::npos) {
    const auto v4 = parse_v4(text);
    if (!v4 || is_bracketed) return std::nullopt;
    return ParsedIp{PeerAddress::from_v4(*v4, 0), 32};
  }
  const auto groups = parse_v6(text);
  if (!groups) return std::nullopt;
  return ParsedIp{{bytes_of(*groups), 0}, 128};
}

}  // namespace

Result<PeerAddress> parse_address(std::string_view text) {
  const auto fail = [&](std::string_view why) {
    constexpr std::size_t kShownMax = 80;
    return Failure{"address '" + std::string(text.substr(0, kShownMax)) + "': " + std::string(why)};
  };
  const auto parts = split(text);
  if (!parts) return fail("expected IPV4:PORT or [IPV6]:PORT");
  std::uint32_t port = limits::kPeerPort;
  if (parts->port) {
    const auto number = parse_number(*parts->port, 10, 5, 65'535);
    if (!number || *number == 0) return fail("the port must be between 1 and 65535");
    port = *number;
  }
  PeerAddress address;
  if (parts->is_bracketed) {
    const auto groups = parse_v6(parts->host);
    if (!groups) return fail("not an IPv6 address between the brackets");
    address.ip = bytes_of(*groups);
    address.port = static_cast<std::uint16_t>(port);
    return address;
  }
  const auto ip = parse_v4(parts->host);
  if (!ip) return fail("not an IPv4 address; IPv6 is written in brackets");
  return PeerAddress::from_v4(*ip, static_cast<std::uint16_t>(port));
}

std::string ip_to_string(const PeerAddress& address) {
  if (!address.is_v4()) return v6_to_string(groups_of(address));
  const auto ip = address.v4();
  return std::to_string(ip[0]) + '.' + std::to_string(ip[1]) + '.' + std::to_string(ip[2]) + '.' +
         std::to_string(ip[3]);
}

std::string to_string(const PeerAddress& address) {
  return display_text({address.ip, 0}) + ':' + std::to_string(address.port);
}

std::string display_text(const PeerAddress& address) {
  if (address.port != 0) return to_string(address);
  const std::string ip = ip_to_string(address);
  return address.is_v4() ? ip : '[' + ip + ']';
}

Result<Subnet> parse_subnet(std::string_view text) {
  const auto fail = [&](std::string_view why) {
    constexpr std::size_t kShownMax = 80;
    return Failure{"address or range '" + std::string(text.substr(0, kShownMax)) + "': " + std::string(why)};
  };
  const std::size_t slash = text.find('/');
  const auto ip = parse_ip(text.substr(0, slash));
  if (!ip) return fail("expected IPV4, IPV4/BITS, IPV6 or IPV6/BITS");
  std::uint32_t bits = ip->bits;
  if (slash != std::string_view::npos) {
    const auto number = parse_number(text.substr(slash + 1), 10, 3, ip->bits);
    if (!number) return fail("the number of bits must be between 0 and " + std::to_string(ip->bits));
    bits = *number;
  }
  const Subnet subnet = Subnet::around(ip->address, static_cast<std::uint8_t>(bits + 128 - ip->bits));
  if (subnet.ip != ip->address.ip) return fail("bits past the prefix are set; the range is " + to_string(subnet));
  return subnet;
}

std::string to_string(const Subnet& subnet) {
  PeerAddress address;
  address.ip = subnet.ip;
  const bool is_v4 = address.is_v4() && subnet.prefix >= 96;
  const std::string ip = is_v4 ? ip_to_string(address) : v6_to_string(groups_of(address));
  return subnet.prefix == 128 ? ip : ip + '/' + std::to_string(is_v4 ? subnet.prefix - 96 : subnet.prefix);
}

bool is_private(const PeerAddress& address) {
  if (!address.is_v4()) return (address.ip[0] & 0xfe) == 0xfc;
  const auto ip = address.v4();
  return ip[0] == 10 || (ip[0] == 172 && ip[1] >= 16 && ip[1] < 32) || (ip[0] == 192 && ip[1] == 168) ||
         (ip[0] == 100 && ip[1] >= 64 && ip[1] < 128);
}

bool is_loopback(const PeerAddress& address) {
  if (address.is_v4()) return address.v4()[0] == 127;
  return std::all_of(address.ip.begin(), address.ip.end() - 1, [](std::uint8_t byte) { return byte == 0; }) &&
         address.ip.back() == 1;
}

bool is_link_local(const PeerAddress& address) {
  if (address.is_v4()) return address.v4()[0] == 169 && address.v4()[1] == 254;
  return address.ip[0] == 0xfe && (address.ip[1] & 0xc0) == 0x80;
}

bool is_unusable(const PeerAddress& address) {
  if (address.is_v4()) return address.v4()[0] == 0 || address.v4()[0] >= 224;
  return address.ip[0] == 0xff || address.ip == std::array<std::uint8_t, 16>{};
}

bool is_shareable(const PeerAddress& address, bool is_private_allowed) {
  if (!address.is_v4() || address.port == 0 || is_unusable(address)) return false;
  return is_private_allowed || !is_local(address);
}

bool is_local(const PeerAddress& address) {
  return is_private(address) || is_loopback(address) || is_link_local(address);
}

PeerAddress group_of(const PeerAddress& address) {
  if (is_local(address)) return address;
  constexpr std::uint8_t kV4GroupBits = 96 + 16;
  constexpr std::uint8_t kV6GroupBits = 32;
  return {Subnet::around(address, address.is_v4() ? kV4GroupBits : kV6GroupBits).ip, 0};
}

}  // namespace overlayd::book
