// Stellar-ledger.x,
// protocol 28: what the overlay's messages are made of.
#pragma once
#include <string_view>

namespace overlayd::xdr::schema {

inline constexpr std::string_view kLedger = R"(
typedef opaque UpgradeType<128>;
enum StellarValueType { STELLAR_VALUE_BASIC = 0, STELLAR_VALUE_SIGNED = 1, STELLAR_VALUE_EMPTY_TX_SET = 2 };
struct LedgerCloseValueSignature { NodeID nodeID; Signature signature; };

struct StellarValue {
  Hash txSetHash;
  TimePoint closeTime;
  UpgradeType upgrades<6>;
  union switch (StellarValueType v) {
    case STELLAR_VALUE_BASIC: void;
    case STELLAR_VALUE_SIGNED: LedgerCloseValueSignature lcValueSignature;
    case STELLAR_VALUE_EMPTY_TX_SET: struct {
      Hash txSetHash;
      Hash previousLedgerHash;
      uint32 previousLedgerVersion;
      LedgerCloseValueSignature lcValueSignature;
    } proposedValue;
  } ext;
};

enum TxSetComponentType { TXSET_COMP_TXS_MAYBE_DISCOUNTED_FEE = 0 };
typedef TransactionEnvelope DependentTxCluster<>;
typedef DependentTxCluster ParallelTxExecutionStage<>;

struct ParallelTxsComponent {
  int64* baseFee;
  ParallelTxExecutionStage executionStages<>;
};

union TxSetComponent switch (TxSetComponentType type) {
  case TXSET_COMP_TXS_MAYBE_DISCOUNTED_FEE: struct {
    int64* baseFee;
    TransactionEnvelope txs<>;
  } txsMaybeDiscountedFee;
};

union TransactionPhase switch (int v) {
  case 0: TxSetComponent v0Components<>;
  case 1: ParallelTxsComponent parallelTxsComponent;
};

struct TransactionSet { Hash previousLedgerHash; TransactionEnvelope txs<>; };
struct TransactionSetV1 { Hash previousLedgerHash; TransactionPhase phases<>; };

union GeneralizedTransactionSet switch (int v) {
  case 1: TransactionSetV1 v1TxSet;
};
)";

}  // namespace overlayd::xdr::schema
