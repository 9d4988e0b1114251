#include "ipc/ctl/survey_result.h"

#include <algorithm>
#include <map>

#include "core/crypto/strkey.h"
#include "core/limits.h"

namespace overlayd::ipc::ctl {
namespace {

namespace v1 = ::overlay::v1;

NodeId to_node_id(std::string_view bytes) {
  NodeId id;
  if (bytes.size() == id.bytes.size()) std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  return id;
}

// The contract's enumerations begin with "unspecified"; what a later daemon may add becomes the first of ours.
template <typename Enum>
Enum to_enum_of(int number, Enum last) {
  const int value = number - 1;
  return value >= 0 && value <= static_cast<int>(last) ? static_cast<Enum>(value) : Enum{};
}

SurveyedNode to_stats(const v1::SurveyedNode& stats) {
  return {.added_peers = stats.added_authenticated_peers(),
          .dropped_peers = stats.dropped_authenticated_peers(),
          .total_inbound = stats.total_inbound_peers(),
          .total_outbound = stats.total_outbound_peers(),
          .p75_scp_first_to_self_ms = stats.p75_scp_first_to_self_latency_ms(),
          .p75_scp_self_to_other_ms = stats.p75_scp_self_to_other_latency_ms(),
          .lost_sync_count = stats.lost_sync_count(),
          .is_validator = stats.is_validator(),
          .max_inbound = stats.max_inbound_peers(),
          .max_outbound = stats.max_outbound_peers()};
}

SurveyedLink to_link(const v1::SurveyedLink& link) {
  return {.node = to_node_id(link.node_id()),
          .version = link.version(),
          .messages_read = link.messages_read(),
          .messages_written = link.messages_written(),
          .bytes_read = link.bytes_read(),
          .bytes_written = link.bytes_written(),
          .seconds_connected = link.seconds_connected(),
          .unique_flood_bytes = link.unique_flood_bytes(),
          .duplicate_flood_bytes = link.duplicate_flood_bytes(),
          .unique_fetch_bytes = link.unique_fetch_bytes(),
          .duplicate_fetch_bytes = link.duplicate_fetch_bytes(),
          .unique_flood_messages = link.unique_flood_messages(),
          .duplicate_flood_messages = link.duplicate_flood_messages(),
          .unique_fetch_messages = link.unique_fetch_messages(),
          .duplicate_fetch_messages = link.duplicate_fetch_messages(),
          .average_latency_ms = link.average_latency_ms()};
}

SurveyNode to_node(const v1::SurveyNode& node) {
  SurveyNode out{.node = to_node_id(node.node_id()),
                 .state = to_enum_of(node.state(), SurveyNodeState::kFailed),
                 .problem = to_enum_of(node.problem(), SurveyProblem::kNotAsked),
                 .detail = node.detail(),
                 .version = node.version(),
                 .requests = node.requests(),
                 .bad_responses = node.bad_responses()};
  if (node.has_stats()) out.stats = to_stats(node.stats());
  for (const auto& link : node.inbound()) out.inbound.push_back(to_link(link));
  for (const auto& link : node.outbound()) out.outbound.push_back(to_link(link));
  for (const auto& namer : node.named_by()) out.named_by.push_back(to_node_id(namer));
  return out;
}

// Sorted, each node once: the first that came counts.
void tidy(std::vector<SurveyedLink>& links) {
  std::ranges::stable_sort(links, {}, &SurveyedLink::node);
  const auto is_same = [](const SurveyedLink& a, const SurveyedLink& b) { return a.node == b.node; };
  links.erase(std::unique(links.begin(), links.end(), is_same), links.end());
  for (SurveyedLink& link : links) link.version = printable_text(link.version);
}

bool tells_all(const SurveyResult& result, const NodeId& id) {
  const SurveyNode* node = find_node(result, id);
  return node != nullptr && node->state == SurveyNodeState::kComplete;
}

}  // namespace

const char* agreement_text(LinkAgreement agreement) {
  switch (agreement) {
    case LinkAgreement::kConfirmed: return "confirmed";
    case LinkAgreement::kOneSided: return "one_sided";
    case LinkAgreement::kDenied: return "denied";
  }
  return "unknown";
}

std::uint64_t SurveyLink::bytes_to_acceptor() const {
  return of_dialler != nullptr ? of_dialler->bytes_written : of_acceptor != nullptr ? of_acceptor->bytes_read : 0;
}

std::uint64_t SurveyLink::bytes_to_dialler() const {
  return of_acceptor != nullptr ? of_acceptor->bytes_written : of_dialler != nullptr ? of_dialler->bytes_read : 0;
}

std::uint32_t SurveyLink::latency_ms() const {
  const std::uint32_t first = of_dialler == nullptr ? 0 : of_dialler->average_latency_ms;
  return first != 0 || of_acceptor == nullptr ? first : of_acceptor->average_latency_ms;
}

std::vector<SurveyLink> survey_links(const SurveyResult& result) {
  std::map<std::pair<NodeId, NodeId>, SurveyLink> found;
  for (const SurveyNodePtr& node : result.nodes) {
    for (const SurveyedLink& link : node->outbound) found[{node->node, link.node}].of_dialler = &link;
    for (const SurveyedLink& link : node->inbound) found[{link.node, node->node}].of_acceptor = &link;
  }
  std::vector<SurveyLink> links;
  links.reserve(found.size());
  for (auto& [ends, link] : found) {
    link.dialler = ends.first;
    link.acceptor = ends.second;
    if (link.of_dialler == nullptr || link.of_acceptor == nullptr) {
      const NodeId& other = link.of_dialler == nullptr ? link.dialler : link.acceptor;
      link.agreement = tells_all(result, other) ? LinkAgreement::kDenied : LinkAgreement::kOneSided;
    }
    links.push_back(link);
  }
  return links;
}

std::vector<NodeId> unlisted_ends(const SurveyResult& result, const std::vector<SurveyLink>& links) {
  std::vector<NodeId> ends;
  for (const SurveyLink& link : links) {
    for (const NodeId& end : {link.dialler, link.acceptor})
      if (find_node(result, end) == nullptr) ends.push_back(end);
  }
  std::ranges::sort(ends);
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  return ends;
}

const SurveyNode* find_node(const SurveyResult& result, const NodeId& id) {
  const auto id_of = [](const SurveyNodePtr& node) -> const NodeId& { return node->node; };
  const auto at = std::ranges::lower_bound(result.nodes, id, {}, id_of);
  return at != result.nodes.end() && (*at)->node == id ? at->get() : nullptr;
}

std::vector<const SurveyNode*> unanswered(const SurveyResult& result) {
  std::vector<const SurveyNode*> nodes;
  for (const SurveyNodePtr& node : result.nodes)
    if (node->state != SurveyNodeState::kComplete) nodes.push_back(node.get());
  return nodes;
}

bool is_whole(const SurveyResult& result) {
  return result.status.run == SurveyRun::kDone && result.status.nodes_refused == 0 && unanswered(result).empty();
}

std::string_view reason_of(const SurveyNode& node) {
  switch (node.problem) {
    case SurveyProblem::kNone: break;
    case SurveyProblem::kSilent: return "silent";
    case SurveyProblem::kUnpermitted: return "unpermitted";
    case SurveyProblem::kTruncated: return "truncated";
    case SurveyProblem::kBad: return "bad";
    case SurveyProblem::kNotAsked: return "not asked";
  }
  switch (node.state) {
    case SurveyNodeState::kFound: return "not asked";
    case SurveyNodeState::kWaiting: return "waiting";
    case SurveyNodeState::kAsked: return "asked";
    case SurveyNodeState::kComplete: return "complete";
    case SurveyNodeState::kFailed: return "failed";
  }
  return "unknown";
}

Result<SurveyResult> make_result(SurveyStatus status, std::vector<SurveyNode> nodes) {
  if (nodes.size() > limits::kSurveyNodesMax)
    return Failure{"it has more than " + std::to_string(limits::kSurveyNodesMax) + " nodes"};
  SurveyResult result{.status = std::move(status), .nodes = {}};
  result.status.why = printable_text(result.status.why);
  std::ranges::sort(nodes, {}, &SurveyNode::node);
  std::size_t links = 0;
  for (SurveyNode& node : nodes) {
    const std::string text = crypto::encode_node_id(node.node);
    if (!result.nodes.empty() && result.nodes.back()->node == node.node) return Failure{text + " is there twice"};
    if (std::max(node.inbound.size(), node.outbound.size()) > limits::kSurveyLinksMax)
      return Failure{text + " has more than " + std::to_string(limits::kSurveyLinksMax) + " links in a direction"};
    links += node.inbound.size() + node.outbound.size();
    if (links > limits::kSurveyTotalLinksMax)
      return Failure{"it has more than " + std::to_string(limits::kSurveyTotalLinksMax) + " links"};
    tidy(node.inbound);
    tidy(node.outbound);
    node.named_by.resize(std::min(node.named_by.size(), limits::kSurveyNamersMax));
    node.detail = printable_text(node.detail);
    node.version = printable_text(node.version);
    result.nodes.push_back(std::make_shared<const SurveyNode>(std::move(node)));
  }
  return result;
}

Result<SurveyResult> to_result(const v1::SurveyStatus& status, std::span<const v1::SurveyNode> nodes) {
  std::vector<SurveyNode> values;
  values.reserve(nodes.size());
  for (const v1::SurveyNode& node : nodes) {
    if (node.node_id().size() != NodeId{}.bytes.size())
      return Failure{"the daemon's result names a node without its id"};
    values.push_back(to_node(node));
  }
  auto result = make_result(to_status(status), std::move(values));
  if (!result) return Failure{"the daemon's result cannot be used: " + result.error()};
  return result;
}

SurveyStatus to_status(const v1::SurveyStatus& status) {
  SurveyStatus out{.phase = to_enum_of(status.phase(), SurveyPhase::kReporting),
                   .surveyor = to_node_id(status.surveyor()),
                   .nonce = status.nonce(),
                   .phase_began = {status.phase_began_unix()},
                   .phase_ends = {status.phase_ends_unix()},
                   .is_ours = status.is_ours(),
                   .has_result = status.has_result(),
                   .result_nonce = status.result_nonce(),
                   .is_asking = status.is_asking(),
                   .run = to_enum_of(status.run(), SurveyRun::kEnded),
                   .why = printable_text(status.why()),
                   .run_began = {status.run_began_unix()},
                   .rival = to_node_id(status.rival()),
                   .nodes_found = status.nodes_found(),
                   .nodes_complete = status.nodes_complete(),
                   .nodes_failed = status.nodes_failed(),
                   .nodes_waiting = status.nodes_waiting(),
                   .nodes_asked = status.nodes_asked(),
                   .nodes_refused = status.nodes_refused(),
                   .links_found = status.links_found(),
                   .requests_sent = status.requests_sent(),
                   .responses = status.responses(),
                   .bad_responses = status.bad_responses()};
  constexpr std::uint64_t kDayMs = 86'400'000;  // more than a survey lasts: no number overflows a Duration
  if (status.has_time_left_ms()) out.time_left = milliseconds(std::min(status.time_left_ms(), kDayMs));
  return out;
}

std::string printable_text(std::string_view text) {
  std::string out(text.substr(0, kSurveyTextMax));
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return out;
}

}  // namespace overlayd::ipc::ctl
