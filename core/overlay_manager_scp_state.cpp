// SCP state: what peers are told of past slots when they ask, and how we ask.
#include <algorithm>

#include "core/overlay_manager.h"

namespace overlayd {

fetch::SlotWindow OverlayManager::slot_window() const {
  if (!ledger_.is_known) return {};
  fetch::SlotWindow window{.lowest = ledger_.lowest_slot_to_remember(), .kept = ledger_.checkpoint_slot};
  // Out of sync the network may be anywhere ahead of us; in sync nothing honest is further than this.
  if (ledger_.is_in_sync) window.highest = std::uint64_t{ledger_.sequence} + limits::kLedgerValidityBracket;
  return window;
}

void OverlayManager::move_slot_window(Instant now) {
  const fetch::SlotWindow window = slot_window();
  fetcher_.set_window(window, ledger_.sequence);
  // What peers answer follows their configuration, not ours.
  fetcher_.set_query_limit(ledger_.close_time * limits::kSlotsToRemember, limits::kQueriesPerSecond);
  items_.forget_outside(window);
  scp_state_.forget_outside(window);
  if (ledger_.is_in_sync)
    next_state_request_ = Instant::never();
  else if (next_state_request_.is_never())
    next_state_request_ = now;
}

HandlerResult OverlayManager::on_get_scp_state(const Received& received) {
  const Instant now = received.now.instant;
  const auto first = wire::read_get_scp_state(received.message->xdr());
  peer::Peer& peer = received.peer;
  if (!first || !peer.allows_query(wire::MessageType::kGetScpState, now, ledger_.close_time)) return std::nullopt;
  // One who is out of sync has to hear where the network is before it can tell that an old slot is a checkpoint
  // (HerderImpl::sendSCPStateToPeer).
  const std::uint32_t slots = ledger_.slots_to_remember;
  const std::uint32_t first_sequential = ledger_.sequence > slots ? ledger_.sequence - slots : 1;
  const bool is_checkpoint_late = ledger_.checkpoint_slot != 0 && ledger_.checkpoint_slot < first_sequential;
  auto messages =
      scp_state_.from(*first, limits::kScpStateSlotsSentMax, is_checkpoint_late ? ledger_.checkpoint_slot : 0);
  // More than one peer's queue holds would only push each other out of it.
  messages.resize(std::min(messages.size(), peer::kScpQueueMax));
  for (const MessagePtr& message : messages) peer.send(message, now, send_limits_, received.out);
  metrics_.fetch.scp_state_sent += messages.size();
  const auto is_same = [&](const DelayedCheckpoint& delayed) { return delayed.peer == peer.id(); };
  if (is_checkpoint_late && std::ranges::none_of(delayed_checkpoints_, is_same))
    delayed_checkpoints_.push_back({peer.id(), now + limits::kCheckpointDelay});
  received.out.emplace_back(
      PublishScpStateRequest{peer.id(), peer.node(), *first, static_cast<std::uint32_t>(messages.size())});
  return std::nullopt;
}

void OverlayManager::advance_scp_state(Instant now, Outputs& out) {
  for (; !delayed_checkpoints_.empty() && delayed_checkpoints_.front().due <= now; delayed_checkpoints_.pop_front()) {
    peer::Peer* peer = find(delayed_checkpoints_.front().peer);
    if (peer == nullptr) continue;
    for (const MessagePtr& message : scp_state_.of(ledger_.checkpoint_slot)) {
      peer->send(message, now, send_limits_, out);
      ++metrics_.fetch.scp_state_sent;
    }
  }
  if (now < next_state_request_) return;
  next_state_request_ = now + limits::kOutOfSyncAskPeriod;
  for (peer::Peer* peer : choose_peers(limits::kOutOfSyncAskPeers)) ask_scp_state(*peer, std::nullopt, now, out);
}

void OverlayManager::ask_scp_state(peer::Peer& peer, std::optional<std::uint32_t> from_ledger, Instant now,
                                   Outputs& out) {
  const std::uint32_t first = from_ledger.value_or(ledger_.first_slot_to_ask());
  peer.send(make_message(wire::write_get_scp_state(first)), now, send_limits_, out);
}

std::vector<peer::Peer*> OverlayManager::choose_peers(std::size_t count) {
  std::vector<peer::Peer*> peers;
  for (const auto& [node, id] : by_node_) peers.push_back(find(id));
  random_.shuffle(peers);
  peers.resize(std::min(peers.size(), count));
  return peers;
}

void OverlayManager::on(const RequestScpState& request, const Now& now, Outputs& out) {
  std::vector<peer::Peer*> peers;
  if (!request.node) {
    peers = choose_peers(request.count);
  } else if (const auto named = by_node_.find(*request.node); named != by_node_.end()) {
    peers.push_back(find(named->second));
  }
  RequestAnswer answer{.request = request.request};
  if (peers.empty()) answer.status = RequestStatus::kNotFound;
  for (peer::Peer* peer : peers) {
    ask_scp_state(*peer, request.from_ledger, now.instant, out);
    answer.nodes.push_back(peer->node());
  }
  out.emplace_back(std::move(answer));
}

std::optional<std::size_t> OverlayManager::find_stale(const std::vector<MessagePtr>& envelopes) const {
  for (std::size_t i = 0; i < envelopes.size(); ++i) {
    const auto envelope = xdr::read_scp_envelope(envelopes[i]->body());
    if (envelope && send_limits_.is_stale(envelope->slot)) return i;
  }
  return std::nullopt;
}

void OverlayManager::on(const SendScpState& state, const Now& now, Outputs& out) {
  RequestAnswer answer{.request = state.request};
  const auto named = by_node_.find(state.node);
  if (named == by_node_.end()) {
    answer.status = RequestStatus::kNotFound;
  } else if (const auto stale = find_stale(state.envelopes)) {
    answer.status = RequestStatus::kRefused;
    answer.why = "scp_envelopes[" + std::to_string(*stale) + "]: its slot is below the lowest remembered, " +
                 std::to_string(ledger_.lowest_slot_to_remember()) + "; UpdateLedger's lowest_slot lowers that";
  } else {
    for (const MessagePtr& envelope : state.envelopes)
      find(named->second)->send(envelope, now.instant, send_limits_, out);
  }
  out.emplace_back(std::move(answer));
}

}  // namespace overlayd
