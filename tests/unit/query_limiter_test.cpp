#include "core/peer/query_limiter.h"

#include <catch2/catch.hpp>

namespace overlayd::peer {
namespace {

using wire::QueryKind;

std::uint32_t answered(QueryLimiter& limiter, QueryKind kind, Instant now, std::uint32_t asked,
                       Duration close_time = seconds(5)) {
  std::uint32_t count = 0;
  for (std::uint32_t i = 0; i < asked; ++i) count += limiter.take(kind, now, close_time) ? 1 : 0;
  return count;
}

TEST_CASE("300 questions of a kind are answered in 60 s, the next are not", "[query_limiter]") {
  QueryLimiter limiter;
  const Instant start(seconds(1000));
  REQUIRE(answered(limiter, QueryKind::kTxSet, start, 299) == 299);
  REQUIRE(answered(limiter, QueryKind::kTxSet, start + seconds(30), 1) == 1);
  REQUIRE(answered(limiter, QueryKind::kTxSet, start + (seconds(60) - Duration(1)), 5) == 0);
  REQUIRE(answered(limiter, QueryKind::kTxSet, start + seconds(60), 301) == 300);
}

TEST_CASE("each kind is counted for itself", "[query_limiter]") {
  QueryLimiter limiter;
  const Instant now;
  REQUIRE(answered(limiter, QueryKind::kTxSet, now, 400) == 300);
  REQUIRE(answered(limiter, QueryKind::kScpQuorumset, now, 400) == 300);
}

TEST_CASE("GET_SCP_STATE is answered ten times a window", "[query_limiter]") {
  QueryLimiter limiter;
  REQUIRE(answered(limiter, QueryKind::kScpState, Instant(seconds(5)), 10) == 10);
  REQUIRE(answered(limiter, QueryKind::kScpState, Instant(seconds(64)), 2) == 0);
  REQUIRE(answered(limiter, QueryKind::kScpState, Instant(seconds(65)), 11) == 10);
}

TEST_CASE("a window begins with the first question after the last one, not with the clock", "[query_limiter]") {
  QueryLimiter limiter;
  REQUIRE(answered(limiter, QueryKind::kTxSet, Instant(seconds(0)), 300) == 300);
  REQUIRE(answered(limiter, QueryKind::kTxSet, Instant(seconds(90)), 300) == 300);
  REQUIRE(answered(limiter, QueryKind::kTxSet, Instant(seconds(149)), 1) == 0);
  REQUIRE(answered(limiter, QueryKind::kTxSet, Instant(seconds(150)), 1) == 1);
}

TEST_CASE("the window follows the close time, in whole seconds", "[query_limiter]") {
  QueryLimiter limiter;
  REQUIRE(answered(limiter, QueryKind::kTxSet, Instant(), 400, seconds(1)) == 60);
  REQUIRE(answered(limiter, QueryKind::kTxSet, Instant(seconds(13)), 400, milliseconds(1090)) == 65);  // 13.08 s
}

TEST_CASE("the window is as many close times as slots are remembered", "[query_limiter]") {
  QueryLimiter limiter({.window_slots = 30});
  REQUIRE(answered(limiter, QueryKind::kTxSet, Instant(seconds(0)), 1000) == 750);
  REQUIRE(answered(limiter, QueryKind::kScpState, Instant(seconds(0)), 20) == 10);
  REQUIRE(answered(limiter, QueryKind::kTxSet, Instant(seconds(149)), 1) == 0);
  REQUIRE(answered(limiter, QueryKind::kScpState, Instant(seconds(149)), 1) == 0);
  REQUIRE(answered(limiter, QueryKind::kTxSet, Instant(seconds(150)), 1000) == 750);
}

TEST_CASE("what is no query is not limited", "[query_limiter]") {
  QueryLimiter limiter;
  for (int i = 0; i < 1000; ++i) REQUIRE(limiter.take(std::nullopt, Instant(), seconds(5)));
}

TEST_CASE("the numbers can be configured", "[query_limiter]") {
  QueryLimiter limiter({.queries_per_second = 25, .scp_state_queries_per_window = 2});
  REQUIRE(answered(limiter, QueryKind::kTxSet, Instant(), 2000) == 1500);
  REQUIRE(answered(limiter, QueryKind::kScpState, Instant(), 5) == 2);
}

}  // namespace
}  // namespace overlayd::peer
