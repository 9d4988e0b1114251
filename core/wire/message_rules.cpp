#include "core/wire/message_rules.h"

#include "core/check.h"

namespace overlayd::wire {
namespace {

constexpr std::uint8_t kNoRow = 0xff;
constexpr std::size_t kNumbers = 25;  // message types are 0 to 24, with gaps

// A switch without default: a type added to the enum does not compile until it has a line here, and the assertions
// below fail until it has a row.
constexpr bool is_type(MessageType type) {
  switch (type) {
    case MessageType::kErrorMsg:
    case MessageType::kAuth:
    case MessageType::kDontHave:
    case MessageType::kPeers:
    case MessageType::kGetTxSet:
    case MessageType::kTxSet:
    case MessageType::kTransaction:
    case MessageType::kGetScpQuorumset:
    case MessageType::kScpQuorumset:
    case MessageType::kScpMessage:
    case MessageType::kGetScpState:
    case MessageType::kHello:
    case MessageType::kSendMore:
    case MessageType::kGeneralizedTxSet:
    case MessageType::kFloodAdvert:
    case MessageType::kFloodDemand:
    case MessageType::kSendMoreExtended:
    case MessageType::kTimeSlicedSurveyRequest:
    case MessageType::kTimeSlicedSurveyResponse:
    case MessageType::kTimeSlicedSurveyStartCollecting:
    case MessageType::kTimeSlicedSurveyStopCollecting: return true;
  }
  return false;
}

constexpr std::array<std::uint8_t, kNumbers> make_rows() {
  std::array<std::uint8_t, kNumbers> rows{};
  rows.fill(kNoRow);
  for (std::size_t i = 0; i < kMessageRules.size(); ++i)
    rows[static_cast<std::size_t>(kMessageRules[i].type)] = static_cast<std::uint8_t>(i);
  return rows;
}
constexpr std::array<std::uint8_t, kNumbers> kRows = make_rows();

constexpr bool is_complete() {
  for (std::size_t number = 0; number < kNumbers; ++number)
    if (is_type(static_cast<MessageType>(number)) != (kRows[number] != kNoRow)) return false;
  return !is_type(static_cast<MessageType>(kNumbers));
}
constexpr bool has_no_duplicates() {
  for (std::size_t i = 0; i < kMessageRules.size(); ++i)
    if (kRows[static_cast<std::size_t>(kMessageRules[i].type)] != static_cast<std::uint8_t>(i)) return false;
  return true;
}
static_assert(is_complete(), "one row per MessageType");
static_assert(has_no_duplicates(), "one row per MessageType");

}  // namespace

const MessageRule& message_rule(MessageType type) {
  const MessageRule* rule = find_message_rule(static_cast<std::int32_t>(type));
  OVERLAYD_CHECK(rule != nullptr);
  return *rule;
}

const MessageRule* find_message_rule(std::int32_t number) {
  if (number < 0 || static_cast<std::size_t>(number) >= kNumbers) return nullptr;
  const std::uint8_t row = kRows[static_cast<std::size_t>(number)];
  return row == kNoRow ? nullptr : &kMessageRules[static_cast<std::size_t>(row)];
}

}  // namespace overlayd::wire
