#include "core/book/link_journal.h"

#include <algorithm>

#include "core/book/address.h"
#include "core/check.h"

namespace overlayd::book {
namespace {

constexpr std::size_t kErrorTextMax = 100;  // ERROR_MSG's string<100>
constexpr std::size_t kDetailMax = 200;

}  // namespace

bool is_peer(const PeerSubject& peer, const NodeId& node, const PeerAddress& address) {
  if (const auto* wanted = std::get_if<NodeId>(&peer)) return !node.is_zero() && *wanted == node;
  const auto& wanted = std::get<PeerAddress>(peer);
  return is_same_ip(wanted, address) && (wanted.port == 0 || wanted.port == address.port);
}

void LinkJournal::add(ClosedLink closed) {
  closed.error_text.resize(std::min(closed.error_text.size(), kErrorTextMax));
  closed.detail.resize(std::min(closed.detail.size(), kDetailMax));
  const std::uint64_t number = next_number_++;
  add_to_totals(closed, number);
  std::deque<Entry>& ring = closed.last.is_authenticated ? authenticated_ : others_;
  ring.push_back({number, std::move(closed)});
  if (ring.size() > options_.links_max) ring.pop_front();
}

void LinkJournal::add_to_totals(const ClosedLink& closed, std::uint64_t number) {
  const PeerSnapshot& last = closed.last;
  auto found = totals_.find(last.node);
  if (last.node.is_zero() || (!last.is_authenticated && found == totals_.end())) return;
  if (found == totals_.end()) found = totals_.emplace(last.node, Totals{}).first;
  PeerTotals& totals = found->second.totals;
  ++totals.links;
  totals.messages_read += last.messages_read;
  totals.messages_written += last.messages_written;
  totals.bytes_read += last.bytes_read;
  totals.bytes_written += last.bytes_written;
  if (!last.is_authenticated) return;
  ++totals.authenticated_links;
  totals.node = last.node;
  totals.address = last.address;
  totals.connected += last.connected_for;
  totals.last_closed = closed.closed;
  totals.last_reason = closed.reason;
  totals_order_.erase(found->second.number);
  found->second.number = number;
  totals_order_[number] = last.node;
  if (totals_.size() <= options_.totals_max) return;
  totals_.erase(totals_order_.begin()->second);
  totals_order_.erase(totals_order_.begin());
}

std::vector<ClosedLink> LinkJournal::collect(std::size_t limit,
                                             const std::function<bool(const ClosedLink&)>& is_wanted) const {
  std::vector<ClosedLink> links;
  auto one = authenticated_.rbegin();
  auto other = others_.rbegin();
  while (links.size() < limit && (one != authenticated_.rend() || other != others_.rend())) {
    const bool is_first = other == others_.rend() || (one != authenticated_.rend() && one->number > other->number);
    const Entry& next = is_first ? *one++ : *other++;
    if (is_wanted(next.link)) links.push_back(next.link);
  }
  return links;
}

std::vector<ClosedLink> LinkJournal::latest(std::size_t limit) const {
  return collect(limit, [](const ClosedLink&) { return true; });
}

std::vector<ClosedLink> LinkJournal::latest_of(const PeerSubject& peer, std::size_t limit) const {
  return collect(limit, [&](const ClosedLink& link) { return is_peer(peer, link.last.node, link.last.address); });
}

std::vector<PeerTotals> LinkJournal::totals_of(const PeerSubject& peer) const {
  std::vector<PeerTotals> found;
  for (const auto& [node, entry] : totals_)
    if (is_peer(peer, node, entry.totals.address)) found.push_back(entry.totals);
  return found;
}

void LinkJournal::check_invariants() const {
  OVERLAYD_CHECK(authenticated_.size() <= options_.links_max && others_.size() <= options_.links_max);
  OVERLAYD_CHECK(totals_.size() <= options_.totals_max && totals_.size() == totals_order_.size());
  for (const auto& [number, node] : totals_order_) OVERLAYD_CHECK(totals_.at(node).number == number);
}

}  // namespace overlayd::book
