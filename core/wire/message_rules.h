// What the overlay's rules say of each message type, one row per type. A rule that depends on the type alone is a
// column here and nowhere else. Source: stellar-core Peer::recvRawMessage and recvMessage,
// OverlayManager::isFloodMessage and isFloodMessage's users, FlowControl, Floodgate, commit a9b8613.
#pragma once
#include <array>
#include <cstddef>

#include "core/metrics.h"
#include "core/wire/message_type.h"

namespace overlayd::wire {

using overlayd::FloodQueue;

// What the query limiter counts apart.
enum class QueryKind : std::uint8_t { kTxSet = 0, kScpQuorumset = 1, kScpState = 2 };
inline constexpr std::size_t kQueryKindCount = 3;

struct MessageRule {
  MessageType type;
  std::string_view name;                // of the protocol, "SCP_MESSAGE"
  bool is_before_auth = false;          // may come before the handshake is complete; any other then ends the connection
  std::optional<FloodQueue> queue{};    // flood messages, and only they: spend credit, wait in this queue
  std::optional<QueryKind> query{};     // limited per peer
  bool is_ignored_out_of_sync = false;  // while the ledger is not in sync
  bool has_flood_hash = false;          // remembered by the flood gate, so that nobody gets it twice
  bool is_survey = false;

  [[nodiscard]] constexpr bool is_flood() const { return queue.has_value(); }
};

inline constexpr std::size_t kMessageTypeCount = 21;

inline constexpr std::array<MessageRule, kMessageTypeCount> kMessageRules{{
    {.type = MessageType::kErrorMsg, .name = "ERROR_MSG", .is_before_auth = true},
    {.type = MessageType::kAuth, .name = "AUTH", .is_before_auth = true},
    {.type = MessageType::kDontHave, .name = "DONT_HAVE"},
    {.type = MessageType::kPeers, .name = "PEERS"},
    {.type = MessageType::kGetTxSet, .name = "GET_TX_SET", .query = QueryKind::kTxSet},
    {.type = MessageType::kTxSet, .name = "TX_SET"},
    {.type = MessageType::kTransaction,
     .name = "TRANSACTION",
     .queue = FloodQueue::kTransaction,
     .is_ignored_out_of_sync = true,
     .has_flood_hash = true},
    {.type = MessageType::kGetScpQuorumset, .name = "GET_SCP_QUORUMSET", .query = QueryKind::kScpQuorumset},
    {.type = MessageType::kScpQuorumset, .name = "SCP_QUORUMSET"},
    {.type = MessageType::kScpMessage, .name = "SCP_MESSAGE", .queue = FloodQueue::kScp, .has_flood_hash = true},
    {.type = MessageType::kGetScpState, .name = "GET_SCP_STATE", .query = QueryKind::kScpState},
    {.type = MessageType::kHello, .name = "HELLO", .is_before_auth = true},
    {.type = MessageType::kSendMore, .name = "SEND_MORE"},
    {.type = MessageType::kGeneralizedTxSet, .name = "GENERALIZED_TX_SET"},
    {.type = MessageType::kFloodAdvert,
     .name = "FLOOD_ADVERT",
     .queue = FloodQueue::kAdvert,
     .is_ignored_out_of_sync = true},
    {.type = MessageType::kFloodDemand,
     .name = "FLOOD_DEMAND",
     .queue = FloodQueue::kDemand,
     .is_ignored_out_of_sync = true},
    {.type = MessageType::kSendMoreExtended, .name = "SEND_MORE_EXTENDED"},
    {.type = MessageType::kTimeSlicedSurveyRequest,
     .name = "TIME_SLICED_SURVEY_REQUEST",
     .has_flood_hash = true,
     .is_survey = true},
    {.type = MessageType::kTimeSlicedSurveyResponse,
     .name = "TIME_SLICED_SURVEY_RESPONSE",
     .has_flood_hash = true,
     .is_survey = true},
    {.type = MessageType::kTimeSlicedSurveyStartCollecting,
     .name = "TIME_SLICED_SURVEY_START_COLLECTING",
     .has_flood_hash = true,
     .is_survey = true},
    {.type = MessageType::kTimeSlicedSurveyStopCollecting,
     .name = "TIME_SLICED_SURVEY_STOP_COLLECTING",
     .has_flood_hash = true,
     .is_survey = true},
}};

// The row of an enumerator. Any other value stops the process: numbers off the wire pass to_message_type first.
[[nodiscard]] const MessageRule& message_rule(MessageType type);
// The row of a number off the wire; null if it is none of the protocol's.
[[nodiscard]] const MessageRule* find_message_rule(std::int32_t number);

}  // namespace overlayd::wire
