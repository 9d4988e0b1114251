#include "core/wire/message.h"

#include "core/check.h"
#include "core/wire/hashes.h"
#include "core/xdr/reader.h"

namespace overlayd::wire {

namespace {

MessageType type_of(ByteView xdr) {
  OVERLAYD_CHECK(xdr.size() >= 4);
  const auto type = to_message_type(xdr::Reader(xdr).i32());
  OVERLAYD_CHECK(type.has_value());
  return *type;
}

// More levels than lie between a StellarMessage and what an envelope holds. What nests deeper than the rest is left to
// the full validation, so that both always agree.
constexpr std::uint32_t kEnvelopeLevels = 16;

// The size of the part of a TRANSACTION's envelope that lies before the signatures, if all of the message is valid.
// Nothing says only that the full validation has to decide.
std::optional<std::size_t> measure_transaction(ByteView xdr) {
  static const xdr::Type kSignatures = xdr::find_type("TransactionV1Envelope.signatures").value();
  constexpr xdr::ValidateLimits kLimits{.depth_max = limits::kXdrDepthMax - kEnvelopeLevels};
  xdr::Reader reader(xdr);
  if (reader.u32() != static_cast<std::uint32_t>(MessageType::kTransaction)) return std::nullopt;
  const auto part = transaction_part(reader.u32());
  if (!reader.ok() || !part) return std::nullopt;
  const auto size = xdr::skip(*part, xdr.subspan(8), kLimits);
  if (!size || !xdr::validate(kSignatures, xdr.subspan(8 + *size), kLimits).ok()) return std::nullopt;
  return *size + 4;
}

}  // namespace

Message::Parsed Message::parse(ByteView xdr, const NetworkId& network, std::unique_ptr<std::uint8_t[]> buffer) {
  const auto transaction_bytes = measure_transaction(xdr);
  if (!transaction_bytes) {
    const xdr::Validation validation = xdr::validate(xdr::Type::kStellarMessage, xdr);
    if (!validation.ok()) return {nullptr, validation};
  }
  if (!buffer) {
    buffer = std::make_unique_for_overwrite<std::uint8_t[]>(xdr.size());
    std::memcpy(buffer.get(), xdr.data(), xdr.size());
    xdr = {buffer.get(), xdr.size()};
  }
  Source source;
  source.buffer_ = std::move(buffer);
  source.xdr_ = xdr;
  source.transaction_bytes_ = transaction_bytes.value_or(0);
  return {make_shared(std::move(source), network), {}};
}

MessagePtr Message::make(ByteView xdr, const NetworkId& network) {
  return adopt(Bytes(xdr.begin(), xdr.end()), network);
}

MessagePtr Message::adopt(Bytes xdr, const NetworkId& network) {
  Source source;
  source.bytes_ = std::move(xdr);
  source.xdr_ = source.bytes_;
  return make_shared(std::move(source), network);
}

MessagePtr Message::adopt(std::unique_ptr<std::uint8_t[]> buffer, ByteView xdr, const NetworkId& network) {
  Source source;
  source.buffer_ = std::move(buffer);
  source.xdr_ = xdr;
  return make_shared(std::move(source), network);
}

MessagePtr Message::make_shared(Source source, const NetworkId& network) {
  return std::make_shared<const Message>(std::move(source), network);
}

Message::Message(Source source, const NetworkId& network)
    : bytes_(std::move(source.bytes_)),
      buffer_(std::move(source.buffer_)),
      xdr_(source.xdr_),  // moving the owners did not move the bytes
      type_(type_of(xdr_)) {
  switch (type_) {
    case MessageType::kTransaction:
      flood_hash_ = wire::flood_hash(xdr_);
      tx_hash_ = source.transaction_bytes_ == 0 ? wire::tx_hash(body(), network)
                                                : wire::tx_hash(body(), source.transaction_bytes_, network);
      tx_full_hash_ = wire::tx_full_hash(body());
      break;
    case MessageType::kScpMessage:
    case MessageType::kTimeSlicedSurveyRequest:
    case MessageType::kTimeSlicedSurveyResponse:
    case MessageType::kTimeSlicedSurveyStartCollecting:
    case MessageType::kTimeSlicedSurveyStopCollecting: flood_hash_ = wire::flood_hash(xdr_); break;
    case MessageType::kTxSet: item_hash_ = tx_set_hash(body()); break;
    case MessageType::kGeneralizedTxSet: item_hash_ = generalized_tx_set_hash(body()); break;
    case MessageType::kScpQuorumset: item_hash_ = quorum_set_hash(body()); break;
    case MessageType::kErrorMsg:
    case MessageType::kAuth:
    case MessageType::kDontHave:
    case MessageType::kPeers:
    case MessageType::kGetTxSet:
    case MessageType::kGetScpQuorumset:
    case MessageType::kGetScpState:
    case MessageType::kHello:
    case MessageType::kSendMore:
    case MessageType::kFloodAdvert:
    case MessageType::kFloodDemand:
    case MessageType::kSendMoreExtended: break;
  }
}

}  // namespace overlayd::wire
