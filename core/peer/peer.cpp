#include "core/peer/peer.h"

#include <algorithm>

#include "core/crypto/strkey.h"

namespace overlayd::peer {
namespace {

bool is_flood(wire::MessageType type) { return wire::message_rule(type).is_flood(); }

}  // namespace

Peer::Peer(const LinkOpened& link, Instant now, std::uint32_t max_tx_size, const PeerOptions& options,
           const LocalNode& local, OverlayMetrics& metrics)
    : id_(link.peer),
      address_(link.remote),
      local_cert_(link.local_cert),
      local_nonce_(link.local_nonce),
      local_(local),
      metrics_(metrics),
      handshake_(link.direction),
      flow_(now, max_tx_size, options.credit, metrics.flow_control),
      queries_(options.queries),
      opened_(now),
      next_check_(now + limits::kAuthTimeout),
      last_read_(now),
      last_write_(now) {
  // Until HELLO names it, an inbound peer has no port: the one it calls from is not where it listens.
  if (link.direction == Direction::kInbound) address_.port = 0;
}

void Peer::emit(Bytes xdr, Outputs& out) { put_out(wire::Message::adopt(std::move(xdr), local_.network_id), out); }

void Peer::put_out(MessagePtr message, Outputs& out) {
  const std::size_t bytes = message->size() + limits::kFrameOverheadBytes;
  ++messages_written_;
  ++metrics_.link.messages_written;
  bytes_written_ += bytes;
  metrics_.link.bytes_written += bytes;
  out.emplace_back(Send{id_, std::move(message)});
}

void Peer::start(Outputs& out) {
  if (direction() == Direction::kOutbound) emit(wire::write_hello(make_hello(local_, local_cert_, local_nonce_)), out);
}

HelloResult Peer::on_hello(const wire::Hello& hello, const HelloFacts& facts, Outputs& out) {
  const HelloResult result = handshake_.on_hello(hello, facts, local_);
  if (handshake_.state() == HandshakeState::kGotHello && node_.is_zero()) {
    node_ = hello.peer_id;
    hello_ = hello;
    if (hello.listening_port > 0 && hello.listening_port <= 0xffff)
      address_.port = static_cast<std::uint16_t>(hello.listening_port);
  }
  if (result.sends_hello) emit(wire::write_hello(make_hello(local_, local_cert_, local_nonce_)), out);
  if (result.sends_auth) emit(wire::write_auth(limits::kAuthFlags), out);
  return result;
}

AuthResult Peer::on_auth(std::int32_t flags, Outputs& out) {
  const AuthResult result = handshake_.on_auth(flags);
  if (result.sends_auth_and_peers) emit(wire::write_auth(limits::kAuthFlags), out);
  return result;
}

void Peer::on_accepted(Instant now, std::uint32_t first_slot, Random& random, Outputs& out) {
  is_accepted_ = true;
  accepted_ = now;
  out.emplace_back(LinkAuthenticated{id_});
  // The grant comes first: until it arrives the peer may send us nothing that floods.
  const Credit credit = flow_.initial_grant();
  emit(wire::write_send_more_extended(
           {static_cast<std::uint32_t>(credit.messages), static_cast<std::uint32_t>(credit.bytes)}),
       out);
  ++metrics_.flow_control.send_more_sent;
  emit(wire::write_get_scp_state(first_slot), out);
  if (const auto ping = ping_.advance(now, random)) emit(wire::write_get_scp_quorumset(*ping), out);
  next_check_ = now + limits::kRecurrentPeriod;
}

void Peer::send(MessagePtr message, Instant now, const SendQueueLimits& limits, Outputs& out) {
  if (!is_flood(message->type()) || flow_.take_at_once(*message, limits)) {
    put_out(std::move(message), out);
    return;
  }
  flow_.queue(std::move(message), now, limits);
  flush_sendable(now, out);
}

void Peer::flush_sendable(Instant now, Outputs& out) {
  sendable_.clear();
  flow_.take_sendable(now, sendable_);
  for (MessagePtr& message : sendable_) put_out(std::move(message), out);
}

std::optional<DropReason> Peer::on_grant(Credit credit, Instant now, Outputs& out) {
  if (const auto reason = flow_.on_grant(credit)) return reason;
  flush_sendable(now, out);
  return std::nullopt;
}

void Peer::on_max_tx_size(std::uint32_t max_tx_size, Outputs& out) {
  const auto grant = flow_.on_max_tx_size(max_tx_size);
  if (!grant || !is_accepted_) return;  // before acceptance the initial grant carries it
  emit(wire::write_send_more_extended({0, static_cast<std::uint32_t>(grant->bytes)}), out);
  ++metrics_.flow_control.send_more_sent;
}

std::optional<DropReason> Peer::begin_message(const wire::Message& message, Instant now, Outputs& out) {
  ++messages_read_;
  ++metrics_.link.messages_read;
  bytes_read_ += message.size() + limits::kFrameOverheadBytes;
  metrics_.link.bytes_read += message.size() + limits::kFrameOverheadBytes;
  last_read_ = now;
  const auto reason = flow_.begin(is_flood(message.type()), message.size());
  if (!reason && flow_.take_pause(now)) out.emplace_back(PauseReading{id_});
  return reason;
}

void Peer::count_flood(bool is_unique, std::uint64_t bytes) {
  Credit& counted = is_unique ? unique_flood_ : duplicate_flood_;
  ++counted.messages;
  counted.bytes += bytes;
}

void Peer::count_fetch(bool is_unique, std::uint64_t bytes) {
  Credit& counted = is_unique ? unique_fetch_ : duplicate_fetch_;
  ++counted.messages;
  counted.bytes += bytes;
}

void Peer::end_message(const wire::Message& message, Instant now, Outputs& out) {
  if (const auto grant = flow_.end(is_flood(message.type()), message.size())) {
    emit(wire::write_send_more_extended(
             {static_cast<std::uint32_t>(grant->messages), static_cast<std::uint32_t>(grant->bytes)}),
         out);
    ++metrics_.flow_control.send_more_sent;
  }
  if (flow_.take_resume(now)) out.emplace_back(ResumeReading{id_});
}

void Peer::on_progress(const LinkProgress& progress) {
  last_read_ = std::max(last_read_, progress.last_read);
  last_write_ = std::max(last_write_, progress.last_write);
  oldest_unwritten_ = progress.oldest_unwritten;
}

bool Peer::allows_query(wire::MessageType type, Instant now, Duration close_time) {
  const bool allowed = queries_.take(wire::message_rule(type).query, now, close_time);
  if (!allowed) ++metrics_.fetch.queries_ignored;
  return allowed;
}

void Peer::forgive(Duration stalled, Instant now) {
  last_read_ = last_read_ + stalled;
  last_write_ = last_write_ + stalled;
  last_stall_ = now;
  if (!is_accepted_) next_check_ = now + limits::kAuthTimeout;
  flow_.forgive(stalled);
}

std::optional<DropReason> Peer::advance(Instant now, Random& random, Outputs& out) {
  if (now < next_check_) return std::nullopt;
  if (!is_accepted_) return DropReason::kAuthTimeout;
  next_check_ = now + limits::kRecurrentPeriod;
  if (now - last_read_ >= limits::kIdleTimeout && now - last_write_ >= limits::kIdleTimeout) return DropReason::kIdle;
  if (now >= flow_.no_credit_deadline()) return DropReason::kNoCredit;
  // The network threads stood still as well, and say when a message came: that is not moved by a stall.
  if (!oldest_unwritten_.is_never() && now - std::max(oldest_unwritten_, last_stall_) >= limits::kStragglerTimeout)
    return DropReason::kStraggling;
  if (const auto ping = ping_.advance(now, random)) emit(wire::write_get_scp_quorumset(*ping), out);
  return std::nullopt;
}

Instant Peer::next_deadline() const { return next_check_; }

MessagePtr Peer::error_for(DropReason reason) const {
  const DropReasonInfo& info = drop_reason_info(reason);
  if (!info.code) return nullptr;
  std::string text(info.text);
  if (reason == DropReason::kAlreadyConnected) text += crypto::short_node_id(node_);
  return wire::Message::adopt(wire::write_error({static_cast<std::int32_t>(*info.code), text}), local_.network_id);
}

PeerSnapshot Peer::snapshot(Instant now) const {
  PeerSnapshot snapshot;
  snapshot.peer = id_;
  snapshot.node = node_;
  snapshot.address = address_;
  snapshot.direction = direction();
  snapshot.is_authenticated = is_accepted_;
  snapshot.version_string = hello_.version_string;
  snapshot.overlay_version = hello_.overlay_version;
  snapshot.overlay_min_version = hello_.overlay_min_version;
  snapshot.ledger_version = hello_.ledger_version;
  snapshot.connected_for = now - opened_;
  if (const auto latency = ping_.last()) snapshot.latency = *latency;
  if (const auto median = ping_.median()) snapshot.latency_median = *median;
  if (const auto p99 = ping_.p99()) snapshot.latency_p99 = *p99;
  const auto since = [now](Instant then) { return std::max(Duration(0), now - then); };
  snapshot.unread_for = since(last_read_);
  snapshot.unwritten_for = since(last_write_);
  if (!oldest_unwritten_.is_never()) snapshot.oldest_write_for = since(oldest_unwritten_);
  if (const auto blocked = flow_.blocked_since()) snapshot.no_credit_for = since(*blocked);
  snapshot.queue_delays = flow_.last_delays();
  snapshot.messages_read = messages_read_;
  snapshot.messages_written = messages_written_;
  snapshot.bytes_read = bytes_read_;
  snapshot.bytes_written = bytes_written_;
  snapshot.unique_flood_messages = unique_flood_.messages;
  snapshot.unique_flood_bytes = unique_flood_.bytes;
  snapshot.duplicate_flood_messages = duplicate_flood_.messages;
  snapshot.duplicate_flood_bytes = duplicate_flood_.bytes;
  snapshot.unique_fetch_messages = unique_fetch_.messages;
  snapshot.unique_fetch_bytes = unique_fetch_.bytes;
  snapshot.duplicate_fetch_messages = duplicate_fetch_.messages;
  snapshot.duplicate_fetch_bytes = duplicate_fetch_.bytes;
  snapshot.outbound_credit_messages = flow_.outbound_left().messages;
  snapshot.outbound_credit_bytes = flow_.outbound_left().bytes;
  snapshot.queued_messages = flow_.queued();
  return snapshot;
}

}  // namespace overlayd::peer
