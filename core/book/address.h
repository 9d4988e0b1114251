// Addresses as text, and which of them may be passed on.
//
// Text.    "1.2.3.4:11625", "[2001:db8::1]:11625"; without a port the default one (11625). Numbers only: names are
//          resolved by the daemon. IPv4 parts are decimal, 0 to 255, without leading zeros (some readers take those for
//          octal). IPv6 is read in every form of RFC 4291 section 2.2 without a zone, and written as RFC 5952 says.
// Private. 10/8, 172.16/12, 192.168/16 (PeerBareAddress::isPrivate, stellar-core commit a9b8613) and, ours: 100.64/10,
//          which is private to a carrier, and fc00::/7.
// Shareable. What PEERS may carry: IPv4, a port, not private, and not an address that no remote can reach: 0/8, 127/8,
//          169.254/16, multicast and everything from 240/4 (ours: stellar-core drops only private ones and 127.0.0.1).
//          With private ones allowed (test networks), private, loopback and link-local ones are shareable too.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/ids.h"
#include "core/limits.h"
#include "core/result.h"

namespace overlayd::book {

[[nodiscard]] Result<PeerAddress> parse_address(std::string_view text);
[[nodiscard]] std::string to_string(const PeerAddress& address);
// Without the port and without brackets.
[[nodiscard]] std::string ip_to_string(const PeerAddress& address);

[[nodiscard]] bool is_private(const PeerAddress& address);
[[nodiscard]] bool is_loopback(const PeerAddress& address);
[[nodiscard]] bool is_link_local(const PeerAddress& address);
// Nothing that a socket could be connected to: unspecified, multicast, broadcast, reserved.
[[nodiscard]] bool is_unusable(const PeerAddress& address);
[[nodiscard]] bool is_shareable(const PeerAddress& address, bool is_private_allowed);
[[nodiscard]] inline bool is_same_ip(const PeerAddress& a, const PeerAddress& b) { return a.ip == b.ip; }

}  // namespace overlayd::book
