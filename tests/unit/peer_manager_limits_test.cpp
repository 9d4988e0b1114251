// Groups and sources: what one peer, or one range of addresses, can do to the book.
#include <algorithm>
#include <set>

#include "tests/unit/peer_book_fixture.h"

namespace overlayd::book {
namespace {

TEST_CASE("whom to dial is drawn by group", "[peer_manager]") {
  const auto in = [](std::uint32_t group, std::uint32_t host) { return address((group << 16) + host); };
  Book t;
  for (std::uint32_t host = 0; host < 1000; ++host) t.book.load({in(1, host), kNow, 0, PeerType::kOutbound});
  for (std::uint32_t group = 2; group <= 8; ++group) t.book.load({in(group, 0), kNow, 0, PeerType::kOutbound});
  for (int i = 0; i < 20; ++i) {
    const auto chosen = t.book.choose_to_dial(PeerType::kOutbound, 8, kNow, kAnyone);
    REQUIRE(chosen.size() == 8);
    std::set<std::uint8_t> groups;
    for (const PeerAddress& each : chosen) groups.insert(each.v4()[1]);
    REQUIRE(groups.size() == 8);
  }
  std::set<PeerAddress> first;
  for (int i = 0; i < 100; ++i) first.insert(t.book.choose_to_dial(PeerType::kOutbound, 1, kNow, kAnyone).at(0));
  REQUIRE(first.size() > 8);  // with this seed: any group, and any address in it
  SECTION("then a second address of each that has one") {
    REQUIRE(t.book.choose_to_dial(PeerType::kOutbound, 20, kNow, kAnyone).size() == 20);
  }
  SECTION("an address that is not wanted does not cost its group the turn") {
    const auto chosen = t.book.choose_to_dial(PeerType::kOutbound, 8, kNow, [&](const PeerAddress& asked) {
      return asked.v4()[1] != 1 || asked == in(1, 777);
    });
    REQUIRE(chosen.size() == 8);
    REQUIRE(std::ranges::count(chosen, in(1, 777)) == 1);
  }
  SECTION("what is said yes to is chosen, and no more is asked for") {
    std::vector<PeerAddress> wanted;
    const auto chosen = t.book.choose_to_dial(PeerType::kOutbound, 5, kNow, [&](const PeerAddress& asked) {
      if (asked.v4()[1] % 2 == 0) return false;
      wanted.push_back(asked);
      return true;
    });
    std::set<PeerAddress> said_yes(wanted.begin(), wanted.end());
    REQUIRE(said_yes == std::set<PeerAddress>(chosen.begin(), chosen.end()));
    REQUIRE(said_yes.size() == wanted.size());
  }
}

std::vector<wire::WirePeerAddress> named_in(std::uint32_t group, std::uint32_t count, std::uint32_t first = 0) {
  std::vector<wire::WirePeerAddress> peers;
  for (std::uint32_t host = first; host < first + count; ++host) peers.push_back(named(address((group << 16) + host)));
  return peers;
}

TEST_CASE("of one group only so many are in the book that we only heard of", "[peer_manager]") {
  Book t({.hearsay_per_group_max = 3, .hearsay_per_source_max = 1000});
  const auto told = [&](std::uint32_t group, std::uint32_t count, std::uint32_t first = 0) {
    const std::size_t added = t.book.on_peers(named_in(group, count, first), address(first << 20), {}, kNow, t.out);
    t.book.check_invariants();
    return added;
  };
  REQUIRE(told(1, 10) == 3);
  REQUIRE(t.metrics.addresses_refused == 7);
  REQUIRE(told(2, 2) == 2);
  SECTION("others tell of them in vain") {
    REQUIRE(told(1, 10, 100) == 0);
    REQUIRE(told(2, 10, 100) == 1);
  }
  SECTION("the worst that has failures makes room") {
    t.book.update_back_off(address((1 << 16) + 1), BackOff::kIncrease, kNow, t.out);
    t.book.update_back_off(address((1 << 16) + 2), BackOff::kIncrease, kNow, t.out);
    t.book.update_back_off(address((1 << 16) + 2), BackOff::kIncrease, kNow, t.out);
    t.out.clear();
    REQUIRE(told(1, 1, 100) == 1);
    REQUIRE_FALSE(t.book.find(address((1 << 16) + 2)));
    REQUIRE(t.book.find(address((1 << 16) + 1)));
    REQUIRE(t.out.size() == 2);
    REQUIRE(told(1, 1, 200) == 1);
    REQUIRE(told(1, 1, 300) == 0);
  }
  SECTION("what has proved itself or is configured does not count") {
    t.book.update_type(address(1 << 16), {PeerType::kOutbound, true}, kNow, t.out);
    t.book.update_back_off(address((1 << 16) + 1), BackOff::kHardReset, kNow, t.out);
    REQUIRE(told(1, 10, 100) == 2);
  }
  SECTION("nor is our own link refused") {
    t.book.update_type(address((1 << 16) + 500), {PeerType::kOutbound, true}, kNow, t.out);
    REQUIRE(t.book.find(address((1 << 16) + 500)));
  }
  SECTION("callers count as well") {
    t.book.update_type(address((1 << 16) + 900), {PeerType::kInbound}, kNow, t.out);
    REQUIRE_FALSE(t.book.find(address((1 << 16) + 900)));
  }
}

TEST_CASE("peers of one group tell of only so many", "[peer_manager]") {
  Book t({.hearsay_per_group_max = 1000, .hearsay_per_source_max = 5});
  const auto tell = [&](const PeerAddress& source, std::uint32_t group, std::uint32_t count) {
    const std::size_t added = t.book.on_peers(named_in(group, count), source, {}, kNow, t.out);
    t.book.check_invariants();
    return added;
  };
  REQUIRE(tell(address(100 << 16), 1, 3) == 3);
  REQUIRE(tell(address((100 << 16) + 9, 1), 2, 10) == 2);
  REQUIRE(tell(address((100 << 16) + 10), 3, 10) == 0);
  REQUIRE(tell(address(101 << 16), 3, 10) == 5);
  SECTION("an address that worked counts no more") {
    t.book.update_type(address(1 << 16), {PeerType::kOutbound, true}, kNow, t.out);
    REQUIRE(tell(address(100 << 16), 4, 10) == 1);
  }
  SECTION("one with failures makes room, of the same source") {
    t.book.update_back_off(address(3 << 16), BackOff::kIncrease, kNow, t.out);
    REQUIRE(tell(address(100 << 16), 4, 10) == 0);
    t.book.update_back_off(address(1 << 16), BackOff::kIncrease, kNow, t.out);
    REQUIRE(tell(address(100 << 16), 4, 10) == 1);
    REQUIRE_FALSE(t.book.find(address(1 << 16)));
    REQUIRE(t.book.find(address(3 << 16)));
  }
}

TEST_CASE("loaded records have no source", "[peer_manager]") {
  Book t({.hearsay_per_source_max = 2});
  for (std::uint32_t i = 0; i < 50; ++i) t.book.load(record(i << 16));
  REQUIRE(t.book.on_peers(named_in(100, 10), address(9), {}, kNow, t.out) == 2);
}

TEST_CASE("a hard reset makes an address configured", "[peer_manager]") {
  Book t;
  t.book.load(record(1));
  REQUIRE_FALSE(t.book.is_configured(address(1)));
  t.book.update_back_off(address(1), BackOff::kHardReset, kNow, t.out);
  REQUIRE(t.book.is_configured(address(1)));
  REQUIRE_FALSE(t.book.is_configured(address(2)));
}

TEST_CASE("a refused address costs nobody a place", "[peer_manager]") {
  Book t({.hearsay_per_group_max = 1, .hearsay_per_source_max = 1});
  const auto in_group = [](std::uint8_t group, std::uint8_t number) {
    return PeerAddress::from_v4({20, group, 1, number}, 11625);
  };
  const auto tell = [&](const PeerAddress& address, const PeerAddress& source) {
    return t.book.on_peers(std::vector{named(address)}, source, {}, kNow, t.out) == 1;
  };
  REQUIRE(tell(in_group(1, 1), in_group(100, 1)));
  REQUIRE(tell(in_group(2, 1), in_group(101, 1)));
  t.book.update_back_off(in_group(1, 1), BackOff::kIncrease, kNow, t.out);
  // The group's place would be free, the source's is not.
  REQUIRE_FALSE(tell(in_group(1, 2), in_group(101, 1)));
  REQUIRE(t.book.find(in_group(1, 1)));
  t.book.check_invariants();
}

}  // namespace
}  // namespace overlayd::book
