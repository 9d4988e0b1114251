#include "tests/sim/scripted_peer.h"

#include <algorithm>

#include "core/peer/handshake.h"
#include "core/wire/message_rules.h"
#include "core/wire/values.h"

namespace overlayd::sim {

using wire::MessageType;

void ScriptedLink::send(Bytes xdr) { send(wire::Message::adopt(std::move(xdr), network_id_)); }

void ScriptedLink::send(MessagePtr message) { out_->emplace_back(Send{peer_, std::move(message)}); }

bool ScriptedLink::send_within_credit(Bytes xdr) {
  if (!credit_.has_for(xdr.size())) return false;
  credit_.spend(xdr.size());
  send(std::move(xdr));
  return true;
}

void ScriptedPeer::handle(const Input& input, const Now& now, Outputs& out) {
  if (const auto* connect = std::get_if<ConnectTo>(&input)) return dial(connect->address, out);
  if (const auto* opened = std::get_if<LinkOpened>(&input)) return on_opened(*opened, out);
  if (const auto* closed = std::get_if<LinkClosed>(&input)) return on_closed(closed->peer, out);
  if (const auto* told = std::get_if<Broadcast>(&input)) {
    for (auto& [id, link] : links_) {
      link.out_ = &out;
      if (link.is_ready_ && script_.on_told) script_.on_told(link, told->message);
    }
    return;
  }
  const auto* received = std::get_if<MessageReceived>(&input);
  if (received == nullptr) return;
  const auto found = links_.find(received->peer);
  if (found == links_.end()) return;
  found->second.out_ = &out;
  on_message(found->second, *received->message, now.instant);
}

void ScriptedPeer::dial(const PeerAddress& address, Outputs& out) {
  const PeerId peer{next_peer_++};
  dialling_[peer] = address;
  out.emplace_back(Dial{peer, address});
}

void ScriptedPeer::on_opened(const LinkOpened& opened, Outputs& out) {
  ScriptedLink& link = links_[opened.peer];
  link.peer_ = opened.peer;
  link.direction_ = opened.direction;
  link.address_ = opened.remote;
  link.network_id_ = local_.network_id;
  link.out_ = &out;
  dialling_.erase(opened.peer);
  if (opened.direction == Direction::kOutbound) send_hello(link);
}

void ScriptedPeer::on_closed(PeerId peer, Outputs& out) {
  dialling_.erase(peer);
  const auto found = links_.find(peer);
  if (found == links_.end()) return;
  const ScriptedLink link = found->second;
  links_.erase(found);
  if (script_.is_redialling && link.direction_ == Direction::kOutbound) dial(link.address_, out);
}

void ScriptedPeer::send_hello(ScriptedLink& link) { link.send(wire::write_hello(peer::make_hello(local_, {}, {}))); }

void ScriptedPeer::on_message(ScriptedLink& link, const wire::Message& message, Instant now) {
  if (message.type() == MessageType::kHello) {
    if (link.direction_ == Direction::kInbound)
      send_hello(link);
    else
      link.send(wire::write_auth(limits::kAuthFlags));
    return;
  }
  if (message.type() == MessageType::kAuth) return on_auth(link, now);
  if (!link.is_ready_) return;
  behave(link, message);
  if (script_.on_message) script_.on_message(link, message);
}

void ScriptedPeer::on_auth(ScriptedLink& link, Instant now) {
  if (link.direction_ == Direction::kInbound) link.send(wire::write_auth(limits::kAuthFlags));
  link.is_ready_ = true;
  if (script_.period > Duration(0)) link.next_period_ = now + script_.period;
  if (script_.is_granting)
    link.send(wire::write_send_more_extended({.messages = limits::kFloodCapacityMessages,
                                              .bytes = static_cast<std::uint32_t>(limits::kFloodCapacityBytes)}));
  if (!script_.is_reading) link.out_->emplace_back(PauseReading{link.peer_});
  if (script_.on_ready) script_.on_ready(link);
}

void ScriptedPeer::behave(ScriptedLink& link, const wire::Message& message) {
  if (const auto credit = wire::read_send_more_extended(message.xdr()))
    static_cast<void>(link.credit_.grant({credit->messages, credit->bytes}));
  if (script_.is_giving_back && wire::message_rule(message.type()).is_flood())
    link.send(wire::write_send_more_extended({.messages = 1, .bytes = static_cast<std::uint32_t>(message.size())}));
  if (!script_.is_answering) return;
  if (const auto hash = wire::read_get_scp_quorumset(message.xdr()))
    link.send(wire::write_dont_have({MessageType::kScpQuorumset, *hash}));
  if (const auto hash = wire::read_get_tx_set(message.xdr()))
    link.send(wire::write_dont_have({MessageType::kGeneralizedTxSet, *hash}));
}

void ScriptedPeer::advance(const Now& now, Outputs& out) {
  for (auto& [id, link] : links_) {
    if (link.next_period_ > now.instant) continue;
    link.next_period_ = now.instant + script_.period;
    link.out_ = &out;
    if (script_.on_period) script_.on_period(link);
  }
}

Instant ScriptedPeer::next_deadline() const {
  Instant next = Instant::never();
  for (const auto& [id, link] : links_) next = std::min(next, link.next_period_);
  return next;
}

}  // namespace overlayd::sim
