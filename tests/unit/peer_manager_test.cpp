#include <algorithm>

#include "tests/unit/peer_book_fixture.h"

namespace overlayd::book {
namespace {

TEST_CASE("the type follows what is observed", "[peer_manager]") {
  using enum PeerType;
  struct Case {
    PeerType before;
    Observation observed;
    PeerType after;
  };
  for (const Case& c :
       {Case{kInbound, {kPreferred, true}, kPreferred}, Case{kOutbound, {kPreferred, false}, kPreferred},
        Case{kInbound, {kOutbound, false}, kOutbound}, Case{kPreferred, {kOutbound, false}, kPreferred},
        Case{kPreferred, {kOutbound, true}, kOutbound}, Case{kInbound, {kInbound, true}, kInbound},
        Case{kOutbound, {kInbound, true}, kOutbound}, Case{kPreferred, {kInbound, false}, kOutbound}}) {
    Book t;
    REQUIRE(t.type_after(c.before, c.observed) == c.after);
  }
}

TEST_CASE("failures back off further and further, at most 10,240 s", "[peer_manager]") {
  Book t;
  std::uint64_t longest = 0;
  for (std::uint32_t n = 1; n <= 14; ++n) {
    t.book.update_back_off(address(1), BackOff::kIncrease, kNow, t.out);
    const PeerRecord found = *t.book.find(address(1));
    REQUIRE(found.failures == n);
    const std::uint64_t wait = found.next_attempt.seconds - kNow.seconds;
    REQUIRE(wait >= 1);
    REQUIRE(wait <= (std::uint64_t{1} << std::min(n, 10U)) * 10);
    longest = std::max(longest, wait);
  }
  REQUIRE(longest > 640);  // with this seed; a back-off that stopped doubling would not get there
}

TEST_CASE("success makes failures zero and waits 1 to 10 s; a hard reset does not wait", "[peer_manager]") {
  Book t;
  t.book.load(record(1, 7));
  for (int i = 0; i < 50; ++i) {
    t.book.update_back_off(address(1), BackOff::kReset, kNow, t.out);
    const std::uint64_t wait = t.book.find(address(1))->next_attempt.seconds - kNow.seconds;
    REQUIRE(t.book.find(address(1))->failures == 0);
    REQUIRE(wait >= 1);
    REQUIRE(wait <= 10);
  }
  t.book.load(record(2, 7, PeerType::kInbound, UnixTime{kNow.seconds + 500}));
  t.book.update(address(2), {PeerType::kPreferred, true}, BackOff::kHardReset, kNow, t.out);
  REQUIRE(t.book.find(address(2))->next_attempt == kNow);
  REQUIRE(t.book.find(address(2))->failures == 0);
  REQUIRE(t.book.find(address(2))->type == PeerType::kPreferred);
}

TEST_CASE("every change is put out once, loading is not", "[peer_manager]") {
  Book t;
  REQUIRE(t.book.load(record(1)));
  t.book.ensure_exists(address(1), kNow, t.out);
  REQUIRE(t.out.empty());
  t.book.ensure_exists(address(2), kNow, t.out);
  REQUIRE(t.out.size() == 1);
  const PeerRecord stored = std::get<StorePeer>(t.out[0]).record;
  REQUIRE(stored.address == address(2));
  REQUIRE(stored.type == PeerType::kInbound);
  REQUIRE(stored.next_attempt == kNow);
  t.book.update(address(2), {PeerType::kOutbound, false}, BackOff::kReset, kNow, t.out);
  REQUIRE(t.out.size() == 2);
}

TEST_CASE("a record is hopeless at 120 failures", "[peer_manager]") {
  Book t;
  t.book.load(record(1, 119));
  t.book.load(record(2, 120));
  t.book.load({address(2, 1000), kNow, 121, PeerType::kPreferred});
  t.book.load({address(2, 1001), kNow, 5, PeerType::kInbound});
  t.book.load(record(3, 121));
  t.book.forget_if_hopeless(address(2, 4), t.out);  // any port of the IP
  REQUIRE(t.out.size() == 2);
  REQUIRE(t.book.size() == 3);
  t.book.forget_if_hopeless(address(1), t.out);
  REQUIRE(t.book.size() == 3);
  t.out.clear();
  t.book.forget_hopeless(t.out);
  REQUIRE(t.out.size() == 1);
  REQUIRE(std::get<ErasePeer>(t.out[0]).address == address(3));
  t.book.check_invariants();
}

TEST_CASE("whom to dial: due, of the type, not hopeless, wanted, at most 50", "[peer_manager]") {
  Book t;
  t.book.load(record(1, 0, PeerType::kOutbound));
  t.book.load(record(2, 0, PeerType::kOutbound, UnixTime{kNow.seconds + 1}));
  t.book.load(record(3, 121, PeerType::kOutbound));
  t.book.load(record(4, 0, PeerType::kInbound));
  t.book.load(record(5, 120, PeerType::kOutbound));
  auto chosen = t.book.choose_to_dial(PeerType::kOutbound, 50, kNow, kAnyone);
  std::sort(chosen.begin(), chosen.end());
  REQUIRE(chosen == std::vector{address(1), address(5)});
  REQUIRE(t.book.choose_to_dial(PeerType::kOutbound, 50, kNow, [](const auto& a) { return a == address(5); }) ==
          std::vector{address(5)});
  REQUIRE(t.book.choose_to_dial(PeerType::kPreferred, 50, kNow, kAnyone).empty());
  for (std::uint32_t i = 100; i < 200; ++i) t.book.load(record(i));
  REQUIRE(t.book.choose_to_dial(PeerType::kInbound, 49, kNow, kAnyone).size() == 49);
  REQUIRE(t.book.choose_to_dial(PeerType::kInbound, 51, kNow, kAnyone).size() == 50);
}

TEST_CASE("whom to dial is drawn from all candidates, by the seed", "[peer_manager]") {
  std::set<PeerAddress> drawn;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Book t({}, seed);
    Book same({}, seed);
    for (std::uint32_t i = 0; i < 20; ++i) {
      t.book.load(record(i));
      same.book.load(record(19 - i));
    }
    const auto chosen = t.book.choose_to_dial(PeerType::kInbound, 2, kNow, kAnyone);
    REQUIRE(chosen == same.book.choose_to_dial(PeerType::kInbound, 2, kNow, kAnyone));
    REQUIRE(chosen[0] != chosen[1]);
    drawn.insert(chosen.begin(), chosen.end());
  }
  REQUIRE(drawn.size() == 20);
}

TEST_CASE("PEERS names shareable addresses with few failures, outbound ones first, never the recipient",
          "[peer_manager]") {
  Book t;
  for (std::uint32_t i = 0; i < 30; ++i) t.book.load(record(i, 0, PeerType::kOutbound));
  for (std::uint32_t i = 100; i < 130; ++i) t.book.load(record(i, 10));
  t.book.load(record(200, 11, PeerType::kOutbound));
  t.book.load({PeerAddress::from_v4({10, 0, 0, 1}, 5), kNow, 0, PeerType::kOutbound});
  t.book.load({PeerAddress::from_v4({127, 0, 0, 1}, 5), kNow, 0, PeerType::kOutbound});
  PeerAddress v6;
  v6.ip[0] = 0x20;
  v6.port = 5;
  t.book.load({v6, kNow, 0, PeerType::kPreferred});
  const auto sent = t.book.choose_to_send(address(7));
  REQUIRE(sent.size() == 50);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const std::uint32_t number = sent[i].v4()[3];
    REQUIRE(sent[i] == address(number));
    REQUIRE(number != 7);
    REQUIRE((i < 29) == (number < 30));
    REQUIRE(number != 200);
  }
}

