// libcrypto's one-shot and EVP calls look the algorithm up and allocate; for messages of a few hundred bytes that costs
// as much as the hash. The low-level calls do neither, and stay in libcrypto 3 although marked deprecated.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/crypto/hash.h"

#include <sodium.h>

namespace overlayd::crypto {

Hash256 sha256(ByteView bytes) { return Sha256().update(bytes).finish(); }

Hash256 blake2b_256(ByteView bytes) {
  Hash256 hash;
  crypto_generichash(hash.data(), hash.size(), bytes.data(), bytes.size(), nullptr, 0);
  return hash;
}

// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): SHA256_Init fills it
Sha256::Sha256() { SHA256_Init(&state_); }

Sha256& Sha256::update(ByteView bytes) {
  SHA256_Update(&state_, bytes.data(), bytes.size());
  return *this;
}

Hash256 Sha256::finish() {
  Hash256 hash;
  SHA256_Final(hash.data(), &state_);
  return hash;
}

}  // namespace overlayd::crypto
