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

}  // namespace

MessagePtr Message::make(ByteView xdr, const NetworkId& network) {
  return adopt(Bytes(xdr.begin(), xdr.end()), network);
}

MessagePtr Message::adopt(Bytes xdr, const NetworkId& network) {
  return std::make_shared<const Message>(Key{}, std::move(xdr), network);
}

Message::Message(Key, Bytes xdr, const NetworkId& network) : xdr_(std::move(xdr)), type_(type_of(xdr_)) {
  switch (type_) {
    case MessageType::kTransaction:
      flood_hash_ = wire::flood_hash(xdr_);
      tx_hash_ = wire::tx_hash(body(), network);
      tx_full_hash_ = wire::tx_full_hash(body());
      break;
    case MessageType::kScpMessage:
    case MessageType::kTimeSlicedSurveyRequest:
    case MessageType::kTimeSlicedSurveyResponse:
    case MessageType::kTimeSlicedSurveyStartCollecting:
    case MessageType::kTimeSlicedSurveyStopCollecting: flood_hash_ = wire::flood_hash(xdr_); break;
    case MessageType::kErrorMsg:
    case MessageType::kAuth:
    case MessageType::kDontHave:
    case MessageType::kPeers:
    case MessageType::kGetTxSet:
    case MessageType::kTxSet:
    case MessageType::kGetScpQuorumset:
    case MessageType::kScpQuorumset:
    case MessageType::kGetScpState:
    case MessageType::kHello:
    case MessageType::kSendMore:
    case MessageType::kGeneralizedTxSet:
    case MessageType::kFloodAdvert:
    case MessageType::kFloodDemand:
    case MessageType::kSendMoreExtended: break;
  }
}

}  // namespace overlayd::wire
