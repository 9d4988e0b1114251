// Hundreds of callers that never say who they are, against one real daemon, while an honest one wants in.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>

#include "tests/daemons/node.h"

using namespace overlayd;
using namespace overlayd::daemons;
using namespace std::chrono_literals;

namespace {

constexpr const char* kPassphrase = "overlayd system test network";
constexpr std::size_t kCallers = 500;
constexpr auto kHonestLimit = 1s;        // of the issue
constexpr double kRssGrowthMaxMib = 64;  // for 500 callers before authentication
constexpr int kHonestCalls = 5;

// Calls a port on 127.0.0.1 again and again from addresses of its own, so that `callers` sockets are open all the time.
// Every second caller says nothing at all; the others send the mark of a frame of 4,000 bytes and then one byte of it
// every 50 ms.
class Crowd {
 public:
  // Without `is_spread` all call from one address.
  struct Options {
    std::uint16_t port;
    bool is_spread = true;
  };
  explicit Crowd(const Options& options) : options_(options), callers_(kCallers), thread_([this] { run(); }) {}
  ~Crowd() { stop(); }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  void stop() {
    is_stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] std::size_t connected() const { return connected_; }
  [[nodiscard]] std::uint64_t calls() const { return calls_; }
  [[nodiscard]] std::uint64_t ended() const { return ended_; }

 private:
  struct Caller {
    int fd = -1;
    bool is_connected = false;
    bool has_marked = false;
  };

  void run() {
    auto next_drip = Clock::now();
    while (!is_stopping_) {
      std::vector<pollfd> polled;
      for (std::size_t i = 0; i < callers_.size(); ++i) {
        if (callers_[i].fd < 0) call(i);
        const auto events = static_cast<short>(callers_[i].is_connected ? POLLIN : POLLOUT);
        polled.push_back({callers_[i].fd, events, 0});
      }
      poll(polled.data(), polled.size(), 50);
      const bool is_drip_due = Clock::now() >= next_drip;
      if (is_drip_due) next_drip += 50ms;
      for (std::size_t i = 0; i < callers_.size(); ++i) look_after(callers_[i], polled[i].revents);
      for (std::size_t i = 0; is_drip_due && i < callers_.size(); i += 2) drip(callers_[i]);
    }
    for (Caller& caller : callers_) hang_up(caller);
  }

  void call(std::size_t i) {
    Caller& caller = callers_[i];
    caller.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (caller.fd < 0) return;
    const std::uint32_t own = options_.is_spread ? 0x7f010101 + (static_cast<std::uint32_t>(i) << 10) : 0x7f090909;
    sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(own)}, .sin_zero = {}};
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(caller.fd, generic, sizeof(address)) != 0) return hang_up(caller);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(options_.port);
    if (connect(caller.fd, generic, sizeof(address)) != 0 && errno != EINPROGRESS) return hang_up(caller);
    ++calls_;
  }

  void look_after(Caller& caller, short events) {
    if (caller.fd < 0 || events == 0) return;
    if (!caller.is_connected && (events & POLLOUT) != 0 && (events & (POLLERR | POLLHUP)) == 0) {
      caller.is_connected = true;
      ++connected_;
      return;
    }
    std::array<char, 512> ignored{};
    const ssize_t got = recv(caller.fd, ignored.data(), ignored.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) hang_up(caller);
  }

  void drip(Caller& caller) {
    static constexpr std::array<unsigned char, 4> kMark{0x80, 0, 0x0f, 0xa0};
    if (!caller.is_connected) return;
    const std::size_t bytes = caller.has_marked ? 1 : kMark.size();
    caller.has_marked = true;
    if (send(caller.fd, kMark.data(), bytes, MSG_NOSIGNAL) < 0) hang_up(caller);
  }

  void hang_up(Caller& caller) {
    if (caller.fd < 0) return;
    close(caller.fd);
    if (caller.is_connected) {
      --connected_;
      ++ended_;
    }
    caller = {};
  }

  const Options options_;
  std::vector<Caller> callers_;  // of the thread
  std::atomic<std::size_t> connected_{0};
  std::atomic<std::uint64_t> calls_{0}, ended_{0};
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

