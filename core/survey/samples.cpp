#include "core/survey/samples.h"

#include <algorithm>
#include <limits>

namespace overlayd::survey {

void Samples::add(Duration latency) {
  if (latencies_.size() < limits::kSurveySamplesMax) {
    latencies_.push_back(latency);
    return;
  }
  latencies_[next_] = latency;
  next_ = (next_ + 1) % latencies_.size();
}

std::uint32_t Samples::percentile_ms(std::uint32_t percent) const {
  if (latencies_.empty()) return 0;
  std::vector<Duration> sorted = latencies_;
  const std::size_t rank = std::max<std::size_t>((sorted.size() * percent + 99) / 100, 1) - 1;
  const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(sorted.begin(), at, sorted.end());
  const auto whole = std::chrono::duration_cast<milliseconds>(*at).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(whole, 0, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace overlayd::survey
