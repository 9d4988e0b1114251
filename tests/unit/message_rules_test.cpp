#include "core/wire/message_rules.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

using namespace overlayd::wire;

namespace {

// The names of the types for which `has` holds.
template <typename Predicate>
std::set<std::string> types_where(Predicate has) {
  std::set<std::string> names;
  for (const MessageRule& rule : kMessageRules)
    if (has(rule)) names.emplace(rule.name);
  return names;
}

}  // namespace

TEST_CASE("the numbers are the protocol's, and every other number is none", "[message_rules]") {
  const std::set<std::int32_t> numbers{0, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 18, 19, 20, 21, 22, 23, 24};
  for (std::int32_t number = -300; number < 300; ++number) {
    const MessageRule* rule = find_message_rule(number);
    REQUIRE((rule != nullptr) == numbers.contains(number));
    REQUIRE(to_message_type(number).has_value() == numbers.contains(number));
    if (rule == nullptr) {
      CHECK(message_type_name(static_cast<MessageType>(number)) == "UNKNOWN");
      continue;
    }
    CHECK(static_cast<std::int32_t>(rule->type) == number);
    CHECK(&message_rule(rule->type) == rule);
    CHECK(message_type_name(rule->type) == rule->name);
  }
  CHECK(find_message_rule(INT32_MIN) == nullptr);
  CHECK(find_message_rule(INT32_MAX) == nullptr);
}

TEST_CASE("names are the protocol's", "[message_rules]") {
  CHECK(message_rule(MessageType::kScpMessage).name == "SCP_MESSAGE");
  CHECK(message_rule(MessageType::kGetScpQuorumset).name == "GET_SCP_QUORUMSET");
  CHECK(message_rule(MessageType::kTimeSlicedSurveyStopCollecting).name == "TIME_SLICED_SURVEY_STOP_COLLECTING");
}

TEST_CASE("only HELLO, AUTH and ERROR_MSG may come before the handshake is complete", "[message_rules]") {
  CHECK(types_where([](const MessageRule& rule) { return rule.is_before_auth; }) ==
        std::set<std::string>{"HELLO", "AUTH", "ERROR_MSG"});
}

TEST_CASE("four types spend credit, each with a queue of its own, SCP first and adverts last", "[message_rules]") {
  CHECK(types_where([](const MessageRule& rule) { return rule.is_flood(); }) ==
        std::set<std::string>{"SCP_MESSAGE", "TRANSACTION", "FLOOD_DEMAND", "FLOOD_ADVERT"});
  CHECK(message_rule(MessageType::kScpMessage).queue == FloodQueue::kScp);
  CHECK(message_rule(MessageType::kTransaction).queue == FloodQueue::kTransaction);
  CHECK(message_rule(MessageType::kFloodDemand).queue == FloodQueue::kDemand);
  CHECK(message_rule(MessageType::kFloodAdvert).queue == FloodQueue::kAdvert);
  CHECK(FloodQueue::kScp < FloodQueue::kTransaction);
  CHECK(FloodQueue::kTransaction < FloodQueue::kDemand);
  CHECK(FloodQueue::kDemand < FloodQueue::kAdvert);
}

TEST_CASE("transactions and what announces them are ignored out of sync", "[message_rules]") {
  CHECK(types_where([](const MessageRule& rule) { return rule.is_ignored_out_of_sync; }) ==
        std::set<std::string>{"TRANSACTION", "FLOOD_ADVERT", "FLOOD_DEMAND"});
}

TEST_CASE("each query is limited on its own", "[message_rules]") {
  CHECK(types_where([](const MessageRule& rule) { return rule.query.has_value(); }) ==
        std::set<std::string>{"GET_TX_SET", "GET_SCP_QUORUMSET", "GET_SCP_STATE"});
  CHECK(message_rule(MessageType::kGetTxSet).query == QueryKind::kTxSet);
  CHECK(message_rule(MessageType::kGetScpQuorumset).query == QueryKind::kScpQuorumset);
  CHECK(message_rule(MessageType::kGetScpState).query == QueryKind::kScpState);
}

TEST_CASE("what is flooded by content has a flood hash", "[message_rules]") {
  const std::set<std::string> survey{"TIME_SLICED_SURVEY_REQUEST", "TIME_SLICED_SURVEY_RESPONSE",
                                     "TIME_SLICED_SURVEY_START_COLLECTING", "TIME_SLICED_SURVEY_STOP_COLLECTING"};
  std::set<std::string> hashed = survey;
  hashed.insert({"SCP_MESSAGE", "TRANSACTION"});
  CHECK(types_where([](const MessageRule& rule) { return rule.is_survey; }) == survey);
  CHECK(types_where([](const MessageRule& rule) { return rule.has_flood_hash; }) == hashed);
}
