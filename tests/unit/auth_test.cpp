#include "core/peer/auth.h"

#include <set>

#include "core/crypto/strkey.h"
#include "tests/unit/handshake_vectors.h"

using namespace overlayd;
using peer::PeerAuth;

namespace {

crypto::Secret<32> secret32(const std::array<std::uint8_t, 32>& bytes) {
  return crypto::Secret<32>(std::span<const std::uint8_t, 32>(bytes));
}

// One side of a transcript.
struct Side {
  explicit Side(const nlohmann::json& handshake, const char* role)
      : node_key(std::make_shared<crypto::NodeKey>(
            crypto::NodeKey::from_seed(crypto::decode_seed(handshake[role]["node_seed"].get<std::string>()).value()))),
        pair(std::make_shared<crypto::EcdhKeyPair>(
            crypto::EcdhKeyPair::from_secret(secret32(test::hex32(handshake[role]["ecdh_secret"]))))),
        network(crypto::network_id(handshake["passphrase"].get<std::string>())),
        nonce(test::hex32(handshake[role]["nonce"])) {}

  [[nodiscard]] peer::PeerAuthOptions options() const {
    return {.node_key = node_key, .pair = pair, .network = network};
  }

  std::shared_ptr<const crypto::NodeKey> node_key;
  std::shared_ptr<const crypto::EcdhKeyPair> pair;
  NetworkId network;
  peer::Nonce nonce;
};

// The MACs of two keys over the same bytes are equal if and only if the keys are.
bool is_key(const crypto::MacKey& key, const nlohmann::json& expected) {
  const Bytes probe{1, 2, 3};
  return key.mac({probe}) == crypto::MacKey(test::hex(expected)).mac({probe});
}

const nlohmann::json& first_handshake() { return test::handshakes().front(); }

peer::EcdhPublic some_public(std::uint64_t number) {
  crypto::Secret<32> secret;
  for (std::size_t i = 0; i < 8; ++i) secret.writable()[i + 8] = static_cast<std::uint8_t>(number >> 8 * i);
  return crypto::EcdhKeyPair::from_secret(secret).public_key();
}

}  // namespace

TEST_CASE("certificates are those of the transcripts, both roles", "[auth]") {
  for (const auto& handshake : test::handshakes())
    for (const char* role : {"initiator", "responder"}) {
      const Side side(handshake, role);
      const auto& expected = handshake[role]["cert"];
      const UnixTime expiration{expected["expiration"].get<std::uint64_t>()};
      CHECK(to_hex(side.network.bytes) == handshake["network_id"]);
      CHECK(to_hex(peer::cert_hash(side.network, expiration, side.pair->public_key())) == expected["signed_hash"]);

      PeerAuth auth(side.options());
      const AuthCert cert = auth.certificate({expiration.seconds - limits::kCertLifetimeSeconds});
      CHECK(cert.expiration == expiration);
      CHECK(to_hex(cert.public_key) == handshake[role]["ecdh_public"]);
      CHECK(to_hex(cert.signature) == expected["signature"]);
      CHECK(auth.verify_cert(cert, side.node_key->id(), {expiration.seconds - 1}));
    }
}

TEST_CASE("keys are those of the transcripts, step by step", "[auth]") {
  for (const auto& handshake : test::handshakes()) {
    const Side initiator(handshake, "initiator");
    const Side responder(handshake, "responder");
    const auto ecdh_shared = initiator.pair->shared(responder.pair->public_key());
    REQUIRE(ecdh_shared.has_value());
    const auto shared_key = peer::derive_shared_key(
        *ecdh_shared, {.initiator = initiator.pair->public_key(), .responder = responder.pair->public_key()});
    CHECK(to_hex(shared_key.view()) == handshake["shared_key"]);
    const peer::BothNonces nonces{.initiator = initiator.nonce, .responder = responder.nonce};
    CHECK(to_hex(peer::derive_initiator_key(shared_key, nonces).view()) == handshake["k_ab"]);
    CHECK(to_hex(peer::derive_responder_key(shared_key, nonces).view()) == handshake["k_ba"]);
  }
}

TEST_CASE("what the initiator sends with, the responder receives with, and the other way round", "[auth]") {
  for (const auto& handshake : test::handshakes()) {
    const Side initiator(handshake, "initiator");
    const Side responder(handshake, "responder");
    PeerAuth initiator_auth(initiator.options());
    PeerAuth responder_auth(responder.options());
    for (int round = 0; round < 2; ++round) {  // the second comes from the cache
      const auto ours = initiator_auth.derive_keys({.direction = Direction::kOutbound,
                                                    .remote_public = responder.pair->public_key(),
                                                    .local_nonce = initiator.nonce,
                                                    .remote_nonce = responder.nonce});
      const auto theirs = responder_auth.derive_keys({.direction = Direction::kInbound,
                                                      .remote_public = initiator.pair->public_key(),
                                                      .local_nonce = responder.nonce,
                                                      .remote_nonce = initiator.nonce});
      REQUIRE(ours.has_value());
      REQUIRE(theirs.has_value());
      CHECK(is_key(ours->send, handshake["k_ab"]));
      CHECK(is_key(ours->receive, handshake["k_ba"]));
      CHECK(is_key(theirs->send, handshake["k_ba"]));
      CHECK(is_key(theirs->receive, handshake["k_ab"]));
    }
    CHECK(initiator_auth.size() == 1);
  }
}

