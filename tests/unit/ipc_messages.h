// Well-formed values and messages for tests of the API.
#pragma once
#include "core/outputs.h"
#include "core/wire/message.h"
#include "core/wire/values.h"

namespace overlayd::ipc::testing {

inline std::string text_of(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// A valid TransactionEnvelope (v1, one INFLATION operation, no signature); `number` makes it different.
inline Bytes transaction_envelope(std::uint64_t number) {
  Bytes xdr;
  const auto put = [&](std::uint64_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) xdr.push_back(static_cast<std::uint8_t>(value >> shift));
  };
  put(2, 4);  // ENVELOPE_TYPE_TX
  put(0, 4);  // KEY_TYPE_ED25519
  xdr.insert(xdr.end(), 32, 0x11);
  put(100, 4);     // fee
  put(number, 8);  // sequence number
  put(0, 4);       // no preconditions
  put(0, 4);       // no memo
  put(1, 4);       // operations
  put(0, 4);       // no source account
  put(9, 4);       // INFLATION
  put(0, 4);       // ext
  put(0, 4);       // no signatures
  return xdr;
}

// A valid SCPEnvelope: a NOMINATE statement about `slot` without votes, with an empty signature.
inline Bytes scp_envelope(std::uint64_t slot) {
  Bytes xdr;
  const auto put = [&](std::uint64_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) xdr.push_back(static_cast<std::uint8_t>(value >> shift));
  };
  put(0, 4);  // PUBLIC_KEY_TYPE_ED25519
  xdr.insert(xdr.end(), 32, 0x22);
  put(slot, 8);
  put(3, 4);  // SCP_ST_NOMINATE
  xdr.insert(xdr.end(), 32, 0x33);
  put(0, 4);  // votes
  put(0, 4);  // accepted
  put(0, 4);  // signature
  return xdr;
}

// The same with one vote, as large as makes the StellarMessage around it `bytes` long (a multiple of 4).
inline Bytes large_scp_envelope(std::size_t bytes) {
  Bytes xdr = scp_envelope(1);
  xdr.resize(80);  // up to the votes
  const std::size_t vote = bytes - 4 - 80 - 4 * 4;
  const auto put = [&](std::size_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) xdr.push_back(static_cast<std::uint8_t>(value >> shift));
  };
  put(1);
  put(vote);
  xdr.insert(xdr.end(), vote, 0x55);
  put(0);  // accepted
  put(0);  // signature
  return xdr;
}

// A valid SCPQuorumSet of one validator; `number` makes it different.
inline Bytes quorum_set(std::uint8_t number) {
  Bytes xdr{0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0};  // threshold, validators, key type
  xdr.insert(xdr.end(), 32, number);
  xdr.insert(xdr.end(), 4, 0);  // inner sets
  return xdr;
}

// A valid TransactionSet of `count` transactions after the ledger `number`.
inline Bytes tx_set(std::uint8_t number, std::uint32_t count = 1) {
  Bytes xdr(32, number);
  for (int shift = 24; shift >= 0; shift -= 8) xdr.push_back(static_cast<std::uint8_t>(count >> shift));
  const Bytes envelope = transaction_envelope(number);
  for (std::uint32_t i = 0; i < count; ++i) xdr.insert(xdr.end(), envelope.begin(), envelope.end());
  return xdr;
}

// A valid GeneralizedTransactionSet without phases.
inline Bytes generalized_tx_set(std::uint8_t number) {
  Bytes xdr{0, 0, 0, 1};
  xdr.insert(xdr.end(), 32, number);
  xdr.insert(xdr.end(), 4, 0);
  return xdr;
}

inline NetworkId network() {
  NetworkId id;
  id.bytes.fill(0x44);
  return id;
}

inline MessagePtr transaction_message(std::uint64_t number) {
  return wire::Message::adopt(wire::wrap(wire::MessageType::kTransaction, transaction_envelope(number)), network());
}
inline MessagePtr scp_message(std::uint64_t slot) {
  return wire::Message::adopt(wire::wrap(wire::MessageType::kScpMessage, scp_envelope(slot)), network());
}

inline MessagePtr quorum_set_message(std::uint8_t number) {
  return wire::Message::adopt(wire::wrap(wire::MessageType::kScpQuorumset, quorum_set(number)), network());
}
inline MessagePtr tx_set_message(std::uint8_t number, std::uint32_t count = 1) {
  return wire::Message::adopt(wire::wrap(wire::MessageType::kTxSet, tx_set(number, count)), network());
}
inline MessagePtr generalized_tx_set_message(std::uint8_t number) {
  return wire::Message::adopt(wire::wrap(wire::MessageType::kGeneralizedTxSet, generalized_tx_set(number)), network());
}
// What the item is called, by kind and hash.
inline ItemId item_id(const wire::Message& message) {
  const bool is_quorum_set = message.type() == wire::MessageType::kScpQuorumset;
  return {.kind = is_quorum_set ? ItemKind::kQuorumSet : ItemKind::kTxSet, .hash = message.item_hash()};
}
inline PublishItem arrival(MessagePtr message, const NodeId& from) {
  const ItemId id = item_id(*message);
  return {.item = id,
          .change = ItemChange::kArrived,
          .peer = PeerId{1},
          .from = from,
          .message = std::move(message),
          .searched_for = milliseconds(250),
          .peers_asked = 4,
          .rounds = 1};
}

inline NodeId node(std::uint8_t fill) {
  NodeId id;
  id.bytes.fill(fill);
  return id;
}

}  // namespace overlayd::ipc::testing
