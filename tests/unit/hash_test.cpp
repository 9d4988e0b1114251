#include "core/crypto/hash.h"

#include <catch2/catch.hpp>

#include "core/crypto/keys.h"

using namespace overlayd;

namespace {
Bytes text(std::string_view s) { return {s.begin(), s.end()}; }
}  // namespace

TEST_CASE("SHA-256 gives the digests of FIPS 180-4's examples", "[hash]") {
  CHECK(to_hex(crypto::sha256({})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_hex(crypto::sha256(text("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_hex(crypto::sha256(Bytes(1'000'000, 'a'))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 in pieces equals SHA-256 in one", "[hash]") {
  Bytes bytes(300);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  const ByteView view(bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
    REQUIRE(crypto::Sha256().update(view.first(cut)).update({}).update(view.subspan(cut)).finish() ==
            crypto::sha256(view));
}

TEST_CASE("BLAKE2b-256 gives the digests of an independent implementation", "[hash]") {
  CHECK(to_hex(crypto::blake2b_256({})) == "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  CHECK(to_hex(crypto::blake2b_256(text("abc"))) == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

TEST_CASE("a network id is the SHA-256 of its passphrase", "[hash]") {
  CHECK(to_hex(crypto::network_id("Public Global Stellar Network ; September 2015").bytes) ==
        "7ac33997544e3175d266bd022439b22cdb16508c01163f26e5cb2a3e1045a979");
  CHECK(to_hex(crypto::network_id("Test SDF Network ; September 2015").bytes) ==
        "cee0302d59844d32bdca915c8203dd44b33fbb7edc19051ea37abedf28ecd472");
}
