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

}  // namespace
}  // namespace overlayd::book
