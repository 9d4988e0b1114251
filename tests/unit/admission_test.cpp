#include "core/book/admission.h"

#include <catch2/catch.hpp>
#include <vector>

namespace overlayd::book {
namespace {

TEST_CASE("pending slots are split as the authenticated ones are", "[admission]") {
  const PendingSlots usual = split_pending({.outbound = 8, .inbound = 64, .pending = 500});
  REQUIRE(usual.outbound == 56);  // 55.6 rounded up
  REQUIRE(usual.inbound == 444);
  REQUIRE(split_pending({.outbound = 0, .inbound = 64, .pending = 500}).outbound == 1);
  REQUIRE(split_pending({.outbound = 8, .inbound = 0, .pending = 500}).inbound == 1);
  REQUIRE(split_pending({.outbound = 8, .inbound = 64, .pending = 1}).inbound == 1);
  const PendingSlots none = split_pending({.outbound = 0, .inbound = 0, .pending = 500});
  REQUIRE(none.outbound + none.inbound == 0);
}

TEST_CASE("strangers get the pending slots, addresses of preferred peers two more", "[admission]") {
  REQUIRE(has_pending_slot({.pending = 443, .slots = 444}));
  REQUIRE_FALSE(has_pending_slot({.pending = 444, .slots = 444}));
  REQUIRE(has_pending_slot({.pending = 445, .slots = 444, .is_possibly_preferred = true}));
  REQUIRE_FALSE(has_pending_slot({.pending = 446, .slots = 444, .is_possibly_preferred = true}));
}

SlotHolder holder(std::uint64_t id, std::int64_t since, bool is_preferred = false) {
  return {PeerId{id}, is_preferred, Instant(seconds(since))};
}

TEST_CASE("any peer takes a free slot, the next is refused", "[admission]") {
  const std::vector<SlotHolder> one{holder(1, 10)};
  REQUIRE(admit({.slots = 2}, one).is_accepted);
  REQUIRE_FALSE(admit({.slots = 2}, one).yields.has_value());
  REQUIRE_FALSE(admit({.slots = 1}, one).is_accepted);
  REQUIRE_FALSE(admit({.slots = 0}, {}).is_accepted);
}

TEST_CASE("when only preferred peers are wanted, others are refused a free slot", "[admission]") {
  REQUIRE_FALSE(admit({.is_preferred_only = true, .slots = 5}, {}).is_accepted);
  REQUIRE(admit({.is_preferred = true, .is_preferred_only = true, .slots = 5}, {}).is_accepted);
}

TEST_CASE("a preferred peer makes the youngest that is not preferred yield", "[admission]") {
  const std::vector<SlotHolder> full{holder(1, 10), holder(2, 30), holder(4, 30), holder(3, 40, true)};
  const Admission admission = admit({.is_preferred = true, .slots = 4}, full);
  REQUIRE(admission.is_accepted);
  REQUIRE(admission.yields == PeerId{4});
  REQUIRE_FALSE(admit({.is_preferred = true, .slots = 5}, full).yields.has_value());
}

TEST_CASE("a preferred peer is refused where all are preferred", "[admission]") {
  const std::vector<SlotHolder> full{holder(1, 10, true), holder(2, 30, true)};
  const Admission admission = admit({.is_preferred = true, .slots = 2}, full);
  REQUIRE_FALSE(admission.is_accepted);
  REQUIRE_FALSE(admission.yields.has_value());
}

}  // namespace
}  // namespace overlayd::book
