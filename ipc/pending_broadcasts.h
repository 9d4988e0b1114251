// Broadcasts handed to the overlay and not answered yet.
// Rule 1.  Every one added is answered exactly once: by the overlay, by its deadline, or by fail_all.
// Rule 2.  At most limits::kBroadcastsPendingMax at a time, and bytes_max of their messages; beyond, add refuses all
//          of a batch.
// The waiter is called outside the lock, on the thread that called answer, expire or fail_all.
#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "core/limits.h"
#include "core/outputs.h"

namespace overlayd::ipc {

enum class BroadcastFailure : std::uint8_t { kTimeout, kStopping };

class BroadcastWaiter {
 public:
  virtual ~BroadcastWaiter() = default;
  // `token` is what was given to add.
  virtual void on_answer(std::uint64_t token, const MessagePtr& message, const BroadcastAnswer& answer) = 0;
  virtual void on_failure(std::uint64_t token, const MessagePtr& message, BroadcastFailure failure) = 0;
};

class PendingBroadcasts {
 public:
  using Clock = std::chrono::steady_clock;
  struct Item {
    std::uint64_t token = 0;
    MessagePtr message;
  };

  explicit PendingBroadcasts(std::size_t bytes_max = limits::kBroadcastsPendingBytesMax) : bytes_max_(bytes_max) {}

  // The ids given are consecutive; the first is returned. Nothing: full, none was added.
  [[nodiscard]] std::optional<RequestId> add(const std::shared_ptr<BroadcastWaiter>& waiter,
                                             const std::vector<Item>& items, Clock::time_point deadline);
  // Takes back what could not be submitted; nobody is called. How many of them were still waiting.
  std::size_t remove(RequestId first, std::size_t count);

  void answer(const BroadcastAnswer& answer);
  void expire(Clock::time_point now);
  void fail_all();
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Waiting {
    std::shared_ptr<BroadcastWaiter> waiter;
    Item item;
    Clock::time_point deadline;
  };
  // Takes one out, with the lock held.
  Waiting take(std::map<RequestId, Waiting>::iterator at);
  static void fail(std::vector<Waiting>& failed, BroadcastFailure failure);

  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  std::map<RequestId, Waiting> waiting_;  // deadlines rise with the ids
  std::size_t bytes_ = 0;                 // of the messages in waiting_
  std::uint64_t next_id_ = 1;
};

}  // namespace overlayd::ipc
