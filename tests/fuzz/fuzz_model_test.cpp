// The bodies of the model-based fuzzers over pseudo-random commands from fixed seeds.
#include <catch2/catch.hpp>

#include "core/random.h"
#include "tests/fuzz/event_log_model.h"
#include "tests/fuzz/flood_gate_model.h"
#include "tests/fuzz/flow_control_model.h"
#include "tests/fuzz/item_fetcher_model.h"
#include "tests/fuzz/link_model.h"
#include "tests/fuzz/tx_adverts_model.h"
#include "tests/fuzz/tx_demands_model.h"

using namespace overlayd;

namespace {

Bytes random_bytes(Random& random, std::size_t count) {
  Bytes bytes(count);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
  return bytes;
}

// A body that finds a difference stops the process; Catch2 then names the seed.
void run_seeds(void (*body)(ByteView)) {
  static constexpr std::uint64_t kSeeds = 200;
  static constexpr std::size_t kBytes = 2'000;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    body(random_bytes(random, kBytes));
  }
  SUCCEED();
}

}  // namespace

TEST_CASE("a link gives out what a peer with keys sent well, and ends at the first fault", "[fuzz][link]") {
  run_seeds(fuzz_link);
}

TEST_CASE("the flood gate does what a list of records does", "[fuzz][flood_gate]") { run_seeds(fuzz_flood_gate); }

TEST_CASE("adverts queue, leave and are remembered as in plain lists", "[fuzz][tx_adverts]") {
  run_seeds(fuzz_tx_adverts);
}

TEST_CASE("the rules of demands hold as in a list of records", "[fuzz][tx_demands]") { run_seeds(fuzz_tx_demands); }

TEST_CASE("items are searched for, asked for and given up by the rules", "[fuzz][item_fetcher]") {
  run_seeds(fuzz_item_fetcher);
}

TEST_CASE("the rules of fetching hold where there is no room left", "[fuzz][item_fetcher]") {
  for (const std::uint64_t seed : {1, 2, 3}) {
    INFO("seed " << seed);
    Random random(seed);
    Bytes bytes = random_bytes(random, 500);
    bytes[0] = kCrowdedFetchRun;
    fuzz_item_fetcher(bytes);
  }
  SUCCEED();
}

TEST_CASE("every reader of the event log is told of all that was published since it came", "[fuzz][event_log]") {
  run_seeds(fuzz_event_log);
}

TEST_CASE("two ends of a link count, queue and shed as plain sums and lists", "[fuzz][flow_control]") {
  run_seeds(fuzz_flow_control);
}
