// HMAC-SHA256 (RFC 2104), the only place that knows it.
// A key is used for every message of a connection, so it is held as the two SHA-256 states that remain after its inner
// and outer padding block: a MAC then costs two block transformations fewer. tests/bench/hmac_bench.cpp compares this
// with libsodium's crypto_auth_hmacsha256.
#pragma once
#include <initializer_list>

#include "core/crypto/hash.h"

namespace overlayd::crypto {

// Wiped when destroyed or moved from; a moved-from key must not be used. Not copyable: a key belongs to one connection.
class MacKey {
 public:
  // A key of any length; longer than 64 bytes counts as its SHA-256, as RFC 2104 says.
  explicit MacKey(ByteView key);
  ~MacKey();
  MacKey(const MacKey&) = delete;
  MacKey& operator=(const MacKey&) = delete;
  MacKey(MacKey&& from) noexcept;
  MacKey& operator=(MacKey&& from) noexcept;

  // Over the parts as if they were one string.
  [[nodiscard]] Hash256 mac(std::span<const ByteView> parts) const;
  [[nodiscard]] Hash256 mac(std::initializer_list<ByteView> parts) const { return mac({parts.begin(), parts.size()}); }
  // In constant time. False for an `expected` that is not 32 bytes long.
  [[nodiscard]] bool verify(std::span<const ByteView> parts, ByteView expected) const;
  [[nodiscard]] bool verify(std::initializer_list<ByteView> parts, ByteView expected) const {
    return verify({parts.begin(), parts.size()}, expected);
  }
  // Whether the key was all zero.
  [[nodiscard]] bool is_zero() const { return is_zero_; }

 private:
  friend class RunningMac;
  // From the state behind the message's last byte.
  [[nodiscard]] Hash256 finish(SHA256_CTX& state) const;
  [[nodiscard]] static bool is_equal(const Hash256& computed, ByteView expected);  // in constant time
  void wipe();

  SHA256_CTX inner_;
  SHA256_CTX outer_;
  bool is_zero_;
};

// A MAC over bytes that come piece by piece. Its state is as secret as the key, and wiped.
class RunningMac {
 public:
  explicit RunningMac(const MacKey& key) : state_(key.inner_) {}
  ~RunningMac();
  RunningMac(const RunningMac&) = delete;
  RunningMac& operator=(const RunningMac&) = delete;

  void update(ByteView bytes);
  // Ends it; `key` is that of the constructor. As MacKey::verify.
  [[nodiscard]] bool verify(const MacKey& key, ByteView expected);

 private:
  SHA256_CTX state_;
};

}  // namespace overlayd::crypto
