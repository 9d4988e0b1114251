#include "core/xdr/view.h"

#include <algorithm>

#include "core/check.h"
#include "core/xdr/reader.h"
#include "core/xdr/schema.h"
#include "core/xdr/validate.h"

namespace overlayd::xdr {

namespace {

constexpr std::uint32_t kEnvelopeTypeTxV0 = 0;
constexpr std::uint32_t kEnvelopeTypeTx = 2;
constexpr std::uint32_t kEnvelopeTypeTxFeeBump = 5;
constexpr std::size_t kSignatureBytesMax = 64;

// Behind one value of a validated buffer.
ByteView behind(Type type, ByteView bytes) {
  const auto size = skip(type, bytes);
  OVERLAYD_CHECK(size.has_value());
  return bytes.subspan(*size);
}

std::uint32_t operations_of_v1(ByteView transaction) {
  const ByteView after_source = behind(Type::kMuxedAccount, transaction);
  constexpr std::size_t kFeeAndSequence = 4 + 8;
  return Reader(behind(Type::kMemo, behind(Type::kPreconditions, after_source.subspan(kFeeAndSequence)))).u32();
}

std::uint32_t operations_of_v0(ByteView transaction) {
  constexpr std::size_t kKeyFeeAndSequence = 32 + 4 + 8;
  Reader reader(transaction.subspan(kKeyFeeAndSequence));
  const std::size_t time_bounds = reader.optional() ? 4 + 16 : 4;
  return Reader(behind(Type::kMemo, transaction.subspan(kKeyFeeAndSequence + time_bounds))).u32();
}

BallotView read_ballot(Reader& reader) {
  const std::uint32_t counter = reader.u32();
  return {counter, reader.variable(kUnbounded)};
}

std::optional<BallotView> read_optional_ballot(Reader& reader) {
  if (!reader.optional()) return std::nullopt;
  return read_ballot(reader);
}

ValueList read_values(Reader& reader, ByteView xdr) {
  const std::uint32_t count = reader.count(kUnbounded, 4);
  const std::size_t start = reader.offset();
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) static_cast<void>(reader.variable(kUnbounded));
  if (!reader.ok()) return {};
  return {xdr.subspan(start, reader.offset() - start), count};
}

void read_pledges(Reader& reader, ByteView xdr, ScpEnvelopeView& view) {
  switch (view.type) {
    case ScpStatementType::kPrepare:
      view.quorum_set_hash = reader.id<ItemHash>();
      view.ballot = read_ballot(reader);
      view.prepared = read_optional_ballot(reader);
      view.prepared_prime = read_optional_ballot(reader);
      view.commit_counter = reader.u32();
      view.high_counter = reader.u32();
      return;
    case ScpStatementType::kConfirm:
      view.ballot = read_ballot(reader);
      view.prepared_counter = reader.u32();
      view.commit_counter = reader.u32();
      view.high_counter = reader.u32();
      view.quorum_set_hash = reader.id<ItemHash>();
      return;
    case ScpStatementType::kExternalize:
      view.ballot = read_ballot(reader);
      view.high_counter = reader.u32();
      view.quorum_set_hash = reader.id<ItemHash>();
      return;
    case ScpStatementType::kNominate:
      view.quorum_set_hash = reader.id<ItemHash>();
      view.votes = read_values(reader, xdr);
      view.accepted = read_values(reader, xdr);
      return;
  }
}

bool value_less(ByteView a, ByteView b) { return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end()); }

int compare(const BallotView& a, const BallotView& b) {
  if (a.counter != b.counter) return a.counter < b.counter ? -1 : 1;
  if (value_less(a.value, b.value)) return -1;
  return value_less(b.value, a.value) ? 1 : 0;
}

// Absent is lowest.
int compare(const std::optional<BallotView>& a, const std::optional<BallotView>& b) {
  if (a && b) return compare(*a, *b);
  return static_cast<int>(a.has_value()) - static_cast<int>(b.has_value());
}

// Nodes sort their lists; for a list that is not sorted the answer is stellar-core's, whatever it means.
bool includes(const ValueList& all, const ValueList& part) {
  return part.size() <= all.size() && std::includes(all.begin(), all.end(), part.begin(), part.end(), value_less);
}

bool is_newer_nomination(const ScpEnvelopeView& old, const ScpEnvelopeView& candidate) {
  if (!includes(candidate.votes, old.votes) || !includes(candidate.accepted, old.accepted)) return false;
  return candidate.votes.size() > old.votes.size() || candidate.accepted.size() > old.accepted.size();
}

