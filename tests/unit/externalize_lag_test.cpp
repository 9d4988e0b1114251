#include "core/survey/externalize_lag.h"

#include <catch2/catch.hpp>

#include "core/limits.h"
#include "tests/unit/survey_samples.h"

namespace overlayd::survey {
namespace {

using test::nth_node;

Instant at(std::int64_t ms) { return Instant(milliseconds(ms)); }
std::optional<Duration> ms(std::int64_t count) { return Duration(milliseconds(count)); }

TEST_CASE("what we externalize first is no time after the first", "[externalize_lag]") {
  ExternalizeLag lag;
  CHECK(lag.on_self(1, at(100)) == ms(0));
}

TEST_CASE("the first of a slot, whosever, starts its clock", "[externalize_lag]") {
  ExternalizeLag lag;
  CHECK_FALSE(lag.on_other(1, nth_node(1), at(100)));
  CHECK_FALSE(lag.on_other(1, nth_node(2), at(150)));
  CHECK(lag.on_self(1, at(170)) == ms(70));
}

TEST_CASE("ours gives one sample a slot", "[externalize_lag]") {
  ExternalizeLag lag;
  CHECK_FALSE(lag.on_other(1, nth_node(1), at(100)));
  CHECK(lag.on_self(1, at(120)) == ms(20));
  CHECK_FALSE(lag.on_self(1, at(130)));
  CHECK(lag.on_self(2, at(140)) == ms(0));
}

TEST_CASE("others after ours count from the first, each once", "[externalize_lag]") {
  ExternalizeLag lag;
  CHECK_FALSE(lag.on_other(1, nth_node(1), at(100)));
  REQUIRE(lag.on_self(1, at(130)));
  CHECK(lag.on_other(1, nth_node(2), at(150)) == ms(50));
  CHECK_FALSE(lag.on_other(1, nth_node(2), at(160)));
  CHECK(lag.on_other(1, nth_node(3), at(160)) == ms(60));
}

TEST_CASE("one that came before ours gives no sample", "[externalize_lag]") {
  ExternalizeLag lag;
  CHECK_FALSE(lag.on_other(1, nth_node(1), at(100)));
  CHECK_FALSE(lag.on_other(1, nth_node(2), at(110)));
  REQUIRE(lag.on_self(1, at(130)));
  CHECK(lag.on_other(1, nth_node(3), at(150)) == ms(50));
}

TEST_CASE("slots have clocks of their own, in any order", "[externalize_lag]") {
  ExternalizeLag lag;
  CHECK_FALSE(lag.on_other(5, nth_node(1), at(100)));
  CHECK_FALSE(lag.on_other(4, nth_node(1), at(200)));
  CHECK(lag.on_self(4, at(210)) == ms(10));
  CHECK(lag.on_self(5, at(220)) == ms(120));
  CHECK(lag.slots() == 2);
}

TEST_CASE("the latest slots are kept, and older ones give nothing", "[externalize_lag]") {
  ExternalizeLag lag;
  for (std::uint64_t slot = 100; slot < 100 + limits::kSurveySlotsMax; ++slot) lag.on_other(slot, nth_node(1), at(0));
  CHECK(lag.slots() == limits::kSurveySlotsMax);
  CHECK_FALSE(lag.on_self(99, at(10)));
  CHECK_FALSE(lag.on_other(99, nth_node(2), at(11)));
  CHECK(lag.slots() == limits::kSurveySlotsMax);
  CHECK(lag.on_self(100, at(10)) == ms(10));
  CHECK_FALSE(lag.on_other(100 + limits::kSurveySlotsMax, nth_node(1), at(20)));
  CHECK(lag.slots() == limits::kSurveySlotsMax);
  CHECK_FALSE(lag.on_other(100, nth_node(3), at(30)));  // gone
  CHECK(lag.on_self(101, at(30)) == ms(30));
}

TEST_CASE("a slot far ahead does not end the timing of the others", "[externalize_lag]") {
  ExternalizeLag lag;
  CHECK_FALSE(lag.on_other(10, nth_node(1), at(0)));
  CHECK_FALSE(lag.on_other(UINT64_MAX, nth_node(9), at(1)));
  CHECK(lag.on_self(10, at(5)) == ms(5));
}

TEST_CASE("of a slot only so many nodes are counted", "[externalize_lag]") {
  ExternalizeLag lag;
  REQUIRE(lag.on_self(1, at(0)));
  std::size_t samples = 0;
  for (std::uint64_t i = 0; i < limits::kQuorumNodesMax + 100; ++i)
    samples += lag.on_other(1, nth_node(i), at(1)).has_value() ? 1 : 0;
  CHECK(samples == limits::kQuorumNodesMax);
}

}  // namespace
}  // namespace overlayd::survey
