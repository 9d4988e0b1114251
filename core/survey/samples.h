// The last latencies of something, for a percentile.
// Limits: limits::kSurveySamplesMax; one more takes the place of the oldest.
#pragma once
#include <vector>

#include "core/clock.h"
#include "core/limits.h"

namespace overlayd::survey {

class Samples {
 public:
  void add(Duration latency);
  // In whole milliseconds, rounded down, at most 2^32 - 1; 0 if there is none. Nearest rank.
  [[nodiscard]] std::uint32_t percentile_ms(std::uint32_t percent) const;
  [[nodiscard]] std::size_t size() const { return latencies_.size(); }

 private:
  std::vector<Duration> latencies_;  // a ring once it is full
  std::size_t next_ = 0;
};

}  // namespace overlayd::survey
