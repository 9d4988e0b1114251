// Certificates and key derivation of one network thread.
//
// Words.   The *pair* is the X25519 key pair of this process start. A *certificate* (AuthCert) is its public key, an
//          expiration and the node's Ed25519 signature over SHA-256(network id, int32 3, u64 expiration, public key):
//          it says "this pair speaks for that node".
// Rule 1.  Our certificate lives 3,600 s and is replaced when less than 1,800 s of that are left.
//          Rationale: a peer whose clock is half an hour ahead must still accept it.
// Rule 2.  A remote certificate is valid if its expiration has not passed (the very second still counts) and 64 bytes
//          of signature verify under the node id of the HELLO that carries it.
// Rule 3.  shared key = HMAC-SHA256(32 zero bytes, X25519 · A · B), A the initiator's public key, B the responder's.
//          Initiator to responder: HMAC-SHA256(shared, 0x00 · nonce A · nonce B · 0x01);
//          responder to initiator: HMAC-SHA256(shared, 0x01 · nonce B · nonce A · 0x01).
// Rule 4.  A remote public key of low order derives nothing. Rationale: anyone could compute the keys.
// Rule 5.  Shared keys are remembered per (remote public key, direction), as X25519 costs more than all the rest of a
//          handshake. Limit: limits::kSharedKeyCacheMax; beyond it the least recently used one goes.
// Threads. An instance belongs to one thread. Several can share one pair and one node key: those are immutable.
// Source:  stellar-core PeerAuth and curve25519DeriveSharedKey, commit a9b8613; the order of eviction (there random) is
//          ours.
#pragma once
#include <list>
#include <map>
#include <memory>
#include <optional>

#include "core/crypto/keys.h"
#include "core/crypto/mac.h"
#include "core/inputs.h"
#include "core/limits.h"

namespace overlayd::peer {

using Nonce = std::array<std::uint8_t, 32>;
using EcdhPublic = std::array<std::uint8_t, 32>;

// The steps of rules 2 and 3, pure.
[[nodiscard]] crypto::Hash256 cert_hash(const NetworkId& network, UnixTime expiration, const EcdhPublic& public_key);
struct BothPublics {
  const EcdhPublic& initiator;
  const EcdhPublic& responder;
};
[[nodiscard]] crypto::Secret<32> derive_shared_key(const crypto::Secret<32>& ecdh_shared, const BothPublics& publics);
struct BothNonces {
  const Nonce& initiator;
  const Nonce& responder;
};
[[nodiscard]] crypto::Secret<32> derive_initiator_key(const crypto::Secret<32>& shared_key, const BothNonces& nonces);
[[nodiscard]] crypto::Secret<32> derive_responder_key(const crypto::Secret<32>& shared_key, const BothNonces& nonces);

struct PeerAuthOptions {
  std::shared_ptr<const crypto::NodeKey> node_key;
  std::shared_ptr<const crypto::EcdhKeyPair> pair;
  NetworkId network;
  std::size_t shared_keys_max = limits::kSharedKeyCacheMax;
};

// What a connection's keys depend on. `direction` is kOutbound if we are the initiator.
struct LinkSecrets {
  Direction direction = Direction::kInbound;
  EcdhPublic remote_public{};
  Nonce local_nonce{};
  Nonce remote_nonce{};
};
struct LinkKeys {
  crypto::MacKey send;
  crypto::MacKey receive;
};

class PeerAuth {
 public:
  explicit PeerAuth(PeerAuthOptions options);
  PeerAuth(const PeerAuth&) = delete;
  PeerAuth& operator=(const PeerAuth&) = delete;

  // Our certificate, renewed first if rule 1 asks for it.
  [[nodiscard]] AuthCert certificate(UnixTime now);
  [[nodiscard]] bool verify_cert(const AuthCert& cert, const NodeId& node, UnixTime now) const;
  // Nothing for a remote public key of low order.
  [[nodiscard]] std::optional<LinkKeys> derive_keys(const LinkSecrets& link);

  [[nodiscard]] std::size_t size() const { return by_use_.size(); }  // shared keys remembered
  [[nodiscard]] std::uint64_t derived() const { return derived_; }   // shared keys computed since the start

 private:
  using CacheKey = std::pair<EcdhPublic, Direction>;
  struct CacheEntry {
    CacheKey key;
    crypto::Secret<32> shared_key;
  };
  [[nodiscard]] const crypto::Secret<32>* find_or_derive_shared(const EcdhPublic& remote, Direction direction);

  PeerAuthOptions options_;
  std::optional<AuthCert> cert_;
  std::uint64_t derived_ = 0;
  std::list<CacheEntry> by_use_;  // the most recently used first
  std::map<CacheKey, std::list<CacheEntry>::iterator> cache_;
};

}  // namespace overlayd::peer
