// PeerAddress ↔ Asio's endpoint, and the text operators read: "1.2.3.4:11625", "[2001:db8::1]:11625".
#pragma once
#include <asio/ip/tcp.hpp>
#include <string>

#include "core/ids.h"

namespace overlayd::daemon {

// An IPv4-mapped address becomes an IPv4 endpoint.
[[nodiscard]] asio::ip::tcp::endpoint to_endpoint(const PeerAddress& address);
[[nodiscard]] PeerAddress to_peer_address(const asio::ip::tcp::endpoint& endpoint);
// Without a port where none is known: a caller's, before its HELLO.

}  // namespace overlayd::daemon
