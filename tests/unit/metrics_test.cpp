#include "core/metrics.h"

#include <catch2/catch.hpp>
#include <cstring>

using namespace overlayd;

TEST_CASE("all counters start at zero", "[metrics]") {
  const OverlayMetrics metrics;
  // Nothing but 64-bit counters, so the bytes can be looked at as such.
  static_assert(std::is_trivially_copyable_v<OverlayMetrics> && sizeof metrics % sizeof(std::uint64_t) == 0);
  std::array<std::uint64_t, sizeof metrics / sizeof(std::uint64_t)> counters{};
  std::memcpy(counters.data(), &metrics, sizeof metrics);
  for (const std::uint64_t counter : counters) CHECK(counter == 0);
}

TEST_CASE("every drop reason has a counter", "[metrics]") {
  OverlayMetrics metrics;
  for (std::size_t i = 0; i < kDropReasonCount; ++i) {
    const auto reason = static_cast<std::size_t>(drop_reason_info(static_cast<DropReason>(i)).reason);
    ++metrics.link.drops.at(reason);
  }
  for (const std::uint64_t count : metrics.link.drops) CHECK(count == 1);
}

TEST_CASE("metrics are copied as values", "[metrics]") {
  OverlayMetrics metrics;
  const OverlayMetrics before = metrics;
  metrics.tx.demands_sent = 5;
  CHECK(before.tx.demands_sent == 0);
}
