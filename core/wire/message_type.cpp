#include "core/wire/message_type.h"

namespace overlayd::wire {

std::string_view message_type_name(MessageType type) {
  switch (type) {
    case MessageType::kErrorMsg: return "ERROR_MSG";
    case MessageType::kAuth: return "AUTH";
    case MessageType::kDontHave: return "DONT_HAVE";
    case MessageType::kPeers: return "PEERS";
    case MessageType::kGetTxSet: return "GET_TX_SET";
    case MessageType::kTxSet: return "TX_SET";
    case MessageType::kTransaction: return "TRANSACTION";
    case MessageType::kGetScpQuorumset: return "GET_SCP_QUORUMSET";
    case MessageType::kScpQuorumset: return "SCP_QUORUMSET";
    case MessageType::kScpMessage: return "SCP_MESSAGE";
    case MessageType::kGetScpState: return "GET_SCP_STATE";
    case MessageType::kHello: return "HELLO";
    case MessageType::kSendMore: return "SEND_MORE";
    case MessageType::kGeneralizedTxSet: return "GENERALIZED_TX_SET";
    case MessageType::kFloodAdvert: return "FLOOD_ADVERT";
    case MessageType::kFloodDemand: return "FLOOD_DEMAND";
    case MessageType::kSendMoreExtended: return "SEND_MORE_EXTENDED";
    case MessageType::kTimeSlicedSurveyRequest: return "TIME_SLICED_SURVEY_REQUEST";
    case MessageType::kTimeSlicedSurveyResponse: return "TIME_SLICED_SURVEY_RESPONSE";
    case MessageType::kTimeSlicedSurveyStartCollecting: return "TIME_SLICED_SURVEY_START_COLLECTING";
    case MessageType::kTimeSlicedSurveyStopCollecting: return "TIME_SLICED_SURVEY_STOP_COLLECTING";
  }
  return "UNKNOWN";
}

}  // namespace overlayd::wire
