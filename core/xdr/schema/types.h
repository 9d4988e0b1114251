// Stellar-types.x,
// protocol 28: what the overlay's messages are made of.
#pragma once
#include <string_view>

namespace overlayd::xdr::schema {

inline constexpr std::string_view kTypes = R"(
typedef opaque Hash[32];
typedef opaque uint256[32];
typedef uint64 TimePoint;
typedef uint64 Duration;

union ExtensionPoint switch (int v) {
  case 0: void;
};

enum CryptoKeyType {
  KEY_TYPE_ED25519 = 0,
  KEY_TYPE_PRE_AUTH_TX = 1,
  KEY_TYPE_HASH_X = 2,
  KEY_TYPE_ED25519_SIGNED_PAYLOAD = 3,
  KEY_TYPE_MUXED_ED25519 = 0x100
};

enum PublicKeyType { PUBLIC_KEY_TYPE_ED25519 = KEY_TYPE_ED25519 };

enum SignerKeyType {
  SIGNER_KEY_TYPE_ED25519 = KEY_TYPE_ED25519,
  SIGNER_KEY_TYPE_PRE_AUTH_TX = KEY_TYPE_PRE_AUTH_TX,
  SIGNER_KEY_TYPE_HASH_X = KEY_TYPE_HASH_X,
  SIGNER_KEY_TYPE_ED25519_SIGNED_PAYLOAD = KEY_TYPE_ED25519_SIGNED_PAYLOAD
};

union PublicKey switch (PublicKeyType type) {
  case PUBLIC_KEY_TYPE_ED25519: uint256 ed25519;
};

union SignerKey switch (SignerKeyType type) {
  case SIGNER_KEY_TYPE_ED25519: uint256 ed25519;
  case SIGNER_KEY_TYPE_PRE_AUTH_TX: uint256 preAuthTx;
  case SIGNER_KEY_TYPE_HASH_X: uint256 hashX;
  case SIGNER_KEY_TYPE_ED25519_SIGNED_PAYLOAD: struct {
    uint256 ed25519;
    opaque payload<64>;
  } ed25519SignedPayload;
};

typedef opaque Signature<64>;
typedef opaque SignatureHint[4];
typedef PublicKey NodeID;
typedef PublicKey AccountID;
typedef Hash ContractID;
struct Curve25519Public { opaque key[32]; };
struct HmacSha256Mac { opaque mac[32]; };
)";

}  // namespace overlayd::xdr::schema
