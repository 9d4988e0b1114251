#include "core/ids.h"

#include <algorithm>

namespace overlayd {
namespace {
constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
}

bool PeerAddress::is_v4() const { return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), ip.begin()); }

std::array<std::uint8_t, 4> PeerAddress::v4() const { return {ip[12], ip[13], ip[14], ip[15]}; }

bool Subnet::contains(const PeerAddress& address) const { return around(address, prefix) == *this; }

Subnet Subnet::around(const PeerAddress& address, std::uint8_t prefix) {
  Subnet subnet{address.ip, prefix};
  for (std::size_t i = 0; i < subnet.ip.size(); ++i) {
    const std::size_t kept = std::min<std::size_t>(8, prefix > 8 * i ? prefix - 8 * i : 0);
    subnet.ip[i] &= static_cast<std::uint8_t>(0xff00 >> kept);
  }
  return subnet;
}

PeerAddress PeerAddress::from_v4(std::array<std::uint8_t, 4> ip, std::uint16_t port) {
  PeerAddress address;
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.ip.begin());
  std::copy(ip.begin(), ip.end(), address.ip.begin() + 12);
  address.port = port;
  return address;
}

}  // namespace overlayd
