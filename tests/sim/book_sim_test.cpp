// Whom a node lets go, whom it takes instead, and what it remembers of them.
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

// One node, so that others than node 0 call as well: while nobody does, three outbound peers are enough.
std::size_t add_caller(SimNetwork& network) {
  const std::size_t caller = network.add_node({.target_outbound = 1});
  network.connect(caller, 0);
  return caller;
}

std::vector<PeerAddress> addresses_of(const SimNetwork& network, std::size_t first, std::size_t count) {
  std::vector<PeerAddress> addresses;
  for (std::size_t i = 0; i < count; ++i) addresses.push_back(network.node(first + i).address());
  return addresses;
}

std::size_t add_scripted(SimNetwork& network, const Script& script, std::uint16_t claimed_port = limits::kPeerPort) {
  return network.add_participant([&](const LocalNode& local) {
    LocalNode claimed = local;
    claimed.listening_port = claimed_port;
    return std::make_unique<ScriptedPeer>(claimed, script);
  });
}

bool become_outbound(SimNetwork& network, std::size_t node, std::size_t count, Duration limit) {
  return network.run_until([&] { return network.node(node).authenticated(Direction::kOutbound) == count; }, limit);
}

void say_sync(SimNetwork& network, std::size_t node, bool is_in_sync) {
  LedgerView view;
  view.sequence = 100;
  view.is_in_sync = is_in_sync;
  network.give(node, LedgerUpdated{view, {}, {}});
}

}  // namespace

// --- out of sync --------------------------------------------------------------------------------------------------

TEST_CASE("out of sync a full node lets a random peer go every minute, never a preferred one", "[sim]") {
  SIM_SEEDS(seed);
  constexpr std::uint32_t kTarget = 4;
  SimNetwork network({.seed = seed, .link = jittery()});
  network.add_node({.target_outbound = kTarget});
  add_callees(network, 8);
  network.resolve(0, {.known = addresses_of(network, 2, 7), .preferred = addresses_of(network, 1, 1)});
  add_caller(network);
  REQUIRE(become_outbound(network, 0, kTarget, seconds(30)));
  network.run_for(seconds(100));
  CHECK(drops_of(network.node(0), DropReason::kOutOfSync).empty());

  const Instant start = network.now();
  say_sync(network, 0, false);
  network.run_for(seconds(200));
  std::size_t outbound = 0;
  std::set<PeerId> called;
  std::vector<Instant> drops{start};
  std::set<NodeId> gone;
  for (const PeerEvent& event : network.node(0).peer_events()) {
    const bool is_called = event.what.direction == Direction::kOutbound;
    if (event.what.change == PeerChange::kAuthenticated) {
      if (is_called) called.insert(event.what.peer);
      continue;
    }
    if (event.what.reason == DropReason::kOutOfSync) {
      outbound = called.size();
      CHECK(outbound == kTarget);
      CHECK(event.what.node != network.node(1).id());
      // A tick comes every 3 s; the one after the minute may find a slot empty still.
      CHECK(event.at - drops.back() >= seconds(57));
      CHECK(event.at - drops.back() <= seconds(70));
      drops.push_back(event.at);
      gone.insert(event.what.node);
    }
    called.erase(event.what.peer);
  }
  CHECK(drops.size() == 1 + 3);
  CHECK(become_outbound(network, 0, kTarget, seconds(10)));

  const std::size_t before = drops_of(network.node(0), DropReason::kOutOfSync).size();
  say_sync(network, 0, true);
  network.run_for(seconds(200));
  CHECK(drops_of(network.node(0), DropReason::kOutOfSync).size() == before);
  network.check_invariants();
}

TEST_CASE("out of sync nobody goes while a slot is free", "[sim]") {
  SIM_SEEDS(seed);
  SimNetwork network({.seed = seed, .link = jittery()});
  network.add_node({.target_outbound = 4});
  add_callees(network, 3);
  network.resolve(0, {.known = addresses_of(network, 1, 3), .preferred = {}});
  add_caller(network);
  REQUIRE(become_outbound(network, 0, 3, seconds(30)));
  say_sync(network, 0, false);
  network.run_for(seconds(200));
  CHECK(network.node(0).lost_links() == 0);
}

// --- what becomes of callers --------------------------------------------------------------------------------------

TEST_CASE("a node that only called us becomes known as outbound", "[sim]") {
  SIM_SEEDS(seed);
  SimNetwork network({.seed = seed, .link = jittery()});
  network.add_node();
  const std::size_t caller = add_scripted(network, {});
  const std::size_t liar = add_scripted(network, {}, 9);  // where nobody listens
  network.connect(caller, 0);
  network.connect(liar, 0);
  network.run_for(milliseconds(500));
  PeerAddress claimed = network.node(liar).address();
  claimed.port = 9;
  REQUIRE(network.node(0).stored_record(network.node(caller).address()));
  REQUIRE(network.node(0).stored_record(claimed));
  CHECK(network.node(0).stored_record(network.node(caller).address())->type == PeerType::kInbound);

  network.run_for(seconds(10));
  const auto record = network.node(0).stored_record(network.node(caller).address());
  CHECK(record->type == PeerType::kOutbound);
  CHECK(record->failures == 0);
  CHECK(network.node(0).stored_record(claimed)->type == PeerType::kInbound);
  CHECK(network.node(0).stored_record(claimed)->failures > 0);
  // To see that it can be called cost nobody a link.
  CHECK(network.node(0).lost_links() == 0);
  CHECK(network.node(0).authenticated() == 2);

  network.kill(caller);
  network.run_for(seconds(1));
  CHECK(network.node(0).authenticated() == 1);
  network.check_invariants();
}

