#include "core/peer/auth.h"

#include "core/check.h"
#include "core/crypto/hash.h"

namespace overlayd::peer {
namespace {

constexpr std::array<std::uint8_t, 4> kEnvelopeTypeAuth{0, 0, 0, 3};
constexpr std::array<std::uint8_t, 1> kOne{1};

std::array<std::uint8_t, 8> big_endian(std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
  return bytes;
}

crypto::Secret<32> take_secret(crypto::Hash256 digest) {
  crypto::Secret<32> secret{std::span<const std::uint8_t, 32>(digest)};
  sodium_memzero(digest.data(), digest.size());
  return secret;
}

crypto::Secret<32> expand(const crypto::Secret<32>& shared_key, std::uint8_t label, const Nonce& first,
                          const Nonce& second) {
  const std::array<std::uint8_t, 1> prefix{label};
  return take_secret(crypto::MacKey(shared_key.view()).mac({prefix, first, second, kOne}));
}

}  // namespace

crypto::Hash256 cert_hash(const NetworkId& network, UnixTime expiration, const EcdhPublic& public_key) {
  return crypto::Sha256()
      .update(network.view())
      .update(kEnvelopeTypeAuth)
      .update(big_endian(expiration.seconds))
      .update(public_key)
      .finish();
}

crypto::Secret<32> derive_shared_key(const crypto::Secret<32>& ecdh_shared, const BothPublics& publics) {
  constexpr std::array<std::uint8_t, 32> kZeroKey{};
  return take_secret(crypto::MacKey(kZeroKey).mac({ecdh_shared.view(), publics.initiator, publics.responder}));
}

crypto::Secret<32> derive_initiator_key(const crypto::Secret<32>& shared_key, const BothNonces& nonces) {
  return expand(shared_key, 0, nonces.initiator, nonces.responder);
}

crypto::Secret<32> derive_responder_key(const crypto::Secret<32>& shared_key, const BothNonces& nonces) {
  return expand(shared_key, 1, nonces.responder, nonces.initiator);
}

PeerAuth::PeerAuth(PeerAuthOptions options) : options_(std::move(options)) {
  OVERLAYD_CHECK(options_.node_key != nullptr && options_.pair != nullptr && options_.shared_keys_max > 0);
}

AuthCert PeerAuth::certificate(UnixTime now) {
  if (!cert_ || cert_->expiration.seconds < now.seconds + limits::kCertRenewBelowSeconds) {
    const EcdhPublic& public_key = options_.pair->public_key();
    const UnixTime expiration{now.seconds + limits::kCertLifetimeSeconds};
    const crypto::Signature signature = options_.node_key->sign(cert_hash(options_.network, expiration, public_key));
    cert_ = AuthCert{public_key, expiration, Bytes(signature.begin(), signature.end())};
  }
  return *cert_;
}

bool PeerAuth::verify_cert(const AuthCert& cert, const NodeId& node, UnixTime now) const {
  return cert.expiration >= now &&
         crypto::verify(node, cert_hash(options_.network, cert.expiration, cert.public_key), cert.signature);
}

std::optional<LinkKeys> PeerAuth::derive_keys(const LinkSecrets& link) {
  const crypto::Secret<32>* shared_key = find_or_derive_shared(link.remote_public, link.direction);
  if (shared_key == nullptr) return std::nullopt;
  const bool is_initiator = link.direction == Direction::kOutbound;
  const BothNonces nonces{.initiator = is_initiator ? link.local_nonce : link.remote_nonce,
                          .responder = is_initiator ? link.remote_nonce : link.local_nonce};
  crypto::MacKey initiator_key(derive_initiator_key(*shared_key, nonces).view());
  crypto::MacKey responder_key(derive_responder_key(*shared_key, nonces).view());
  if (is_initiator) return LinkKeys{std::move(initiator_key), std::move(responder_key)};
  return LinkKeys{std::move(responder_key), std::move(initiator_key)};
}

const crypto::Secret<32>* PeerAuth::find_or_derive_shared(const EcdhPublic& remote, Direction direction) {
  CacheKey key{remote, direction};
  if (const auto found = cache_.find(key); found != cache_.end()) {
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return &found->second->shared_key;
  }
  const std::optional<crypto::Secret<32>> ecdh_shared = options_.pair->shared(remote);
  if (!ecdh_shared) return nullptr;
  ++derived_;
  const EcdhPublic& own = options_.pair->public_key();
  const bool is_initiator = direction == Direction::kOutbound;
  if (by_use_.size() >= options_.shared_keys_max) {
    cache_.erase(by_use_.back().key);
    by_use_.pop_back();
  }
  by_use_.push_front({key, derive_shared_key(*ecdh_shared, {.initiator = is_initiator ? own : remote,
                                                            .responder = is_initiator ? remote : own})});
  cache_.emplace(std::move(key), by_use_.begin());
  return &by_use_.front().shared_key;
}

}  // namespace overlayd::peer
