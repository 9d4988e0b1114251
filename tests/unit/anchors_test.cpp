#include "core/book/anchors.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "core/book/address.h"

namespace overlayd::book {
namespace {

PeerAddress address(std::uint8_t group, std::uint8_t host = 1, std::uint16_t port = 11625) {
  return PeerAddress::from_v4({20, group, 0, host}, port);
}
AnchorCandidate candidate(std::uint8_t group, int since, std::uint8_t host = 1) {
  return {address(group, host), Instant(seconds(since))};
}

struct Fixture {
  Anchors anchors;
  Outputs out;
  std::vector<PeerAddress> given_up{};
  Instant now{seconds(1'000)};  // every link is old enough then

  explicit Fixture(const std::vector<PeerAddress>& stored = {}) : anchors(stored) {}
  // What was put out to be stored, if anything.
  std::optional<std::vector<PeerAddress>> refresh(const std::vector<AnchorCandidate>& candidates) {
    out.clear();
    anchors.refresh(
        candidates, now, [&](const PeerAddress& asked) { return std::ranges::find(given_up, asked) != given_up.end(); },
        out);
    if (out.empty()) return std::nullopt;
    REQUIRE(out.size() == 1);
    const auto* stored = std::get_if<StoreAnchors>(&out[0]);
    REQUIRE(stored != nullptr);
    CHECK(stored->addresses == anchors.list());
    return stored->addresses;
  }
};

TEST_CASE("without links there are no anchors, and nothing to store", "[anchors]") {
  Fixture f;
  CHECK(f.refresh({}) == std::nullopt);
  CHECK(f.anchors.list().empty());
  CHECK_FALSE(f.anchors.contains(address(1)));
}

TEST_CASE("the links that are authenticated the longest become anchors", "[anchors]") {
  Fixture f;
  CHECK(f.refresh({candidate(1, 30), candidate(2, 10), candidate(3, 20), candidate(4, 40)}) ==
        std::vector{address(2), address(3)});
  CHECK(f.anchors.contains(address(2)));
  CHECK(f.anchors.contains(address(3)));
  CHECK_FALSE(f.anchors.contains(address(1)));
  CHECK_FALSE(f.anchors.contains(address(2, 1, 11626)));
}

TEST_CASE("of one group only the longest link becomes an anchor", "[anchors]") {
  Fixture f;
  CHECK(f.refresh({candidate(1, 12, 3), candidate(1, 10, 1), candidate(1, 11, 2), candidate(2, 50)}) ==
        std::vector{address(1, 1), address(2)});
}

TEST_CASE("an anchor's group is taken, whether it has a link or not", "[anchors]") {
  Fixture f({address(1, 9)});
  CHECK(f.refresh({candidate(1, 10), candidate(2, 50)}) == std::vector{address(1, 9), address(2)});
}

TEST_CASE("addresses of test networks are groups of their own, port included", "[anchors]") {
  Fixture f;
  const PeerAddress one = PeerAddress::from_v4({127, 0, 0, 1}, 1);
  const PeerAddress two = PeerAddress::from_v4({127, 0, 0, 1}, 2);
  CHECK(f.refresh({{two, Instant(seconds(2))}, {one, Instant(seconds(1))}}) == std::vector{one, two});
}

TEST_CASE("unchanged anchors are not stored again", "[anchors]") {
  Fixture f;
  const std::vector links{candidate(1, 10), candidate(2, 20)};
  REQUIRE(f.refresh(links));
  CHECK(f.refresh(links) == std::nullopt);
  CHECK(f.refresh({candidate(2, 20), candidate(1, 10), candidate(3, 30)}) == std::nullopt);
}

TEST_CASE("anchors that have lost their links stay, whoever is connected instead", "[anchors]") {
  Fixture f;
  REQUIRE(f.refresh({candidate(1, 10), candidate(2, 20)}));
  CHECK(f.refresh({}) == std::nullopt);
  CHECK(f.refresh({candidate(3, 30), candidate(4, 40)}) == std::nullopt);
  CHECK(f.anchors.list() == std::vector{address(1), address(2)});
}

TEST_CASE("a link older than an anchor's does not replace it", "[anchors]") {
  Fixture f;
  REQUIRE(f.refresh({candidate(1, 10), candidate(2, 20)}));
  CHECK(f.refresh({candidate(3, 5), candidate(1, 90), candidate(2, 95)}) == std::nullopt);
}

TEST_CASE("an anchor that is given up makes room for the next link", "[anchors]") {
  Fixture f;
  REQUIRE(f.refresh({candidate(1, 10), candidate(2, 20)}));
  f.given_up = {address(1)};
  CHECK(f.refresh({candidate(4, 40), candidate(2, 20), candidate(3, 30)}) == std::vector{address(2), address(3)});
  CHECK_FALSE(f.anchors.contains(address(1)));
  SECTION("with nobody to follow there is one less") {
    f.given_up = {address(2), address(3)};
    CHECK(f.refresh({}) == std::vector<PeerAddress>{});
    CHECK(f.anchors.list().empty());
  }
}

TEST_CASE("who is given up does not come in again at once", "[anchors]") {
  Fixture f;
  f.given_up = {address(1)};
  CHECK(f.refresh({candidate(1, 10), candidate(2, 20)}) == std::vector{address(2)});
}

TEST_CASE("stored anchors are the anchors of the start, at most as many as there can be", "[anchors]") {
  std::vector<PeerAddress> stored;
  for (std::uint8_t group = 1; group <= limits::kAnchorsMax + 3; ++group) stored.push_back(address(group));
  Fixture f(stored);
  stored.resize(limits::kAnchorsMax);
  CHECK(f.anchors.list() == stored);
  CHECK(f.refresh({candidate(100, 1)}) == std::nullopt);
}

TEST_CASE("a free place beside a stored anchor is filled and stored", "[anchors]") {
  Fixture f({address(7)});
  CHECK(f.refresh({candidate(1, 10)}) == std::vector{address(7), address(1)});
}

TEST_CASE("there are never more anchors than the limit", "[anchors]") {
  Fixture f;
  std::vector<AnchorCandidate> links;
  for (std::uint8_t group = 1; group < 50; ++group) links.push_back(candidate(group, group));
  REQUIRE(f.refresh(links));
  CHECK(f.anchors.list().size() == limits::kAnchorsMax);
}

TEST_CASE("a link that is young is no anchor yet", "[anchors]") {
  Fixture f;
  f.now = Instant(seconds(10)) + (limits::kAnchorAgeMin - milliseconds(1));
  CHECK(f.refresh({candidate(1, 10)}) == std::nullopt);
  f.now = f.now + milliseconds(1);
  CHECK(f.refresh({candidate(1, 10), candidate(2, 11)}) == std::vector{address(1)});
}

TEST_CASE("an anchor whose dials come to nothing is one no more after the last of them", "[anchors]") {
  Fixture f({address(1), address(2)});
  for (std::uint32_t dial = 1; dial < limits::kAnchorFailuresMax; ++dial) {
    f.anchors.on_link_ended(address(1), Duration{0});
    REQUIRE(f.refresh({candidate(3, 1)}) == std::nullopt);
    REQUIRE(f.anchors.contains(address(1)));
  }
  SECTION("one more") {
    f.anchors.on_link_ended(address(1), Duration{0});
    CHECK(f.refresh({candidate(3, 1)}) == std::vector{address(2), address(3)});
    CHECK_FALSE(f.anchors.contains(address(1)));
  }
  SECTION("a link that is as short as a stranger's is no better") {
    f.anchors.on_link_ended(address(1), limits::kAnchorAgeMin - milliseconds(1));
    CHECK(f.refresh({}) == std::vector{address(2)});
  }
  SECTION("a link that lasts makes up for them") {
    f.anchors.on_link_ended(address(1), limits::kAnchorAgeMin);
    f.anchors.on_link_ended(address(1), Duration{0});
    CHECK(f.refresh({candidate(3, 1)}) == std::nullopt);
    for (std::uint32_t dial = 1; dial < limits::kAnchorFailuresMax; ++dial)
      f.anchors.on_link_ended(address(1), Duration{0});
    CHECK(f.refresh({candidate(3, 1)}) == std::vector{address(2), address(3)});
  }
  SECTION("those of others do not count") {
    f.anchors.on_link_ended(address(3), Duration{0});
    f.anchors.on_link_ended(address(1, 1, 1), Duration{0});
    CHECK(f.refresh({candidate(3, 1)}) == std::nullopt);
  }
}

}  // namespace
}  // namespace overlayd::book
