// Valid signed transaction envelopes of several kinds and sizes, repeatable from a seed: for demonstrations, benchmarks
// and trying things out. The accounts are invented; no ledger knows them, so nothing here can be applied.
//
// Promise. The same seed and network give the same envelopes in the same order, on every machine. Every envelope is
//          canonical XDR, has a hash of its own, and carries the signatures of every account it names as a source, over
//          its transaction hash. The first kTransactionKinds.size() envelopes are one of each kind, in that order;
//          after that kinds are drawn in proportion to kTransactionKinds' weights.
// Sizes.   About 190 bytes (a payment) to 20 KiB (an upload of code).
#pragma once
#include <array>
#include <string_view>
#include <vector>

#include "core/crypto/keys.h"
#include "core/random.h"
#include "core/xdr/writer.h"

namespace overlayd::ipc::ctl {

enum class TransactionKind : std::uint8_t {
  kPayment,
  kCreateAccount,
  kMultiOperation,
  kPathPayment,
  kManageData,
  kOffer,
  kFeeBump,
  kLegacy,
  kSorobanInvoke,
  kSorobanUpload,
};
struct TransactionKindInfo {
  TransactionKind kind;
  std::string_view name;  // as printed: "payment"
  std::uint32_t weight;
};
inline constexpr std::array<TransactionKindInfo, 10> kTransactionKinds{{
    {TransactionKind::kPayment, "payment", 30},
    {TransactionKind::kCreateAccount, "create_account", 6},
    {TransactionKind::kMultiOperation, "multi_operation", 12},
    {TransactionKind::kPathPayment, "path_payment", 12},
    {TransactionKind::kManageData, "manage_data", 8},
    {TransactionKind::kOffer, "offer", 14},
    {TransactionKind::kFeeBump, "fee_bump", 6},
    {TransactionKind::kLegacy, "legacy_v0", 2},
    {TransactionKind::kSorobanInvoke, "soroban_invoke", 8},
    {TransactionKind::kSorobanUpload, "soroban_upload", 2},
}};

struct GeneratedTransaction {
  std::string_view kind;
  TxHash hash;
  Bytes envelope;  // XDR of a TransactionEnvelope
};

class TransactionGenerator {
 public:
  TransactionGenerator(std::uint64_t seed, const NetworkId& network);
  [[nodiscard]] GeneratedTransaction next();

 private:
  [[nodiscard]] TransactionKind next_kind();
  // Writes the operations of `kind` with their count in front; adds the accounts whose signatures it needs.
  void write_operations(xdr::Writer& out, TransactionKind kind, std::vector<std::size_t>& signers);
  void write_payment(xdr::Writer& out);
  void write_create_account(xdr::Writer& out);
  void write_path_payment(xdr::Writer& out);
  void write_manage_data(xdr::Writer& out);
  void write_offer(xdr::Writer& out);
  void write_invoke(xdr::Writer& out);
  void write_upload(xdr::Writer& out);
  void write_soroban_data(xdr::Writer& out);
  void write_contract_key(xdr::Writer& out);
  void write_value(xdr::Writer& out);
  void write_memo(xdr::Writer& out);
  void write_asset(xdr::Writer& out);
  void write_account(xdr::Writer& out);
  [[nodiscard]] Bytes draw_bytes(std::size_t size);
  [[nodiscard]] TxHash signing_hash(std::int32_t envelope_type, ByteView body) const;
  void write_signatures(xdr::Writer& out, const TxHash& hash, const std::vector<std::size_t>& signers) const;
  [[nodiscard]] GeneratedTransaction make_v1(TransactionKind kind);
  [[nodiscard]] GeneratedTransaction make_v0();
  [[nodiscard]] GeneratedTransaction make_fee_bump();

  Random random_;
  NetworkId network_;
  std::vector<crypto::NodeKey> accounts_;
  std::uint64_t made_ = 0;
};

}  // namespace overlayd::ipc::ctl
