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
  const PeerAddress& address = connect.address;
  const auto refuse = [&](const char* why) {
    answer({.request = connect.request, .status = RequestStatus::kRefused, .why = why}, out);
  };
  if (is_shutting_down_) return refuse("the daemon is stopping");
  if (is_connected_to(address)) return answer({.request = connect.request, .status = RequestStatus::kDuplicate}, out);
  if (bans_.find(address, now.unix_time) != nullptr) return refuse("the address is banned");
  if (is_kept_out(address, now)) return refuse("the address was dropped a short time ago and cools down");
  if (!dial(address, true, now, out)) return refuse("all pending outbound connections are taken");
  answer({.request = connect.request}, out);
}

void OverlayManager::on(const Disconnect& disconnect, const Now& now, Outputs& out) {
  std::set<NodeId> nodes;
  std::set<PeerAddress> addresses;
  const auto is_concerned = [&](const NodeId& node, const PeerAddress& address) {
    return book::is_peer(disconnect.peer, node, address);
  };
  for (const auto& [id, peer] : peers_) {
    if (!is_concerned(peer->node(), peer->address())) continue;
    add_addresses(*peer, addresses);
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

std::vector<KnownPeerSnapshot> OverlayManager::known_peers(const Now& now) const {
  return known_peers([](const PeerAddress&) { return true; }, now);
}

std::vector<KnownPeerSnapshot> OverlayManager::known_peers(const book::PeerManager::AddressPredicate& is_wanted,
                                                           const Now& now) const {
  const std::set<PeerAddress> connected = authenticated_addresses();
  std::vector<KnownPeerSnapshot> known;
  for (const PeerRecord& record : peer_book_.list()) {
    const PeerAddress& address = record.address;
    if (!is_wanted(address)) continue;
    known.push_back({.record = record,
                     .is_configured = configured_addresses_.contains(address),
                     .is_anchor = anchors_.contains(address),
                     .is_banned = bans_.find(address, now.unix_time) != nullptr,
                     .is_connected = connected.contains(address)});
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
  const auto is_meant = [&](const PeerAddress& address) {
    return std::holds_alternative<NodeId>(subject) ? addresses.contains(address) : book::is_peer(subject, {}, address);
  };
  explanation.known = known_peers(is_meant, now);
  std::map<BanSubject, Ban> bans;
  for (const NodeId& node : nodes)
    if (const Ban* ban = bans_.find(node, now.unix_time)) bans.emplace(ban->subject, *ban);
  for (const PeerAddress& address : addresses)
    for (const Ban& ban : bans_.matching({}, address, now.unix_time)) bans.emplace(ban.subject, ban);
  for (const auto& [banned, ban] : bans) explanation.bans.push_back(ban);
  return explanation;
}

}  // namespace overlayd
