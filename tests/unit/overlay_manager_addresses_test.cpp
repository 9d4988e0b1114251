// Addresses that are our own, and those of configured names.
#include "peers_fixture.h"

namespace overlayd {
namespace {

using Fixture = PeersFixture;
const PeerAddress kHere = Fixture::in_group(1);
const PeerAddress kThere = Fixture::in_group(2);

// --- our own addresses --------------------------------------------------------------------------------------------

TEST_CASE("an address that turned out to be our own is neither dialled nor stored again",
          "[overlay_manager_addresses]") {
  Fixture f([](OverlayOptions& options) { options.stored_peers = {{kHere, {}, 3, PeerType::kOutbound}}; });
  f.run(limits::kFirstTick);
  REQUIRE(f.find<Dial>().size() == 1);
  const PeerId first = f.find<Dial>()[0].peer;
  f.on_connected(first, kHere);
  f.say_hello(first, f.options.local.node_id);
  CHECK(f.closed_for(first) == DropReason::kConnectingToSelf);
  REQUIRE_FALSE(f.find<ErasePeer>().empty());
  CHECK(f.find<ErasePeer>().back().address == kHere);
  CHECK_FALSE(f.known(kHere));
  f.run(std::chrono::minutes(10));
  CHECK_FALSE(f.has_dialled(kHere));
  SECTION("though a peer names it") {
    const PeerId dial = f.ordered(kThere);
    f.answer_dial(dial, kThere, f.node(1));
    f.receive(dial, wire::write_peers({{kHere, kHere.port, 0}, {Fixture::in_group(3), 11625, 0}}));
    CHECK(f.known(Fixture::in_group(3)));
  }
  SECTION("though it is configured") {
    f.give(PeersResolved{{kHere}, {}});
    CHECK_FALSE(f.has_dialled(kHere));
  }
  CHECK_FALSE(f.known(kHere));
  f.run(std::chrono::minutes(10));
  CHECK_FALSE(f.has_dialled(kHere));
}

TEST_CASE("an address at which we met ourselves may be another's an hour later", "[overlay_manager_addresses]") {
  Fixture f;
  const PeerId dial = f.ordered(kHere);
  f.on_connected(dial, kHere);
  f.say_hello(dial, f.options.local.node_id);
  REQUIRE(f.closed_for(dial) == DropReason::kConnectingToSelf);
  f.run(kOwnAddressLifetime - std::chrono::minutes(1));
  f.give(PeersResolved{{kHere}, {}});
  CHECK_FALSE(f.known(kHere));
  f.run(std::chrono::minutes(2));
  f.give(PeersResolved{{kHere}, {}});
  CHECK(f.known(kHere));
}

TEST_CASE("a HELLO alone makes no address preferred", "[overlay_manager_addresses]") {
  Fixture f([](OverlayOptions& options) { options.preferred_keys = {Fixture::node(1)}; });
  const PeerId dial = f.ordered(kHere);
  f.on_connected(dial, kHere);
  f.say_hello(dial, f.node(1));
  CHECK(f.known(kHere)->record.type == PeerType::kOutbound);
  f.receive(dial, wire::write_auth(200));
  CHECK(f.known(kHere)->record.type == PeerType::kPreferred);
}

// --- configured names ---------------------------------------------------------------------------------------------

TEST_CASE("only a new configured address is dialled whatever its past", "[overlay_manager_addresses]") {
  Fixture f;
  f.give(PeersResolved{{kHere}, {}});
  REQUIRE(f.find<Dial>().size() == 1);
  f.give(LinkClosed{f.find<Dial>()[0].peer, DropReason::kDialFailed, ""});
  REQUIRE(f.failures(kHere) == 1);
  f.give(PeersResolved{{kHere, kThere}, {}});
  CHECK(f.failures(kHere) == 1);
  CHECK(f.has_dialled(kThere));
  SECTION("one that went and came back is new") {
    f.give(PeersResolved{{kThere}, {}});
    CHECK_FALSE(f.known(kHere)->is_configured);
    f.give(PeersResolved{{kHere, kThere}, {}});
    CHECK(f.failures(kHere) == 0);
    CHECK(f.has_dialled(kHere));
  }
}

TEST_CASE("a preferred address that is gone falls back to outbound", "[overlay_manager_addresses]") {
  Fixture f;
  f.give(PeersResolved{{}, {kHere}});
  REQUIRE(f.known(kHere)->record.type == PeerType::kPreferred);
  SECTION("to nothing") { f.give(PeersResolved{{}, {}}); }
  SECTION("to known") { f.give(PeersResolved{{kHere}, {}}); }
  CHECK(f.known(kHere)->record.type == PeerType::kOutbound);
}

TEST_CASE("a resolution dials at once, and the tick follows 3 s later", "[overlay_manager_addresses]") {
  Fixture f([](OverlayOptions& options) {
    for (std::uint8_t group = 20; group < 60; ++group)
      options.stored_peers.push_back({Fixture::in_group(group), {}, 0, PeerType::kInbound});
  });
  f.run(limits::kFirstTick - milliseconds(1));
  REQUIRE(f.dialled().empty());
  f.give(PeersResolved{{kHere}, {}});
  CHECK(f.has_dialled(kHere));
  f.run(limits::kTick - milliseconds(1));
  CHECK(f.dialled().empty());
  f.run(milliseconds(1));
  CHECK_FALSE(f.dialled().empty());
}

TEST_CASE("the port that we named ourselves is ours as well", "[overlay_manager_addresses]") {
  Fixture f;
  const PeerId dial = f.ordered(kHere);
  f.on_connected(dial, kHere);
  f.say_hello(dial, f.options.local.node_id, 777);
  REQUIRE(f.closed_for(dial) == DropReason::kConnectingToSelf);
  const PeerId peer = f.ordered(kThere);
  f.answer_dial(peer, kThere, f.node(1));
  f.receive(peer, wire::write_peers({{kHere, kHere.port, 0}, {PeerAddress{kHere.ip, 777}, 777, 0}}));
  CHECK_FALSE(f.known(kHere));
  CHECK_FALSE(f.known({kHere.ip, 777}));
}

TEST_CASE("our own address is not dialled though a caller says that it is his", "[overlay_manager_addresses]") {
  Fixture f;
  const PeerId dial = f.ordered(kHere);
  f.on_connected(dial, kHere);
  f.say_hello(dial, f.options.local.node_id);
  REQUIRE(f.closed_for(dial) == DropReason::kConnectingToSelf);
  const PeerId caller = f.call(1, kHere);
  f.give(LinkClosed{caller, DropReason::kClosedByRemote, ""});
  f.run(seconds(60));
  CHECK_FALSE(f.has_dialled(kHere));
}

TEST_CASE("configured addresses that are so no more when they answer are bound by their group",
          "[overlay_manager_addresses]") {
  Fixture f;
  f.give(PeersResolved{{Fixture::in_group(1, 1), Fixture::in_group(1, 2)}, {}});
  const auto dials = f.find<Dial>();
  REQUIRE(dials.size() == 2);
  f.give(PeersResolved{{}, {}});
  f.answer_dial(dials[0].peer, dials[0].address, f.node(1));
  CHECK(f.is_authenticated(dials[0].peer));
  f.answer_dial(dials[1].peer, dials[1].address, f.node(2));
  CHECK(f.closed_for(dials[1].peer) == DropReason::kPeerRejected);
}

}  // namespace
}  // namespace overlayd
