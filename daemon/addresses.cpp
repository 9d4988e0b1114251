#include "daemon/addresses.h"

namespace overlayd::daemon {

asio::ip::tcp::endpoint to_endpoint(const PeerAddress& address) {
  if (address.is_v4()) return {asio::ip::address_v4(address.v4()), address.port};
  return {asio::ip::address_v6(address.ip), address.port};
}

PeerAddress to_peer_address(const asio::ip::tcp::endpoint& endpoint) {
  if (endpoint.address().is_v4()) return PeerAddress::from_v4(endpoint.address().to_v4().to_bytes(), endpoint.port());
  return {.ip = endpoint.address().to_v6().to_bytes(), .port = endpoint.port()};
}

}  // namespace overlayd::daemon