TEST_CASE("a certificate is renewed when less than 1,800 s are left", "[auth]") {
  const Side side(first_handshake(), "initiator");
  PeerAuth auth(side.options());
  constexpr std::uint64_t kStart = 1'700'000'000;
  const AuthCert first = auth.certificate({kStart});
  CHECK(first.expiration.seconds == kStart + 3600);
  CHECK(auth.certificate({kStart + 1799}).signature == first.signature);
  CHECK(auth.certificate({kStart + 1800}).signature == first.signature);
  const AuthCert second = auth.certificate({kStart + 1801});
  CHECK(second.expiration.seconds == kStart + 1801 + 3600);
  CHECK(second.public_key == first.public_key);
  CHECK(second.signature != first.signature);
  CHECK(auth.verify_cert(second, side.node_key->id(), {kStart + 1801}));
}

TEST_CASE("a certificate holds up to the second of its expiration", "[auth]") {
  const Side side(first_handshake(), "initiator");
  PeerAuth auth(side.options());
  const AuthCert cert = auth.certificate({1'700'000'000});
  const std::uint64_t expiration = cert.expiration.seconds;
  CHECK(auth.verify_cert(cert, side.node_key->id(), {expiration - 1}));
  CHECK(auth.verify_cert(cert, side.node_key->id(), {expiration}));
  CHECK_FALSE(auth.verify_cert(cert, side.node_key->id(), {expiration + 1}));
}

TEST_CASE("a certificate of another node, network, key, time or signature is refused", "[auth]") {
  const Side side(first_handshake(), "initiator");
  const Side other(first_handshake(), "responder");
  PeerAuth auth(side.options());
  const UnixTime now{1'700'000'000};
  const NodeId& node = side.node_key->id();
  const AuthCert cert = auth.certificate(now);
  REQUIRE(auth.verify_cert(cert, node, now));

  CHECK_FALSE(auth.verify_cert(cert, other.node_key->id(), now));
  auto elsewhere = side.options();
  elsewhere.network = crypto::network_id("another network");
  CHECK_FALSE(PeerAuth(elsewhere).verify_cert(cert, node, now));
  AuthCert changed = cert;
  changed.public_key[0] ^= 1;
  CHECK_FALSE(auth.verify_cert(changed, node, now));
  changed = cert;
  changed.expiration.seconds += 1;
  CHECK_FALSE(auth.verify_cert(changed, node, now));
  changed = cert;
  changed.signature.back() ^= 1;
  CHECK_FALSE(auth.verify_cert(changed, node, now));
  for (const std::size_t size : {std::size_t{0}, std::size_t{63}, std::size_t{65}}) {
    changed = cert;
    changed.signature.resize(size);
    CHECK_FALSE(auth.verify_cert(changed, node, now));
  }
}

TEST_CASE("keys differ with each nonce and with the direction", "[auth]") {
  const Side side(first_handshake(), "initiator");
  PeerAuth auth(side.options());
  const peer::LinkSecrets base{.direction = Direction::kOutbound, .remote_public = some_public(1)};
  std::vector<peer::LinkSecrets> variants(4, base);
  variants[1].direction = Direction::kInbound;
  variants[2].local_nonce[0] = 1;
  variants[3].remote_nonce[0] = 1;
  std::set<crypto::Hash256> macs;
  for (const auto& variant : variants) {
    const auto keys = auth.derive_keys(variant);
    REQUIRE(keys.has_value());
    macs.insert(keys->send.mac({}));
    macs.insert(keys->receive.mac({}));
  }
  CHECK(macs.size() == 8);
}

TEST_CASE("a low-order public key derives nothing and is not remembered", "[auth]") {
  PeerAuth auth(Side(first_handshake(), "initiator").options());
  CHECK_FALSE(auth.derive_keys({.direction = Direction::kInbound}).has_value());
  CHECK(auth.size() == 0);
}

TEST_CASE("at most 1,000 shared keys are remembered", "[auth]") {
  PeerAuth auth(Side(first_handshake(), "initiator").options());
  for (std::uint64_t i = 1; i <= limits::kSharedKeyCacheMax + 1; ++i) {
    REQUIRE(auth.derive_keys({.direction = Direction::kInbound, .remote_public = some_public(i)}).has_value());
    REQUIRE(auth.size() == std::min<std::uint64_t>(i, limits::kSharedKeyCacheMax));
  }
}

TEST_CASE("the shared key used least recently is the one that goes", "[auth]") {
  auto options = Side(first_handshake(), "initiator").options();
  options.shared_keys_max = 2;
  PeerAuth auth(options);
  const auto use = [&auth](std::uint64_t number) {
    REQUIRE(auth.derive_keys({.direction = Direction::kInbound, .remote_public = some_public(number)}).has_value());
    return auth.derived();
  };
  CHECK(use(1) == 1);
  CHECK(use(2) == 2);
  CHECK(use(1) == 2);
  CHECK(use(3) == 3);  // 2 goes
  CHECK(use(1) == 3);
  CHECK(use(2) == 4);
}

TEST_CASE("keys stay right when the cache evicts", "[auth]") {
  auto options = Side(first_handshake(), "initiator").options();
  PeerAuth large(options);
  options.shared_keys_max = 2;
  PeerAuth small(options);
  for (const std::uint64_t number : {1, 2, 1, 3, 1, 2, 3, 2, 1}) {
    for (const Direction direction : {Direction::kInbound, Direction::kOutbound}) {
      const peer::LinkSecrets link{.direction = direction, .remote_public = some_public(number)};
      CHECK(small.derive_keys(link)->send.mac({}) == large.derive_keys(link)->send.mac({}));
      CHECK(small.size() <= 2);
    }
  }
}
