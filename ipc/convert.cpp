#include "ipc/convert.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/wire/message.h"
#include "core/wire/values.h"
#include "core/xdr/validate.h"

namespace overlayd::ipc {
namespace {

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
ByteView bytes_of(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

template <typename Id>
Result<Id> to_id(std::string_view bytes, std::string_view field) {
  if (bytes.size() != 32) {
    return Failure{std::string(field) + ": must be 32 bytes, has " + std::to_string(bytes.size())};
  }
  return Id::from(bytes_of(bytes).first<32>());
}

template <typename Id, typename Field>
Result<std::vector<Id>> to_ids(const Field& field, std::string_view name, std::size_t max) {
  if (static_cast<std::size_t>(field.size()) > max) {
    return Failure{std::string(name) + ": at most " + std::to_string(max) + ", has " + std::to_string(field.size())};
  }
  std::vector<Id> ids;
  ids.reserve(field.size());
  for (const std::string& bytes : field) {
    auto id = to_id<Id>(bytes, std::string(name) + "[" + std::to_string(ids.size()) + "]");
    if (!id) return Failure{id.error()};
    ids.push_back(id.value());
  }
  return ids;
}

Result<MessagePtr> wrapped(const std::string& envelope, std::string_view field, xdr::Type type, wire::MessageType as,
                           const NetworkId& network) {
  static constexpr std::size_t kEnvelopeBytesMax = limits::kMessageBytesMax - 4;  // without the message's type
  if (envelope.size() > kEnvelopeBytesMax) {
    return Failure{std::string(field) + ": at most " + std::to_string(kEnvelopeBytesMax) + " bytes, has " +
                   std::to_string(envelope.size())};
  }
  const ByteView bytes = bytes_of(envelope);
  if (const auto validation = xdr::validate(type, bytes); !validation) {
    return Failure{std::string(field) + ": " + validation.text()};
  }
  return wire::Message::adopt(wire::wrap(as, bytes), network);
}

v1::Direction to_proto(Direction direction) {
  return direction == Direction::kInbound ? v1::DIRECTION_INBOUND : v1::DIRECTION_OUTBOUND;
}

double milliseconds_of(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

std::uint64_t whole_milliseconds(Duration duration) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, std::chrono::duration_cast<milliseconds>(duration).count()));
}

void to_proto(const PublishPeer& peer, v1::PeerEvent& out) {
  const bool is_dropped = peer.change == PeerChange::kDropped;
  out.set_change(is_dropped ? v1::PeerEvent::CHANGE_DROPPED : v1::PeerEvent::CHANGE_AUTHENTICATED);
  out.set_address(address_text(peer.address));
  out.set_direction(to_proto(peer.direction));
  if (!is_dropped) return;
  out.set_reason(std::string(drop_reason_info(peer.reason).label));
  out.set_detail(printable(peer.detail));
}

Result<Done> check_range(std::string_view field, std::uint32_t value, std::uint32_t min, std::uint32_t max) {
  if (value >= min && value <= max) return Done{};
  const std::string range =
      max == UINT32_MAX ? "at least " + std::to_string(min) : std::to_string(min) + " to " + std::to_string(max);
  return Failure{std::string(field) + ": must be " + range + ", is " + std::to_string(value)};
}

// Of the numbers that are present: the first out of range. The ranges are those the contract names.
Result<Done> check_numbers(const v1::UpdateLedgerRequest& request) {
  static constexpr std::uint32_t kProtocolVersionMax = 1'000;
  static constexpr std::uint32_t kCloseTimeMaxMs = 3'600'000;
  static constexpr std::uint32_t kTxSetOpsMax = 1'000'000;
  // What peers may send is this and the buffer, and must pass as one message.
  static constexpr std::uint32_t kSorobanTxBytesMax = limits::kMessageBytesMax - limits::kMaxTxSizeBuffer;
  struct Number {
    const char* field;
    bool is_present;
    std::uint32_t value, min, max;
  };
  const std::array numbers{
      Number{"sequence", request.has_sequence(), request.sequence(), 1, UINT32_MAX},
      Number{"protocol_version", request.has_protocol_version(), request.protocol_version(), 1, kProtocolVersionMax},
      Number{"close_time_ms", request.has_close_time_ms(), request.close_time_ms(), 1, kCloseTimeMaxMs},
      Number{"max_tx_set_ops", request.has_max_tx_set_ops(), request.max_tx_set_ops(), 1, kTxSetOpsMax},
      Number{"soroban_tx_bytes_max", request.has_soroban_tx_bytes_max(), request.soroban_tx_bytes_max(), 0,
             kSorobanTxBytesMax}};
  for (const Number& number : numbers) {
    if (!number.is_present) continue;
    if (auto checked = check_range(number.field, number.value, number.min, number.max); !checked) return checked;
  }
  return Done{};
}

// The fields that are plain numbers; a refusal if one is out of range.
Result<Done> apply_numbers(const v1::UpdateLedgerRequest& request, LedgerView& view) {
  if (auto checked = check_numbers(request); !checked) return checked;
  if (request.has_sequence()) view.sequence = request.sequence();
  if (request.has_in_sync()) view.is_in_sync = request.in_sync();
  if (request.has_protocol_version()) view.protocol_version = request.protocol_version();
  if (request.has_close_time_ms()) view.close_time = milliseconds(request.close_time_ms());
  if (request.has_max_tx_set_ops()) view.max_tx_set_ops = request.max_tx_set_ops();
  if (request.has_soroban_ledger_tx_count()) view.soroban_ledger_tx_count = request.soroban_ledger_tx_count();
  if (request.has_soroban_tx_bytes_max()) view.soroban_tx_bytes_max = request.soroban_tx_bytes_max();
  if (request.has_lowest_slot()) view.lowest_slot = request.lowest_slot();
  if (request.has_checkpoint_slot()) view.checkpoint_slot = request.checkpoint_slot();
  if (request.has_is_validator()) view.is_validator = request.is_validator();
  return Done{};
}

void add_counter(v1::GetStatusResponse& out, std::string name, std::uint64_t value) {
  v1::Counter& counter = *out.add_counters();
  counter.set_name(std::move(name));
  counter.set_value(value);
}

void add_traffic_counters(const OverlayMetrics& metrics, v1::GetStatusResponse& out) {
  const LinkMetrics& link = metrics.link;
  add_counter(out, "messages_read", link.messages_read);
  add_counter(out, "messages_written", link.messages_written);
  add_counter(out, "bytes_read", link.bytes_read);
  add_counter(out, "bytes_written", link.bytes_written);
  add_counter(out, "links_inbound_opened", link.inbound_opened);
  add_counter(out, "links_outbound_opened", link.outbound_opened);
  for (std::size_t index = 0; index < kDropReasonCount; ++index) {
    if (link.drops[index] == 0) continue;
    add_counter(out, "drops_" + std::string(drop_reason_info(static_cast<DropReason>(index)).label), link.drops[index]);
  }
  const FloodGateMetrics& gate = metrics.flood_gate;
  add_counter(out, "flood_unique", gate.unique);
  add_counter(out, "flood_duplicate", gate.duplicate);
  add_counter(out, "flood_forgotten", gate.forgotten);
  add_counter(out, "flood_evicted", gate.evicted);
  const FlowControlMetrics& flow = metrics.flow_control;
  add_counter(out, "flow_send_more_sent", flow.send_more_sent);
  for (std::size_t index = 0; index < kFloodQueueCount; ++index) {
    const FloodQueueMetrics& queue = flow.queues[index];
    const std::string name = kFloodQueueNames[index];
    add_counter(out, "flow_dropped_" + name, queue.dropped);
    add_counter(out, "flow_sent_" + name, queue.delay.count());
    add_counter(out, "flow_delay_ms_" + name, whole_milliseconds(queue.delay.sum));
    add_counter(out, "flow_throttled_ms_" + name, whole_milliseconds(queue.throttled));
  }
  add_counter(out, "flow_oversized_transactions", flow.oversized_transactions);
  add_counter(out, "flow_reads_paused", flow.reads_paused);
  add_counter(out, "flow_reads_throttled_ms", whole_milliseconds(flow.reads_throttled));
}

void add_flood_counters(const OverlayMetrics& metrics, v1::GetStatusResponse& out) {
  const TxFloodMetrics& tx = metrics.tx;
  add_counter(out, "tx_adverts_received", tx.adverts_received);
  add_counter(out, "tx_adverts_sent", tx.adverts_sent);
  add_counter(out, "tx_adverts_trimmed", tx.adverts_trimmed);
  add_counter(out, "tx_demands_sent", tx.demands_sent);
  add_counter(out, "tx_demand_retries", tx.demand_retries);
  add_counter(out, "tx_demands_abandoned", tx.demands_abandoned);
  add_counter(out, "tx_demands_refused", tx.demands_refused);
  add_counter(out, "tx_demands_fulfilled", tx.demands_fulfilled);
  add_counter(out, "tx_demands_unknown", tx.demands_unknown);
  add_counter(out, "tx_demands_banned", tx.demands_banned);
  add_counter(out, "tx_received", tx.transactions_received);
  add_counter(out, "tx_duplicate", tx.transactions_duplicate);
  add_counter(out, "tx_rejected", tx.transactions_rejected);
  add_counter(out, "tx_waited", tx.transactions_waited);
  add_counter(out, "tx_unwaited", tx.transactions_unwaited);
  add_counter(out, "tx_pool_refused", tx.pool_refused);
  add_counter(out, "tx_pool_evicted", tx.pool_evicted);
  const ScpMetrics& scp = metrics.scp;
  add_counter(out, "scp_received", scp.received);
  add_counter(out, "scp_invalid_signature", scp.invalid_signature);
  add_counter(out, "scp_invalid_value", scp.invalid_value);
  add_counter(out, "scp_implausible", scp.implausible);
  add_counter(out, "scp_verify_refused", scp.verify_refused);
  add_counter(out, "scp_verify_cached", scp.verify_cached);
  add_counter(out, "scp_relayed", scp.relayed);
}

void add_other_counters(const OverlayMetrics& metrics, v1::GetStatusResponse& out) {
  add_counter(out, "queries_answered", metrics.fetch.queries_answered);
  add_counter(out, "queries_dont_have", metrics.fetch.queries_dont_have);
  add_counter(out, "queries_ignored", metrics.fetch.queries_ignored);
  add_counter(out, "items_unsolicited", metrics.fetch.unsolicited);
  add_counter(out, "addresses_received", metrics.book.addresses_received);
  add_counter(out, "addresses_refused", metrics.book.addresses_refused);
  add_counter(out, "dials", metrics.book.dials);
  add_counter(out, "dials_failed", metrics.book.dials_failed);
  add_counter(out, "ignored_out_of_sync", metrics.ignored_out_of_sync);
  add_counter(out, "survey_ignored", metrics.survey_ignored);
}

}  // namespace

