// Only the low-level SHA-256 calls give access to a state that can be saved and copied; see also hash.cpp.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/crypto/mac.h"

#include <sodium.h>

#include "core/crypto/secret.h"

namespace overlayd::crypto {

// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): SHA256_Init fills both states
MacKey::MacKey(ByteView key) : is_zero_(sodium_is_zero(key.data(), key.size()) != 0) {
  Secret<SHA256_CBLOCK> block;
  const auto padded = block.writable();
  if (key.size() > padded.size()) {
    Hash256 hashed = sha256(key);
    std::memcpy(padded.data(), hashed.data(), hashed.size());
    sodium_memzero(hashed.data(), hashed.size());
  } else if (!key.empty()) {
    std::memcpy(padded.data(), key.data(), key.size());
  }
  for (std::uint8_t& b : padded) b ^= 0x36;
  SHA256_Init(&inner_);
  SHA256_Update(&inner_, padded.data(), padded.size());
  for (std::uint8_t& b : padded) b ^= 0x36 ^ 0x5c;
  SHA256_Init(&outer_);
  SHA256_Update(&outer_, padded.data(), padded.size());
}

MacKey::~MacKey() { wipe(); }

MacKey::MacKey(MacKey&& from) noexcept : inner_(from.inner_), outer_(from.outer_), is_zero_(from.is_zero_) {
  from.wipe();
}

MacKey& MacKey::operator=(MacKey&& from) noexcept {
  if (this != &from) {
    inner_ = from.inner_;
    outer_ = from.outer_;
    is_zero_ = from.is_zero_;
    from.wipe();
  }
  return *this;
}

// The working copies are left on the stack: after SHA256_Final they hold digests, from which the key cannot be had.
Hash256 MacKey::mac(std::span<const ByteView> parts) const {
  SHA256_CTX state = inner_;
  for (const ByteView part : parts) SHA256_Update(&state, part.data(), part.size());
  return finish(state);
}

Hash256 MacKey::finish(SHA256_CTX& state) const {
  Hash256 digest;
  SHA256_Final(digest.data(), &state);
  state = outer_;
  SHA256_Update(&state, digest.data(), digest.size());
  SHA256_Final(digest.data(), &state);
  return digest;
}

bool MacKey::is_equal(const Hash256& computed, ByteView expected) {
  return expected.size() == computed.size() && sodium_memcmp(expected.data(), computed.data(), computed.size()) == 0;
}

bool MacKey::verify(std::span<const ByteView> parts, ByteView expected) const { return is_equal(mac(parts), expected); }

void MacKey::wipe() {
  sodium_memzero(&inner_, sizeof inner_);
  sodium_memzero(&outer_, sizeof outer_);
}

RunningMac::~RunningMac() { sodium_memzero(&state_, sizeof state_); }

void RunningMac::update(ByteView bytes) { SHA256_Update(&state_, bytes.data(), bytes.size()); }

bool RunningMac::verify(const MacKey& key, ByteView expected) { return MacKey::is_equal(key.finish(state_), expected); }

}  // namespace overlayd::crypto
