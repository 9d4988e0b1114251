// Links of many overlays: slots, duplicates, breaks and shutdown, on virtual time.
#include <catch2/catch.hpp>

#include "tests/sim/seeds.h"
#include "tests/sim/sim_network.h"
#include "tests/support/messages.h"

using namespace overlayd;
using namespace overlayd::sim;

TEST_CASE("two nodes authenticate each other", "[sim]") {
  SimNetwork network({.seed = 1});
  network.add_node();
  network.add_node();
  network.connect(0, 1);
  REQUIRE(network.run_until(
      [&] { return network.node(0).authenticated() == 1 && network.node(1).authenticated() == 1; }, seconds(2)));
  const auto peers = network.node(1).overlay().peers(network.now());
  REQUIRE(peers.size() == 1);
  CHECK(peers[0].node == network.node(0).id());
  CHECK(peers[0].address == network.node(0).address());
  CHECK(peers[0].direction == Direction::kInbound);
  network.check_invariants();
}

TEST_CASE("the latency of a link is measured by ping", "[sim]") {
  SimNetwork network({.seed = 1, .link = {.latency = milliseconds(80)}});
  network.add_node();
  network.add_node();
  network.connect(0, 1);
  network.run_for(seconds(7));
  CHECK(network.node(0).overlay().peers(network.now()).at(0).latency == milliseconds(160));
}

TEST_CASE("a quiet link lives on its pings", "[sim]") {
  SimNetwork network({.seed = 1});
  network.add_node();
  network.add_node();
  network.connect(0, 1);
  network.run_for(seconds(600));
  CHECK(network.node(0).authenticated() == 1);
  CHECK(network.node(0).overlay().metrics().link.outbound_opened == 1);
}

TEST_CASE("a second link to the same node is refused, the first stays", "[sim]") {
  SimNetwork network({.seed = 1});
  network.add_node();
  network.add_node();
  network.connect(0, 1);
  network.run_for(seconds(1));
  network.connect(1, 0);
  network.run_for(seconds(2));
  CHECK(network.node(0).authenticated() == 1);
  CHECK(network.node(1).authenticated() == 1);
}

TEST_CASE("two nodes that call each other at once end up with one link or try again", "[sim]") {
  SimNetwork network({.seed = 1});
  network.add_node();
  network.add_node();
  network.connect(0, 1);
  network.connect(1, 0);
  CHECK(network.run_until([&] { return network.node(0).authenticated() == 1 && network.node(1).authenticated() == 1; },
                          seconds(60)));
  network.run_for(seconds(30));
  CHECK(network.node(0).authenticated() == 1);
  network.check_invariants();
}

TEST_CASE("a node that knows its own address does not stay connected to itself", "[sim]") {
  SimNetwork network({.seed = 1});
  network.add_node();
  network.connect(0, 0);
  network.run_for(seconds(5));
  CHECK(network.node(0).overlay().peers(network.now()).empty());
  CHECK(network.node(0).drops(DropReason::kConnectingToSelf) >= 1);
}

TEST_CASE("inbound slots are limited and the rest is told why", "[sim]") {
  SimNetwork network({.seed = 1});
  network.add_node({.max_inbound = 3});
  for (int i = 0; i < 5; ++i) {
    network.add_node();
    network.connect(network.size() - 1, 0);
  }
  network.run_for(milliseconds(1900));
  CHECK(network.node(0).authenticated() == 3);
  CHECK(network.node(0).drops(DropReason::kPeerRejected) == 2);
  std::size_t told = 0;
  for (std::size_t i = 1; i < network.size(); ++i)
    for (const PeerEvent& event : network.node(i).peer_events())
      if (event.what.change == PeerChange::kDropped && event.what.detail == "ERR_LOAD (peer rejected)") ++told;
  CHECK(told == 2);
}

TEST_CASE("a broken link is dialled again", "[sim]") {
  SimNetwork network({.seed = 1});
  network.add_node();
  network.add_node();
  network.connect(0, 1);
  network.run_for(seconds(1));
  REQUIRE(network.cut_random_link());
  REQUIRE(network.run_until([&] { return network.node(0).authenticated() == 0; }, seconds(1)));
  CHECK(network.run_until([&] { return network.node(0).authenticated() == 1; }, seconds(30)));
}

TEST_CASE("transactions reach everyone although links break every second", "[sim]") {
  SIM_SEEDS(seed);
  SimNetwork network({.seed = seed});
  for (int i = 0; i < 12; ++i) network.add_node();
  network.connect_randomly(6);
  network.run_for(seconds(3));
  std::vector<MessagePtr> messages;
  for (std::uint64_t i = 0; i < 100; ++i) {
    messages.push_back(test::make_transaction(network.network_id(), i));
    network.broadcast(network.random().below(network.size()), messages.back());
    network.run_for(milliseconds(200));
    if (i % 5 == 0) network.cut_random_link();
  }
  const auto all_received = [&] {
    for (std::size_t i = 0; i < network.size(); ++i) {
      std::size_t count = 0;
      for (const MessagePtr& message : messages) count += network.node(i).has_received(message) ? 1 : 0;
      std::size_t own = 0;
      for (const RequestAnswer& answer : network.node(i).answers())
        own += answer.status == RequestStatus::kAccepted ? 1 : 0;
      if (count + own < messages.size()) return false;
    }
    return true;
  };
  CHECK(network.run_until(all_received, seconds(90)));
  network.check_invariants();
}

TEST_CASE("at shutdown every peer is told", "[sim]") {
  SimNetwork network({.seed = 1});
  for (int i = 0; i < 4; ++i) network.add_node();
  for (std::size_t i = 1; i < 4; ++i) network.connect(i, 0);
  network.run_for(seconds(2));
  network.give(0, ShutDown{});
  network.run_for(seconds(1));
  for (std::size_t i = 1; i < 4; ++i) {
    const auto& events = network.node(i).peer_events();
    CHECK(std::any_of(events.begin(), events.end(), [&](const PeerEvent& event) {
      return event.what.node == network.node(0).id() && event.what.detail == "ERR_MISC (shutdown)";
    }));
  }
  CHECK(network.node(0).overlay().peers(network.now()).empty());
}

TEST_CASE("a node learns of others from those it calls", "[sim]") {
  SimNetwork network({.seed = 1});
  for (int i = 0; i < 6; ++i) network.add_node();
  for (std::size_t i = 1; i < 5; ++i) network.connect(i, 0);
  network.run_for(seconds(3));
  network.connect(5, 0);
  CHECK(network.run_until([&] { return network.node(5).authenticated() >= 3; }, seconds(60)));
}
