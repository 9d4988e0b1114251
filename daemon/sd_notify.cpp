#include "daemon/sd_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace overlayd::daemon {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string one_line(std::string_view text) {
  std::string line(text.substr(0, kStatusBytesMax));
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

std::optional<std::chrono::microseconds> read_watchdog(const NotifierOptions& options) {
  const auto interval = parse_number(options.watchdog_usec);
  if (!interval || *interval == 0 || *interval > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  const bool is_for_all = options.watchdog_pid.empty();
  if (!is_for_all && parse_number(options.watchdog_pid) != static_cast<std::uint64_t>(::getpid())) return std::nullopt;
  return std::chrono::microseconds(static_cast<std::int64_t>(*interval));
}

}  // namespace

NotifierOptions NotifierOptions::from_environment() {
  return {variable("NOTIFY_SOCKET"), variable("WATCHDOG_USEC"), variable("WATCHDOG_PID")};
}

Notifier::Notifier(const NotifierOptions& options) : socket_(options.socket), watchdog_(read_watchdog(options)) {
  if (is_active()) fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

Notifier::~Notifier() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Done> Notifier::ready(std::string_view status) const { return send("READY=1\nSTATUS=" + one_line(status)); }

Result<Done> Notifier::stopping(std::string_view status) const {
  return send("STOPPING=1\nSTATUS=" + one_line(status));
}

Result<Done> Notifier::status(std::string_view status) const { return send("STATUS=" + one_line(status)); }

Result<Done> Notifier::reloading() const {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds =
      static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
  return send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

Result<Done> Notifier::watchdog() const { return send("WATCHDOG=1"); }

Result<Done> Notifier::send(std::string_view state) const {
  if (!is_active()) return Done{};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_.size() >= sizeof address.sun_path) return Failure{"NOTIFY_SOCKET: too long: " + socket_};
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  // An abstract name starts with NUL and ends with the address's length; a path ends with NUL.
  const bool is_abstract = socket_.front() == '@';
  if (is_abstract) address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size() + (is_abstract ? 0 : 1));
  const ssize_t sent =
      ::sendto(fd_, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), length);
  if (sent != static_cast<ssize_t>(state.size())) {
    return Failure{"NOTIFY_SOCKET: cannot send to " + socket_ + ": " + std::strerror(errno)};
  }
  return Done{};
}

}  // namespace overlayd::daemon
