// How much of one connection's input the overlay thread has not handled yet. Shared by the connection (adds, pauses)
// and the overlay thread (releases), and by nobody else.
//
// Rule 1. Past kReadingCapacityMessages messages or kReadingCapacityBytes bytes the connection stops reading; the frame
//         it is on may still complete, which is the floor of 16 MiB of protocol.md section 5.
// Rule 2. It resumes once at most half of either remains. Rationale: resuming at the limit would post once per message.
// Rule 3. `resume` is called on the overlay thread, at most once per pause.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include "core/limits.h"

namespace overlayd::daemon {

class ReadGauge {
 public:
  explicit ReadGauge(std::function<void()> resume) : resume_(std::move(resume)) {}
  ReadGauge(const ReadGauge&) = delete;
  ReadGauge& operator=(const ReadGauge&) = delete;

  // The connection's side.
  void add(std::uint64_t messages, std::uint64_t bytes) {
    messages_ += messages;
    bytes_ += bytes;
  }
  // With what is not added yet.
  [[nodiscard]] bool is_over(std::uint64_t messages, std::uint64_t bytes) const {
    return messages_ + messages >= limits::kReadingCapacityMessages || bytes_ + bytes > limits::kReadingCapacityBytes;
  }
  // True if the connection must wait for `resume`; false if there is room after all.
  [[nodiscard]] bool must_wait() {
    is_waiting_ = true;
    // The overlay thread may have released the last of it before the flag was set: then nobody would call.
    return !(is_low() && is_waiting_.exchange(false));
  }

  // The overlay thread's side.
  void release(std::uint64_t messages, std::uint64_t bytes) {
    messages_ -= messages;
    bytes_ -= bytes;
    if (is_low() && is_waiting_.exchange(false)) resume_();
  }

 private:
  [[nodiscard]] bool is_low() const {
    return messages_ <= limits::kReadingCapacityMessages / 2 && bytes_ <= limits::kReadingCapacityBytes / 2;
  }

  const std::function<void()> resume_;
  std::atomic<std::uint64_t> messages_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<bool> is_waiting_{false};
};

}  // namespace overlayd::daemon
