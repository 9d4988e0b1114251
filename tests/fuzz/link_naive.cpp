#include "tests/fuzz/link_naive.h"

#include <algorithm>

#include "core/check.h"

namespace overlayd::fuzz {
namespace {

std::uint64_t number_at(ByteView bytes, std::size_t at, std::size_t width) {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes.subspan(at, width)) number = number << 8 | byte;
  return number;
}

constexpr std::size_t kMessageAt = 12;
constexpr std::size_t kMac = 32;

}  // namespace

std::optional<peer::LinkKeys> naive_keys(const NaiveEnd& end, const wire::Hello& hello) {
  const auto secret = end.pair->shared(hello.cert.public_key);
  if (!secret) return std::nullopt;
  const bool is_initiator = end.direction == Direction::kOutbound;
  const auto& own = end.pair->public_key();
  const auto& remote = hello.cert.public_key;
  const auto shared = peer::derive_shared_key(*secret, {is_initiator ? own : remote, is_initiator ? remote : own});
  const peer::BothNonces nonces{is_initiator ? end.nonce : hello.nonce, is_initiator ? hello.nonce : end.nonce};
  const auto from_initiator = peer::derive_initiator_key(shared, nonces);
  const auto from_responder = peer::derive_responder_key(shared, nonces);
  return peer::LinkKeys{crypto::MacKey((is_initiator ? from_initiator : from_responder).view()),
                        crypto::MacKey((is_initiator ? from_responder : from_initiator).view())};
}

NaiveLink::Read NaiveLink::next(UnixTime now) {
  if (has_ended_) return {};
  const auto fail = [this](DropReason reason) {
    has_ended_ = true;
    return Read{.message = {}, .is_cert_valid = false, .fault = reason, .frame_bytes = 0};
  };
  const ByteView unread = ByteView(stream_).subspan(read_);
  // A limit that rises later is not for a mark that was judged before.
  if (frame_bytes_ == 0) {
    if (unread.size() < 4) return {};
    const std::size_t body_bytes = number_at(unread, 0, 4) & 0x7fffffff;
    if (const auto reason = judge_mark(body_bytes)) return fail(*reason);
    frame_bytes_ = 4 + body_bytes;
  }
  if (unread.size() < frame_bytes_) return {};
  const ByteView body = unread.subspan(4, frame_bytes_ - 4);
  if (const auto reason = judge_body(body)) return fail(*reason);

  const ByteView message = body.subspan(kMessageAt, body.size() - kMessageAt - kMac);
  Read read{.message = Bytes(message.begin(), message.end()),
            .is_cert_valid = false,
            .fault = {},
            .frame_bytes = frame_bytes_};
  if (!has_read_hello_ && number_at(message, 0, 4) == static_cast<std::uint64_t>(wire::MessageType::kHello)) {
    has_read_hello_ = true;
    read.is_cert_valid = take_hello(message, now);
    has_ended_ = !read.is_cert_valid;
  }
  read_ += frame_bytes_;
  frame_bytes_ = 0;
  if (read_ == stream_.size()) {
    stream_.clear();
    read_ = 0;
  }
  return read;
}

std::optional<DropReason> NaiveLink::judge_mark(std::size_t body_bytes) const {
  if (body_bytes == 0) return DropReason::kFrameEmpty;
  if (body_bytes > body_bytes_max_) return DropReason::kFrameTooLarge;
  if (body_bytes < kMessageAt + 4 + kMac || body_bytes % 4 != 0) return DropReason::kFrameMalformed;
  return std::nullopt;
}

std::optional<DropReason> NaiveLink::judge_body(ByteView body) {
  if (number_at(body, 0, 4) != 0) return DropReason::kFrameMalformed;
  const ByteView message = body.subspan(kMessageAt, body.size() - kMessageAt - kMac);
  if (keys_ && number_at(message, 0, 4) != static_cast<std::uint64_t>(wire::MessageType::kErrorMsg)) {
    if (number_at(body, 4, 8) != sequence_) return DropReason::kAuthSequence;
    const auto mac = keys_->receive.mac({body.subspan(4, body.size() - 4 - kMac)});
    if (!std::ranges::equal(mac, body.last(kMac))) return DropReason::kAuthMac;
    ++sequence_;
    body_bytes_max_ = limits::kFrameBodyMax;
  }
  return xdr::validate(xdr::Type::kStellarMessage, message).ok() ? std::nullopt
                                                                 : std::optional(DropReason::kFrameMalformed);
}

bool NaiveLink::take_hello(ByteView message, UnixTime now) {
  const auto hello = wire::read_hello(message);
  OVERLAYD_CHECK(hello.has_value());
  const auto hash = peer::cert_hash(end_.network, hello->cert.expiration, hello->cert.public_key);
  if (hello->cert.expiration < now || !crypto::verify(hello->peer_id, hash, hello->cert.signature)) return false;
  keys_ = naive_keys(end_, *hello);
  return keys_.has_value();
}

}  // namespace overlayd::fuzz
