#include "ipc/ctl/tx_builder.h"

#include <algorithm>

#include "core/check.h"
#include "core/crypto/hash.h"

namespace overlayd::ipc::ctl {
namespace {

// Numbers of Stellar-transaction.x, Stellar-ledger-entries.x and Stellar-contract.x.
constexpr std::int32_t kEnvelopeV0 = 0;
constexpr std::int32_t kEnvelopeV1 = 2;
constexpr std::int32_t kEnvelopeFeeBump = 5;
constexpr std::uint32_t kOpCreateAccount = 0;
constexpr std::uint32_t kOpPayment = 1;
constexpr std::uint32_t kOpPathPaymentStrictReceive = 2;
constexpr std::uint32_t kOpManageSellOffer = 3;
constexpr std::uint32_t kOpManageData = 10;
constexpr std::uint32_t kOpPathPaymentStrictSend = 13;
constexpr std::uint32_t kOpInvokeHostFunction = 24;
constexpr std::uint32_t kLedgerKeyContractData = 6;
constexpr std::uint32_t kLedgerKeyContractCode = 7;
constexpr std::uint32_t kDurabilityPersistent = 1;
constexpr std::uint32_t kAddressContract = 1;
constexpr std::uint32_t kScvU32 = 3;
constexpr std::uint32_t kScvI128 = 10;
constexpr std::uint32_t kScvBytes = 13;
constexpr std::uint32_t kScvSymbol = 15;
constexpr std::uint32_t kScvVec = 16;
constexpr std::uint32_t kScvAddress = 18;

constexpr std::size_t kAccounts = 64;
constexpr std::uint64_t kStroop = 10'000'000;  // per unit of an asset

crypto::NodeKey account_key(std::uint64_t seed, std::size_t index) {
  xdr::Writer material;
  material.text("generated account").u64(seed).u64(index);
  return crypto::NodeKey::from_seed(crypto::Secret<32>(crypto::sha256(material.bytes())));
}

}  // namespace

TransactionGenerator::TransactionGenerator(std::uint64_t seed, const NetworkId& network)
    : random_(seed), network_(network) {
  crypto::init();
  accounts_.reserve(kAccounts);
  for (std::size_t i = 0; i < kAccounts; ++i) accounts_.push_back(account_key(seed, i));
}

GeneratedTransaction TransactionGenerator::next() {
  const TransactionKind kind = next_kind();
  ++made_;
  switch (kind) {
    case TransactionKind::kLegacy: return make_v0();
    case TransactionKind::kFeeBump: return make_fee_bump();
    case TransactionKind::kPayment:
    case TransactionKind::kCreateAccount:
    case TransactionKind::kMultiOperation:
    case TransactionKind::kPathPayment:
    case TransactionKind::kManageData:
    case TransactionKind::kOffer:
    case TransactionKind::kSorobanInvoke:
    case TransactionKind::kSorobanUpload: break;
  }
  return make_v1(kind);
}

TransactionKind TransactionGenerator::next_kind() {
  if (made_ < kTransactionKinds.size()) return kTransactionKinds[made_].kind;
  std::uint64_t total = 0;
  for (const TransactionKindInfo& info : kTransactionKinds) total += info.weight;
  std::uint64_t drawn = random_.below(total);
  for (const TransactionKindInfo& info : kTransactionKinds) {
    if (drawn < info.weight) return info.kind;
    drawn -= info.weight;
  }
  return TransactionKind::kPayment;
}

// The sequence number counts every transaction made, so that no two are alike.
GeneratedTransaction TransactionGenerator::make_v1(TransactionKind kind) {
  const bool is_soroban = kind == TransactionKind::kSorobanInvoke || kind == TransactionKind::kSorobanUpload;
  const std::size_t source = random_.below(kAccounts);
  std::vector<std::size_t> signers{source};
  xdr::Writer body;
  body.public_key(accounts_[source].id().view());
  body.u32(static_cast<std::uint32_t>(random_.between(100, 100'000))).u64(made_);
  const bool has_time_bounds = random_.below(2) == 0;
  body.u32(has_time_bounds ? 1 : 0);
  if (has_time_bounds) body.u64(0).u64(random_.between(1'900'000'000, 2'000'000'000));
  write_memo(body);
  write_operations(body, kind, signers);
  body.u32(is_soroban ? 1 : 0);
  if (is_soroban) write_soroban_data(body);

  const TxHash hash = signing_hash(kEnvelopeV1, body.bytes());
  xdr::Writer envelope;
  envelope.i32(kEnvelopeV1).fixed(body.bytes());
  write_signatures(envelope, hash, signers);
  return {kTransactionKinds[static_cast<std::size_t>(kind)].name, hash, envelope.take()};
}

// A v0 transaction differs from v1 in its source, which has no key type in front; its hash is that of the v1 form.
GeneratedTransaction TransactionGenerator::make_v0() {
  const std::size_t source = random_.below(kAccounts);
  std::vector<std::size_t> signers{source};
  xdr::Writer body;
  body.fixed(accounts_[source].id().view()).u32(100).u64(made_).u32(0);
  write_memo(body);
  write_operations(body, TransactionKind::kPayment, signers);
  body.u32(0);

  xdr::Writer v1_form;
  v1_form.u32(0).fixed(body.bytes());
  const TxHash hash = signing_hash(kEnvelopeV1, v1_form.bytes());
  xdr::Writer envelope;
  envelope.i32(kEnvelopeV0).fixed(body.bytes());
  write_signatures(envelope, hash, signers);
  return {kTransactionKinds[static_cast<std::size_t>(TransactionKind::kLegacy)].name, hash, envelope.take()};
}

GeneratedTransaction TransactionGenerator::make_fee_bump() {
  const GeneratedTransaction inner = make_v1(TransactionKind::kPathPayment);
  const std::size_t source = random_.below(kAccounts);
  xdr::Writer body;
  body.public_key(accounts_[source].id().view()).u64(random_.between(200'000, 1'000'000));
  body.fixed(inner.envelope).u32(0);  // the inner union's arm is a whole v1 envelope, type included

  const TxHash hash = signing_hash(kEnvelopeFeeBump, body.bytes());
  xdr::Writer envelope;
  envelope.i32(kEnvelopeFeeBump).fixed(body.bytes());
  write_signatures(envelope, hash, {source});
  return {kTransactionKinds[static_cast<std::size_t>(TransactionKind::kFeeBump)].name, hash, envelope.take()};
}

void TransactionGenerator::write_operations(xdr::Writer& out, TransactionKind kind, std::vector<std::size_t>& signers) {
  if (kind == TransactionKind::kMultiOperation) {
    const std::uint64_t count = random_.between(2, 100);
    const std::size_t other = random_.below(kAccounts);
    if (std::find(signers.begin(), signers.end(), other) == signers.end()) signers.push_back(other);
    out.u32(static_cast<std::uint32_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      out.u32(1).public_key(accounts_[other].id().view());
      switch (random_.below(5)) {
        case 0: write_offer(out); break;
        case 1: write_manage_data(out); break;
        case 2: write_path_payment(out); break;
        default: write_payment(out);
      }
    }
    return;
  }
  out.u32(1).u32(0);  // one operation, without a source of its own
  switch (kind) {
    case TransactionKind::kCreateAccount: return write_create_account(out);
    case TransactionKind::kPathPayment: return write_path_payment(out);
    case TransactionKind::kManageData: return write_manage_data(out);
    case TransactionKind::kOffer: return write_offer(out);
    case TransactionKind::kSorobanInvoke: return write_invoke(out);
    case TransactionKind::kSorobanUpload: return write_upload(out);
    case TransactionKind::kPayment:
    case TransactionKind::kMultiOperation:
    case TransactionKind::kFeeBump:
    case TransactionKind::kLegacy: return write_payment(out);
  }
}

void TransactionGenerator::write_payment(xdr::Writer& out) {
  out.u32(kOpPayment);
  write_account(out);
  write_asset(out);
  out.u64(random_.between(1, 1'000'000 * kStroop));
}

void TransactionGenerator::write_create_account(xdr::Writer& out) {
  out.u32(kOpCreateAccount).public_key(draw_bytes(32)).u64(random_.between(kStroop, 10'000 * kStroop));
}

void TransactionGenerator::write_path_payment(xdr::Writer& out) {
  out.u32(random_.below(2) == 0 ? kOpPathPaymentStrictReceive : kOpPathPaymentStrictSend);
  write_asset(out);
  out.u64(random_.between(1, 1'000 * kStroop));
  write_account(out);
  write_asset(out);
  out.u64(random_.between(1, 1'000 * kStroop));
  const std::uint64_t hops = random_.below(6);  // path<5>
  out.u32(static_cast<std::uint32_t>(hops));
  for (std::uint64_t i = 0; i < hops; ++i) write_asset(out);
}

void TransactionGenerator::write_manage_data(xdr::Writer& out) {
  out.u32(kOpManageData).text("entry " + std::to_string(random_.below(1'000'000)));
  const bool has_value = random_.below(4) != 0;  // without one the entry is deleted
  out.u32(has_value ? 1 : 0);
  if (has_value) out.variable(draw_bytes(random_.between(1, 64)));
}

void TransactionGenerator::write_offer(xdr::Writer& out) {
  out.u32(kOpManageSellOffer);
  write_asset(out);
  write_asset(out);
  out.u64(random_.between(1, 1'000 * kStroop));
  out.u32(static_cast<std::uint32_t>(random_.between(1, 10'000)));
  out.u32(static_cast<std::uint32_t>(random_.between(1, 10'000)));
  out.u64(0);
}

void TransactionGenerator::write_invoke(xdr::Writer& out) {
  out.u32(kOpInvokeHostFunction).u32(0).u32(kAddressContract).fixed(draw_bytes(32)).text("transfer");
  const std::uint64_t arguments = random_.between(1, 6);
  out.u32(static_cast<std::uint32_t>(arguments));
  for (std::uint64_t i = 0; i < arguments; ++i) write_value(out);
  out.u32(0);  // no authorisation entries: the source account's signature stands for them
}

void TransactionGenerator::write_upload(xdr::Writer& out) {
  out.u32(kOpInvokeHostFunction).u32(2).variable(draw_bytes(random_.between(4'000, 17'000))).u32(0);
}

void TransactionGenerator::write_value(xdr::Writer& out) {
  switch (random_.below(5)) {
    case 0: out.u32(kScvU32).u32(static_cast<std::uint32_t>(random_.next())); break;
    case 1: out.u32(kScvI128).u64(0).u64(random_.next()); break;
    case 2: out.u32(kScvBytes).variable(draw_bytes(random_.between(100, 1'500))); break;
    case 3: out.u32(kScvAddress).u32(0).public_key(accounts_[random_.below(kAccounts)].id().view()); break;
    default:
      out.u32(kScvVec).u32(1).u32(2);
      out.u32(kScvSymbol).text("amount");
      out.u32(kScvI128).u64(0).u64(random_.next());
  }
}

void TransactionGenerator::write_soroban_data(xdr::Writer& out) {
  out.u32(0);  // no extension of the resources
  for (int list = 0; list < 2; ++list) {
    const std::uint64_t keys = random_.between(1, 20);
    out.u32(static_cast<std::uint32_t>(keys));
    for (std::uint64_t i = 0; i < keys; ++i) write_contract_key(out);
  }
  out.u32(static_cast<std::uint32_t>(random_.between(100'000, 100'000'000)));
  out.u32(static_cast<std::uint32_t>(random_.between(0, 100'000)));
  out.u32(static_cast<std::uint32_t>(random_.between(0, 60'000)));
  out.u64(random_.between(10'000, 10'000'000));
}

void TransactionGenerator::write_contract_key(xdr::Writer& out) {
  if (random_.below(4) == 0) {
    out.u32(kLedgerKeyContractCode).fixed(draw_bytes(32));
    return;
  }
  out.u32(kLedgerKeyContractData).u32(kAddressContract).fixed(draw_bytes(32));
  out.u32(kScvSymbol).text("Balance").u32(kDurabilityPersistent);
}

void TransactionGenerator::write_memo(xdr::Writer& out) {
  switch (random_.below(4)) {
    case 0: out.u32(1).text("invoice " + std::to_string(random_.below(100'000))); break;
    case 1: out.u32(2).u64(random_.next()); break;
    case 2: out.u32(3).fixed(draw_bytes(32)); break;
    default: out.u32(0);
  }
}

void TransactionGenerator::write_asset(xdr::Writer& out) {
  static constexpr std::array<std::string_view, 4> kCodes{"USD", "EURC", "YXLM", "BTC"};
  std::array<std::uint8_t, 12> code{};
  const std::uint64_t drawn = random_.below(8);
  if (drawn >= 6) {
    out.u32(0);
    return;
  }
  const std::string_view text = drawn < kCodes.size() ? kCodes[drawn] : "LONGERCODE";
  std::copy(text.begin(), text.end(), code.begin());
  const bool is_short = text.size() <= 4;
  out.u32(is_short ? 1 : 2).fixed(ByteView(code).first(is_short ? 4 : 12));
  out.public_key(accounts_[random_.below(kAccounts)].id().view());
}

// A MuxedAccount: mostly plain, sometimes with an id.
void TransactionGenerator::write_account(xdr::Writer& out) {
  const bool has_id = random_.below(5) == 0;
  out.u32(has_id ? 0x100 : 0);
  if (has_id) out.u64(random_.next());
  out.fixed(accounts_[random_.below(kAccounts)].id().view());
}

Bytes TransactionGenerator::draw_bytes(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; i += 8) {
    std::uint64_t word = random_.next();
    for (std::size_t j = i; j < std::min(size, i + 8); ++j, word >>= 8) bytes[j] = static_cast<std::uint8_t>(word);
  }
  return bytes;
}

TxHash TransactionGenerator::signing_hash(std::int32_t envelope_type, ByteView body) const {
  xdr::Writer type;
  type.i32(envelope_type);
  return {crypto::Sha256().update(network_.view()).update(type.bytes()).update(body).finish()};
}

void TransactionGenerator::write_signatures(xdr::Writer& out, const TxHash& hash,
                                            const std::vector<std::size_t>& signers) const {
  out.u32(static_cast<std::uint32_t>(signers.size()));
  for (const std::size_t signer : signers) {
    const NodeId& account = accounts_[signer].id();
    out.fixed(account.view().last(4)).variable(accounts_[signer].sign(hash.view()));
  }
}

}  // namespace overlayd::ipc::ctl
