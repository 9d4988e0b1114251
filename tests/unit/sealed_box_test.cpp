#include "core/crypto/sealed_box.h"

#include <sodium.h>

#include <catch2/catch.hpp>

using namespace overlayd;
using crypto::EcdhKeyPair;

namespace {

class CountingEntropy final : public Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& b : out) b = next_++;
  }

 private:
  std::uint8_t next_ = 1;
};

constexpr std::size_t kMessageMax = limits::kSurveySealedBytesMax - crypto::kSealedOverhead;

}  // namespace

TEST_CASE("what was sealed opens for the recipient", "[sealed_box]") {
  CountingEntropy entropy;
  const EcdhKeyPair recipient = EcdhKeyPair::generate(entropy);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, kMessageMax - 1, kMessageMax}) {
    const Bytes message(size, 0x5a);
    const auto sealed = crypto::seal(recipient.public_key(), message, entropy);
    REQUIRE(sealed.has_value());
    CHECK(sealed->size() == size + crypto::kSealedOverhead);
    CHECK(crypto::open(recipient, *sealed) == message);
  }
}

TEST_CASE("more than the limit is neither sealed nor opened", "[sealed_box]") {
  CountingEntropy entropy;
  const EcdhKeyPair recipient = EcdhKeyPair::generate(entropy);
  CHECK_FALSE(crypto::seal(recipient.public_key(), Bytes(kMessageMax + 1), entropy).has_value());
  const Bytes message(kMessageMax + 1);
  Bytes sealed(message.size() + crypto_box_SEALBYTES);
  REQUIRE(crypto_box_seal(sealed.data(), message.data(), message.size(), recipient.public_key().data()) == 0);
  CHECK_FALSE(crypto::open(recipient, sealed).has_value());
}

TEST_CASE("the format is libsodium's sealed box, both ways", "[sealed_box]") {
  CountingEntropy entropy;
  const EcdhKeyPair recipient = EcdhKeyPair::generate(entropy);
  const Bytes message{1, 2, 3, 4, 5};
  const auto ours = crypto::seal(recipient.public_key(), message, entropy);
  REQUIRE(ours.has_value());
  Bytes opened(message.size());
  CHECK(crypto_box_seal_open(opened.data(), ours->data(), ours->size(), recipient.public_key().data(),
                             recipient.secret().view().data()) == 0);
  CHECK(opened == message);
  Bytes theirs(message.size() + crypto_box_SEALBYTES);
  REQUIRE(crypto_box_seal(theirs.data(), message.data(), message.size(), recipient.public_key().data()) == 0);
  CHECK(crypto::open(recipient, theirs) == message);
}

TEST_CASE("a box that was changed, cut or made for another key does not open", "[sealed_box]") {
  CountingEntropy entropy;
  const EcdhKeyPair recipient = EcdhKeyPair::generate(entropy);
  const EcdhKeyPair other = EcdhKeyPair::generate(entropy);
  auto sealed = crypto::seal(recipient.public_key(), Bytes{1, 2, 3}, entropy);
  REQUIRE(sealed.has_value());
  CHECK_FALSE(crypto::open(other, *sealed).has_value());
  for (std::size_t size = 0; size < sealed->size(); ++size)
    REQUIRE_FALSE(crypto::open(recipient, ByteView(*sealed).first(size)).has_value());
  for (std::uint8_t& b : *sealed) {
    b ^= 1;
    REQUIRE_FALSE(crypto::open(recipient, *sealed).has_value());
    b ^= 1;
  }
}

TEST_CASE("nothing is sealed to a key of low order", "[sealed_box]") {
  CountingEntropy entropy;
  CHECK_FALSE(crypto::seal(std::array<std::uint8_t, 32>{}, Bytes{1}, entropy).has_value());
}

TEST_CASE("each box has its own ephemeral key", "[sealed_box]") {
  CountingEntropy entropy;
  const EcdhKeyPair recipient = EcdhKeyPair::generate(entropy);
  CHECK(crypto::seal(recipient.public_key(), Bytes{1}, entropy) !=
        crypto::seal(recipient.public_key(), Bytes{1}, entropy));
}