std::string allow_private(bool is_allowed) {
  return std::string("peers.allow_private=") + (is_allowed ? "true" : "false");
}

// How long the honest daemon needs from the order to call until the other has it among its peers; then it hangs up.
double call_once(Node& honest, Node& crowded) {
  const auto start = Clock::now();
  // Should its book have called by itself just now, this is refused; what counts is when it is connected.
  static_cast<void>(honest.admin->connect_to("127.0.0.1:" + std::to_string(crowded.process.port)));
  wait_until("the honest peer is connected", [&] { return crowded.status().peers_inbound() == 1; });
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  must(honest.admin->disconnect(crowded.status().node_id()), "Disconnect");
  wait_until("both have hung up",
             [&] { return crowded.status().peers_inbound() == 0 && honest.status().peers_outbound() == 0; });
  return seconds;
}

double slowest_call(Node& honest, Node& crowded) {
  double slowest = 0;
  for (int i = 0; i < kHonestCalls; ++i) slowest = std::max(slowest, call_once(honest, crowded));
  return slowest;
}

}  // namespace

TEST_CASE("500 callers that say nothing or drip keep no honest peer out", "[crowd]") {
  for (const bool is_private_allowed : {true, false}) {
    INFO("allow_private " << is_private_allowed);
    DaemonSandbox sandbox({.bin = OVERLAYD_BIN, .passphrase = kPassphrase, .limit = 120s});
    // It calls nobody itself: the honest peer is to come in.
    Node crowded = attach(sandbox.start("crowded", "", {allow_private(is_private_allowed), "peers.target_outbound=0"}));
    Node honest = attach(sandbox.start("honest", "", {"peers.target_outbound=8"}));
    const double alone = slowest_call(honest, crowded);
    const double rss_before = DaemonSandbox::usage(crowded.process).rss_mib;

    Crowd crowd({.port = crowded.process.port});
    wait_until("most of the crowd is connected, and some were sent away",
               [&] { return crowd.connected() >= kCallers * 3 / 4 && crowd.ended() > 0; });
    const double slowest = slowest_call(honest, crowded);
    wait_until("each caller has called twice", [&] { return crowd.calls() >= 2 * kCallers; });
    const double grown = DaemonSandbox::usage(crowded.process).peak_rss_mib - rss_before;
    std::printf(
        "crowd of %zu, allow_private %d: slowest of %d honest calls %.0f ms (%.0f ms alone), %llu calls of the crowd, "
        "memory grew by %.1f MiB\n",
        kCallers, is_private_allowed, kHonestCalls, slowest * 1000, alone * 1000,
        static_cast<unsigned long long>(crowd.calls()), grown);
    CHECK(slowest < std::chrono::duration<double>(kHonestLimit).count());
    CHECK(grown < kRssGrowthMaxMib);

    crowd.stop();
    wait_until("all pending slots are free again", [&] { return crowded.status().peers_pending() == 0; });
    CHECK(call_once(honest, crowded) < std::chrono::duration<double>(kHonestLimit).count());
  }
}

TEST_CASE("one address has no more than its share, however often it calls", "[crowd]") {
  constexpr std::uint32_t kShare = 8;  // peers.max_inbound_per_ip, its default
  DaemonSandbox sandbox({.bin = OVERLAYD_BIN, .passphrase = kPassphrase, .limit = 60s});
  Node crowded = attach(sandbox.start("crowded", "", {allow_private(false)}));
  Crowd crowd({.port = crowded.process.port, .is_spread = false});
  std::uint32_t pending_max = 0;
  wait_until("many of its calls were refused", [&] {
    pending_max = std::max(pending_max, crowded.status().peers_pending());
    return crowded.counter("drops_address_limit") >= 2 * kCallers;
  });
  CHECK(pending_max <= kShare);
  CHECK(pending_max > 0);
}