TEST_CASE("a node that knows its own address stops dialling itself", "[sim]") {
  SIM_SEEDS(seed);
  SimNetwork network({.seed = seed, .link = jittery()});
  network.add_node();
  const PeerAddress own = network.node(0).address();
  Script script;
  script.on_ready = [own](ScriptedLink& link) {
    if (link.direction() == Direction::kInbound) link.send(wire::write_peers({{own, own.port, 0}}));
  };
  std::vector<PeerAddress> known;
  for (int i = 0; i < 2; ++i) known.push_back(network.node(add_scripted(network, script)).address());
  SECTION("from its configuration") { known.push_back(own); }
  SECTION("from others") {}
  network.resolve(0, {.known = known, .preferred = {}});
  network.run_for(seconds(120));
  CHECK(dials_to(network.node(0), own) == 1);
  CHECK(network.node(0).drops(DropReason::kConnectingToSelf) == 2);  // both ends of the one link
  CHECK_FALSE(network.node(0).stored_record(own));
  // Names are resolved again and again.
  network.resolve(0, {.known = known, .preferred = {}});
  network.run_for(seconds(60));
  CHECK(dials_to(network.node(0), own) == 1);
  CHECK(network.node(0).authenticated(Direction::kOutbound) == 2);
}

// --- back-off -----------------------------------------------------------------------------------------------------

TEST_CASE("what is our fault is no failure of the peer", "[sim]") {
  SIM_SEEDS(seed);
  SimNetwork network({.seed = seed, .link = jittery()});
  network.add_node({.target_outbound = 1});
  add_callees(network, 2);
  network.resolve(0, {.known = addresses_of(network, 1, 1), .preferred = {}});
  REQUIRE(become_outbound(network, 0, 1, seconds(5)));
  const PeerAddress called = network.node(1).address();
  const PeerAddress spare = network.node(2).address();
  const PeerAddress caller = network.node(add_caller(network)).address();
  network.run_for(seconds(60));
  SECTION("a full table") {
    for (int i = 0; i < 10; ++i) {
      network.connect(0, 2);
      network.run_for(seconds(5));
    }
    CHECK(network.node(0).drops(DropReason::kPeerRejected) >= 10);
    REQUIRE(network.node(0).stored_record(spare));
    CHECK(network.node(0).stored_record(spare)->failures == 0);
  }
  SECTION("a duplicate") {
    const std::size_t before = network.node(0).drops(DropReason::kAlreadyConnected);
    // The trial whether the caller can be called.
    CHECK(before > 0);
    for (const PeerAddress& address : {caller, called}) {
      network.give(0, ConnectTo{address, RequestId{9}});
      CHECK(network.node(0).answers().back().status == RequestStatus::kDuplicate);
    }
    CHECK(network.node(0).stored_record(caller)->failures == 0);
  }
  CHECK(network.node(0).stored_record(called)->failures == 0);
  CHECK(network.node(0).lost_links() == 0);
}

TEST_CASE("back-off grows for addresses that nobody answers at", "[sim]") {
  SIM_SEEDS(seed);
  const bool is_silent = GENERATE(false, true);
  CAPTURE(is_silent);
  const PeerAddress dead = PeerAddress::from_v4({120, 1, 2, 3}, limits::kPeerPort);
  SimNetwork network({.seed = seed, .link = jittery()});
  if (is_silent) network.silence(Subnet::around(dead, 128));
  network.add_node();
  network.resolve(0, {.known = {dead}, .preferred = {}});
  network.run_for(std::chrono::minutes(30));
  const auto& dials = network.node(0).dials();
  REQUIRE(dials.size() >= 4);
  CHECK(dials.size() <= 30);
  CHECK(network.node(0).stored_record(dead)->failures == dials.size());
  for (std::size_t i = 1; i < dials.size(); ++i) {
    const Duration gap = dials[i].at - dials[i - 1].at;
    INFO("after failure " << i << ": " << gap / seconds(1) << " s");
    // Chosen from the moment it failed, rounded to seconds; then a tick is waited for.
    CHECK(gap <= seconds(10 << std::min<std::size_t>(10, i)) + kDialTimeout + limits::kTick + seconds(1));
  }
}

TEST_CASE("after 120 failures an address is forgotten", "[sim]") {
  SIM_SEEDS(seed);
  const PeerAddress dead = PeerAddress::from_v4({120, 1, 2, 3}, limits::kPeerPort);
  SimNetwork network({.seed = seed, .link = jittery()});
  NodeOptions options;
  options.disk.peers[dead] = {.address = dead, .next_attempt = {}, .failures = 117, .type = PeerType::kOutbound};
  network.add_node(options);
  // Each of the three failures that are left costs at most 10,240 s.
  CHECK(network.run_until([&] { return !network.node(0).stored_record(dead); }, seconds(2 * 10'240 + 60)));
  CHECK(network.node(0).dials().size() == 3);
  CHECK(network.node(0).overlay().status(network.now()).known_peers == 0);
}
