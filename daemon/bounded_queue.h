// A queue from many threads to one: a mutex and a vector, swapped out whole by the reader.
//
// Promise. What one thread pushes is taken in its order. An item goes in whole or not at all. `wake` is called after a
//          push into an empty queue, outside the lock, on the pushing thread: once per take, not once per item.
// Limits.  The weights of the items waiting never exceed `weight_max`; a push past it is refused and counted, and the
//          item stays with the caller. take_all tells whether somebody was refused since the last one, so that the
//          reader can tell the writers to try again: nobody has to poll.
// Rationale for a lock: the reader takes hundreds of items at a time, so the lock is uncontended, and a lock-free ring
// would bound the count of items but not their bytes.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace overlayd::daemon {

template <typename T>
class BoundedQueue {
 public:
  BoundedQueue(std::size_t weight_max, std::function<void()> wake) : weight_max_(weight_max), wake_(std::move(wake)) {}
  BoundedQueue(const BoundedQueue&) = delete;
  BoundedQueue& operator=(const BoundedQueue&) = delete;

  // Any thread. Moves from `item` only if it is accepted.
  [[nodiscard]] bool push(T& item, std::size_t weight = 1) {
    bool was_empty = false;
    {
      const std::lock_guard lock(mutex_);
      if (weight > weight_max_ - weight_) {
        has_refused_ = true;
        refused_total_.fetch_add(1, std::memory_order_relaxed);
        return false;
      }
      was_empty = items_.empty();
      items_.push_back(std::move(item));
      weight_ += weight;
    }
    if (was_empty) wake_();
    return true;
  }

  // The reader's thread. `out` must be empty; its storage becomes the queue's. True if a push was refused since the
  // last call.
  [[nodiscard]] bool take_all(std::vector<T>& out) {
    const std::lock_guard lock(mutex_);
    items_.swap(out);
    weight_ = 0;
    return std::exchange(has_refused_, false);
  }

  [[nodiscard]] std::uint64_t refused_total() const { return refused_total_.load(std::memory_order_relaxed); }

 private:
  const std::size_t weight_max_;
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::vector<T> items_;
  std::size_t weight_ = 0;
  bool has_refused_ = false;
  std::atomic<std::uint64_t> refused_total_{0};
};

}  // namespace overlayd::daemon
