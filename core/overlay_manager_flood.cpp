// Flooding: what an overlay does with SCP envelopes and transactions.
#include <algorithm>
#include <unordered_set>

#include "core/overlay_manager.h"
#include "core/wire/hashes.h"

namespace overlayd {

using wire::MessageType;

// --- SCP ----------------------------------------------------------------------------------------------------------

HandlerResult OverlayManager::on_scp_message(const Received& received) {
  const wire::Message& message = *received.message;
  ++metrics_.scp.received;
  const bool is_new = scp_gate_.on_received(message.flood_hash(), received.peer.node(), ledger_.sequence);
  received.peer.count_flood(is_new, message.size());
  if (!is_new) {
    note_sender(message.flood_hash(), received.peer.id());
    return std::nullopt;
  }
  const auto envelope = xdr::read_scp_envelope(message.body());
  if (envelope && !is_plausible(*envelope)) {
    ++metrics_.scp.implausible;
    scp_gate_.forget(message.flood_hash());
    return std::nullopt;
  }
  if (!envelope || !fetch::are_values_decodable(*envelope)) {
    ++metrics_.scp.invalid_value;
    scp_gate_.forget(message.flood_hash());
    return std::nullopt;
  }
  if (const std::optional<bool> is_valid = signatures_.find(message.flood_hash())) {
    ++metrics_.scp.verify_cached;
    if (*is_valid) {
      relay_scp({received.message, received.peer.id(), received.peer.node()}, received.now.instant, received.out);
    } else {
      ++metrics_.scp.invalid_signature;
      scp_gate_.forget(message.flood_hash());
    }
    return std::nullopt;
  }
  if (pending_scp_.size() >= limits::kScpVerifyPendingMax) {
    ++metrics_.scp.verify_refused;
    scp_gate_.forget(message.flood_hash());
    return std::nullopt;
  }
  pending_scp_.emplace(message.flood_hash(), PendingScp{received.message, received.peer.id(), received.peer.node()});
  // Credit returns with the signature's verdict: a peer that sends junk slows itself, not the others.
  received.is_held = true;
  received.out.emplace_back(VerifyScp{received.peer.id(), received.message});
  return std::nullopt;
}

void OverlayManager::note_sender(const FloodHash& hash, PeerId peer) {
  const auto pending = pending_scp_.find(hash);
  if (pending == pending_scp_.end()) return fetcher_.on_sender(hash, peer);
  std::vector<PeerId>& others = pending->second.also_from;
  if (others.size() < limits::kSendersPerEnvelopeMax && std::ranges::find(others, peer) == others.end())
    others.push_back(peer);
}

bool OverlayManager::is_plausible(const xdr::ScpEnvelopeView& envelope) const {
  if (!ledger_.is_known) return true;
  if (!ledger_.quorum.empty() && !ledger_.quorum.contains(envelope.node)) return false;
  return slot_window().contains(envelope.slot);
}

void OverlayManager::on(const ScpVerified& verified, const Now& now, Outputs& out) {
  const auto found = pending_scp_.find(verified.hash);
  if (found == pending_scp_.end()) return;
  const PendingScp pending = std::move(found->second);
  pending_scp_.erase(found);
  if (peer::Peer* peer = find(pending.peer)) peer->end_message(*pending.message, now.instant, out);
  signatures_.remember(verified.hash, verified.is_valid);
  if (!verified.is_valid) {
    ++metrics_.scp.invalid_signature;
    scp_gate_.forget(verified.hash);
    return;
  }
  relay_scp(pending, now.instant, out);
}

void OverlayManager::relay_scp(const PendingScp& checked, Instant now, Outputs& out) {
  // Peers first: the next hop's wait is the network's, the client's is only ours.
  metrics_.scp.relayed += push_scp(checked.message, now, out);
  out.emplace_back(PublishMessage{checked.peer, checked.from, checked.message});
  on_scp_accepted(checked, now);
}

std::uint32_t OverlayManager::push_scp(const MessagePtr& message, Instant now, Outputs& out) {
  const std::vector<peer::Peer*>& untold = tell_peers(scp_gate_, message->flood_hash());
  for (peer::Peer* peer : untold) peer->send(message, now, send_limits_, out);
  return static_cast<std::uint32_t>(untold.size());
}

const std::vector<peer::Peer*>& OverlayManager::tell_peers(flood::FloodGate& gate, const FloodHash& hash) {
  nodes_.clear();
  for (const auto& [node, id] : by_node_) nodes_.push_back(node);
  untold_.clear();
  gate.tell_all(hash, nodes_, ledger_.sequence, untold_);
  untold_peers_.clear();
  for (const std::size_t index : untold_) untold_peers_.push_back(find(by_node_.at(nodes_[index])));
  return untold_peers_;
}

// --- transactions -------------------------------------------------------------------------------------------------

bool OverlayManager::is_demanding() const {
  return options_.relay_mode == RelayMode::kStandalone || (has_takers_ && !intake_.is_short());
}

void OverlayManager::on(const TransactionTakers& takers, const Now& now, Outputs& out) {
  has_takers_ = takers.is_attached;
  // In standalone mode the clients only look on: they slow nobody and may miss events.
  if (options_.relay_mode == RelayMode::kConsensus) intake_.set_window(takers.window);
  while (const auto ready = intake_.take_ready()) {
    publish(*ready, out);
    if (peer::Peer* peer = find(ready->peer)) peer->end_message(*ready->message, now.instant, out);
  }
  demands_.set_demanding(is_demanding());
}

bool OverlayManager::publish_or_wait(const Received& received) {
  const flood::TxIntake::Waiting transaction{received.peer.id(), received.peer.node(), received.message};
  const bool is_published = intake_.admit(transaction);
  if (is_published) publish(transaction, received.out);
  demands_.set_demanding(is_demanding());
  return is_published;
}

void OverlayManager::publish(const flood::TxIntake::Waiting& transaction, Outputs& out) {
  out.emplace_back(PublishMessage{transaction.peer, transaction.from, transaction.message});
}

HandlerResult OverlayManager::on_flood_advert(const Received& received) {
  if (const auto hashes = wire::read_tx_hashes(received.message->xdr()))
    demands_.on_advert(received.peer.id(), *hashes, ledger_.sequence, received.now.instant, demand_batches_);
  return std::nullopt;
}

HandlerResult OverlayManager::on_flood_demand(const Received& received) {
  const auto hashes = wire::read_tx_hashes(received.message->xdr());
  if (!hashes) return std::nullopt;
  std::unordered_set<TxFullHash> served;  // naming a hash twice does not buy it twice
  for (const TxFullHash& hash : *hashes) {
    if (!served.insert(hash).second) continue;
    const MessagePtr transaction = pool_.find_accepted(hash);
    if (!transaction) {
      ++(pool_.is_banned(hash) ? metrics_.tx.demands_banned : metrics_.tx.demands_unknown);
      continue;
    }
    ++metrics_.tx.demands_fulfilled;
    // Demanded, so it knows of it whether or not we advertised it.
    static_cast<void>(tx_gate_.tell(transaction->flood_hash(), received.peer.node(), ledger_.sequence));
    received.peer.send(transaction, received.now.instant, send_limits_, received.out);
  }
  return std::nullopt;
}

HandlerResult OverlayManager::on_transaction(const Received& received) {
  const wire::Message& message = *received.message;
  const bool is_new = tx_gate_.on_received(message.flood_hash(), received.peer.node(), ledger_.sequence);
  received.peer.count_flood(is_new, message.size());
  ++metrics_.tx.transactions_received;
  demands_.on_transaction(message.tx_full_hash(), received.peer.node(), received.now.instant);
  if (message.size() > ledger_.max_tx_size()) {
    // No peer would take it from us either.
    ++metrics_.flow_control.oversized_transactions;
    tx_gate_.forget(message.flood_hash());
    return std::nullopt;
  }
  if (pool_.is_known(message.tx_full_hash())) {
    ++metrics_.tx.transactions_duplicate;
    return std::nullopt;
  }
  const bool is_standalone = options_.relay_mode == RelayMode::kStandalone;
  const flood::TxState state = is_standalone ? flood::TxState::kAccepted : flood::TxState::kPending;
  if (pool_.add(received.message, ledger_.sequence, state) != flood::TxAdded::kAdded) {
    // Banned or no room: nothing of it is kept, so that a later copy is looked at again.
    tx_gate_.forget(message.flood_hash());
    return std::nullopt;
  }
  if (is_standalone) advertise(received.message, received.now.instant);
  received.is_held = !publish_or_wait(received);
  return std::nullopt;
}

std::uint32_t OverlayManager::advertise(const MessagePtr& transaction, Instant now) {
  std::uint32_t told = 0;
  for (const peer::Peer* peer : tell_peers(tx_gate_, transaction->flood_hash()))
    told += adverts_.queue_outgoing(peer->id(), transaction->tx_full_hash(), now, advert_batches_) ? 1 : 0;
  return told;
}

void OverlayManager::advertise_pool_to(peer::Peer& peer, Instant now) {
  // As many as the peer's own queue holds: it would trim what goes beyond. Also what this node was told before: whether
  // that arrived before its last link went, nobody knows.
  for (const MessagePtr& transaction : pool_.accepted(offered_max())) {
    static_cast<void>(tx_gate_.tell(transaction->flood_hash(), peer.node(), ledger_.sequence));
    adverts_.queue_outgoing(peer.id(), transaction->tx_full_hash(), now, advert_batches_);
  }
}

void OverlayManager::on(const Broadcast& broadcast, const Now& now, Outputs& out) {
  RequestAnswer answer{.request = broadcast.request};
  if (broadcast.message->type() == MessageType::kTransaction) {
    broadcast_transaction(broadcast, now, answer);
  } else {
    broadcast_scp(broadcast, now, answer, out);
  }
  out.emplace_back(std::move(answer));
}

void OverlayManager::broadcast_scp(const Broadcast& broadcast, const Now& now, RequestAnswer& answer, Outputs& out) {
  const auto envelope = xdr::read_scp_envelope(broadcast.message->body());
  if (!envelope || !fetch::are_values_decodable(*envelope)) {
    answer.status = RequestStatus::kRefused;
    answer.why = "scp_envelope: a value does not decode as StellarValue; every peer would discard it";
    return;
  }
  if (!scp_gate_.on_local(broadcast.message->flood_hash(), ledger_.sequence)) answer.status = RequestStatus::kDuplicate;
  answer.peers_told = push_scp(broadcast.message, now.instant, out);
  on_scp_accepted({broadcast.message, {}, {}}, now.instant);
}

void OverlayManager::broadcast_transaction(const Broadcast& broadcast, const Now& now, RequestAnswer& answer) {
  const wire::Message& message = *broadcast.message;
  const auto refuse = [&answer](std::string why) {
    answer.status = RequestStatus::kRefused;
    answer.why = std::move(why);
  };
  if (message.size() > ledger_.max_tx_size())
    return refuse("transaction: " + std::to_string(message.size()) + " bytes is over the network's maximum of " +
                  std::to_string(ledger_.max_tx_size()) + "; UpdateLedger raises it");
  const bool was_accepted = pool_.find_accepted(message.tx_full_hash()) != nullptr;
  switch (pool_.add(broadcast.message, ledger_.sequence, flood::TxState::kAccepted)) {
    case flood::TxAdded::kAdded: break;
    case flood::TxAdded::kKnown:
      // One that a peer sent and nobody judged yet is news for the peers; an accepted one is not.
      if (was_accepted) answer.status = RequestStatus::kDuplicate;
      break;
    case flood::TxAdded::kBanned: return refuse("transaction: banned by a verdict or UpdateLedger");
    case flood::TxAdded::kRefused:
      return refuse("transaction: the pool is full; UpdateLedger with the applied transactions makes room");
  }
  tx_gate_.on_local(message.flood_hash(), ledger_.sequence);
  answer.peers_told = advertise(broadcast.message, now.instant);
}

void OverlayManager::on(const VerdictGiven& given, const Now& now, Outputs&) {
  if (const auto* hash = std::get_if<TxHash>(&given.subject)) return judge_all(*hash, given.verdict, now);
  if (const MessagePtr transaction = pool_.find(std::get<FloodHash>(given.subject)))
    return judge(transaction, given.verdict, now);
  // An SCP envelope was relayed when its signature verified. Whatever is said of it now, its record stays: forgetting it
  // would relay it again with the next copy. One that is worth nothing is not fetched for nor shown to who asks later.
  if (given.verdict == Verdict::kAccept) return;
  fetcher_.forget(std::get<FloodHash>(given.subject));
  scp_state_.forget(std::get<FloodHash>(given.subject));
}

void OverlayManager::judge_all(const TxHash& hash, Verdict verdict, const Now& now) {
  if (verdict == Verdict::kAccept) {
    for (const MessagePtr& transaction : pool_.accept(hash)) advertise(transaction, now.instant);
    return;
  }
  const auto gone = verdict == Verdict::kBan ? pool_.ban(hash, ledger_.sequence) : pool_.remove(hash);
  for (const MessagePtr& transaction : gone) on_rejected(*transaction);
}

void OverlayManager::judge(const MessagePtr& transaction, Verdict verdict, const Now& now) {
  const TxFullHash& hash = transaction->tx_full_hash();
  switch (verdict) {
    case Verdict::kAccept:
      if (pool_.accept(hash)) advertise(transaction, now.instant);
      return;
    case Verdict::kReject: pool_.remove(hash); break;
    case Verdict::kBan: pool_.ban(hash, ledger_.sequence); break;
  }
  on_rejected(*transaction);
}

void OverlayManager::on_rejected(const wire::Message& transaction) {
  ++metrics_.tx.transactions_rejected;
  tx_gate_.forget(transaction.flood_hash());
}

void OverlayManager::flush_flood(Instant now, Outputs& out) {
  for (const flood::AdvertBatch& batch : advert_batches_)
    if (peer::Peer* peer = find(batch.peer))
      peer->send(make_message(wire::write_flood_advert(batch.hashes)), now, send_limits_, out);
  advert_batches_.clear();
  for (const flood::DemandBatch& batch : demand_batches_)
    if (peer::Peer* peer = find(batch.peer))
      peer->send(make_message(wire::write_flood_demand(batch.hashes)), now, send_limits_, out);
  demand_batches_.clear();
}

}  // namespace overlayd
