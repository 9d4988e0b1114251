// Stellar-transaction.x,
// protocol 28: what the overlay's messages are made of.
#pragma once
#include <string_view>

namespace overlayd::xdr::schema {

inline constexpr std::string_view kTransaction = R"(
const MAX_OPS_PER_TX = 100;

union LiquidityPoolParameters switch (LiquidityPoolType type) {
  case LIQUIDITY_POOL_CONSTANT_PRODUCT: LiquidityPoolConstantProductParameters constantProduct;
};

union MuxedAccount switch (CryptoKeyType type) {
  case KEY_TYPE_ED25519: uint256 ed25519;
  case KEY_TYPE_MUXED_ED25519: struct {
    uint64 id;
    uint256 ed25519;
  } med25519;
};

struct DecoratedSignature { SignatureHint hint; Signature signature; };

enum OperationType {
  CREATE_ACCOUNT = 0,
  PAYMENT = 1,
  PATH_PAYMENT_STRICT_RECEIVE = 2,
  MANAGE_SELL_OFFER = 3,
  CREATE_PASSIVE_SELL_OFFER = 4,
  SET_OPTIONS = 5,
  CHANGE_TRUST = 6,
  ALLOW_TRUST = 7,
  ACCOUNT_MERGE = 8,
  INFLATION = 9,
  MANAGE_DATA = 10,
  BUMP_SEQUENCE = 11,
  MANAGE_BUY_OFFER = 12,
  PATH_PAYMENT_STRICT_SEND = 13,
  CREATE_CLAIMABLE_BALANCE = 14,
  CLAIM_CLAIMABLE_BALANCE = 15,
  BEGIN_SPONSORING_FUTURE_RESERVES = 16,
  END_SPONSORING_FUTURE_RESERVES = 17,
  REVOKE_SPONSORSHIP = 18,
  CLAWBACK = 19,
  CLAWBACK_CLAIMABLE_BALANCE = 20,
  SET_TRUST_LINE_FLAGS = 21,
  LIQUIDITY_POOL_DEPOSIT = 22,
  LIQUIDITY_POOL_WITHDRAW = 23,
  INVOKE_HOST_FUNCTION = 24,
  EXTEND_FOOTPRINT_TTL = 25,
  RESTORE_FOOTPRINT = 26
};

struct CreateAccountOp { AccountID destination; int64 startingBalance; };
struct PaymentOp { MuxedAccount destination; Asset asset; int64 amount; };

struct PathPaymentStrictReceiveOp {
  Asset sendAsset;
  int64 sendMax;
  MuxedAccount destination;
  Asset destAsset;
  int64 destAmount;
  Asset path<5>;
};

struct PathPaymentStrictSendOp {
  Asset sendAsset;
  int64 sendAmount;
  MuxedAccount destination;
  Asset destAsset;
  int64 destMin;
  Asset path<5>;
};

struct ManageSellOfferOp {
  Asset selling;
  Asset buying;
  int64 amount;
  Price price;
  int64 offerID;
};

struct ManageBuyOfferOp {
  Asset selling;
  Asset buying;
  int64 buyAmount;
  Price price;
  int64 offerID;
};

struct CreatePassiveSellOfferOp {
  Asset selling;
  Asset buying;
  int64 amount;
  Price price;
};

struct SetOptionsOp {
  AccountID* inflationDest;
  uint32* clearFlags;
  uint32* setFlags;
  uint32* masterWeight;
  uint32* lowThreshold;
  uint32* medThreshold;
  uint32* highThreshold;
  string32* homeDomain;
  Signer* signer;
};

union ChangeTrustAsset switch (AssetType type) {
  case ASSET_TYPE_NATIVE: void;
  case ASSET_TYPE_CREDIT_ALPHANUM4: AlphaNum4 alphaNum4;
  case ASSET_TYPE_CREDIT_ALPHANUM12: AlphaNum12 alphaNum12;
  case ASSET_TYPE_POOL_SHARE: LiquidityPoolParameters liquidityPool;
};

struct ChangeTrustOp { ChangeTrustAsset line; int64 limit; };
struct AllowTrustOp { AccountID trustor; AssetCode asset; uint32 authorize; };
struct ManageDataOp { string64 dataName; DataValue* dataValue; };
struct BumpSequenceOp { SequenceNumber bumpTo; };

struct CreateClaimableBalanceOp {
  Asset asset;
  int64 amount;
  Claimant claimants<10>;
};

struct ClaimClaimableBalanceOp { ClaimableBalanceID balanceID; };
struct BeginSponsoringFutureReservesOp { AccountID sponsoredID; };
enum RevokeSponsorshipType { REVOKE_SPONSORSHIP_LEDGER_ENTRY = 0, REVOKE_SPONSORSHIP_SIGNER = 1 };

union RevokeSponsorshipOp switch (RevokeSponsorshipType type) {
  case REVOKE_SPONSORSHIP_LEDGER_ENTRY: LedgerKey ledgerKey;
  case REVOKE_SPONSORSHIP_SIGNER: struct {
    AccountID accountID;
    SignerKey signerKey;
  } signer;
};

struct ClawbackOp { Asset asset; MuxedAccount from; int64 amount; };
struct ClawbackClaimableBalanceOp { ClaimableBalanceID balanceID; };

struct SetTrustLineFlagsOp {
  AccountID trustor;
  Asset asset;
  uint32 clearFlags;
  uint32 setFlags;
};

struct LiquidityPoolDepositOp {
  PoolID liquidityPoolID;
  int64 maxAmountA;
  int64 maxAmountB;
  Price minPrice;
  Price maxPrice;
};

struct LiquidityPoolWithdrawOp {
  PoolID liquidityPoolID;
  int64 amount;
  int64 minAmountA;
  int64 minAmountB;
};

enum HostFunctionType {
  HOST_FUNCTION_TYPE_INVOKE_CONTRACT = 0,
  HOST_FUNCTION_TYPE_CREATE_CONTRACT = 1,
  HOST_FUNCTION_TYPE_UPLOAD_CONTRACT_WASM = 2,
  HOST_FUNCTION_TYPE_CREATE_CONTRACT_V2 = 3
};

enum ContractIDPreimageType { CONTRACT_ID_PREIMAGE_FROM_ADDRESS = 0, CONTRACT_ID_PREIMAGE_FROM_ASSET = 1 };

union ContractIDPreimage switch (ContractIDPreimageType type) {
  case CONTRACT_ID_PREIMAGE_FROM_ADDRESS: struct {
    SCAddress address;
    uint256 salt;
  } fromAddress;
  case CONTRACT_ID_PREIMAGE_FROM_ASSET: Asset fromAsset;
};

struct CreateContractArgs {
  ContractIDPreimage contractIDPreimage;
  ContractExecutable executable;
};

struct CreateContractArgsV2 {
  ContractIDPreimage contractIDPreimage;
  ContractExecutable executable;
  SCVal constructorArgs<>;
};

struct InvokeContractArgs {
  SCAddress contractAddress;
  SCSymbol functionName;
  SCVal args<>;
};

union HostFunction switch (HostFunctionType type) {
  case HOST_FUNCTION_TYPE_INVOKE_CONTRACT: InvokeContractArgs invokeContract;
  case HOST_FUNCTION_TYPE_CREATE_CONTRACT: CreateContractArgs createContract;
  case HOST_FUNCTION_TYPE_UPLOAD_CONTRACT_WASM: opaque wasm<>;
  case HOST_FUNCTION_TYPE_CREATE_CONTRACT_V2: CreateContractArgsV2 createContractV2;
};

enum SorobanAuthorizedFunctionType {
  SOROBAN_AUTHORIZED_FUNCTION_TYPE_CONTRACT_FN = 0,
  SOROBAN_AUTHORIZED_FUNCTION_TYPE_CREATE_CONTRACT_HOST_FN = 1,
  SOROBAN_AUTHORIZED_FUNCTION_TYPE_CREATE_CONTRACT_V2_HOST_FN = 2
};

union SorobanAuthorizedFunction switch (SorobanAuthorizedFunctionType type) {
  case SOROBAN_AUTHORIZED_FUNCTION_TYPE_CONTRACT_FN: InvokeContractArgs contractFn;
  case SOROBAN_AUTHORIZED_FUNCTION_TYPE_CREATE_CONTRACT_HOST_FN: CreateContractArgs createContractHostFn;
  case SOROBAN_AUTHORIZED_FUNCTION_TYPE_CREATE_CONTRACT_V2_HOST_FN: CreateContractArgsV2 createContractV2HostFn;
};

struct SorobanAuthorizedInvocation {
  SorobanAuthorizedFunction function;
  SorobanAuthorizedInvocation subInvocations<>;
};

struct SorobanAddressCredentials {
  SCAddress address;
  int64 nonce;
  uint32 signatureExpirationLedger;
  SCVal signature;
};

struct SorobanDelegateSignature {
  SCAddress address;
  SCVal signature;
  SorobanDelegateSignature nestedDelegates<>;
};

struct SorobanAddressCredentialsWithDelegates {
  SorobanAddressCredentials addressCredentials;
  SorobanDelegateSignature delegates<>;
};

enum SorobanCredentialsType {
  SOROBAN_CREDENTIALS_SOURCE_ACCOUNT = 0,
  SOROBAN_CREDENTIALS_ADDRESS = 1,
  SOROBAN_CREDENTIALS_ADDRESS_V2 = 2,
  SOROBAN_CREDENTIALS_ADDRESS_WITH_DELEGATES = 3
};

union SorobanCredentials switch (SorobanCredentialsType type) {
  case SOROBAN_CREDENTIALS_SOURCE_ACCOUNT: void;
  case SOROBAN_CREDENTIALS_ADDRESS: SorobanAddressCredentials address;
  case SOROBAN_CREDENTIALS_ADDRESS_V2: SorobanAddressCredentials addressV2;
  case SOROBAN_CREDENTIALS_ADDRESS_WITH_DELEGATES: SorobanAddressCredentialsWithDelegates addressWithDelegates;
};

struct SorobanAuthorizationEntry {
  SorobanCredentials credentials;
  SorobanAuthorizedInvocation rootInvocation;
};

struct InvokeHostFunctionOp {
  HostFunction hostFunction;
  SorobanAuthorizationEntry auth<>;
};

struct ExtendFootprintTTLOp { ExtensionPoint ext; uint32 extendTo; };
struct RestoreFootprintOp { ExtensionPoint ext; };

struct Operation {
  MuxedAccount* sourceAccount;
  union switch (OperationType type) {
    case CREATE_ACCOUNT: CreateAccountOp createAccountOp;
    case PAYMENT: PaymentOp paymentOp;
    case PATH_PAYMENT_STRICT_RECEIVE: PathPaymentStrictReceiveOp pathPaymentStrictReceiveOp;
    case MANAGE_SELL_OFFER: ManageSellOfferOp manageSellOfferOp;
    case CREATE_PASSIVE_SELL_OFFER: CreatePassiveSellOfferOp createPassiveSellOfferOp;
    case SET_OPTIONS: SetOptionsOp setOptionsOp;
    case CHANGE_TRUST: ChangeTrustOp changeTrustOp;
    case ALLOW_TRUST: AllowTrustOp allowTrustOp;
    case ACCOUNT_MERGE: MuxedAccount destination;
    case INFLATION: void;
    case MANAGE_DATA: ManageDataOp manageDataOp;
    case BUMP_SEQUENCE: BumpSequenceOp bumpSequenceOp;
    case MANAGE_BUY_OFFER: ManageBuyOfferOp manageBuyOfferOp;
    case PATH_PAYMENT_STRICT_SEND: PathPaymentStrictSendOp pathPaymentStrictSendOp;
    case CREATE_CLAIMABLE_BALANCE: CreateClaimableBalanceOp createClaimableBalanceOp;
    case CLAIM_CLAIMABLE_BALANCE: ClaimClaimableBalanceOp claimClaimableBalanceOp;
    case BEGIN_SPONSORING_FUTURE_RESERVES: BeginSponsoringFutureReservesOp beginSponsoringFutureReservesOp;
    case END_SPONSORING_FUTURE_RESERVES: void;
    case REVOKE_SPONSORSHIP: RevokeSponsorshipOp revokeSponsorshipOp;
    case CLAWBACK: ClawbackOp clawbackOp;
    case CLAWBACK_CLAIMABLE_BALANCE: ClawbackClaimableBalanceOp clawbackClaimableBalanceOp;
    case SET_TRUST_LINE_FLAGS: SetTrustLineFlagsOp setTrustLineFlagsOp;
    case LIQUIDITY_POOL_DEPOSIT: LiquidityPoolDepositOp liquidityPoolDepositOp;
    case LIQUIDITY_POOL_WITHDRAW: LiquidityPoolWithdrawOp liquidityPoolWithdrawOp;
    case INVOKE_HOST_FUNCTION: InvokeHostFunctionOp invokeHostFunctionOp;
    case EXTEND_FOOTPRINT_TTL: ExtendFootprintTTLOp extendFootprintTTLOp;
    case RESTORE_FOOTPRINT: RestoreFootprintOp restoreFootprintOp;
  } body;
};

enum MemoType { MEMO_NONE = 0, MEMO_TEXT = 1, MEMO_ID = 2, MEMO_HASH = 3, MEMO_RETURN = 4 };

union Memo switch (MemoType type) {
  case MEMO_NONE: void;
  case MEMO_TEXT: string text<28>;
  case MEMO_ID: uint64 id;
  case MEMO_HASH: Hash hash;
  case MEMO_RETURN: Hash retHash;
};

struct TimeBounds { TimePoint minTime; TimePoint maxTime; };
struct LedgerBounds { uint32 minLedger; uint32 maxLedger; };

struct PreconditionsV2 {
  TimeBounds* timeBounds;
  LedgerBounds* ledgerBounds;
  SequenceNumber* minSeqNum;
  Duration minSeqAge;
  uint32 minSeqLedgerGap;
  SignerKey extraSigners<2>;
};

enum PreconditionType { PRECOND_NONE = 0, PRECOND_TIME = 1, PRECOND_V2 = 2 };

union Preconditions switch (PreconditionType type) {
  case PRECOND_NONE: void;
  case PRECOND_TIME: TimeBounds timeBounds;
  case PRECOND_V2: PreconditionsV2 v2;
};

struct LedgerFootprint { LedgerKey readOnly<>; LedgerKey readWrite<>; };

struct SorobanResources {
  LedgerFootprint footprint;
  uint32 instructions;
  uint32 diskReadBytes;
  uint32 writeBytes;
};

struct SorobanResourcesExtV0 { uint32 archivedSorobanEntries<>; };

struct SorobanTransactionData {
  union switch (int v) {
    case 0: void;
    case 1: SorobanResourcesExtV0 resourceExt;
  } ext;
  SorobanResources resources;
  int64 resourceFee;
};

struct TransactionV0 {
  uint256 sourceAccountEd25519;
  uint32 fee;
  SequenceNumber seqNum;
  TimeBounds* timeBounds;
  Memo memo;
  Operation operations<MAX_OPS_PER_TX>;
  union switch (int v) {
    case 0: void;
  } ext;
};

struct TransactionV0Envelope {
  TransactionV0 tx;
  DecoratedSignature signatures<20>;
};

struct Transaction {
  MuxedAccount sourceAccount;
  uint32 fee;
  SequenceNumber seqNum;
  Preconditions cond;
  Memo memo;
  Operation operations<MAX_OPS_PER_TX>;
  union switch (int v) {
    case 0: void;
    case 1: SorobanTransactionData sorobanData;
  } ext;
};

struct TransactionV1Envelope {
  Transaction tx;
  DecoratedSignature signatures<20>;
};

struct FeeBumpTransaction {
  MuxedAccount feeSource;
  int64 fee;
  union switch (EnvelopeType type) {
    case ENVELOPE_TYPE_TX: TransactionV1Envelope v1;
  } innerTx;
  union switch (int v) {
    case 0: void;
  } ext;
};

struct FeeBumpTransactionEnvelope {
  FeeBumpTransaction tx;
  DecoratedSignature signatures<20>;
};

union TransactionEnvelope switch (EnvelopeType type) {
  case ENVELOPE_TYPE_TX_V0: TransactionV0Envelope v0;
  case ENVELOPE_TYPE_TX: TransactionV1Envelope v1;
  case ENVELOPE_TYPE_TX_FEE_BUMP: FeeBumpTransactionEnvelope feeBump;
};
)";

}  // namespace overlayd::xdr::schema
