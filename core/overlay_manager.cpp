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
      survey_gate_({.records_max = limits::kSurveyRecordsMax}, metrics_.flood_gate),
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
      pending_slots_(book::split_pending(
          {.outbound = options.target_outbound, .inbound = options.max_inbound, .pending = options.max_pending})),
      peer_book_({.is_private_allowed = options.is_private_allowed}, random, metrics_.book),
      bans_({}, metrics_.book),
      anchors_(options.stored_anchors),
      survey_(
          options.survey, {.max_inbound = options.max_inbound, .max_outbound = options.target_outbound}, options_.local,
          ledger_, [this](Instant at) { return authenticated_links(at); }, [this] { return authenticated_nodes(); },
          metrics_.survey, now),
      started_(now.instant),
      next_tick_(now.instant + limits::kFirstTick),
      slow_drops_left_(options.slow_drops_per_tick) {
  for (const PeerRecord& record : options.stored_peers) peer_book_.load(record);
  for (const Ban& ban : options.stored_bans) bans_.load(ban);
  options_.survey = {};  // the survey room has its own
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
  flush_survey(now.instant, out);
}

void OverlayManager::advance(const Now& now, Outputs& out) {
  const Duration late = now.instant - std::min(next_deadline(), now.instant);
  if (late >= kStallMin)
    for (const auto& [id, peer] : peers_) peer->forgive(late, now.instant);
  std::vector<std::pair<PeerId, DropReason>> ended;
  for (const auto& [id, peer] : peers_)
    if (const auto reason = peer->advance(now.instant, random_, out)) ended.emplace_back(id, *reason);
  for (const auto& [id, reason] : ended)
    if (may_drop_now(reason)) drop(*peers_.at(id), {reason}, now, out);
  adverts_.advance(now.instant, advert_batches_);
  demands_.advance(now.instant, demand_batches_);
  if (!ledger_work_.is_done() && now.instant >= ledger_work_due_) work_on_ledger(now.instant);
  advance_scp_state(now.instant, out);
  survey_.advance(now, {survey_broadcasts_, out});
  if (now.instant >= next_tick_) {
    next_tick_ = now.instant + limits::kTick;
    if (!is_shutting_down_) tick(now, out);
  }
  flush_flood(now.instant, out);
  flush_fetch(now.instant, out);
  flush_survey(now.instant, out);
}

Instant OverlayManager::next_deadline() const {
  Instant next = std::min({next_tick_, adverts_.next_deadline(), demands_.next_deadline(), fetcher_.next_deadline(),
                           held_questions_.next_deadline(), next_state_request_, survey_.next_deadline()});
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

void OverlayManager::on(const MessageReceived& received, const Now& now, Outputs& out) {
  peer::Peer* peer = find(received.peer);
  if (peer == nullptr) return;
  const wire::Message& message = *received.message;
  Ending ending;
  bool is_held = false;
  std::optional<DropReason> reason = peer->begin_message(message, now.instant, out);
  if (!reason) {
    reason = dispatcher_.dispatch({*peer, received.message, received.is_cert_valid, now, out, is_held, ending.detail},
                                  ledger_.is_in_sync);
  }
  if (!reason) {
    if (!is_held) peer->end_message(message, now.instant, out);
    return;
  }
  ending.reason = *reason;
  if (*reason == DropReason::kErrorFromRemote) ending.error = wire::read_error(message.xdr());
  drop(*peer, std::move(ending), now, out);
}

void OverlayManager::on(const LinkProgress& progress, const Now&, Outputs&) {
  if (peer::Peer* peer = find(progress.peer)) peer->on_progress(progress);
}

void OverlayManager::on(const ShutDown&, const Now& now, Outputs& out) {
  is_shutting_down_ = true;
  drop_all([](const NodeId&, const PeerAddress&) { return true; }, DropReason::kShutdown, now, out);
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
  status.bans = bans_.size();
  status.tx_pool_transactions = pool_.size();
  status.tx_pool_bytes = pool_.bytes();
  status.flood_records = scp_gate_.size() + tx_gate_.size() + survey_gate_.size();
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
    OVERLAYD_CHECK(outbound_.contains(id) == (peer->direction() == Direction::kOutbound));
  }
  OVERLAYD_CHECK(outbound_.size() <= peers_.size() && own_addresses_.size() <= limits::kSelfAddressesMax);
  peer_book_.check_invariants();
  bans_.check_invariants();
  journal_.check_invariants();
  OVERLAYD_CHECK(pending_scp_.size() <= limits::kScpVerifyPendingMax);
  scp_gate_.check_invariants();
  tx_gate_.check_invariants();
  survey_gate_.check_invariants();
  survey_.check_invariants();
  adverts_.check_invariants();
  demands_.check_invariants();
  pool_.check_invariants();
  items_.check_invariants();
  scp_state_.check_invariants();
  fetcher_.check_invariants();
}

}  // namespace overlayd
