// Keeps attacker-driven log lines from filling the disk: at most kLogLinesPerWindow lines of one kind per window; the
// first line of the next window says how many were left out. One thread. `Kind` is small and fixed (an index).
#pragma once
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/clock.h"

namespace overlayd::daemon {

inline constexpr std::uint32_t kLogLinesPerWindow = 10;
inline constexpr Duration kLogWindow = seconds(10);

class LogLimiter {
 public:
  explicit LogLimiter(std::size_t kinds) : kinds_(kinds) {}

  // Nothing: leave the line out. Else write it, and how many of its kind were left out before it.
  [[nodiscard]] std::optional<std::uint64_t> on_line(std::size_t kind, Instant now) {
    Kind& state = kinds_[kind];
    if (state.lines == 0 || now - state.window_start >= kLogWindow) {
      state.window_start = now;
      state.lines = 0;
    }
    if (state.lines == kLogLinesPerWindow) {
      ++state.left_out;
      return std::nullopt;
    }
    ++state.lines;
    return std::exchange(state.left_out, 0);
  }

 private:
  struct Kind {
    Instant window_start;
    std::uint32_t lines = 0;
    std::uint64_t left_out = 0;
  };
  std::vector<Kind> kinds_;
};

}  // namespace overlayd::daemon
