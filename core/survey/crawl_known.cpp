// What is told of a crawl.
#include <algorithm>

#include "core/check.h"
#include "core/survey/crawl.h"

namespace overlayd::survey {

std::size_t Crawl::requests_left() const {
  const auto pages_after = [](const Entry& entry) -> std::size_t {
    if (!entry.node->stats) return 0;
    const auto left = [](std::uint32_t total, std::uint32_t next) -> std::size_t {
      const std::size_t kept = std::min<std::size_t>(total, limits::kSurveyLinksMax);
      return kept > next ? (kept - next - 1) / limits::kSurveyLinksPerPage : 0;
    };
    return std::max(left(entry.node->stats->total_inbound, entry.next_inbound),
                    left(entry.node->stats->total_outbound, entry.next_outbound));
  };
  std::size_t left = by_clients_.size();
  for (const Order& order : waiting_) {
    const Entry& entry = entries_.at(order.second);
    left += entry.attempts == 0 ? 1 + pages_after(entry) : limits::kSurveyAttemptsMax - entry.attempts;
  }
  for (const NodeId& node : asked_) {
    const Entry& entry = entries_.at(node);
    left += entry.attempts == 1 ? pages_after(entry) : limits::kSurveyAttemptsMax - entry.attempts;
  }
  return left;
}

void Crawl::count(SurveyStatus& status) const {
  status.nodes_found = static_cast<std::uint32_t>(entries_.size());
  status.nodes_complete = complete_;
  status.nodes_failed = failed_;
  status.nodes_waiting = static_cast<std::uint32_t>(waiting_.size() + by_clients_.size());
  status.nodes_asked = static_cast<std::uint32_t>(asked_.size());
  status.nodes_refused = refused_;
  status.links_found = links_;
}

std::vector<SurveyNodePtr> Crawl::nodes() const {
  std::vector<SurveyNodePtr> nodes;
  nodes.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) nodes.push_back(entry.node);
  return nodes;
}

SurveyNodePtr Crawl::find(const NodeId& node) const {
  const auto found = entries_.find(node);
  return found == entries_.end() ? nullptr : found->second.node;
}

SurveyNodeRecord Crawl::record(const NodeId& node) const {
  const Entry& entry = entries_.at(node);
  return {*entry.node, entry.rank, entry.next_inbound, entry.next_outbound};
}

std::vector<NodeId> Crawl::take_changed() {
  std::vector<NodeId> changed(changed_.begin(), changed_.end());
  changed_.clear();
  return changed;
}

void Crawl::check_invariants() const {
  OVERLAYD_CHECK(entries_.size() <= limits::kSurveyNodesMax);
  OVERLAYD_CHECK(by_clients_.size() <= limits::kSurveyQueueMax);
  OVERLAYD_CHECK(links_held_ <= limits::kSurveyTotalLinksMax);
  std::size_t complete = 0;
  std::size_t waiting = 0;
  std::size_t asked = 0;
  for (const auto& [id, entry] : entries_) {
    const SurveyNode& node = *entry.node;
    OVERLAYD_CHECK(node.node == id);
    OVERLAYD_CHECK(node.inbound.size() <= limits::kSurveyLinksMax && node.outbound.size() <= limits::kSurveyLinksMax);
    complete += node.state == SurveyNodeState::kComplete ? 1 : 0;
    waiting += node.state == SurveyNodeState::kWaiting ? 1 : 0;
    asked += node.state == SurveyNodeState::kAsked ? 1 : 0;
  }
  OVERLAYD_CHECK(complete == complete_ && asked == asked_.size());
  OVERLAYD_CHECK(waiting == waiting_.size() + by_clients_.size());
}

}  // namespace overlayd::survey
