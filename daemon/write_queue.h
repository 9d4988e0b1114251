// What waits for one socket: sealed frames, and bulk messages that are not sealed yet. Bodies are shared with everybody
// else who holds the message and are never copied: only the head (record mark, version, sequence) and the MAC belong to
// the connection.
//
// Words.  A *bulk* message is one of kBulkBytesMin bytes or more that is no SCP_MESSAGE: transaction sets, in practice.
//         *Deferred*: handed over, without a sequence number, so that what is handed over later may still overtake it.
// Rule 1. Frames go out in the order of push. Deferred messages keep theirs among themselves.
// Rule 2. A deferred message is due once less than kBulkBytesMin sealed bytes wait. So at most one whole bulk message
//         and the rest of another are sealed, and an SCP message waits for no more than these.
//         Rationale: the protocol orders no answer to a request against other messages; only sealing fixes an order.
// Limits. kWriteQueueBytesMax bytes, sealed and deferred together, a deferred message counting what its frame will;
//         push refuses past it and the caller ends the link: a frame that was given a sequence number cannot be left
//         out. defer refuses past it as well: what has no number yet can be left out, and transaction sets are (the
//         peer asks somebody else after a while).
//         A gather is at most kGatherMessagesMax frames and kGatherBytesMax bytes, so that one fast reader does not
//         hold the thread: on loopback a call held it for up to 3.5 ms when it could write 10 MiB, for up to 0.5 ms
//         with 1 MiB, and the whole 10 MiB took 2.1 ms instead of 2.0 (median).
#pragma once
#include <sys/uio.h>

#include <deque>
#include <vector>

#include "core/limits.h"
#include "core/peer/mac_stream.h"

namespace overlayd::daemon {

inline constexpr std::size_t kGatherMessagesMax = 64;
inline constexpr std::size_t kGatherBytesMax = 1 << 20;
inline constexpr std::size_t kBulkBytesMin = 64 << 10;  // ours
static_assert(kBulkBytesMin > limits::kFrameBodyUnauthenticatedMax, "a handshake must not be deferred");

struct QueuedFrame {
  peer::SealedFrame sealed;
  MessagePtr message;
  Instant queued;  // when the overlay handed it over

  [[nodiscard]] std::size_t size() const;
};
struct DeferredMessage {
  MessagePtr message;
  Instant queued;
};

[[nodiscard]] bool is_bulk(const wire::Message& message);
[[nodiscard]] bool is_transaction_set(const wire::Message& message);

class WriteQueue {
 public:
  // False: full, nothing was taken.
  [[nodiscard]] bool push(QueuedFrame frame);
  [[nodiscard]] bool defer(DeferredMessage message);
  // Whether this very message is deferred already: then a peer has asked twice.
  [[nodiscard]] bool has_deferred(const MessagePtr& message) const;
  // Whether take_deferred() may be called. What it gives is to be sealed and pushed, for which there is room.
  [[nodiscard]] bool is_deferred_due() const { return !deferred_.empty() && sealed_bytes_ < kBulkBytesMin; }
  [[nodiscard]] DeferredMessage take_deferred();
  void drop_deferred();
  // What the next system call should write, front first. Valid until the next non-const call.
  [[nodiscard]] const std::vector<iovec>& gather();
  // `bytes` of the front were written; frames written to their end are freed. Returns how many those were.
  std::size_t consume(std::size_t bytes);

  // Whether no sealed frame waits.
  [[nodiscard]] bool empty() const { return frames_.empty(); }
  // Still to write, with what is deferred.
  [[nodiscard]] std::size_t bytes() const { return sealed_bytes_ + deferred_bytes_; }
  // When the oldest of all that waits, sealed or deferred, was handed over; never() when nothing does.
  [[nodiscard]] Instant oldest() const;

 private:
  [[nodiscard]] bool has_room(std::size_t bytes) const { return bytes <= limits::kWriteQueueBytesMax - this->bytes(); }

  std::deque<QueuedFrame> frames_;  // `queued` no later than that of any frame behind
  std::deque<DeferredMessage> deferred_;
  std::size_t sealed_bytes_ = 0;  // still to write
  std::size_t deferred_bytes_ = 0;
  std::size_t front_written_ = 0;  // of the front frame
  std::vector<iovec> pieces_;
};

}  // namespace overlayd::daemon
