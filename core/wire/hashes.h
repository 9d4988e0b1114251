// The protocol's hashes over encoded values. Each takes validated canonical XDR of the named type.
#pragma once
#include "core/ids.h"
#include "core/xdr/schema.h"

namespace overlayd::wire {

// SHA-256(network id, int32 envelope type, transaction without signatures); a v0 envelope is hashed as its v1 form.
[[nodiscard]] TxHash tx_hash(ByteView transaction_envelope, const NetworkId& network);
// The same for one who knows how many bytes of the envelope lie before the signatures.
[[nodiscard]] TxHash tx_hash(ByteView transaction_envelope, std::size_t unsigned_bytes, const NetworkId& network);
// The type of that part after the envelope's discriminant: TransactionV0, Transaction or FeeBumpTransaction.
[[nodiscard]] std::optional<xdr::Type> transaction_part(std::uint32_t envelope_type);
[[nodiscard]] TxFullHash tx_full_hash(ByteView transaction_envelope);
[[nodiscard]] FloodHash flood_hash(ByteView stellar_message);
[[nodiscard]] ItemHash generalized_tx_set_hash(ByteView generalized_tx_set);
// SHA-256 of previousLedgerHash and the envelopes' XDR (without their count).
[[nodiscard]] ItemHash tx_set_hash(ByteView tx_set);
[[nodiscard]] ItemHash quorum_set_hash(ByteView quorum_set);

}  // namespace overlayd::wire
