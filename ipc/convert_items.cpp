// Items and SCP state.
#include "core/wire/message.h"
#include "core/wire/values.h"
#include "core/xdr/validate.h"
#include "ipc/convert.h"
#include "ipc/convert_parts.h"

namespace overlayd::ipc {

using namespace parts;

Result<MessagePtr> parts::wrapped(const std::string& value, std::string_view field, xdr::Type type,
                                  wire::MessageType as, const NetworkId& network) {
  static constexpr std::size_t kValueBytesMax = limits::kMessageBytesMax - 4;  // without the message's type
  if (value.size() > kValueBytesMax) {
    return Failure{std::string(field) + ": at most " + std::to_string(kValueBytesMax) + " bytes, has " +
                   std::to_string(value.size())};
  }
  const ByteView bytes = bytes_of(value);
  if (const auto validation = xdr::validate(type, bytes); !validation) {
    return Failure{std::string(field) + ": " + validation.text()};
  }
  return wire::Message::adopt(wire::wrap(as, bytes), network);
}

namespace {

v1::ItemKind kind_of(const wire::Message& item) {
  switch (item.type()) {
    case wire::MessageType::kTxSet: return v1::ITEM_KIND_TX_SET;
    case wire::MessageType::kGeneralizedTxSet: return v1::ITEM_KIND_GENERALIZED_TX_SET;
    case wire::MessageType::kScpQuorumset: return v1::ITEM_KIND_QUORUM_SET;
    default: return v1::ITEM_KIND_UNSPECIFIED;
  }
}

}  // namespace

Result<ItemId> to_item_id(v1::ItemKind kind, std::string_view hash) {
  ItemId id;
  switch (kind) {
    case v1::ITEM_KIND_TX_SET:
    case v1::ITEM_KIND_GENERALIZED_TX_SET: id.kind = ItemKind::kTxSet; break;
    case v1::ITEM_KIND_QUORUM_SET: id.kind = ItemKind::kQuorumSet; break;
    default: return Failure{"kind: must be TX_SET, GENERALIZED_TX_SET or QUORUM_SET"};
  }
  auto parsed = to_id<ItemHash>(hash, "hash");
  if (!parsed) return Failure{parsed.error()};
  id.hash = parsed.value();
  return id;
}

Result<FetchItem> to_fetch(const v1::FetchRequest& request) {
  const auto id = to_item_id(request.kind(), request.hash());
  if (!id) return Failure{id.error()};
  auto holders = to_ids<NodeId>(request.holders(), "holders", limits::kFetchHoldersMax);
  if (!holders) return Failure{holders.error()};
  return FetchItem{.request = {}, .item = id.value(), .slot = request.slot(), .holders = std::move(holders).value()};
}

Result<MessagePtr> to_message(const v1::PutItemsRequest::Item& item, std::string_view field, const NetworkId& network) {
  const std::string name(field);
  switch (item.item_case()) {
    case v1::PutItemsRequest::Item::kTxSet:
      return wrapped(item.tx_set(), name + ".tx_set", xdr::Type::kTransactionSet, wire::MessageType::kTxSet, network);
    case v1::PutItemsRequest::Item::kGeneralizedTxSet:
      return wrapped(item.generalized_tx_set(), name + ".generalized_tx_set", xdr::Type::kGeneralizedTransactionSet,
                     wire::MessageType::kGeneralizedTxSet, network);
    case v1::PutItemsRequest::Item::kQuorumSet:
      return wrapped(item.quorum_set(), name + ".quorum_set", xdr::Type::kScpQuorumSet,
                     wire::MessageType::kScpQuorumset, network);
    case v1::PutItemsRequest::Item::ITEM_NOT_SET: break;
  }
  return Failure{name + ".item: neither tx_set, generalized_tx_set nor quorum_set is given"};
}

Result<RequestScpState> to_scp_state_request(const v1::RequestScpStateRequest& request) {
  RequestScpState asked;
  if (request.has_node_id()) {
    const auto node = to_node_id(request.node_id(), "node_id");
    if (!node) return Failure{node.error()};
    if (request.has_count()) return Failure{"count: is of random peers and goes only without node_id"};
    asked.node = node.value();
  }
  if (request.has_count()) {
    asked.count = request.count();
    if (asked.count < 1 || asked.count > limits::kScpStatePeersMax) {
      return Failure{"count: must be 1 to " + std::to_string(limits::kScpStatePeersMax) + ", is " +
                     std::to_string(asked.count)};
    }
  }
  if (request.has_from_ledger()) asked.from_ledger = request.from_ledger();
  return asked;
}

Result<SendScpState> to_scp_state(const v1::SendScpStateRequest& request, const NetworkId& network) {
  static constexpr std::size_t kMax = limits::kScpStateSendEnvelopesMax;
  SendScpState state;
  const auto node = to_node_id(request.node_id(), "node_id");
  if (!node) return Failure{node.error()};
  state.node = node.value();
  const auto count = static_cast<std::size_t>(request.scp_envelopes_size());
  if (count > kMax) {
    return Failure{"scp_envelopes: at most " + std::to_string(kMax) + ", has " + std::to_string(count)};
  }
  state.envelopes.reserve(count);
  for (const std::string& envelope : request.scp_envelopes()) {
    const std::string field = "scp_envelopes[" + std::to_string(state.envelopes.size()) + "]";
    auto message = wrapped(envelope, field, xdr::Type::kScpEnvelope, wire::MessageType::kScpMessage, network);
    if (!message) return Failure{message.error()};
    if (const auto size = check_scp_size(*message.value(), field); !size) return Failure{size.error()};
    state.envelopes.push_back(std::move(message).value());
  }
  return state;
}

void to_proto(const PublishItem& published, v1::Event& out) {
  v1::ItemEvent& item = *out.mutable_item();
  out.set_hash(std::string(text_of(published.item.hash.view())));
  item.set_searched_ms(whole_milliseconds(published.searched_for));
  item.set_peers_asked(published.peers_asked);
  item.set_rounds(published.rounds);
  if (published.change == ItemChange::kMissing || !published.message) {
    item.set_change(v1::ItemEvent::CHANGE_MISSING);
    item.set_kind(published.item.kind == ItemKind::kTxSet ? v1::ITEM_KIND_TX_SET : v1::ITEM_KIND_QUORUM_SET);
    return;
  }
  const ByteView body = published.message->body();
  item.set_change(v1::ItemEvent::CHANGE_ARRIVED);
  item.set_kind(kind_of(*published.message));
  item.set_size(body.size());
  out.set_xdr(body.data(), body.size());
}

void to_proto(const RequestAnswer& answer, v1::FetchResponse& out) {
  switch (answer.status) {
    case RequestStatus::kAccepted: out.set_status(v1::FETCH_STATUS_FETCHING); break;
    case RequestStatus::kDuplicate: out.set_status(v1::FETCH_STATUS_HELD); break;
    case RequestStatus::kRefused:
    case RequestStatus::kNotFound: out.set_status(v1::FETCH_STATUS_REFUSED); break;
  }
  out.set_why(answer.why);
}

void to_proto(const RequestAnswer& answer, v1::PutItemsResponse::Result& out) {
  switch (answer.status) {
    case RequestStatus::kAccepted: out.set_status(v1::PUT_ITEM_STATUS_TAKEN); break;
    case RequestStatus::kDuplicate: out.set_status(v1::PUT_ITEM_STATUS_HELD); break;
    case RequestStatus::kRefused:
    case RequestStatus::kNotFound: out.set_status(v1::PUT_ITEM_STATUS_REFUSED); break;
  }
  out.set_why(answer.why);
}

void to_proto(const wire::Message& item, v1::GetItemResponse& out) {
  const ByteView body = item.body();
  out.set_kind(kind_of(item));
  out.set_xdr(body.data(), body.size());
  out.set_size(body.size());
}

}  // namespace overlayd::ipc