Result<MessagePtr> to_message(const v1::BroadcastRequest& request, const NetworkId& network) {
  switch (request.item_case()) {
    case v1::BroadcastRequest::kTransactionEnvelope:
      return wrapped(request.transaction_envelope(), "transaction_envelope", xdr::Type::kTransactionEnvelope,
                     wire::MessageType::kTransaction, network);
    case v1::BroadcastRequest::kScpEnvelope:
      return wrapped(request.scp_envelope(), "scp_envelope", xdr::Type::kScpEnvelope, wire::MessageType::kScpMessage,
                     network);
    case v1::BroadcastRequest::ITEM_NOT_SET: break;
  }
  return Failure{"item: neither transaction_envelope nor scp_envelope is given"};
}

Result<Done> check_broadcastable(const wire::Message& message) {
  if (message.type() != wire::MessageType::kScpMessage || message.size() <= limits::kScpMessageBytesMax) return Done{};
  return Failure{"scp_envelope: its StellarMessage is " + std::to_string(message.size()) + " bytes; at most " +
                 std::to_string(limits::kScpMessageBytesMax) + " fit the flow control of every peer"};
}

Result<VerdictGiven> to_verdict(const v1::VerdictsRequest::Item& item) {
  VerdictGiven given;
  switch (item.verdict()) {
    case v1::VERDICT_ACCEPT: given.verdict = Verdict::kAccept; break;
    case v1::VERDICT_REJECT: given.verdict = Verdict::kReject; break;
    case v1::VERDICT_BAN: given.verdict = Verdict::kBan; break;
    default: return Failure{"verdict: must be ACCEPT, REJECT or BAN"};
  }
  if (item.subject_case() == v1::VerdictsRequest::Item::kTxHash) {
    auto hash = to_id<TxHash>(item.tx_hash(), "tx_hash");
    if (!hash) return Failure{hash.error()};
    given.subject = hash.value();
  } else if (item.subject_case() == v1::VerdictsRequest::Item::kFloodHash) {
    auto hash = to_id<FloodHash>(item.flood_hash(), "flood_hash");
    if (!hash) return Failure{hash.error()};
    given.subject = hash.value();
  } else {
    return Failure{"subject: neither tx_hash nor flood_hash is given"};
  }
  return given;
}

