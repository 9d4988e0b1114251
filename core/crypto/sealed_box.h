// Sealed boxes (libsodium's crypto_box_seal): anyone can encrypt to an X25519 public key, only its owner can read, and
// the sender stays anonymous. Survey responses travel in them.
// Format: ephemeral public key (32) · XSalsa20-Poly1305 box (16 + message) under the nonce BLAKE2b-192(ephemeral public
// key, recipient's public key).
// Limits: a sealed box is at most limits::kSurveySealedBytesMax bytes, so a message at most that minus kSealedOverhead.
// Does not say who wrote the message: survey responses are signed outside the box.
#pragma once
#include "core/crypto/keys.h"
#include "core/limits.h"

namespace overlayd::crypto {

inline constexpr std::size_t kSealedOverhead = 48;

// Nothing if the message is too long or the recipient's key is of low order. The ephemeral key comes from `entropy`
// (libsodium's own call cannot be given one, and a simulated run could not be repeated).
[[nodiscard]] std::optional<Bytes> seal(std::span<const std::uint8_t, 32> recipient, ByteView message,
                                        Entropy& entropy);
// Nothing if the box is too long or too short, was made for another key, or was changed.
[[nodiscard]] std::optional<Bytes> open(const EcdhKeyPair& recipient, ByteView sealed);

}  // namespace overlayd::crypto
