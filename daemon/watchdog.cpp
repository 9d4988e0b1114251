#include "daemon/watchdog.h"

#include <spdlog/spdlog.h>

#include "daemon/clocks.h"

namespace overlayd::daemon {
namespace {

std::int64_t to_milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

}  // namespace

Watchdog::Watchdog(asio::io_context& context, std::function<Instant()> busy_since, WatchdogOptions options)
    : timer_(context), busy_since_(std::move(busy_since)), options_(std::move(options)) {}

void Watchdog::start() {
  timer_.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(kWatchdogPeriod));
  timer_.async_wait([this](const asio::error_code& error) {
    if (error || is_stopped_) return;
    look(instant_now());
    start();
  });
}

void Watchdog::stop() {
  is_stopped_ = true;
  timer_.cancel();
}

void Watchdog::look(Instant now) {
  const Instant since = busy_since_();
  const bool is_stalled = !since.is_never() && now - since > kStallLimit;
  if (stalled_since_ && (!is_stalled || since != *stalled_since_)) {
    spdlog::info("the overlay thread goes on after at least {} ms", to_milliseconds(now - *stalled_since_));
    stalled_since_.reset();
  }
  if (is_stalled && !stalled_since_) {
    stalled_since_ = since;
    ++stalls_total_;
    if (const auto left_out = log_.on_line(0, now))
      spdlog::warn(
          "the overlay thread has not answered for {} ms ({} such warnings left out); is the machine overloaded?",
          to_milliseconds(now - since), *left_out);
  }
  if (is_stalled || !options_.keep_alive || now - last_keep_alive_ < options_.keep_alive_period) return;
  last_keep_alive_ = now;
  options_.keep_alive();
}

}  // namespace overlayd::daemon
