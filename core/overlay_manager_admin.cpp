// What the operator orders and asks: connect, disconnect, bans, and why a peer is or is not there.
#include <algorithm>

#include "core/book/address.h"
#include "core/overlay_manager.h"

namespace overlayd {
namespace {

void answer(RequestAnswer answer, Outputs& out) {
  if (answer.request.value != 0) out.emplace_back(std::move(answer));
}

}  // namespace

// --- links --------------------------------------------------------------------------------------------------------

void OverlayManager::on(const ConnectTo& connect, const Now& now, Outputs& out) {
  RequestAnswer result{.request = connect.request};
  const PeerAddress& address = connect.address;
  if (is_shutting_down_) {
    result = {.request = connect.request, .status = RequestStatus::kRefused, .why = "the daemon is stopping"};
  } else if (is_connected_to(address)) {
    result.status = RequestStatus::kDuplicate;
  } else if (bans_.find(address, now.unix_time) != nullptr) {
    result = {.request = connect.request, .status = RequestStatus::kRefused, .why = "the address is banned"};
  } else if (bans_.cools_down_for(address, now.instant) > Duration(0)) {
    result = {.request = connect.request,
              .status = RequestStatus::kRefused,
              .why = "the address was dropped a short time ago and cools down"};
  } else if (!dial(address, true, now, out)) {
    result = {.request = connect.request,
              .status = RequestStatus::kRefused,
              .why = "all pending outbound connections are taken"};
  }
  answer(std::move(result), out);
}

void OverlayManager::on(const Disconnect& disconnect, const Now& now, Outputs& out) {
  std::set<NodeId> nodes;
  std::set<PeerAddress> addresses;
  const auto is_concerned = [&](const NodeId& node, const PeerAddress& address) {
    return book::is_peer(disconnect.peer, node, address);
  };
  for (const auto& [id, peer] : peers_) {
    if (!is_concerned(peer->node(), peer->address())) continue;
    addresses.insert(peer->address());
    if (const auto dialled = outbound_.find(id); dialled != outbound_.end()) addresses.insert(dialled->second.address);
    // Before AUTH a node id may be somebody else's, replayed: that one is not to suffer for it.
    if (peer->is_authenticated()) nodes.insert(peer->node());
  }
  for (const auto& [id, dialled] : dialling_)
    if (is_concerned({}, dialled.address)) addresses.insert(dialled.address);
  if (addresses.empty()) return answer({.request = disconnect.request, .status = RequestStatus::kNotFound}, out);
  if (const auto* node = std::get_if<NodeId>(&disconnect.peer)) nodes = {*node};

  if (disconnect.ban && nodes.size() > 1) {
    return answer({.request = disconnect.request,
                   .status = RequestStatus::kRefused,
                   .why = "there are " + std::to_string(nodes.size()) +
                          " nodes at this address, and nothing was done: name one of them, or ban the address"},
                  out);
  }
  if (disconnect.ban) {
    const BanSubject subject =
        nodes.empty() ? BanSubject(Subnet::around(*addresses.begin(), 128)) : BanSubject(*nodes.begin());
    if (!ban_and_drop(subject, *disconnect.ban, disconnect.request, is_concerned, now, out)) return;
  } else {
    const std::uint32_t dropped = drop_all(is_concerned, DropReason::kOperator, now, out);
    answer({.request = disconnect.request, .links_dropped = dropped}, out);
  }
  const Instant until = now.instant + std::min(disconnect.cool_down, limits::kCoolDownMax);
  if (until <= now.instant) return;
  for (const NodeId& node : nodes) bans_.cool_down(node, until);
  for (const PeerAddress& address : addresses) bans_.cool_down(address, until);
}

// --- bans ---------------------------------------------------------------------------------------------------------

void OverlayManager::on(const BanPeers& order, const Now& now, Outputs& out) {
  const auto is_concerned = [&](const NodeId& node, const PeerAddress& address) {
    const auto* subnet = std::get_if<Subnet>(&order.subject);
    return subnet != nullptr ? subnet->contains(address) : !node.is_zero() && node == std::get<NodeId>(order.subject);
  };
  ban_and_drop(order.subject, order.terms, order.request, is_concerned, now, out);
}

bool OverlayManager::ban_and_drop(const BanSubject& subject, const BanTerms& terms, RequestId request,
                                  const LinkPredicate& is_concerned, const Now& now, Outputs& out) {
  const bool is_self = subject == BanSubject(options_.local.node_id);
  const Ban* ban = is_self ? nullptr : bans_.ban(subject, terms, now.unix_time);
  if (ban == nullptr) {
    answer({.request = request,
            .status = RequestStatus::kRefused,
            .why = is_self ? "that is this node"
                           : "there are " + std::to_string(limits::kBansMax) + " bans; lift one first"},
           out);
    return false;
  }
  const std::uint32_t dropped = drop_all(is_concerned, DropReason::kBanned, now, out);
  for (std::uint32_t i = 0; i < dropped; ++i) bans_.hit(subject, now.unix_time);
  out.emplace_back(StoreBan{*ban, request, dropped});
  return true;
}

void OverlayManager::on(const Unban& order, const Now&, Outputs& out) {
  if (!bans_.unban(order.subject)) return answer({.request = order.request, .status = RequestStatus::kNotFound}, out);
  out.emplace_back(EraseBan{order.subject, order.request});
}

void OverlayManager::on(const BanStored& stored, const Now&, Outputs& out) {
  answer({.request = stored.request, .links_dropped = stored.links_dropped, .why = stored.why}, out);
}

// --- what is known ------------------------------------------------------------------------------------------------

KnownPeerSnapshot OverlayManager::known_peer(const PeerRecord& record, const Now& now) const {
  return {.record = record,
          .is_configured = configured_addresses_.contains(record.address),
          .is_anchor = anchors_.contains(record.address),
          .is_banned = bans_.find(record.address, now.unix_time) != nullptr};
}

std::vector<KnownPeerSnapshot> OverlayManager::known_peers(const Now& now) const {
  std::set<PeerAddress> connected;
  for (const auto& [node, id] : by_node_) {
    connected.insert(find(id)->address());
    if (const auto dialled = outbound_.find(id); dialled != outbound_.end()) connected.insert(dialled->second.address);
  }
  std::vector<KnownPeerSnapshot> known;
  known.reserve(peer_book_.size());
  for (const PeerRecord& record : peer_book_.list()) {
    known.push_back(known_peer(record, now));
    known.back().is_connected = connected.contains(record.address);
  }
  return known;
}

PeerExplanation OverlayManager::explain(const PeerSubject& subject, const Now& now) const {
  PeerExplanation explanation;
  std::set<PeerAddress> addresses;
  std::set<NodeId> nodes;
  for (PeerSnapshot& snapshot : peers(now.instant)) {
    if (!book::is_peer(subject, snapshot.node, snapshot.address)) continue;
    addresses.insert(snapshot.address);
    nodes.insert(snapshot.node);
    explanation.open.push_back(std::move(snapshot));
  }
  explanation.closed = journal_.latest_of(subject, limits::kExplainedLinksMax);
  explanation.totals = journal_.totals_of(subject);
  for (const PeerTotals& totals : explanation.totals) nodes.insert(totals.node);
  if (const auto* address = std::get_if<PeerAddress>(&subject)) {
    addresses = {*address};
    explanation.cools_down_for = bans_.cools_down_for(*address, now.instant);
  } else {
    for (const ClosedLink& closed : explanation.closed) addresses.insert(closed.last.address);
    nodes.insert(std::get<NodeId>(subject));
    explanation.cools_down_for = bans_.cools_down_for(std::get<NodeId>(subject), now.instant);
  }
  for (KnownPeerSnapshot& known : known_peers(now)) {
    const PeerAddress& address = known.record.address;
    const bool is_meant =
        std::holds_alternative<NodeId>(subject) ? addresses.contains(address) : book::is_peer(subject, {}, address);
    if (is_meant) explanation.known.push_back(std::move(known));
  }
  for (const Ban& ban : bans_.list(now.unix_time)) {
    const auto* subnet = std::get_if<Subnet>(&ban.subject);
    const bool is_meant = subnet == nullptr
                              ? nodes.contains(std::get<NodeId>(ban.subject))
                              : std::any_of(addresses.begin(), addresses.end(),
                                            [&](const PeerAddress& address) { return subnet->contains(address); });
    if (is_meant) explanation.bans.push_back(ban);
  }
  return explanation;
}

}  // namespace overlayd
