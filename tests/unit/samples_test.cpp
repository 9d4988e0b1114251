#include "core/survey/samples.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "core/random.h"

namespace overlayd::survey {
namespace {

Duration ms(std::int64_t count) { return milliseconds(count); }

TEST_CASE("without a sample there is no latency", "[samples]") {
  const Samples samples;
  CHECK(samples.size() == 0);
  for (const std::uint32_t percent : {0U, 50U, 75U, 100U}) CHECK(samples.percentile_ms(percent) == 0);
}

TEST_CASE("one sample is every percentile", "[samples]") {
  Samples samples;
  samples.add(ms(7));
  for (const std::uint32_t percent : {0U, 1U, 50U, 75U, 100U}) CHECK(samples.percentile_ms(percent) == 7);
}

// ceil(percent / 100 * n), counted from 1.
TEST_CASE("a percentile is one of the samples, by nearest rank", "[samples]") {
  Samples samples;
  for (const int value : {50, 15, 40, 20, 35}) samples.add(ms(value));
  CHECK(samples.percentile_ms(30) == 20);
  CHECK(samples.percentile_ms(40) == 20);
  CHECK(samples.percentile_ms(41) == 35);
  CHECK(samples.percentile_ms(50) == 35);
  CHECK(samples.percentile_ms(75) == 40);
  CHECK(samples.percentile_ms(100) == 50);
  SECTION("of an even number it is the lower one of the middle") {
    samples.add(ms(60));
    CHECK(samples.percentile_ms(50) == 35);
    CHECK(samples.percentile_ms(75) == 50);
  }
  SECTION("75 of four is the third") {
    Samples four;
    for (const int value : {4, 3, 2, 1}) four.add(ms(value));
    CHECK(four.percentile_ms(75) == 3);
    CHECK(four.percentile_ms(50) == 2);
    CHECK(four.percentile_ms(76) == 4);
  }
}

TEST_CASE("milliseconds are whole, rounded down, and fit", "[samples]") {
  const auto of = [](Duration latency) {
    Samples samples;
    samples.add(latency);
    return samples.percentile_ms(50);
  };
  CHECK(of(Duration(0)) == 0);
  CHECK(of(Duration(999'999)) == 0);
  CHECK(of(Duration(1'999'999)) == 1);
  CHECK(of(ms(4'294'967'294)) == 4'294'967'294);
  CHECK(of(ms(4'294'967'295)) == UINT32_MAX);
  CHECK(of(ms(4'294'967'296)) == UINT32_MAX);
  CHECK(of(Duration::max()) == UINT32_MAX);
}

TEST_CASE("one more than there is room for takes the place of the oldest", "[samples]") {
  Samples samples;
  const auto room = static_cast<std::int64_t>(limits::kSurveySamplesMax);
  for (std::int64_t i = 0; i < room; ++i) samples.add(ms(i));
  CHECK(samples.size() == limits::kSurveySamplesMax);
  CHECK(samples.percentile_ms(100) == room - 1);
  CHECK(samples.percentile_ms(0) == 0);
  for (std::int64_t i = 0; i < 10; ++i) samples.add(ms(1'000'000));
  CHECK(samples.size() == limits::kSurveySamplesMax);
  CHECK(samples.percentile_ms(0) == 10);
  for (std::int64_t i = 10; i < room; ++i) samples.add(ms(1'000'000));
  CHECK(samples.percentile_ms(0) == 1'000'000);
  samples.add(ms(5));
  CHECK(samples.percentile_ms(0) == 5);
}

TEST_CASE("any samples give what sorting the last of them gives", "[samples]") {
  Random random(1);
  Samples samples;
  std::vector<std::uint32_t> all;
  for (int step = 0; step < 10'000; ++step) {
    const auto value = static_cast<std::uint32_t>(random.below(5000));
    samples.add(ms(value));
    all.push_back(value);
    if (step % 97 != 0) continue;
    const auto kept = static_cast<std::ptrdiff_t>(std::min(all.size(), limits::kSurveySamplesMax));
    std::vector<std::uint32_t> sorted(all.end() - kept, all.end());
    std::ranges::sort(sorted);
    const std::uint32_t percent = 1 + static_cast<std::uint32_t>(random.below(100));
    const std::size_t rank = (sorted.size() * percent + 99) / 100;
    REQUIRE(samples.percentile_ms(percent) == sorted[rank - 1]);
  }
}

}  // namespace
}  // namespace overlayd::survey
