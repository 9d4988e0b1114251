// Notices an overlay thread that is stuck, tells the operator, and tells systemd that we live only while we do.
//
// Rule 1. Every kWatchdogPeriod it looks how long the present slice has been worked on. Over kStallLimit: a stall,
//         counted once, with one warning (rate-limited) and one line when it ends.
// Rule 2. `keep_alive` is called at most every keep_alive_period, and not during a stall: a thread that hangs for
//         longer than systemd's WatchdogSec gets the process restarted.
// Runs on the control thread.
#pragma once
#include <asio.hpp>

#include "daemon/log_limiter.h"
#include "daemon/overlay_thread.h"

namespace overlayd::daemon {

inline constexpr Duration kWatchdogPeriod = milliseconds(100);
inline constexpr Duration kStallLimit = milliseconds(250);

struct WatchdogOptions {
  Duration keep_alive_period = Duration::max();  // max: nobody asked
  std::function<void()> keep_alive;
};

class Watchdog {
 public:
  // `busy_since` as of OverlayThread; any thread may have written it.
  Watchdog(asio::io_context& context, std::function<Instant()> busy_since, WatchdogOptions options);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  void start();
  void stop();
  // What start() arranges to be called; `now` is the time it is called at.
  void look(Instant now);
  [[nodiscard]] std::uint64_t stalls_total() const { return stalls_total_; }

 private:
  asio::steady_timer timer_;
  const std::function<Instant()> busy_since_;
  const WatchdogOptions options_;
  LogLimiter log_{1};
  std::optional<Instant> stalled_since_;
  Instant last_keep_alive_;
  std::uint64_t stalls_total_ = 0;
  bool is_stopped_ = false;
};

}  // namespace overlayd::daemon
