#include "core/crypto/mac.h"

#include <sodium.h>

#include <catch2/catch.hpp>

using namespace overlayd;
using crypto::MacKey;

namespace {

struct Vector {
  Bytes key;
  Bytes data;
  std::string_view mac;
};

Bytes text(std::string_view s) { return {s.begin(), s.end()}; }

// RFC 4231, sections 4.2 to 4.8 (4.6 is cut to 16 bytes there).
std::vector<Vector> rfc_4231() {
  Bytes counting(25);
  for (std::size_t i = 0; i < counting.size(); ++i) counting[i] = static_cast<std::uint8_t>(i + 1);
  return {
      {Bytes(20, 0x0b), text("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {text("Jefe"), text("what do ya want for nothing?"),
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {Bytes(20, 0xaa), Bytes(50, 0xdd), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {counting, Bytes(50, 0xcd), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {Bytes(20, 0x0c), text("Test With Truncation"), "a3b6167473100ee06e0c796c2955552b"},
      {Bytes(131, 0xaa), text("Test Using Larger Than Block-Size Key - Hash Key First"),
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {Bytes(131, 0xaa),
       text("This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
            "hashed before being used by the HMAC algorithm."),
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
}

}  // namespace

TEST_CASE("HMAC-SHA256 gives the values of RFC 4231", "[mac]") {
  for (const Vector& vector : rfc_4231()) {
    const MacKey key(vector.key);
    CHECK(to_hex(key.mac({vector.data})).substr(0, vector.mac.size()) == vector.mac);
  }
}

TEST_CASE("HMAC-SHA256 equals libsodium's for every length", "[mac]") {
  std::array<std::uint8_t, 32> secret;
  for (std::size_t i = 0; i < secret.size(); ++i) secret[i] = static_cast<std::uint8_t>(3 * i + 1);
  const MacKey key(secret);
  Bytes data;
  for (std::size_t length = 0; length < 400; ++length) {
    crypto::Hash256 expected;
    crypto_auth_hmacsha256(expected.data(), data.data(), data.size(), secret.data());
    REQUIRE(key.mac({data}) == expected);
    data.push_back(static_cast<std::uint8_t>(length));
  }
}

TEST_CASE("parts are taken as one string", "[mac]") {
  const MacKey key(Bytes(32, 7));
  const Bytes data(100, 9);
  const ByteView view(data);
  CHECK(key.mac({view.first(8), {}, view.subspan(8)}) == key.mac({view}));
}

TEST_CASE("verify accepts the MAC and nothing that differs in a bit or in length", "[mac]") {
  const MacKey key(Bytes(32, 7));
  const Bytes data(100, 9);
  crypto::Hash256 mac = key.mac({data});
  CHECK(key.verify({data}, mac));
  CHECK_FALSE(key.verify({data}, ByteView(mac).first(31)));
  CHECK_FALSE(key.verify({data}, {}));
  CHECK_FALSE(key.verify({ByteView(data).first(99)}, mac));
  for (std::size_t bit = 0; bit < 256; ++bit) {
    mac[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    REQUIRE_FALSE(key.verify({data}, mac));
    mac[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
  }
}

TEST_CASE("a key knows whether it was all zero", "[mac]") {
  CHECK(MacKey(Bytes(32, 0)).is_zero());
  Bytes last_bit(32, 0);
  last_bit.back() = 1;
  CHECK_FALSE(MacKey(last_bit).is_zero());
}

TEST_CASE("a moved key works on and leaves nothing behind", "[mac]") {
  const Bytes data(10, 1);
  MacKey from(Bytes(32, 7));
  const crypto::Hash256 expected = from.mac({data});
  MacKey to(std::move(from));
  CHECK(to.mac({data}) == expected);
  CHECK(from.mac({data}) != expected);  // NOLINT(bugprone-use-after-move): that it is wiped is the point
  MacKey third(Bytes(32, 8));
  third = std::move(to);
  CHECK(third.mac({data}) == expected);
  CHECK(to.mac({data}) != expected);  // NOLINT(bugprone-use-after-move)
}
