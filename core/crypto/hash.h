// The two hash functions of the protocol.
//   SHA-256      ids of networks, transactions, transaction sets and quorum sets; certificates; base of the MAC
//   BLAKE2b-256  flood records
// SHA-256 is libcrypto's (it uses the CPU's SHA instructions, libsodium's does not), BLAKE2b is libsodium's.
// Nothing here fails or allocates.
#pragma once
#include <openssl/sha.h>

#include "core/bytes.h"

namespace overlayd::crypto {

using Hash256 = std::array<std::uint8_t, 32>;

[[nodiscard]] Hash256 sha256(ByteView bytes);
[[nodiscard]] Hash256 blake2b_256(ByteView bytes);

// SHA-256 of what update() was given, in order. finish() ends it: a finished Sha256 takes no more calls.
class Sha256 {
 public:
  Sha256();
  Sha256& update(ByteView bytes);
  [[nodiscard]] Hash256 finish();

 private:
  SHA256_CTX state_;
};

}  // namespace overlayd::crypto
