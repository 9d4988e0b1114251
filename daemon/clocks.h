// The only place of the daemon that reads clocks for the overlay.
#pragma once
#include <chrono>

#include "core/clock.h"

namespace overlayd::daemon {

[[nodiscard]] inline Instant instant_now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

[[nodiscard]] inline std::int64_t unix_nanos_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

[[nodiscard]] inline UnixTime unix_time_now() {
  return {static_cast<std::uint64_t>(unix_nanos_now() / std::nano::den)};
}

[[nodiscard]] inline Now now() { return {instant_now(), unix_time_now()}; }

// The steady clock's time of an Instant that instant_now() could have given; the clock's end for never().
[[nodiscard]] inline std::chrono::steady_clock::time_point to_time_point(Instant at) {
  return std::chrono::steady_clock::time_point(at.since_start());
}

}  // namespace overlayd::daemon
