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
  xdr::Writer value;
  value.fixed(make_full_hash(fields.value).bytes).u64(fields.value).u32(0).u32(0);  // tx set, close time, upgrades, ext
  xdr::Writer writer;
  writer.public_key(fields.node.bytes).u64(fields.slot);
  writer.u32(0);                           // SCP_ST_PREPARE
  writer.fixed(make_full_hash(77).bytes);  // quorum set
  writer.u32(fields.ballot_counter).variable(fields.value_bytes == 0 ? value.bytes() : Bytes(fields.value_bytes));
  writer.u32(0).u32(0).u32(0).u32(0);  // prepared, preparedPrime, nC, nH
  const std::array<std::uint8_t, 64> signature{};
  writer.variable(signature);
  return wire::Message::adopt(wire::wrap(wire::MessageType::kScpMessage, writer.bytes()), network);
}

TxFullHash make_full_hash(std::uint64_t number) { return numbered<TxFullHash>(number, 0xaa); }

NodeId make_node(std::uint64_t number) { return numbered<NodeId>(number, 0x11); }

}  // namespace overlayd::test
