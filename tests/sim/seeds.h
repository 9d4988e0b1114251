// The seeds that a scenario runs with.
//   OVERLAYD_SIM_SEEDS=n   seeds 1 to n, by default 20
//   OVERLAYD_SIM_SEED=s    this one alone: how a failure is repeated
#pragma once
#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <vector>

namespace overlayd::sim {

inline std::vector<std::uint64_t> seeds() {
  const auto number = [](const char* name) {
    return std::getenv(name) ? std::strtoull(std::getenv(name), nullptr, 10) : 0;
  };
  if (const std::uint64_t one = number("OVERLAYD_SIM_SEED")) return {one};
  const std::uint64_t wanted = number("OVERLAYD_SIM_SEEDS");
  std::vector<std::uint64_t> all(wanted == 0 ? 20 : wanted);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i + 1;
  return all;
}

inline std::string how_to_repeat(std::uint64_t seed) {
  std::string name;  // in Catch's notation a bare comma separates names
  for (const char c : Catch::getResultCapture().getCurrentTestName()) name += (c == ',' ? "\\," : std::string(1, c));
  return "repeat with: OVERLAYD_SIM_SEED=" + std::to_string(seed) + " build/tests/sim_tests '" + name + "'";
}

}  // namespace overlayd::sim

// Runs the rest of the test case once for each seed.
#define SIM_SEEDS(seed)                                                      \
  const std::uint64_t seed = GENERATE(from_range(::overlayd::sim::seeds())); \
  INFO("seed " << (seed) << ", " << ::overlayd::sim::how_to_repeat(seed))
