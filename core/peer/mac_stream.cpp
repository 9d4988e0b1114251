#include "core/peer/mac_stream.h"

#include "core/check.h"

namespace overlayd::peer {

bool MacStream::set_keys(LinkKeys keys) {
  if (keys_) return false;
  keys_.emplace(std::move(keys));
  return true;
}

SealedFrame MacStream::seal(wire::MessageType type, ByteView message) {
  if (type == wire::MessageType::kHello || type == wire::MessageType::kErrorMsg)
    return {wire::frame_head(message.size(), 0), {}};
  OVERLAYD_CHECK(keys_.has_value());
  SealedFrame sealed{wire::frame_head(message.size(), send_sequence_++), {}};
  sealed.mac = keys_->send.mac({ByteView(sealed.head).last(sizeof send_sequence_), message});
  return sealed;
}

void MacStream::absorb(ByteView partial, std::size_t frame_bytes) {
  constexpr std::size_t kBefore = limits::kRecordMarkBytes + 4;  // mark and version
  if (!keys_ || partial.size() <= kBefore) return;
  if (!absorbed_) absorbed_.emplace(keys_->receive);
  const std::size_t end = std::min(partial.size(), frame_bytes - limits::kMacBytes);
  absorbed_->mac.update(partial.first(end).subspan(kBefore + absorbed_->bytes));
  absorbed_->bytes = end - kBefore;
}

bool MacStream::is_mac_good(const wire::Frame& frame) {
  if (!absorbed_) return keys_->receive.verify({frame.authenticated()}, frame.mac());
  absorbed_->mac.update(frame.authenticated().subspan(absorbed_->bytes));
  return absorbed_->mac.verify(keys_->receive, frame.mac());
}

std::optional<DropReason> MacStream::check(const wire::Frame& frame) {
  const std::optional<DropReason> reason = judge(frame);
  absorbed_.reset();
  return reason;
}

std::optional<DropReason> MacStream::judge(const wire::Frame& frame) {
  if (!keys_ || frame.message_type() == static_cast<std::int32_t>(wire::MessageType::kErrorMsg)) return std::nullopt;
  if (frame.sequence() != receive_sequence_) return DropReason::kAuthSequence;
  if (keys_->receive.is_zero()) return DropReason::kAuthKeyZero;
  if (!is_mac_good(frame)) return DropReason::kAuthMac;
  ++receive_sequence_;
  return std::nullopt;
}

}  // namespace overlayd::peer
