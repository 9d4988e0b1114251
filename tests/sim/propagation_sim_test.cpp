// How transactions spread when everybody behaves: all of them, once, at the price of one copy, and how fast.
#include <catch2/catch.hpp>

#include "core/wire/message.h"
#include "tests/sim/measure.h"
#include "tests/sim/seeds.h"

using namespace overlayd;
using namespace overlayd::sim;

namespace {

constexpr std::size_t kNodes = 50;
constexpr std::size_t kDegree = 8;

// A view in which a network of this size may carry 2,000 transactions a second.
LedgerView wide_view() {
  LedgerView view;
  view.sequence = 100;
  view.max_tx_set_ops = 10'000;
  return view;
}

// What the network could not do without, in bytes with frames: each transaction once into each node but its origin,
// its hash once over each link in one direction, and demanded once by each node that receives it. The frames around
// adverts and demands, grants of credit and pings do not count: they are what the quarter on top is for.
std::uint64_t unavoidable_bytes(const std::vector<Sent>& transactions) {
  std::uint64_t bytes = 0;
  for (const Sent& sent : transactions) {
    bytes += (kNodes - 1) * (sent.message->size() + limits::kFrameOverheadBytes);
    bytes += kNodes * kDegree / 2 * sizeof(TxFullHash);
    bytes += (kNodes - 1) * sizeof(TxFullHash);
  }
  return bytes;
}

void check_no_drops(const SimNetwork& network) {
  for (std::size_t i = 0; i < network.size(); ++i) CHECK(network.node(i).lost_links() == 0);
}

}  // namespace

TEST_CASE("10,000 transactions reach 50 nodes of degree 8 once, and little else is on the wire", "[sim]") {
  SIM_SEEDS(seed);
  SimNetwork network(
      {.seed = seed, .link = {.latency = milliseconds(50), .jitter = milliseconds(20)}, .is_closed = true});
  for (std::size_t i = 0; i < kNodes; ++i)
    network.add_node({.target_outbound = kDegree / 2, .max_inbound = kDegree / 2});
  network.connect_randomly(kDegree);
  Traffic traffic(network, kNodes, seed);
  traffic.close_ledgers({.view = wide_view(), .is_applying = true});
  network.run_for(seconds(3));
  REQUIRE(network.links().open_count() == kNodes * kDegree / 2);

  const WireMeter meter(network, kNodes);
  traffic.send_transactions({.count = 10'000, .per_second = 1'000});
  network.run_for(seconds(13));
  REQUIRE(traffic.transactions().size() == 10'000);

  const Spread spread = measure_spread(network, traffic.transactions(), kNodes);
  INFO("first of the lost: " << (spread.lost.empty() ? "none" : spread.lost.front()));
  CHECK(spread.delivered == spread.expected);
  CHECK(spread.repeated == 0);
  const std::uint64_t received = meter.read()[wire::MessageType::kTransaction].messages;
  CHECK(received - spread.delivered <= received / 100);
  // The stricter of two readings holds. The laxer one takes the adverts and demands as they were exchanged for
  // unavoidable, crossing ones included: 14 % over the former is about 2 % over the latter.
  const std::uint64_t used = meter.read().total().bytes;
  const std::uint64_t unavoidable = unavoidable_bytes(traffic.transactions());
  CHECK(used <= unavoidable + unavoidable / 4);
  for (std::size_t i = 0; i < kNodes; ++i) CHECK(meter.read(i).total().bytes * kNodes <= unavoidable + unavoidable / 4);
  check_no_drops(network);
  // Of one node: with 10,000 transactions in each, looking at all of them takes longer than the rest is worth.
  network.node(seed % kNodes).overlay().check_invariants();
}

TEST_CASE("between idle nodes a hop costs three latencies, for the first transaction and for later ones", "[sim]") {
  SIM_SEEDS(seed);
  const Duration latency = GENERATE(milliseconds(1), milliseconds(20), milliseconds(75), milliseconds(150));
  constexpr std::size_t kLength = 6;
  SimNetwork network({.seed = seed, .link = {.latency = latency}, .is_closed = true});
  // No more slots than the line needs.
  for (std::size_t i = 0; i < kLength; ++i)
    network.add_node({.target_outbound = i + 1 < kLength ? 1U : 0U, .max_inbound = 1});
  for (std::size_t i = 0; i + 1 < kLength; ++i) network.connect(i, i + 1);
  network.run_for(seconds(2));
  Traffic traffic(network, kLength, seed);
  traffic.close_ledgers({});
  for (int i = 0; i < 20; ++i) {
    // From a random node, once the one before is over and the links were idle for a period.
    network.run_for(limits::kAdvertPeriod + kLength * 4 * latency + milliseconds(network.random().below(3'000)));
    traffic.send_transaction(network.random().below(kLength), 300 + network.random().below(2'000));
  }
  network.run_for(kLength * 4 * latency);
  for (std::size_t node = 0; node < kLength; ++node) {
    const auto arrivals = first_arrivals(network.node(node), traffic.transactions());
    for (std::size_t i = 0; i < arrivals.size(); ++i) {
      const Sent& sent = traffic.transactions()[i];
      if (sent.origin == node) continue;
      const std::size_t hops = node > sent.origin ? node - sent.origin : sent.origin - node;
      INFO("transaction " << i << " from node " << sent.origin << " to node " << node);
      REQUIRE_FALSE(arrivals[i].is_never());
      // Advert, demand, delivery: nothing waits for a period. Three and a half would be allowed.
      CHECK(arrivals[i] - sent.at == static_cast<std::int64_t>(3 * hops) * latency);
    }
  }
}
