#include "core/ids.h"

#include <catch2/catch.hpp>
#include <set>
#include <unordered_set>

#include "core/random.h"

using namespace overlayd;

namespace {
Bytes text(std::string_view s) { return {s.begin(), s.end()}; }
}  // namespace

TEST_CASE("ids of different kinds do not mix", "[ids]") {
  CHECK_FALSE(std::is_convertible_v<TxHash, TxFullHash>);
  CHECK_FALSE(std::is_convertible_v<NodeId, NetworkId>);
  CHECK_FALSE(std::is_constructible_v<PeerId, RequestId>);
}

TEST_CASE("an id is compared, ordered and hashed by its bytes", "[ids]") {
  NodeId low;
  NodeId high;
  high.bytes[0] = 1;
  CHECK(low.is_zero());
  CHECK_FALSE(high.is_zero());
  CHECK(low < high);
  CHECK(NodeId::from(high.view()) == high);
  std::unordered_set<NodeId> nodes;
  NodeId node;
  for (int i = 0; i < 256; ++i) {
    node.bytes[31] = static_cast<std::uint8_t>(i);
    nodes.insert(node);
    nodes.insert(node);
  }
  CHECK(nodes.size() == 256);
}

TEST_CASE("peer 0 is ourselves", "[ids]") {
  CHECK(PeerId{}.is_local());
  CHECK_FALSE(PeerId{1}.is_local());
}

TEST_CASE("an IPv4 address is held as its mapped IPv6 form", "[ids]") {
  const PeerAddress address = PeerAddress::from_v4({192, 0, 2, 7}, 11625);
  CHECK(to_hex(address.ip) == "00000000000000000000ffffc0000207");
  CHECK(address.port == 11625);
  CHECK(address.is_v4());
  CHECK(address.v4() == std::array<std::uint8_t, 4>{192, 0, 2, 7});
}

TEST_CASE("an IPv6 address is not IPv4, whichever byte of the prefix differs", "[ids]") {
  const PeerAddress mapped = PeerAddress::from_v4({192, 0, 2, 7}, 1);
  for (std::size_t i = 0; i < 12; ++i) {
    PeerAddress address = mapped;
    address.ip[i] ^= 1;
    CHECK_FALSE(address.is_v4());
  }
  CHECK_FALSE(PeerAddress{}.is_v4());
}

TEST_CASE("addresses differ by IP and by port", "[ids]") {
  const PeerAddress address = PeerAddress::from_v4({192, 0, 2, 7}, 11625);
  CHECK(address == PeerAddress::from_v4({192, 0, 2, 7}, 11625));
  CHECK(address != PeerAddress::from_v4({192, 0, 2, 8}, 11625));
  CHECK(address < PeerAddress::from_v4({192, 0, 2, 7}, 11626));
  CHECK(address < PeerAddress::from_v4({192, 0, 2, 8}, 1));
}

TEST_CASE("hexadecimal is lower case and read in either case", "[bytes]") {
  const Bytes bytes{0x00, 0x0f, 0xa5, 0xff};
  CHECK(to_hex(bytes) == "000fa5ff");
  CHECK(from_hex("000fa5ff") == bytes);
  CHECK(from_hex("000FA5fF") == bytes);
  CHECK(from_hex("") == Bytes{});
  for (const char* wrong : {"0", "000", "0g", "g0", " 00", "0x00", "00 ", "0\n"}) CHECK_FALSE(from_hex(wrong));
}