TEST_CASE("what PEERS says is filtered and entered with no failures", "[peer_manager]") {
  Book t;
  t.book.load(record(1, 5, PeerType::kOutbound));
  wire::WirePeerAddress port_zero = named(address(2, 0));
  wire::WirePeerAddress port_large = named(address(3, 0));
  port_large.wire_port = 65'536;
  PeerAddress v6;
  v6.ip[0] = 0x20;
  v6.port = 5;
  const std::vector<wire::WirePeerAddress> peers{named(address(1)),
                                                 port_zero,
                                                 port_large,
                                                 named(v6),
                                                 named(PeerAddress::from_v4({192, 168, 1, 1}, 5)),
                                                 named(PeerAddress::from_v4({127, 0, 0, 1}, 5)),
                                                 named(address(9)),
                                                 named(address(4)),
                                                 named(address(4))};
  REQUIRE(t.book.on_peers(peers, address(500), {address(9)}, kNow, t.out) == 1);
  REQUIRE(t.book.find(address(4))->failures == 0);
  REQUIRE(t.book.find(address(1))->failures == 5);
  REQUIRE(t.book.size() == 2);
  REQUIRE(t.out.size() == 1);
  REQUIRE(t.metrics.addresses_received == 9);
  REQUIRE(t.metrics.addresses_refused == 6);
}