bool is_newer_ballot_statement(const ScpEnvelopeView& old, const ScpEnvelopeView& candidate) {
  if (old.type != candidate.type) return old.type < candidate.type;
  if (old.type == ScpStatementType::kExternalize) return false;
  if (const int order = compare(old.ballot, candidate.ballot); order != 0) return order < 0;
  // CONFIRM has neither prepared ballot, PREPARE no nPrepared: those compare equal.
  if (const int order = compare(old.prepared, candidate.prepared); order != 0) return order < 0;
  if (const int order = compare(old.prepared_prime, candidate.prepared_prime); order != 0) return order < 0;
  if (old.prepared_counter != candidate.prepared_counter) return old.prepared_counter < candidate.prepared_counter;
  return old.high_counter < candidate.high_counter;
}

}  // namespace

std::uint32_t TransactionEnvelopeView::operation_count() const {
  switch (kind) {
    case EnvelopeKind::kV0: return operations_of_v0(transaction);
    case EnvelopeKind::kV1: return operations_of_v1(transaction);
    case EnvelopeKind::kFeeBump: {
      constexpr std::size_t kFeeAndInnerType = 8 + 4;
      return operations_of_v1(behind(Type::kMuxedAccount, transaction).subspan(kFeeAndInnerType));
    }
  }
  return 0;
}

std::optional<TransactionEnvelopeView> read_transaction_envelope(ByteView xdr) {
  TransactionEnvelopeView view;
  Type type = Type::kTransaction;
  Reader reader(xdr);
  switch (reader.u32()) {
    case kEnvelopeTypeTxV0:
      view.kind = EnvelopeKind::kV0;
      type = Type::kTransactionV0;
      break;
    case kEnvelopeTypeTx: view.kind = EnvelopeKind::kV1; break;
    case kEnvelopeTypeTxFeeBump:
      view.kind = EnvelopeKind::kFeeBump;
      type = Type::kFeeBumpTransaction;
      break;
    default: return std::nullopt;
  }
  if (!reader.ok()) return std::nullopt;
  const auto size = skip(type, xdr.subspan(4));
  if (!size) return std::nullopt;
  view.transaction = xdr.subspan(4, *size);
  view.signatures = xdr.subspan(4 + *size);

  constexpr std::uint32_t kSignaturesMax = 20;
  constexpr std::size_t kHintBytes = 4;
  Reader signatures(view.signatures);
  view.signature_count = signatures.count(kSignaturesMax, kHintBytes + 4);
  for (std::uint32_t i = 0; i < view.signature_count; ++i) {
    static_cast<void>(signatures.fixed(kHintBytes));
    static_cast<void>(signatures.variable(kSignatureBytesMax));
  }
  if (!signatures.at_end()) return std::nullopt;
  return view;
}

ByteView ValueList::Iterator::operator*() const { return {at_ + 4, Reader({at_, 4}).u32()}; }

ValueList::Iterator& ValueList::Iterator::operator++() {
  at_ += 4 + ((std::size_t{Reader({at_, 4}).u32()} + 3) & ~std::size_t{3});
  return *this;
}

ValueList::Iterator ValueList::Iterator::operator++(int) {
  const Iterator before = *this;
  ++*this;
  return before;
}

std::optional<ScpEnvelopeView> read_scp_envelope(ByteView xdr) {
  ScpEnvelopeView view;
  Reader reader(xdr);
  view.node = reader.public_key<NodeId>();
  view.slot = reader.u64();
  const std::uint32_t type = reader.u32();
  if (type > static_cast<std::uint32_t>(ScpStatementType::kNominate)) return std::nullopt;
  view.type = static_cast<ScpStatementType>(type);
  read_pledges(reader, xdr, view);
  if (!reader.ok()) return std::nullopt;
  view.statement = xdr.first(reader.offset());
  view.signature = reader.variable(kSignatureBytesMax);
  if (!reader.at_end()) return std::nullopt;
  return view;
}

bool is_newer_statement(const ScpEnvelopeView& old, const ScpEnvelopeView& candidate) {
  if (old.slot != candidate.slot || old.node != candidate.node) return false;
  const bool is_nomination = old.type == ScpStatementType::kNominate;
  if (is_nomination != (candidate.type == ScpStatementType::kNominate)) return false;
  return is_nomination ? is_newer_nomination(old, candidate) : is_newer_ballot_statement(old, candidate);
}

std::optional<StellarValueView> read_stellar_value(ByteView xdr) {
  constexpr std::uint32_t kUpgradesMax = 6;
  constexpr std::size_t kUpgradeBytesMax = 128;
  if (!validate(Type::kStellarValue, xdr)) return std::nullopt;
  Reader reader(xdr);
  StellarValueView view;
  view.tx_set_hash = reader.id<ItemHash>();
  view.close_time = reader.u64();
  const std::uint32_t upgrades = reader.count(kUpgradesMax, 4);
  for (std::uint32_t i = 0; i < upgrades; ++i) static_cast<void>(reader.variable(kUpgradeBytesMax));
  view.kind = static_cast<StellarValueKind>(reader.u32());
  return view;
}

}  // namespace overlayd::xdr
