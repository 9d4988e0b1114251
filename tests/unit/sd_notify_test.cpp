#include "daemon/sd_notify.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace overlayd::daemon {
namespace {

// The service manager's end: a bound datagram socket. `name` as in $NOTIFY_SOCKET.
class Manager {
 public:
  explicit Manager(const std::string& name) : name_(name), fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    const bool is_abstract = name.front() == '@';
    if (is_abstract) address.sun_path[0] = '\0';
    const auto length = offsetof(sockaddr_un, sun_path) + name.size() + (is_abstract ? 0 : 1);
    REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length)) == 0);
  }
  ~Manager() {
    ::close(fd_);
    if (name_.front() != '@') ::unlink(name_.c_str());
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // The next datagram, or "nothing".
  std::string receive() {
    std::array<char, 4096> buffer{};
    const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
    return count < 0 ? "nothing" : std::string(buffer.data(), static_cast<std::size_t>(count));
  }

 private:
  std::string name_;
  int fd_;
};

std::string path_name() {
  return (std::filesystem::temp_directory_path() / ("overlayd-notify-" + std::to_string(::getpid()))).string();
}
std::string abstract_name() { return "@overlayd-notify-" + std::to_string(::getpid()); }

NotifierOptions watchdog_options(std::string usec, std::string pid) { return {"", std::move(usec), std::move(pid)}; }

}  // namespace

TEST_CASE("each call is one datagram with the documented assignments, on a path and on an abstract name",
          "[sd_notify]") {
  for (const std::string& name : {path_name(), abstract_name()}) {
    INFO(name);
    Manager manager(name);
    const Notifier notifier({name, "", ""});
    REQUIRE(notifier.is_active());
    CHECK(notifier.ready("listening on port 11625").ok());
    CHECK(manager.receive() == "READY=1\nSTATUS=listening on port 11625");
    CHECK(notifier.status("12 peers").ok());
    CHECK(manager.receive() == "STATUS=12 peers");
    CHECK(notifier.watchdog().ok());
    CHECK(manager.receive() == "WATCHDOG=1");
    CHECK(notifier.stopping("bye").ok());
    CHECK(manager.receive() == "STOPPING=1\nSTATUS=bye");
    CHECK(notifier.reloading().ok());
    const std::string reloading = manager.receive();
    CHECK(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="));
    CHECK(std::stoull(reloading.substr(reloading.rfind('=') + 1)) > 0);
    CHECK(manager.receive() == "nothing");
  }
}

TEST_CASE("without a service manager every call succeeds and does nothing", "[sd_notify]") {
  const Notifier notifier({});
  CHECK(!notifier.is_active());
  CHECK(notifier.ready("x").ok());
  CHECK(notifier.stopping("x").ok());
  CHECK(notifier.watchdog().ok());
  CHECK(!notifier.watchdog_interval());
}

TEST_CASE("a status cannot smuggle in another assignment, and is cut at its limit", "[sd_notify]") {
  Manager manager(abstract_name());
  const Notifier notifier({abstract_name(), "", ""});
  CHECK(notifier.status("peer said\nSTOPPING=1").ok());
  CHECK(manager.receive() == "STATUS=peer said STOPPING=1");
  CHECK(notifier.status(std::string(kStatusBytesMax, 'x')).ok());
  CHECK(manager.receive().size() == 7 + kStatusBytesMax);
  CHECK(notifier.status(std::string(kStatusBytesMax + 1, 'x')).ok());
  CHECK(manager.receive().size() == 7 + kStatusBytesMax);
}

TEST_CASE("a service manager that is gone, full or badly named is a failure, never a wait", "[sd_notify]") {
  CHECK(!Notifier({"/nonexistent/notify", "", ""}).watchdog().ok());
  CHECK(!Notifier({std::string(200, 'x'), "", ""}).watchdog().ok());
  const Manager manager(abstract_name());
  const Notifier notifier({abstract_name(), "", ""});
  bool was_refused = false;
  for (int i = 0; i < 100'000 && !was_refused; ++i) was_refused = !notifier.watchdog().ok();
  CHECK(was_refused);
}

TEST_CASE("the watchdog interval is taken only if it is a number and meant for this process", "[sd_notify]") {
  const auto interval = [](std::string usec, std::string pid) {
    return Notifier(watchdog_options(std::move(usec), std::move(pid))).watchdog_interval();
  };
  const std::string own = std::to_string(::getpid());
  CHECK(interval("30000000", "") == std::chrono::seconds(30));
  CHECK(interval("30000000", own) == std::chrono::seconds(30));
  CHECK(!interval("30000000", "1"));
  CHECK(!interval("30000000", "x"));
  for (const char* usec : {"", "0", "-1", "1s", "99999999999999999999"}) CHECK(!interval(usec, ""));
}

TEST_CASE("the options come from the environment", "[sd_notify]") {
  ::setenv("NOTIFY_SOCKET", "@a", 1);
  ::setenv("WATCHDOG_USEC", "5", 1);
  ::unsetenv("WATCHDOG_PID");
  const NotifierOptions options = NotifierOptions::from_environment();
  ::unsetenv("NOTIFY_SOCKET");
  ::unsetenv("WATCHDOG_USEC");
  CHECK(options.socket == "@a");
  CHECK(options.watchdog_usec == "5");
  CHECK(options.watchdog_pid.empty());
}

}  // namespace overlayd::daemon