TEST_CASE("base64 gives the values of RFC 4648, section 10", "[bytes]") {
  const std::vector<std::pair<std::string_view, std::string_view>> vectors{{"", ""},
                                                                           {"f", "Zg=="},
                                                                           {"fo", "Zm8="},
                                                                           {"foo", "Zm9v"},
                                                                           {"foob", "Zm9vYg=="},
                                                                           {"fooba", "Zm9vYmE="},
                                                                           {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    CHECK(to_base64(text(plain)) == encoded);
    CHECK(from_base64(encoded) == text(plain));
  }
  CHECK(to_base64(Bytes{0xfb, 0xff, 0xfe}) == "+//+");
}

TEST_CASE("base64 of any length and content survives the way to text and back", "[bytes]") {
  Random random(3);
  for (std::size_t size = 0; size < 200; ++size) {
    Bytes bytes(size);
    for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(random.next());
    REQUIRE(from_base64(to_base64(bytes)) == bytes);
    REQUIRE(from_hex(to_hex(bytes)) == bytes);
  }
}

TEST_CASE("base64 that is not canonical is refused", "[bytes]") {
  for (const char* wrong : {
           "Z",         // length
           "Zg",        // no padding
           "Zg=",       // half the padding
           "Zm9vY===",  // three
           "====",      // nothing but padding
           "=Zg=",      // padding in front
           "Zg==Zg==",  // padding inside
           "Z=g=",      // padding between
           "Zh==",      // spare bits of one byte
           "Zm9=",      // spare bits of two bytes
           "Zm9v\n",    // white space
           " Zm9",      //
           "Zm-v",      // the URL alphabet
           "Zm_v",
       }) {
    INFO(wrong);
    CHECK_FALSE(from_base64(wrong).has_value());
  }
}

TEST_CASE("a seed gives the numbers of xoshiro256** seeded by SplitMix64", "[random]") {
  // Computed by an independent implementation.
  const std::vector<std::pair<std::uint64_t, std::vector<std::uint64_t>>> vectors{
      {0, {0x99ec5f36cb75f2b4, 0xbf6e1f784956452a, 0x1a5f849d4933e6e0, 0x6aa594f1262d2d2c}},
      {1, {0xb3f2af6d0fc710c5, 0x853b559647364cea, 0x92f89756082a4514, 0x642e1c7bc266a3a7}},
      {42, {0x15780b2e0c2ec716, 0x6104d9866d113a7e, 0xae17533239e499a1, 0xecb8ad4703b360a1}}};
  for (const auto& [seed, numbers] : vectors) {
    Random random(seed);
    for (const std::uint64_t number : numbers) CHECK(random.next() == number);
  }
}

TEST_CASE("bounds are kept and reached", "[random]") {
  Random random(5);
  std::array<int, 7> counts{};
  for (int i = 0; i < 7'000; ++i) ++counts.at(random.below(7));
  for (const int count : counts) {
    CHECK(count > 850);  // five standard deviations below 1,000
    CHECK(count < 1150);
  }
  CHECK(random.below(1) == 0);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(random.between(10, 12));
  CHECK(seen == std::set<std::uint64_t>{10, 11, 12});
  CHECK(random.between(9, 9) == 9);
  (void)random.between(0, ~0ULL);
  for (int i = 0; i < 1'000; ++i) {
    const double unit = random.unit();
    REQUIRE(unit >= 0.0);
    REQUIRE(unit < 1.0);
  }
}

TEST_CASE("a shuffle keeps the items and reaches every order", "[random]") {
  Random random(5);
  std::set<std::vector<int>> orders;
  for (int i = 0; i < 500; ++i) {
    std::vector<int> items{1, 2, 3, 4};
    random.shuffle(items);
    orders.insert(items);
  }
  CHECK(orders.size() == 24);
  std::vector<int> none;
  random.shuffle(none);
  CHECK(none.empty());
}

TEST_CASE("a range keeps the bits of its prefix and no others", "[ids]") {
  PeerAddress address;
  address.ip.fill(0xff);
  address.port = 5;
  CHECK(to_hex(Subnet::around(address, 0).ip) == std::string(32, '0'));
  CHECK(to_hex(Subnet::around(address, 1).ip) == "80" + std::string(30, '0'));
  CHECK(to_hex(Subnet::around(address, 7).ip) == "fe" + std::string(30, '0'));
  CHECK(to_hex(Subnet::around(address, 8).ip) == "ff" + std::string(30, '0'));
  CHECK(to_hex(Subnet::around(address, 9).ip) == "ff80" + std::string(28, '0'));
  CHECK(to_hex(Subnet::around(address, 95).ip) == std::string(22, 'f') + "fe" + std::string(8, '0'));
  CHECK(to_hex(Subnet::around(address, 127).ip) == std::string(31, 'f') + "e");
  CHECK(to_hex(Subnet::around(address, 128).ip) == std::string(32, 'f'));
  CHECK(Subnet::around(address, 95).prefix == 95);
}

TEST_CASE("a range contains what shares its bits, whatever the port", "[ids]") {
  const Subnet range = Subnet::around(PeerAddress::from_v4({192, 0, 2, 77}, 1), 96 + 24);
  CHECK(range == Subnet::around(PeerAddress::from_v4({192, 0, 2, 0}, 2), 96 + 24));
  CHECK(range.contains(PeerAddress::from_v4({192, 0, 2, 0}, 0)));
  CHECK(range.contains(PeerAddress::from_v4({192, 0, 2, 255}, 65535)));
  CHECK_FALSE(range.contains(PeerAddress::from_v4({192, 0, 3, 0}, 1)));
  CHECK_FALSE(range.contains(PeerAddress::from_v4({192, 0, 1, 255}, 1)));
  CHECK_FALSE(range.contains(PeerAddress{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1}, 1}));
  CHECK(Subnet{{}, 0}.contains(PeerAddress::from_v4({1, 2, 3, 4}, 5)));
  CHECK(Subnet{}.contains(PeerAddress{}));
  CHECK_FALSE(Subnet{}.contains(PeerAddress{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0}));
}

TEST_CASE("ranges are ordered by address, then the wider first", "[ids]") {
  const PeerAddress address = PeerAddress::from_v4({10, 0, 0, 0}, 0);
  CHECK(Subnet::around(address, 104) < Subnet::around(address, 105));
  CHECK(Subnet::around(address, 128) < Subnet::around(PeerAddress::from_v4({11, 0, 0, 0}, 0), 104));
}
