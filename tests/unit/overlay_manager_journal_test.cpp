// Why peers go: what the journal has of every way in which a link ends, and what is explained of a peer.
#include "peers_fixture.h"

namespace overlayd {
namespace {

using Fixture = PeersFixture;
const PeerAddress kHere = Fixture::in_group(1);
const PeerAddress kThere = Fixture::in_group(2);

struct Expected {
  DropReason reason;
  ClosedBy closed_by = ClosedBy::kUs;
  std::optional<ErrorCode> code{};
  std::string text{};
  std::optional<Duration> timer{};
};
void check(const ClosedLink& closed, const Expected& expected) {
  CAPTURE(drop_reason_info(expected.reason).label);
  CHECK(closed.reason == expected.reason);
  CHECK(static_cast<int>(closed.closed_by) == static_cast<int>(expected.closed_by));
  CHECK(closed.error_code.has_value() == expected.code.has_value());
  if (closed.error_code && expected.code) CHECK(*closed.error_code == static_cast<std::int32_t>(*expected.code));
  CHECK(closed.error_text == expected.text);
  CHECK(closed.timer == expected.timer);
}

TEST_CASE("a link that the remote or the network ended is journalled", "[overlay_manager_journal]") {
  Fixture f;
  const PeerId peer = f.call(1, kHere);
  SECTION("closed") {
    f.give(LinkClosed{peer, DropReason::kClosedByRemote, "end of file"});
    check(f.last_closed(), {.reason = DropReason::kClosedByRemote, .closed_by = ClosedBy::kRemote});
    CHECK(f.last_closed().detail == "end of file");
  }
  SECTION("broken") {
    f.give(LinkClosed{peer, DropReason::kSocketError, "reset"});
    check(f.last_closed(), {.reason = DropReason::kSocketError, .closed_by = ClosedBy::kNetwork});
  }
  SECTION("with an error") {
    f.receive(peer, wire::write_error({4, "go away"}));
    check(f.last_closed(), {.reason = DropReason::kErrorFromRemote,
                            .closed_by = ClosedBy::kRemote,
                            .code = ErrorCode::kLoad,
                            .text = "go away"});
  }
  SECTION("with an error that is not printable") {
    f.receive(peer, wire::write_error({77, std::string("a\n\x1b[31m\x80z", 8)}));
    const ClosedLink closed = f.last_closed();
    CHECK(closed.error_code == 77);
    CHECK(closed.error_text.front() == 'a');
    for (const char c : closed.error_text) CHECK((c >= ' ' && c <= '~'));
  }
  SECTION("it cannot be reached") {
    const PeerId dial = f.ordered(kThere);
    f.give(LinkClosed{dial, DropReason::kDialFailed, "refused"});
    check(f.last_closed(), {.reason = DropReason::kDialFailed, .closed_by = ClosedBy::kNetwork});
    CHECK(f.last_closed().last.address == kThere);
    CHECK(f.last_closed().last.direction == Direction::kOutbound);
    CHECK(f.last_closed().detail == "refused");
  }
}

TEST_CASE("a link that we ended is journalled with what we said", "[overlay_manager_journal]") {
  Fixture f;
  const PeerId peer = f.call(1, kHere);
  SECTION("the operator") {
    f.give(Disconnect{f.node(1)});
    check(f.last_closed(), {.reason = DropReason::kOperator, .code = ErrorCode::kMisc, .text = "dropped by operator"});
  }
  SECTION("a ban") {
    f.give(BanPeers{f.node(1)});
    check(f.last_closed(), {.reason = DropReason::kBanned});
  }
  SECTION("a dial, by the operator") {
    f.ordered(kThere);
    f.give(Disconnect{kThere});
    CHECK(f.last_closed().reason == DropReason::kOperator);
    CHECK(f.last_closed().closed_by == ClosedBy::kUs);
    CHECK_FALSE(f.last_closed().error_code);
  }
  SECTION("shutdown") {
    f.give(ShutDown{});
    check(f.last_closed(), {.reason = DropReason::kShutdown, .code = ErrorCode::kMisc, .text = "shutdown"});
  }
  SECTION("bytes that the transport refused") {
    f.give(LinkFaulted{peer, DropReason::kAuthMac, "at byte 7"});
    check(f.last_closed(), {.reason = DropReason::kAuthMac, .code = ErrorCode::kAuth, .text = "unexpected MAC"});
    CHECK(f.last_closed().detail == "at byte 7");
  }
  SECTION("a second link") {
    const PeerId again = f.open_from(kThere);
    f.say_hello(again, f.node(1));
    const ClosedLink closed = f.last_closed();
    CHECK(closed.reason == DropReason::kAlreadyConnected);
    CHECK(closed.error_code == static_cast<std::int32_t>(ErrorCode::kConf));
    CHECK(closed.error_text.starts_with("already-connected peer: G"));
    CHECK(closed.last.peer == again);
    CHECK(closed.last.node == f.node(1));
    CHECK_FALSE(closed.last.is_authenticated);
  }
  SECTION("protocol") {
    f.receive(peer, wire::write_auth(200));
    check(f.last_closed(),
          {.reason = DropReason::kAuthOutOfOrder, .code = ErrorCode::kMisc, .text = "out-of-order AUTH message"});
  }
}

TEST_CASE("a link that a timer ended is journalled with the timer", "[overlay_manager_journal]") {
  Fixture f;
  SECTION("authentication") {
    f.open_from(kHere);
    f.run(seconds(3));
    check(f.last_closed(), {.reason = DropReason::kAuthTimeout, .timer = limits::kAuthTimeout});
    CHECK_FALSE(f.last_closed().last.is_authenticated);
  }
  SECTION("idle") {
    f.silent.insert(f.call(1, kHere));
    f.run(seconds(40));
    check(f.last_closed(), {.reason = DropReason::kIdle, .timer = limits::kIdleTimeout});
    CHECK(f.last_closed().last.unread_for >= limits::kIdleTimeout);
    CHECK(f.last_closed().last.unwritten_for >= limits::kIdleTimeout);
  }
  SECTION("straggling") {
    const PeerId peer = f.call(1, kHere);
    f.silent.insert(peer);
    const Instant since = f.now.instant;
    for (int i = 0; i < 130 && f.is_open(peer); ++i) {
      f.give(LinkProgress{peer, f.now.instant, f.now.instant, since});
      f.run(seconds(1));
    }
    check(f.last_closed(), {.reason = DropReason::kStraggling, .timer = limits::kStragglerTimeout});
    CHECK(f.last_closed().last.oldest_write_for >= limits::kStragglerTimeout);
  }
  SECTION("no credit") {
    f.out.clear();
    const PeerId peer = f.open_from(kHere);
    f.say_hello(peer, f.node(1));
    f.receive(peer, wire::write_auth(200));
    f.give(Broadcast{f.next_request(), test::make_scp({}, {.node = f.node(50)})});
    f.run(seconds(70));
    check(f.last_closed(), {.reason = DropReason::kNoCredit, .timer = limits::kNoCreditTimeout});
    CHECK(f.last_closed().last.no_credit_for >= limits::kNoCreditTimeout);
  }
}

TEST_CASE("a refused caller is journalled", "[overlay_manager_journal]") {
  Fixture f([](OverlayOptions& options) { options.max_inbound_per_ip = 1; });
  SECTION("by address") {
    f.call(1, kHere);
    f.open_from(kHere);
    check(f.last_closed(), {.reason = DropReason::kAddressLimit});
  }
  SECTION("banned address") {
    f.ban(Fixture::range(kHere, 24));
    f.open_from(kHere);
    check(f.last_closed(), {.reason = DropReason::kBanned});
    CHECK(f.last_closed().last.node.is_zero());
  }
  SECTION("banned node: who it said it was is known") {
    f.ban(f.node(1));
    f.call(1, kHere);
    check(f.last_closed(), {.reason = DropReason::kBanned});
    CHECK((f.last_closed().last.node == f.node(1) || !f.last_closed().detail.empty()));
  }
  CHECK(f.last_closed().last.address.ip == kHere.ip);
  CHECK(f.last_closed().last.direction == Direction::kInbound);
}

TEST_CASE("a closed link keeps its age, bytes and queue delays", "[overlay_manager_journal]") {
  Fixture f;
  const PeerId peer = f.open_from(kHere);
  f.say_hello(peer, f.node(1));
  f.receive(peer, wire::write_auth(200));
  f.give(Broadcast{f.next_request(), test::make_scp({}, {.node = f.node(50)})});
  f.run(seconds(5));
  f.receive(peer, wire::write_send_more_extended({100, 1'000'000}));
  f.run(seconds(5));
  const PeerSnapshot open = f.overlay->peers(f.now.instant).at(0);
  CHECK(open.queue_delays[static_cast<std::size_t>(FloodQueue::kScp)] == seconds(5));
  f.give(LinkClosed{peer, DropReason::kClosedByRemote, ""});
  const ClosedLink closed = f.last_closed();
  CHECK(closed.closed == f.now.unix_time);
  CHECK(closed.last.peer == peer);
  CHECK(closed.last.node == f.node(1));
  CHECK(closed.last.address == kHere);
  CHECK(closed.last.is_authenticated);
  CHECK(closed.last.connected_for == seconds(10));
  CHECK(closed.last.bytes_read == open.bytes_read);
  CHECK(closed.last.bytes_written == open.bytes_written);
  CHECK(closed.last.bytes_read > 0);
  CHECK(closed.last.messages_read >= 3);
  CHECK(closed.last.messages_written > 0);
  CHECK(closed.last.queue_delays == open.queue_delays);
}

TEST_CASE("every end is journalled once, with the word that log and metric have", "[overlay_manager_journal]") {
  Fixture f;
  const PeerId one = f.call(1, kHere);
  f.give(Disconnect{f.node(1)});
  f.give(LinkClosed{one, DropReason::kClosedByRemote, ""});
  CHECK(f.overlay->closed_links(10).size() == 1);
  const PeerId dial = f.ordered(kThere);
  f.give(Disconnect{kThere});
  f.give(LinkClosed{dial, DropReason::kDialFailed, ""});
  CHECK(f.overlay->closed_links(10).size() == 2);
  CHECK(f.dropped(DropReason::kOperator) == 2);
  CHECK(f.dropped(DropReason::kDialFailed) == 0);
}

TEST_CASE("a dial that was given up while it connected is not begun", "[overlay_manager_journal]") {
  Fixture f;
  const PeerId dial = f.ordered(kThere);
  f.give(Disconnect{kThere});
  REQUIRE(f.closed_for(dial));
  f.on_connected(dial, kThere);  // was on its way here
  CHECK(f.find<Send>().empty());
  CHECK_FALSE(f.is_open(dial));
  f.give(LinkClosed{dial, DropReason::kClosedByRemote, ""});
  CHECK(f.overlay->closed_links(10).size() == 1);
}

// --- what is known of one peer ------------------------------------------------------------------------------------

TEST_CASE("a peer is explained by its node and by its address", "[overlay_manager_journal]") {
  Fixture f;
  f.call(1, kHere);
  f.give(Disconnect{f.node(1), {}, seconds(10)});
  f.run(seconds(11));
  f.call(1, kHere);
  f.call(2, kThere);
  f.give(Disconnect{f.node(2), {}, seconds(100), BanTerms{"loud", "", std::nullopt}});
  const PeerSubject subject =
      GENERATE(PeerSubject(Fixture::node(1)), PeerSubject(kHere), PeerSubject(PeerAddress{kHere.ip, 0}));
  const PeerExplanation one = f.overlay->explain(subject, f.now);
  REQUIRE(one.open.size() == 1);
  CHECK(one.open[0].node == f.node(1));
  REQUIRE(one.closed.size() == 1);
  CHECK(one.closed[0].reason == DropReason::kOperator);
  REQUIRE(one.totals.size() == 1);
  CHECK(one.totals[0].links == 1);
  REQUIRE(one.known.size() == 1);
  CHECK(one.known[0].record.address == kHere);
  CHECK(one.known[0].is_connected);
  CHECK(one.bans.empty());
  CHECK(one.cools_down_for == Duration{0});
  const PeerExplanation two = f.overlay->explain(f.node(2), f.now);
  CHECK(two.open.empty());
  REQUIRE(two.closed.size() == 1);
  CHECK(two.closed[0].reason == DropReason::kBanned);
  REQUIRE(two.bans.size() == 1);
  CHECK(two.bans[0].reason == "loud");
  CHECK(two.cools_down_for == seconds(100));
}

TEST_CASE("bans that keep an address out are explained, of nodes that were there as well",
          "[overlay_manager_journal]") {
  Fixture f;
  f.call(1, kHere);
  f.ban(f.node(1));
  f.ban(Fixture::range(kHere, 24));
  f.ban(Fixture::range(kThere, 24));
  f.ban(f.node(2));
  for (const PeerSubject& subject : {PeerSubject(f.node(1)), PeerSubject(kHere)}) {
    const auto bans = f.overlay->explain(subject, f.now).bans;
    REQUIRE(bans.size() == 2);
    CHECK(bans[0].subject == BanSubject(f.node(1)));
    CHECK(bans[1].subject == BanSubject(Fixture::range(kHere, 24)));
  }
  CHECK(f.known(kHere)->is_banned);
}

TEST_CASE("of a peer nobody has heard of nothing is explained", "[overlay_manager_journal]") {
  Fixture f;
  f.call(1, kHere);
  const PeerExplanation none = f.overlay->explain(f.node(7), f.now);
  CHECK(none.open.empty());
  CHECK(none.closed.empty());
  CHECK(none.totals.empty());
  CHECK(none.known.empty());
  CHECK(none.bans.empty());
}

TEST_CASE("known peers are listed by address with what they are to us", "[overlay_manager_journal]") {
  Fixture f([](OverlayOptions& options) {
    options.stored_peers = {{kThere, {}, 0, PeerType::kOutbound}, {kHere, {}, 2, PeerType::kInbound}};
    options.stored_anchors = {kThere};
  });
  f.give(PeersResolved{{kHere}, {}});
  f.ban(Fixture::range(kThere, 32));
  f.answer_dial(f.ordered(Fixture::in_group(3)), Fixture::in_group(3), f.node(3));
  const auto known = f.overlay->known_peers(f.now);
  REQUIRE(known.size() == 3);
  CHECK(known[0].record.address == kHere);
  CHECK(known[1].record.address == kThere);
  CHECK(known[0].is_configured);
  CHECK_FALSE(known[1].is_configured);
  CHECK(known[1].is_banned);
  CHECK_FALSE(known[0].is_banned);
  CHECK(known[2].is_connected);
  CHECK_FALSE(known[0].is_connected);
}

}  // namespace
}  // namespace overlayd
