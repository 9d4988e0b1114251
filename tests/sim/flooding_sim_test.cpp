// Transactions and SCP messages through many overlays, on virtual time.
#include <catch2/catch.hpp>

#include "tests/sim/seeds.h"
#include "tests/sim/sim_network.h"
#include "tests/support/messages.h"

using namespace overlayd;
using namespace overlayd::sim;

namespace {

bool all_have(SimNetwork& network, const std::vector<MessagePtr>& messages, std::size_t except) {
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (i == except) continue;
    for (const MessagePtr& message : messages)
      if (!network.node(i).has_received(message)) return false;
  }
  return true;
}

std::vector<MessagePtr> transactions(const SimNetwork& network, std::size_t count) {
  std::vector<MessagePtr> messages;
  for (std::size_t i = 0; i < count; ++i) messages.push_back(test::make_transaction(network.network_id(), i));
  return messages;
}

void make_line(SimNetwork& network, std::size_t length) {
  for (std::size_t i = 0; i < length; ++i) network.add_node();
  for (std::size_t i = 0; i + 1 < length; ++i) network.connect(i, i + 1);
  network.run_for(seconds(2));
}

}  // namespace

TEST_CASE("a transaction goes down a line of nodes by advert, demand and delivery", "[sim]") {
  SIM_SEEDS(seed);
  SimNetwork network({.seed = seed});
  make_line(network, 4);
  const auto messages = transactions(network, 1);
  const Instant start = network.now();
  network.broadcast(0, messages[0]);
  REQUIRE(network.run_until([&] { return all_have(network, messages, 0); }, seconds(5)));
  // Three one-way trips a hop, nothing waits for a period.
  CHECK(network.now() - start == 3 * 3 * milliseconds(50));
  network.check_invariants();
}

TEST_CASE("nothing is relayed that the consensus process rejected", "[sim]") {
  SimNetwork network({.seed = 1});
  // No more slots than this line needs: left alone, the ends would find each other.
  network.add_node({.target_outbound = 1});
  network.add_node({.target_outbound = 1, .verdict = Verdict::kReject});
  network.add_node({.target_outbound = 0});
  network.connect(0, 1);
  network.connect(1, 2);
  network.run_for(seconds(2));
  const auto messages = transactions(network, 1);
  network.broadcast(0, messages[0]);
  network.run_for(seconds(5));
  CHECK(network.node(1).has_received(messages[0]));
  CHECK_FALSE(network.node(2).has_received(messages[0]));
}

TEST_CASE("in standalone mode transactions are relayed without a client", "[sim]") {
  SimNetwork network({.seed = 1});
  for (int i = 0; i < 3; ++i) network.add_node({.relay_mode = RelayMode::kStandalone, .has_client = false});
  network.connect(0, 1);
  network.connect(1, 2);
  network.run_for(seconds(2));
  const auto messages = transactions(network, 3);
  for (const MessagePtr& message : messages) network.broadcast(0, message);
  CHECK(network.run_until([&] { return all_have(network, messages, 0); }, seconds(5)));
}

TEST_CASE("without a client nobody is asked for transactions", "[sim]") {
  SimNetwork network({.seed = 1});
  network.add_node();
  network.add_node({.has_client = false});
  network.connect(0, 1);
  network.run_for(seconds(2));
  const auto messages = transactions(network, 1);
  network.broadcast(0, messages[0]);
  network.run_for(seconds(5));
  CHECK(network.links().sent(1)[wire::MessageType::kFloodDemand].messages == 0);
  // Once one attaches, what was advertised meanwhile is asked for.
  network.give(1, TransactionTakers{true});
  CHECK(network.run_until([&] { return network.node(1).has_received(messages[0]); }, seconds(5)));
}

TEST_CASE("a SCP message reaches every node of a random graph in its diameter", "[sim]") {
  SIM_SEEDS(seed);
  SimNetwork network({.seed = seed});
  for (int i = 0; i < 30; ++i) network.add_node();
  network.connect_randomly(8);
  network.run_for(seconds(3));
  const MessagePtr message = test::make_scp(network.network_id(), {.node = network.node(0).id()});
  network.broadcast(0, message);
  CHECK(network.run_until([&] { return all_have(network, {message}, 0); }, seconds(1)));
  network.run_for(seconds(1));
  for (std::size_t i = 0; i < network.size(); ++i) {
    std::size_t copies = 0;
    for (const Arrival& arrival : network.node(i).arrivals()) copies += arrival.message == message ? 1 : 0;
    CHECK(copies == (i == 0 ? 0 : 1));
  }
  network.check_invariants();
}

TEST_CASE("a peer that comes later is told of what is pending", "[sim]") {
  SimNetwork network({.seed = 1});
  network.add_node();
  network.add_node();
  const auto messages = transactions(network, 5);
  for (const MessagePtr& message : messages) network.broadcast(0, message);
  network.run_for(seconds(1));
  network.connect(1, 0);
  CHECK(network.run_until([&] { return all_have(network, messages, 0); }, seconds(5)));
}

TEST_CASE("out of sync, transactions stop and SCP does not", "[sim]") {
  SimNetwork network({.seed = 1});
  make_line(network, 2);
  LedgerView view;
  view.sequence = 10;
  view.is_in_sync = false;
  network.give(1, LedgerUpdated{view, {}, {}});
  const auto messages = transactions(network, 1);
  const MessagePtr scp = test::make_scp(network.network_id(), {.node = network.node(0).id(), .slot = 11});
  network.broadcast(0, messages[0]);
  network.broadcast(0, scp);
  network.run_for(seconds(5));
  CHECK_FALSE(network.node(1).has_received(messages[0]));
  CHECK(network.node(1).has_received(scp));
}

TEST_CASE("a run repeats exactly from its seed", "[sim]") {
  const auto run = [](std::uint64_t seed) {
    SimNetwork network({.seed = seed, .link = {.latency = milliseconds(50), .jitter = milliseconds(30)}});
    for (int i = 0; i < 10; ++i) network.add_node();
    network.connect_randomly(6);
    network.run_for(seconds(3));
    for (const MessagePtr& message : transactions(network, 50))
      network.broadcast(network.random().below(network.size()), message);
    network.run_for(seconds(5));
    std::vector<std::tuple<std::size_t, Duration, FloodHash>> trace;
    for (std::size_t i = 0; i < network.size(); ++i)
      for (const Arrival& arrival : network.node(i).arrivals())
        trace.emplace_back(i, arrival.at.since_start(), arrival.message->flood_hash());
    return trace;
  };
  CHECK(run(3) == run(3));
  CHECK(run(3) != run(4));
}

TEST_CASE("over a thin line credit keeps flowing and nobody is dropped", "[sim]") {
  SimNetwork network({.seed = 1, .link = {.latency = milliseconds(50), .bytes_per_second = 200'000}});
  make_line(network, 2);
  const auto messages = transactions(network, 900);
  for (const MessagePtr& message : messages) network.broadcast(0, message);
  CHECK(network.run_until([&] { return all_have(network, messages, 0); }, seconds(60)));
  CHECK(network.node(0).authenticated() == 1);
}
