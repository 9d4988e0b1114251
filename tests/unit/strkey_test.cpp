#include "core/crypto/strkey.h"

#include <catch2/catch.hpp>

#include "core/crypto/keys.h"

using namespace overlayd;
using crypto::decode_node_id;
using crypto::decode_seed;

namespace {

const std::string kZeroNode = "GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF";
const std::string kNode = "GDWFAKVITEJRLFS5KUXE6ALQFKQDDCKQ4BS6EJCTXDJRDEXXI4NZOIDM";
const std::string kSeed = "SAR4YKTKAZP5I3AMINLHK6YG43Q2DRYOTV63DAJNBDIEXQYSNMLWBJ6B";

}  // namespace

TEST_CASE("a node id is written as G and 55 characters", "[strkey]") {
  CHECK(crypto::encode_node_id(NodeId{}) == kZeroNode);
  const auto node = decode_node_id(kNode);
  REQUIRE(node.ok());
  CHECK(crypto::encode_node_id(node.value()) == kNode);
  CHECK(crypto::short_node_id(node.value()) == "GDWFA");
}

TEST_CASE("every key survives the way to text and back", "[strkey]") {
  NodeId node;
  for (int i = 0; i < 256; ++i) {
    for (std::size_t k = 0; k < 32; ++k) node.bytes[k] = static_cast<std::uint8_t>(node.bytes[k] * 31 + i + 7 * k);
    const std::string text = crypto::encode_node_id(node);
    REQUIRE(text.size() == crypto::kStrkeyLength);
    REQUIRE(text.front() == 'G');
    const auto decoded = decode_node_id(text);
    REQUIRE(decoded.ok());
    REQUIRE(decoded.value() == node);

    const crypto::Secret<32> seed(node.view());
    const std::string seed_text = crypto::encode_seed(seed);
    REQUIRE(seed_text.front() == 'S');
    const auto decoded_seed = decode_seed(seed_text);
    REQUIRE(decoded_seed.ok());
    REQUIRE(decoded_seed.value() == seed);
  }
}

TEST_CASE("text of any other length is refused", "[strkey]") {
  CHECK_FALSE(decode_node_id("").ok());
  CHECK_FALSE(decode_node_id(kNode.substr(0, 55)).ok());
  CHECK_FALSE(decode_node_id(kNode + "A").ok());
  CHECK_FALSE(decode_node_id(kNode + "=").ok());
  CHECK_FALSE(decode_node_id(' ' + kNode).ok());
  CHECK_FALSE(decode_node_id(kNode + '\n').ok());
  CHECK(decode_node_id(kNode.substr(0, 55)).error() == "a node id must have 56 characters, but has 55");
}

TEST_CASE("characters outside base32 are refused", "[strkey]") {
  for (const char c : std::string("0189abgz=-_ \n\0\x80\xff", 17)) {
    std::string text = kNode;
    text[20] = c;
    CHECK_FALSE(decode_node_id(text).ok());
  }
}

TEST_CASE("one wrong character anywhere is refused", "[strkey]") {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  for (std::size_t i = 0; i < kNode.size(); ++i)
    for (const char c : kDigits) {
      std::string text = kNode;
      if (text[i] == c) continue;
      text[i] = c;
      REQUIRE_FALSE(decode_node_id(text).ok());
    }
}

TEST_CASE("two swapped characters are refused", "[strkey]") {
  for (std::size_t i = 0; i + 1 < kNode.size(); ++i) {
    std::string text = kNode;
    std::swap(text[i], text[i + 1]);
    if (text != kNode) REQUIRE_FALSE(decode_node_id(text).ok());
  }
}

TEST_CASE("a seed is no node id and a node id no seed", "[strkey]") {
  CHECK_FALSE(decode_node_id(kSeed).ok());
  CHECK_FALSE(decode_seed(kNode).ok());
  CHECK(decode_seed(kNode).error() == "a seed must begin with S: this is the text of another kind of key");
  // Valid strkeys of other kinds: a muxed account's length, a pre-authorised transaction, a hash.
  CHECK_FALSE(decode_node_id("MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVAAAAAAAAAAAAAJLK").ok());
  CHECK_FALSE(decode_node_id("TA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUPUI").ok());
  CHECK_FALSE(decode_node_id("XA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVLRR").ok());
}

TEST_CASE("no refusal repeats any part of a seed", "[strkey]") {
  std::string wrong_character = kSeed;
  wrong_character[30] = '1';
  std::string wrong_checksum = kSeed;
  wrong_checksum.back() = 'A';
  for (const std::string& text :
       {kSeed + "A", kSeed.substr(1), wrong_character, wrong_checksum, 'G' + kSeed.substr(1)}) {
    for (const std::string& error :
         {decode_seed(text).error(), decode_node_id(text).error(), crypto::parse_seed(text + "\n").error()})
      for (std::size_t i = 0; i + 6 <= text.size(); ++i) REQUIRE(error.find(text.substr(i, 6)) == std::string::npos);
  }
}

TEST_CASE("a seed file holds one seed, with white space around it at most", "[strkey]") {
  const auto seed = decode_seed(kSeed);
  REQUIRE(seed.ok());
  for (const std::string& text : {kSeed, kSeed + "\n", kSeed + "\r\n", "\n \t" + kSeed + " \n\n"}) {
    const auto parsed = crypto::parse_seed(text);
    REQUIRE(parsed.ok());
    CHECK(parsed.value() == seed.value());
  }
  for (const std::string& text :
       {std::string(), std::string("\n"), kSeed + "\n" + kSeed, "# seed\n" + kSeed, kSeed + " # comment", kNode,
        "seed = \"" + kSeed + "\"", kSeed + std::string(1, '\0')})
    CHECK_FALSE(crypto::parse_seed(text).ok());
}

TEST_CASE("a secret is compared, cloned and moved, and leaves nothing behind", "[strkey]") {
  std::array<std::uint8_t, 4> bytes{1, 2, 3, 4};
  crypto::Secret<4> first{std::span<const std::uint8_t, 4>(bytes)};
  crypto::Secret<4> second = first.clone();
  CHECK(first == second);
  second.writable()[3] = 5;
  CHECK_FALSE(first == second);
  const crypto::Secret<4> third = std::move(first);
  CHECK(first.is_zero());  // NOLINT(bugprone-use-after-move): that it is wiped is the point
  CHECK(third.view()[3] == 4);
  CHECK_FALSE(std::is_copy_constructible_v<crypto::Secret<4>>);

  alignas(crypto::Secret<4>) std::array<std::uint8_t, sizeof(crypto::Secret<4>)> storage{};
  auto* placed = new (storage.data()) crypto::Secret<4>(std::span<const std::uint8_t, 4>(bytes));
  CHECK(storage[0] == 1);
  placed->~Secret();
  CHECK(storage == decltype(storage){});
}
