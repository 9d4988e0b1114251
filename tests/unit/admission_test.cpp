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

PendingLink pending(std::uint64_t id, std::int64_t since, std::uint8_t group, bool has_hello = false) {
  return {PeerId{id}, PeerAddress::from_v4({20, group, 0, 0}, 0), Instant(seconds(since)), has_hello, false};
}

TEST_CASE("the oldest silent link of the group that has most of them yields", "[admission]") {
  CHECK_FALSE(choose_pending_to_yield({}));
  const std::vector<PendingLink> links{pending(1, 1, 1), pending(2, 3, 2), pending(3, 2, 2), pending(4, 4, 2)};
  CHECK(choose_pending_to_yield(links) == PeerId{3});
  CHECK(choose_pending_to_yield(std::vector{pending(1, 9, 1)}) == PeerId{1});
}

TEST_CASE("of groups of one size that of the oldest link yields, whatever its address", "[admission]") {
  const std::vector<PendingLink> links{pending(1, 3, 1), pending(2, 1, 9), pending(3, 2, 5)};
  CHECK(choose_pending_to_yield(links) == PeerId{2});
}

TEST_CASE("links that have sent HELLO do not yield, nor count for their group", "[admission]") {
  CHECK_FALSE(choose_pending_to_yield(std::vector{pending(1, 1, 1, true), pending(2, 2, 2, true)}));
  const std::vector<PendingLink> links{pending(1, 1, 1, true), pending(2, 2, 1, true), pending(3, 3, 1),
                                       pending(4, 5, 2), pending(5, 4, 2)};
  CHECK(choose_pending_to_yield(links) == PeerId{5});
}

TEST_CASE("links that may be preferred do not yield", "[admission]") {
  std::vector<PendingLink> links{pending(1, 1, 1), pending(2, 2, 1)};
  links[0].is_possibly_preferred = true;
  CHECK(choose_pending_to_yield(links) == PeerId{2});
  links[1].is_possibly_preferred = true;
  CHECK_FALSE(choose_pending_to_yield(links));
}

TEST_CASE("an address and its neighbours have so many links", "[admission]") {
  const InboundLimits limits{.per_ip = 2, .per_subnet = 4};
  CHECK_FALSE(is_crowded({1, 3}, limits));
  CHECK(is_crowded({2, 2}, limits));
  CHECK(is_crowded({0, 4}, limits));
  CHECK(is_crowded({5, 9}, limits));
}

TEST_CASE("neighbours share an IPv4 /24 or an IPv6 /64", "[admission]") {
  const Subnet v4 = neighbourhood_of(PeerAddress::from_v4({192, 0, 2, 7}, 5));
  CHECK(v4.prefix == 96 + 24);
  CHECK(v4.contains(PeerAddress::from_v4({192, 0, 2, 255}, 1)));
  CHECK_FALSE(v4.contains(PeerAddress::from_v4({192, 0, 3, 7}, 5)));
  const PeerAddress address{{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 7, 1, 2, 3}, 5};
  const Subnet v6 = neighbourhood_of(address);
  CHECK(v6.prefix == 64);
  CHECK(v6.contains(PeerAddress{{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 7, 0xff}, 1}));
  CHECK_FALSE(v6.contains(PeerAddress{{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 6, 1, 2, 3}, 5}));
}

}  // namespace
}  // namespace overlayd::book
