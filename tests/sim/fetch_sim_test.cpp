// Items that only one node has reach everybody who needs them, whoever else is asked on the way.
#include <catch2/catch.hpp>

#include "tests/sim/fetch_scene.h"
#include "tests/sim/seeds.h"

using namespace overlayd;
using namespace overlayd::sim;

namespace {

void check_all_delivered(const FetchOutcome& outcome) {
  for (const std::string& lost : outcome.lost) UNSCOPED_INFO("lost: " << lost);
  CHECK(outcome.delivered == outcome.expected);
}

}  // namespace

TEST_CASE("items that one node has reach thirty nodes, with one request each", "[sim]") {
  SIM_SEEDS(seed);
  const FetchOutcome outcome = play(FetchScene{.seed = seed});
  check_all_delivered(outcome);
  CHECK(outcome.requests_per_item() <= 1.05);
  CHECK(outcome.transferred <= outcome.expected * 21 / 20);
  CHECK(outcome.percentile(100) <= milliseconds(500));
}

TEST_CASE("items reach everybody although nine of ten peers are silent, have nothing or lie", "[sim]") {
  SIM_SEEDS(seed);
  const FetchOutcome outcome = play(FetchScene{.seed = seed, .degree = 4, .hostile = 36});
  check_all_delivered(outcome);
  CHECK(outcome.requests_per_item() <= 20);
  CHECK(outcome.percentile(50) <= seconds(5));
  CHECK(outcome.percentile(100) <= seconds(30));
}

TEST_CASE("peers that name what does not exist do not keep others from what does", "[sim]") {
  SIM_SEEDS(seed);
  const FetchOutcome outcome = play(FetchScene{.seed = seed, .hostile = 2, .is_naming_fakes = true});
  check_all_delivered(outcome);
  CHECK(outcome.searches_max <= limits::kTrackersPerNodeMax);
  CHECK(outcome.percentile(50) <= seconds(2));
  CHECK(outcome.percentile(100) <= seconds(15));
}
