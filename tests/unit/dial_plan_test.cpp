#include "core/book/dial_plan.h"

#include <catch2/catch.hpp>

namespace overlayd::book {
namespace {

// A node that is called and has its target, room and no peers.
DialState state() {
  DialState state;
  state.target_outbound = 8;
  state.is_called = true;
  state.pending_free = 50;
  return state;
}

TEST_CASE("while nobody calls the target is 3", "[dial_plan]") {
  DialState s = state();
  CHECK(DialPlan(s).slots_free() == 8);
  s.is_called = false;
  CHECK(DialPlan(s).slots_free() == 3);
  s.authenticated = 2;
  CHECK(DialPlan(s).slots_free() == 1);
  s.authenticated = 5;
  CHECK(DialPlan(s).slots_free() == 0);
  SECTION("but not more than the configured one") {
    s.authenticated = 0;
    s.target_outbound = 2;
    CHECK(DialPlan(s).slots_free() == 2);
    s.target_outbound = 0;
    CHECK(DialPlan(s).slots_free() == 0);
  }
}

TEST_CASE("slots that are held are not free", "[dial_plan]") {
  DialState s = state();
  s.authenticated = 7;
  s.authenticated_others = 7;
  CHECK(DialPlan(s).slots_free() == 1);
  s.authenticated = 8;
  CHECK(DialPlan(s).slots_free() == 0);
  s.authenticated = 9;
  CHECK(DialPlan(s).slots_free() == 0);
}

TEST_CASE("preferred peers get free slots and those of others", "[dial_plan]") {
  DialState s = state();
  CHECK(DialPlan(s).preferred_max() == 8);
  s.authenticated = 8;
  s.authenticated_others = 5;
  CHECK(DialPlan(s).preferred_max() == 5);
  s.authenticated = 6;
  s.authenticated_others = 5;
  CHECK(DialPlan(s).preferred_max() == 7);
  s.authenticated_others = 0;
  s.authenticated = 8;
  CHECK(DialPlan(s).preferred_max() == 0);
  SECTION("as many as pending slots are left") {
    s.authenticated = 0;
    s.pending_free = 3;
    CHECK(DialPlan(s).preferred_max() == 3);
    s.pending_free = 0;
    CHECK(DialPlan(s).preferred_max() == 0);
  }
}

TEST_CASE("each step leaves the next one what it did not use", "[dial_plan]") {
  DialPlan plan(state());
  CHECK(plan.pending_free() == 50);
  plan.on_preferred(3);
  CHECK(plan.pending_free() == 47);
  CHECK(plan.outbound_max() == 5);
  plan.on_anchors(0);
  plan.on_outbound(4);
  CHECK(plan.pending_free() == 43);
}

TEST_CASE("preferred peers dialled for the slots of others leave nothing for others", "[dial_plan]") {
  DialState s = state();
  s.authenticated = 6;
  s.authenticated_others = 6;
  DialPlan plan(s);
  REQUIRE(plan.preferred_max() == 8);
  plan.on_preferred(8);
  CHECK(plan.anchors_max() == 0);
  CHECK(plan.outbound_max() == 0);
}

TEST_CASE("anchors come next, as many as slots and pending slots are free", "[dial_plan]") {
  DialState s = state();
  s.anchors_waiting = 2;
  CHECK(DialPlan(s).anchors_max() >= 2);
  s.authenticated = 7;
  CHECK(DialPlan(s).anchors_max() == 1);
  s.authenticated = 8;
  CHECK(DialPlan(s).anchors_max() == 0);
  s.authenticated = 0;
  s.pending_free = 1;
  CHECK(DialPlan(s).anchors_max() == 1);
}

TEST_CASE("while an anchor has no link a slot is kept for it", "[dial_plan]") {
  DialState s = state();
  s.anchors_waiting = 2;
  SECTION("none is dialled: each has failed a short time ago") {
    DialPlan plan(s);
    plan.on_preferred(0);
    plan.on_anchors(0);
    CHECK(plan.outbound_max() == 6);
  }
  SECTION("one is dialled") {
    DialPlan plan(s);
    plan.on_preferred(0);
    plan.on_anchors(1);
    CHECK(plan.outbound_max() == 6);
  }
  SECTION("both are dialled") {
    DialPlan plan(s);
    plan.on_preferred(0);
    plan.on_anchors(2);
    CHECK(plan.outbound_max() == 6);
  }
  SECTION("no more slots are kept than are free") {
    s.authenticated = 7;
    DialPlan plan(s);
    plan.on_preferred(0);
    plan.on_anchors(0);
    CHECK(plan.outbound_max() == 0);
  }
  SECTION("no more than half of the target is kept") {
    s.is_called = false;  // the target is 3
    DialPlan plan(s);
    plan.on_preferred(0);
    plan.on_anchors(0);
    CHECK(plan.outbound_max() == 2);
  }
}

TEST_CASE("others are accepted into all slots but those kept for anchors", "[dial_plan]") {
  CHECK(slots_for_others(8, 0) == 8);
  CHECK(slots_for_others(8, 1) == 7);
  CHECK(slots_for_others(8, 2) == 6);
  CHECK(slots_for_others(3, 2) == 2);
  CHECK(slots_for_others(2, 2) == 1);
  CHECK(slots_for_others(1, 2) == 1);
  CHECK(slots_for_others(0, 2) == 0);
}

TEST_CASE("one pending slot is kept for promotion", "[dial_plan]") {
  DialState s = state();
  s.pending_free = 5;
  DialPlan plan(s);
  plan.on_preferred(0);
  plan.on_anchors(0);
  REQUIRE(plan.outbound_max() == 4);
  plan.on_outbound(4);
  CHECK(plan.inbound_max() == 1);
  SECTION("unless it is the last") {  // as in OverlayManagerImpl::tick
    s.pending_free = 1;
    CHECK(DialPlan(s).outbound_max() == 1);
    s.pending_free = 0;
    CHECK(DialPlan(s).outbound_max() == 0);
    CHECK(DialPlan(s).inbound_max() == 0);
  }
}

TEST_CASE("addresses only heard of get the pending slots that are left", "[dial_plan]") {
  DialState s = state();
  s.pending_free = 20;
  DialPlan plan(s);
  plan.on_preferred(1);
  plan.on_anchors(0);
  plan.on_outbound(2);
  CHECK(plan.inbound_max() == 17);
}

TEST_CASE("for each slot that is still free some addresses only heard of are tried", "[dial_plan]") {
  DialState s = state();
  s.pending_free = 1000;
  DialPlan plan(s);
  plan.on_preferred(2);
  plan.on_anchors(0);
  plan.on_outbound(3);
  CHECK(plan.inbound_max() == 3 * limits::kDialsPerSlot);
  SECTION("with all slots hoped for, a few") {
    DialPlan full(s);
    full.on_preferred(0);
    full.on_anchors(0);
    full.on_outbound(8);
    CHECK(full.inbound_max() == limits::kFeelersPerTick);
  }
  SECTION("slots kept for anchors are not free") {
    s.anchors_waiting = 1;
    s.authenticated = 6;
    DialPlan kept(s);
    kept.on_preferred(0);
    kept.on_anchors(0);
    kept.on_outbound(0);
    CHECK(kept.inbound_max() == limits::kDialsPerSlot);
  }
}

TEST_CASE("the slot of a peer that was dropped is free", "[dial_plan]") {
  DialState s = state();
  s.authenticated = 8;
  DialPlan plan(s);
  REQUIRE(plan.outbound_max() == 0);
  plan.on_dropped();
  CHECK(plan.slots_free() == 1);
  CHECK(plan.outbound_max() == 1);
}

TEST_CASE("while no slot is free few addresses are tried", "[dial_plan]") {
  DialState s = state();
  s.authenticated = 8;
  s.authenticated_others = 8;
  CHECK(DialPlan(s).outbound_max() == 0);
  CHECK(DialPlan(s).inbound_max() == limits::kFeelersPerTick);
  s.pending_free = 1;
  CHECK(DialPlan(s).inbound_max() == 1);
}

TEST_CASE("in preferred-only mode nobody else is dialled, unless preference shows only in HELLO", "[dial_plan]") {
  DialState s = state();
  s.is_preferred_only = true;
  s.anchors_waiting = 1;
  SECTION("without preferred keys") {
    DialPlan plan(s);
    CHECK(plan.preferred_max() == 8);
    CHECK(plan.anchors_max() == 0);
    CHECK(plan.outbound_max() == 0);
    CHECK(plan.inbound_max() == 0);
  }
  SECTION("with preferred keys") {
    s.has_preferred_keys = true;
    DialPlan plan(s);
    CHECK(plan.preferred_max() == 8);
    CHECK(plan.anchors_max() >= 1);
    CHECK(plan.outbound_max() > 0);
    CHECK(plan.inbound_max() > 0);
  }
  SECTION("keys alone change nothing") {
    s.is_preferred_only = false;
    s.anchors_waiting = 0;
    s.has_preferred_keys = true;
    CHECK(DialPlan(s).outbound_max() == 8);
  }
}

TEST_CASE("no plan has more dials than there are pending slots", "[dial_plan]") {
  for (std::uint32_t pending = 0; pending < 12; ++pending) {
    for (std::uint32_t authenticated = 0; authenticated <= 9; ++authenticated) {
      for (std::uint32_t others = 0; others <= authenticated; ++others) {
        for (std::uint32_t anchors = 0; anchors <= limits::kAnchorsMax; ++anchors) {
          CAPTURE(pending, authenticated, others, anchors);
          DialState s = state();
          s.pending_free = pending;
          s.authenticated = authenticated;
          s.authenticated_others = others;
          s.anchors_waiting = anchors;
          DialPlan plan(s);
          const std::size_t preferred = plan.preferred_max();
          plan.on_preferred(preferred);
          const std::size_t for_anchors = plan.anchors_max();
          plan.on_anchors(for_anchors);
          const std::size_t outbound = plan.outbound_max();
          plan.on_outbound(outbound);
          const std::size_t total = preferred + for_anchors + outbound + plan.inbound_max();
          REQUIRE(total <= pending);
          REQUIRE(outbound + for_anchors <= plan.slots_free());
        }
      }
    }
  }
}

TEST_CASE("a group has room for so many", "[dial_plan]") {
  const auto in = [](std::uint8_t group, std::uint8_t host) {
    return PeerAddress::from_v4({20, group, host, 1}, static_cast<std::uint16_t>(11625 + host));
  };
  GroupCounts counts(2);
  CHECK(counts.has_room_for(in(1, 1)));
  counts.add(in(1, 1));
  CHECK(counts.has_room_for(in(1, 1)));
  counts.add(in(1, 2));
  CHECK_FALSE(counts.has_room_for(in(1, 3)));
  CHECK(counts.has_room_for(in(2, 3)));
  SECTION("IPv6 by its first 32 bits") {
    const PeerAddress one{{0x20, 0x01, 0x0d, 0xb8, 1}, 1};
    const PeerAddress two{{0x20, 0x01, 0x0d, 0xb8, 2}, 1};
    const PeerAddress other{{0x20, 0x01, 0x0d, 0xb9, 1}, 1};
    counts.add(one);
    counts.add(one);
    CHECK_FALSE(counts.has_room_for(two));
    CHECK(counts.has_room_for(other));
  }
}

TEST_CASE("every address of a test network is a group of its own", "[dial_plan]") {
  GroupCounts counts(1);
  for (std::uint16_t port = 1; port < 20; ++port) {
    const PeerAddress address = PeerAddress::from_v4({127, 0, 0, 1}, port);
    REQUIRE(counts.has_room_for(address));
    counts.add(address);
    REQUIRE_FALSE(counts.has_room_for(address));
  }
}

}  // namespace
}  // namespace overlayd::book
