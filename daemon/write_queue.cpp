#include "daemon/write_queue.h"

#include "core/check.h"
#include "core/wire/message.h"

namespace overlayd::daemon {
namespace {

// writev takes what it only reads as void*.
iovec to_iovec(ByteView bytes) { return {const_cast<std::uint8_t*>(bytes.data()), bytes.size()}; }

}  // namespace

std::size_t QueuedFrame::size() const { return sealed.head.size() + message->size() + sealed.mac.size(); }

bool WriteQueue::push(QueuedFrame frame) {
  const std::size_t size = frame.size();
  if (size > limits::kWriteQueueBytesMax - bytes_) return false;
  bytes_ += size;
  frames_.push_back(std::move(frame));
  return true;
}

const std::vector<iovec>& WriteQueue::gather() {
  pieces_.clear();
  std::size_t skip = front_written_;
  std::size_t messages = 0;
  std::size_t bytes = 0;
  for (const QueuedFrame& frame : frames_) {
    if (messages++ == kGatherMessagesMax || bytes >= kGatherBytesMax) break;
    bytes += frame.size();
    for (const ByteView piece : {ByteView(frame.sealed.head), frame.message->xdr(), ByteView(frame.sealed.mac)}) {
      const std::size_t skipped = std::min(skip, piece.size());
      skip -= skipped;
      if (skipped < piece.size()) pieces_.push_back(to_iovec(piece.subspan(skipped)));
    }
  }
  return pieces_;
}

std::size_t WriteQueue::consume(std::size_t bytes) {
  OVERLAYD_CHECK(bytes <= bytes_);
  bytes_ -= bytes;
  front_written_ += bytes;
  std::size_t finished = 0;
  while (!frames_.empty() && front_written_ >= frames_.front().size()) {
    front_written_ -= frames_.front().size();
    frames_.pop_front();
    ++finished;
  }
  return finished;
}

}  // namespace overlayd::daemon
