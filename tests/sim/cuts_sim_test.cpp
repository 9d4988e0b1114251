// Links that break: what was on the wire is lost, and still nothing may be lost for good.
#include <catch2/catch.hpp>

#include "tests/sim/measure.h"
#include "tests/sim/seeds.h"

using namespace overlayd;
using namespace overlayd::sim;

namespace {

void check_all_delivered(const SimNetwork& network, const Traffic& traffic, const std::vector<Sent>& sent) {
  const Spread spread = measure_spread(network, sent, traffic.nodes());
  for (const std::string& lost : spread.lost) UNSCOPED_INFO("lost: " << lost);
  CHECK(spread.delivered == spread.expected);
  CHECK(spread.repeated == 0);
}

void connect_two(SimNetwork& network) {
  network.add_node();
  network.add_node();
  network.connect(0, 1);
  network.run_for(seconds(2));
}

// With time for the two to find each other again and for every record of a demand to end.
void cut_and_reconnect(SimNetwork& network, Duration after) {
  network.run_for(after);
  REQUIRE(network.cut_random_link());
  network.run_for(seconds(90));
  REQUIRE(network.node(0).authenticated() == 1);
}

}  // namespace

TEST_CASE("although links are cut every second every node gets every transaction and every SCP message", "[sim]") {
  SIM_SEEDS(seed);
  constexpr std::size_t kNodes = 30;
  const std::uint32_t degree = GENERATE(8, 4);
  CAPTURE(degree);
  SimNetwork network({.seed = seed, .link = {.latency = milliseconds(50), .jitter = milliseconds(20)}});
  for (std::size_t i = 0; i < kNodes; ++i) network.add_node({.target_outbound = degree / 2});
  network.connect_randomly(degree);
  network.run_for(seconds(3));
  Traffic traffic(network, kNodes, seed);
  LedgerView view;
  view.sequence = 100;
  traffic.close_ledgers({.view = view});
  traffic.send_transactions({.count = 600, .per_second = 20});
  traffic.send_scp({.count = 600, .per_second = 20});
  std::size_t cuts = 0;
  for (int second = 0; second < 30; ++second) {
    for (int i = 0; i < 4; ++i) {
      network.run_for(milliseconds(network.random().below(250)));
      cuts += network.cut_random_link() ? 1 : 0;
    }
    network.run_for(milliseconds(500));
  }
  network.run_for(seconds(30));
  REQUIRE(cuts == 120);
  REQUIRE(traffic.transactions().size() == 600);
  REQUIRE(traffic.scp_messages().size() == 600);
  check_all_delivered(network, traffic, traffic.transactions());
  check_all_delivered(network, traffic, traffic.scp_messages());
  // The cuts did hit something of each kind.
  for (const auto type : {wire::MessageType::kScpMessage, wire::MessageType::kTransaction,
                          wire::MessageType::kFloodAdvert, wire::MessageType::kFloodDemand})
    CHECK(network.links().lost()[type].messages > 0);
  network.check_invariants();
}

// Two nodes that have nobody else: what the cut took is lost until the two tell each other again. For SCP messages that is
// the answer to GET_SCP_STATE, for transactions the adverts of a new link.

TEST_CASE("an SCP message that went down with the only link arrives after it is back", "[sim]") {
  SimNetwork network({.seed = 1});
  connect_two(network);
  Traffic traffic(network, 2, 1);
  traffic.send_scp_message(0);
  cut_and_reconnect(network, milliseconds(25));
  check_all_delivered(network, traffic, traffic.scp_messages());
}

TEST_CASE("a transaction whose advert, demand or body went down with the only link arrives after it is back", "[sim]") {
  const Duration into = GENERATE(milliseconds(25), milliseconds(75), milliseconds(125));
  SimNetwork network({.seed = 1});
  connect_two(network);
  Traffic traffic(network, 2, 1);
  traffic.send_transaction(0);
  cut_and_reconnect(network, into);
  check_all_delivered(network, traffic, traffic.transactions());
}
