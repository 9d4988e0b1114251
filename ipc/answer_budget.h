// How many bytes of answers may be on their way to clients at a time.
// Rule 1.  An answer is taken in before its bytes are copied and given back once gRPC is done with it. Rationale: a
//          client that stops reading keeps whole answers in our memory for as long as it likes.
// Rule 2.  One alone always passes, however large it is.
// Thread-safe.
#pragma once
#include <cstddef>
#include <mutex>

namespace overlayd::ipc {

class AnswerBudget {
 public:
  explicit AnswerBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // False: no room; nothing was taken in.
  [[nodiscard]] bool take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    if (bytes_ > 0 && (bytes_ > bytes_max_ || bytes > bytes_max_ - bytes_)) return false;
    bytes_ += bytes;
    return true;
  }
  // As many as one take was given.
  void give_back(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    bytes_ -= bytes;
  }

 private:
  const std::size_t bytes_max_;
  std::mutex mutex_;
  std::size_t bytes_ = 0;  // on their way
};

}  // namespace overlayd::ipc
