// Addresses as text, and which of them may be passed on.
//
// Text.    "1.2.3.4:11625", "[2001:db8::1]:11625"; without a port the default one (11625). Numbers only: names are
//          resolved by the daemon. IPv4 parts are decimal, 0 to 255, without leading zeros (some readers take those for
//          octal). IPv6 is read in every form of RFC 4291 section 2.2 without a zone, and written as RFC 5952 says.
// Private. 10/8, 172.16/12, 192.168/16 (PeerBareAddress::isPrivate, stellar-core commit a9b8613) and, ours: 100.64/10,
//          which is private to a carrier, and fc00::/7.
// Subnets. "192.0.2.0/24", "[2001:db8::]/32" or "2001:db8::/32"; without a prefix one address. Bits past the prefix must be
//          zero: whoever writes 192.0.2.1/24 may mean either.
// Group.   What one operator has cheaply: an IPv4 /16 or an IPv6 /32. Private, loopback and link-local addresses are each
//          a group of their own, port included: they are in the book where a test network is, all of it in one range.
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
// For people: the same, without a port where it is 0 (not known, or any).
[[nodiscard]] std::string display_text(const PeerAddress& address);
// Without the port and without brackets.
[[nodiscard]] std::string ip_to_string(const PeerAddress& address);

// A range, or one address: without port. An IPv4 range has the prefix 0 to 32 here and 96 to 128 in Subnet.
[[nodiscard]] Result<Subnet> parse_subnet(std::string_view text);
[[nodiscard]] std::string to_string(const Subnet& subnet);  // one address without "/32" or "/128"; no brackets

[[nodiscard]] bool is_private(const PeerAddress& address);
[[nodiscard]] bool is_loopback(const PeerAddress& address);
[[nodiscard]] bool is_link_local(const PeerAddress& address);
// Nothing that a socket could be connected to: unspecified, multicast, broadcast, reserved.
[[nodiscard]] bool is_unusable(const PeerAddress& address);
[[nodiscard]] bool is_shareable(const PeerAddress& address, bool is_private_allowed);
// Private, loopback or link-local.
[[nodiscard]] bool is_local(const PeerAddress& address);
// A name of its group: the address with all else zero.
[[nodiscard]] PeerAddress group_of(const PeerAddress& address);
[[nodiscard]] inline bool is_same_ip(const PeerAddress& a, const PeerAddress& b) { return a.ip == b.ip; }

}  // namespace overlayd::book
