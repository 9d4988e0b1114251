// Handshake, slots, the tick and the peer book: whom an overlay talks to.
#include <algorithm>

#include "core/book/address.h"
#include "core/book/admission.h"
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

}  // namespace

// --- handshake ----------------------------------------------------------------------------------------------------

HandlerResult OverlayManager::on_hello(const Received& received) {
  const auto hello = wire::read_hello(received.message->xdr());
  if (!hello) return DropReason::kFrameMalformed;
  const auto has_that_id = [&](const auto& entry) {
    return entry.second.get() != &received.peer && entry.second->node() == hello->peer_id;
  };
  const peer::HelloFacts facts{.is_cert_valid = received.is_cert_valid,
                               .is_banned = bans_.is_banned(hello->peer_id),
                               .is_already_connected = std::any_of(peers_.begin(), peers_.end(), has_that_id)};
  const peer::HelloResult result = received.peer.on_hello(*hello, facts, received.out);
  if (result.is_address_good) note_address(received);
  return result.drop;
}

void OverlayManager::note_address(const Received& received) {
  const PeerAddress& address = received.peer.address();
  if (received.peer.direction() == Direction::kOutbound) {
    const PeerType type = is_preferred(received.peer) ? PeerType::kPreferred : PeerType::kOutbound;
    peer_book_.update_type(address, {.type = type, .is_preferred_known = true}, received.now.unix_time, received.out);
  } else if (!peer_book_.find(address)) {
    // A HELLO proves nothing yet: whoever replays one must not make or change more than a caller's record.
    peer_book_.update_type(address, {.type = PeerType::kInbound}, received.now.unix_time, received.out);
  }
}

HandlerResult OverlayManager::on_auth(const Received& received) {
  peer::Peer& peer = received.peer;
  const auto flags = wire::read_auth_flags(received.message->xdr());
  if (!flags) return DropReason::kFrameMalformed;
  const peer::AuthResult result = peer.on_auth(*flags, received.out);
  if (result.sends_auth_and_peers) send_peers(peer, received.now, received.out);
  if (result.drop) return result.drop;
  if (is_preferred(peer))
    peer_book_.update_type(peer.address(), {.type = PeerType::kPreferred, .is_preferred_known = true},
                           received.now.unix_time, received.out);
  if (peer.direction() == Direction::kOutbound)
    peer_book_.update_back_off(peer.address(), book::BackOff::kReset, received.now.unix_time, received.out);
  if (!accept(peer, received.now.instant, received.out)) return DropReason::kPeerRejected;

  by_node_[peer.node()] = peer.id();
  demands_.on_peer(peer.id(), peer.node());
  fetcher_.on_peer(peer.id());
  peer.on_accepted(received.now.instant, ledger_.first_slot_to_ask(), random_, received.out);
  received.out.emplace_back(PublishPeer{peer.id(), peer.node(), peer.address(), peer.direction(),
                                        PeerChange::kAuthenticated, DropReason::kShutdown, ""});
  advertise_pool_to(peer, received.now.instant);
  return std::nullopt;
}

bool OverlayManager::accept(peer::Peer& peer, Instant now, Outputs& out) {
  std::vector<book::SlotHolder> holders;
  for (const auto& [node, id] : by_node_) {
    const peer::Peer& holder = *find(id);
    if (holder.direction() == peer.direction()) holders.push_back({id, is_preferred(holder), holder.opened()});
  }
  const bool is_outbound = peer.direction() == Direction::kOutbound;
  const book::Admission admission =
      book::admit({.is_preferred = is_preferred(peer),
                   .is_preferred_only = options_.is_preferred_only,
                   .slots = is_outbound ? options_.target_outbound : options_.max_inbound},
                  holders);
  if (admission.yields) drop(*find(*admission.yields), {DropReason::kPreferredSelected}, now, out);
  return admission.is_accepted;
}

bool OverlayManager::is_preferred(const peer::Peer& peer) const {
  return preferred_addresses_.contains(peer.address()) ||
         (peer.state() != peer::HandshakeState::kConnected && options_.preferred_keys.contains(peer.node()));
}

bool OverlayManager::has_pending_slot(const PeerAddress& remote) const {
  const book::PendingSlots split = book::split_pending(
      {.outbound = options_.target_outbound, .inbound = options_.max_inbound, .pending = options_.max_pending});
  const bool is_possibly_preferred =
      std::any_of(preferred_addresses_.begin(), preferred_addresses_.end(),
                  [&](const PeerAddress& address) { return book::is_same_ip(address, remote); });
  return book::has_pending_slot({.pending = slots(Direction::kInbound).pending,
                                 .slots = split.inbound,
                                 .is_possibly_preferred = is_possibly_preferred});
}

HandlerResult OverlayManager::on_error(const Received& received) {
  if (const auto error = wire::read_error(received.message->xdr()))
    received.detail = std::string(error_code_name(error->code)) + " (" + sanitised(error->text) + ")";
  return DropReason::kErrorFromRemote;
}

