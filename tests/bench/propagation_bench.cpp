// How long a transaction takes from its broadcast at one node to the client of another, in units of the one-way latency
// of a link: 50 simulated nodes of degree 8, idle and under load, with `flood.immediate` on and off. Prints a Markdown
// table, and a second one of items that only one node has (tests/sim/fetch_scene.h). Virtual time: the numbers are the protocol's, not the machine's, and the same on every run.
//   propagation_bench [seeds]      runs with seeds 1 to `seeds`, by default 5
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "tests/sim/fetch_scene.h"
#include "tests/sim/measure.h"

using namespace overlayd;
using namespace overlayd::sim;

namespace {

constexpr std::size_t kNodes = 50;
constexpr std::size_t kDegree = 8;

struct Setting {
  Duration latency{};
  bool is_idle = true;
  bool is_immediate = true;
};

// Idle: each transaction has reached everybody long before the next one is sent.
void send(SimNetwork& network, Traffic& traffic, bool is_idle) {
  if (!is_idle) {
    traffic.send_transactions({.count = 2'000, .per_second = 500});
    network.run_for(seconds(14));
    return;
  }
  for (int i = 0; i < 20; ++i) {
    network.run_for(milliseconds(5'000 + network.random().below(1'000)));
    traffic.send_transaction(network.random().below(kNodes));
  }
  network.run_for(seconds(10));
}

// The deliveries of all seeds as one; exits if one is missing.
Spread run(const Setting& setting, std::uint64_t seeds) {
  Spread all;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SimNetwork network({.seed = seed, .link = {.latency = setting.latency}});
    for (std::size_t i = 0; i < kNodes; ++i)
      network.add_node(
          {.is_flood_immediate = setting.is_immediate, .target_outbound = kDegree / 2, .max_inbound = kDegree / 2});
    network.connect_randomly(kDegree);
    Traffic traffic(network, kNodes, seed);
    LedgerView view;
    view.max_tx_set_ops = 10'000;
    traffic.close_ledgers({.view = view, .is_applying = true});
    network.run_for(seconds(3));
    send(network, traffic, setting.is_idle);
    const Spread spread = measure_spread(network, traffic.transactions(), kNodes);
    if (spread.delivered != spread.expected) {
      std::fprintf(stderr, "seed %llu: %s was lost\n", static_cast<unsigned long long>(seed), spread.lost[0].c_str());
      std::exit(1);
    }
    all.times.insert(all.times.end(), spread.times.begin(), spread.times.end());
  }
  std::sort(all.times.begin(), all.times.end());
  return all;
}

double in_latencies(Duration time, Duration latency) {
  return static_cast<double>(time.count()) / static_cast<double>(latency.count());
}

void print_fetching(const char* peers, FetchScene scene, std::uint64_t seeds) {
  FetchOutcome all;
  for (scene.seed = 1; scene.seed <= seeds; ++scene.seed) {
    const FetchOutcome outcome = play(scene);
    if (outcome.delivered != outcome.expected) {
      std::fprintf(stderr, "seed %llu: %s was lost\n", static_cast<unsigned long long>(scene.seed),
                   outcome.lost[0].c_str());
      std::exit(1);
    }
    all.expected += outcome.expected;
    all.asked += outcome.asked;
    all.times.insert(all.times.end(), outcome.times.begin(), outcome.times.end());
  }
  std::sort(all.times.begin(), all.times.end());
  const auto milliseconds_at = [&](double percent) {
    return static_cast<long long>(all.percentile(percent) / milliseconds(1));
  };
  std::printf("| %s | %.2f | %lld ms | %lld ms | %lld ms |\n", peers, all.requests_per_item(), milliseconds_at(50),
              milliseconds_at(99), milliseconds_at(100));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t seeds = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 5;
  std::printf("| link latency | load | immediate: median | p99 | fixed periods: median | p99 |\n");
  std::printf("|---|---|---|---|---|---|\n");
  for (const Duration latency : {milliseconds(20), milliseconds(50), milliseconds(100)}) {
    for (const bool is_idle : {true, false}) {
      std::printf("| %lld ms | %s |", static_cast<long long>(latency / milliseconds(1)), is_idle ? "idle" : "500 tx/s");
      for (const bool is_immediate : {true, false}) {
        const Spread spread = run({latency, is_idle, is_immediate}, seeds);
        for (const double percent : {50.0, 99.0})
          std::printf(" %.1f |", in_latencies(spread.percentile(percent), latency));
      }
      std::printf("\n");
      std::fflush(stdout);
    }
  }
  std::printf("\n| peers | requests per item and node | median | p99 | last |\n");
  std::printf("|---|---|---|---|---|\n");
  print_fetching("all honest", {}, seeds);
  print_fetching("9 of 10 silent, without it, or lying", {.degree = 4, .hostile = 36}, seeds);
  print_fetching("2 of 10 name what does not exist", {.hostile = 2, .is_naming_fakes = true}, seeds);
}
