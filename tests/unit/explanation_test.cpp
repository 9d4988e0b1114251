// What overlayctl says of one peer, and how it shows times, errors and marks.
#include "ipc/ctl/explanation.h"

#include <catch2/catch.hpp>

#include "ipc/ctl/peer_text.h"

using namespace overlayd::ipc::ctl;
using Catch::Contains;
namespace v1 = ::overlay::v1;

namespace {

constexpr std::int64_t kNow = 1'700'000'000;

v1::ClosedPeer idle_link() {
  v1::ClosedPeer closed;
  v1::Peer& peer = *closed.mutable_peer();
  peer.set_address("192.0.2.1:11625");
  peer.set_direction(v1::DIRECTION_INBOUND);
  peer.set_is_authenticated(true);
  peer.set_connected_ms(3'661'000);
  peer.set_unread_ms(31'000);
  peer.set_unwritten_ms(1'000);
  peer.set_messages_read(1);
  peer.set_bytes_read(2);
  closed.set_closed_unix_seconds(kNow - 90);
  closed.set_reason("idle");
  closed.set_reason_text("idle timeout");
  closed.set_closed_by(v1::CLOSED_BY_US);
  closed.set_timer_ms(30'000);
  return closed;
}

}  // namespace

TEST_CASE("a peer nothing is known of is said to be so", "[explanation]") {
  CHECK_FALSE(is_anything_known({}));
  CHECK(explanation_text("192.0.2.9", {}, kNow) == "Nothing is known of 192.0.2.9.\n");
  v1::ExplainPeerResponse cooling;
  cooling.set_cools_down_ms(61'000);
  CHECK(is_anything_known(cooling));
  CHECK_THAT(explanation_text("x", cooling, kNow), Contains("kept away for another 1m 1s because of a drop"));
}

TEST_CASE("a link that ended says when, why, on what timer and what was last seen", "[explanation]") {
  v1::ExplainPeerResponse known;
  *known.add_closed() = idle_link();
  const std::string text = explanation_text("192.0.2.1", known, kNow);
  CHECK_THAT(text, Contains("Not connected.\n"));
  CHECK_THAT(text, Contains("  192.0.2.1:11625, it called us\n"));
  CHECK_THAT(text,
             Contains("2023-11-14 22:11:50Z (1m 30s ago) we closed it: idle timeout (idle), after a timer of 30s"));
  CHECK_THAT(text, Contains("lasted 1h 1m, 1 message and 2 bytes read, 0 messages and 0 bytes written"));
  CHECK_THAT(text, Contains("at the end: read 31s before, written 1s before\n"));
  CHECK_THAT(text, !Contains("we sent") && !Contains("what to do") && !Contains("detail"));
  CHECK_THAT(text, Contains("The book does not hold it.\n"));
}

TEST_CASE("an error on the wire is told with who sent it, and advice where there is some", "[explanation]") {
  v1::ExplainPeerResponse known;
  v1::ClosedPeer& closed = *known.add_closed();
  closed = idle_link();
  closed.set_closed_by(v1::CLOSED_BY_REMOTE);
  closed.set_error_code("ERR_LOAD");
  closed.set_error_text("peer rejected");
  closed.set_detail("somewhere");
  closed.set_advice("try later");
  closed.mutable_peer()->set_oldest_write_ms(121'000);
  closed.mutable_peer()->set_no_credit_ms(60'000);
  auto& delay = *closed.mutable_peer()->add_queue_delays();
  delay.set_queue("scp");
  delay.set_delay_ms(1.5);
  const std::string text = explanation_text("x", known, kNow);
  for (const char* part : {"it closed the link: ", "it sent ERR_LOAD peer rejected\n", "detail: somewhere\n",
                           "what to do: try later\n", "the oldest message had waited 2m 1s for the socket",
                           "flood messages had waited 1m 0s for its credit", "last delay of each queue: scp 1.5 ms\n"})
    CHECK_THAT(text, Contains(part));
  closed.mutable_peer()->set_oldest_write_ms(999);
  closed.mutable_peer()->set_no_credit_ms(999);
  CHECK_THAT(explanation_text("x", known, kNow), !Contains("had waited"));
  closed.set_detail("ERR_LOAD (peer rejected)");
  CHECK_THAT(explanation_text("x", known, kNow), !Contains("detail: "));
  closed.set_closed_by(v1::CLOSED_BY_US);
  CHECK_THAT(explanation_text("x", known, kNow), Contains("we sent ERR_LOAD"));
  closed.set_closed_by(v1::CLOSED_BY_NETWORK);
  CHECK_THAT(explanation_text("x", known, kNow), Contains("the network ended it: "));
}

TEST_CASE("a connected peer, its totals, the book and bans are told", "[explanation]") {
  v1::ExplainPeerResponse known;
  v1::Peer& open = *known.add_open();
  open.set_address("192.0.2.1:1");
  open.set_direction(v1::DIRECTION_OUTBOUND);
  open.set_is_authenticated(true);
  open.set_is_preferred(true);
  open.set_connected_ms(5'000);
  open.set_latency_ms(12);
  v1::PeerTotals& totals = *known.add_totals();
  totals.set_node_id(std::string(32, '\1'));
  totals.set_links(4);
  totals.set_authenticated_links(3);
  totals.set_last_reason("no_credit");
  totals.set_last_closed_unix_seconds(kNow - 1);
  v1::KnownPeer& entry = *known.add_known();
  entry.set_address("192.0.2.1:1");
  entry.set_type(v1::KNOWN_PEER_TYPE_OUTBOUND);
  entry.set_failures(1);
  entry.set_next_attempt_unix_seconds(kNow + 12);
  entry.set_is_anchor(true);
  v1::BanEntry& ban = *known.add_bans();
  ban.mutable_subject()->set_subnet("192.0.2.0/24");
  ban.set_reason("spam");
  ban.set_set_by("olga");
  ban.set_made_unix_seconds(kNow);
  ban.set_hits(2);
  const std::string text = explanation_text("x", known, kNow);
  for (const char* part :
       {"Connected now:\n  192.0.2.1:1, we called it\n", "authenticated, preferred, for 5s\n",
        "latency 12.0 ms, median -, p99 -\n", "4 links, 3 authenticated", "the last one ended 1s ago: no_credit",
        "192.0.2.1:1 as outbound (anchor), 1 failure, next attempt in 12s\n",
        "Banned as 192.0.2.0/24, until it is lifted, made 2023-11-14 22:13:20Z by olga: spam; 2 hits\n"})
    CHECK_THAT(text, Contains(part));
  ban.set_ends_unix_seconds(kNow + 60);
  CHECK_THAT(explanation_text("x", known, kNow), Contains("Banned as 192.0.2.0/24, ends in 1m 0s"));
}

TEST_CASE("times are shown in UTC and as distances", "[explanation]") {
  CHECK(time_text(0) == "1970-01-01 00:00:00Z");
  CHECK(time_text(kNow) == "2023-11-14 22:13:20Z");
  CHECK_FALSE(time_text(INT64_MAX).empty());
  CHECK(until_text(kNow + 12, kNow) == "in 12s");
  CHECK(until_text(kNow, kNow) == "due");
  CHECK(until_text(0, kNow) == "due");
  CHECK(ago_text(kNow - 12, kNow) == "12s ago");
  CHECK(ago_text(kNow + 12, kNow) == "0s ago");
}

TEST_CASE("JSON has null for what is not known, and every mark by its name", "[explanation]") {
  const Json dial = closed_json({});
  CHECK(dial["error_code"].is_null());
  CHECK(dial["timer_ms"].is_null());
  CHECK(dial["peer"]["latency_median_ms"].is_null());
  CHECK(dial["peer"]["latency_p99_ms"].is_null());
  CHECK(closed_json(idle_link())["timer_ms"] == 30'000);
  CHECK(closed_json(idle_link())["closed_by"] == "us");
  v1::BanEntry ban;
  ban.mutable_subject()->set_node_id(std::string(32, '\1'));
  CHECK(ban_json(ban)["ends_unix_seconds"].is_null());
  CHECK(ban_json(ban)["last_hit_unix_seconds"].is_null());
  CHECK(ban_json(ban)["node_id"] == node_text(std::string(32, '\1')));
  CHECK_FALSE(ban_json(ban).contains("subnet"));
  v1::KnownPeer known;
  CHECK(marks_text(known) == "-");
  known.set_is_configured(true);
  known.set_is_banned(true);
  CHECK(marks_text(known) == "configured banned");
  CHECK(known_json(known)["banned"] == true);
  CHECK(known_json(known)["anchor"] == false);
}
