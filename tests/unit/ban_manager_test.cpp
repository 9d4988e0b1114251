#include "core/book/ban_manager.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "core/random.h"

namespace overlayd::book {
namespace {

constexpr UnixTime kMade{1'700'000'000};

UnixTime at(std::uint64_t second) { return {kMade.seconds + second}; }
Instant instant(int second) { return Instant(seconds(1'000 + second)); }
Now now(int second) { return {instant(second), at(static_cast<std::uint64_t>(second))}; }

NodeId node(std::uint8_t number) {
  NodeId made;
  made.bytes[0] = number;
  return made;
}
PeerAddress address(std::array<std::uint8_t, 4> ip, std::uint16_t port = 11625) {
  return PeerAddress::from_v4(ip, port);
}
Subnet v4(std::array<std::uint8_t, 4> ip, std::uint8_t prefix) {
  return Subnet::around(address(ip), static_cast<std::uint8_t>(96 + prefix));
}
PeerAddress v6(std::array<std::uint8_t, 16> ip) { return {ip, 11625}; }
BanTerms lasting(std::uint64_t how_long) { return {"", "", std::chrono::seconds(how_long)}; }

struct Bans {
  BookMetrics metrics;
  BanManager bans;
  Outputs out;
  explicit Bans(const BanManagerOptions& options = {}) : bans(options, metrics) {}

  const Ban* ban(const BanSubject& subject, const BanTerms& terms = {}, UnixTime when = kMade) {
    const Ban* made = bans.ban(subject, terms, when);
    bans.check_invariants();
    return made;
  }
  bool unban(const BanSubject& subject) {
    const bool was_banned = bans.unban(subject);
    bans.check_invariants();
    return was_banned;
  }
  void expire(const Now& when) {
    out.clear();
    bans.expire(when, out);
    bans.check_invariants();
  }
  void put_out_hits() {
    out.clear();
    bans.put_out_hits(out);
    bans.check_invariants();
  }
  std::vector<BanSubject> listed(UnixTime when = kMade) const {
    std::vector<BanSubject> subjects;
    for (const Ban& ban : bans.list(when)) subjects.push_back(ban.subject);
    return subjects;
  }
  template <typename T>
  std::vector<T> put_out() const {
    std::vector<T> found;
    for (const Output& output : out)
      if (const auto* value = std::get_if<T>(&output)) found.push_back(*value);
    return found;
  }
};

TEST_CASE("a banned node stays banned until it is unbanned", "[ban_manager]") {
  Bans t;
  REQUIRE(t.bans.find(node(1), kMade) == nullptr);
  REQUIRE(t.ban(node(1)) != nullptr);
  REQUIRE(t.bans.find(node(1), at(1'000'000'000)) != nullptr);
  REQUIRE(t.bans.find(node(2), kMade) == nullptr);
  REQUIRE(t.unban(node(1)));
  REQUIRE_FALSE(t.unban(node(1)));
  REQUIRE(t.bans.find(node(1), kMade) == nullptr);
  REQUIRE(t.bans.size() == 0);
}

TEST_CASE("a ban says who made it, why, when, and when it ends", "[ban_manager]") {
  Bans t;
  const Ban* made = t.ban(node(1), {"sends rubbish", "alice", std::chrono::seconds(60)}, at(5));
  REQUIRE(made != nullptr);
  const Ban expected{node(1), "sends rubbish", "alice", at(5), at(65), 0, std::nullopt};
  CHECK(*made == expected);
  CHECK(*t.bans.find(node(1), at(5)) == expected);
  const Ban* forever = t.ban(node(2));
  REQUIRE(forever != nullptr);
  CHECK(*forever == Ban{node(2), "", "", kMade, std::nullopt, 0, std::nullopt});
}

TEST_CASE("a zero node is nobody that could be known, whoever is banned", "[ban_manager]") {
  Bans t;
  t.ban(NodeId{});
  CHECK(t.bans.find(NodeId{}, kMade) == nullptr);
  t.bans.cool_down(NodeId{}, instant(10));
  CHECK(t.bans.cools_down_for(NodeId{}, instant(0)) == Duration{0});
}

TEST_CASE("a range keeps out every address in it, whatever the port", "[ban_manager]") {
  Bans t;
  t.ban(v4({192, 0, 2, 0}, 24));
  for (const std::uint16_t port : {0, 1, 11625, 65535}) {
    CHECK(t.bans.find(address({192, 0, 2, 0}, port), kMade) != nullptr);
    CHECK(t.bans.find(address({192, 0, 2, 255}, port), kMade) != nullptr);
    CHECK(t.bans.find(address({192, 0, 1, 255}, port), kMade) == nullptr);
    CHECK(t.bans.find(address({192, 0, 3, 0}, port), kMade) == nullptr);
  }
  CHECK(t.bans.find(address({192, 0, 2, 9}), kMade)->subject == BanSubject(v4({192, 0, 2, 0}, 24)));
}

TEST_CASE("ranges of every length keep out what is in them and nothing beside it", "[ban_manager]") {
  const PeerAddress inside = v6({0x20, 0x01, 0x0d, 0xb8, 0x5a, 0xa5, 0x5a, 0xa5, 1, 2, 3, 4, 5, 6, 7, 8});
  for (int prefix = 0; prefix <= 128; ++prefix) {
    CAPTURE(prefix);
    Bans t;
    t.ban(Subnet::around(inside, static_cast<std::uint8_t>(prefix)));
    CHECK(t.bans.find(inside, kMade) != nullptr);
    for (int bit = 0; bit < 128; ++bit) {
      PeerAddress other = inside;
      other.ip[static_cast<std::size_t>(bit / 8)] ^= static_cast<std::uint8_t>(0x80 >> (bit % 8));
      REQUIRE((t.bans.find(other, kMade) != nullptr) == (bit >= prefix));
    }
  }
}

TEST_CASE("a range of all IPv4 does not keep out IPv6, one of everything does", "[ban_manager]") {
  Bans t;
  const PeerAddress other = v6({0x20, 0x01, 0x0d, 0xb8});
  t.ban(v4({0, 0, 0, 0}, 0));
  CHECK(t.bans.find(address({1, 2, 3, 4}), kMade) != nullptr);
  CHECK(t.bans.find(other, kMade) == nullptr);
  t.ban(Subnet{{}, 0});
  CHECK(t.bans.find(other, kMade) != nullptr);
}

TEST_CASE("of overlapping ranges one that has ended or was lifted leaves the others", "[ban_manager]") {
  Bans t;
  const PeerAddress caught = address({192, 0, 2, 9});
  t.ban(v4({192, 0, 2, 9}, 32), lasting(10));
  t.ban(v4({192, 0, 2, 0}, 24));
  t.ban(v4({192, 0, 0, 0}, 16), lasting(20));
  CHECK(t.bans.find(caught, at(9)) != nullptr);
  REQUIRE(t.bans.find(caught, at(10)) != nullptr);
  REQUIRE(t.unban(v4({192, 0, 2, 0}, 24)));
  REQUIRE(t.bans.find(caught, at(19)) != nullptr);
  CHECK(t.bans.find(caught, at(19))->subject == BanSubject(v4({192, 0, 0, 0}, 16)));
  CHECK(t.bans.find(caught, at(20)) == nullptr);
}

TEST_CASE("lifting one of two ranges of one length leaves the other", "[ban_manager]") {
  Bans t;
  t.ban(v4({192, 0, 2, 0}, 24));
  t.ban(v4({198, 51, 100, 0}, 24));
  REQUIRE(t.unban(v4({192, 0, 2, 0}, 24)));
  CHECK(t.bans.find(address({192, 0, 2, 1}), kMade) == nullptr);
  CHECK(t.bans.find(address({198, 51, 100, 1}), kMade) != nullptr);
}

TEST_CASE("a ban is lifted by exactly its subject", "[ban_manager]") {
  Bans t;
  t.ban(v4({192, 0, 2, 0}, 24));
  CHECK_FALSE(t.unban(v4({192, 0, 2, 0}, 25)));
  CHECK_FALSE(t.unban(v4({192, 0, 0, 0}, 16)));
  CHECK_FALSE(t.unban(v4({192, 0, 2, 1}, 32)));
  CHECK(t.bans.find(address({192, 0, 2, 1}), kMade) != nullptr);
  CHECK(t.unban(v4({192, 0, 2, 0}, 24)));
}

TEST_CASE("a further ban of a subject replaces its terms and keeps its hits", "[ban_manager]") {
  Bans t;
  t.ban(node(1), {"first", "alice", std::chrono::seconds(100)});
  t.bans.hit(node(1), at(3));
  t.bans.hit(node(1), at(4));
  const Ban* again = t.ban(node(1), {"second", "bob", std::nullopt}, at(50));
  REQUIRE(again != nullptr);
  CHECK(*again == Ban{node(1), "second", "bob", at(50), std::nullopt, 2, at(4)});
  CHECK(t.bans.size() == 1);
  const Ban* shorter = t.ban(node(1), lasting(5), at(60));
  REQUIRE(shorter != nullptr);
  CHECK(shorter->ends == at(65));
  CHECK(shorter->reason.empty());
  CHECK(t.bans.find(node(1), at(65)) == nullptr);
}

TEST_CASE("a ban of a range that is there already counts it once", "[ban_manager]") {
  Bans t;
  t.ban(v4({192, 0, 2, 0}, 24));
  t.ban(v4({192, 0, 2, 0}, 24));
  REQUIRE(t.unban(v4({192, 0, 2, 0}, 24)));
  CHECK(t.bans.find(address({192, 0, 2, 1}), kMade) == nullptr);
}

TEST_CASE("a ban holds no more in the very second of its end", "[ban_manager]") {
  Bans t;
  t.ban(node(1), lasting(60));
  t.ban(v4({192, 0, 2, 0}, 24), lasting(60));
  CHECK(t.bans.find(node(1), at(59)) != nullptr);
  CHECK(t.bans.find(node(1), at(60)) == nullptr);
  CHECK(t.bans.find(address({192, 0, 2, 1}), at(59)) != nullptr);
  CHECK(t.bans.find(address({192, 0, 2, 1}), at(60)) == nullptr);
  CHECK(t.listed(at(59)).size() == 2);
  CHECK(t.listed(at(60)).empty());
  CHECK(t.bans.size() == 2);
}

TEST_CASE("the longest ban there can be ends in the future", "[ban_manager]") {
  Bans t;
  const Ban* made = t.ban(node(1), {"", "", limits::kBanLastsMax});
  REQUIRE(made != nullptr);
  CHECK(made->ends == at(static_cast<std::uint64_t>(limits::kBanLastsMax.count())));
  CHECK(t.bans.find(node(1), at(3'000'000'000)) != nullptr);
}

TEST_CASE("what has ended is removed, and put out as ended", "[ban_manager]") {
  Bans t;
  t.ban(node(1), lasting(60));
  t.ban(node(2), lasting(61));
  t.ban(node(3));
  t.ban(v4({192, 0, 2, 0}, 24), lasting(60));
  t.expire(now(59));
  CHECK(t.out.empty());
  t.expire(now(60));
  const auto erased = t.put_out<EraseBan>();
  REQUIRE(erased.size() == 2);
  CHECK(t.out.size() == 2);
  for (const EraseBan& erase : erased) CHECK(erase.request == RequestId{});
  CHECK(std::ranges::count(erased, BanSubject(node(1)), &EraseBan::subject) == 1);
  CHECK(std::ranges::count(erased, BanSubject(v4({192, 0, 2, 0}, 24)), &EraseBan::subject) == 1);
  CHECK(t.bans.size() == 2);
  CHECK_FALSE(t.unban(node(1)));
  t.expire(now(60));
  CHECK(t.out.empty());
}

TEST_CASE("a ban that was renewed ends when the new one does", "[ban_manager]") {
  Bans t;
  t.ban(node(1), lasting(10));
  t.ban(node(1), lasting(20), at(5));
  t.expire(now(10));
  CHECK(t.out.empty());
  CHECK(t.bans.find(node(1), at(24)) != nullptr);
  t.expire(now(25));
  CHECK(t.put_out<EraseBan>().size() == 1);
}

TEST_CASE("one ban over the limit is refused and lifts no other", "[ban_manager]") {
  Bans t({.bans_max = 2});
  REQUIRE(t.ban(node(1)) != nullptr);
  REQUIRE(t.ban(v4({192, 0, 2, 0}, 24)) != nullptr);
  REQUIRE(t.ban(node(3)) == nullptr);
  REQUIRE(t.ban(v4({192, 0, 3, 0}, 24)) == nullptr);
  CHECK(t.bans.find(address({192, 0, 3, 1}), kMade) == nullptr);
  const Ban* again = t.ban(node(1), {"still", "", std::nullopt}, at(1));
  REQUIRE(again != nullptr);
  CHECK(again->reason == "still");
  CHECK(t.listed() == std::vector<BanSubject>{node(1), v4({192, 0, 2, 0}, 24)});
  REQUIRE(t.unban(node(1)));
  CHECK(t.ban(node(3)) != nullptr);
}

TEST_CASE("stored bans are loaded as they were, within the limit", "[ban_manager]") {
  Bans t({.bans_max = 2});
  const Ban range{v4({192, 0, 2, 0}, 24), "scans", "bob", at(1), at(100), 7, at(9)};
  const Ban one{node(1), "", "", at(2), std::nullopt, 0, std::nullopt};
  REQUIRE(t.bans.load(range));
  REQUIRE(t.bans.load(one));
  CHECK_FALSE(t.bans.load({node(2), "", "", at(2), std::nullopt, 0, std::nullopt}));
  t.bans.check_invariants();
  CHECK(t.bans.list(at(2)) == std::vector{one, range});
  CHECK(*t.bans.find(address({192, 0, 2, 77}), at(99)) == range);
  t.put_out_hits();
  CHECK(t.out.empty());
}

TEST_CASE("a stored ban that ended while we were down keeps nobody out and is removed", "[ban_manager]") {
  Bans t;
  REQUIRE(t.bans.load({node(1), "", "", kMade, at(10), 0, std::nullopt}));
  CHECK(t.bans.find(node(1), at(11)) == nullptr);
  t.expire(now(11));
  CHECK(t.put_out<EraseBan>().size() == 1);
  CHECK(t.bans.size() == 0);
}

TEST_CASE("the list has nodes first, then ranges, each ascending", "[ban_manager]") {
  Bans t;
  t.ban(v4({192, 0, 2, 0}, 24));
  t.ban(node(3));
  t.ban(v4({192, 0, 2, 0}, 25));
  t.ban(v4({10, 0, 0, 0}, 8));
  t.ban(node(1));
  t.ban(node(2), lasting(1));
  CHECK(t.listed(at(1)) == std::vector<BanSubject>{node(1), node(3), v4({10, 0, 0, 0}, 8), v4({192, 0, 2, 0}, 24),
                                                   v4({192, 0, 2, 0}, 25)});
}

TEST_CASE("all bans that keep a peer out are found, nodes first", "[ban_manager]") {
  Bans t;
  t.ban(v4({192, 0, 2, 0}, 24));
  t.ban(v4({192, 0, 0, 0}, 16), lasting(10));
  t.ban(v4({192, 1, 0, 0}, 16));
  t.ban(node(1));
  t.ban(node(2));
  const auto subjects = [&](const NodeId& of, const PeerAddress& from, UnixTime when) {
    std::vector<BanSubject> found;
    for (const Ban& ban : t.bans.matching(of, from, when)) found.push_back(ban.subject);
    return found;
  };
  const PeerAddress caught = address({192, 0, 2, 9});
  const auto both = subjects(node(1), caught, at(9));
  REQUIRE(both.size() == 3);
  CHECK(both[0] == BanSubject(node(1)));
  CHECK(std::ranges::count(both, BanSubject(v4({192, 0, 2, 0}, 24))) == 1);
  CHECK(std::ranges::count(both, BanSubject(v4({192, 0, 0, 0}, 16))) == 1);
  CHECK(subjects(node(1), caught, at(10)) == std::vector<BanSubject>{node(1), v4({192, 0, 2, 0}, 24)});
  CHECK(subjects(NodeId{}, caught, at(10)) == std::vector<BanSubject>{v4({192, 0, 2, 0}, 24)});
  CHECK(subjects(node(2), address({8, 8, 8, 8}), at(10)) == std::vector<BanSubject>{node(2)});
  CHECK(subjects(node(9), address({8, 8, 8, 8}), at(10)).empty());
}

TEST_CASE("hits are counted, and each ban is put out once for them", "[ban_manager]") {
  Bans t;
  t.ban(node(1), {"why", "who", std::nullopt});
  t.ban(v4({192, 0, 2, 0}, 24));
  t.ban(node(3));
  for (const int second : {1, 2, 3}) t.bans.hit(node(1), at(static_cast<std::uint64_t>(second)));
  t.bans.hit(v4({192, 0, 2, 0}, 24), at(9));
  CHECK(t.metrics.ban_hits == 4);
  CHECK(t.bans.find(node(1), kMade)->hits == 3);
  CHECK(t.bans.find(node(1), kMade)->last_hit == at(3));
  t.put_out_hits();
  const auto stored = t.put_out<StoreBan>();
  REQUIRE(stored.size() == 2);
  CHECK(t.out.size() == 2);
  const std::vector<Ban> bans = t.bans.list(kMade);
  for (const StoreBan& store : stored) {
    CHECK(store.request == RequestId{});
    CHECK(std::ranges::count(bans, store.ban) == 1);
  }
  CHECK(stored[0].ban.subject != stored[1].ban.subject);
  t.put_out_hits();
  CHECK(t.out.empty());
  t.bans.hit(node(1), at(10));
  t.put_out_hits();
  REQUIRE(t.put_out<StoreBan>().size() == 1);
  CHECK(t.put_out<StoreBan>()[0].ban.hits == 4);
}

TEST_CASE("hits of a ban that is gone are not put out", "[ban_manager]") {
  Bans t;
  t.ban(node(1));
  t.ban(node(2), lasting(10));
  t.bans.hit(node(1), at(1));
  t.bans.hit(node(2), at(1));
  REQUIRE(t.unban(node(1)));
  t.expire(now(10));
  t.put_out_hits();
  CHECK(t.out.empty());
  SECTION("nor do they come back with a new ban of the subject") {
    const Ban* made = t.ban(node(1), {}, at(20));
    REQUIRE(made != nullptr);
    CHECK(made->hits == 0);
    CHECK_FALSE(made->last_hit);
  }
}

TEST_CASE("a cool-down of a node ends", "[ban_manager]") {
  Bans t;
  CHECK(t.bans.cools_down_for(node(1), instant(0)) == Duration{0});
  t.bans.cool_down(node(1), instant(10));
  t.bans.check_invariants();
  CHECK(t.bans.cools_down_for(node(1), instant(0)) == seconds(10));
  CHECK(t.bans.cools_down_for(node(1), instant(9)) == seconds(1));
  CHECK(t.bans.cools_down_for(node(1), instant(10)) == Duration{0});
  CHECK(t.bans.cools_down_for(node(1), instant(11)) == Duration{0});
  CHECK(t.bans.cools_down_for(node(2), instant(0)) == Duration{0});
  CHECK(t.bans.find(node(1), at(0)) == nullptr);
}

TEST_CASE("a shorter cool-down does not end a longer one", "[ban_manager]") {
  Bans t;
  t.bans.cool_down(node(1), instant(10));
  t.bans.cool_down(node(1), instant(5));
  CHECK(t.bans.cools_down_for(node(1), instant(0)) == seconds(10));
  t.bans.cool_down(node(1), instant(20));
  CHECK(t.bans.cools_down_for(node(1), instant(0)) == seconds(20));
}

TEST_CASE("a cool-down of an address is of its port, or of all ports", "[ban_manager]") {
  Bans t;
  const std::array<std::uint8_t, 4> ip{192, 0, 2, 1};
  t.bans.cool_down(address(ip, 11625), instant(10));
  CHECK(t.bans.cools_down_for(address(ip, 11625), instant(0)) == seconds(10));
  CHECK(t.bans.cools_down_for(address(ip, 11626), instant(0)) == Duration{0});
  CHECK(t.bans.cools_down_for(address(ip, 0), instant(0)) == seconds(10));
  CHECK(t.bans.cools_down_for(address({192, 0, 2, 2}, 0), instant(0)) == Duration{0});
  CHECK(t.bans.cools_down_for(address({192, 0, 2, 0}, 0), instant(0)) == Duration{0});
  t.bans.cool_down(address(ip, 0), instant(4));
  t.bans.check_invariants();
  CHECK(t.bans.cools_down_for(address(ip, 11626), instant(0)) == seconds(4));
  CHECK(t.bans.cools_down_for(address(ip, 65535), instant(0)) == seconds(4));
  CHECK(t.bans.cools_down_for(address(ip, 11625), instant(0)) == seconds(10));
  CHECK(t.bans.cools_down_for(address({192, 0, 2, 2}, 11625), instant(0)) == Duration{0});
  t.bans.cool_down(address(ip, 60000), instant(3));
  CHECK(t.bans.cools_down_for(address(ip, 0), instant(0)) == seconds(10));
}

TEST_CASE("one cool-down over the limit takes the place of the one that ends first", "[ban_manager]") {
  Bans t({.cool_downs_max = 3});
  t.bans.cool_down(node(1), instant(30));
  t.bans.cool_down(node(2), instant(10));
  t.bans.cool_down(address({192, 0, 2, 1}), instant(20));
  SECTION("a new one") {
    t.bans.cool_down(node(4), instant(15));
    t.bans.check_invariants();
    CHECK(t.bans.cools_down_for(node(1), instant(0)) == seconds(30));
    CHECK(t.bans.cools_down_for(node(2), instant(0)) == Duration{0});
    CHECK(t.bans.cools_down_for(address({192, 0, 2, 1}), instant(0)) == seconds(20));
    CHECK(t.bans.cools_down_for(node(4), instant(0)) == seconds(15));
  }
  SECTION("not one that is there already") {
    t.bans.cool_down(node(1), instant(40));
    CHECK(t.bans.cools_down_for(node(2), instant(0)) == seconds(10));
  }
}

TEST_CASE("cool-downs that have ended are removed and make room", "[ban_manager]") {
  Bans t({.cool_downs_max = 2});
  t.bans.cool_down(node(1), instant(5));
  t.bans.cool_down(node(2), instant(50));
  t.expire(now(5));
  CHECK(t.out.empty());
  t.bans.cool_down(node(3), instant(7));
  CHECK(t.bans.cools_down_for(node(2), instant(5)) == seconds(45));
  CHECK(t.bans.cools_down_for(node(3), instant(5)) == seconds(2));
}

// The same in the dullest way: a list that is searched from its front.
struct NaiveBans {
  std::vector<Ban> bans;
  bool keeps_out(const PeerAddress& from, UnixTime when) const {
    return std::ranges::any_of(bans, [&](const Ban& ban) {
      const auto* range = std::get_if<Subnet>(&ban.subject);
      return range != nullptr && (!ban.ends || when < *ban.ends) && range->contains(from);
    });
  }
  void put(const BanSubject& subject, std::optional<UnixTime> ends) {
    std::erase_if(bans, [&](const Ban& ban) { return ban.subject == subject; });
    bans.push_back({subject, "", "", kMade, ends, 0, std::nullopt});
  }
  void expire(UnixTime when) {
    std::erase_if(bans, [&](const Ban& ban) { return ban.ends && *ban.ends <= when; });
  }
};

TEST_CASE("any order of bans, ends and liftings keeps out what a plain list would", "[ban_manager]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const auto any_address = [&] {
      return address({static_cast<std::uint8_t>(random.below(2)), static_cast<std::uint8_t>(random.below(2)), 0,
                      static_cast<std::uint8_t>(random.below(4))});
    };
    Bans t;
    NaiveBans naive;
    for (int second = 0; second < 300; ++second) {
      const Subnet range = Subnet::around(any_address(), static_cast<std::uint8_t>(96 + random.below(33)));
      switch (random.below(4)) {
        case 0:
        case 1: {
          const std::uint64_t lasts = 1 + random.below(40);
          t.bans.ban(range, lasting(lasts), at(static_cast<std::uint64_t>(second)));
          naive.put(range, at(static_cast<std::uint64_t>(second) + lasts));
          break;
        }
        case 2:
          CHECK(t.bans.unban(range) ==
                (std::erase_if(naive.bans, [&](const Ban& ban) { return ban.subject == BanSubject(range); }) != 0));
          break;
        default: t.expire(now(second)); naive.expire(at(static_cast<std::uint64_t>(second)));
      }
      t.bans.check_invariants();
      REQUIRE(t.bans.size() == naive.bans.size());
      for (int i = 0; i < 8; ++i) {
        const PeerAddress probe = any_address();
        const UnixTime when = at(static_cast<std::uint64_t>(second));
        REQUIRE((t.bans.find(probe, when) != nullptr) == naive.keeps_out(probe, when));
      }
    }
  }
}

}  // namespace
}  // namespace overlayd::book
