#include "core/book/address.h"

#include <catch2/catch.hpp>

namespace overlayd::book {
namespace {

PeerAddress parsed(const std::string& text) {
  CAPTURE(text);
  const auto address = parse_address(text);
  REQUIRE(address.ok());
  return address.value();
}

TEST_CASE("addresses are read and written in one form", "[address]") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"1.2.3.4:11625", "1.2.3.4:11625"},
      {"255.255.255.255:65535", "255.255.255.255:65535"},
      {"0.0.0.0:1", "0.0.0.0:1"},
      {"1.2.3.4", "1.2.3.4:11625"},
      {"[::1]:11625", "[::1]:11625"},
      {"[::1]", "[::1]:11625"},
      {"[::]:5", "[::]:5"},
      {"[2001:DB8:0:0:0:0:0:1]:5", "[2001:db8::1]:5"},
      {"[2001:db8::]:5", "[2001:db8::]:5"},
      {"[1:0:0:2:0:0:0:3]:5", "[1:0:0:2::3]:5"},
      {"[1:0:2:3:4:5:6:7]:5", "[1:0:2:3:4:5:6:7]:5"},
      {"[0:0:1:0:0:1:1:1]:5", "[::1:0:0:1:1:1]:5"},
      {"[64:ff9b::1.2.3.4]:5", "[64:ff9b::102:304]:5"},
      {"[::ffff:1.2.3.4]:5", "1.2.3.4:5"},
  };
  for (const auto& [text, canonical] : cases) {
    REQUIRE(to_string(parsed(text)) == canonical);
    REQUIRE(parsed(canonical) == parsed(text));
  }
  REQUIRE(ip_to_string(parsed("[2001:db8::1]:5")) == "2001:db8::1");
}

