// Requests handed to the overlay and not answered yet: everything with a RequestId.
// Rule 1.  Every one added is answered exactly once: by the overlay, by its deadline, or by fail_all.
// Rule 2.  At most count_max at a time, and bytes_max of what they hold; beyond, add refuses all of a batch.
// Rule 3.  Ids rise from first_id. Rationale: the overlay's answers go to the table whose id they carry; the operator's
//          has a range of its own (kOperatorRequestBit), so that clients who fill theirs do not keep the operator out.
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

enum class RequestFailure : std::uint8_t { kTimeout, kStopping };

class RequestWaiter {
 public:
  virtual ~RequestWaiter() = default;
  // `token` is what was given to add.
  virtual void on_answer(std::uint64_t token, const MessagePtr& message, const RequestAnswer& answer) = 0;
  virtual void on_failure(std::uint64_t token, const MessagePtr& message, RequestFailure failure) = 0;
};

inline constexpr std::uint64_t kOperatorRequestBit = 1ULL << 63;
[[nodiscard]] inline bool is_of_operator(RequestId id) { return (id.value & kOperatorRequestBit) != 0; }

struct PendingRequestsOptions {
  std::size_t count_max = limits::kRequestsPendingMax;
  std::size_t bytes_max = limits::kRequestsPendingBytesMax;
  Duration timeout = limits::kRequestAnswerTimeout;
  std::uint64_t first_id = 1;  // 0 stands for nobody who waits
};

class PendingRequests {
 public:
  using Clock = std::chrono::steady_clock;
  struct Item {
    std::uint64_t token = 0;
    MessagePtr message{};         // null: it has none, or several
    std::size_t other_bytes = 0;  // that it holds beside the message
    [[nodiscard]] std::size_t bytes() const;
  };

  explicit PendingRequests(const PendingRequestsOptions& options) : options_(options), next_id_(options.first_id) {}

  // Until when one that is added now has to be answered.
  [[nodiscard]] Clock::time_point deadline() const { return Clock::now() + options_.timeout; }

  // The ids given are consecutive; the first is returned. Nothing: full, none was added.
  [[nodiscard]] std::optional<RequestId> add(const std::shared_ptr<RequestWaiter>& waiter,
                                             const std::vector<Item>& items, Clock::time_point deadline);
  // Takes back what could not be submitted; nobody is called. How many of them were still waiting.
  std::size_t remove(RequestId first, std::size_t count);

  void answer(const RequestAnswer& answer);
  void expire(Clock::time_point now);
  void fail_all();
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Waiting {
    std::shared_ptr<RequestWaiter> waiter;
    Item item;
    Clock::time_point deadline;
  };
  // Takes one out, with the lock held.
  Waiting take(std::map<RequestId, Waiting>::iterator at);
  static void fail(std::vector<Waiting>& failed, RequestFailure failure);

  const PendingRequestsOptions options_;
  mutable std::mutex mutex_;
  std::map<RequestId, Waiting> waiting_;  // deadlines rise with the ids
  std::size_t bytes_ = 0;                 // of what waiting_ holds
  std::uint64_t next_id_;
};

}  // namespace overlayd::ipc
