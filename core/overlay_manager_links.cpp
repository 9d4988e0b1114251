// How links begin and end: who may call, what an end means for the others, the book and the journal.
#include <algorithm>

#include "core/book/address.h"
#include "core/overlay_manager.h"

namespace overlayd {
namespace {

// What a peer's error text may contain in a log (Peer::recvError): anything else becomes '*'.
std::string sanitised(std::string text) {
  for (char& c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ';
    if (!is_plain) c = '*';
  }
  return text;
}

ClosedBy closed_by(DropReason reason) {
  switch (reason) {
    case DropReason::kClosedByRemote:
    case DropReason::kErrorFromRemote: return ClosedBy::kRemote;
    case DropReason::kSocketError:
    case DropReason::kDialFailed: return ClosedBy::kNetwork;
    default: return ClosedBy::kUs;
  }
}

std::optional<Duration> timer_of(DropReason reason) {
  switch (reason) {
    case DropReason::kAuthTimeout: return limits::kAuthTimeout;
    case DropReason::kIdle: return limits::kIdleTimeout;
    case DropReason::kStraggling: return limits::kStragglerTimeout;
    case DropReason::kNoCredit: return limits::kNoCreditTimeout;
    default: return std::nullopt;
  }
}

bool is_slow(DropReason reason) { return reason == DropReason::kStraggling || reason == DropReason::kNoCredit; }

// What the peer is not to blame for: the operator, our tables, our state, a link there is already. What a remote says of
// itself in an ERROR_MSG does not count: a link there is already we see in its HELLO.
bool is_our_doing(DropReason reason) {
  switch (reason) {
    case DropReason::kShutdown:
    case DropReason::kOperator:
    case DropReason::kBanned:
    case DropReason::kCoolingDown:
    case DropReason::kAlreadyConnected:
    case DropReason::kConnectingToSelf:
    case DropReason::kPeerRejected:
    case DropReason::kPreferredSelected:
    case DropReason::kOutOfSync:
    case DropReason::kNoPendingSlot: return true;
    default: return false;
  }
}

}  // namespace

// --- the beginning ------------------------------------------------------------------------------------------------

void OverlayManager::on(const LinkOpened& link, const Now& now, Outputs& out) {
  const bool is_outbound = link.direction == Direction::kOutbound;
  if (is_outbound) {
    const auto dialled = dialling_.find(link.peer);
    if (dialled == dialling_.end()) return;  // given up meanwhile: its Close is on the way
    outbound_[link.peer] = dialled->second;
    dialling_.erase(dialled);
  }
  ++(is_outbound ? metrics_.link.outbound_opened : metrics_.link.inbound_opened);
  auto peer =
      std::make_unique<peer::Peer>(link, now.instant, ledger_.max_tx_size(),
                                   peer::PeerOptions{options_.credit, options_.queries}, options_.local, metrics_);
  peer::Peer& opened = *peer;
  peers_.insert_or_assign(link.peer, std::move(peer));
  if (is_shutting_down_) return drop(opened, {DropReason::kShutdown}, now, out);
  if (!is_outbound) {
    if (const auto refusal = refuse_caller(opened, link.remote, now, out)) return drop(opened, *refusal, now, out);
  }
  opened.start(out);
}

std::optional<OverlayManager::Ending> OverlayManager::refuse_caller(const peer::Peer& caller, const PeerAddress& remote,
                                                                    const Now& now, Outputs& out) {
  if (const Ban* ban = bans_.find(remote, now.unix_time)) {
    const BanSubject subject = ban->subject;
    bans_.hit(subject, now.unix_time);
    return Ending{DropReason::kBanned, "range " + book::subject_text(subject)};
  }
  if (bans_.cools_down_for(remote, now.instant) > Duration(0)) {
    ++metrics_.book.cool_down_hits;
    return Ending{DropReason::kCoolingDown};
  }
  if (is_crowded(caller)) return Ending{DropReason::kAddressLimit};
  const std::uint32_t pending = slots(Direction::kInbound).pending - 1;
  if (book::has_pending_slot({.pending = pending,
                              .slots = pending_slots_.inbound,
                              .is_possibly_preferred = is_possibly_preferred(remote)}))
    return std::nullopt;
  std::vector<book::PendingLink> links;
  for (const auto& [id, peer] : peers_) {
    if (peer.get() == &caller || peer->direction() != Direction::kInbound || peer->is_authenticated()) continue;
    links.push_back({id, book::group_of(peer->address()), peer->opened(),
                     peer->state() != peer::HandshakeState::kConnected, is_possibly_preferred(peer->address())});
  }
  const auto yields = book::choose_pending_to_yield(links);
  if (!yields) return Ending{DropReason::kNoPendingSlot};
  drop(*find(*yields), {DropReason::kNoPendingSlot}, now, out);
  return std::nullopt;
}

bool OverlayManager::is_possibly_preferred(const PeerAddress& remote) const {
  const auto at = preferred_addresses_.lower_bound(PeerAddress{remote.ip, 0});
  return at != preferred_addresses_.end() && book::is_same_ip(*at, remote);
}

bool OverlayManager::is_crowded(const peer::Peer& caller) const {
  const PeerAddress& address = caller.address();
  if (is_possibly_preferred(address) || (options_.is_private_allowed && book::is_local(address))) return false;
  const Subnet neighbourhood = book::neighbourhood_of(address);
  book::InboundCrowd crowd;
  for (const auto& [id, peer] : peers_) {
    if (peer.get() == &caller || peer->direction() != Direction::kInbound ||
        (peer->is_authenticated() && is_preferred(*peer)))
      continue;
    if (book::is_same_ip(peer->address(), address)) ++crowd.of_ip;
    if (neighbourhood.contains(peer->address())) ++crowd.of_subnet;
  }
  return book::is_crowded(crowd, {options_.max_inbound_per_ip, options_.max_inbound_per_subnet});
}

// --- the end ------------------------------------------------------------------------------------------------------

bool OverlayManager::may_drop_now(DropReason reason) {
  if (!is_slow(reason)) return true;
  if (slow_drops_left_ == 0) {
    ++metrics_.book.slow_drops_put_off;
    return false;
  }
  --slow_drops_left_;
  return true;
}

void OverlayManager::drop(peer::Peer& peer, Ending ending, const Now& now, Outputs& out) {
  const PeerId id = peer.id();
  ++metrics_.link.drops[static_cast<std::size_t>(ending.reason)];
  const MessagePtr error = ending.is_closed ? nullptr : peer.error_for(ending.reason);
  if (!ending.is_closed) out.emplace_back(Close{id, ending.reason, error});
  if (error) ending.error = wire::read_error(error->xdr());
  PeerSnapshot last = peer.snapshot(now.instant);
  last.is_preferred = is_preferred(peer);
  note_in_journal(last, ending, now);
  out.emplace_back(PublishPeer{id, peer.node(), peer.address(), peer.direction(), PeerChange::kDropped, ending.reason,
                               ending.detail});
  const auto named = by_node_.find(peer.node());
  if (named != by_node_.end() && named->second == id) {
    by_node_.erase(named);
    survey_.on_link_dropped(peer.node());
  }
  if (const auto dialled = outbound_.find(id); dialled != outbound_.end()) {
    std::optional<Duration> authenticated_for;
    if (peer.is_authenticated()) authenticated_for = now.instant - peer.accepted();
    if (ending.reason == DropReason::kConnectingToSelf) add_own_address(peer.address(), now.instant, out);
    ending.is_duplicate = by_node_.contains(peer.node());
    ending.failures_before = dialled->second.failures;
    note_outbound_end(dialled->second.address, ending, authenticated_for, now, out);
    outbound_.erase(dialled);
  }
  peer_book_.forget_if_hopeless(peer.address(), out);
  demands_.on_peer_gone(id);
  fetcher_.on_peer_gone(id, now.instant);
  std::erase_if(delayed_checkpoints_, [id](const DelayedCheckpoint& delayed) { return delayed.peer == id; });
  for (const MessagePtr& transaction : intake_.on_peer_gone(id)) {
    pool_.remove(transaction->tx_full_hash());
    tx_gate_.forget(transaction->flood_hash());
  }
  peers_.erase(id);
}

void OverlayManager::drop(PeerId dialled, Ending ending, const Now& now, Outputs& out) {
  const Dialling dial = dialling_.at(dialled);
  dialling_.erase(dialled);
  ++metrics_.link.drops[static_cast<std::size_t>(ending.reason)];
  if (ending.is_closed)
    ++metrics_.book.dials_failed;
  else
    out.emplace_back(Close{dialled, ending.reason, nullptr});
  PeerSnapshot last;
  last.peer = dialled;
  last.address = dial.address;
  last.direction = Direction::kOutbound;
  last.connected_for = now.instant - dial.since;
  last.is_preferred = preferred_addresses_.contains(dial.address);
  note_in_journal(last, ending, now);
  out.emplace_back(
      PublishPeer{dialled, {}, dial.address, Direction::kOutbound, PeerChange::kDropped, ending.reason, ending.detail});
  note_outbound_end(dial.address, ending, std::nullopt, now, out);
}

void OverlayManager::note_in_journal(const PeerSnapshot& last, const Ending& ending, const Now& now) {
  ClosedLink closed{.last = last,
                    .closed = now.unix_time,
                    .reason = ending.reason,
                    .closed_by = closed_by(ending.reason),
                    .detail = ending.detail,
                    .timer = timer_of(ending.reason)};
  if (ending.error) {
    closed.error_code = ending.error->code;
    closed.error_text = closed.closed_by == ClosedBy::kRemote ? sanitised(ending.error->text) : ending.error->text;
  }
  journal_.add(std::move(closed));
}

void OverlayManager::note_outbound_end(const PeerAddress& address, const Ending& ending,
                                       std::optional<Duration> authenticated_for, const Now& now, Outputs& out) {
  const bool is_ours = is_our_doing(ending.reason);
  if (!is_ours || authenticated_for) anchors_.on_link_ended(address, authenticated_for.value_or(Duration(0)));
  if (ending.reason == DropReason::kConnectingToSelf && add_own_address(address, now.instant, out)) return;
  if (ending.reason == DropReason::kShutdown || !peer_book_.find(address)) return;
  // A link that worked for a time and then broke, as links do, is no failure: AUTH has reset the back-off.
  const bool has_worked = authenticated_for && *authenticated_for >= limits::kAnchorAgeMin;
  const bool is_plain_end = ending.reason == DropReason::kClosedByRemote ||
                            ending.reason == DropReason::kErrorFromRemote || ending.reason == DropReason::kSocketError;
  if (is_plain_end && has_worked) return;
  if (!is_ours && authenticated_for && !has_worked) {
    peer_book_.undo_success(address, ending.failures_before, now.unix_time, out);
  } else {
    const bool is_unwanted = ending.is_duplicate || ending.reason == DropReason::kBanned;
    const book::BackOff ours = is_unwanted ? book::BackOff::kUnwanted : book::BackOff::kOurDoing;
    peer_book_.update_back_off(address, is_ours ? ours : book::BackOff::kIncrease, now.unix_time, out);
  }
  peer_book_.forget_if_hopeless(address, out);
}

bool OverlayManager::add_own_address(const PeerAddress& address, Instant now, Outputs& out) {
  if (anchors_.contains(address)) return false;
  if (own_addresses_.size() >= limits::kSelfAddressesMax && !own_addresses_.contains(address)) {
    own_addresses_.erase(std::min_element(own_addresses_.begin(), own_addresses_.end(),
                                          [](const auto& a, const auto& b) { return a.second < b.second; }));
  }
  own_addresses_[address] = now + kOwnAddressLifetime;
  peer_book_.forget(address, out);
  return true;
}

std::uint32_t OverlayManager::drop_all(const LinkPredicate& is_concerned, DropReason reason, const Now& now,
                                       Outputs& out) {
  std::vector<PeerId> links;
  std::vector<PeerId> dials;
  for (const auto& [id, peer] : peers_)
    if (is_concerned(peer->node(), peer->address())) links.push_back(id);
  for (const auto& [id, dialling] : dialling_)
    if (is_concerned({}, dialling.address)) dials.push_back(id);
  for (const PeerId id : links) drop(*find(id), {reason}, now, out);
  for (const PeerId id : dials) drop(id, {reason}, now, out);
  return static_cast<std::uint32_t>(links.size() + dials.size());
}

void OverlayManager::on(const LinkFaulted& faulted, const Now& now, Outputs& out) {
  if (peer::Peer* peer = find(faulted.peer)) drop(*peer, {faulted.reason, faulted.detail}, now, out);
}

void OverlayManager::on(const LinkClosed& closed, const Now& now, Outputs& out) {
  if (dialling_.contains(closed.peer)) return drop(closed.peer, {closed.reason, closed.detail, true}, now, out);
  if (peer::Peer* peer = find(closed.peer)) drop(*peer, {closed.reason, closed.detail, true}, now, out);
}

HandlerResult OverlayManager::on_error(const Received& received) {
  if (const auto error = wire::read_error(received.message->xdr()))
    received.detail = std::string(error_code_name(error->code)) + " (" + sanitised(error->text) + ")";
  return DropReason::kErrorFromRemote;
}

}  // namespace overlayd
