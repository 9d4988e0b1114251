// One StellarMessage: its XDR, its type and the hashes everybody needs, computed once on the thread that made it.
// Immutable. The bytes are canonical XDR: a Message can only be made from bytes that xdr::validate accepted, or by our
// own writers.
#pragma once
#include "core/ids.h"
#include "core/inputs.h"
#include "core/wire/message_type.h"
#include "core/xdr/validate.h"

namespace overlayd::wire {

class Message {
 public:
  // Validates and makes in one pass over the bytes: what the receive path does. The message is null where the
  // validation failed, which then says why.
  // With a `buffer`, in which `xdr` lies, the message keeps that instead of copying the bytes.
  struct Parsed;
  static Parsed parse(ByteView xdr, const NetworkId& network, std::unique_ptr<std::uint8_t[]> buffer = nullptr);
  // Takes validated XDR of a StellarMessage (at least 4 bytes) and computes what its type needs:
  //   flood_hash   SCP_MESSAGE, TRANSACTION and the four survey messages
  //   tx_hash, tx_full_hash   TRANSACTION
  //   item_hash    TX_SET, GENERALIZED_TX_SET, SCP_QUORUMSET
  static MessagePtr make(ByteView xdr, const NetworkId& network);
  // Takes the bytes over instead of copying them; `xdr` lies in `buffer`.
  static MessagePtr adopt(Bytes xdr, const NetworkId& network);
  static MessagePtr adopt(std::unique_ptr<std::uint8_t[]> buffer, ByteView xdr, const NetworkId& network);

  [[nodiscard]] MessageType type() const { return type_; }
  [[nodiscard]] ByteView xdr() const { return xdr_; }
  // The union's arm: what follows the 4-byte type. For TRANSACTION a TransactionEnvelope, for SCP_MESSAGE an
  // SCPEnvelope.
  [[nodiscard]] ByteView body() const { return xdr_.subspan(4); }
  [[nodiscard]] std::size_t size() const { return xdr_.size(); }
  // Zero for types without one.
  [[nodiscard]] const FloodHash& flood_hash() const { return flood_hash_; }
  [[nodiscard]] const TxHash& tx_hash() const { return tx_hash_; }
  [[nodiscard]] const TxFullHash& tx_full_hash() const { return tx_full_hash_; }
  [[nodiscard]] const ItemHash& item_hash() const { return item_hash_; }

  // Where the bytes of a message are kept, and what is known of them already. Only the functions above make one.
  class Source {
    friend class Message;
    Bytes bytes_;
    std::unique_ptr<std::uint8_t[]> buffer_;
    ByteView xdr_;
    std::size_t transaction_bytes_ = 0;  // the envelope's part before the signatures; 0: not known
  };
  Message(Source source, const NetworkId& network);

 private:
  static MessagePtr make_shared(Source source, const NetworkId& network);

  Bytes bytes_;                             // one of these two
  std::unique_ptr<std::uint8_t[]> buffer_;  // holds xdr_
  ByteView xdr_;
  MessageType type_;
  FloodHash flood_hash_;
  TxHash tx_hash_;
  TxFullHash tx_full_hash_;
  ItemHash item_hash_;
};

struct Message::Parsed {
  MessagePtr message;
  xdr::Validation validation;
};

}  // namespace overlayd::wire