TEST_CASE("what is no address is refused with a sentence that names it", "[address]") {
  for (const std::string text : {"",
                                 ":",
                                 ":11625",
                                 "1.2.3:5",
                                 "1.2.3.4.5:5",
                                 "1.2.3.256:5",
                                 "1.2.3.04:5",
                                 "1.2.3.:5",
                                 "1..2.3:5",
                                 "a.b.c.d:5",
                                 "core.example.com:11625",
                                 "1.2.3.4:0",
                                 "1.2.3.4:65536",
                                 "1.2.3.4:",
                                 "1.2.3.4:+5",
                                 "1.2.3.4:5 ",
                                 " 1.2.3.4:5",
                                 "1.2.3.4:123456",
                                 "[::1",
                                 "[::1]5",
                                 "[::1]:",
                                 "[]:5",
                                 "[:]:5",
                                 "[:::]:5",
                                 "[1::2::3]:5",
                                 "[1:2:3:4:5:6:7]:5",
                                 "[1:2:3:4:5:6:7:8:9]:5",
                                 "[1:2:3:4::5:6:7:8]:5",
                                 "[12345::]:5",
                                 "[g::]:5",
                                 "[fe80::1%eth0]:5",
                                 "[1:]:5",
                                 "[:1]:5",
                                 "[1.2.3.4]:5",
                                 "[1:2:3:4:5:6:7:1.2.3.4]:5",
                                 "::1",
                                 "[::1.2.3]:5"}) {
    CAPTURE(text);
    const auto address = parse_address(text);
    REQUIRE_FALSE(address.ok());
    REQUIRE(address.error().find("'" + text + "'") != std::string::npos);
  }
  REQUIRE(parse_address(std::string(100'000, 'x')).error().size() < 200);
}

TEST_CASE("private networks end where they end", "[address]") {
  for (const std::string ip : {"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0",
                               "192.168.255.255", "100.64.0.0", "100.127.255.255", "[fc00::1]", "[fdff::1]"}) {
    CAPTURE(ip);
    REQUIRE(is_private(parsed(ip)));
    REQUIRE_FALSE(is_shareable(parsed(ip), false));
  }
  for (const std::string ip : {"9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255",
                               "192.169.0.0", "100.63.255.255", "100.128.0.0"}) {
    CAPTURE(ip);
    REQUIRE_FALSE(is_private(parsed(ip)));
    REQUIRE(is_shareable(parsed(ip), false));
  }
}

TEST_CASE("loopback and link-local addresses are known in both families", "[address]") {
  REQUIRE(is_loopback(parsed("127.0.0.1")));
  REQUIRE(is_loopback(parsed("127.255.0.1")));
  REQUIRE(is_loopback(parsed("[::1]")));
  REQUIRE_FALSE(is_loopback(parsed("128.0.0.1")));
  REQUIRE_FALSE(is_loopback(parsed("[::2]")));
  REQUIRE(is_link_local(parsed("169.254.1.1")));
  REQUIRE(is_link_local(parsed("[fe80::1]")));
  REQUIRE_FALSE(is_link_local(parsed("169.253.1.1")));
}

TEST_CASE("only reachable IPv4 addresses are shareable, private ones if allowed", "[address]") {
  REQUIRE(is_shareable(parsed("1.2.3.4:5"), false));
  REQUIRE_FALSE(is_shareable(parsed("127.0.0.1:5"), false));
  REQUIRE_FALSE(is_shareable(parsed("169.254.0.1:5"), false));
  for (const bool is_private_allowed : {false, true}) {
    for (const std::string ip : {"0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "[2001:db8::1]", "[::]"}) {
      CAPTURE(ip);
      REQUIRE_FALSE(is_shareable(parsed(ip), is_private_allowed));
    }
    REQUIRE_FALSE(is_shareable(PeerAddress::from_v4({1, 2, 3, 4}, 0), is_private_allowed));
  }
  REQUIRE(is_shareable(parsed("127.0.0.1:5"), true));
  REQUIRE(is_shareable(parsed("10.0.0.1:5"), true));
}

Subnet range(const std::string& text) {
  CAPTURE(text);
  const auto subnet = parse_subnet(text);
  REQUIRE(subnet.ok());
  return subnet.value();
}

TEST_CASE("ranges are read and written in one form", "[address]") {
  struct Case {
    std::string text;
    std::string canonical;
    int prefix;
  };
  for (const auto& [text, canonical, prefix] : std::vector<Case>{
           {"0.0.0.0/0", "0.0.0.0/0", 96},
           {"10.0.0.0/8", "10.0.0.0/8", 104},
           {"192.0.2.0/24", "192.0.2.0/24", 120},
           {"192.0.2.128/25", "192.0.2.128/25", 121},
           {"192.0.2.1/32", "192.0.2.1", 128},
           {"192.0.2.1", "192.0.2.1", 128},
           {"0.0.0.0", "0.0.0.0", 128},
           {"::/0", "::/0", 0},
           {"[::]/0", "::/0", 0},
           {"8000::/1", "8000::/1", 1},
           {"2001:db8::/32", "2001:db8::/32", 32},
           {"[2001:db8::]/32", "2001:db8::/32", 32},
           {"2001:DB8:0:0::/64", "2001:db8::/64", 64},
           {"2001:db8::1/128", "2001:db8::1", 128},
           {"[2001:db8::1]/128", "2001:db8::1", 128},
           {"2001:db8::1", "2001:db8::1", 128},
           {"[2001:db8::1]", "2001:db8::1", 128},
           {"::1", "::1", 128},
           {"::/95", "::/95", 95},
           {"::/96", "::/96", 96},
           {"::fffe:0:0/95", "::fffe:0:0/95", 95},
       }) {
    CAPTURE(text);
    const Subnet subnet = range(text);
    CHECK(subnet.prefix == prefix);
    const std::string written = to_string(subnet);
    CHECK(range(written) == subnet);
    std::string bare = written;  // the brackets may be written or not
    std::erase_if(bare, [](char c) { return c == '[' || c == ']'; });
    CHECK(bare == canonical);
  }
}

TEST_CASE("a range of mapped addresses is the IPv4 range", "[address]") {
  CHECK(range("::ffff:192.0.2.0/120") == range("192.0.2.0/24"));
  CHECK(range("::ffff:0:0/96") == range("0.0.0.0/0"));
  CHECK(to_string(range("::ffff:192.0.2.1")) == "192.0.2.1");
  // One bit less is no IPv4 range any more, and has to be written as what it is.
  CHECK(range(to_string(range("::fffe:0:0/95"))) == range("::fffe:0:0/95"));
  CHECK(to_string(range("::fffe:0:0/95")).find('.') == std::string::npos);
}

TEST_CASE("every range of an address is read as it is written", "[address]") {
  for (const std::string text : {"203.0.113.255", "[2001:db8:a5a5:5a5a:1234:5678:9abc:def1]",
                                 "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]", "[::ffff:0:1]", "[::1]"}) {
    const PeerAddress address = parsed(text);
    for (int prefix = 0; prefix <= 128; ++prefix) {
      const Subnet subnet = Subnet::around(address, static_cast<std::uint8_t>(prefix));
      CAPTURE(text, prefix, to_string(subnet));
      const auto read = parse_subnet(to_string(subnet));
      REQUIRE(read.ok());
      REQUIRE(read.value() == subnet);
    }
  }
}

TEST_CASE("what is no range is refused with a sentence that names it", "[address]") {
  for (const std::string text : {"",
                                 "/",
                                 "/24",
                                 "192.0.2.0/",
                                 "192.0.2.0/33",
                                 "192.0.2.0/128",
                                 "192.0.2.0/256",
                                 "192.0.2.0/-1",
                                 "192.0.2.0/+24",
                                 "192.0.2.0/ 24",
                                 "192.0.2.0/24 ",
                                 " 192.0.2.0/24",
                                 "192.0.2.0/2x",
                                 "192.0.2.0/24/24",
                                 "192.0.2.0//24",
                                 "192.0.2.0/4294967320",
                                 "192.0.2.0/18446744073709551640",
                                 "192.0.2.0/255.255.255.0",
                                 "192.0.2.1/24",
                                 "192.0.2.1/0",
                                 "192.0.2.128/24",
                                 "0.0.0.1/31",
                                 "192.0.2/24",
                                 "192.0.2.256/32",
                                 "192.0.2.04",
                                 "192.0.2.1:11625",
                                 "192.0.2.0:11625/24",
                                 "[192.0.2.0]/24",
                                 "example.com",
                                 "example.com/24",
                                 "2001:db8::/129",
                                 "2001:db8::1/32",
                                 "2001:db8::/28",
                                 "[2001:db8::1]/127",
                                 "::1/0",
                                 "::ffff:0:0/95",
                                 "[2001:db8::/32",
                                 "2001:db8::]/32",
                                 "[2001:db8::/32]",
                                 "[2001:db8::]:11625/32",
                                 "[2001:db8::1]:11625",
                                 "[]/32",
                                 "[]",
                                 "[[::1]]",
                                 "fe80::1%eth0",
                                 "1::2::3/128",
                                 "12345::/32",
                                 "*",
                                 "all"}) {
    CAPTURE(text);
    const auto subnet = parse_subnet(text);
    REQUIRE_FALSE(subnet.ok());
    CHECK(subnet.error().find("'" + text + "'") != std::string::npos);
  }
  CHECK(parse_subnet(std::string("192.0.2.0/24\0", 13)).ok() == false);
  CHECK(parse_subnet(std::string(100'000, '1')).error().size() < 200);
}

TEST_CASE("a group is an IPv4 /16 or an IPv6 /32", "[address]") {
  CHECK(to_string(group_of(parsed("203.5.113.9:5"))) == "203.5.0.0:0");
  CHECK(group_of(parsed("203.5.0.1:1")) == group_of(parsed("203.5.255.255:65535")));
  CHECK_FALSE(group_of(parsed("203.5.0.1:1")) == group_of(parsed("203.4.0.1:1")));
  CHECK_FALSE(group_of(parsed("203.5.0.1:1")) == group_of(parsed("202.5.0.1:1")));
  CHECK(group_of(parsed("[2001:db8:1::1]:1")) == group_of(parsed("[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:2")));
  CHECK_FALSE(group_of(parsed("[2001:db8::1]:1")) == group_of(parsed("[2001:db9::1]:1")));
  CHECK_FALSE(group_of(parsed("[2001:db8::1]:1")) == group_of(parsed("[2001:cb8::1]:1")));
  CHECK(to_string(group_of(parsed("[2001:db8:1::1]:1"))) == "[2001:db8::]:0");
}

TEST_CASE("what a test network uses is a group of its own, port included", "[address]") {
  for (const std::string ip : {"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.1.1",
                               "[::1]", "[fe80::1]", "[fd00::1]"}) {
    CAPTURE(ip);
    CHECK(is_local(parsed(ip)));
    CHECK(group_of(parsed(ip + ":5")) == parsed(ip + ":5"));
    CHECK_FALSE(group_of(parsed(ip + ":5")) == group_of(parsed(ip + ":6")));
  }
  CHECK_FALSE(group_of(parsed("10.1.2.3:5")) == group_of(parsed("10.1.2.4:5")));
}

TEST_CASE("what the whole internet can reach is not local", "[address]") {
  for (const std::string ip : {"8.8.8.8", "203.5.113.9", "128.0.0.1", "11.0.0.1", "172.32.0.1", "100.128.0.1",
                               "169.253.255.255", "[2001:db8::1]", "[::2]", "[fec0::1]", "[fe00::1]"}) {
    CAPTURE(ip);
    CHECK_FALSE(is_local(parsed(ip)));
  }
}

}  // namespace
}  // namespace overlayd::book
