// Stellar-ledger-entries.x, and ConfigSettingID of Stellar-contract-config-setting.x,
// protocol 28: what the overlay's messages are made of.
#pragma once
#include <string_view>

namespace overlayd::xdr::schema {

inline constexpr std::string_view kLedgerEntries = R"(
enum ConfigSettingID {
  CONFIG_SETTING_CONTRACT_MAX_SIZE_BYTES = 0,
  CONFIG_SETTING_CONTRACT_COMPUTE_V0 = 1,
  CONFIG_SETTING_CONTRACT_LEDGER_COST_V0 = 2,
  CONFIG_SETTING_CONTRACT_HISTORICAL_DATA_V0 = 3,
  CONFIG_SETTING_CONTRACT_EVENTS_V0 = 4,
  CONFIG_SETTING_CONTRACT_BANDWIDTH_V0 = 5,
  CONFIG_SETTING_CONTRACT_COST_PARAMS_CPU_INSTRUCTIONS = 6,
  CONFIG_SETTING_CONTRACT_COST_PARAMS_MEMORY_BYTES = 7,
  CONFIG_SETTING_CONTRACT_DATA_KEY_SIZE_BYTES = 8,
  CONFIG_SETTING_CONTRACT_DATA_ENTRY_SIZE_BYTES = 9,
  CONFIG_SETTING_STATE_ARCHIVAL = 10,
  CONFIG_SETTING_CONTRACT_EXECUTION_LANES = 11,
  CONFIG_SETTING_LIVE_SOROBAN_STATE_SIZE_WINDOW = 12,
  CONFIG_SETTING_EVICTION_ITERATOR = 13,
  CONFIG_SETTING_CONTRACT_PARALLEL_COMPUTE_V0 = 14,
  CONFIG_SETTING_CONTRACT_LEDGER_COST_EXT_V0 = 15,
  CONFIG_SETTING_SCP_TIMING = 16,
  CONFIG_SETTING_FROZEN_LEDGER_KEYS = 17,
  CONFIG_SETTING_FROZEN_LEDGER_KEYS_DELTA = 18,
  CONFIG_SETTING_FREEZE_BYPASS_TXS = 19,
  CONFIG_SETTING_FREEZE_BYPASS_TXS_DELTA = 20
};

typedef string string32<32>;
typedef string string64<64>;
typedef int64 SequenceNumber;
typedef opaque DataValue<64>;
typedef Hash PoolID;
typedef opaque AssetCode4[4];
typedef opaque AssetCode12[12];

enum AssetType {
  ASSET_TYPE_NATIVE = 0,
  ASSET_TYPE_CREDIT_ALPHANUM4 = 1,
  ASSET_TYPE_CREDIT_ALPHANUM12 = 2,
  ASSET_TYPE_POOL_SHARE = 3
};

union AssetCode switch (AssetType type) {
  case ASSET_TYPE_CREDIT_ALPHANUM4: AssetCode4 assetCode4;
  case ASSET_TYPE_CREDIT_ALPHANUM12: AssetCode12 assetCode12;
};

struct AlphaNum4 { AssetCode4 assetCode; AccountID issuer; };
struct AlphaNum12 { AssetCode12 assetCode; AccountID issuer; };

union Asset switch (AssetType type) {
  case ASSET_TYPE_NATIVE: void;
  case ASSET_TYPE_CREDIT_ALPHANUM4: AlphaNum4 alphaNum4;
  case ASSET_TYPE_CREDIT_ALPHANUM12: AlphaNum12 alphaNum12;
};

struct Price { int32 n; int32 d; };

enum LedgerEntryType {
  ACCOUNT = 0,
  TRUSTLINE = 1,
  OFFER = 2,
  DATA = 3,
  CLAIMABLE_BALANCE = 4,
  LIQUIDITY_POOL = 5,
  CONTRACT_DATA = 6,
  CONTRACT_CODE = 7,
  CONFIG_SETTING = 8,
  TTL = 9
};

struct Signer { SignerKey key; uint32 weight; };
enum LiquidityPoolType { LIQUIDITY_POOL_CONSTANT_PRODUCT = 0 };

union TrustLineAsset switch (AssetType type) {
  case ASSET_TYPE_NATIVE: void;
  case ASSET_TYPE_CREDIT_ALPHANUM4: AlphaNum4 alphaNum4;
  case ASSET_TYPE_CREDIT_ALPHANUM12: AlphaNum12 alphaNum12;
  case ASSET_TYPE_POOL_SHARE: PoolID liquidityPoolID;
};

enum ClaimPredicateType {
  CLAIM_PREDICATE_UNCONDITIONAL = 0,
  CLAIM_PREDICATE_AND = 1,
  CLAIM_PREDICATE_OR = 2,
  CLAIM_PREDICATE_NOT = 3,
  CLAIM_PREDICATE_BEFORE_ABSOLUTE_TIME = 4,
  CLAIM_PREDICATE_BEFORE_RELATIVE_TIME = 5
};

union ClaimPredicate switch (ClaimPredicateType type) {
  case CLAIM_PREDICATE_UNCONDITIONAL: void;
  case CLAIM_PREDICATE_AND: ClaimPredicate andPredicates<2>;
  case CLAIM_PREDICATE_OR: ClaimPredicate orPredicates<2>;
  case CLAIM_PREDICATE_NOT: ClaimPredicate* notPredicate;
  case CLAIM_PREDICATE_BEFORE_ABSOLUTE_TIME: int64 absBefore;
  case CLAIM_PREDICATE_BEFORE_RELATIVE_TIME: int64 relBefore;
};

enum ClaimantType { CLAIMANT_TYPE_V0 = 0 };

union Claimant switch (ClaimantType type) {
  case CLAIMANT_TYPE_V0: struct {
    AccountID destination;
    ClaimPredicate predicate;
  } v0;
};

enum ClaimableBalanceIDType { CLAIMABLE_BALANCE_ID_TYPE_V0 = 0 };

union ClaimableBalanceID switch (ClaimableBalanceIDType type) {
  case CLAIMABLE_BALANCE_ID_TYPE_V0: Hash v0;
};

struct LiquidityPoolConstantProductParameters {
  Asset assetA;
  Asset assetB;
  int32 fee;
};

enum ContractDataDurability { TEMPORARY = 0, PERSISTENT = 1 };

union LedgerKey switch (LedgerEntryType type) {
  case ACCOUNT: struct {
    AccountID accountID;
  } account;
  case TRUSTLINE: struct {
    AccountID accountID;
    TrustLineAsset asset;
  } trustLine;
  case OFFER: struct {
    AccountID sellerID;
    int64 offerID;
  } offer;
  case DATA: struct {
    AccountID accountID;
    string64 dataName;
  } data;
  case CLAIMABLE_BALANCE: struct {
    ClaimableBalanceID balanceID;
  } claimableBalance;
  case LIQUIDITY_POOL: struct {
    PoolID liquidityPoolID;
  } liquidityPool;
  case CONTRACT_DATA: struct {
    SCAddress contract;
    SCVal key;
    ContractDataDurability durability;
  } contractData;
  case CONTRACT_CODE: struct {
    Hash hash;
  } contractCode;
  case CONFIG_SETTING: struct {
    ConfigSettingID configSettingID;
  } configSetting;
  case TTL: struct {
    Hash keyHash;
  } ttl;
};

enum EnvelopeType {
  ENVELOPE_TYPE_TX_V0 = 0,
  ENVELOPE_TYPE_SCP = 1,
  ENVELOPE_TYPE_TX = 2,
  ENVELOPE_TYPE_AUTH = 3,
  ENVELOPE_TYPE_SCPVALUE = 4,
  ENVELOPE_TYPE_TX_FEE_BUMP = 5,
  ENVELOPE_TYPE_OP_ID = 6,
  ENVELOPE_TYPE_POOL_REVOKE_OP_ID = 7,
  ENVELOPE_TYPE_CONTRACT_ID = 8,
  ENVELOPE_TYPE_SOROBAN_AUTHORIZATION = 9,
  ENVELOPE_TYPE_SOROBAN_AUTHORIZATION_WITH_ADDRESS = 10
};
)";

}  // namespace overlayd::xdr::schema
