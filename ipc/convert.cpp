#include "ipc/convert.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/book/address.h"
#include "core/wire/message.h"
#include "ipc/convert_parts.h"

namespace overlayd::ipc {

using namespace parts;

namespace {

void to_proto(const PublishPeer& peer, v1::PeerEvent& out) {
  const bool is_dropped = peer.change == PeerChange::kDropped;
  out.set_change(is_dropped ? v1::PeerEvent::CHANGE_DROPPED : v1::PeerEvent::CHANGE_AUTHENTICATED);
  out.set_address(book::display_text(peer.address));
  out.set_direction(parts::to_proto(peer.direction));
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

Result<Done> parts::check_scp_size(const wire::Message& message, std::string_view field) {
  if (message.size() <= limits::kScpMessageBytesMax) return Done{};
  return Failure{std::string(field) + ": its StellarMessage is " + std::to_string(message.size()) + " bytes; at most " +
                 std::to_string(limits::kScpMessageBytesMax) + " fit the flow control of every peer"};
}

Result<Done> check_broadcastable(const wire::Message& message) {
  if (message.type() != wire::MessageType::kScpMessage) return Done{};
  return check_scp_size(message, "scp_envelope");
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

Result<PeerAddress> parse_address(std::string_view text, std::string_view field, std::uint16_t default_port) {
  const auto refuse = [field](const char* why) { return Failure{std::string(field) + ": " + why}; };
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return refuse("'[' without ']'");
    host = text.substr(1, end - 1);
    has_port = end + 1 < text.size();
    if (has_port && text[end + 1] != ':') return refuse("after ']' only a port may follow");
    if (has_port) port = text.substr(end + 2);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos && colon == text.rfind(':')) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  std::uint16_t number = default_port;
  if (has_port) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error != std::errc() || end != port.data() + port.size() || number == 0) {
      return refuse("the port must be 1 to 65535");
    }
  }
  // inet_pton would read as far as a NUL only.
  const std::string literal(host.find('\0') == std::string_view::npos ? host : std::string_view{});
  PeerAddress address;
  std::array<std::uint8_t, 4> v4{};
  if (inet_pton(AF_INET, literal.c_str(), v4.data()) == 1) return PeerAddress::from_v4(v4, number);
  if (inet_pton(AF_INET6, literal.c_str(), address.ip.data()) == 1) {
    address.port = number;
    return address;
  }
  return refuse("must be an IP address with or without a port, such as 192.0.2.1:11625 or [2001:db8::1]:11625");
}

void to_proto(const LoggedEvent& event, v1::Event& out) {
  out.set_sequence(event.sequence());
  out.set_topic(static_cast<v1::Topic>(event.topic));
  out.set_arrival_unix_nanos(event.arrival_unix_nanos);
  if (!event.from.is_zero()) out.set_from(std::string(text_of(event.from.view())));
  if (event.peer) to_proto(*event.peer, *out.mutable_peer());
  if (event.item) to_proto(*event.item, out);
  if (event.scp_state_request) {
    out.mutable_scp_state_request()->set_from_ledger(event.scp_state_request->from_ledger);
    out.mutable_scp_state_request()->set_envelopes_sent(event.scp_state_request->envelopes_sent);
  }
  if (event.survey) to_proto(*event.survey, *out.mutable_survey());
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

void to_proto(const RequestAnswer& answer, const wire::Message* message, v1::BroadcastResponse& out) {
  switch (answer.status) {
    case RequestStatus::kAccepted: out.set_status(v1::BROADCAST_STATUS_ACCEPTED); break;
    case RequestStatus::kDuplicate: out.set_status(v1::BROADCAST_STATUS_DUPLICATE); break;
    case RequestStatus::kRefused:
    case RequestStatus::kNotFound: out.set_status(v1::BROADCAST_STATUS_REFUSED); break;
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

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return out;
}

}  // namespace overlayd::ipc
