// Keys: the node's Ed25519 identity, the X25519 pair of one process start, and where they come from.
// Call init() once before anything else of this folder that uses libsodium; it may be called again.
#pragma once
#include "core/crypto/secret.h"
#include "core/ids.h"
#include "core/random.h"
#include "core/result.h"

namespace overlayd::crypto {

using Signature = std::array<std::uint8_t, 64>;

// Prepares libsodium; stops the process if that is impossible. Any thread, any number of times.
void init();

// The operating system's generator.
class SystemEntropy final : public Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

// SHA-256 of the passphrase.
[[nodiscard]] NetworkId network_id(std::string_view passphrase);

// The text of a seed file: one S… strkey, with white space (space, tab, CR, LF) before or after it, nothing else.
// The message of a refusal never contains the text.
[[nodiscard]] Result<Secret<32>> parse_seed(std::string_view text);

// The node's identity. Immutable, so any number of threads may use one.
class NodeKey {
 public:
  static NodeKey from_seed(const Secret<32>& seed);
  static NodeKey generate(Entropy& entropy);

  [[nodiscard]] const NodeId& id() const { return id_; }
  [[nodiscard]] Signature sign(ByteView message) const;

 private:
  NodeKey() = default;
  NodeId id_;
  Secret<64> secret_;
};

// Whether `signature` is 64 bytes and signs `message` under the key `signer`. Refuses low-order keys and non-canonical
// signatures.
[[nodiscard]] bool verify(const NodeId& signer, ByteView message, ByteView signature);

// An X25519 pair. Immutable, so any number of threads may use one.
class EcdhKeyPair {
 public:
  static EcdhKeyPair from_secret(const Secret<32>& secret);
  static EcdhKeyPair generate(Entropy& entropy);

  [[nodiscard]] const std::array<std::uint8_t, 32>& public_key() const { return public_key_; }
  [[nodiscard]] const Secret<32>& secret() const { return secret_; }
  // The raw X25519 result; nothing for a remote point of low order, which would give a result known to everybody.
  [[nodiscard]] std::optional<Secret<32>> shared(std::span<const std::uint8_t, 32> remote_public) const;

 private:
  EcdhKeyPair() = default;
  std::array<std::uint8_t, 32> public_key_{};
  Secret<32> secret_;
};

}  // namespace overlayd::crypto
