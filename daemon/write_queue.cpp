#include "daemon/write_queue.h"

#include <algorithm>

#include "core/check.h"
#include "core/wire/message.h"

namespace overlayd::daemon {
namespace {

// writev takes what it only reads as void*.
iovec to_iovec(ByteView bytes) { return {const_cast<std::uint8_t*>(bytes.data()), bytes.size()}; }

std::size_t sealed_size(const DeferredMessage& deferred) {
  return wire::kSealedHeadBytes + deferred.message->size() + limits::kMacBytes;
}

}  // namespace

std::size_t QueuedFrame::size() const { return sealed.head.size() + message->size() + sealed.mac.size(); }

bool is_bulk(const wire::Message& message) {
  return message.size() >= kBulkBytesMin && message.type() != wire::MessageType::kScpMessage;
}

bool is_transaction_set(const wire::Message& message) {
  return message.type() == wire::MessageType::kTxSet || message.type() == wire::MessageType::kGeneralizedTxSet;
}

bool WriteQueue::has_deferred(const MessagePtr& message) const {
  return std::ranges::find(deferred_, message, &DeferredMessage::message) != deferred_.end();
}

bool WriteQueue::push(QueuedFrame frame) {
  const std::size_t size = frame.size();
  if (!has_room(size)) return false;
  sealed_bytes_ += size;
  // One that was deferred is older than those that overtook it; the front must not hide its age.
  for (auto ahead = frames_.rbegin(); ahead != frames_.rend() && ahead->queued > frame.queued; ++ahead)
    ahead->queued = frame.queued;
  frames_.push_back(std::move(frame));
  return true;
}

bool WriteQueue::defer(DeferredMessage message) {
  const std::size_t size = sealed_size(message);
  if (!has_room(size)) return false;
  deferred_bytes_ += size;
  deferred_.push_back(std::move(message));
  return true;
}

DeferredMessage WriteQueue::take_deferred() {
  OVERLAYD_CHECK(is_deferred_due());
  DeferredMessage taken = std::move(deferred_.front());
  deferred_.pop_front();
  deferred_bytes_ -= sealed_size(taken);
  return taken;
}

void WriteQueue::drop_deferred() {
  deferred_.clear();
  deferred_bytes_ = 0;
}

Instant WriteQueue::oldest() const {
  const Instant sealed = frames_.empty() ? Instant::never() : frames_.front().queued;
  return deferred_.empty() ? sealed : std::min(sealed, deferred_.front().queued);
}

const std::vector<iovec>& WriteQueue::gather() {
  pieces_.clear();
  std::size_t skip = front_written_;
  std::size_t messages = 0;
  std::size_t room = kGatherBytesMax;
  for (const QueuedFrame& frame : frames_) {
    if (messages++ == kGatherMessagesMax || room == 0) break;
    for (const ByteView piece : {ByteView(frame.sealed.head), frame.message->xdr(), ByteView(frame.sealed.mac)}) {
      const std::size_t skipped = std::min(skip, piece.size());
      const std::size_t taken = std::min(room, piece.size() - skipped);
      skip -= skipped;
      room -= taken;
      if (taken > 0) pieces_.push_back(to_iovec(piece.subspan(skipped, taken)));
    }
  }
  return pieces_;
}

std::size_t WriteQueue::consume(std::size_t bytes) {
  OVERLAYD_CHECK(bytes <= sealed_bytes_);
  sealed_bytes_ -= bytes;
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
