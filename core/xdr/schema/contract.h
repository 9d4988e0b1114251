// Stellar-contract.x,
// protocol 28: what the overlay's messages are made of.
#pragma once
#include <string_view>

namespace overlayd::xdr::schema {

inline constexpr std::string_view kContract = R"(
enum SCValType {
  SCV_BOOL = 0,
  SCV_VOID = 1,
  SCV_ERROR = 2,
  SCV_U32 = 3,
  SCV_I32 = 4,
  SCV_U64 = 5,
  SCV_I64 = 6,
  SCV_TIMEPOINT = 7,
  SCV_DURATION = 8,
  SCV_U128 = 9,
  SCV_I128 = 10,
  SCV_U256 = 11,
  SCV_I256 = 12,
  SCV_BYTES = 13,
  SCV_STRING = 14,
  SCV_SYMBOL = 15,
  SCV_VEC = 16,
  SCV_MAP = 17,
  SCV_ADDRESS = 18,
  SCV_CONTRACT_INSTANCE = 19,
  SCV_LEDGER_KEY_CONTRACT_INSTANCE = 20,
  SCV_LEDGER_KEY_NONCE = 21
};

enum SCErrorType {
  SCE_CONTRACT = 0,
  SCE_WASM_VM = 1,
  SCE_CONTEXT = 2,
  SCE_STORAGE = 3,
  SCE_OBJECT = 4,
  SCE_CRYPTO = 5,
  SCE_EVENTS = 6,
  SCE_BUDGET = 7,
  SCE_VALUE = 8,
  SCE_AUTH = 9
};

enum SCErrorCode {
  SCEC_ARITH_DOMAIN = 0,
  SCEC_INDEX_BOUNDS = 1,
  SCEC_INVALID_INPUT = 2,
  SCEC_MISSING_VALUE = 3,
  SCEC_EXISTING_VALUE = 4,
  SCEC_EXCEEDED_LIMIT = 5,
  SCEC_INVALID_ACTION = 6,
  SCEC_INTERNAL_ERROR = 7,
  SCEC_UNEXPECTED_TYPE = 8,
  SCEC_UNEXPECTED_SIZE = 9
};

union SCError switch (SCErrorType type) {
  case SCE_CONTRACT: uint32 contractCode;
  case SCE_WASM_VM:
  case SCE_CONTEXT:
  case SCE_STORAGE:
  case SCE_OBJECT:
  case SCE_CRYPTO:
  case SCE_EVENTS:
  case SCE_BUDGET:
  case SCE_VALUE:
  case SCE_AUTH: SCErrorCode code;
};

struct UInt128Parts { uint64 hi; uint64 lo; };
struct Int128Parts { int64 hi; uint64 lo; };
struct UInt256Parts { uint64 hi_hi; uint64 hi_lo; uint64 lo_hi; uint64 lo_lo; };
struct Int256Parts { int64 hi_hi; uint64 hi_lo; uint64 lo_hi; uint64 lo_lo; };
enum ContractExecutableType { CONTRACT_EXECUTABLE_WASM = 0, CONTRACT_EXECUTABLE_STELLAR_ASSET = 1 };

union ContractExecutable switch (ContractExecutableType type) {
  case CONTRACT_EXECUTABLE_WASM: Hash wasm_hash;
  case CONTRACT_EXECUTABLE_STELLAR_ASSET: void;
};

enum SCAddressType {
  SC_ADDRESS_TYPE_ACCOUNT = 0,
  SC_ADDRESS_TYPE_CONTRACT = 1,
  SC_ADDRESS_TYPE_MUXED_ACCOUNT = 2,
  SC_ADDRESS_TYPE_CLAIMABLE_BALANCE = 3,
  SC_ADDRESS_TYPE_LIQUIDITY_POOL = 4
};

struct MuxedEd25519Account { uint64 id; uint256 ed25519; };

union SCAddress switch (SCAddressType type) {
  case SC_ADDRESS_TYPE_ACCOUNT: AccountID accountId;
  case SC_ADDRESS_TYPE_CONTRACT: ContractID contractId;
  case SC_ADDRESS_TYPE_MUXED_ACCOUNT: MuxedEd25519Account muxedAccount;
  case SC_ADDRESS_TYPE_CLAIMABLE_BALANCE: ClaimableBalanceID claimableBalanceId;
  case SC_ADDRESS_TYPE_LIQUIDITY_POOL: PoolID liquidityPoolId;
};

const SCSYMBOL_LIMIT = 32;
typedef SCVal SCVec<>;
typedef SCMapEntry SCMap<>;
typedef opaque SCBytes<>;
typedef string SCString<>;
typedef string SCSymbol<SCSYMBOL_LIMIT>;
struct SCNonceKey { int64 nonce; };
struct SCContractInstance { ContractExecutable executable; SCMap* storage; };

union SCVal switch (SCValType type) {
  case SCV_BOOL: bool b;
  case SCV_VOID: void;
  case SCV_ERROR: SCError error;
  case SCV_U32: uint32 u32;
  case SCV_I32: int32 i32;
  case SCV_U64: uint64 u64;
  case SCV_I64: int64 i64;
  case SCV_TIMEPOINT: TimePoint timepoint;
  case SCV_DURATION: Duration duration;
  case SCV_U128: UInt128Parts u128;
  case SCV_I128: Int128Parts i128;
  case SCV_U256: UInt256Parts u256;
  case SCV_I256: Int256Parts i256;
  case SCV_BYTES: SCBytes bytes;
  case SCV_STRING: SCString str;
  case SCV_SYMBOL: SCSymbol sym;
  case SCV_VEC: SCVec* vec;
  case SCV_MAP: SCMap* map;
  case SCV_ADDRESS: SCAddress address;
  case SCV_LEDGER_KEY_CONTRACT_INSTANCE: void;
  case SCV_LEDGER_KEY_NONCE: SCNonceKey nonce_key;
  case SCV_CONTRACT_INSTANCE: SCContractInstance instance;
};

struct SCMapEntry { SCVal key; SCVal val; };
)";

}  // namespace overlayd::xdr::schema
