#include "core/ids.h"

#include <algorithm>

namespace overlayd {
namespace {
constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
}

bool PeerAddress::is_v4() const { return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), ip.begin()); }

std::array<std::uint8_t, 4> PeerAddress::v4() const { return {ip[12], ip[13], ip[14], ip[15]}; }

PeerAddress PeerAddress::from_v4(std::array<std::uint8_t, 4> ip, std::uint16_t port) {
  PeerAddress address;
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.ip.begin());
  std::copy(ip.begin(), ip.end(), address.ip.begin() + 12);
  address.port = port;
  return address;
}

}  // namespace overlayd
