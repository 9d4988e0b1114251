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

}  // namespace

std::optional<xdr::Type> transaction_part(std::uint32_t envelope_type) {
  switch (envelope_type) {
    case kEnvelopeTypeTxV0: return xdr::Type::kTransactionV0;
    case kEnvelopeTypeTx: return xdr::Type::kTransaction;
    case kEnvelopeTypeTxFeeBump: return xdr::Type::kFeeBumpTransaction;
    default: return std::nullopt;
  }
}

TxHash tx_hash(ByteView transaction_envelope, const NetworkId& network) {
  OVERLAYD_CHECK(transaction_envelope.size() >= 4);
  const auto part = transaction_part(xdr::Reader(transaction_envelope).u32());
  OVERLAYD_CHECK(part.has_value());
  const auto size = xdr::skip(*part, transaction_envelope.subspan(4));
  OVERLAYD_CHECK(size.has_value());
  return tx_hash(transaction_envelope, 4 + *size, network);
}

TxHash tx_hash(ByteView transaction_envelope, std::size_t unsigned_bytes, const NetworkId& network) {
  crypto::Sha256 sha;
  sha.update(network.bytes);
  const ByteView part = transaction_envelope.first(unsigned_bytes);
  if (xdr::Reader(part).u32() == kEnvelopeTypeTxV0)
    sha.update(kV0AsV1).update(part.subspan(4));
  else
    sha.update(part);
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
