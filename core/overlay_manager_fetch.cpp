// Items: what an overlay does with transaction sets and quorum sets, those that envelopes name and those peers ask for.
#include "core/overlay_manager.h"

namespace overlayd {

using wire::MessageType;

namespace {

ItemKind kind_of(MessageType type) {
  return type == MessageType::kScpQuorumset ? ItemKind::kQuorumSet : ItemKind::kTxSet;
}
ItemId item_of(const wire::Message& message) { return {kind_of(message.type()), message.item_hash()}; }

}  // namespace

// --- questions of peers -------------------------------------------------------------------------------------------

HandlerResult OverlayManager::on_get_tx_set(const Received& received) {
  if (const auto hash = wire::read_get_tx_set(received.message->xdr()))
    answer_query(received, {ItemKind::kTxSet, *hash});
  return std::nullopt;
}

HandlerResult OverlayManager::on_get_scp_quorumset(const Received& received) {
  if (const auto hash = wire::read_get_scp_quorumset(received.message->xdr()))
    answer_query(received, {ItemKind::kQuorumSet, *hash});
  return std::nullopt;
}

void OverlayManager::answer_query(const Received& received, const ItemId& item) {
  const Instant now = received.now.instant;
  if (!received.peer.allows_query(received.message->type(), now, ledger_.close_time)) return;
  if (const MessagePtr held = items_.find(item)) {
    ++metrics_.fetch.queries_answered;
    received.peer.send(held, now, send_limits_, received.out);
    return;
  }
  if (fetcher_.is_searched(item)) {
    // Who asks has none: no need to await its answer. Should it come by the item, it will answer all the same.
    fetcher_.on_dont_have(received.peer.id(), item, now);
    if (held_questions_.hold({received.peer.id(), item}, now)) {
      ++metrics_.fetch.queries_held;
      return;
    }
  }
  send_dont_have(received.peer, item, now, received.out);
}

void OverlayManager::send_dont_have(peer::Peer& peer, const ItemId& item, Instant now, Outputs& out) {
  ++metrics_.fetch.queries_dont_have;
  // Which kind of transaction set is missing cannot be known; both are treated alike by the asker (Peer::recvGetTxSet).
  const MessageType tx_set = ledger_.protocol_version < 20 ? MessageType::kTxSet : MessageType::kGeneralizedTxSet;
  const MessageType type = item.kind == ItemKind::kQuorumSet ? MessageType::kScpQuorumset : tx_set;
  peer.send(make_message(wire::write_dont_have({type, item.hash})), now, send_limits_, out);
}

// --- what envelopes name ------------------------------------------------------------------------------------------

void OverlayManager::on_scp_accepted(const PendingScp& accepted, Instant now) {
  const auto envelope = xdr::read_scp_envelope(accepted.message->body());
  if (envelope && envelope->type == xdr::ScpStatementType::kExternalize)
    survey_.on_externalize(envelope->slot, accepted.peer.is_local() ? options_.local.node_id : envelope->node, now);
  const auto items = envelope ? fetch::items_of(*envelope) : std::nullopt;
  if (!items) return;
  scp_state_.remember(accepted.message, *envelope);
  const fetch::Reference reference{envelope->slot, envelope->node};
  std::vector<ItemId> lacking;
  for (const ItemId& item : *items)
    if (!items_.refer(item, reference)) lacking.push_back(item);
  fetcher_.need({accepted.message->flood_hash(), reference, accepted.peer, accepted.from}, lacking, now);
  for (const PeerId peer : accepted.also_from) fetcher_.on_sender(accepted.message->flood_hash(), peer);
}

HandlerResult OverlayManager::on_tx_set(const Received& received) {
  const Instant now = received.now.instant;
  const ItemId item = item_of(*received.message);
  const auto found = fetcher_.on_item(item, received.peer.id(), now);
  received.peer.count_fetch(found.has_value(), received.message->size());
  if (!found) {
    ++metrics_.fetch.unsolicited;
    return std::nullopt;
  }
  ++metrics_.fetch.fetched;
  metrics_.fetch.fetched_bytes += received.message->size();
  items_.put(item, received.message, references_of(*found));
  on_item_found(*found, received.message, &received.peer, now, received.out);
  return std::nullopt;
}

std::vector<fetch::Reference> OverlayManager::references_of(const fetch::ItemFetcher::Found& found) const {
  std::vector<fetch::Reference> references;
  if (found.client_slot) references.push_back({*found.client_slot, options_.local.node_id});
  references.insert(references.end(), found.references.begin(), found.references.end());
  return references;
}

HandlerResult OverlayManager::on_scp_quorumset(const Received& received) {
  if (const auto latency = received.peer.on_ping_answer(received.message->item_hash(), received.now.instant)) {
    on_latency(received.peer, *latency);
    received.peer.count_fetch(false, received.message->size());
    return std::nullopt;
  }
  return on_tx_set(received);
}

HandlerResult OverlayManager::on_dont_have(const Received& received) {
  const Instant now = received.now.instant;
  const auto dont_have = wire::read_dont_have(received.message->xdr());
  if (!dont_have) return std::nullopt;
  if (const auto latency = received.peer.on_ping_answer(dont_have->hash, now))
    on_latency(received.peer, *latency);
  else
    fetcher_.on_dont_have(received.peer.id(), {kind_of(dont_have->type), dont_have->hash}, now);
  return std::nullopt;
}

void OverlayManager::on_item_found(const fetch::ItemFetcher::Found& found, const MessagePtr& message,
                                   const peer::Peer* peer, Instant now, Outputs& out) {
  const ItemId item = item_of(*message);
  for (const PeerId id : held_questions_.take(item)) {
    peer::Peer* asker = find(id);
    if (asker == nullptr || asker == peer) continue;
    ++metrics_.fetch.queries_answered;
    asker->send(message, now, send_limits_, out);
  }
  out.emplace_back(PublishItem{.item = item,
                               .change = ItemChange::kArrived,
                               .peer = peer == nullptr ? PeerId{} : peer->id(),
                               .from = peer == nullptr ? NodeId{} : peer->node(),
                               .message = message,
                               .searched_for = found.searched_for,
                               .peers_asked = found.peers_asked,
                               .rounds = found.rounds});
}

void OverlayManager::flush_fetch(Instant now, Outputs& out) {
  fetcher_.advance(now, fetch_batch_);
  for (const auto& [id, item] : fetch_batch_.questions)
    if (peer::Peer* peer = find(id))
      peer->send(make_message(item.kind == ItemKind::kQuorumSet ? wire::write_get_scp_quorumset(item.hash)
                                                                : wire::write_get_tx_set(item.hash)),
                 now, send_limits_, out);
  for (const auto& missing : fetch_batch_.missing)
    out.emplace_back(PublishItem{.item = missing.item,
                                 .change = ItemChange::kMissing,
                                 .peer = {},
                                 .from = {},
                                 .message = nullptr,
                                 .searched_for = missing.searched_for,
                                 .peers_asked = missing.peers_asked,
                                 .rounds = missing.rounds});
  fetch_batch_.questions.clear();
  fetch_batch_.missing.clear();
  std::vector<fetch::HeldQuestions::Question> unanswered;
  held_questions_.advance(now, unanswered);
  for (const auto& [id, item] : unanswered)
    if (peer::Peer* peer = find(id)) send_dont_have(*peer, item, now, out);
}

// --- clients ------------------------------------------------------------------------------------------------------

MessagePtr OverlayManager::find_item(const ItemId& id) const { return items_.find(id); }

void OverlayManager::on(const FetchItem& fetch, const Now& now, Outputs& out) {
  RequestAnswer answer{.request = fetch.request};
  std::vector<PeerId> holders;
  for (const NodeId& node : fetch.holders)
    if (const auto named = by_node_.find(node); named != by_node_.end()) holders.push_back(named->second);
  const std::uint64_t slot = fetch.slot == 0 ? ledger_.sequence : fetch.slot;
  if (items_.find(fetch.item)) {
    answer.status = RequestStatus::kDuplicate;
  } else if (fetch.slot != 0 && !slot_window().contains(slot)) {
    answer.status = RequestStatus::kRefused;
    answer.why = "slot: " + std::to_string(slot) + " is not among those remembered, " +
                 std::to_string(slot_window().lowest) + " to " + std::to_string(slot_window().highest);
  } else if (fetcher_.want(fetch.item, slot, holders, now.instant) == fetch::ItemFetcher::Want::kRefused) {
    answer.status = RequestStatus::kRefused;
    answer.why = "hash: too many items are being fetched; at most " + std::to_string(limits::kClientFetchesMax) +
                 " for clients and " + std::to_string(limits::kTrackersMax) + " in all";
  }
  out.emplace_back(std::move(answer));
}

void OverlayManager::on(const CancelFetch& cancel, const Now&, Outputs& out) {
  const bool was_wanted = fetcher_.cancel(cancel.item);
  out.emplace_back(RequestAnswer{.request = cancel.request,
                                 .status = was_wanted ? RequestStatus::kAccepted : RequestStatus::kNotFound});
}

void OverlayManager::on(const PutItem& put, const Now& now, Outputs& out) {
  const ItemId item = item_of(*put.message);
  // Ours counts like an envelope's: it is put before the envelope that will name it.
  const fetch::Reference own{ledger_.sequence, options_.local.node_id};
  RequestAnswer answer{.request = put.request};
  switch (items_.put(item, put.message, {&own, 1})) {
    case fetch::ItemStore::Put::kTaken: break;
    case fetch::ItemStore::Put::kHeld: answer.status = RequestStatus::kDuplicate; break;
    case fetch::ItemStore::Put::kRefused:
      answer.status = RequestStatus::kRefused;
      answer.why = std::to_string(put.message->size()) +
                   " bytes do not fit beside what more nodes refer to; fetch.tx_set_bytes and fetch.quorum_set_bytes "
                   "set the room";
      break;
  }
  const bool is_held = answer.status != RequestStatus::kRefused;
  out.emplace_back(std::move(answer));
  const auto found = is_held ? fetcher_.on_item(item, PeerId{}, now.instant) : std::nullopt;
  if (!found) return;
  for (const fetch::Reference& reference : found->references) items_.refer(item, reference);
  on_item_found(*found, put.message, nullptr, now.instant, out);
}

}  // namespace overlayd
