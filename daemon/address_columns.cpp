#include "daemon/address_columns.h"

#include <arpa/inet.h>

#include <array>

namespace overlayd::daemon {

std::optional<PeerAddress> read_address(const char* ip, std::int64_t port) {
  if (port < 1 || port > 65535) return std::nullopt;
  const auto small_port = static_cast<std::uint16_t>(port);
  std::array<std::uint8_t, 4> v4{};
  if (inet_pton(AF_INET, ip, v4.data()) == 1) return PeerAddress::from_v4(v4, small_port);
  PeerAddress address;
  address.port = small_port;
  if (inet_pton(AF_INET6, ip, address.ip.data()) != 1) return std::nullopt;
  return address;
}

}  // namespace overlayd::daemon
