#include "core/book/ban_manager.h"

#include <catch2/catch.hpp>

namespace overlayd::book {
namespace {

NodeId node(std::uint8_t number) {
  NodeId made;
  made.bytes[0] = number;
  return made;
}

TEST_CASE("a banned node stays banned until it is unbanned", "[ban_manager]") {
  BanManager bans({});
  REQUIRE_FALSE(bans.is_banned(node(1)));
  REQUIRE(bans.ban(node(1)));
  REQUIRE(bans.ban(node(1)));
  REQUIRE(bans.is_banned(node(1)));
  REQUIRE_FALSE(bans.is_banned(node(2)));
  REQUIRE(bans.unban(node(1)));
  REQUIRE_FALSE(bans.unban(node(1)));
  REQUIRE_FALSE(bans.is_banned(node(1)));
}

TEST_CASE("the list is in ascending order", "[ban_manager]") {
  BanManager bans({});
  for (const std::uint8_t number : {3, 1, 2}) REQUIRE(bans.ban(node(number)));
  REQUIRE(bans.list() == std::vector{node(1), node(2), node(3)});
}

TEST_CASE("one ban over the limit is refused and lifts no other", "[ban_manager]") {
  BanManager bans({.bans_max = 2});
  REQUIRE(bans.ban(node(1)));
  REQUIRE(bans.ban(node(2)));
  REQUIRE_FALSE(bans.ban(node(3)));
  REQUIRE(bans.ban(node(1)));
  REQUIRE(bans.list() == std::vector{node(1), node(2)});
}

}  // namespace
}  // namespace overlayd::book
