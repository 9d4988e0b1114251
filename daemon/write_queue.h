// Sealed frames that wait for one socket. Bodies are shared with everybody else who holds the message and are never
// copied: only the head (record mark, version, sequence) and the MAC belong to the connection.
//
// Limits. kWriteQueueBytesMax bytes; push refuses past it and the caller ends the link: a frame that was given a
//         sequence number cannot be left out.
//         A gather is at most kGatherMessagesMax frames and about kGatherBytesMax bytes, so that one fast reader does
//         not hold the thread.
#pragma once
#include <sys/uio.h>

#include <deque>
#include <vector>

#include "core/limits.h"
#include "core/peer/mac_stream.h"

namespace overlayd::daemon {

inline constexpr std::size_t kGatherMessagesMax = 64;
inline constexpr std::size_t kGatherBytesMax = 1 << 20;

struct QueuedFrame {
  peer::SealedFrame sealed;
  MessagePtr message;
  Instant queued;  // when the overlay handed it over

  [[nodiscard]] std::size_t size() const;
};

class WriteQueue {
 public:
  // False: full, nothing was taken.
  [[nodiscard]] bool push(QueuedFrame frame);
  // What the next system call should write, front first. Valid until the next non-const call.
  [[nodiscard]] const std::vector<iovec>& gather();
  // `bytes` of the front were written; frames written to their end are freed. Returns how many those were.
  std::size_t consume(std::size_t bytes);

  [[nodiscard]] bool empty() const { return frames_.empty(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // never() when empty.
  [[nodiscard]] Instant oldest() const { return frames_.empty() ? Instant::never() : frames_.front().queued; }

 private:
  std::deque<QueuedFrame> frames_;
  std::size_t bytes_ = 0;          // still to write
  std::size_t front_written_ = 0;  // of the front frame
  std::vector<iovec> pieces_;
};

}  // namespace overlayd::daemon