TEST_CASE("private addresses pass where they are allowed", "[peer_manager]") {
  Book t({.is_private_allowed = true});
  const PeerAddress loopback = PeerAddress::from_v4({127, 0, 0, 1}, 5);
  REQUIRE(t.book.on_peers(std::vector{named(loopback)}, address(500), {}, kNow, t.out) == 1);
  REQUIRE(t.book.choose_to_send(address(1)) == std::vector{loopback});
}

TEST_CASE("one record over the limit takes the place of the worst that is not preferred", "[peer_manager]") {
  Book t({.known_max = 3});
  t.book.load(record(1, 9, PeerType::kPreferred));
  t.book.load(record(2, 3, PeerType::kOutbound));
  REQUIRE(t.book.size() == 2);
  t.book.ensure_exists(address(3), kNow, t.out);
  REQUIRE(t.book.size() == 3);
  t.out.clear();
  t.book.ensure_exists(address(4), kNow, t.out);
  REQUIRE(t.book.size() == 3);
  REQUIRE(t.out.size() == 2);
  REQUIRE(std::get<ErasePeer>(t.out[0]).address == address(2));
  REQUIRE(std::get<StorePeer>(t.out[1]).record.address == address(4));
  REQUIRE(t.book.find(address(1)).has_value());
  t.book.check_invariants();
}

TEST_CASE("hearsay does not take the place of a record without failures", "[peer_manager]") {
  Book t({.known_max = 2});
  t.book.load(record(1));
  t.book.load(record(2, 1));
  REQUIRE(t.book.on_peers(std::vector{named(address(3))}, address(500), {}, kNow, t.out) == 1);
  REQUIRE_FALSE(t.book.find(address(2)).has_value());
  REQUIRE(t.book.on_peers(std::vector{named(address(4))}, address(500), {}, kNow, t.out) == 0);
  REQUIRE(t.metrics.addresses_refused == 1);
  t.book.ensure_exists(address(4), kNow, t.out);  // our own link does
  REQUIRE(t.book.find(address(4)).has_value());
}

TEST_CASE("a book of preferred peers takes no other", "[peer_manager]") {
  Book t({.known_max = 1});
  t.book.load(record(1, 0, PeerType::kPreferred));
  REQUIRE_FALSE(t.book.load(record(2)));
  t.book.update_back_off(address(3), BackOff::kIncrease, kNow, t.out);
  REQUIRE(t.out.empty());
  REQUIRE(t.book.list().size() == 1);
  t.book.check_invariants();
}