HandlerResult OverlayManager::on_send_more_extended(const Received& received) {
  const auto credit = wire::read_send_more_extended(received.message->xdr());
  if (!credit) return DropReason::kFrameMalformed;
  return received.peer.on_grant({credit->messages, credit->bytes}, received.now.instant, received.out);
}

HandlerResult OverlayManager::on_survey(const Received&) {
  // Surveys are not relayed by this version; a node that ignores them is an ordinary silent node to the surveyor.
  ++metrics_.survey_ignored;
  return std::nullopt;
}

// --- PEERS --------------------------------------------------------------------------------------------------------

HandlerResult OverlayManager::on_peers(const Received& received) {
  if (!received.peer.take_peers_once()) return DropReason::kPeersTwice;
  // Our own address as this peer would name it is not known; the port of every self-address is ours, and dialling
  // ourselves ends in "connecting to self".
  if (const auto peers = wire::read_peers(received.message->xdr()))
    peer_book_.on_peers(*peers, std::nullopt, received.now.unix_time, received.out);
  return std::nullopt;
}

void OverlayManager::send_peers(peer::Peer& peer, const Now& now, Outputs& out) {
  std::vector<wire::WirePeerAddress> addresses;
  for (const PeerAddress& address : peer_book_.choose_to_send(peer.address()))
    addresses.push_back({address, address.port, 0});
  if (!addresses.empty()) peer.send(make_message(wire::write_peers(addresses)), now.instant, send_limits_, out);
}

// --- dialling -----------------------------------------------------------------------------------------------------

bool OverlayManager::is_connected_to(const PeerAddress& address) const {
  const auto is_dialled = [&](const auto& entry) { return entry.second.address == address; };
  const auto is_open = [&](const auto& entry) { return entry.second->address() == address; };
  return std::any_of(dialling_.begin(), dialling_.end(), is_dialled) ||
         std::any_of(peers_.begin(), peers_.end(), is_open);
}

bool OverlayManager::dial(const PeerAddress& address, const Now& now, Outputs& out) {
  const book::PendingSlots split = book::split_pending(
      {.outbound = options_.target_outbound, .inbound = options_.max_inbound, .pending = options_.max_pending});
  if (slots(Direction::kOutbound).pending >= split.outbound) return false;
  const PeerId id{next_peer_++};
  dialling_[id] = {address};
  ++metrics_.book.dials;
  // Counted as a failure until the handshake is complete (OverlayManagerImpl::connectToImpl).
  peer_book_.update_back_off(address, book::BackOff::kIncrease, now.unix_time, out);
  out.emplace_back(Dial{id, address});
  return true;
}

void OverlayManager::on(const PeersResolved& resolved, const Now& now, Outputs& out) {
  for (const PeerAddress& address : resolved.known) {
    if (!peer_book_.find(address)) peer_book_.ensure_exists(address, now.unix_time, out);
    peer_book_.update_back_off(address, book::BackOff::kHardReset, now.unix_time, out);
  }
  preferred_addresses_ = {resolved.preferred.begin(), resolved.preferred.end()};
  for (const PeerAddress& address : resolved.preferred)
    peer_book_.update(address, {.type = PeerType::kPreferred}, book::BackOff::kHardReset, now.unix_time, out);
  if (is_shutting_down_) return;
  next_tick_ = now.instant + limits::kTick;
  tick(now, out);
}

void OverlayManager::tick(const Now& now, Outputs& out) {
  const auto is_wanted = [this](const PeerAddress& address) { return !is_connected_to(address); };
  const auto dial_some = [&](PeerType type, std::size_t count) {
    std::size_t dialled = 0;
    for (const PeerAddress& address : peer_book_.choose_to_dial(type, count, now.unix_time, is_wanted))
      dialled += dial(address, now, out) ? 1 : 0;
    return dialled;
  };
  const Slots outbound = slots(Direction::kOutbound);
  const bool is_called = slots(Direction::kInbound).authenticated > 0;
  const std::uint32_t target =
      is_called ? options_.target_outbound : std::min(options_.target_outbound, limits::kOutboundWithoutInbound);
  std::size_t others = 0;
  for (const auto& [node, id] : by_node_) {
    const peer::Peer& peer = *find(id);
    if (peer.direction() == Direction::kOutbound && !is_preferred(peer)) ++others;
  }
  // A preferred peer may also have the slot of one that is not.
  std::size_t free = target > outbound.authenticated ? target - outbound.authenticated : 0;
  const std::size_t preferred = dial_some(PeerType::kPreferred, free + others);
  free -= std::min(free, preferred);
  if (options_.is_preferred_only || free == 0) return;
  free -= std::min(free, dial_some(PeerType::kOutbound, free));
  if (free > 0) dial_some(PeerType::kInbound, free);
}

}  // namespace overlayd
