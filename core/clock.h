// Time as core sees it: values handed in by the caller, never read from a clock.
#pragma once
#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>

namespace overlayd {

using Duration = std::chrono::nanoseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A point of monotonic time. The zero is arbitrary; only differences mean something.
class Instant {
 public:
  constexpr Instant() = default;
  constexpr explicit Instant(Duration since_start) : since_start_(since_start) {}
  // Later than every other Instant: "no deadline".
  static constexpr Instant never() { return Instant(Duration::max()); }

  [[nodiscard]] constexpr bool is_never() const { return since_start_ == Duration::max(); }
  [[nodiscard]] constexpr Duration since_start() const { return since_start_; }
  constexpr auto operator<=>(const Instant&) const = default;

 private:
  Duration since_start_{0};
};

// Saturates at never(): adding to "no deadline" is still none.
constexpr Instant operator+(Instant at, Duration by) {
  return at.is_never() || by > Duration::max() - at.since_start() ? Instant::never() : Instant(at.since_start() + by);
}
constexpr Duration operator-(Instant later, Instant earlier) { return later.since_start() - earlier.since_start(); }

// Seconds since 1970 (UTC), for what the protocol dates: certificates, bans, back-off.
struct UnixTime {
  std::uint64_t seconds = 0;
  auto operator<=>(const UnixTime&) const = default;
};

// Both clocks, read once per batch by the caller.
struct Now {
  Instant instant;
  UnixTime unix_time;
};

}  // namespace overlayd
