// Who is preferred, who is kept out, and how many slow peers may go at once.
#include <catch2/catch.hpp>

#include "tests/sim/book_scene.h"
#include "tests/sim/scripted_peer.h"
#include "tests/sim/seeds.h"

using namespace overlayd;
using namespace overlayd::sim;

namespace {

LinkModel jittery() { return {.latency = milliseconds(50), .jitter = milliseconds(20)}; }

// Nobody but node 0 calls of its own accord.
void add_callees(SimNetwork& network, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) network.add_node({.target_outbound = 0});
}

void connect_in_turn(SimNetwork& network, std::size_t from, std::initializer_list<std::size_t> to) {
  for (const std::size_t other : to) {
    network.connect(from, other);
    network.run_for(seconds(1));
  }
}

bool are_connected(const SimNetwork& network, std::size_t a, std::size_t b) {
  return network.node(a).is_connected_to(network.node(b).id());
}

RequestStatus status_of(const SimNode& node, RequestId request) {
  for (const RequestAnswer& answer : node.answers())
    if (answer.request == request) return answer.status;
  FAIL("no answer");
  return RequestStatus::kRefused;
}

}  // namespace

// --- preferred ----------------------------------------------------------------------------------------------------

TEST_CASE("a preferred peer takes the slot of the youngest that is not", "[sim]") {
  SIM_SEEDS(seed);
  SimNetwork network({.seed = seed, .link = jittery()});
  network.add_node({.target_outbound = 3});
  add_callees(network, 7);
  connect_in_turn(network, 0, {1, 2, 3});
  REQUIRE(network.node(0).authenticated() == 3);
  const auto prefer = [&](std::initializer_list<std::size_t> nodes) {
    PeersResolved resolved;
    for (const std::size_t node : nodes) resolved.preferred.push_back(network.node(node).address());
    network.resolve(0, resolved);
    network.run_for(seconds(10));
  };
  prefer({4});
  CHECK(are_connected(network, 0, 4));
  CHECK(are_connected(network, 0, 1));
  CHECK(are_connected(network, 0, 2));
  const auto yielded = drops_of(network.node(0), DropReason::kPreferredSelected);
  REQUIRE(yielded.size() == 1);
  CHECK(yielded[0].what.node == network.node(3).id());
  // Those that are there already are not young any more; one preferred peer does not push out another.
  prefer({4, 5, 6});
  for (const std::size_t node : {4, 5, 6}) CHECK(are_connected(network, 0, node));
  prefer({4, 5, 6, 7});
  for (const std::size_t node : {4, 5, 6}) CHECK(are_connected(network, 0, node));
  CHECK(drops_of(network.node(0), DropReason::kPreferredSelected).size() == 3);
  CHECK(network.node(0).lost_links() == 3);
  network.check_invariants();
}

TEST_CASE("a peer with a preferred key takes the slot of the youngest caller", "[sim]") {
  SIM_SEEDS(seed);
  SimNetwork network({.seed = seed, .link = jittery()});
  for (int i = 0; i < 4; ++i) network.add_node({.target_outbound = 1});
  const std::size_t full =
      network.add_node({.target_outbound = 0, .max_inbound = 2, .preferred_keys = {network.node(3).id()}});
  for (const std::size_t caller : {0, 1, 2}) connect_in_turn(network, caller, {full});
  CHECK_FALSE(are_connected(network, full, 2));
  connect_in_turn(network, 3, {full});
  CHECK(are_connected(network, full, 3));
  CHECK(are_connected(network, full, 0));
  CHECK_FALSE(are_connected(network, full, 1));
  network.run_for(seconds(60));
  CHECK(are_connected(network, full, 3));
}

TEST_CASE("in preferred-only mode nobody else is called or accepted", "[sim]") {
  SIM_SEEDS(seed);
  SimNetwork network({.seed = seed, .link = jittery()});
  for (int i = 0; i < 4; ++i) network.add_node({.target_outbound = i < 2 ? 0U : 1U});
  const PeerAddress preferred = network.node(0).address();
  const PeerAddress known = network.node(1).address();
  const bool has_keys = GENERATE(false, true);
  NodeOptions options;
  options.is_preferred_only = true;
  if (has_keys) options.preferred_keys = {network.node(3).id()};
  const std::size_t node = network.add_node(options);
  network.resolve(node, {.known = {known}, .preferred = {preferred}});
  network.connect(2, node);
  network.connect(3, node);
  network.run_for(seconds(60));
  CHECK(are_connected(network, node, 0));
  CHECK_FALSE(are_connected(network, node, 1));
  CHECK_FALSE(are_connected(network, node, 2));
  CHECK(are_connected(network, node, 3) == has_keys);
  // Whoever may have a preferred key is called to find out.
  CHECK((dials_to(network.node(node), known) > 0) == has_keys);
  CHECK(network.node(node).lost_links() == 0);
}

// --- kept out -----------------------------------------------------------------------------------------------------

