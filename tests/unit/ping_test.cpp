#include "core/peer/ping.h"

#include <catch2/catch.hpp>
#include <set>

namespace overlayd::peer {
namespace {

Instant at(std::int64_t ms) { return Instant(milliseconds(ms)); }

TEST_CASE("a ping is due at once and then every 5 s, while none is outstanding", "[ping]") {
  Random random(1);
  Ping ping;
  REQUIRE(ping.next_deadline() <= at(1000));
  const auto first = ping.advance(at(1000), random);
  REQUIRE(first.has_value());
  REQUIRE(ping.next_deadline().is_never());
  REQUIRE_FALSE(ping.advance(at(60'000), random).has_value());
  REQUIRE(ping.on_answer(*first, at(60'020)).has_value());
  REQUIRE(ping.advance(at(60'020), random).has_value());
}

TEST_CASE("an early answer does not bring the next ping forward", "[ping]") {
  Random random(1);
  Ping ping;
  const auto hash = ping.advance(at(0), random);
  REQUIRE(ping.on_answer(*hash, at(40)) == Duration(milliseconds(40)));
  REQUIRE(ping.next_deadline() == at(5000));
  REQUIRE_FALSE(ping.advance(at(4999), random).has_value());
  REQUIRE(ping.advance(at(5000), random).has_value());
}

TEST_CASE("only the outstanding hash answers, and only once", "[ping]") {
  Random random(1);
  Ping ping;
  REQUIRE_FALSE(ping.on_answer(ItemHash{}, at(0)).has_value());
  const ItemHash hash = *ping.advance(at(0), random);
  REQUIRE_FALSE(ping.on_answer(ItemHash{}, at(10)).has_value());
  REQUIRE_FALSE(ping.last().has_value());
  REQUIRE(ping.on_answer(hash, at(30)).has_value());
  REQUIRE_FALSE(ping.on_answer(hash, at(90)).has_value());
  REQUIRE(ping.last() == Duration(milliseconds(30)));
}

TEST_CASE("every ping asks for another hash, and every seed for others", "[ping]") {
  std::set<ItemHash> hashes;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Random random(seed);
    Ping ping;
    for (std::int64_t i = 0; i < 20; ++i) {
      const ItemHash hash = *ping.advance(at(i * 5000), random);
      hashes.insert(hash);
      ping.on_answer(hash, at(i * 5000 + 1));
    }
  }
  REQUIRE(hashes.size() == 100);
}

TEST_CASE("median and p99 look back on the last answers only", "[ping]") {
  Random random(1);
  Ping ping;
  REQUIRE_FALSE(ping.median().has_value());
  std::int64_t now = 0;
  const auto measure = [&](std::int64_t ms) {
    const ItemHash hash = *ping.advance(at(now), random);
    ping.on_answer(hash, at(now + ms));
    now += 5000;
  };
  for (const std::int64_t ms : {30, 10, 20}) measure(ms);
  REQUIRE(ping.median() == Duration(milliseconds(20)));
  REQUIRE(ping.p99() == Duration(milliseconds(30)));
  for (std::size_t i = 0; i < limits::kPingWindow - 1; ++i) measure(100);
  REQUIRE(ping.median() == Duration(milliseconds(100)));
  measure(7);
  for (std::size_t i = 0; i < limits::kPingWindow; ++i) measure(50);
  REQUIRE(ping.p99() == Duration(milliseconds(50)));
  REQUIRE(ping.last() == Duration(milliseconds(50)));
}

}  // namespace
}  // namespace overlayd::peer
