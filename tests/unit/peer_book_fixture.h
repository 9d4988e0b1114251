// What the tests of PeerManager share.
#pragma once
#include <catch2/catch.hpp>

#include "core/book/peer_manager.h"

namespace overlayd::book {

inline constexpr UnixTime kNow{1'700'000'000};

inline PeerAddress address(std::uint32_t number, std::uint16_t port = 11625) {
  return PeerAddress::from_v4({8, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8),
                               static_cast<std::uint8_t>(number)},
                              port);
}
inline PeerRecord record(std::uint32_t number, std::uint32_t failures = 0, PeerType type = PeerType::kInbound,
                         UnixTime next_attempt = kNow) {
  return {address(number), next_attempt, failures, type};
}
inline wire::WirePeerAddress named(const PeerAddress& address) { return {address, address.port, 3}; }

struct Book {
  BookMetrics metrics;
  Random random;
  PeerManager book;
  Outputs out;
  explicit Book(const PeerManagerOptions& options = {}, std::uint64_t seed = 1)
      : random(seed), book(options, random, metrics) {}

  PeerType type_after(PeerType before, const Observation& observed) {
    book.load(record(1, 0, before));
    book.update_type(address(1), observed, kNow, out);
    return book.find(address(1))->type;
  }
};
inline const auto kAnyone = [](const PeerAddress&) { return true; };

}  // namespace overlayd::book
