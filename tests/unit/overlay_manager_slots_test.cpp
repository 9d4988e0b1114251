// Who may call: limits by address, pending slots and who yields, slow peers and stalls of our own.
#include "peers_fixture.h"

namespace overlayd {
namespace {

using Fixture = PeersFixture;
const PeerAddress kHere = Fixture::in_group(1);

// --- limits by address --------------------------------------------------------------------------------------------

TEST_CASE("one address may have so many inbound links, pending ones with them", "[overlay_manager_slots]") {
  Fixture f([](OverlayOptions& options) { options.max_inbound_per_ip = 3; });
  const PeerId first = f.call(1, kHere);
  f.open_from(kHere);
  f.open_from(kHere);
  const PeerId more = f.open_from(kHere);
  CHECK(f.closed_for(more) == DropReason::kAddressLimit);
  CHECK(f.find<Send>().empty());
  CHECK(f.dropped(DropReason::kAddressLimit) == 1);
  CHECK(f.is_authenticated(f.call(2, Fixture::in_group(1, 2))));
  f.give(LinkClosed{first, DropReason::kClosedByRemote, ""});
  f.open_from(kHere);
  CHECK(f.find<Close>().empty());
}

TEST_CASE("neighbours together may have so many inbound links", "[overlay_manager_slots]") {
  Fixture f([](OverlayOptions& options) { options.max_inbound_per_subnet = 4; });
  for (std::uint8_t host = 1; host <= 4; ++host) CHECK(f.is_open(f.open_from(Fixture::at(20, 1, 7, host))));
  CHECK(f.closed_for(f.open_from(Fixture::at(20, 1, 7, 5))) == DropReason::kAddressLimit);
  CHECK(f.is_open(f.open_from(Fixture::at(20, 1, 8, 5))));
}

TEST_CASE("the limits are those of the options' defaults", "[overlay_manager_slots]") {
  Fixture f;
  for (std::uint32_t i = 0; i < limits::kInboundPerIpMax; ++i) CHECK(f.is_open(f.open_from(Fixture::at(20, 1, 7, 1))));
  CHECK(f.closed_for(f.open_from(Fixture::at(20, 1, 7, 1))) == DropReason::kAddressLimit);
  for (std::uint32_t i = limits::kInboundPerIpMax; i < limits::kInboundPerSubnetMax; ++i)
    CHECK(f.is_open(f.open_from(Fixture::at(20, 1, 7, static_cast<std::uint8_t>(10 + i)))));
  CHECK(f.closed_for(f.open_from(Fixture::at(20, 1, 7, 99))) == DropReason::kAddressLimit);
}

TEST_CASE("our own dials do not count among an address's calls", "[overlay_manager_slots]") {
  Fixture f([](OverlayOptions& options) { options.max_inbound_per_ip = 1; });
  f.link(1, kHere);
  CHECK(f.is_authenticated(f.call(2, {kHere.ip, 5})));
}

TEST_CASE("addresses of preferred peers are not limited", "[overlay_manager_slots]") {
  Fixture f([](OverlayOptions& options) { options.max_inbound_per_ip = options.max_inbound_per_subnet = 1; });
  f.give(PeersResolved{{}, {kHere}});
  CHECK(f.is_authenticated(f.call(1, kHere)));
  CHECK(f.is_open(f.open_from(Fixture::in_group(1, 2))));  // nor does one use up its neighbours' share
  for (int i = 0; i < 5; ++i) CHECK(f.is_open(f.open_from(kHere)));
  CHECK(f.closed_for(f.open_from(Fixture::in_group(1, 3))) == DropReason::kAddressLimit);
}

TEST_CASE("in test networks local addresses are not limited", "[overlay_manager_slots]") {
  const bool is_private_allowed = GENERATE(false, true);
  Fixture f([&](OverlayOptions& options) {
    options.max_inbound_per_ip = options.max_inbound_per_subnet = 1;
    options.is_private_allowed = is_private_allowed;
  });
  for (const PeerAddress& local :
       {Fixture::at(127, 0, 0, 1), Fixture::at(10, 1, 1, 1), Fixture::at(192, 168, 3, 4), Fixture::at(172, 16, 3, 4)}) {
    CHECK(f.is_open(f.open_from(local)));
    CHECK(f.is_open(f.open_from(local)) == is_private_allowed);
  }
  CHECK(f.is_open(f.open_from(kHere)));
  CHECK_FALSE(f.is_open(f.open_from(kHere)));
}

// --- pending slots ------------------------------------------------------------------------------------------------

// Of 9 pending slots 8 are inbound.
struct Pending : Fixture {
  Pending() : Fixture([](OverlayOptions& options) { options.max_pending = 9; }) {}
};

TEST_CASE("when pending slots are taken the oldest silent link of the largest group yields",
          "[overlay_manager_slots]") {
  Pending f;
  const PeerId alone = f.open_from(Fixture::in_group(1));
  f.run(milliseconds(1));
  const PeerId oldest = f.open_from(Fixture::in_group(2, 1));
  for (std::uint8_t host = 2; host <= 7; ++host) {
    f.run(milliseconds(1));
    f.open_from(Fixture::in_group(2, host));
  }
  CHECK(f.overlay->status(f.now.instant).peers_pending == 8);
  const PeerId honest = f.open_from(Fixture::in_group(3));
  CHECK(f.closed_for(oldest) == DropReason::kNoPendingSlot);
  CHECK(f.find<Close>().size() == 1);
  CHECK(f.is_open(alone));
  CHECK(f.is_open(honest));
  CHECK(f.overlay->status(f.now.instant).peers_pending == 8);
  f.authenticate(honest, f.node(1));
  CHECK(f.is_authenticated(honest));
}

TEST_CASE("when all pending links have said HELLO a newcomer is refused", "[overlay_manager_slots]") {
  Pending f;
  for (std::uint8_t group = 1; group <= 8; ++group) {
    const PeerId peer = f.open_from(Fixture::in_group(group));
    f.say_hello(peer, f.node(group));
    REQUIRE(f.is_open(peer));
  }
  const PeerId late = f.open_from(Fixture::in_group(9));
  CHECK(f.closed_for(late) == DropReason::kNoPendingSlot);
  CHECK(f.find<Close>().size() == 1);
  SECTION("unless its address is that of a preferred peer: two more") {
    f.give(PeersResolved{{}, {Fixture::in_group(50), Fixture::in_group(51), Fixture::in_group(52)}});
    CHECK(f.is_open(f.open_from(Fixture::in_group(50))));
    CHECK(f.is_open(f.open_from(Fixture::in_group(51))));
    CHECK(f.closed_for(f.open_from(Fixture::in_group(52))) == DropReason::kNoPendingSlot);
  }
}

TEST_CASE("a link of a preferred peer's address does not yield", "[overlay_manager_slots]") {
  Pending f;
  f.give(PeersResolved{{}, {Fixture::in_group(50)}});
  const PeerId preferred = f.open_from(Fixture::in_group(50));
  for (std::uint8_t group = 1; group <= 20; ++group) f.open_from(Fixture::in_group(group));
  CHECK(f.is_open(preferred));
}

TEST_CASE("a flood of silent callers leaves honest ones their places", "[overlay_manager_slots]") {
  Pending f;
  for (std::uint8_t host = 0; host < 200; ++host) {
    f.open_from(Fixture::at(66, 6, host, 1));
    if (host % 10 == 0) {
      const PeerId honest = f.open_from(Fixture::in_group(host));
      f.open_from(Fixture::at(66, 6, host, 2));
      f.open_from(Fixture::at(66, 6, host, 3));
      f.authenticate(honest, f.node(2000U + host));
      CHECK(f.is_authenticated(honest));
    }
  }
}

TEST_CASE("who does not authenticate in 2 s goes, however much it says", "[overlay_manager_slots]") {
  Fixture f;
  const PeerId peer = f.open_from(kHere);
  f.run(limits::kAuthTimeout - milliseconds(1));
  CHECK(f.is_open(peer));
  f.run(milliseconds(1));
  CHECK(f.closed_for(peer) == DropReason::kAuthTimeout);
}

// --- slow peers ---------------------------------------------------------------------------------------------------

void straggle(Fixture& f, PeerId peer, Instant since) {
  f.give(LinkProgress{peer, f.now.instant, f.now.instant, since});
  f.silent.insert(peer);
}

TEST_CASE("of many slow peers only so many go in one tick", "[overlay_manager_slots]") {
  const std::uint32_t per_tick = GENERATE(1U, 2U);
  Fixture f([&](OverlayOptions& options) { options.slow_drops_per_tick = per_tick; });
  std::vector<PeerId> peers;
  for (std::uint8_t group = 1; group <= 6; ++group) peers.push_back(f.call(group, Fixture::in_group(group)));
  const Instant since = f.now.instant;
  for (int second = 0; second < 125; ++second) {
    for (const PeerId peer : peers)
      if (f.is_open(peer)) straggle(f, peer, since);
    f.run(seconds(1));
    if (second < 119) REQUIRE(f.find<Close>().empty());
  }
  std::size_t gone = f.dropped(DropReason::kStraggling);
  CHECK(gone >= 1);
  CHECK(gone <= 3 * per_tick);
  for (int second = 0; second < 60; ++second) {
    for (const PeerId peer : peers)
      if (f.is_open(peer)) straggle(f, peer, since);
    f.run(seconds(1));
    REQUIRE(f.find<Close>().size() <= per_tick);
  }
  CHECK(f.dropped(DropReason::kStraggling) == 6);
  CHECK(f.overlay->metrics().book.slow_drops_put_off > 0);
}

TEST_CASE("a single slow peer goes after 120 s, at the next look", "[overlay_manager_slots]") {
  Fixture f;
  const PeerId peer = f.call(1, kHere);
  const Instant since = f.now.instant;
  for (int second = 0; second < 125 && f.is_open(peer); ++second) {
    straggle(f, peer, since);
    f.run(seconds(1));
  }
  CHECK(f.closed_for(peer) == DropReason::kStraggling);
  CHECK(f.now.instant - since >= limits::kStragglerTimeout);
  CHECK(f.overlay->metrics().book.slow_drops_put_off == 0);
}

// --- stalls -------------------------------------------------------------------------------------------------------

TEST_CASE("a silent peer goes after 30 s", "[overlay_manager_slots]") {
  Fixture f;
  const PeerId peer = f.call(1, kHere);
  f.silent.insert(peer);
  f.run(seconds(29));
  CHECK(f.is_open(peer));
  f.run(seconds(6));
  CHECK(f.closed_for(peer) == DropReason::kIdle);
}

TEST_CASE("a stall of our own drops nobody", "[overlay_manager_slots]") {
  Fixture f;
  std::vector<PeerId> peers;
  for (std::uint8_t group = 1; group <= 5; ++group) peers.push_back(f.call(group, Fixture::in_group(group)));
  f.silent.insert(peers.begin(), peers.end());
  f.run(seconds(1));
  const PeerId young = f.open_from(Fixture::in_group(9));
  f.silent.insert(young);
  f.now.instant = f.now.instant + std::chrono::minutes(5);
  f.now.unix_time.seconds += 300;
  f.out.clear();
  f.overlay->advance(f.now, f.out);
  CHECK(f.find<Close>().empty());
  f.run(milliseconds(500));
  CHECK(f.find<Close>().empty());
  SECTION("but the timers go on from there") {
    f.run(seconds(2));
    CHECK(f.closed_for(young) == DropReason::kAuthTimeout);
    f.run(seconds(20));
    CHECK(f.find<Close>().empty());
    f.run(seconds(20));
    CHECK(f.dropped(DropReason::kIdle) == 5);
  }
}

TEST_CASE("after a stall a message that could not be written in it is not held against the peer",
          "[overlay_manager_slots]") {
  Fixture f;
  const PeerId peer = f.call(1, kHere);
  const Instant since = f.now.instant;
  straggle(f, peer, since);
  f.run(seconds(1));
  f.now.instant = f.now.instant + std::chrono::minutes(5);
  f.now.unix_time.seconds += 300;
  f.out.clear();
  f.overlay->advance(f.now, f.out);
  CHECK(f.find<Close>().empty());
  SECTION("nor if the socket has not moved yet") {
    straggle(f, peer, since);
    f.run(seconds(6));
    CHECK(f.find<Close>().empty());
  }
  SECTION("a second one is forgiven as well") {
    f.now.instant = f.now.instant + std::chrono::minutes(5);
    f.now.unix_time.seconds += 300;
    f.out.clear();
    f.overlay->advance(f.now, f.out);
    CHECK(f.find<Close>().empty());
  }
}

TEST_CASE("a late look that is no stall forgives nothing", "[overlay_manager_slots]") {
  Fixture f;
  const PeerId peer = f.call(1, kHere);
  f.silent.insert(peer);
  while (f.is_open(peer) && f.now.instant - f.began.instant < limits::kIdleTimeout + seconds(8)) {
    f.now.instant = f.overlay->next_deadline() + (kStallMin - milliseconds(1));
    f.out.clear();
    f.overlay->advance(f.now, f.out);
  }
  CHECK(f.closed_for(peer) == DropReason::kIdle);
}

// Callers whose credit is used up from the start.
std::vector<PeerId> without_credit(Fixture& f, std::uint8_t count) {
  std::vector<PeerId> peers;
  for (std::uint8_t group = 1; group <= count; ++group) {
    peers.push_back(f.open_from(Fixture::in_group(group)));
    f.say_hello(peers.back(), f.node(group));
    f.receive(peers.back(), wire::write_auth(200));
  }
  f.give(Broadcast{f.next_request(), test::make_scp({}, {.node = f.node(50)})});
  return peers;
}

TEST_CASE("peers that give no credit go one after the other as well", "[overlay_manager_slots]") {
  Fixture f;
  without_credit(f, 5);
  for (int second = 0; second < 100; ++second) {
    f.run(seconds(1));
    REQUIRE(f.find<Close>().size() <= 1);
  }
  CHECK(f.dropped(DropReason::kNoCredit) == 5);
  CHECK(f.overlay->metrics().book.slow_drops_put_off > 0);
}

TEST_CASE("a stall of our own is not time without credit", "[overlay_manager_slots]") {
  Fixture f;
  without_credit(f, 1);
  f.run(seconds(10));
  f.now.instant = f.now.instant + std::chrono::minutes(5);
  f.now.unix_time.seconds += 300;
  f.out.clear();
  f.overlay->advance(f.now, f.out);
  CHECK(f.find<Close>().empty());
  f.run(seconds(45));
  CHECK(f.dropped(DropReason::kNoCredit) == 0);
  f.run(seconds(15));
  CHECK(f.dropped(DropReason::kNoCredit) == 1);
}

}  // namespace
}  // namespace overlayd
