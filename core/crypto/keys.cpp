#include "core/crypto/keys.h"

#include <sodium.h>

#include "core/crypto/hash.h"
#include "core/crypto/strkey.h"

namespace overlayd::crypto {

void init() { OVERLAYD_CHECK(sodium_init() >= 0); }

void SystemEntropy::fill(std::span<std::uint8_t> out) { randombytes_buf(out.data(), out.size()); }

NetworkId network_id(std::string_view passphrase) {
  return {sha256(ByteView(reinterpret_cast<const std::uint8_t*>(passphrase.data()), passphrase.size()))};
}

Result<Secret<32>> parse_seed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return Failure{"no seed: the text is empty"};
  return decode_seed(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

NodeKey NodeKey::from_seed(const Secret<32>& seed) {
  NodeKey key;
  crypto_sign_seed_keypair(key.id_.bytes.data(), key.secret_.writable().data(), seed.view().data());
  return key;
}

NodeKey NodeKey::generate(Entropy& entropy) {
  Secret<32> seed;
  entropy.fill(seed.writable());
  return from_seed(seed);
}

Signature NodeKey::sign(ByteView message) const {
  Signature signature;
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), secret_.view().data());
  return signature;
}

bool verify(const NodeId& signer, ByteView message, ByteView signature) {
  return signature.size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(signature.data(), message.data(), message.size(), signer.bytes.data()) == 0;
}

EcdhKeyPair EcdhKeyPair::from_secret(const Secret<32>& secret) {
  EcdhKeyPair pair;
  pair.secret_ = secret.clone();
  crypto_scalarmult_base(pair.public_key_.data(), secret.view().data());
  return pair;
}

EcdhKeyPair EcdhKeyPair::generate(Entropy& entropy) {
  Secret<32> secret;
  entropy.fill(secret.writable());
  return from_secret(secret);
}

std::optional<Secret<32>> EcdhKeyPair::shared(std::span<const std::uint8_t, 32> remote_public) const {
  Secret<32> result;
  if (crypto_scalarmult(result.writable().data(), secret_.view().data(), remote_public.data()) != 0)
    return std::nullopt;
  return result;
}

}  // namespace overlayd::crypto
