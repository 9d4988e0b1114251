// Nodes that know one seed find each other, and find each other again when half of them come and go.
#include <catch2/catch.hpp>

#include "tests/sim/book_scene.h"
#include "tests/sim/seeds.h"

using namespace overlayd;
using namespace overlayd::sim;

namespace {

constexpr std::size_t kNodes = 200;
constexpr std::size_t kTarget = limits::kOutboundTarget;

// Node 0 is the seed, and knows nobody.
void add_nodes(SimNetwork& network) {
  for (std::size_t i = 0; i < kNodes; ++i) network.add_node({.tx_pool_bytes_max = 1 << 20});
  for (std::size_t i = 1; i < kNodes; ++i) network.resolve(i, {.known = {network.node(0).address()}, .preferred = {}});
}

bool is_full_of_peers(const Shape& shape) { return is_full(shape, kTarget); }

// What was reached lasts.
void check_is_stable(SimNetwork& network, const std::function<bool(const Shape&)>& is_formed, Duration length) {
  for (const Instant end = network.now() + length; network.now() < end;) {
    network.run_for(seconds(1));
    const Shape shape = shape_of(network, kTarget);
    CAPTURE(shape.lacking, shape.outbound_min, shape.is_connected, shape.lacking_first);
    CHECK(is_formed(shape));
  }
}

}  // namespace

TEST_CASE("200 nodes that know one seed have full outbound targets and one network in five minutes", "[sim]") {
  SIM_SEEDS(seed);
  SimNetwork network({.seed = seed, .link = {.latency = milliseconds(50), .jitter = milliseconds(20)}});
  add_nodes(network);
  const auto took = time_to_form(network, kTarget, is_full_of_peers, std::chrono::minutes(5));
  const Shape shape = shape_of(network, kTarget);
  CAPTURE(shape.lacking, shape.outbound_min, shape.is_connected, shape.lacking_first);
  REQUIRE(took);
  check_is_stable(network, is_full_of_peers, seconds(20));
  network.check_invariants();
}

TEST_CASE("200 nodes of which half are killed and come back have full targets and one network again", "[sim]") {
  SIM_SEEDS(seed);
  SimNetwork network({.seed = seed, .link = {.latency = milliseconds(50), .jitter = milliseconds(20)}});
  add_nodes(network);
  REQUIRE(time_to_form(network, kTarget, is_full_of_peers, std::chrono::minutes(5)));
  std::vector<std::size_t> killed(kNodes);
  for (std::size_t i = 0; i < kNodes; ++i) killed[i] = i;
  network.random().shuffle(killed);
  killed.resize(kNodes / 2);
  Instant last = network.now();
  for (const std::size_t node : killed) {
    const Instant down = network.now() + milliseconds(network.random().below(90'000));
    const Instant up = down + milliseconds(network.random().between(1'000, 45'000));
    network.at(down, [&network, node] { network.kill(node); });
    network.at(up, [&network, node] { network.restart(node); });
    last = std::max(last, up);
  }
  network.run_for(last - network.now() + milliseconds(1));
  // What takes longest is an anchor that was down: its slot is kept until three dials have failed. With two failures that
  // were on disk already they are at most 80 and 160 s apart (the back-off after the third and the fourth). The rest of
  // the minute is for ticks, and for the dials that fill the slot then.
  const auto took = time_to_form(network, kTarget, is_settled, std::chrono::minutes(5));
  const Shape shape = shape_of(network, kTarget);
  CAPTURE(shape.lacking, shape.outbound_min, shape.is_connected, shape.lacking_first);
  REQUIRE(took);
  check_is_stable(network, is_settled, seconds(20));
  network.check_invariants();
}
