#include "core/wire/hashes.h"

#include "core/check.h"
#include "core/crypto/hash.h"
#include "core/xdr/reader.h"
#include "core/xdr/validate.h"

namespace overlayd::wire {

namespace {

constexpr std::uint32_t kEnvelopeTypeTxV0 = 0;
constexpr std::uint32_t kEnvelopeTypeTx = 2;
constexpr std::uint32_t kEnvelopeTypeTxFeeBump = 5;

// ENVELOPE_TYPE_TX, then KEY_TYPE_ED25519: what a v1 transaction has before the key where a v0 one has nothing. All
// else is the same bytes in both: the flag of TransactionV0.timeBounds reads as PRECOND_NONE or PRECOND_TIME.
constexpr std::uint8_t kV0AsV1[8] = {0, 0, 0, kEnvelopeTypeTx, 0, 0, 0, 0};

// The transaction's part of an envelope: all between the type and the signatures.
ByteView transaction_of(ByteView envelope, xdr::Type type) {
  const auto size = xdr::skip(type, envelope.subspan(4));
  OVERLAYD_CHECK(size.has_value());
  return envelope.subspan(4, *size);
}

}  // namespace

TxHash tx_hash(ByteView transaction_envelope, const NetworkId& network) {
  OVERLAYD_CHECK(transaction_envelope.size() >= 4);
  crypto::Sha256 sha;
  sha.update(network.bytes);
  switch (xdr::Reader(transaction_envelope).u32()) {
    case kEnvelopeTypeTxV0:
      sha.update(kV0AsV1).update(transaction_of(transaction_envelope, xdr::Type::kTransactionV0));
      break;
    case kEnvelopeTypeTx:
      sha.update(transaction_envelope.first(4 + transaction_of(transaction_envelope, xdr::Type::kTransaction).size()));
      break;
    case kEnvelopeTypeTxFeeBump:
      sha.update(
          transaction_envelope.first(4 + transaction_of(transaction_envelope, xdr::Type::kFeeBumpTransaction).size()));
      break;
    default: OVERLAYD_CHECK(!"the envelope was validated");
  }
  return {sha.finish()};
}

TxFullHash tx_full_hash(ByteView transaction_envelope) { return {crypto::sha256(transaction_envelope)}; }

FloodHash flood_hash(ByteView stellar_message) { return {crypto::blake2b_256(stellar_message)}; }

ItemHash generalized_tx_set_hash(ByteView generalized_tx_set) { return {crypto::sha256(generalized_tx_set)}; }

ItemHash tx_set_hash(ByteView tx_set) {
  OVERLAYD_CHECK(tx_set.size() >= 36);
  return {crypto::Sha256().update(tx_set.first(32)).update(tx_set.subspan(36)).finish()};
}

ItemHash quorum_set_hash(ByteView quorum_set) { return {crypto::sha256(quorum_set)}; }

}  // namespace overlayd::wire
