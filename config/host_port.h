// "name", "name:port", "1.2.3.4:port", "[2001:db8::1]:port": how peers are written in the configuration and on the
// command line. Names are checked for their characters and length (253), not resolved. A bare IPv6 literal is refused:
// its last group and a port look the same.
#pragma once
#include <string>
#include <string_view>

#include "config/config.h"
#include "core/result.h"

namespace overlayd::config {

[[nodiscard]] Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port);
// The form that parse_host_port takes back.
[[nodiscard]] std::string to_string(const HostPort& address);
[[nodiscard]] bool is_ip_literal(const std::string& text);

}  // namespace overlayd::config