Result<LedgerUpdated> to_ledger_update(const v1::UpdateLedgerRequest& request, const LedgerView& former) {
  if (!former.is_known && !request.has_sequence()) {
    return Failure{"sequence: required in the first UpdateLedger after the daemon started"};
  }
  LedgerUpdated update{.view = former, .applied = {}, .banned = {}};
  update.view.is_known = true;
  if (auto numbers = apply_numbers(request, update.view); !numbers) return Failure{numbers.error()};
  if (request.has_quorum()) {
    auto nodes = to_ids<NodeId>(request.quorum().node_ids(), "quorum.node_ids", limits::kQuorumNodesMax);
    if (!nodes) return Failure{nodes.error()};
    update.view.quorum = {nodes.value().begin(), nodes.value().end()};
  }
  auto applied = to_ids<TxHash>(request.applied_tx_hashes(), "applied_tx_hashes", limits::kLedgerHashesMax);
  if (!applied) return Failure{applied.error()};
  update.applied = std::move(applied).value();
  auto banned = to_ids<TxHash>(request.banned_tx_hashes(), "banned_tx_hashes", limits::kLedgerHashesMax);
  if (!banned) return Failure{banned.error()};
  update.banned = std::move(banned).value();
  return update;
}

Result<NodeId> to_node_id(std::string_view bytes, std::string_view field) { return to_id<NodeId>(bytes, field); }

