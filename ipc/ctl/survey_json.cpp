#include "ipc/ctl/survey_json.h"

#include <algorithm>

#include "core/crypto/strkey.h"
#include "ipc/ctl/survey_fields.h"

namespace overlayd::ipc::ctl {
namespace {

using Sorted = nlohmann::json;  // as stellar-core's, and quick with 10,000 keys

Sorted value_of(bool value) { return value; }
Sorted value_of(std::uint32_t value) { return value; }
Sorted value_of(std::uint64_t value) { return value; }
Sorted value_of(const std::string& value) { return value; }
Sorted value_of(UnixTime value) { return value.seconds; }
Sorted value_of(const NodeId& value) { return value.is_zero() ? Sorted() : Sorted(crypto::encode_node_id(value)); }
Sorted value_of(const std::optional<Duration>& value) {
  return value ? Sorted(std::chrono::duration_cast<milliseconds>(*value).count()) : Sorted();
}
template <typename Enum>
requires std::is_enum_v<Enum> Sorted value_of(Enum value) { return word_of(value); }

auto adding_to(Sorted& object) {
  return [&object](const char* name, const auto& value) { object[name] = value_of(value); };
}

Sorted links_json(const std::vector<SurveyedLink>& links) {
  Sorted out = Sorted::array();
  for (const SurveyedLink& link : links) {
    Sorted object{{"nodeId", crypto::encode_node_id(link.node)}, {"version", link.version}};
    visit_counters(link, adding_to(object));
    out.push_back(std::move(object));
  }
  return out;
}

Sorted ids_json(const std::vector<NodeId>& ids) {
  Sorted out = Sorted::array();
  for (const NodeId& id : ids) out.push_back(crypto::encode_node_id(id));
  return out;
}

Sorted topology_json(const SurveyResult& result) {
  Sorted topology = Sorted::object();
  for (const SurveyNodePtr& node : result.nodes) {
    const bool is_asked =
        node->requests > 0 || node->state == SurveyNodeState::kWaiting || node->state == SurveyNodeState::kAsked;
    if (!node->stats && !is_asked) continue;
    Sorted& object = topology[crypto::encode_node_id(node->node)];
    if (!node->stats) continue;
    visit_stats(*node->stats, adding_to(object));
    object["inboundPeers"] = links_json(node->inbound);
    object["outboundPeers"] = links_json(node->outbound);
  }
  return topology;
}

Sorted own_json(const SurveyResult& result) {
  Sorted own{{"format", kSurveyFormat}};
  visit_status(result.status, adding_to(own));
  Sorted nodes = Sorted::object();
  for (const SurveyNodePtr& node : result.nodes) {
    Sorted& object = nodes[crypto::encode_node_id(node->node)];
    visit_node(*node, adding_to(object));
    object["namedBy"] = ids_json(node->named_by);
  }
  own["nodes"] = std::move(nodes);
  Sorted list = Sorted::array();
  for (const SurveyNode* node : unanswered(result)) {
    std::string problem(reason_of(*node));
    std::ranges::replace(problem, ' ', '_');
    list.push_back({{"nodeId", crypto::encode_node_id(node->node)},
                    {"problem", problem},
                    {"detail", node->detail},
                    {"requests", node->requests},
                    {"namedBy", ids_json(node->named_by)}});
  }
  own["unanswered"] = std::move(list);
  return own;
}

// "phaseBegan" as "phase_began".
std::string with_underscores(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    if (is_upper) out += '_';
    out += is_upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

}  // namespace

std::string survey_json(const SurveyResult& result) {
  Sorted backlog = Sorted::array();
  Sorted bad = Sorted::array();
  for (const SurveyNodePtr& node : result.nodes) {
    if (node->state == SurveyNodeState::kWaiting) backlog.push_back(crypto::encode_node_id(node->node));
    if (node->bad_responses > 0) bad.push_back(crypto::encode_node_id(node->node));
  }
  const Sorted whole{{"surveyInProgress", result.status.is_asking},
                     {"backlog", std::move(backlog)},
                     {"badResponseNodes", std::move(bad)},
                     {"topology", topology_json(result)},
                     {"overlayd", own_json(result)}};
  return whole.dump(-1, ' ', false, Sorted::error_handler_t::replace);
}

Json survey_status_json(const SurveyStatus& status) {
  Json out = Json::object();
  visit_status(status, [&out](const char* name, const auto& value) { out[with_underscores(name)] = value_of(value); });
  return out;
}

}  // namespace overlayd::ipc::ctl