TEST_CASE("who is banned goes at once and does not come back until the ban is lifted", "[sim]") {
  SIM_SEEDS(seed);
  const bool is_range = GENERATE(false, true);
  const bool is_caller = GENERATE(false, true);
  CAPTURE(is_range, is_caller);
  SimNetwork network({.seed = seed, .link = jittery()});
  for (int i = 0; i < 3; ++i) network.add_node();
  network.connect(is_caller ? 1 : 0, is_caller ? 0 : 1);
  network.connect(2, 0);
  network.run_for(seconds(20));
  REQUIRE(are_connected(network, 0, 1));
  BanSubject subject = network.node(1).id();
  if (is_range) subject = Subnet::around(network.node(1).address(), 96 + 16);
  network.give(0, BanPeers{subject, {.reason = "test"}, RequestId{7}});
  CHECK_FALSE(are_connected(network, 0, 1));
  network.run_for(network.latency() * 2);
  CHECK_FALSE(are_connected(network, 1, 0));
  CHECK(status_of(network.node(0), RequestId{7}) == RequestStatus::kAccepted);
  CHECK(drops_of(network.node(0), DropReason::kBanned).size() == 1);

  const auto stays_away = [&](Duration length) {
    return !network.run_until([&] { return are_connected(network, 0, 1) || are_connected(network, 1, 0); }, length);
  };
  CHECK(stays_away(seconds(300)));
  const std::size_t dials = dials_to(network.node(0), network.node(1).address());
  // It is on disk: the next process keeps it.
  network.kill(0);
  network.run_for(seconds(5));
  network.restart(0);
  network.connect(1, 0);
  CHECK(stays_away(seconds(300)));
  // Where a range is banned nobody there is called; who has a banned key is known only once it is called.
  if (is_range) CHECK(dials_to(network.node(0), network.node(1).address()) == dials);
  CHECK(network.node(0).disk().bans.at(subject).hits > 0);

  network.give(0, Unban{subject, RequestId{8}});
  network.run_for(seconds(1));
  CHECK(status_of(network.node(0), RequestId{8}) == RequestStatus::kAccepted);
  CHECK(network.node(0).disk().bans.empty());
  network.connect(1, 0);
  network.run_for(seconds(1));
  CHECK(are_connected(network, 0, 1));
  network.check_invariants();
}

TEST_CASE("a peer that is to cool down stays away for its time and comes back after", "[sim]") {
  SIM_SEEDS(seed);
  const bool is_caller = GENERATE(false, true);
  CAPTURE(is_caller);
  SimNetwork network({.seed = seed, .link = jittery()});
  network.add_node();
  network.add_node();
  network.connect(is_caller ? 1 : 0, is_caller ? 0 : 1);
  network.run_for(seconds(20));
  REQUIRE(are_connected(network, 0, 1));
  constexpr Duration kCoolDown = seconds(120);
  network.give(0, Disconnect{.peer = network.node(1).id(), .request = RequestId{7}, .cool_down = kCoolDown});
  CHECK_FALSE(are_connected(network, 0, 1));
  CHECK(status_of(network.node(0), RequestId{7}) == RequestStatus::kAccepted);
  const Instant start = network.now();
  const auto is_back = [&] { return are_connected(network, 0, 1); };
  CHECK_FALSE(network.run_until(is_back, kCoolDown - milliseconds(1)));
  // Node 0 has done it itself, so that the peer's record is due; a tick later it is called.
  CHECK(network.run_until(is_back, seconds(60)));
  CHECK(network.now() - start >= kCoolDown);
}

// --- slow peers ---------------------------------------------------------------------------------------------------

TEST_CASE("of many peers that give no credit one goes in each tick", "[sim]") {
  SIM_SEEDS(seed);
  const std::uint32_t per_tick = GENERATE(1U, 2U);
  constexpr std::size_t kSlow = 6;
  SimNetwork network({.seed = seed, .link = jittery()});
  const Instant first_tick = network.now() + limits::kFirstTick;
  network.add_node({.target_outbound = 0, .slow_drops_per_tick = per_tick});
  for (std::size_t i = 0; i < kSlow; ++i) {
    const std::size_t peer = network.add_participant(
        [](const LocalNode& local) { return std::make_unique<ScriptedPeer>(local, Script{.is_granting = false}); });
    network.connect(peer, 0);
  }
  const Instant start = network.now();
  network.run_for(seconds(120));
  const auto drops = drops_of(network.node(0), DropReason::kNoCredit);
  CHECK(network.node(0).lost_links() == kSlow);
  REQUIRE(drops.size() == kSlow);
  CHECK(drops.front().at - start >= limits::kNoCreditTimeout);
  CHECK(drops.back().at - start <= limits::kNoCreditTimeout + 2 * limits::kRecurrentPeriod +
                                       static_cast<std::int64_t>(kSlow / per_tick) * limits::kTick);
  std::map<std::int64_t, std::size_t> in_tick;
  for (const PeerEvent& drop : drops) ++in_tick[(drop.at - first_tick) / limits::kTick];
  for (const auto& [tick, count] : in_tick) CHECK(count <= per_tick);
}
