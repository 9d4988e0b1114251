// What the tests of TxDemands share.
#pragma once
#include <catch2/catch.hpp>
#include <cstdint>
#include <set>
#include <vector>

#include "core/flood/tx_demands.h"

namespace overlayd::flood {

inline TxFullHash hash(std::uint32_t number) {
  TxFullHash made;
  for (std::size_t i = 0; i < 4; ++i) made.bytes[i] = made.bytes[8 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  return made;
}
inline std::vector<TxFullHash> hashes(std::uint32_t first, std::uint32_t count) {
  std::vector<TxFullHash> made;
  for (std::uint32_t i = 0; i < count; ++i) made.push_back(hash(first + i));
  return made;
}
inline NodeId node(std::uint64_t number) {
  NodeId made;
  made.bytes[0] = static_cast<std::uint8_t>(number);
  return made;
}
inline Instant at(std::int64_t ms) { return Instant(milliseconds(ms)); }

struct Demands {
  TxFloodMetrics metrics;
  Random random;
  TxAdverts adverts;
  std::set<TxFullHash> known;
  TxDemands demands;
  DemandBatches out;

  explicit Demands(const TxDemandsOptions& options = {}, std::uint64_t seed = 1)
      : random(seed),
        adverts({}, metrics),
        demands(
            options, adverts, [this](const TxFullHash& h) { return known.contains(h); }, random, metrics) {}

  void add_peers(std::uint64_t count) {
    for (std::uint64_t i = 1; i <= count; ++i) demands.on_peer(PeerId{i}, node(i));
  }
  // What an advert made us demand.
  std::vector<TxFullHash> advert(std::uint64_t peer, const std::vector<TxFullHash>& named, std::int64_t ms) {
    out.clear();
    demands.on_advert(PeerId{peer}, named, 1, at(ms), out);
    demands.check_invariants();
    REQUIRE(out.size() <= 1);
    if (out.empty()) return {};
    REQUIRE(out[0].peer == PeerId{peer});
    return out[0].hashes;
  }
  DemandBatches advance(std::int64_t ms) {
    out.clear();
    demands.advance(at(ms), out);
    demands.check_invariants();
    return out;
  }
};

}  // namespace overlayd::flood
