// A daemon of a sandbox with clients on it, and what tests and benchmarks do with it.
//
// Errors. SandboxError, with what was tried; waiting ends after kReadyLimit.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "ipc/client/client.h"
#include "tests/daemons/daemon_sandbox.h"

namespace overlayd::daemons {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::vector<double>;

inline constexpr std::chrono::seconds kReadyLimit{20};
inline constexpr std::size_t kAppliedMax = 100'000;  // overlay.proto: hashes in one UpdateLedger

template <typename T>
T must(Result<T> result, const std::string& what) {
  if (!result) throw SandboxError(what + ": " + result.error());
  return std::move(result).value();
}

struct Node {
  DaemonProcess process;
  std::unique_ptr<ipc::Client> client;
  std::unique_ptr<ipc::AdminClient> admin;

  ::overlay::v1::GetStatusResponse status() { return must(admin->get_status(), "GetStatus of " + process.name); }
  // Of the status; 0 if there is none of that name.
  std::uint64_t counter(const std::string& name);
  ::overlay::v1::TopicStatus topic(::overlay::v1::Topic topic);
  // A closed ledger in which `applied` were, and in which a ledger takes a million operations: neither the size of adverts
  // and demands nor the queues of adverts are bounded by it.
  void update_ledger(std::uint32_t sequence, const std::vector<std::string>& applied = {});
};

// Polls, for nothing tells of a change in another process.
void wait_until(const std::string& what, const std::function<bool()>& is_true,
                std::chrono::seconds limit = kReadyLimit);

// Waits until the daemon has started, and connects.
Node attach(const DaemonProcess& process);

// B, and A which dials it, connected; both at ledger `sequence`. `b_overrides`: configuration of B.
struct Pair {
  Node a, b;
};
Pair start_pair(DaemonSandbox& sandbox, std::uint32_t sequence, const std::vector<std::string>& b_overrides = {});

// Sends to a daemon and counts its answers.
class Source {
 public:
  explicit Source(ipc::Client& client);

  void add_transaction(std::string envelope) { check(broadcaster_->add_transaction(0, std::move(envelope))); }
  void add_scp(std::string envelope) { check(broadcaster_->add_scp(0, std::move(envelope))); }
  void flush() { check(broadcaster_->flush()); }
  void finish() { must(broadcaster_->finish(), "BroadcastStream"); }
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  // A broken stream says why when it is finished.
  void check(bool is_sent) {
    if (!is_sent) finish();
  }

  std::atomic<std::uint64_t> accepted_{0}, refused_{0};
  std::unique_ptr<ipc::Broadcaster> broadcaster_;  // last: its callback uses the counts
};

struct Percentiles {
  std::size_t count = 0;
  double p50 = 0, p99 = 0, max = 0;
};
[[nodiscard]] Percentiles percentiles(Milliseconds ways);

}  // namespace overlayd::daemons
