// Whom the overlay dials: groups, anchors, back-off, our own addresses, out of sync.
#include "peers_fixture.h"

namespace overlayd {
namespace {

using Fixture = PeersFixture;
const PeerAddress kHere = Fixture::in_group(1);
const PeerAddress kThere = Fixture::in_group(2);

std::set<std::uint8_t> groups_of(const std::vector<PeerAddress>& addresses) {
  std::set<std::uint8_t> groups;
  for (const PeerAddress& address : addresses) groups.insert(address.v4()[1]);
  return groups;
}
void store(OverlayOptions& options, const PeerAddress& address, PeerType type = PeerType::kOutbound,
           UnixTime next_attempt = {}, std::uint32_t failures = 0) {
  options.stored_peers.push_back({address, next_attempt, failures, type});
}

// --- groups -------------------------------------------------------------------------------------------------------

TEST_CASE("of one group one address is dialled, known or heard of", "[overlay_manager_peers]") {
  const PeerType type = GENERATE(PeerType::kOutbound, PeerType::kInbound);
  Fixture f([&](OverlayOptions& options) {
    for (std::uint8_t host = 1; host <= 50; ++host) store(options, Fixture::in_group(1, host), type);
    store(options, kThere, type);
  });
  f.run(seconds(20));
  const auto dialled = f.dialled();
  CHECK(dialled.size() == 2);
  CHECK(groups_of(dialled) == std::set<std::uint8_t>{1, 2});
}

TEST_CASE("a group has room again when its link or dial has ended", "[overlay_manager_peers]") {
  Fixture f([](OverlayOptions& options) {
    for (std::uint8_t host = 1; host <= 3; ++host) store(options, Fixture::in_group(1, host));
  });
  f.run(limits::kFirstTick);
  REQUIRE(f.find<Dial>().size() == 1);
  const Dial first = f.find<Dial>()[0];
  SECTION("a dial that failed") { f.give(LinkClosed{first.peer, DropReason::kDialFailed, ""}); }
  SECTION("a link that ended") {
    f.answer_dial(first.peer, first.address, f.node(1));
    f.run(seconds(20));
    CHECK(f.dialled().empty());
    f.give(LinkClosed{first.peer, DropReason::kClosedByRemote, ""});
  }
  f.run(seconds(3));
  CHECK(f.dialled().size() == 1);
}

TEST_CASE("as many of a group as is configured", "[overlay_manager_peers]") {
  Fixture f([](OverlayOptions& options) {
    options.max_outbound_per_group = 2;
    for (std::uint8_t host = 1; host <= 20; ++host) store(options, Fixture::in_group(1, host));
  });
  f.run(seconds(20));
  CHECK(f.dialled().size() == 2);
}

TEST_CASE("preferred and configured addresses are not bound by their group", "[overlay_manager_peers]") {
  Fixture f;
  SECTION("preferred") {
    f.give(PeersResolved{{}, {Fixture::in_group(1, 1), Fixture::in_group(1, 2), Fixture::in_group(1, 3)}});
  }
  SECTION("known") {
    f.give(PeersResolved{{Fixture::in_group(1, 1), Fixture::in_group(1, 2), Fixture::in_group(1, 3)}, {}});
  }
  const auto dialled = f.dialled();
  CHECK(dialled.size() == 3);
  for (const Dial& dial : f.find<Dial>()) {
    f.answer_dial(dial.peer, dial.address, f.node(dial.peer.value));
    CHECK(f.is_authenticated(dial.peer));
  }
}

TEST_CASE("in test networks every address may be dialled", "[overlay_manager_peers]") {
  Fixture f([](OverlayOptions& options) {
    options.is_private_allowed = true;
    for (std::uint16_t port = 1; port <= 3; ++port) store(options, Fixture::at(127, 0, 0, 1, port));
  });
  f.run(limits::kFirstTick);
  CHECK(f.dialled().size() == 3);
}

TEST_CASE("an anchor's group is as full as any", "[overlay_manager_peers]") {
  Fixture f([](OverlayOptions& options) {
    options.stored_anchors = {kHere};
    store(options, kHere);
    for (std::uint8_t host = 2; host <= 20; ++host) store(options, Fixture::in_group(1, host));
  });
  f.run(limits::kFirstTick);
  REQUIRE(f.has_dialled(kHere));
  CHECK(f.dialled().size() == 1);
  const Dial dial = f.find<Dial>()[0];
  f.answer_dial(dial.peer, dial.address, f.node(1));
  f.run(seconds(30));
  CHECK(f.dialled().empty());
}

TEST_CASE("a link that its group has no room for is refused when it is authenticated", "[overlay_manager_peers]") {
  Fixture f([](OverlayOptions& options) { store(options, Fixture::in_group(1, 1)); });
  f.run(limits::kFirstTick);
  REQUIRE(f.find<Dial>().size() == 1);
  const Dial dial = f.find<Dial>()[0];
  // Whoever answers has HELLO name a port of its own; the group is still the same.
  f.on_connected(dial.peer, dial.address);
  f.authenticate(dial.peer, f.node(1), 777);
  CHECK(f.is_authenticated(dial.peer));
  CHECK(f.overlay->peers(f.now.instant)[0].address.port == 777);
}

// --- anchors ------------------------------------------------------------------------------------------------------

std::optional<std::vector<PeerAddress>> stored_anchors(const Fixture& f) {
  const auto stored = f.find<StoreAnchors>();
  if (stored.empty()) return std::nullopt;
  return stored.back().addresses;
}

TEST_CASE("links that last become anchors, and are stored", "[overlay_manager_peers]") {
  Fixture f;
  f.link(1, kHere);
  f.link(2, kThere);
  f.run(limits::kAnchorAgeMin - milliseconds(1));
  CHECK_FALSE(stored_anchors(f));
  f.run(limits::kTick);
  CHECK(stored_anchors(f) == std::vector{kHere, kThere});
  CHECK(f.known(kHere)->is_anchor);
  f.run(seconds(60));
  CHECK_FALSE(stored_anchors(f));
}

TEST_CASE("callers and configured peers do not become anchors", "[overlay_manager_peers]") {
  Fixture f;
  f.call(1, kHere);
  f.give(PeersResolved{{kThere}, {Fixture::in_group(3)}});
  for (const Dial& dial : f.find<Dial>())
    if (dial.address != kHere) f.answer_dial(dial.peer, dial.address, f.node(dial.peer.value + 10));
  CHECK(f.overlay->status(f.now.instant).peers_outbound == 2);
  f.run(seconds(60));
  CHECK_FALSE(stored_anchors(f));
}

TEST_CASE("anchors are dialled first after a restart, whatever their back-off", "[overlay_manager_peers]") {
  Fixture f([](OverlayOptions& options) {
    options.stored_anchors = {kThere, kHere};
    for (std::uint8_t group = 1; group <= 30; ++group)
      store(options, Fixture::in_group(group), PeerType::kOutbound, group <= 2 ? UnixTime{1'900'000'000} : UnixTime{});
  });
  f.run(limits::kFirstTick);
  const auto dialled = f.dialled();
  REQUIRE(dialled.size() >= 2);
  CHECK(dialled[0] == kThere);
  CHECK(dialled[1] == kHere);
}

TEST_CASE("slots are kept for anchors without a link", "[overlay_manager_peers]") {
  Fixture f([](OverlayOptions& options) {
    options.stored_anchors = {kHere, kThere};
    for (std::uint8_t group = 1; group <= 40; ++group) store(options, Fixture::in_group(group));
  });
  f.call(999, Fixture::in_group(200));  // the target is 8
  const auto answer_all = [&](bool with_anchors) {
    for (const Dial& dial : f.find<Dial>()) {
      const bool is_anchor = dial.address == kHere || dial.address == kThere;
      if (with_anchors || !is_anchor) f.answer_dial(dial.peer, dial.address, f.node(dial.peer.value + 10));
    }
  };
  f.run(limits::kFirstTick);
  answer_all(false);
  for (int i = 0; i < 3; ++i) {
    f.tick();
    answer_all(false);
  }
  CHECK(f.overlay->status(f.now.instant).peers_outbound == 6);
}

TEST_CASE("an anchor that cools down is not dialled", "[overlay_manager_peers]") {
  Fixture f;
  f.link(1, kHere);
  f.run(limits::kAnchorAgeMin + limits::kTick);
  REQUIRE(f.known(kHere)->is_anchor);
  f.give(Disconnect{f.node(1), f.next_request(), std::chrono::minutes(30)});
  f.run(std::chrono::minutes(29));
  CHECK_FALSE(f.has_dialled(kHere));
}

TEST_CASE("a banned address is an anchor no more", "[overlay_manager_peers]") {
  Fixture f;
  f.link(1, kHere);
  f.run(limits::kAnchorAgeMin + limits::kTick);
  REQUIRE(f.known(kHere)->is_anchor);
  f.ban(Fixture::range(kHere, 32));
  f.run(limits::kTick);
  CHECK(stored_anchors(f) == std::vector<PeerAddress>{});
  CHECK_FALSE(f.has_dialled(kHere));
}

TEST_CASE("an anchor that cannot be reached is given up", "[overlay_manager_peers]") {
  Fixture f([](OverlayOptions& options) {
    options.stored_anchors = {kHere};
    store(options, kHere);
  });
  std::uint32_t dials = 0;
  std::optional<std::vector<PeerAddress>> stored;
  for (int minute = 0; minute < 10; ++minute) {
    for (int i = 0; i < 60; ++i) {
      f.run(seconds(1));
      if (auto now_stored = stored_anchors(f)) stored = now_stored;
      for (const Dial& dial : f.find<Dial>()) {
        if (!stored) ++dials;
        f.give(LinkClosed{dial.peer, DropReason::kDialFailed, "refused"});
      }
    }
  }
  CHECK(stored == std::vector<PeerAddress>{});
  CHECK(dials == limits::kAnchorFailuresMax);
}

// --- back-off -----------------------------------------------------------------------------------------------------

// A dial by the overlay itself, with the failures its address has already.
struct Dialled : Fixture {
  Dial dial;
  explicit Dialled(const std::function<void(OverlayOptions&)>& set = {})
      : Fixture([&](OverlayOptions& options) {
          store(options, kHere, PeerType::kOutbound, {}, 3);
          if (set) set(options);
        }) {
    run(limits::kFirstTick);
    for (const Dial& each : find<Dial>())
      if (each.address == kHere) dial = each;
    REQUIRE(dial.address == kHere);
  }
};

TEST_CASE("back-off grows for what is the peer's fault or the network's", "[overlay_manager_peers]") {
  Dialled f;
  SECTION("a dial that failed") { f.give(LinkClosed{f.dial.peer, DropReason::kDialFailed, ""}); }
  SECTION("a refusal by the remote") {
    f.on_connected(f.dial.peer, kHere);
    f.say_hello(f.dial.peer, f.node(1));
    f.receive(f.dial.peer, wire::write_error({4, "peer rejected"}));
  }
  SECTION("a link that it ended in the handshake") {
    f.on_connected(f.dial.peer, kHere);
    f.give(LinkClosed{f.dial.peer, DropReason::kClosedByRemote, ""});
  }
  SECTION("a handshake that took too long") {
    f.on_connected(f.dial.peer, kHere);
    f.run(seconds(3));
  }
  SECTION("a bad certificate") {
    f.on_connected(f.dial.peer, kHere);
    f.receive(f.dial.peer, f.hello_of(f.node(1)), false);
  }
  SECTION("another network") {
    f.on_connected(f.dial.peer, kHere);
    wire::Hello hello = peer::make_hello(f.options.local, {}, {});
    hello.peer_id = f.node(1);
    hello.network_id.bytes[0] ^= 1;
    f.receive(f.dial.peer, wire::write_hello(hello), true);
  }
  CHECK_FALSE(f.is_open(f.dial.peer));
  CHECK(f.failures(kHere) == 4);
}

TEST_CASE("back-off does not grow for what is our doing", "[overlay_manager_peers]") {
  SECTION("the operator") {
    Dialled f;
    SECTION("a dial") {}
    SECTION("in the handshake") { f.on_connected(f.dial.peer, kHere); }
    f.give(Disconnect{kHere, f.next_request()});
    REQUIRE(f.answer().links_dropped == 1);
    CHECK(f.failures(kHere) == 3);
  }
  SECTION("our shutdown") {
    Dialled f;
    SECTION("a dial") {}
    SECTION("in the handshake") { f.on_connected(f.dial.peer, kHere); }
    f.give(ShutDown{});
    CHECK(f.failures(kHere) == 3);
  }
  SECTION("a peer that we have already") {
    Dialled f;
    f.call(1, kThere);
    f.on_connected(f.dial.peer, kHere);
    f.say_hello(f.dial.peer, f.node(1));
    REQUIRE(f.closed_for(f.dial.peer) == DropReason::kAlreadyConnected);
    CHECK(f.failures(kHere) == 3);
  }
  SECTION("a ban of the node") {
    Dialled f;
    f.ban(f.node(1));
    f.on_connected(f.dial.peer, kHere);
    f.say_hello(f.dial.peer, f.node(1));
    REQUIRE(f.closed_for(f.dial.peer) == DropReason::kBanned);
    CHECK(f.failures(kHere) == 3);
  }
  SECTION("our full table: it proved itself") {
    Dialled f([](OverlayOptions& options) { options.target_outbound = 1; });
    f.link(2, kThere);
    f.answer_dial(f.dial.peer, kHere, f.node(1));
    REQUIRE(f.closed_for(f.dial.peer) == DropReason::kPeerRejected);
    CHECK(f.failures(kHere) <= 3);
  }
}

TEST_CASE("an address that was our doing is not dialled at once again", "[overlay_manager_peers]") {
  Dialled f;
  f.on_connected(f.dial.peer, kHere);
  f.give(Disconnect{kHere, RequestId{7}});
  f.run(seconds(4));
  CHECK_FALSE(f.has_dialled(kHere));
  f.run(seconds(32));
  CHECK(f.has_dialled(kHere));
}

TEST_CASE("a second address of a peer that we have is left alone for a minute", "[overlay_manager_peers]") {
  Dialled f;
  f.call(1, kThere);
  f.on_connected(f.dial.peer, kHere);
  f.say_hello(f.dial.peer, f.node(1));
  f.run(seconds(58));
  CHECK_FALSE(f.has_dialled(kHere));
  f.run(seconds(66));
  CHECK(f.has_dialled(kHere));
}

TEST_CASE("a handshake that succeeds makes failures zero", "[overlay_manager_peers]") {
  Dialled f;
  f.answer_dial(f.dial.peer, kHere, f.node(1));
  CHECK(f.failures(kHere) == 0);
  CHECK(f.known(kHere)->is_connected);
  f.run(std::chrono::minutes(10));
  f.give(LinkClosed{f.dial.peer, DropReason::kClosedByRemote, ""});
  CHECK(f.failures(kHere) == 0);
}

TEST_CASE("that a remote says it has us already does not excuse it", "[overlay_manager_peers]") {
  Dialled f;
  f.on_connected(f.dial.peer, kHere);
  f.say_hello(f.dial.peer, f.node(1));
  f.receive(f.dial.peer, wire::write_error({2, "already-connected peer: GABCD"}));
  CHECK_FALSE(f.is_open(f.dial.peer));
  CHECK(f.failures(kHere) == 4);
}

TEST_CASE("a link that the remote ends at once is a failure", "[overlay_manager_peers]") {
  Dialled f;
  f.answer_dial(f.dial.peer, kHere, f.node(1));
  f.run(limits::kAnchorAgeMin - milliseconds(1));
  f.give(LinkClosed{f.dial.peer, DropReason::kClosedByRemote, ""});
  CHECK(f.failures(kHere) == 4);  // it had three before
}

TEST_CASE("a hopeless address leaves the book when its dial ends, or at the start", "[overlay_manager_peers]") {
  Dialled f([](OverlayOptions& options) {
    options.stored_peers[0].failures = limits::kPeerFailuresForget - 1;
    store(options, kThere, PeerType::kOutbound, {}, limits::kPeerFailuresForget);
  });
  CHECK_FALSE(f.known(kThere));
  f.give(LinkClosed{f.dial.peer, DropReason::kDialFailed, ""});
  CHECK_FALSE(f.known(kHere));
}

TEST_CASE("success is the dialled address's too, whatever port HELLO names", "[overlay_manager_peers]") {
  Dialled f;
  f.on_connected(f.dial.peer, kHere);
  f.authenticate(f.dial.peer, f.node(1), 777);
  CHECK(f.failures(kHere) == 0);
  CHECK(f.known(kHere)->is_connected);
  CHECK(f.failures({kHere.ip, 777}) == 0);
}

TEST_CASE("an ordered link does not count in its group", "[overlay_manager_peers]") {
  Fixture f([](OverlayOptions& options) { store(options, Fixture::in_group(1, 2)); });
  f.ordered(kHere);
  f.run(limits::kFirstTick);
  CHECK(f.has_dialled(Fixture::in_group(1, 2)));
}

TEST_CASE("who calls us is not dialled, unless only heard of", "[overlay_manager_peers]") {
  const PeerType type = GENERATE(PeerType::kInbound, PeerType::kOutbound);
  Fixture f([&](OverlayOptions& options) { store(options, kHere, type); });
  f.call(1, kHere);
  f.run(seconds(10));
  CHECK(f.has_dialled(kHere) == (type == PeerType::kInbound));
}

TEST_CASE("strangers are not accepted into the slots kept for anchors", "[overlay_manager_peers]") {
  Fixture f([](OverlayOptions& options) {
    options.stored_anchors = {Fixture::in_group(101), Fixture::in_group(102)};
    options.target_outbound = 4;
  });
  for (std::uint8_t group = 1; group <= 3; ++group) {
    const PeerId peer = f.ordered(Fixture::in_group(group));
    f.answer_dial(peer, Fixture::in_group(group), f.node(group));
    CHECK(f.is_authenticated(peer) == (group <= 2));
  }
  const PeerId anchor = f.ordered(Fixture::in_group(101));
  f.answer_dial(anchor, Fixture::in_group(101), f.node(101));
  CHECK(f.is_authenticated(anchor));
}

// --- out of sync --------------------------------------------------------------------------------------------------

void tell_sync(Fixture& f, bool is_in_sync) {
  LedgerView view;
  view.sequence = 10;
  view.is_in_sync = is_in_sync;
  f.give(LedgerUpdated{view, {}, {}});
}

TEST_CASE("out of sync for a minute, a random outbound peer goes each minute", "[overlay_manager_peers]") {
  Fixture f([](OverlayOptions& options) { options.target_outbound = 3; });
  for (std::uint8_t group = 1; group <= 3; ++group) f.link(group, Fixture::in_group(group));
  const PeerId caller = f.call(9, Fixture::in_group(9));
  f.run(std::chrono::minutes(5));
  tell_sync(f, false);
  f.run(seconds(60));
  CHECK(f.dropped(DropReason::kOutOfSync) == 0);
  f.run(seconds(7));
  CHECK(f.dropped(DropReason::kOutOfSync) == 1);
  CHECK(f.is_open(caller));
  SECTION("only while outbound is full") {
    f.run(std::chrono::minutes(3));
    CHECK(f.dropped(DropReason::kOutOfSync) == 1);
    f.link(20, Fixture::in_group(20));
    f.run(seconds(7));
    CHECK(f.dropped(DropReason::kOutOfSync) == 2);
  }
  SECTION("a minute after the last one") {
    f.link(20, Fixture::in_group(20));
    f.run(seconds(45));
    CHECK(f.dropped(DropReason::kOutOfSync) == 1);
    f.run(seconds(22));
    CHECK(f.dropped(DropReason::kOutOfSync) == 2);
  }
  SECTION("not any more in sync") {
    f.link(20, Fixture::in_group(20));
    tell_sync(f, true);
    f.run(std::chrono::minutes(5));
    CHECK(f.dropped(DropReason::kOutOfSync) == 1);
  }
}

TEST_CASE("preferred peers stay while we are out of sync", "[overlay_manager_peers]") {
  Fixture f([](OverlayOptions& options) { options.target_outbound = 2; });
  f.give(PeersResolved{{}, {kHere, kThere}});
  for (const Dial& dial : f.find<Dial>()) f.answer_dial(dial.peer, dial.address, f.node(dial.peer.value + 10));
  REQUIRE(f.overlay->status(f.now.instant).peers_outbound == 2);
  tell_sync(f, false);
  f.run(std::chrono::minutes(5));
  CHECK(f.dropped(DropReason::kOutOfSync) == 0);
}

}  // namespace
}  // namespace overlayd
