#include "core/flood/signature_cache.h"

#include <catch2/catch.hpp>

namespace overlayd::flood {
namespace {

FloodHash hash(std::uint8_t number) {
  FloodHash made;
  made.bytes[0] = number;
  return made;
}

TEST_CASE("what was checked is known, right or wrong", "[signature_cache]") {
  SignatureCache cache;
  CHECK_FALSE(cache.find(hash(1)));
  cache.remember(hash(1), true);
  cache.remember(hash(2), false);
  CHECK(cache.find(hash(1)) == true);
  CHECK(cache.find(hash(2)) == false);
  CHECK_FALSE(cache.find(hash(3)));
}

TEST_CASE("one envelope over the limit pushes out the oldest", "[signature_cache]") {
  SignatureCache cache(3);
  for (std::uint8_t i = 1; i <= 3; ++i) cache.remember(hash(i), true);
  CHECK(cache.size() == 3);
  CHECK(cache.find(hash(1)) == true);
  cache.remember(hash(3), true);  // known: nothing goes
  CHECK(cache.find(hash(1)) == true);
  cache.remember(hash(4), true);
  CHECK(cache.size() == 3);
  CHECK_FALSE(cache.find(hash(1)));
  CHECK(cache.find(hash(2)) == true);
}

}  // namespace
}  // namespace overlayd::flood
