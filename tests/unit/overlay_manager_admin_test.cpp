// What an operator can order: connect, disconnect, ban, unban; and what bans do.
#include "peers_fixture.h"

namespace overlayd {
namespace {

using Fixture = PeersFixture;
const PeerAddress kHere = Fixture::in_group(1);
const PeerAddress kThere = Fixture::in_group(2);

// --- connect ------------------------------------------------------------------------------------------------------

TEST_CASE("an order to connect dials at once and is answered", "[overlay_manager_admin]") {
  Fixture f;
  f.give(ConnectTo{kHere, RequestId{7}});
  CHECK(f.answer().request == RequestId{7});
  CHECK(f.answer().status == RequestStatus::kAccepted);
  CHECK(f.dialled() == std::vector{kHere});
}

TEST_CASE("an order of nobody is carried out without an answer", "[overlay_manager_admin]") {
  Fixture f;
  f.give(ConnectTo{kHere});
  CHECK(f.dialled() == std::vector{kHere});
  f.give(Disconnect{kHere});
  f.give(Disconnect{kHere});
  CHECK(f.find<RequestAnswer>().empty());
}

TEST_CASE("an order to connect where there is a link or a dial is a duplicate", "[overlay_manager_admin]") {
  Fixture f;
  const PeerId peer = f.ordered(kHere);
  CHECK(f.order(kHere).status == RequestStatus::kDuplicate);
  CHECK(f.dialled().empty());
  f.on_connected(peer, kHere);
  CHECK(f.order(kHere).status == RequestStatus::kDuplicate);
  f.authenticate(peer, f.node(1));
  CHECK(f.order(kHere).status == RequestStatus::kDuplicate);
  f.call(2, kThere);
  CHECK(f.order(kThere).status == RequestStatus::kDuplicate);
  f.give(LinkClosed{peer, DropReason::kClosedByRemote, ""});
  CHECK(f.order(kHere).status == RequestStatus::kAccepted);
}

TEST_CASE("an order to connect to who is kept out is refused", "[overlay_manager_admin]") {
  Fixture f;
  SECTION("banned") { f.ban(Fixture::range(kHere, 24)); }
  SECTION("cooling down") {
    f.ordered(kHere);
    f.give(Disconnect{kHere, f.next_request(), seconds(60)});
    REQUIRE(f.answer().links_dropped == 1);
  }
  const RequestAnswer answer = f.order(kHere);
  CHECK(answer.status == RequestStatus::kRefused);
  CHECK_FALSE(answer.why.empty());
  CHECK(f.dialled().empty());
  CHECK(f.order(kThere).status == RequestStatus::kAccepted);
}

TEST_CASE("an order to connect without a pending slot is refused", "[overlay_manager_admin]") {
  Fixture f([](OverlayOptions& options) { options.max_pending = 9; });  // one of them is outbound
  f.ordered(kHere);
  const RequestAnswer answer = f.order(kThere);
  CHECK(answer.status == RequestStatus::kRefused);
  CHECK_FALSE(answer.why.empty());
  CHECK(f.dialled().empty());
}

TEST_CASE("an order to connect heeds neither back-off nor groups", "[overlay_manager_admin]") {
  Fixture f;
  f.link(1, Fixture::in_group(1, 1));
  const PeerId peer = f.ordered(Fixture::in_group(1, 2));
  f.give(LinkClosed{peer, DropReason::kDialFailed, ""});
  CHECK(f.order(Fixture::in_group(1, 2)).status == RequestStatus::kAccepted);
}

// --- disconnect ---------------------------------------------------------------------------------------------------

TEST_CASE("a peer is disconnected by its node", "[overlay_manager_admin]") {
  Fixture f;
  const PeerId one = f.call(1, kHere);
  const PeerId two = f.call(2, kThere);
  f.give(Disconnect{f.node(1), RequestId{7}});
  CHECK(f.answer().status == RequestStatus::kAccepted);
  CHECK(f.answer().links_dropped == 1);
  CHECK(f.closed_for(one) == DropReason::kOperator);
  CHECK(f.find<Close>()[0].error != nullptr);
  CHECK(f.is_open(two));
  CHECK(f.call(1, kHere) != one);
  CHECK(f.find<Close>().empty());
}

TEST_CASE("a peer is disconnected by its address, with any port if it is 0", "[overlay_manager_admin]") {
  Fixture f;
  const PeerId one = f.call(1, kHere);
  const PeerId two = f.call(2, {kHere.ip, 5});
  const PeerId other = f.call(3, kThere);
  SECTION("that of HELLO") {
    f.give(Disconnect{kHere, RequestId{7}});
    CHECK(f.answer().links_dropped == 1);
    CHECK(f.closed_for(one) == DropReason::kOperator);
    CHECK(f.is_open(two));
  }
  SECTION("any port") {
    f.give(Disconnect{PeerAddress{kHere.ip, 0}, RequestId{7}});
    CHECK(f.answer().links_dropped == 2);
    CHECK_FALSE(f.is_open(one));
    CHECK_FALSE(f.is_open(two));
  }
  SECTION("a caller that has not said HELLO") {
    const PeerId young = f.open_from(kHere);
    f.give(Disconnect{PeerAddress{kHere.ip, 0}, RequestId{7}});
    CHECK(f.answer().links_dropped == 3);
    CHECK(f.closed_for(young) == DropReason::kOperator);
  }
  SECTION("a dial") {
    const PeerId dial = f.ordered(Fixture::in_group(9));
    f.give(Disconnect{Fixture::in_group(9), RequestId{7}});
    CHECK(f.answer().links_dropped == 1);
    CHECK(f.closed_for(dial) == DropReason::kOperator);
    CHECK(f.overlay->status(f.now.instant).peers_pending == 0);
  }
  CHECK(f.is_open(other));
}

TEST_CASE("where there is no link nothing is done", "[overlay_manager_admin]") {
  Fixture f;
  f.give(Disconnect{f.node(1), RequestId{7}, seconds(60), BanTerms{}});
  CHECK(f.answer().status == RequestStatus::kNotFound);
  CHECK(f.out.size() == 1);
  f.give(Disconnect{kHere, RequestId{8}, seconds(60), BanTerms{}});
  CHECK(f.answer().status == RequestStatus::kNotFound);
  CHECK(f.overlay->bans(f.now).empty());
  CHECK(f.is_authenticated(f.call(1, kHere)));
}

TEST_CASE("a cool-down keeps a peer away for a while", "[overlay_manager_admin]") {
  Fixture f;
  f.call(1, kHere);
  f.give(Disconnect{f.node(1), RequestId{7}, seconds(60)});
  REQUIRE(f.answer().links_dropped == 1);
  f.run(seconds(59));
  const PeerId again = f.call(1, kThere);
  CHECK(f.closed_for(again) == DropReason::kCoolingDown);
  CHECK(f.overlay->metrics().book.cool_down_hits == 1);
  CHECK(f.order(kHere).status == RequestStatus::kRefused);
  CHECK(f.overlay->explain(f.node(1), f.now).cools_down_for == seconds(1));
  CHECK(f.overlay->explain(kHere, f.now).cools_down_for == seconds(1));
  CHECK(f.is_authenticated(f.call(2, kThere)));
  f.run(seconds(1));
  CHECK(f.is_authenticated(f.call(1, kHere)));
}

TEST_CASE("a peer that cools down is not dialled by itself", "[overlay_manager_admin]") {
  Fixture f;
  f.link(1, kHere);
  f.give(Disconnect{f.node(1), RequestId{7}, std::chrono::hours(1)});
  f.run(std::chrono::minutes(59));
  CHECK_FALSE(f.has_dialled(kHere));
  f.run(std::chrono::minutes(5));
  CHECK(f.has_dialled(kHere));
}

TEST_CASE("a disconnect can ban the node, and is answered once that is on disk", "[overlay_manager_admin]") {
  Fixture f;
  const PeerId peer = f.call(1, kHere);
  f.give(Disconnect{kHere, RequestId{7}, Duration{0}, BanTerms{"scans", "alice", seconds(100)}});
  CHECK(f.closed_for(peer));
  CHECK(f.find<RequestAnswer>().empty());
  const auto stored = f.find<StoreBan>();
  REQUIRE(stored.size() == 1);
  CHECK(stored[0].request == RequestId{7});
  CHECK(stored[0].links_dropped == 1);
  CHECK(stored[0].ban.subject == BanSubject(f.node(1)));
  CHECK(stored[0].ban.reason == "scans");
  CHECK(stored[0].ban.set_by == "alice");
  CHECK(stored[0].ban.ends == UnixTime{f.now.unix_time.seconds + 100});
  f.give(BanStored{RequestId{7}, 1, ""});
  CHECK(f.answer().status == RequestStatus::kAccepted);
  CHECK(f.answer().links_dropped == 1);
  CHECK(f.closed_for(f.call(1, kThere)) == DropReason::kBanned);
}

TEST_CASE("of a link without a node the ban is of its IP", "[overlay_manager_admin]") {
  Fixture f;
  f.open_from(kHere);
  f.give(Disconnect{PeerAddress{kHere.ip, 0}, RequestId{7}, Duration{0}, BanTerms{}});
  const auto stored = f.find<StoreBan>();
  REQUIRE(stored.size() == 1);
  CHECK(stored[0].ban.subject == BanSubject(Fixture::range(kHere, 32)));
  CHECK(f.closed_for(f.open_from(kHere)) == DropReason::kBanned);
}

// --- bans ---------------------------------------------------------------------------------------------------------

TEST_CASE("a ban of a node ends its link and is answered once it is on disk", "[overlay_manager_admin]") {
  Fixture f;
  const PeerId peer = f.call(1, kHere);
  const PeerId other = f.call(2, kHere);
  f.give(BanPeers{f.node(1), {"why", "who", std::nullopt}, RequestId{7}});
  CHECK(f.closed_for(peer) == DropReason::kBanned);
  CHECK(f.is_open(other));
  CHECK(f.find<RequestAnswer>().empty());
  const auto stored = f.find<StoreBan>();
  REQUIRE(stored.size() == 1);
  CHECK(stored[0].request == RequestId{7});
  CHECK(stored[0].links_dropped == 1);
  CHECK(stored[0].ban.reason == "why");
  CHECK(stored[0].ban.made == f.now.unix_time);
  SECTION("it is") {
    f.give(BanStored{RequestId{7}, 1, ""});
    CHECK(f.answer().request == RequestId{7});
    CHECK(f.answer().status == RequestStatus::kAccepted);
    CHECK(f.answer().links_dropped == 1);
  }
  SECTION("it cannot be") {
    f.give(BanStored{RequestId{7}, 1, "disk full"});
    CHECK(f.answer().status == RequestStatus::kAccepted);  // it holds as long as the process lives
    CHECK(f.answer().why.find("disk full") != std::string::npos);
  }
  const auto bans = f.overlay->bans(f.now);
  REQUIRE(bans.size() == 1);
  CHECK(bans[0].hits == 1);
  CHECK(f.closed_for(f.call(1, kThere)) == DropReason::kBanned);
  CHECK(f.overlay->bans(f.now)[0].hits == 2);
  CHECK(f.overlay->bans(f.now)[0].last_hit == f.now.unix_time);
  CHECK(f.overlay->metrics().book.ban_hits == 2);
}

TEST_CASE("a ban of a range ends every link and dial in it", "[overlay_manager_admin]") {
  Fixture f;
  const PeerId caller = f.call(1, Fixture::at(20, 1, 0, 1));
  const PeerId young = f.open_from(Fixture::at(20, 1, 0, 2));
  const PeerId link = f.link(3, Fixture::at(20, 1, 0, 3));
  const PeerId dial = f.ordered(Fixture::at(20, 1, 0, 4));
  const PeerId beside = f.call(5, Fixture::at(20, 1, 1, 1));
  f.give(BanPeers{Fixture::range(kHere, 24), {}, RequestId{7}});
  for (const PeerId peer : {caller, young, link, dial}) CHECK(f.closed_for(peer) == DropReason::kBanned);
  CHECK(f.is_open(beside));
  REQUIRE(f.find<StoreBan>().size() == 1);
  CHECK(f.find<StoreBan>()[0].links_dropped == 4);
  CHECK(f.overlay->bans(f.now)[0].hits == 4);
}

TEST_CASE("a banned address is refused when it calls, before a word is said", "[overlay_manager_admin]") {
  Fixture f;
  f.ban(Fixture::range(kHere, 32));
  const PeerId peer = f.open_from(kHere);
  CHECK(f.closed_for(peer) == DropReason::kBanned);
  CHECK(f.find<Close>()[0].error == nullptr);
  CHECK(f.find<Send>().empty());
  CHECK_FALSE(f.is_open(peer));
  CHECK(f.dropped(DropReason::kBanned) == 1);
  CHECK(f.overlay->bans(f.now)[0].hits == 1);
  CHECK(f.is_authenticated(f.call(1, Fixture::in_group(1, 2))));
}

TEST_CASE("a banned node is refused in HELLO, whichever side called", "[overlay_manager_admin]") {
  Fixture f;
  f.ban(f.node(1));
  const PeerId caller = f.open_from(kHere);
  CHECK_FALSE(f.closed_for(caller));
  f.say_hello(caller, f.node(1));
  CHECK(f.closed_for(caller) == DropReason::kBanned);
  CHECK(f.find<Send>().empty());
  const PeerId dial = f.ordered(kThere);
  f.on_connected(dial, kThere);
  f.say_hello(dial, f.node(1));
  CHECK(f.closed_for(dial) == DropReason::kBanned);
  CHECK(f.overlay->bans(f.now)[0].hits == 2);
}

TEST_CASE("a banned address is never dialled", "[overlay_manager_admin]") {
  Fixture f([](OverlayOptions& options) {
    options.stored_peers = {{kHere, {}, 0, PeerType::kOutbound}, {kThere, {}, 0, PeerType::kOutbound}};
    options.stored_anchors = {kHere};
    options.stored_bans = {{Fixture::range(kHere, 24), "", "", {1}, {}, 5, {}}};
  });
  f.run(seconds(10));
  CHECK_FALSE(f.has_dialled(kHere));
  CHECK(f.has_dialled(kThere));
  SECTION("not though it is preferred") {
    f.give(PeersResolved{{}, {kHere}});
    CHECK_FALSE(f.has_dialled(kHere));
    f.run(seconds(60));
    CHECK_FALSE(f.has_dialled(kHere));
  }
  SECTION("until the ban is lifted") {
    f.give(Unban{Fixture::range(kHere, 24), RequestId{7}});
    f.run(seconds(10));
    CHECK(f.has_dialled(kHere));
  }
}

TEST_CASE("an order to lift a ban is answered once that is on disk", "[overlay_manager_admin]") {
  Fixture f;
  f.ban(Fixture::range(kHere, 24));
  f.give(Unban{Fixture::range(kHere, 25), RequestId{6}});
  CHECK(f.answer().status == RequestStatus::kNotFound);
  CHECK(f.out.size() == 1);
  f.give(Unban{Fixture::range(kHere, 24), RequestId{7}});
  CHECK(f.find<RequestAnswer>().empty());
  const auto erased = f.find<EraseBan>();
  REQUIRE(erased.size() == 1);
  CHECK(erased[0].request == RequestId{7});
  CHECK(erased[0].subject == BanSubject(Fixture::range(kHere, 24)));
  f.give(BanStored{RequestId{7}, 0, ""});
  CHECK(f.answer().status == RequestStatus::kAccepted);
  CHECK(f.overlay->bans(f.now).empty());
  CHECK(f.is_authenticated(f.call(1, kHere)));
}

TEST_CASE("a ban ends when it says so", "[overlay_manager_admin]") {
  Fixture f;
  f.ban(f.node(1), {"", "", seconds(60)});
  f.run(seconds(59));
  CHECK(f.find<EraseBan>().empty());
  CHECK(f.closed_for(f.call(1, kHere)) == DropReason::kBanned);
  f.run(seconds(1));
  CHECK(f.is_authenticated(f.call(1, kHere)));
  CHECK(f.overlay->bans(f.now).empty());
  f.run(limits::kTick);
  CHECK(f.overlay->status(f.now.instant).bans == 0);
}

TEST_CASE("an end of a ban is put out to be stored", "[overlay_manager_admin]") {
  Fixture f;
  f.ban(f.node(1), {"", "", seconds(60)});
  f.run(seconds(60) + 2 * limits::kTick);
  const auto erased = f.find<EraseBan>();
  REQUIRE(erased.size() == 1);
  CHECK(erased[0].subject == BanSubject(f.node(1)));
  CHECK(erased[0].request == RequestId{});
}

TEST_CASE("hits are put out to be stored now and then, a ban once", "[overlay_manager_admin]") {
  Fixture f;
  f.ban(Fixture::range(kHere, 24));
  for (int i = 0; i < 50; ++i) {
    f.open_from(kHere);
    CHECK(f.find<StoreBan>().empty());
  }
  f.run(2 * limits::kTick);
  const auto stored = f.find<StoreBan>();
  REQUIRE(stored.size() == 1);
  CHECK(stored[0].request == RequestId{});
  CHECK(stored[0].ban.hits == 50);
}

TEST_CASE("a further ban replaces the terms and keeps the hits", "[overlay_manager_admin]") {
  Fixture f;
  f.ban(f.node(1), {"first", "alice", seconds(10)});
  f.call(1, kHere);
  f.run(seconds(5));
  f.ban(f.node(1), {"second", "bob", std::nullopt});
  const auto bans = f.overlay->bans(f.now);
  REQUIRE(bans.size() == 1);
  CHECK(bans[0].reason == "second");
  CHECK(bans[0].set_by == "bob");
  CHECK(bans[0].made == f.now.unix_time);
  CHECK_FALSE(bans[0].ends);
  CHECK(bans[0].hits == 1);
}

TEST_CASE("a full list refuses a further ban, and drops nobody for it", "[overlay_manager_admin]") {
  Fixture f([](OverlayOptions& options) {
    for (std::uint64_t i = 0; i < limits::kBansMax; ++i)
      options.stored_bans.push_back({test::make_node(10'000 + i), "", "", {1}, {}, 0, {}});
  });
  const PeerId peer = f.call(1, kHere);
  f.give(BanPeers{f.node(1), {}, RequestId{7}});
  CHECK(f.answer().status == RequestStatus::kRefused);
  CHECK_FALSE(f.answer().why.empty());
  CHECK(f.find<StoreBan>().empty());
  CHECK(f.is_open(peer));
  f.give(BanPeers{f.node(10'000), {"again", "", std::nullopt}, RequestId{8}});
  CHECK(f.find<StoreBan>().size() == 1);
}

TEST_CASE("stored bans keep out from the start", "[overlay_manager_admin]") {
  Fixture f([](OverlayOptions& options) { options.stored_bans = {{test::make_node(1), "old", "", {1}, {}, 5, {}}}; });
  CHECK(f.overlay->status(f.now.instant).bans == 1);
  CHECK(f.closed_for(f.call(1, kHere)) == DropReason::kBanned);
  CHECK(f.overlay->bans(f.now)[0].hits == 6);
}

TEST_CASE("a cool-down lasts a day at most", "[overlay_manager_admin]") {
  Fixture f;
  f.call(1, kHere);
  f.give(Disconnect{f.node(1), RequestId{7}, 10 * limits::kCoolDownMax});
  CHECK(f.overlay->explain(f.node(1), f.now).cools_down_for == limits::kCoolDownMax);
}

TEST_CASE("a caller without a name that was sent away cools down by its IP", "[overlay_manager_admin]") {
  Fixture f;
  f.open_from(kHere);
  f.give(Disconnect{PeerAddress{kHere.ip, 0}, RequestId{7}, seconds(60)});
  CHECK(f.closed_for(f.open_from(kHere)) == DropReason::kCoolingDown);
  CHECK(f.overlay->metrics().book.cool_down_hits == 1);
  CHECK(f.is_open(f.open_from(Fixture::in_group(1, 2))));
}

TEST_CASE("a ban of a node does not end links that have no name yet", "[overlay_manager_admin]") {
  Fixture f;
  const PeerId young = f.open_from(kHere);
  const PeerId dial = f.ordered(kThere);
  f.give(BanPeers{f.node(1), {}, RequestId{7}});
  CHECK(f.find<Close>().empty());
  f.give(BanPeers{NodeId{}, {}, RequestId{8}});
  CHECK(f.find<Close>().empty());
  CHECK(f.is_open(young));
  CHECK(f.order(kThere).status == RequestStatus::kDuplicate);
  static_cast<void>(dial);
}

TEST_CASE("a ban of ourselves is refused", "[overlay_manager_admin]") {
  Fixture f;
  f.give(BanPeers{f.options.local.node_id, {}, RequestId{7}});
  CHECK(f.answer().status == RequestStatus::kRefused);
  CHECK(f.overlay->bans(f.now).empty());
}

TEST_CASE("a disconnect by IP does not guess which of several nodes to ban", "[overlay_manager_admin]") {
  Fixture f;
  const PeerId one = f.call(1, kHere);
  const PeerId two = f.call(2, {kHere.ip, 5});
  f.give(Disconnect{PeerAddress{kHere.ip, 0}, RequestId{7}, seconds(60), BanTerms{}});
  CHECK(f.answer().status == RequestStatus::kRefused);
  CHECK(f.answer().why.find("2 nodes") != std::string::npos);
  CHECK(f.is_open(one));
  CHECK(f.is_open(two));
  CHECK(f.overlay->bans(f.now).empty());
  CHECK(f.overlay->explain(f.node(1), f.now).cools_down_for == Duration{0});
  f.give(Disconnect{PeerAddress{kHere.ip, 5}, RequestId{8}, Duration{0}, BanTerms{}});
  CHECK(f.is_open(one));
  CHECK(f.closed_for(two) == DropReason::kBanned);
}

TEST_CASE("a refused ban leaves no cool-down behind", "[overlay_manager_admin]") {
  Fixture f([](OverlayOptions& options) {
    for (std::uint64_t i = 0; i < limits::kBansMax; ++i)
      options.stored_bans.push_back({test::make_node(10'000 + i), "", "", {1}, {}, 0, {}});
  });
  const PeerId peer = f.call(1, kHere);
  f.give(Disconnect{f.node(1), RequestId{7}, seconds(60), BanTerms{}});
  CHECK(f.answer().status == RequestStatus::kRefused);
  CHECK(f.is_open(peer));
  CHECK(f.overlay->explain(f.node(1), f.now).cools_down_for == Duration{0});
}

}  // namespace
}  // namespace overlayd