Result<PeerAddress> parse_address(std::string_view text) {
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return Failure{"address: '[' without ']'"};
    host = text.substr(1, end - 1);
    has_port = end + 1 < text.size();
    if (has_port && text[end + 1] != ':') return Failure{"address: after ']' only a port may follow"};
    if (has_port) port = text.substr(end + 2);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos && colon == text.rfind(':')) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  std::uint16_t number = limits::kPeerPort;
  if (has_port) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error != std::errc() || end != port.data() + port.size() || number == 0) {
      return Failure{"address: the port must be 1 to 65535"};
    }
  }
  const std::string literal(host);
  PeerAddress address;
  std::array<std::uint8_t, 4> v4{};
  if (inet_pton(AF_INET, literal.c_str(), v4.data()) == 1) return PeerAddress::from_v4(v4, number);
  if (inet_pton(AF_INET6, literal.c_str(), address.ip.data()) == 1) {
    address.port = number;
    return address;
  }
  return Failure{
      "address: must be an IP address with or without a port, such as 192.0.2.1:11625 or [2001:db8::1]:11625"};
}

void to_proto(const LoggedEvent& event, v1::Event& out) {
  out.set_sequence(event.sequence());
  out.set_topic(static_cast<v1::Topic>(event.topic));
  out.set_arrival_unix_nanos(event.arrival_unix_nanos);
  if (!event.from.is_zero()) out.set_from(std::string(text_of(event.from.view())));
  if (event.peer) to_proto(*event.peer, *out.mutable_peer());
  if (!event.message) return;
  const wire::Message& message = *event.message;
  const std::string_view flood_hash = text_of(message.flood_hash().view());
  const bool is_transaction = message.type() == wire::MessageType::kTransaction;
  out.set_hash(std::string(is_transaction ? text_of(message.tx_hash().view()) : flood_hash));
  out.set_flood_hash(std::string(flood_hash));
  if (is_transaction) out.set_tx_full_hash(std::string(text_of(message.tx_full_hash().view())));
  const ByteView body = message.body();
  out.set_xdr(body.data(), body.size());
}

void to_proto(const LoggedGap& gap, v1::Gap& out) {
  out.set_topic(static_cast<v1::Topic>(gap.topic));
  out.set_count(gap.count());
  out.set_from(to_sequence(gap.topic, gap.from_ordinal));
  out.set_to(to_sequence(gap.topic, gap.to_ordinal));
}

void to_proto(const BroadcastAnswer& answer, const wire::Message* message, v1::BroadcastResponse& out) {
  switch (answer.status) {
    case BroadcastStatus::kAccepted: out.set_status(v1::BROADCAST_STATUS_ACCEPTED); break;
    case BroadcastStatus::kDuplicate: out.set_status(v1::BROADCAST_STATUS_DUPLICATE); break;
    case BroadcastStatus::kRefused: out.set_status(v1::BROADCAST_STATUS_REFUSED); break;
  }
  out.set_peers_told(answer.peers_told);
  out.set_why(answer.why);
  if (message == nullptr) return;
  const bool is_transaction = message->type() == wire::MessageType::kTransaction;
  const std::string flood_hash(text_of(message->flood_hash().view()));
  out.set_hash(is_transaction ? std::string(text_of(message->tx_hash().view())) : flood_hash);
  out.set_flood_hash(flood_hash);
  if (is_transaction) out.set_tx_full_hash(std::string(text_of(message->tx_full_hash().view())));
}

