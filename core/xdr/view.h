// What the overlay reads of the bodies it only carries, in place: nothing is copied, the views live as long as the
// bytes. Each read_* takes the whole encoding of its type and gives nothing if it is malformed. SCP envelopes and
// values are checked on the way, so they may be read unvalidated; transactions too, at the price of a validation.
// Not here: hashes (core/wire/hashes.h), signatures' verification.
#pragma once
#include <iterator>

#include "core/ids.h"

namespace overlayd::xdr {

// --- TransactionEnvelope ------------------------------------------------------------------------------------------

enum class EnvelopeKind : std::uint8_t { kV0, kV1, kFeeBump };

struct TransactionEnvelopeView {
  EnvelopeKind kind = EnvelopeKind::kV1;
  ByteView transaction;  // TransactionV0, Transaction or FeeBumpTransaction: what lies between type and signatures
  ByteView signatures;   // DecoratedSignature<20>, with its count
  std::uint32_t signature_count = 0;

  // Operations of the transaction; of the inner one for a fee bump (stellar-core counts one more for the fee bump).
  [[nodiscard]] std::uint32_t operation_count() const;
};

[[nodiscard]] std::optional<TransactionEnvelopeView> read_transaction_envelope(ByteView xdr);

// --- SCPEnvelope --------------------------------------------------------------------------------------------------

enum class ScpStatementType : std::uint8_t { kPrepare = 0, kConfirm = 1, kExternalize = 2, kNominate = 3 };

struct BallotView {
  std::uint32_t counter = 0;
  ByteView value;
};

// Value<>: the values of a nomination, in the order of the wire.
class ValueList {
 public:
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = ByteView;
    using difference_type = std::ptrdiff_t;
    using pointer = const ByteView*;
    using reference = ByteView;

    Iterator() = default;
    explicit Iterator(const std::uint8_t* at) : at_(at) {}
    ByteView operator*() const;
    Iterator& operator++();
    Iterator operator++(int);
    bool operator==(const Iterator&) const = default;

   private:
    const std::uint8_t* at_ = nullptr;
  };

  ValueList() = default;
  ValueList(ByteView items, std::uint32_t count) : items_(items), count_(count) {}

  [[nodiscard]] Iterator begin() const { return Iterator(items_.data()); }
  [[nodiscard]] Iterator end() const { return Iterator(items_.data() + items_.size()); }
  [[nodiscard]] std::uint32_t size() const { return count_; }

 private:
  ByteView items_;  // checked when it was read
  std::uint32_t count_ = 0;
};

struct ScpEnvelopeView {
  NodeId node;
  std::uint64_t slot = 0;
  ScpStatementType type = ScpStatementType::kPrepare;
  ByteView statement;  // the SCPStatement's XDR: what is signed, behind the network id and ENVELOPE_TYPE_SCP
  ByteView signature;  // at most 64 bytes; a valid one has exactly 64
  ItemHash quorum_set_hash;

  BallotView ballot;                         // PREPARE, CONFIRM; EXTERNALIZE's commit
  std::optional<BallotView> prepared;        // PREPARE
  std::optional<BallotView> prepared_prime;  // PREPARE
  std::uint32_t prepared_counter = 0;        // nPrepared of CONFIRM
  std::uint32_t commit_counter = 0;          // nC of PREPARE, nCommit of CONFIRM
  std::uint32_t high_counter = 0;            // nH of PREPARE, CONFIRM, EXTERNALIZE
  ValueList votes;                           // NOMINATE
  ValueList accepted;                        // NOMINATE

  // Calls `visit(ByteView)` for every value the statement names, each an encoded StellarValue or garbage.
  template <typename Visit>
  void for_each_value(Visit visit) const {
    if (type == ScpStatementType::kNominate) {
      for (const ByteView value : votes) visit(value);
      for (const ByteView value : accepted) visit(value);
      return;
    }
    visit(ballot.value);
    if (prepared) visit(prepared->value);
    if (prepared_prime) visit(prepared_prime->value);
  }
};

[[nodiscard]] std::optional<ScpEnvelopeView> read_scp_envelope(ByteView xdr);

// Whether `candidate` supersedes `old`: both of one node and slot, both nominations or both ballot statements, and the
// candidate is the later one in the protocol's order. A nomination is later if neither of its lists lost a value and
// one grew; ballot statements are ordered by type, then (ballot, prepared, preparedPrime, nH) for PREPARE and
// (ballot, nPrepared, nH) for CONFIRM; one EXTERNALIZE never supersedes another.
// Source: stellar-core SCP::isNewerNominationOrBallotSt, NominationProtocol::isNewerStatement,
// BallotProtocol::isNewerStatement, commit a9b8613.
[[nodiscard]] bool is_newer_statement(const ScpEnvelopeView& old, const ScpEnvelopeView& candidate);

// --- StellarValue -------------------------------------------------------------------------------------------------

enum class StellarValueKind : std::uint8_t { kBasic = 0, kSigned = 1, kEmptyTxSet = 2 };

struct StellarValueView {
  ItemHash tx_set_hash;
  std::uint64_t close_time = 0;  // unix seconds
  StellarValueKind kind = StellarValueKind::kBasic;

  // A value for an empty transaction set (CAP-0083) refers to nothing that could be fetched.
  [[nodiscard]] bool needs_tx_set() const { return kind != StellarValueKind::kEmptyTxSet; }
};

[[nodiscard]] std::optional<StellarValueView> read_stellar_value(ByteView xdr);

}  // namespace overlayd::xdr
