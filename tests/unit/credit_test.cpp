#include "core/peer/credit.h"

#include <catch2/catch.hpp>
#include <limits>

using namespace overlayd;
using namespace overlayd::peer;

TEST_CASE("nothing may be sent before the first grant", "[credit]") {
  OutboundCredit credit;
  CHECK_FALSE(credit.has_for(0));
  CHECK_FALSE(credit.grant({1, 100}).has_value());
  CHECK(credit.has_for(100));
  CHECK_FALSE(credit.has_for(101));
}

TEST_CASE("both axes must suffice", "[credit]") {
  OutboundCredit credit;
  REQUIRE_FALSE(credit.grant({2, 100}));
  credit.spend(60);
  CHECK(credit.has_for(40));
  CHECK_FALSE(credit.has_for(41));
  credit.spend(1);
  CHECK_FALSE(credit.has_for(1));  // bytes are left, messages are not
}

TEST_CASE("a grant of no bytes is invalid, one of no messages is not", "[credit]") {
  OutboundCredit credit;
  CHECK(credit.grant({5, 0}) == DropReason::kSendMoreInvalid);
  CHECK_FALSE(credit.grant({0, 5}));
  CHECK(credit.left() == Credit{0, 5});
}

TEST_CASE("a grant past 2^64 - 1 is refused and changes nothing", "[credit]") {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  OutboundCredit credit;
  REQUIRE_FALSE(credit.grant({10, kMax - 1}));
  CHECK_FALSE(credit.grant({0, 1}));
  CHECK(credit.grant({1, 1}) == DropReason::kCapacityOverflow);
  CHECK(credit.left() == Credit{10, kMax});
}

TEST_CASE("the peer may send 200 flood messages at once and not one more", "[credit]") {
  InboundCredit credit;
  for (int i = 0; i < 200; ++i) REQUIRE_FALSE(credit.lock(true, 100));
  CHECK(credit.lock(true, 100) == DropReason::kOverCapacity);
}

TEST_CASE("the peer may send 300,000 flood bytes at once and not one more", "[credit]") {
  InboundCredit credit;
  REQUIRE_FALSE(credit.lock(true, 299'999));
  CHECK(credit.lock(true, 2) == DropReason::kOverCapacity);
  CHECK_FALSE(credit.lock(true, 1));
}

TEST_CASE("messages that do not flood spend no flood credit", "[credit]") {
  InboundCredit credit;
  REQUIRE_FALSE(credit.lock(false, 1000));
  CHECK(credit.flood_left() == Credit{200, 300'000});
  CHECK_FALSE(credit.release(false, 1000));
}

TEST_CASE("credit returns after 40 messages", "[credit]") {
  InboundCredit credit;
  for (int i = 0; i < 39; ++i) {
    REQUIRE_FALSE(credit.lock(true, 10));
    REQUIRE_FALSE(credit.release(true, 10));
  }
  REQUIRE_FALSE(credit.lock(true, 10));
  CHECK(credit.release(true, 10) == Credit{40, 400});
  REQUIRE_FALSE(credit.lock(true, 10));
  CHECK_FALSE(credit.release(true, 10));  // both counts began anew
}

TEST_CASE("credit returns after 100,000 bytes", "[credit]") {
  InboundCredit credit;
  REQUIRE_FALSE(credit.lock(true, 99'999));
  REQUIRE_FALSE(credit.release(true, 99'999));
  REQUIRE_FALSE(credit.lock(true, 1));
  CHECK(credit.release(true, 1) == Credit{2, 100'000});
}

TEST_CASE("reading stops when 201 messages are unprocessed and resumes with one released", "[credit]") {
  InboundCredit credit;
  for (int i = 0; i < 201; ++i) {
    REQUIRE(credit.can_read());
    REQUIRE_FALSE(credit.lock(false, 1));
  }
  CHECK_FALSE(credit.can_read());
  REQUIRE_FALSE(credit.release(false, 1));
  CHECK(credit.can_read());
}

TEST_CASE("reading stops when 1 MiB beyond the floor is unprocessed", "[credit]") {
  InboundCredit credit;
  REQUIRE_FALSE(credit.lock(false, (1 << 20) - 1));
  CHECK(credit.can_read());
  REQUIRE_FALSE(credit.lock(false, 1));
  CHECK_FALSE(credit.can_read());
}

TEST_CASE("the largest message always fits what may be read", "[credit]") {
  InboundCredit credit;
  REQUIRE_FALSE(credit.lock(false, (1 << 20) - 1));
  REQUIRE(credit.can_read());
  CHECK_FALSE(credit.lock(false, limits::kMessageBytesMax));
}

TEST_CASE("the window grows with the maximal transaction", "[credit]") {
  InboundCredit credit;
  credit.grow(50'000);
  CHECK(credit.initial_grant() == Credit{200, 350'000});
  CHECK_FALSE(credit.lock(true, 350'000));
}

TEST_CASE("bytes granted at start leave room for a full-size transaction beside a batch", "[credit]") {
  CHECK(initial_flood_bytes(102'400) == 300'000);
  CHECK(initial_flood_bytes(200'000) == 300'000);
  CHECK(initial_flood_bytes(200'001) == 300'001);
}
