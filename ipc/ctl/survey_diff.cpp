#include "ipc/ctl/survey_diff.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>

#include "core/crypto/strkey.h"

namespace overlayd::ipc::ctl {
namespace {

// Half of the links have at most so much, those that were not measured left aside.
std::uint64_t median_latency_ms(const SurveyNode& node) {
  std::vector<std::uint32_t> values;
  for (const auto* links : {&node.inbound, &node.outbound}) {
    for (const SurveyedLink& link : *links)
      if (link.average_latency_ms != 0) values.push_back(link.average_latency_ms);
  }
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// Of the flooded messages that came, how many of a hundred had come before.
std::uint64_t duplicate_percent(const SurveyNode& node) {
  double unique = 0;
  double duplicate = 0;
  for (const auto* links : {&node.inbound, &node.outbound}) {
    for (const SurveyedLink& link : *links) {
      unique += static_cast<double>(link.unique_flood_messages);
      duplicate += static_cast<double>(link.duplicate_flood_messages);
    }
  }
  return unique + duplicate == 0 ? 0 : static_cast<std::uint64_t>(100 * duplicate / (unique + duplicate));
}

struct DiffNumber {
  const char* name;
  std::uint64_t (*value)(const SurveyNode&);  // of a node that answered
  std::uint64_t change_min;                   // 0: a setting, of which every change counts
};
constexpr std::array<DiffNumber, 11> kDiffNumbers{
    {{"numTotalInboundPeers", [](const SurveyNode& n) -> std::uint64_t { return n.stats->total_inbound; }, 4},
     {"numTotalOutboundPeers", [](const SurveyNode& n) -> std::uint64_t { return n.stats->total_outbound; }, 2},
     {"addedAuthenticatedPeers", [](const SurveyNode& n) -> std::uint64_t { return n.stats->added_peers; }, 10},
     {"droppedAuthenticatedPeers", [](const SurveyNode& n) -> std::uint64_t { return n.stats->dropped_peers; }, 10},
     {"p75SCPFirstToSelfLatencyMs",
      [](const SurveyNode& n) -> std::uint64_t { return n.stats->p75_scp_first_to_self_ms; }, 100},
     {"p75SCPSelfToOtherLatencyMs",
      [](const SurveyNode& n) -> std::uint64_t { return n.stats->p75_scp_self_to_other_ms; }, 100},
     {"lostSyncCount", [](const SurveyNode& n) -> std::uint64_t { return n.stats->lost_sync_count; }, 1},
     {"maxInboundPeerCount", [](const SurveyNode& n) -> std::uint64_t { return n.stats->max_inbound; }, 0},
     {"maxOutboundPeerCount", [](const SurveyNode& n) -> std::uint64_t { return n.stats->max_outbound; }, 0},
     {"medianLatencyMs", median_latency_ms, 50},
     {"duplicateFloodPercent", duplicate_percent, 20}}};

bool is_notable(const DiffNumber& number, std::uint64_t before, std::uint64_t after) {
  const auto [low, high] = std::minmax(before, after);
  if (number.change_min == 0) return low != high;
  return high - low >= number.change_min && high - low >= low;  // the same as: at least twice as much
}

bool is_complete(const SurveyNode& node) { return node.state == SurveyNodeState::kComplete; }

bool is_telling(const SurveyResult& result, const NodeId& id) {
  const SurveyNode* node = find_node(result, id);
  return node != nullptr && is_complete(*node);
}

bool tells_of_links(const SurveyResult& result, const SurveyDiff::Link& link) {
  return is_telling(result, link.first) || is_telling(result, link.second);
}

std::set<SurveyDiff::Link> pairs_of(const SurveyResult& result) {
  std::set<SurveyDiff::Link> pairs;
  for (const SurveyLink& link : survey_links(result)) pairs.insert(std::minmax(link.dialler, link.acceptor));
  return pairs;
}

// Those of `some` that are not among `others`, if the result of the others could have had them.
std::vector<SurveyDiff::Link> only_in(const std::set<SurveyDiff::Link>& some, const std::set<SurveyDiff::Link>& others,
                                      const SurveyResult& result_of_others, std::uint64_t& uncertain) {
  std::vector<SurveyDiff::Link> found;
  std::ranges::set_difference(some, others, std::back_inserter(found));
  uncertain += std::erase_if(found, [&](const auto& link) { return !tells_of_links(result_of_others, link); });
  return found;
}

// Nodes of `some` that are not in `others`, if others would have them: all there told of all their links, or all did that
// the node has a link with here.
std::vector<NodeId> only_in(const SurveyResult& some, const std::set<SurveyDiff::Link>& links_of_some,
                            const SurveyResult& others, std::uint64_t& uncertain) {
  std::map<NodeId, bool> would_be_named;  // of those with links
  for (const auto& [a, b] : links_of_some) {
    for (const auto& [id, other] : {std::pair(a, b), std::pair(b, a)})
      would_be_named.try_emplace(id, true).first->second &= is_telling(others, other);
  }
  std::vector<NodeId> found;
  for (const SurveyNodePtr& node : some.nodes) {
    if (find_node(others, node->node) != nullptr) continue;
    const auto known = would_be_named.find(node->node);
    if (is_whole(others) || (known != would_be_named.end() && known->second))
      found.push_back(node->node);
    else
      ++uncertain;
  }
  return found;
}

void compare(const SurveyNode& before, const SurveyNode& after, SurveyDiff& diff) {
  const NodeId& id = after.node;
  if (is_complete(before) != is_complete(after))
    diff.states.push_back({id, std::string(reason_of(before)), std::string(reason_of(after))});
  if (before.version != after.version && !before.version.empty() && !after.version.empty())
    diff.versions.push_back({id, before.version, after.version});
  if (!before.stats || !after.stats) return;
  for (const DiffNumber& number : kDiffNumbers) {
    const std::uint64_t old_value = number.value(before);
    const std::uint64_t new_value = number.value(after);
    if (is_notable(number, old_value, new_value)) diff.numbers.push_back({id, number.name, old_value, new_value});
  }
}

std::string strkey(const NodeId& id) { return crypto::encode_node_id(id); }

Json ids_json(const std::vector<NodeId>& ids) {
  Json out = Json::array();
  for (const NodeId& id : ids) out.push_back(strkey(id));
  return out;
}

Json links_json(const std::vector<SurveyDiff::Link>& links) {
  Json out = Json::array();
  for (const auto& [a, b] : links) out.push_back({strkey(a), strkey(b)});
  return out;
}

template <typename Change>
Json change_json(const Change& change) {
  return {{"nodeId", strkey(change.node)}, {"before", change.before}, {"after", change.after}};
}

using Rows = std::vector<std::vector<std::string>>;

// A title with the count, and the rows; nothing without rows.
void add_section(const std::string& title, const Rows& rows, std::string& out) {
  if (rows.empty()) return;
  out.append(out.empty() ? "" : "\n").append(title).append(": ").append(std::to_string(rows.size())).append("\n");
  out += table_text(rows);
}

Rows rows_of(const std::vector<NodeId>& ids) {
  Rows rows;
  for (const NodeId& id : ids) rows.push_back({"  " + strkey(id)});
  return rows;
}

Rows rows_of(const std::vector<SurveyDiff::Link>& links) {
  Rows rows;
  for (const auto& [a, b] : links) rows.push_back({"  " + strkey(a), strkey(b)});
  return rows;
}

Rows rows_of(const std::vector<SurveyDiff::Text>& changes) {
  Rows rows;
  for (const auto& change : changes) rows.push_back({"  " + strkey(change.node), change.before, "->", change.after});
  return rows;
}

Rows rows_of(const std::vector<SurveyDiff::Number>& changes) {
  Rows rows;
  for (const auto& change : changes) {
    rows.push_back(
        {"  " + strkey(change.node), change.name, std::to_string(change.before), "->", std::to_string(change.after)});
  }
  return rows;
}

}  // namespace

SurveyDiff survey_diff(const SurveyResult& before, const SurveyResult& after) {
  SurveyDiff diff;
  for (const SurveyNodePtr& node : after.nodes) {
    const SurveyNode* old = find_node(before, node->node);
    if (old != nullptr) compare(*old, *node, diff);
  }
  const auto old_links = pairs_of(before);
  const auto new_links = pairs_of(after);
  diff.nodes_came = only_in(after, new_links, before, diff.nodes_uncertain);
  diff.nodes_went = only_in(before, old_links, after, diff.nodes_uncertain);
  diff.links_came = only_in(new_links, old_links, before, diff.links_uncertain);
  diff.links_went = only_in(old_links, new_links, after, diff.links_uncertain);
  return diff;
}

Json diff_json(const SurveyDiff& diff) {
  Json states = Json::array();
  for (const auto& change : diff.states) states.push_back(change_json(change));
  Json versions = Json::array();
  for (const auto& change : diff.versions) versions.push_back(change_json(change));
  Json numbers = Json::array();
  for (const auto& change : diff.numbers) {
    Json object = change_json(change);
    object["name"] = change.name;
    numbers.push_back(std::move(object));
  }
  return {{"nodesCame", ids_json(diff.nodes_came)},   {"nodesWent", ids_json(diff.nodes_went)},
          {"nodesUncertain", diff.nodes_uncertain},   {"answersChanged", std::move(states)},
          {"linksCame", links_json(diff.links_came)}, {"linksWent", links_json(diff.links_went)},
          {"linksUncertain", diff.links_uncertain},   {"versionsChanged", std::move(versions)},
          {"numbersChanged", std::move(numbers)}};
}

std::string diff_text(const SurveyDiff& diff) {
  std::string out;
  add_section("Nodes that came", rows_of(diff.nodes_came), out);
  add_section("Nodes that went", rows_of(diff.nodes_went), out);
  add_section("Answers that changed", rows_of(diff.states), out);
  add_section("Links that came", rows_of(diff.links_came), out);
  add_section("Links that went", rows_of(diff.links_went), out);
  add_section("Versions that changed", rows_of(diff.versions), out);
  add_section("Numbers that changed much", rows_of(diff.numbers), out);
  const std::array uncertain{std::pair("Nodes", diff.nodes_uncertain), std::pair("Links", diff.links_uncertain)};
  for (const auto& [what, count] : uncertain) {
    if (count == 0) continue;
    out.append(out.empty() ? "" : "\n").append(what).append(" of which one of the two results can say nothing: ");
    out.append(std::to_string(count)).append("\n");
  }
  return out.empty() ? "No difference.\n" : out;
}

}  // namespace overlayd::ipc::ctl