TEST_CASE("callers behind one IP fill at most their share, the oldest of it going first", "[peer_manager]") {
  Book t({.inbound_per_ip_max = 3});
  t.book.load(record(2));
  for (std::uint16_t port = 1; port <= 4; ++port) {
    t.book.update_type(address(1, port), {PeerType::kInbound, true}, kNow, t.out);
    REQUIRE(t.book.size() == 1 + std::min<std::size_t>(port, 3));
  }
  REQUIRE_FALSE(t.book.find(address(1, 1)));
  REQUIRE(t.book.find(address(1, 4)));
  REQUIRE(std::get<ErasePeer>(t.out[3]).address == address(1, 1));
  REQUIRE(std::get<StorePeer>(t.out[4]).record.address == address(1, 4));
  t.book.update_type(address(1, 4), {PeerType::kInbound, true}, kNow, t.out);  // known: no further one
  REQUIRE(t.book.size() == 4);
  REQUIRE(t.book.find(address(2)));
  t.book.check_invariants();
}

TEST_CASE("an IPv6 caller's share is that of its /64", "[peer_manager]") {
  Book t({.inbound_per_ip_max = 1});
  PeerAddress caller;
  caller.ip[0] = 0x20;
  caller.port = 5;
  PeerAddress neighbour = caller;
  neighbour.ip[15] = 1;
  PeerAddress other = caller;
  other.ip[7] = 1;
  for (const PeerAddress& each : {caller, neighbour, other}) {
    t.book.update_type(each, {PeerType::kInbound, true}, kNow, t.out);
  }
  REQUIRE(t.book.size() == 2);
  REQUIRE_FALSE(t.book.find(caller));
}

TEST_CASE("a caller's address that proved itself or is configured leaves the share and is not pushed out by it",
          "[peer_manager]") {
  Book t({.inbound_per_ip_max = 1});
  const auto call = [&](std::uint16_t port) {
    t.book.update_type(address(1, port), {PeerType::kInbound, true}, kNow, t.out);
    t.book.check_invariants();
  };
  call(1);
  t.book.update_type(address(1, 1), {PeerType::kOutbound, true}, kNow, t.out);
  call(2);
  t.book.update_back_off(address(1, 2), BackOff::kHardReset, kNow, t.out);
  call(3);
  call(4);
  REQUIRE(t.book.size() == 3);
  REQUIRE(t.book.find(address(1, 1)));
  REQUIRE(t.book.find(address(1, 2)));
  REQUIRE_FALSE(t.book.find(address(1, 3)));
}

TEST_CASE("loaded inbound records stay, and further callers do not make them more", "[peer_manager]") {
  Book t({.inbound_per_ip_max = 2});
  for (std::uint16_t port = 1; port <= 4; ++port) t.book.load({address(1, port), kNow, 0, PeerType::kInbound});
  REQUIRE(t.book.size() == 4);
  for (std::uint16_t port = 11; port <= 20; ++port) {
    t.book.update_type(address(1, port), {PeerType::kInbound, true}, kNow, t.out);
  }
  REQUIRE(t.book.size() == 4);
  t.book.check_invariants();
}

TEST_CASE("a full book gives no caller and no hearsay the place of what works or is ours", "[peer_manager]") {
  Book t({.known_max = 5});
  t.book.load(record(1));
  t.book.load(record(2, 50, PeerType::kOutbound));
  t.book.load(record(3, 50, PeerType::kPreferred));
  t.book.update_back_off(address(4), BackOff::kHardReset, kNow, t.out);
  t.book.update_back_off(address(4), BackOff::kIncrease, kNow, t.out);
  t.book.load(record(5, 1));
  const auto call = [&](std::uint32_t number) {
    t.book.update_type(address(number), {PeerType::kInbound, true}, kNow, t.out);
    t.book.check_invariants();
  };
  call(6);
  REQUIRE_FALSE(t.book.find(address(5)));
  REQUIRE(t.book.find(address(6)));
  REQUIRE(t.metrics.addresses_refused == 0);
  call(7);
  REQUIRE_FALSE(t.book.find(address(7)));
  REQUIRE(t.metrics.addresses_refused == 1);
  REQUIRE(t.book.on_peers(std::vector{named(address(8))}, address(500), {}, kNow, t.out) == 0);
  for (const std::uint32_t number : {1, 2, 3, 4, 6}) REQUIRE(t.book.find(address(number)));
  t.book.update_type(address(9), {PeerType::kOutbound, true}, kNow, t.out);  // our own link does
  REQUIRE(t.book.find(address(9)));
  REQUIRE_FALSE(t.book.find(address(2)));
}