void to_proto(const StatusSnapshot& status, v1::GetStatusResponse& out) {
  out.set_node_id(std::string(text_of(status.local.node_id.view())));
  out.set_network_id(std::string(text_of(status.local.network_id.view())));
  out.set_daemon_version(printable(status.local.version_string));
  out.set_overlay_version(status.local.overlay_version);
  out.set_overlay_min_version(status.local.overlay_min_version);
  out.set_ledger_version(status.local.ledger_version);
  out.set_listening_port(status.local.listening_port);
  out.set_uptime_ms(whole_milliseconds(status.uptime));
  out.set_peers_inbound(status.peers_inbound);
  out.set_peers_outbound(status.peers_outbound);
  out.set_peers_pending(status.peers_pending);
  out.set_known_peers(status.known_peers);
  v1::LedgerStatus& ledger = *out.mutable_ledger();
  ledger.set_is_known(status.ledger.is_known);
  ledger.set_sequence(status.ledger.sequence);
  ledger.set_is_in_sync(status.ledger.is_in_sync);
  ledger.set_protocol_version(status.ledger.protocol_version);
  ledger.set_is_validator(status.ledger.is_validator);
  out.set_tx_pool_transactions(status.tx_pool_transactions);
  out.set_tx_pool_bytes(status.tx_pool_bytes);
  out.set_flood_records(status.flood_records);
  out.set_is_demanding_transactions(status.is_demanding_transactions);
  add_traffic_counters(status.metrics, out);
  add_flood_counters(status.metrics, out);
  add_other_counters(status.metrics, out);
}

void to_proto(const PeerSnapshot& peer, v1::Peer& out) {
  if (!peer.node.is_zero()) out.set_node_id(std::string(text_of(peer.node.view())));
  out.set_address(address_text(peer.address));
  out.set_direction(to_proto(peer.direction));
  out.set_is_authenticated(peer.is_authenticated);
  out.set_is_preferred(peer.is_preferred);
  out.set_version(printable(peer.version_string));
  out.set_overlay_version(peer.overlay_version);
  out.set_overlay_min_version(peer.overlay_min_version);
  out.set_ledger_version(peer.ledger_version);
  out.set_connected_ms(whole_milliseconds(peer.connected_for));
  if (peer.latency >= Duration(0)) out.set_latency_ms(milliseconds_of(peer.latency));
  out.set_messages_read(peer.messages_read);
  out.set_messages_written(peer.messages_written);
  out.set_bytes_read(peer.bytes_read);
  out.set_bytes_written(peer.bytes_written);
  out.set_unique_flood_messages(peer.unique_flood_messages);
  out.set_duplicate_flood_messages(peer.duplicate_flood_messages);
  out.set_unique_flood_bytes(peer.unique_flood_bytes);
  out.set_duplicate_flood_bytes(peer.duplicate_flood_bytes);
  out.set_outbound_credit_messages(peer.outbound_credit_messages);
  out.set_outbound_credit_bytes(peer.outbound_credit_bytes);
  out.set_queued_messages(peer.queued_messages);
}

void to_proto(std::vector<PeerSnapshot> peers, v1::ListPeersResponse& out) {
  std::sort(peers.begin(), peers.end(), [](const PeerSnapshot& a, const PeerSnapshot& b) {
    return std::tie(a.node, a.address, a.peer) < std::tie(b.node, b.address, b.peer);
  });
  for (const PeerSnapshot& peer : peers) to_proto(peer, *out.add_peers());
}

std::string address_text(const PeerAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  std::string text;
  if (address.is_v4()) {
    const auto v4 = address.v4();
    text = inet_ntop(AF_INET, v4.data(), buffer.data(), buffer.size());
  } else {
    text.push_back('[');
    text.append(inet_ntop(AF_INET6, address.ip.data(), buffer.data(), buffer.size()));
    text.push_back(']');
  }
  text.push_back(':');
  return text.append(std::to_string(address.port));
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return out;
}

}  // namespace overlayd::ipc
