#include "core/message_dispatcher.h"

namespace overlayd {

using wire::MessageType;

HandlerResult MessageDispatcher::dispatch(const Received& received, bool is_in_sync) {
  const MessageType type = received.message->type();
  const wire::MessageRule& rule = wire::message_rule(type);
  if (!received.peer.is_authenticated() && !rule.is_before_auth) return DropReason::kBeforeHandshake;
  if (type == MessageType::kPeers && received.peer.direction() == Direction::kInbound)
    return DropReason::kPeersUnexpected;
  if (rule.is_ignored_out_of_sync && !is_in_sync) {
    ++metrics_.ignored_out_of_sync;
    return std::nullopt;
  }
  return handle(received);
}

HandlerResult MessageDispatcher::handle(const Received& received) {
  switch (received.message->type()) {
    case MessageType::kErrorMsg: return handlers_.on_error(received);
    case MessageType::kHello: return handlers_.on_hello(received);
    case MessageType::kAuth: return handlers_.on_auth(received);
    case MessageType::kPeers: return handlers_.on_peers(received);
    case MessageType::kDontHave: return handlers_.on_dont_have(received);
    case MessageType::kGetTxSet: return handlers_.on_get_tx_set(received);
    case MessageType::kGetScpQuorumset: return handlers_.on_get_scp_quorumset(received);
    case MessageType::kGetScpState: return handlers_.on_get_scp_state(received);
    case MessageType::kTxSet:
    case MessageType::kGeneralizedTxSet: return handlers_.on_tx_set(received);
    case MessageType::kScpQuorumset: return handlers_.on_scp_quorumset(received);
    case MessageType::kScpMessage: return handlers_.on_scp_message(received);
    case MessageType::kTransaction: return handlers_.on_transaction(received);
    case MessageType::kFloodAdvert: return handlers_.on_flood_advert(received);
    case MessageType::kFloodDemand: return handlers_.on_flood_demand(received);
    case MessageType::kSendMore: return DropReason::kSendMoreUnexpected;
    case MessageType::kSendMoreExtended: return handlers_.on_send_more_extended(received);
    case MessageType::kTimeSlicedSurveyRequest:
    case MessageType::kTimeSlicedSurveyResponse:
    case MessageType::kTimeSlicedSurveyStartCollecting:
    case MessageType::kTimeSlicedSurveyStopCollecting: return handlers_.on_survey(received);
  }
  return DropReason::kFrameMalformed;
}

}  // namespace overlayd
