#include "core/overlay_manager.h"

#include <algorithm>

namespace overlayd {

OverlayManager::OverlayManager(const OverlayOptions& options, Random& random, const Now& now)
    : options_(options),
      random_(random),
      send_limits_{.max_tx_size = ledger_.max_tx_size(),
                   .tx_queue_bytes_max = options.tx_queue_bytes_max,
                   .max_tx_set_ops = ledger_.max_tx_set_ops},
      dispatcher_(*this, metrics_),
      scp_gate_({.records_max = limits::kFloodScpRecordsMax}, metrics_.flood_gate),
      tx_gate_({}, metrics_.flood_gate),
      adverts_({.immediate = options.is_flood_immediate, .period = options.advert_period}, metrics_.tx),
      demands_(
          {.immediate = options.is_flood_immediate,
           .is_demanding = false,
           .period = options.demand_period,
           .backoff = options.demand_backoff},
          adverts_, [this](const TxFullHash& hash) { return pool_.is_known_or_banned(hash); }, random, metrics_.tx),
      pool_({.bytes_max = options.tx_pool_bytes_max, .ledgers_max = options.tx_pool_ledgers_max}, metrics_.tx),
      intake_(metrics_.tx),
      items_({options.items.tx_set_bytes_max, options.items.quorum_set_bytes_max, options.local.node_id},
             metrics_.fetch),
      scp_state_(options.scp_state, metrics_.fetch),
      fetcher_(random, metrics_.fetch),
      peer_book_({.is_private_allowed = options.is_private_allowed}, random, metrics_.book),
      bans_({}),
      started_(now.instant),
      next_tick_(now.instant + limits::kFirstTick) {
  for (const PeerRecord& record : options.stored_peers) peer_book_.load(record);
  for (const NodeId& node : options.banned) bans_.ban(node);
  ledger_.slots_to_remember = options_.slots_to_remember;
  options_.queries.window_slots = options_.slots_to_remember;
  adverts_.on_ledger(ledger_);
  demands_.on_ledger(ledger_);
  demands_.set_demanding(is_demanding());
}

OverlayManager::~OverlayManager() = default;

void OverlayManager::handle(const Input& input, const Now& now, Outputs& out) {
  std::visit([&](const auto& happened) { on(happened, now, out); }, input);
  flush_flood(now.instant, out);
  flush_fetch(now.instant, out);
}

void OverlayManager::advance(const Now& now, Outputs& out) {
  std::vector<std::pair<PeerId, DropReason>> ended;
  for (const auto& [id, peer] : peers_)
    if (const auto reason = peer->advance(now.instant, random_, out)) ended.emplace_back(id, *reason);
  for (const auto& [id, reason] : ended) drop(*peers_.at(id), {reason}, now.instant, out);
  adverts_.advance(now.instant, advert_batches_);
  demands_.advance(now.instant, demand_batches_);
  if (!ledger_work_.is_done() && now.instant >= ledger_work_due_) work_on_ledger(now.instant);
  advance_scp_state(now.instant, out);
  if (now.instant >= next_tick_) {
    next_tick_ = now.instant + limits::kTick;
    if (!is_shutting_down_) tick(now, out);
  }
  flush_flood(now.instant, out);
  flush_fetch(now.instant, out);
}

Instant OverlayManager::next_deadline() const {
  Instant next = std::min({next_tick_, adverts_.next_deadline(), demands_.next_deadline(), fetcher_.next_deadline(),
                           held_questions_.next_deadline(), next_state_request_});
  if (!delayed_checkpoints_.empty()) next = std::min(next, delayed_checkpoints_.front().due);
  if (!ledger_work_.is_done()) next = std::min(next, ledger_work_due_);
  for (const auto& [id, peer] : peers_) next = std::min(next, peer->next_deadline());
  return next;
}

peer::Peer* OverlayManager::find(PeerId id) const {
  const auto found = peers_.find(id);
  return found == peers_.end() ? nullptr : found->second.get();
}

OverlayManager::Slots OverlayManager::slots(Direction direction) const {
  Slots slots;
  for (const auto& [id, peer] : peers_) {
    if (peer->direction() != direction) continue;
    ++(peer->is_authenticated() ? slots.authenticated : slots.pending);
  }
  if (direction == Direction::kOutbound) slots.pending += static_cast<std::uint32_t>(dialling_.size());
  return slots;
}

void OverlayManager::drop(peer::Peer& peer, Ending ending, Instant now, Outputs& out) {
  const PeerId id = peer.id();
  ++metrics_.link.drops[static_cast<std::size_t>(ending.reason)];
  if (!ending.is_closed) out.emplace_back(Close{id, ending.reason, peer.error_for(ending.reason)});
  out.emplace_back(PublishPeer{id, peer.node(), peer.address(), peer.direction(), PeerChange::kDropped, ending.reason,
                               std::move(ending.detail)});
  const auto named = by_node_.find(peer.node());
  if (named != by_node_.end() && named->second == id) by_node_.erase(named);
  peer_book_.forget_if_hopeless(peer.address(), out);
  demands_.on_peer_gone(id);
  fetcher_.on_peer_gone(id, now);
  std::erase_if(delayed_checkpoints_, [id](const DelayedCheckpoint& delayed) { return delayed.peer == id; });
  for (const MessagePtr& transaction : intake_.on_peer_gone(id)) {
    pool_.remove(transaction->tx_full_hash());
    tx_gate_.forget(transaction->flood_hash());
  }
  peers_.erase(id);
}

void OverlayManager::on(const LinkOpened& link, const Now& now, Outputs& out) {
  const bool is_outbound = link.direction == Direction::kOutbound;
  if (is_outbound) dialling_.erase(link.peer);
  ++(is_outbound ? metrics_.link.outbound_opened : metrics_.link.inbound_opened);
  auto peer =
      std::make_unique<peer::Peer>(link, now.instant, ledger_.max_tx_size(),
                                   peer::PeerOptions{options_.credit, options_.queries}, options_.local, metrics_);
  peer::Peer& opened = *peer;
  const bool has_slot = is_outbound || has_pending_slot(link.remote);
  peers_.insert_or_assign(link.peer, std::move(peer));
  if (is_shutting_down_) return drop(opened, {DropReason::kShutdown}, now.instant, out);
  if (!has_slot) return drop(opened, {DropReason::kNoPendingSlot}, now.instant, out);
  opened.start(out);
}

void OverlayManager::on(const MessageReceived& received, const Now& now, Outputs& out) {
  peer::Peer* peer = find(received.peer);
  if (peer == nullptr) return;
  const wire::Message& message = *received.message;
  std::string detail;
  bool is_held = false;
  std::optional<DropReason> reason = peer->begin_message(message, now.instant, out);
  if (!reason) {
    reason = dispatcher_.dispatch({*peer, received.message, received.is_cert_valid, now, out, is_held, detail},
                                  ledger_.is_in_sync);
  }
  if (reason) return drop(*peer, {*reason, std::move(detail)}, now.instant, out);
  if (!is_held) peer->end_message(message, now.instant, out);
}

void OverlayManager::on(const LinkFaulted& faulted, const Now& now, Outputs& out) {
  if (peer::Peer* peer = find(faulted.peer)) drop(*peer, {faulted.reason, faulted.detail}, now.instant, out);
}

void OverlayManager::on(const LinkClosed& closed, const Now& now, Outputs& out) {
  const auto dialled = dialling_.find(closed.peer);
  if (dialled != dialling_.end()) {
    ++metrics_.book.dials_failed;
    ++metrics_.link.drops[static_cast<std::size_t>(closed.reason)];
    out.emplace_back(PublishPeer{closed.peer,
                                 {},
                                 dialled->second.address,
                                 Direction::kOutbound,
                                 PeerChange::kDropped,
                                 closed.reason,
                                 closed.detail});
    dialling_.erase(dialled);
    return;
  }
  if (peer::Peer* peer = find(closed.peer)) drop(*peer, {closed.reason, closed.detail, true}, now.instant, out);
}

void OverlayManager::on(const LinkProgress& progress, const Now&, Outputs&) {
  if (peer::Peer* peer = find(progress.peer)) peer->on_progress(progress);
}

void OverlayManager::on(const ConnectTo& connect, const Now& now, Outputs& out) {
  if (!is_shutting_down_ && !is_connected_to(connect.address)) dial(connect.address, now, out);
}

void OverlayManager::on(const Disconnect& disconnect, const Now& now, Outputs& out) {
  const auto named = by_node_.find(disconnect.node);
  if (named != by_node_.end()) drop(*find(named->second), {DropReason::kOperator}, now.instant, out);
}

void OverlayManager::on(const ShutDown&, const Now& now, Outputs& out) {
  is_shutting_down_ = true;
  while (!peers_.empty()) drop(*peers_.begin()->second, {DropReason::kShutdown}, now.instant, out);
  for (const auto& [id, dialled] : dialling_) out.emplace_back(Close{id, DropReason::kShutdown, nullptr});
  dialling_.clear();
}

MessagePtr OverlayManager::make_message(Bytes xdr) const {
  return wire::Message::adopt(std::move(xdr), options_.local.network_id);
}

StatusSnapshot OverlayManager::status(Instant now) const {
  StatusSnapshot status;
  status.local = options_.local;
  status.ledger = ledger_;
  const Slots inbound = slots(Direction::kInbound);
  const Slots outbound = slots(Direction::kOutbound);
  status.peers_inbound = inbound.authenticated;
  status.peers_outbound = outbound.authenticated;
  status.peers_pending = inbound.pending + outbound.pending;
  status.known_peers = peer_book_.size();
  status.tx_pool_transactions = pool_.size();
  status.tx_pool_bytes = pool_.bytes();
  status.flood_records = scp_gate_.size() + tx_gate_.size();
  status.items_wanted = fetcher_.searches();
  status.envelopes_waiting = fetcher_.waiting();
  status.tx_sets_held = items_.size(ItemKind::kTxSet);
  status.tx_sets_bytes = items_.bytes(ItemKind::kTxSet);
  status.quorum_sets_held = items_.size(ItemKind::kQuorumSet);
  status.quorum_sets_bytes = items_.bytes(ItemKind::kQuorumSet);
  status.scp_state_slots = scp_state_.slots();
  status.scp_state_envelopes = scp_state_.size();
  status.is_demanding_transactions = is_demanding();
  status.uptime = now - started_;
  status.metrics = metrics_;
  return status;
}

std::vector<PeerSnapshot> OverlayManager::peers(Instant now) const {
  std::vector<PeerSnapshot> snapshots;
  snapshots.reserve(peers_.size());
  for (const auto& [id, peer] : peers_) {
    snapshots.push_back(peer->snapshot(now));
    snapshots.back().is_preferred = is_preferred(*peer);
  }
  return snapshots;
}

void OverlayManager::check_invariants() const {
  for (const auto& [node, id] : by_node_) {
    const peer::Peer* peer = find(id);
    OVERLAYD_CHECK(peer != nullptr && peer->is_authenticated() && peer->node() == node);
  }
  for (const auto& [id, peer] : peers_) {
    peer->check_invariants();
    OVERLAYD_CHECK(!peer->is_authenticated() || by_node_.contains(peer->node()));
    OVERLAYD_CHECK(!dialling_.contains(id));
  }
  OVERLAYD_CHECK(pending_scp_.size() <= limits::kScpVerifyPendingMax);
  scp_gate_.check_invariants();
  tx_gate_.check_invariants();
  adverts_.check_invariants();
  demands_.check_invariants();
  pool_.check_invariants();
  items_.check_invariants();
  scp_state_.check_invariants();
  fetcher_.check_invariants();
}

}  // namespace overlayd
