// MessageType of Stellar-overlay.x.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace overlayd::wire {

enum class MessageType : std::int32_t {
  kErrorMsg = 0,
  kAuth = 2,
  kDontHave = 3,
  kPeers = 5,
  kGetTxSet = 6,
  kTxSet = 7,
  kTransaction = 8,
  kGetScpQuorumset = 9,
  kScpQuorumset = 10,
  kScpMessage = 11,
  kGetScpState = 12,
  kHello = 13,
  kSendMore = 16,
  kGeneralizedTxSet = 17,
  kFloodAdvert = 18,
  kFloodDemand = 19,
  kSendMoreExtended = 20,
  kTimeSlicedSurveyRequest = 21,
  kTimeSlicedSurveyResponse = 22,
  kTimeSlicedSurveyStartCollecting = 23,
  kTimeSlicedSurveyStopCollecting = 24,
};

// The protocol name, "SCP_MESSAGE"; "UNKNOWN" for a number without one.
[[nodiscard]] std::string_view message_type_name(MessageType type);
// The enumerator of a number off the wire, if it is one.
[[nodiscard]] constexpr std::optional<MessageType> to_message_type(std::int32_t number) {
  constexpr std::uint32_t kNumbers = 0b1'1111'1111'0011'1111'1110'1101;  // bit n: n is a type
  if (number < 0 || number > 24 || (kNumbers >> number & 1) == 0) return std::nullopt;
  return static_cast<MessageType>(number);
}

}  // namespace overlayd::wire
