// Handshake, slots and PEERS: who becomes a peer.
#include <algorithm>

#include "core/book/address.h"
#include "core/crypto/strkey.h"
#include "core/overlay_manager.h"

namespace overlayd {

// --- handshake ----------------------------------------------------------------------------------------------------

HandlerResult OverlayManager::on_hello(const Received& received) {
  const auto hello = wire::read_hello(received.message->xdr());
  if (!hello) return DropReason::kFrameMalformed;
  const auto has_that_id = [&](const auto& entry) {
    return entry.second.get() != &received.peer && entry.second->node() == hello->peer_id;
  };
  const peer::HelloFacts facts{.is_cert_valid = received.is_cert_valid,
                               .is_banned = is_kept_out(hello->peer_id, received.now),
                               .is_already_connected = std::any_of(peers_.begin(), peers_.end(), has_that_id)};
  const peer::HelloResult result = received.peer.on_hello(*hello, facts, received.out);
  if (result.is_address_good) note_address(received);
  if (result.drop != DropReason::kBanned) return result.drop;
  received.detail = "node " + crypto::encode_node_id(hello->peer_id);
  if (bans_.find(hello->peer_id, received.now.unix_time) == nullptr) {
    ++metrics_.book.cool_down_hits;
    return DropReason::kCoolingDown;
  }
  bans_.hit(hello->peer_id, received.now.unix_time);
  return DropReason::kBanned;
}

void OverlayManager::note_address(const Received& received) {
  const PeerAddress& address = received.peer.address();
  if (received.peer.direction() == Direction::kOutbound) {
    // Whether its key is a preferred one shows at AUTH: until then its HELLO may be somebody else's.
    peer_book_.update_type(address, {.type = PeerType::kOutbound}, received.now.unix_time, received.out);
  } else if (!peer_book_.find(address) && !own_addresses_.contains(address)) {
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
  const UnixTime unix_time = received.now.unix_time;
  const book::Observation observed{.type = is_preferred(peer) ? PeerType::kPreferred : PeerType::kOutbound,
                                   .is_preferred_known = true};
  if (peer.direction() == Direction::kOutbound) {
    peer_book_.update(peer.address(), observed, book::BackOff::kReset, unix_time, received.out);
    const PeerAddress& dialled = outbound_.at(peer.id()).address;
    if (dialled != peer.address() && peer_book_.find(dialled))
      peer_book_.update_back_off(dialled, book::BackOff::kReset, unix_time, received.out);
  } else if (is_preferred(peer)) {
    peer_book_.update_type(peer.address(), observed, unix_time, received.out);
  }
  if (!accept(peer, received.now, received.out)) return DropReason::kPeerRejected;

  by_node_[peer.node()] = peer.id();
  demands_.on_peer(peer.id(), peer.node());
  fetcher_.on_peer(peer.id());
  survey_.on_link_added();
  peer.on_accepted(received.now.instant, ledger_.first_slot_to_ask(), random_, received.out);
  received.out.emplace_back(PublishPeer{peer.id(), peer.node(), peer.address(), peer.direction(),
                                        PeerChange::kAuthenticated, DropReason::kShutdown, ""});
  advertise_pool_to(peer, received.now.instant);
  return std::nullopt;
}

bool OverlayManager::accept(peer::Peer& peer, const Now& now, Outputs& out) {
  std::vector<book::SlotHolder> holders;
  for (const auto& [node, id] : by_node_) {
    const peer::Peer& holder = *find(id);
    if (holder.direction() == peer.direction()) holders.push_back({id, is_preferred(holder), holder.opened()});
  }
  std::uint32_t slots = options_.max_inbound;
  if (peer.direction() == Direction::kOutbound) {
    slots = options_.target_outbound;
    const bool is_trusted = is_preferred(peer) || anchors_.contains(outbound_.at(peer.id()).address);
    if (!is_trusted) slots = book::slots_for_others(slots, anchors_waiting());
    if (is_bound(peer) && !count_groups(false).has_room_for(peer.address())) return false;
  }
  const book::Admission admission = book::admit(
      {.is_preferred = is_preferred(peer), .is_preferred_only = options_.is_preferred_only, .slots = slots}, holders);
  if (admission.yields) drop(*find(*admission.yields), {DropReason::kPreferredSelected}, now, out);
  return admission.is_accepted;
}

bool OverlayManager::is_preferred(const peer::Peer& peer) const {
  return preferred_addresses_.contains(peer.address()) ||
         (peer.state() != peer::HandshakeState::kConnected && options_.preferred_keys.contains(peer.node()));
}

HandlerResult OverlayManager::on_send_more_extended(const Received& received) {
  const auto credit = wire::read_send_more_extended(received.message->xdr());
  if (!credit) return DropReason::kFrameMalformed;
  return received.peer.on_grant({credit->messages, credit->bytes}, received.now.instant, received.out);
}

// --- PEERS --------------------------------------------------------------------------------------------------------

HandlerResult OverlayManager::on_peers(const Received& received) {
  if (!received.peer.take_peers_once()) return DropReason::kPeersTwice;
  std::set<PeerAddress> own;
  for (const auto& [address, until] : own_addresses_) own.insert(address);
  if (const auto peers = wire::read_peers(received.message->xdr()))
    peer_book_.on_peers(*peers, received.peer.address(), own, received.now.unix_time, received.out);
  return std::nullopt;
}

void OverlayManager::send_peers(peer::Peer& peer, const Now& now, Outputs& out) {
  std::vector<wire::WirePeerAddress> addresses;
  for (const PeerAddress& address : peer_book_.choose_to_send(peer.address()))
    addresses.push_back({address, address.port, 0});
  if (!addresses.empty()) peer.send(make_message(wire::write_peers(addresses)), now.instant, send_limits_, out);
}

}  // namespace overlayd
