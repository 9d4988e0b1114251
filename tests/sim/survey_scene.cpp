#include "tests/sim/survey_scene.h"

#include <algorithm>

#include "core/check.h"
#include "tests/sim/seeds.h"

namespace overlayd::sim {
namespace {

NodeOptions options_of(const SurveyScene& scene, std::size_t index, const std::set<NodeId>& permitted) {
  NodeOptions options;
  if (scene.degree > 0) {
    // Room for some more: links that a test makes, and peers that mean harm.
    options.target_outbound = static_cast<std::uint32_t>(scene.degree / 2 + 2);
    options.max_inbound = static_cast<std::uint32_t>(scene.degree / 2 + 6);
  } else {
    options.target_outbound = options.max_inbound = limits::kInboundMax;
  }
  options.tx_pool_bytes_max = 1 << 20;
  options.is_answering_surveys = !scene.silent.contains(index);
  if (scene.is_by_keys) options.surveyor_keys = permitted;
  return options;
}

// Somebody whom nobody knows: a quorum, or a list of keys, that permits none of the nodes.
NodeId stranger() {
  NodeId node;
  node.bytes.fill(0xee);
  return node;
}

}  // namespace

SurveyNetwork::SurveyNetwork(const SurveyScene& scene)
    : scene_(scene), network_({.seed = scene.seed, .link = scene.link, .is_closed = true}) {
  for (const std::size_t surveyor : scene.surveyors) permitted_.insert(SimNetwork::id_of(surveyor));
  for (std::size_t i = 0; i < scene.nodes; ++i) {
    const bool is_willing = !scene.unwilling.contains(i);
    network_.add_node(options_of(scene, i, is_willing ? permitted_ : std::set{stranger()}));
    indices_.emplace(id(i), i);
  }
  if (scene.degree > 0) network_.connect_randomly(scene.degree);
  close_ledger();
  network_.every(limits::kCloseTime, [this] { close_ledger(); });
  if (scene.degree > 0) network_.run_for(seconds(3));
}

std::optional<std::size_t> SurveyNetwork::index_of(const NodeId& node) const {
  const auto found = indices_.find(node);
  return found == indices_.end() ? std::nullopt : std::optional(found->second);
}

// --- ledgers ------------------------------------------------------------------------------------------------------

LedgerView SurveyNetwork::view_of(std::size_t node) const {
  LedgerView view;
  view.sequence = sequence_;
  view.is_in_sync = !out_of_sync_.contains(node);
  if (!scene_.is_by_keys) view.quorum = scene_.unwilling.contains(node) ? std::set{stranger()} : permitted_;
  return view;
}

void SurveyNetwork::close_ledger() {
  ++sequence_;
  for (std::size_t i = 0; i < scene_.nodes; ++i)
    if (!held_.contains(i)) network_.give(i, LedgerUpdated{view_of(i), {}, {}});
}

void SurveyNetwork::set_in_sync(std::size_t node, bool is_in_sync) {
  if (is_in_sync)
    out_of_sync_.erase(node);
  else
    out_of_sync_.insert(node);
}

// --- processes ----------------------------------------------------------------------------------------------------

void SurveyNetwork::kill(std::size_t node) {
  auto& former = former_peers_[node];
  former.clear();
  for (const auto& [peer, event] : network_.node(node).authenticated_peers())
    if (const auto index = index_of(event.node)) former.emplace_back(*index, event.direction);
  network_.kill(node);
}

void SurveyNetwork::come_back(std::size_t node) {
  network_.restart(node);
  network_.give(node, LedgerUpdated{view_of(node), {}, {}});
  for (const auto& [peer, direction] : former_peers_[node]) {
    if (!network_.node(peer).is_alive()) continue;
    if (direction == Direction::kOutbound)
      network_.connect(node, peer);
    else
      network_.connect(peer, node);
  }
}

// --- clients ------------------------------------------------------------------------------------------------------

template <typename Order>
RequestAnswer SurveyNetwork::ask(std::size_t node, Order order) {
  order.request = RequestId{next_request_++};
  network_.give(node, order);
  const std::vector<RequestAnswer>& answers = network_.node(node).answers();
  const auto found = std::ranges::find(answers, order.request, &RequestAnswer::request);
  OVERLAYD_CHECK(found != answers.end());
  return *found;
}

template RequestAnswer SurveyNetwork::ask(std::size_t node, StartSurvey order);
template RequestAnswer SurveyNetwork::ask(std::size_t node, StopSurvey order);
template RequestAnswer SurveyNetwork::ask(std::size_t node, EndSurvey order);
template RequestAnswer SurveyNetwork::ask(std::size_t node, RunSurvey order);

RequestAnswer SurveyNetwork::request(std::size_t node, const NodeId& surveyed) {
  return ask(node, RequestSurvey{.request = {}, .node = surveyed});
}

bool SurveyNetwork::is_running(std::size_t node) const {
  const SurveyRun run = status(node).run;
  return run == SurveyRun::kCollecting || run == SurveyRun::kCrawling;
}

bool SurveyNetwork::run_to_end(std::size_t node, Duration limit) {
  return network_.run_until([this, node] { return !is_running(node); }, limit);
}

SurveyResult SurveyNetwork::result(std::size_t node) const {
  return network_.node(node).overlay().survey_result(network_.clock());
}

// --- links --------------------------------------------------------------------------------------------------------

LinkSet SurveyNetwork::links() const {
  LinkSet links;
  for (std::size_t i = 0; i < scene_.nodes; ++i)
    for (const auto& [peer, event] : network_.node(i).authenticated_peers()) {
      const auto other = index_of(event.node);
      if (other && event.direction == Direction::kOutbound) links.emplace(i, *other);
    }
  return links;
}

std::set<std::size_t> SurveyNetwork::peers_of(std::size_t node) const {
  std::set<std::size_t> peers;
  for (const auto& [peer, event] : network_.node(node).authenticated_peers())
    if (const auto other = index_of(event.node)) peers.insert(*other);
  return peers;
}

LinkSet SurveyNetwork::told_by_diallers(const SurveyResult& result) const {
  LinkSet links;
  for (const SurveyNodePtr& node : result.nodes)
    for (const SurveyedLink& link : node->outbound) {
      const auto from = index_of(node->node);
      const auto to = index_of(link.node);
      if (from && to) links.emplace(*from, *to);
    }
  return links;
}

LinkSet SurveyNetwork::told_by_dialled(const SurveyResult& result) const {
  LinkSet links;
  for (const SurveyNodePtr& node : result.nodes)
    for (const SurveyedLink& link : node->inbound) {
      const auto from = index_of(link.node);
      const auto to = index_of(node->node);
      if (from && to) links.emplace(*from, *to);
    }
  return links;
}

std::set<std::size_t> SurveyNetwork::reach(std::size_t from, const Passing& is_passing) const {
  std::set<std::size_t> seen{from};
  std::vector<std::size_t> passing{from};
  while (!passing.empty()) {
    const std::size_t at = passing.back();
    passing.pop_back();
    for (const std::size_t peer : peers_of(at))
      if (seen.insert(peer).second && is_passing(peer)) passing.push_back(peer);
  }
  return seen;
}

std::size_t SurveyNetwork::count_in(SurveyPhase phase) const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < scene_.nodes; ++i) {
    const SimNode& node = network_.node(i);
    if (node.is_alive() && node.overlay().survey_result({network_.now(), {}}).status.phase == phase) ++count;
  }
  return count;
}

