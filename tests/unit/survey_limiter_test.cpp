#include "core/survey/survey_limiter.h"

#include <catch2/catch.hpp>
#include <set>

#include "core/random.h"
#include "tests/unit/survey_samples.h"

namespace overlayd::survey {
namespace {

using test::nth_node;

const NodeId kSelf = nth_node(1'000'000);

struct Limited {
  SurveyLimiter limiter{kSelf};

  bool request(std::uint32_t ledger, std::uint64_t surveyor, std::uint64_t surveyed) {
    const bool may = limiter.may_request(ledger, nth_node(surveyor), nth_node(surveyed));
    if (may) limiter.record_request(ledger, nth_node(surveyor), nth_node(surveyed));
    limiter.check_invariants();
    return may;
  }
  bool respond(std::uint32_t ledger, std::uint64_t surveyor, std::uint64_t surveyed) {
    const bool may = limiter.may_respond(ledger, nth_node(surveyor), nth_node(surveyed));
    if (may) limiter.record_response(ledger, nth_node(surveyor), nth_node(surveyed));
    limiter.check_invariants();
    return may;
  }
};

TEST_CASE("the window is six ledgers to either side", "[survey_limiter]") {
  for (const std::uint32_t ours : {6U, 100U, UINT32_MAX - 6}) {
    CHECK(SurveyLimiter::is_in_window(ours, ours));
    CHECK(SurveyLimiter::is_in_window(ours - 6, ours));
    CHECK(SurveyLimiter::is_in_window(ours + 6, ours));
  }
  CHECK_FALSE(SurveyLimiter::is_in_window(93, 100));
  CHECK_FALSE(SurveyLimiter::is_in_window(107, 100));
}

TEST_CASE("the window does not wrap around", "[survey_limiter]") {
  CHECK(SurveyLimiter::is_in_window(0, 3));
  CHECK_FALSE(SurveyLimiter::is_in_window(UINT32_MAX, 3));
  CHECK_FALSE(SurveyLimiter::is_in_window(3, UINT32_MAX));
  CHECK(SurveyLimiter::is_in_window(UINT32_MAX, UINT32_MAX - 3));
  CHECK_FALSE(SurveyLimiter::is_in_window(2, UINT32_MAX - 3));
}

TEST_CASE("a request is followed once in a ledger", "[survey_limiter]") {
  Limited t;
  CHECK(t.request(100, 1, 2));
  CHECK_FALSE(t.request(100, 1, 2));
  CHECK(t.request(101, 1, 2));
  CHECK(t.request(100, 2, 2));
  CHECK(t.request(100, 1, 3));
}

TEST_CASE("a surveyor has ten surveyed nodes in a ledger", "[survey_limiter]") {
  Limited t;
  for (std::uint64_t i = 0; i < 10; ++i) REQUIRE(t.request(100, 1, 100 + i));
  CHECK_FALSE(t.request(100, 1, 200));
  CHECK(t.request(100, 2, 200));
  CHECK(t.request(101, 1, 200));
}

TEST_CASE("a ledger has ten surveyors, and ourselves beside them", "[survey_limiter]") {
  Limited t;
  SECTION("whether we come last") {
    for (std::uint64_t i = 0; i < 10; ++i) REQUIRE(t.request(100, i, 100));
    CHECK_FALSE(t.request(100, 10, 100));
    CHECK(t.request(100, 1'000'000, 100));
  }
  SECTION("or first") {
    CHECK(t.request(100, 1'000'000, 100));
    for (std::uint64_t i = 0; i < 10; ++i) REQUIRE(t.request(100, i, 100));
    CHECK_FALSE(t.request(100, 10, 100));
    CHECK(t.request(100, 3, 101));
  }
  CHECK(t.request(101, 10, 100));
}

TEST_CASE("we ask any number, each once", "[survey_limiter]") {
  Limited t;
  for (std::uint64_t i = 0; i < 100; ++i) REQUIRE(t.request(100, 1'000'000, i));
  CHECK_FALSE(t.request(100, 1'000'000, 5));
}

TEST_CASE("a response is followed once, and only after its request", "[survey_limiter]") {
  Limited t;
  CHECK_FALSE(t.respond(100, 1, 2));
  CHECK(t.request(100, 1, 2));
  CHECK_FALSE(t.respond(101, 1, 2));
  CHECK_FALSE(t.respond(100, 2, 1));
  CHECK_FALSE(t.respond(100, 1, 3));
  CHECK_FALSE(t.respond(100, 2, 2));
  CHECK(t.respond(100, 1, 2));
  CHECK_FALSE(t.respond(100, 1, 2));
  CHECK_FALSE(t.request(100, 1, 2));  // nor does the response make room for the request
}

TEST_CASE("asking whether one may changes nothing", "[survey_limiter]") {
  Limited t;
  for (int i = 0; i < 20; ++i) CHECK(t.limiter.may_request(100, nth_node(1), nth_node(2)));
  for (std::uint64_t i = 0; i < 20; ++i) CHECK(t.limiter.may_request(100, nth_node(i), nth_node(i + 1)));
  CHECK(t.limiter.ledgers() == 0);
  CHECK(t.request(100, 1, 2));
  for (int i = 0; i < 3; ++i) CHECK(t.limiter.may_respond(100, nth_node(1), nth_node(2)));
}

TEST_CASE("ledgers out of the window are forgotten, on both sides", "[survey_limiter]") {
  Limited t;
  for (std::uint32_t ledger = 94; ledger <= 106; ++ledger) REQUIRE(t.request(ledger, 1, 2));
  t.limiter.on_ledger(100);
  CHECK(t.limiter.ledgers() == 13);
  t.limiter.on_ledger(102);
  CHECK(t.limiter.ledgers() == 11);
  for (std::uint32_t ledger = 94; ledger <= 106; ++ledger)
    CHECK(t.limiter.may_respond(ledger, nth_node(1), nth_node(2)) == SurveyLimiter::is_in_window(ledger, 102));
  t.limiter.on_ledger(96);  // gone back
  CHECK(t.limiter.ledgers() == 7);
  CHECK(t.limiter.may_respond(102, nth_node(1), nth_node(2)));
  CHECK_FALSE(t.limiter.may_respond(103, nth_node(1), nth_node(2)));
  t.limiter.on_ledger(3);
  CHECK(t.limiter.ledgers() == 0);
}

TEST_CASE("near the ends of the numbers ledgers are forgotten as elsewhere", "[survey_limiter]") {
  Limited t;
  REQUIRE(t.request(0, 1, 2));
  REQUIRE(t.request(9, 1, 2));
  t.limiter.on_ledger(3);
  CHECK(t.respond(0, 1, 2));
  CHECK(t.respond(9, 1, 2));
  REQUIRE(t.request(UINT32_MAX, 1, 2));
  t.limiter.on_ledger(UINT32_MAX - 1);
  CHECK(t.limiter.ledgers() == 1);
  CHECK(t.respond(UINT32_MAX, 1, 2));
}

TEST_CASE("any order of requests and responses is followed as a plain list would", "[survey_limiter]") {
  struct Line {
    std::uint32_t ledger;
    std::uint64_t surveyor, surveyed;
    bool has_response;
  };
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Limited t;
    std::vector<Line> lines;
    for (int step = 0; step < 2000; ++step) {
      const auto ledger = static_cast<std::uint32_t>(100 + random.below(3));
      const std::uint64_t surveyor = random.below(14);
      const std::uint64_t surveyed = random.below(14);
      std::set<std::uint64_t> surveyors;
      std::size_t asked = 0;
      Line* same = nullptr;
      for (Line& line : lines) {
        if (line.ledger != ledger) continue;
        surveyors.insert(line.surveyor);
        if (line.surveyor != surveyor) continue;
        ++asked;
        if (line.surveyed == surveyed) same = &line;
      }
      if (random.below(2) == 0) {
        const bool has_room = asked < 10 && (surveyors.contains(surveyor) || surveyors.size() < 10);
        REQUIRE(t.request(ledger, surveyor, surveyed) == (same == nullptr && has_room));
        if (same == nullptr && has_room) lines.push_back({ledger, surveyor, surveyed, false});
      } else {
        const bool is_good = same != nullptr && !same->has_response;
        REQUIRE(t.respond(ledger, surveyor, surveyed) == is_good);
        if (is_good) same->has_response = true;
      }
    }
  }
}

}  // namespace
}  // namespace overlayd::survey
