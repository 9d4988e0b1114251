// Both ends of the traffic of a benchmark or test: numbered transactions and SCP envelopes, and the client that takes them and says
// how long each was on its way.
//
// Words.  The *way* of an item is from the moment it is handed to the sending client (Traffic::leave_*) to the moment
//         the receiving client has its event.
// Limits. Transactions between leave and arrival: at most kOnTheWayMax - 1, the caller's to keep; older ones are
//         overwritten, and their ways would be too short.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ipc/ctl/scp_builder.h"
#include "tests/daemons/node.h"

namespace overlayd::daemons {

inline constexpr std::size_t kOnTheWayMax = 1 << 20;

// What leaves and when. leave_transaction belongs to one thread at a time, and so does leave_scp.
class Traffic {
 public:
  // Transactions are payments of about `transaction_bytes`, 204 to 5,748; their filler signatures do not verify.
  Traffic(const std::string& passphrase, std::uint32_t first_slot, std::size_t transaction_bytes = 316);

  // The next transaction.
  [[nodiscard]] std::string leave_transaction();
  // The next SCP envelope, signed.
  [[nodiscard]] std::string leave_scp();
  [[nodiscard]] std::uint64_t transactions() const { return transactions_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t scp() const { return scp_; }
  // The number of the transaction in `envelope`, counted from 0; nothing if it is none of ours.
  [[nodiscard]] std::optional<std::uint64_t> number_of(const std::string& envelope) const;
  [[nodiscard]] Clock::time_point left_at(std::uint64_t number) const;
  [[nodiscard]] std::optional<Clock::time_point> scp_left_at(const std::string& flood_hash) const;

 private:
  std::string template_;
  std::unique_ptr<std::atomic<Clock::rep>[]> left_;  // by number, kOnTheWayMax of them
  std::atomic<std::uint64_t> transactions_{0};
  ipc::ctl::ScpGenerator generator_;
  mutable std::mutex mutex_;
  std::map<std::string, Clock::time_point> scp_left_;  // by flood hash
  std::atomic<std::uint64_t> scp_{0};
};

// A consensus process at `client` that accepts everything, on a thread of its own until destroyed.
class Taker {
 public:
  Taker(ipc::Client& client, const Traffic& traffic);
  ~Taker();
  Taker(const Taker&) = delete;
  Taker& operator=(const Taker&) = delete;

  // Distinct ones received since the start.
  [[nodiscard]] std::uint64_t transactions() const { return transactions_; }
  [[nodiscard]] std::uint64_t scp() const { return scp_; }
  // Events in gaps, events twice, and events that nobody sent.
  [[nodiscard]] std::uint64_t wrong() const { return wrong_; }
  bool wait_transactions(std::uint64_t count, Clock::time_point deadline);
  bool wait_scp(std::uint64_t count, Clock::time_point deadline);
  // The ways of what arrived since the last call.
  [[nodiscard]] Milliseconds take_transaction_ways();
  [[nodiscard]] Milliseconds take_scp_ways();
  // Hashes of the transactions that arrived since the last call, as a ledger would apply them.
  [[nodiscard]] std::vector<std::string> take_hashes();

 private:
  void run();
  void take(::overlay::v1::Event& event);

  const Traffic& traffic_;
  std::unique_ptr<ipc::Subscriber> subscriber_;
  std::unique_ptr<ipc::VerdictWriter> verdicts_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  Milliseconds transaction_ways_, scp_ways_;
  std::vector<std::string> hashes_;
  std::vector<bool> seen_;  // by number; of the taking thread
  std::atomic<std::uint64_t> transactions_{0}, scp_{0}, wrong_{0};
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

}  // namespace overlayd::daemons
