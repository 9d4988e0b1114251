#include "tests/support/messages.h"

#include "core/wire/values.h"
#include "core/xdr/writer.h"

namespace overlayd::test {
namespace {

template <typename Id>
Id numbered(std::uint64_t number, std::uint8_t first) {
  Id id;
  id.bytes[0] = first;
  for (int i = 0; i < 8; ++i) id.bytes[31 - i] = id.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return id;
}

void write_payment(xdr::Writer& writer, std::uint64_t amount) {
  writer.u32(0);                                        // no source of its own
  writer.u32(1);                                        // PAYMENT
  writer.u32(0).fixed(make_node(1000 + amount).bytes);  // to
  writer.u32(0);                                        // native
  writer.u64(amount);
}

void begin_envelope(xdr::Writer& writer, std::uint64_t number, std::size_t operations) {
  writer.u32(2);                                 // ENVELOPE_TYPE_TX
  writer.u32(0).fixed(make_node(number).bytes);  // source
  writer.u32(100).u64(number);                   // fee, sequence number
  writer.u32(0).u32(0);                          // no preconditions, no memo
  writer.u32(static_cast<std::uint32_t>(operations));
}

MessagePtr end_envelope(xdr::Writer& writer, const NetworkId& network) {
  const std::array<std::uint8_t, 4> hint{1, 2, 3, 4};
  const std::array<std::uint8_t, 64> signature{};
  writer.u32(0).u32(1).fixed(hint).variable(signature);  // ext, one signature
  return wire::Message::adopt(wire::wrap(wire::MessageType::kTransaction, writer.bytes()), network);
}

// A StellarValue without upgrades, of the basic form.
Bytes make_value(const ItemHash& tx_set, std::uint64_t close_time) {
  return xdr::Writer().fixed(tx_set.bytes).u64(close_time).u32(0).u32(0).take();
}

}  // namespace

MessagePtr make_transaction(const NetworkId& network, std::uint64_t number, std::size_t size) {
  const std::size_t operations = std::min<std::size_t>(100, size < 204 ? 1 : (size - 148) / 56);
  xdr::Writer writer(size);
  begin_envelope(writer, number, operations);
  for (std::size_t i = 0; i < operations; ++i) write_payment(writer, number + i + 1);
  return end_envelope(writer, network);
}

MessagePtr make_upload(const NetworkId& network, std::uint64_t number, std::size_t wasm_bytes) {
  xdr::Writer writer(wasm_bytes + 256);
  begin_envelope(writer, number, 1);
  writer.u32(0).u32(24).u32(2).variable(Bytes(wasm_bytes)).u32(0);  // INVOKE_HOST_FUNCTION, upload, no authorisation
  return end_envelope(writer, network);
}

MessagePtr make_scp(const NetworkId& network, const ScpFields& fields) {
  const ItemHash tx_set = fields.tx_set.value_or(ItemHash{make_full_hash(fields.value).bytes});
  xdr::Writer writer;
  writer.public_key(fields.node.bytes).u64(fields.slot);
  const ItemHash quorum_set = fields.quorum_set.value_or(ItemHash{make_full_hash(77).bytes});
  if (fields.is_externalize) {
    writer.u32(2).u32(fields.ballot_counter).variable(make_value(tx_set, fields.value));  // SCP_ST_EXTERNALIZE
    writer.u32(fields.ballot_counter).fixed(quorum_set.bytes);                            // nH, commitQuorumSetHash
    const std::array<std::uint8_t, 64> signature{};
    writer.variable(signature);
    return wire::Message::adopt(wire::wrap(wire::MessageType::kScpMessage, writer.bytes()), network);
  }
  writer.u32(fields.votes.empty() ? 0 : 3);  // SCP_ST_PREPARE, SCP_ST_NOMINATE
  writer.fixed(quorum_set.bytes);
  if (fields.votes.empty()) {
    writer.u32(fields.ballot_counter);
    writer.variable(fields.value_bytes == 0 ? make_value(tx_set, fields.value) : Bytes(fields.value_bytes));
    writer.u32(0).u32(0).u32(0).u32(0);  // prepared, preparedPrime, nC, nH
  } else {
    writer.u32(static_cast<std::uint32_t>(fields.votes.size()));
    for (const ItemHash& vote : fields.votes) writer.variable(make_value(vote, fields.value));
    writer.u32(0);  // accepted
  }
  const std::array<std::uint8_t, 64> signature{};
  writer.variable(signature);
  return wire::Message::adopt(wire::wrap(wire::MessageType::kScpMessage, writer.bytes()), network);
}

MessagePtr make_tx_set(std::uint64_t number, std::size_t bytes) {
  constexpr std::size_t kAround = 300;  // around the code that the transaction uploads
  const MessagePtr transaction = make_upload({}, number, bytes < kAround ? 0 : bytes - kAround);
  xdr::Writer writer(bytes);
  writer.u32(1).fixed(make_full_hash(number).bytes);  // v1, previous ledger
  writer.u32(1).u32(0).u32(1).u32(0).u32(0);          // a phase, v0, a component, without a base fee
  writer.u32(1).fixed(transaction->body());
  return wire::Message::adopt(wire::wrap(wire::MessageType::kGeneralizedTxSet, writer.bytes()), {});
}

MessagePtr make_quorum_set(std::uint64_t number) {
  xdr::Writer writer;
  writer.u32(1).u32(1).public_key(make_node(number).bytes).u32(0);  // threshold, validators, inner sets
  return wire::Message::adopt(wire::wrap(wire::MessageType::kScpQuorumset, writer.bytes()), {});
}

ItemId item_id_of(const wire::Message& message) {
  const bool is_quorum_set = message.type() == wire::MessageType::kScpQuorumset;
  return {is_quorum_set ? ItemKind::kQuorumSet : ItemKind::kTxSet, message.item_hash()};
}

TxFullHash make_full_hash(std::uint64_t number) { return numbered<TxFullHash>(number, 0xaa); }

NodeId make_node(std::uint64_t number) { return numbered<NodeId>(number, 0x11); }

}  // namespace overlayd::test
