// An attacker with 1,000 addresses in four groups never holds more than half of anybody's outbound slots.
#include <catch2/catch.hpp>

#include "tests/sim/eclipse_scene.h"
#include "tests/sim/seeds.h"

using namespace overlayd;
using namespace overlayd::sim;

namespace {

void check_half(const EclipseOutcome& outcome) {
  CAPTURE(outcome.attacker_outbound_max, outcome.attacker_inbound_max, outcome.looks, outcome.honest_outbound_min,
          outcome.honest_links_min, outcome.anchors_kept, outcome.anchors);
  CHECK(outcome.attacker_outbound_max <= limits::kOutboundTarget / 2);
  // The attack is one: it fills the inbound tables, and is called.
  CHECK(outcome.attacker_inbound_max >= limits::kInboundMax / 2);
  CHECK(outcome.attacker_outbound_max > 0);
}

}  // namespace

TEST_CASE("a thousand addresses in four groups never hold half of an honest node's outbound slots", "[sim]") {
  SIM_SEEDS(seed);
  check_half(play(EclipseScene{.seed = seed}));
}

TEST_CASE("neither do they when they wash out the books with addresses that do not answer", "[sim]") {
  SIM_SEEDS(seed);
  check_half(play(EclipseScene{.seed = seed, .is_naming_dead = true}));
}

TEST_CASE("without the limit for a group they would", "[sim]") {
  const EclipseOutcome outcome = play(EclipseScene{.max_outbound_per_group = limits::kOutboundTarget});
  CHECK(outcome.attacker_outbound_max > limits::kOutboundTarget / 2);
}
