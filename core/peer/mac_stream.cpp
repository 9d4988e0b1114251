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

std::optional<DropReason> MacStream::check(const wire::Frame& frame) {
  if (!keys_ || frame.message_type() == static_cast<std::int32_t>(wire::MessageType::kErrorMsg)) return std::nullopt;
  if (frame.sequence() != receive_sequence_) return DropReason::kAuthSequence;
  if (keys_->receive.is_zero()) return DropReason::kAuthKeyZero;
  if (!keys_->receive.verify({frame.authenticated()}, frame.mac())) return DropReason::kAuthMac;
  ++receive_sequence_;
  return std::nullopt;
}

}  // namespace overlayd::peer
