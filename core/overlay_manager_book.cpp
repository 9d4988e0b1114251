// The tick: whom to dial, whom to let go while out of sync, and which addresses are anchors.
#include <algorithm>

#include "core/book/address.h"
#include "core/overlay_manager.h"

namespace overlayd {

// What is connected, while one tick dials.
struct OverlayManager::DialRound {
  book::DialPlan plan;
  book::GroupCounts groups;
  std::set<PeerAddress> called;   // outbound links and dials
  std::set<PeerAddress> callers;  // inbound links
};

// --- configured names ---------------------------------------------------------------------------------------------

void OverlayManager::on(const PeersResolved& resolved, const Now& now, Outputs& out) {
  const std::set<PeerAddress> before = std::exchange(configured_addresses_, {});
  const std::set<PeerAddress> preferred_before =
      std::exchange(preferred_addresses_, {resolved.preferred.begin(), resolved.preferred.end()});
  for (const PeerAddress& address : preferred_before) {
    if (!preferred_addresses_.contains(address) && peer_book_.find(address))
      peer_book_.update_type(address, {.type = PeerType::kOutbound, .is_preferred_known = true}, now.unix_time, out);
  }
  const auto configure = [&](const PeerAddress& address, PeerType type) {
    if (own_addresses_.contains(address)) return;
    configured_addresses_.insert(address);
    // Only what is new is dialled whatever its past: a name is resolved again and again.
    if (before.contains(address))
      peer_book_.update_type(address, {.type = type}, now.unix_time, out);
    else
      peer_book_.update(address, {.type = type}, book::BackOff::kHardReset, now.unix_time, out);
  };
  for (const PeerAddress& address : resolved.known) configure(address, PeerType::kOutbound);
  for (const PeerAddress& address : resolved.preferred) configure(address, PeerType::kPreferred);
  if (is_shutting_down_) return;
  next_tick_ = now.instant + limits::kTick;
  tick(now, out);
}

// --- the tick -----------------------------------------------------------------------------------------------------

void OverlayManager::tick(const Now& now, Outputs& out) {
  slow_drops_left_ = options_.slow_drops_per_tick;
  if (!has_ticked_) peer_book_.forget_hopeless(out);
  std::erase_if(own_addresses_, [&](const auto& entry) { return entry.second <= now.instant; });
  bans_.expire(now, out);
  bans_.put_out_hits(out);
  refresh_anchors(now, out);

  DialRound round = begin_round();
  round.plan.on_preferred(dial_some(round, PeerType::kPreferred, round.plan.preferred_max(), now, out));
  if (drop_for_out_of_sync(round.plan, now, out)) round.plan.on_dropped();
  round.plan.on_anchors(dial_anchors(round, round.plan.anchors_max(), now, out));
  round.plan.on_outbound(dial_some(round, PeerType::kOutbound, round.plan.outbound_max(), now, out));
  dial_some(round, PeerType::kInbound, round.plan.inbound_max(), now, out);
  has_ticked_ = true;
}

OverlayManager::DialRound OverlayManager::begin_round() const {
  book::DialState state{.target_outbound = options_.target_outbound,
                        .is_called = slots(Direction::kInbound).authenticated > 0,
                        .authenticated = slots(Direction::kOutbound).authenticated,
                        .pending_free = pending_outbound_free(),
                        .anchors_waiting = anchors_waiting(),
                        .is_preferred_only = options_.is_preferred_only,
                        .has_preferred_keys = !options_.preferred_keys.empty()};
  std::set<PeerAddress> called;
  std::set<PeerAddress> callers;
  for (const auto& [id, dialled] : dialling_) called.insert(dialled.address);
  for (const auto& [id, peer] : peers_) {
    const bool is_outbound = peer->direction() == Direction::kOutbound;
    add_addresses(*peer, is_outbound ? called : callers);
    if (is_outbound && peer->is_authenticated() && !is_preferred(*peer)) ++state.authenticated_others;
  }
  return {book::DialPlan(state), count_groups(true), std::move(called), std::move(callers)};
}

std::size_t OverlayManager::dial_anchors(DialRound& round, std::size_t count_max, const Now& now, Outputs& out) {
  std::size_t dialled = 0;
  for (const PeerAddress& address : anchors_.list()) {
    if (dialled == count_max) break;
    const auto record = peer_book_.find(address);
    // The first time whatever its back-off: it was our end, not the anchor's.
    const bool is_due = !has_ticked_ || !record || record->next_attempt <= now.unix_time;
    if (!is_due || round.called.contains(address) || round.callers.contains(address)) continue;
    if (is_kept_out(address, now)) continue;
    if (dial(address, false, now, out)) ++dialled;
    round.called.insert(address);
  }
  return dialled;
}

std::size_t OverlayManager::dial_some(DialRound& round, PeerType type, std::size_t count_max, const Now& now,
                                      Outputs& out) {
  const auto is_wanted = [&](const PeerAddress& address) {
    if (round.called.contains(address) || own_addresses_.contains(address) || anchors_.contains(address)) return false;
    // Who calls us is dialled once to see that it can be (promotion); the handshake ends in "already connected".
    if (type != PeerType::kInbound && round.callers.contains(address)) return false;
    if (is_kept_out(address, now)) return false;
    if (type == PeerType::kPreferred || !is_bound(address)) return true;
    if (!round.groups.has_room_for(address)) return false;
    round.groups.add(address);
    return true;
  };
  std::size_t dialled = 0;
  for (const PeerAddress& address : peer_book_.choose_to_dial(type, count_max, now.unix_time, is_wanted)) {
    if (!dial(address, false, now, out)) break;
    round.called.insert(address);
    ++dialled;
  }
  return dialled;
}

bool OverlayManager::drop_for_out_of_sync(const book::DialPlan& plan, const Now& now, Outputs& out) {
  if (ledger_.is_in_sync) {
    out_of_sync_since_.reset();
    return false;
  }
  if (!out_of_sync_since_) {
    out_of_sync_since_ = now.instant;
    return false;
  }
  const bool is_full = plan.slots_free() == 0 && plan.pending_free() > 0;
  if (!is_full || now.instant - *out_of_sync_since_ <= limits::kOutOfSyncReconnect) return false;
  out_of_sync_since_ = now.instant;
  std::vector<PeerId> others;
  for (const auto& [node, id] : by_node_) {
    const peer::Peer& peer = *find(id);
    if (peer.direction() == Direction::kOutbound && !is_preferred(peer)) others.push_back(id);
  }
  if (others.empty()) return false;
  drop(*find(others[random_.below(others.size())]), {DropReason::kOutOfSync}, now, out);
  return true;
}

bool OverlayManager::dial(const PeerAddress& address, bool is_ordered, const Now& now, Outputs& out) {
  if (pending_outbound_free() == 0) {
    ++metrics_.book.dials_refused;
    return false;
  }
  const PeerId id{next_peer_++};
  const auto record = peer_book_.find(address);
  dialling_[id] = {address, is_ordered, now.instant, record ? record->failures : 0};
  ++metrics_.book.dials;
  out.emplace_back(Dial{id, address});
  return true;
}

bool OverlayManager::is_connected_to(const PeerAddress& address) const {
  const auto is_dialled = [&](const auto& entry) { return entry.second.address == address; };
  const auto is_open = [&](const auto& entry) { return entry.second->address() == address; };
  return std::any_of(dialling_.begin(), dialling_.end(), is_dialled) ||
         std::any_of(outbound_.begin(), outbound_.end(), is_dialled) ||
         std::any_of(peers_.begin(), peers_.end(), is_open);
}

void OverlayManager::add_addresses(const peer::Peer& peer, std::set<PeerAddress>& to) const {
  to.insert(peer.address());
  if (const auto dialled = outbound_.find(peer.id()); dialled != outbound_.end()) to.insert(dialled->second.address);
}

std::set<PeerAddress> OverlayManager::authenticated_addresses() const {
  std::set<PeerAddress> addresses;
  for (const auto& [node, id] : by_node_) add_addresses(*find(id), addresses);
  return addresses;
}

std::uint32_t OverlayManager::pending_outbound_free() const {
  return pending_slots_.outbound - std::min(pending_slots_.outbound, slots(Direction::kOutbound).pending);
}

// --- groups and anchors -------------------------------------------------------------------------------------------

bool OverlayManager::is_bound(const PeerAddress& address) const {
  return !configured_addresses_.contains(address) && !anchors_.contains(address);
}

bool OverlayManager::is_bound(const peer::Peer& peer) const {
  const Dialling& dialled = outbound_.at(peer.id());
  return !dialled.is_ordered && !is_preferred(peer) && is_bound(peer.address()) && is_bound(dialled.address);
}

book::GroupCounts OverlayManager::count_groups(bool with_pending) const {
  book::GroupCounts groups(options_.max_outbound_per_group);
  for (const auto& [id, dialled] : outbound_) {
    const peer::Peer& peer = *find(id);
    if (is_bound(peer) && (with_pending || peer.is_authenticated())) groups.add(peer.address());
  }
  // An anchor has its place in its group whether it is connected or not: else a range of addresses would have as many
  // slots more as it has anchors.
  for (const PeerAddress& anchor : anchors_.list()) groups.add(anchor);
  if (!with_pending) return groups;
  for (const auto& [id, dialled] : dialling_)
    if (!dialled.is_ordered && is_bound(dialled.address)) groups.add(dialled.address);
  return groups;
}

std::uint32_t OverlayManager::anchors_waiting() const {
  const std::set<PeerAddress> linked = authenticated_addresses();
  const std::vector<PeerAddress> anchors = anchors_.list();
  return static_cast<std::uint32_t>(std::count_if(anchors.begin(), anchors.end(),
                                                  [&](const PeerAddress& anchor) { return !linked.contains(anchor); }));
}

void OverlayManager::refresh_anchors(const Now& now, Outputs& out) {
  std::vector<book::AnchorCandidate> candidates;
  for (const auto& [node, id] : by_node_) {
    const auto dialled = outbound_.find(id);
    if (dialled == outbound_.end()) continue;
    const peer::Peer& peer = *find(id);
    const PeerAddress& address = dialled->second.address;
    const bool is_dialled_anyway = is_preferred(peer) || configured_addresses_.contains(address);
    if (!is_dialled_anyway) candidates.push_back({address, peer.accepted()});
  }
  const auto is_given_up = [&](const PeerAddress& address) {
    return configured_addresses_.contains(address) || bans_.find(address, now.unix_time) != nullptr;
  };
  anchors_.refresh(candidates, now.instant, is_given_up, out);
}

}  // namespace overlayd
