// Strong ids. Two of them never mix by accident.
#pragma once
#include "core/bytes.h"

namespace overlayd {

struct NodeIdTag;
struct NetworkIdTag;
struct TxHashTag;
struct TxFullHashTag;
struct FloodHashTag;
struct ItemHashTag;

using NodeId = Id32<NodeIdTag>;        // an Ed25519 public key
using NetworkId = Id32<NetworkIdTag>;  // SHA-256 of the network passphrase
// SHA-256(network id, envelope type, transaction without signatures): what users and the consensus process call the
// hash.
using TxHash = Id32<TxHashTag>;
// SHA-256 of the whole TransactionEnvelope. FLOOD_ADVERT and FLOOD_DEMAND carry this one, not TxHash
// (stellar-core TransactionFrame::getFullHash, passed by TransactionQueue::broadcastTx, commit a9b8613).
using TxFullHash = Id32<TxFullHashTag>;
using FloodHash = Id32<FloodHashTag>;  // BLAKE2b-256 of the whole StellarMessage
using ItemHash = Id32<ItemHashTag>;    // SHA-256 of a transaction set or quorum set

// One connection, from dial or accept to close. Never reused within a process; 0 means "no peer" (ourselves).
// The overlay numbers the links it dials; the transport numbers those it accepts and sets the top bit, so that neither
// has to ask the other.
inline constexpr std::uint64_t kAcceptedPeerBit = 1ULL << 63;
struct PeerId {
  std::uint64_t value = 0;
  auto operator<=>(const PeerId&) const = default;
  [[nodiscard]] bool is_local() const { return value == 0; }
};

// A request of a client of the API; unique within a process.
struct RequestId {
  std::uint64_t value = 0;
  auto operator<=>(const RequestId&) const = default;
};

// An IP address and port. IPv4 is held as its mapped IPv6 form, so that one type orders and compares both.
struct PeerAddress {
  std::array<std::uint8_t, 16> ip{};
  std::uint16_t port = 0;
  auto operator<=>(const PeerAddress&) const = default;
  [[nodiscard]] bool is_v4() const;
  [[nodiscard]] std::array<std::uint8_t, 4> v4() const;  // meaningful only if is_v4()
  static PeerAddress from_v4(std::array<std::uint8_t, 4> ip, std::uint16_t port);
};

// A range of IP addresses, held as PeerAddress holds them: IPv4 /n is the prefix 96 + n. Bits past the prefix are zero.
struct Subnet {
  std::array<std::uint8_t, 16> ip{};
  std::uint8_t prefix = 128;  // bits, 0 to 128
  auto operator<=>(const Subnet&) const = default;
  [[nodiscard]] bool contains(const PeerAddress& address) const;
  // The range of `prefix` bits that holds the address.
  static Subnet around(const PeerAddress& address, std::uint8_t prefix);
};

}  // namespace overlayd

template <>
struct std::hash<overlayd::PeerId> {
  std::size_t operator()(const overlayd::PeerId& id) const noexcept { return std::hash<std::uint64_t>{}(id.value); }
};