TEST_CASE("a hundred callers with a hundred ports each leave the book as it was", "[peer_manager]") {
  Book t({.known_max = 300});
  for (std::uint32_t i = 0; i < 290; ++i) t.book.load(record(i, i % 3 == 0 ? 5 : 0, PeerType::kOutbound));
  for (std::uint32_t caller = 0; caller < 100; ++caller) {
    for (std::uint16_t port = 1; port <= 100; ++port) {
      t.book.update_type(address(1000 + caller, port), {PeerType::kInbound, true}, kNow, t.out);
    }
    t.book.check_invariants();
  }
  for (std::uint32_t i = 0; i < 290; ++i) REQUIRE(t.book.find(address(i)));
  REQUIRE(t.book.size() == 300);
}

TEST_CASE("what was our doing is no failure, and waits 5 to 30 s", "[peer_manager]") {
  Book t;
  std::uint64_t longest = 0;
  for (int i = 0; i < 200; ++i) {
    t.book.load(record(1, 7, PeerType::kOutbound));
    t.book.update_back_off(address(1), BackOff::kOurDoing, kNow, t.out);
    const PeerRecord found = *t.book.find(address(1));
    REQUIRE(found.failures == 7);
    REQUIRE(found.type == PeerType::kOutbound);
    const std::uint64_t wait = found.next_attempt.seconds - kNow.seconds;
    REQUIRE(wait >= 5);
    REQUIRE(wait <= 30);
    longest = std::max(longest, wait);
  }
  REQUIRE(longest > 20);  // with this seed
}

TEST_CASE("the second address of a peer that we have is no failure, and waits 60 to 120 s", "[peer_manager]") {
  Book t;
  t.book.load(record(1, 7));
  for (int i = 0; i < 200; ++i) {
    t.book.update_back_off(address(1), BackOff::kUnwanted, kNow, t.out);
    const PeerRecord found = *t.book.find(address(1));
    REQUIRE(found.failures == 7);
    REQUIRE(found.next_attempt >= UnixTime{kNow.seconds + 60});
    REQUIRE(found.next_attempt <= UnixTime{kNow.seconds + 120});
  }
}

TEST_CASE("a success that was none lets failures go on from where they were", "[peer_manager]") {
  Book t;
  t.book.load(record(1, 7));
  t.book.update_back_off(address(1), BackOff::kReset, kNow, t.out);
  t.book.undo_success(address(1), 7, kNow, t.out);
  const PeerRecord found = *t.book.find(address(1));
  REQUIRE(found.failures == 8);
  REQUIRE(found.next_attempt > kNow);
  REQUIRE(found.next_attempt <= UnixTime{kNow.seconds + 2560});
  t.book.check_invariants();
}

TEST_CASE("an address that is our own leaves the book", "[peer_manager]") {
  Book t;
  t.book.load(record(1));
  t.book.load(record(2));
  t.book.forget(address(1), t.out);
  t.book.check_invariants();
  REQUIRE_FALSE(t.book.find(address(1)));
  REQUIRE(t.book.find(address(2)));
  REQUIRE(t.out.size() == 1);
  REQUIRE(std::get<ErasePeer>(t.out[0]).address == address(1));
  t.out.clear();
  t.book.forget(address(1), t.out);
  REQUIRE(t.out.empty());
}

}  // namespace
}  // namespace overlayd::book
