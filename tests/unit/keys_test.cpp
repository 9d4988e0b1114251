#include "core/crypto/keys.h"

#include "core/crypto/strkey.h"
#include "tests/unit/handshake_vectors.h"

using namespace overlayd;
using crypto::EcdhKeyPair;
using crypto::NodeKey;
using crypto::Secret;

namespace {

Secret<32> secret32(const std::array<std::uint8_t, 32>& bytes) {
  return Secret<32>(std::span<const std::uint8_t, 32>(bytes));
}

class CountingEntropy final : public Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& b : out) b = next_++;
  }

 private:
  std::uint8_t next_ = 1;
};

}  // namespace

TEST_CASE("a seed makes the node id of the transcripts, both roles", "[keys]") {
  for (const auto& handshake : test::handshakes())
    for (const char* role : {"initiator", "responder"}) {
      const auto seed = crypto::decode_seed(handshake[role]["node_seed"].get<std::string>());
      REQUIRE(seed.ok());
      CHECK(crypto::encode_node_id(NodeKey::from_seed(seed.value()).id()) == handshake[role]["node_id"]);
    }
}

TEST_CASE("Ed25519 gives the signatures of RFC 8032", "[keys]") {
  // Section 7.1, tests 1 and 3.
  const auto first =
      NodeKey::from_seed(secret32(test::hex32("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")));
  CHECK(to_hex(first.id().bytes) == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  CHECK(to_hex(first.sign({})) ==
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe"
        "2465"
        "5141438e7a100b");
  const auto third =
      NodeKey::from_seed(secret32(test::hex32("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")));
  const Bytes message{0xaf, 0x82};
  CHECK(to_hex(third.sign(message)) ==
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed2"
        "8dc0"
        "27beceea1ec40a");
}

TEST_CASE("a signature verifies for its signer, message and 64 bytes only", "[keys]") {
  CountingEntropy entropy;
  const NodeKey key = NodeKey::generate(entropy);
  const NodeKey other = NodeKey::generate(entropy);
  const Bytes message{1, 2, 3};
  const crypto::Signature signature = key.sign(message);
  CHECK(crypto::verify(key.id(), message, signature));
  CHECK_FALSE(crypto::verify(other.id(), message, signature));
  CHECK_FALSE(crypto::verify(key.id(), Bytes{1, 2, 4}, signature));
  CHECK_FALSE(crypto::verify(key.id(), message, ByteView(signature).first(63)));
  CHECK_FALSE(crypto::verify(key.id(), message, {}));
  Bytes longer(signature.begin(), signature.end());
  longer.push_back(0);
  CHECK_FALSE(crypto::verify(key.id(), message, longer));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    crypto::Signature changed = signature;
    changed[i] ^= 1;
    REQUIRE_FALSE(crypto::verify(key.id(), message, changed));
  }
}

TEST_CASE("a low-order node id verifies nothing", "[keys]") {
  // The neutral point signs every message with S = 0 and R = itself, for a verifier that does not refuse it.
  NodeId neutral;
  neutral.bytes[0] = 1;
  crypto::Signature signature{};
  signature[0] = 1;
  CHECK_FALSE(crypto::verify(neutral, Bytes{1, 2, 3}, signature));
}

TEST_CASE("X25519 gives the public keys and shared secrets of the transcripts, both roles", "[keys]") {
  for (const auto& handshake : test::handshakes()) {
    const auto initiator = EcdhKeyPair::from_secret(secret32(test::hex32(handshake["initiator"]["ecdh_secret"])));
    const auto responder = EcdhKeyPair::from_secret(secret32(test::hex32(handshake["responder"]["ecdh_secret"])));
    CHECK(to_hex(initiator.public_key()) == handshake["initiator"]["ecdh_public"]);
    CHECK(to_hex(responder.public_key()) == handshake["responder"]["ecdh_public"]);
    const auto ours = initiator.shared(responder.public_key());
    const auto theirs = responder.shared(initiator.public_key());
    REQUIRE(ours.has_value());
    REQUIRE(theirs.has_value());
    CHECK(to_hex(ours->view()) == handshake["ecdh_shared"]);
    CHECK(*ours == *theirs);
  }
}

TEST_CASE("a low-order X25519 point shares no secret", "[keys]") {
  CountingEntropy entropy;
  const EcdhKeyPair pair = EcdhKeyPair::generate(entropy);
  // Orders 4, 1, 8, 8, and 4 written as p.
  for (const char* point : {"0000000000000000000000000000000000000000000000000000000000000000",
                            "0100000000000000000000000000000000000000000000000000000000000000",
                            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"})
    CHECK_FALSE(pair.shared(test::hex32(point)).has_value());
}

TEST_CASE("keys repeat from the same entropy and differ within it", "[keys]") {
  CountingEntropy a;
  CountingEntropy b;
  CHECK(NodeKey::generate(a).id() == NodeKey::generate(b).id());
  CHECK(EcdhKeyPair::generate(a).public_key() != EcdhKeyPair::generate(a).public_key());
}

TEST_CASE("the system's entropy fills all that it is given and does not repeat", "[keys]") {
  crypto::init();
  crypto::SystemEntropy entropy;
  std::array<std::uint8_t, 64> first{};
  std::array<std::uint8_t, 64> second{};
  entropy.fill(first);
  entropy.fill(second);
  CHECK(first != second);
  CHECK(std::count(first.begin(), first.end(), 0) < 16);
}
