// One StellarMessage: its XDR, its type and the hashes everybody needs, computed once on the thread that made it.
// Immutable. The bytes are canonical XDR: a Message can only be made from bytes that xdr::validate accepted, or by our
// own writers.
#pragma once
#include "core/ids.h"
#include "core/inputs.h"
#include "core/wire/message_type.h"

namespace overlayd::wire {

class Message {
 public:
  // Takes validated XDR of a StellarMessage (at least 4 bytes) and computes what its type needs:
  //   flood_hash   SCP_MESSAGE, TRANSACTION and the four survey messages
  //   tx_hash, tx_full_hash   TRANSACTION
  static MessagePtr make(ByteView xdr, const NetworkId& network);
  // Takes the bytes over instead of copying them.
  static MessagePtr adopt(Bytes xdr, const NetworkId& network);

  [[nodiscard]] MessageType type() const { return type_; }
  [[nodiscard]] ByteView xdr() const { return xdr_; }
  // The union's arm: what follows the 4-byte type. For TRANSACTION a TransactionEnvelope, for SCP_MESSAGE an SCPEnvelope.
  [[nodiscard]] ByteView body() const { return ByteView(xdr_).subspan(4); }
  [[nodiscard]] std::size_t size() const { return xdr_.size(); }
  // Zero for types without one.
  [[nodiscard]] const FloodHash& flood_hash() const { return flood_hash_; }
  [[nodiscard]] const TxHash& tx_hash() const { return tx_hash_; }
  [[nodiscard]] const TxFullHash& tx_full_hash() const { return tx_full_hash_; }

  struct Key {};  // only make and adopt construct
  Message(Key, Bytes xdr, const NetworkId& network);

 private:
  Bytes xdr_;
  MessageType type_;
  FloodHash flood_hash_;
  TxHash tx_hash_;
  TxFullHash tx_full_hash_;
};

}  // namespace overlayd::wire
