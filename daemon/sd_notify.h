// The service manager's notification socket (sd_notify(3), sd_watchdog_enabled(3)), without libsystemd.
//
// Promise. Each call sends one datagram, or does nothing when there is no service manager. It never blocks: a full
//          socket is a failure to report, not a reason to stall the daemon.
// Limits:  a status text is cut at kStatusBytesMax, and its line ends become spaces (a line end would start a new
//          assignment).
// Threads: a Notifier is immutable but for its socket; any thread may call it.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace overlayd::daemon {

inline constexpr std::size_t kStatusBytesMax = 512;

struct NotifierOptions {
  std::string socket;         // $NOTIFY_SOCKET: a path, or '@' and an abstract name; empty: no service manager
  std::string watchdog_usec;  // $WATCHDOG_USEC
  std::string watchdog_pid;   // $WATCHDOG_PID; set and another's: the watchdog is not meant for us
  // Reads the three. Call it while the process has one thread.
  static NotifierOptions from_environment();
};

class Notifier final {
 public:
  explicit Notifier(const NotifierOptions& options);
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  [[nodiscard]] bool is_active() const { return !socket_.empty(); }
  // How often the service manager wants a sign of life at the latest; nothing: it does not watch. Send twice as often.
  [[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval() const { return watchdog_; }

  [[nodiscard]] Result<Done> ready(std::string_view status) const;
  [[nodiscard]] Result<Done> stopping(std::string_view status) const;
  [[nodiscard]] Result<Done> status(std::string_view status) const;
  // With the monotonic time that Type=notify-reload asks for; ready() ends the reload.
  [[nodiscard]] Result<Done> reloading() const;
  [[nodiscard]] Result<Done> watchdog() const;

 private:
  [[nodiscard]] Result<Done> send(std::string_view state) const;

  std::string socket_;
  std::optional<std::chrono::microseconds> watchdog_;
  int fd_ = -1;
};

}  // namespace overlayd::daemon