std::vector<std::uint64_t> few_seeds(std::size_t count) {
  std::vector<std::uint64_t> few = seeds();
  few.resize(std::min(few.size(), count));
  return few;
}

// --- results ------------------------------------------------------------------------------------------------------

const SurveyNode* find(const SurveyResult& result, const NodeId& node) {
  const auto id_of = [](const SurveyNodePtr& other) -> const NodeId& { return other->node; };
  const auto found = std::ranges::lower_bound(result.nodes, node, {}, id_of);
  return found == result.nodes.end() || (*found)->node != node ? nullptr : found->get();
}

const SurveyedLink* find(const std::vector<SurveyedLink>& links, const NodeId& node) {
  const auto found = std::ranges::lower_bound(links, node, {}, &SurveyedLink::node);
  return found == links.end() || found->node != node ? nullptr : &*found;
}

std::size_t count(const SurveyResult& result, SurveyNodeState state, SurveyProblem problem) {
  return static_cast<std::size_t>(std::ranges::count_if(
      result.nodes, [&](const SurveyNodePtr& node) { return node->state == state && node->problem == problem; }));
}

std::string describe(const SurveyStatus& status) {
  std::string text = "run " + std::to_string(static_cast<int>(status.run));
  text += ", phase " + std::to_string(static_cast<int>(status.phase));
  text += ", found " + std::to_string(status.nodes_found) + ", complete " + std::to_string(status.nodes_complete);
  text += ", failed " + std::to_string(status.nodes_failed) + ", waiting " + std::to_string(status.nodes_waiting);
  text += ", asked " + std::to_string(status.nodes_asked) + ", refused " + std::to_string(status.nodes_refused);
  text += ", requests " + std::to_string(status.requests_sent) + ", responses " + std::to_string(status.responses);
  text += ", bad " + std::to_string(status.bad_responses);
  return text + (status.why.empty() ? "" : ", why: " + status.why);
}

}  // namespace overlayd::sim
