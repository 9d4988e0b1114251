#include "daemon/secure_link.h"

namespace overlayd::daemon {

SecureLink::SecureLink(Direction direction, const NetworkId& network, peer::PeerAuth& auth, Entropy& entropy)
    : direction_(direction), network_(network), auth_(auth) {
  entropy.fill(local_nonce_);
}

void SecureLink::commit(std::size_t bytes) {
  decoder_.commit(bytes);
  if (decoder_.frame_bytes() >= kBulkBytesMin) macs_.absorb(decoder_.partial(), decoder_.frame_bytes());
}

LinkRead SecureLink::read_next(UnixTime now) {
  if (has_ended_) return {};
  const auto next = decoder_.next();
  if (const auto* reason = std::get_if<DropReason>(&next)) return fail(*reason);
  const auto* frame = std::get_if<wire::Frame>(&next);
  if (!frame) return {};
  if (const auto reason = macs_.check(*frame)) return fail(*reason);
  if (macs_.has_keys() && frame->message_type() != static_cast<std::int32_t>(wire::MessageType::kErrorMsg))
    decoder_.set_authenticated();
  if (is_bulk_item(*frame)) return read_item(*frame);
  wire::Message::Parsed parsed = wire::Message::parse(frame->message(), network_, decoder_.take_buffer());
  if (!parsed.message) return fail(DropReason::kFrameMalformed, parsed.validation.text());

  LinkRead read;
  read.message = std::move(parsed.message);
  if (read.message->type() == wire::MessageType::kHello && !has_read_hello_) {
    has_read_hello_ = true;
    const auto hello = wire::read_hello(read.message->xdr());
    read.is_cert_valid = hello && take_keys(*hello, now);
    has_ended_ = !read.is_cert_valid;
  }
  return read;
}

bool SecureLink::is_bulk_item(const wire::Frame& frame) {
  const auto type = wire::to_message_type(frame.message_type());
  return frame.message().size() >= kBulkBytesMin &&
         (type == wire::MessageType::kTxSet || type == wire::MessageType::kGeneralizedTxSet);
}

LinkRead SecureLink::read_item(const wire::Frame& frame) {
  const ByteView xdr = frame.message();
  const xdr::Validation validation = xdr::validate(xdr::Type::kStellarMessage, xdr);
  if (!validation.ok()) return fail(DropReason::kFrameMalformed, validation.text());
  LinkRead read;
  read.item = UnhashedItem{decoder_.take_buffer(), xdr};
  OVERLAYD_CHECK(read.item->buffer != nullptr);
  return read;
}

bool SecureLink::take_keys(const wire::Hello& hello, UnixTime now) {
  if (!auth_.verify_cert(hello.cert, hello.peer_id, now)) return false;
  auto keys = auth_.derive_keys({.direction = direction_,
                                 .remote_public = hello.cert.public_key,
                                 .local_nonce = local_nonce_,
                                 .remote_nonce = hello.nonce});
  return keys && macs_.set_keys(std::move(*keys));
}

LinkRead SecureLink::fail(DropReason reason, std::string detail) {
  has_ended_ = true;
  LinkRead read;
  read.fault = LinkFault{reason, std::move(detail)};
  return read;
}

std::optional<QueuedFrame> SecureLink::seal(MessagePtr message, Instant now) {
  const bool needs_keys =
      message->type() != wire::MessageType::kHello && message->type() != wire::MessageType::kErrorMsg;
  if (needs_keys && !macs_.has_keys()) return std::nullopt;
  const peer::SealedFrame sealed = macs_.seal(*message);
  return QueuedFrame{.sealed = sealed, .message = std::move(message), .queued = now};
}

}  // namespace overlayd::daemon
