#include "core/crypto/sealed_box.h"

#include <sodium.h>

namespace overlayd::crypto {

static_assert(kSealedOverhead == crypto_box_SEALBYTES);

std::optional<Bytes> seal(std::span<const std::uint8_t, 32> recipient, ByteView message, Entropy& entropy) {
  if (message.size() > limits::kSurveySealedBytesMax - kSealedOverhead) return std::nullopt;
  const EcdhKeyPair ephemeral = EcdhKeyPair::generate(entropy);

  std::array<std::uint8_t, 64> keys;
  std::memcpy(keys.data(), ephemeral.public_key().data(), 32);
  std::memcpy(keys.data() + 32, recipient.data(), 32);
  std::array<std::uint8_t, crypto_box_NONCEBYTES> nonce;
  crypto_generichash(nonce.data(), nonce.size(), keys.data(), keys.size(), nullptr, 0);

  Bytes sealed(kSealedOverhead + message.size());
  std::memcpy(sealed.data(), keys.data(), 32);
  if (crypto_box_easy(sealed.data() + 32, message.data(), message.size(), nonce.data(), recipient.data(),
                      ephemeral.secret().view().data()) != 0)
    return std::nullopt;
  return sealed;
}

std::optional<Bytes> open(const EcdhKeyPair& recipient, ByteView sealed) {
  if (sealed.size() < kSealedOverhead || sealed.size() > limits::kSurveySealedBytesMax) return std::nullopt;
  Bytes message(sealed.size() - kSealedOverhead);
  if (crypto_box_seal_open(message.data(), sealed.data(), sealed.size(), recipient.public_key().data(),
                           recipient.secret().view().data()) != 0)
    return std::nullopt;
  return message;
}

}  // namespace overlayd::crypto
