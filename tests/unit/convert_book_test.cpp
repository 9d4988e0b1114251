// What the operator's requests become, and what he is told of links, the book and bans.
#include <catch2/catch.hpp>
#include <map>

#include "ipc/convert.h"

using namespace overlayd;
using namespace overlayd::ipc;

namespace {

NodeId node(std::uint8_t fill) {
  NodeId id;
  id.bytes.fill(fill);
  return id;
}

v1::BanRequest ban_request(const std::string& subnet) {
  v1::BanRequest request;
  request.mutable_subject()->set_subnet(subnet);
  return request;
}

std::string refusal(const v1::BanRequest& request) {
  const auto ban = to_ban(request);
  return ban ? std::string("taken") : ban.error();
}

}  // namespace

TEST_CASE("a ban names a node or a range, and who asks for it, why and how long", "[convert_book]") {
  v1::BanRequest request = ban_request("192.0.2.0/24");
  request.mutable_terms()->set_reason(std::string(limits::kBanReasonBytesMax, 'r'));
  request.mutable_terms()->set_set_by(std::string(limits::kBanSetByBytesMax, 's'));
  request.mutable_terms()->set_duration_s(static_cast<std::uint64_t>(limits::kBanLastsMax.count()));
  const auto ban = to_ban(request);
  REQUIRE(ban.ok());
  CHECK(ban.value().subject == BanSubject(Subnet::around(PeerAddress::from_v4({192, 0, 2, 0}, 0), 120)));
  CHECK(ban.value().terms.reason.size() == limits::kBanReasonBytesMax);
  CHECK(ban.value().terms.set_by.size() == limits::kBanSetByBytesMax);
  CHECK(ban.value().terms.lasts_for == limits::kBanLastsMax);
  CHECK_FALSE(to_ban(ban_request("2001:db8::/32")).value().terms.lasts_for);
  v1::BanRequest of_node;
  of_node.mutable_subject()->set_node_id(std::string(32, '\x03'));
  CHECK(to_ban(of_node).value().subject == BanSubject(node(3)));
  v1::UnbanRequest unban;
  *unban.mutable_subject() = of_node.subject();
  CHECK(to_unban(unban).value().subject == BanSubject(node(3)));
}

TEST_CASE("what a ban cannot be is refused with the field", "[convert_book]") {
  using Catch::StartsWith;
  CHECK_THAT(refusal({}), StartsWith("subject: "));
  for (const char* bad : {"", "192.0.2.1/24", "192.0.2.0/33", "nobody", "192.0.2.0/24/1", "\x1b[31m"}) {
    INFO(bad);
    const std::string error = refusal(ban_request(bad));
    CHECK_THAT(error, StartsWith("subject.subnet: "));
    CHECK(printable(error) == error);
  }
  v1::BanRequest node_ban;
  node_ban.mutable_subject()->set_node_id("short");
  CHECK_THAT(refusal(node_ban), StartsWith("subject.node_id: "));
  v1::BanRequest request = ban_request("192.0.2.0/24");
  request.mutable_terms()->set_reason(std::string(limits::kBanReasonBytesMax + 1, 'r'));
  CHECK_THAT(refusal(request), StartsWith("terms.reason: at most 200 bytes, has 201"));
  request.mutable_terms()->set_reason("two\nlines");
  CHECK_THAT(refusal(request), StartsWith("terms.reason: must be printable"));
  request.mutable_terms()->set_reason("");
  request.mutable_terms()->set_set_by(std::string(limits::kBanSetByBytesMax + 1, 's'));
  CHECK_THAT(refusal(request), StartsWith("terms.set_by: at most 64 bytes"));
  request.mutable_terms()->set_set_by("");
  request.mutable_terms()->set_duration_s(static_cast<std::uint64_t>(limits::kBanLastsMax.count()) + 1);
  CHECK_THAT(refusal(request), StartsWith("terms.duration_s: at most "));
  request.mutable_terms()->set_duration_s(UINT64_MAX);
  CHECK_THAT(refusal(request), StartsWith("terms.duration_s: at most "));
}

TEST_CASE("an address is refused where a NUL hides what follows it", "[convert_book]") {
  v1::ConnectRequest request;
  request.set_address(std::string("192.0.2.1\0.example", 18));
  CHECK_FALSE(to_connect(request).ok());
}

TEST_CASE("a cool-down is taken up to 24 hours", "[convert_book]") {
  v1::DisconnectRequest request;
  request.mutable_peer()->set_address("[2001:db8::1]:5");
  request.set_cool_down_ms(24 * 3600 * 1000);
  const auto disconnect = to_disconnect(request);
  REQUIRE(disconnect.ok());
  CHECK(disconnect.value().cool_down == limits::kCoolDownMax);
  CHECK_FALSE(disconnect.value().ban);
  CHECK(std::get<PeerAddress>(disconnect.value().peer).port == 5);
}

TEST_CASE("a reason for people does not end in a colon", "[convert_book]") {
  for (std::size_t reason = 0; reason < kDropReasonCount; ++reason) {
    ClosedLink closed;
    closed.reason = static_cast<DropReason>(reason);
    v1::ClosedPeer out;
    to_proto(closed, out);
    INFO(out.reason());
    CHECK_THAT(out.reason_text(), !Catch::EndsWith(": ") && !Catch::Equals(""));
  }
}

TEST_CASE("a closed link says who closed it, why, on what timer and what was last seen", "[convert_book]") {
  ClosedLink closed;
  closed.last.node = node(1);
  closed.last.is_authenticated = true;
  closed.last.connected_for = seconds(9);
  closed.last.unread_for = seconds(31);
  closed.last.unwritten_for = milliseconds(7);
  closed.last.oldest_write_for = milliseconds(8);
  closed.last.no_credit_for = milliseconds(9);
  closed.last.latency_median = milliseconds(10);
  closed.last.latency_p99 = milliseconds(11);
  closed.last.queue_delays = {milliseconds(1), milliseconds(2), milliseconds(3), milliseconds(4)};
  closed.closed = UnixTime{1'700'000'000};
  closed.reason = DropReason::kStraggling;
  closed.closed_by = ClosedBy::kRemote;
  closed.error_code = static_cast<std::int32_t>(ErrorCode::kLoad);
  closed.error_text = "peer rejected\x1b";
  closed.detail = "line\n";
  closed.timer = seconds(30);
  v1::ClosedPeer out;
  to_proto(closed, out);
  CHECK(out.closed_unix_seconds() == 1'700'000'000);
  CHECK(out.reason() == "straggling");
  CHECK(out.reason_text() == "straggling (cannot keep up)");
  CHECK(out.closed_by() == v1::CLOSED_BY_REMOTE);
  CHECK(out.error_code() == "ERR_LOAD");
  CHECK(out.error_text() == "peer rejected?");
  CHECK(out.detail() == "line?");
  CHECK(out.timer_ms() == 30'000);
  CHECK(out.advice() == drop_reason_advice(DropReason::kStraggling));
  const v1::Peer& peer = out.peer();
  CHECK(peer.connected_ms() == 9000);
  CHECK(peer.unread_ms() == 31'000);
  CHECK(peer.unwritten_ms() == 7);
  CHECK(peer.oldest_write_ms() == 8);
  CHECK(peer.no_credit_ms() == 9);
  CHECK(peer.latency_median_ms() == Approx(10.0));
  CHECK(peer.latency_p99_ms() == Approx(11.0));
  REQUIRE(peer.queue_delays_size() == 4);
  for (int i = 0; i < 4; ++i) CHECK(peer.queue_delays(i).delay_ms() == Approx(i + 1.0));
  CHECK(peer.queue_delays(1).queue() == "transactions");
}

TEST_CASE("what is not known of a dial stays absent", "[convert_book]") {
  ClosedLink dial;
  dial.reason = DropReason::kDialFailed;
  dial.closed_by = ClosedBy::kNetwork;
  v1::ClosedPeer out;
  to_proto(dial, out);
  CHECK(out.closed_by() == v1::CLOSED_BY_NETWORK);
  CHECK_FALSE(out.has_error_code());
  CHECK_FALSE(out.has_timer_ms());
  CHECK(out.peer().node_id().empty());
  CHECK_FALSE(out.peer().has_latency_median_ms());
  CHECK_FALSE(out.peer().has_latency_p99_ms());
  CHECK(out.peer().queue_delays().empty());
}

TEST_CASE("a number that is no error code is still told", "[convert_book]") {
  ClosedLink closed;
  closed.error_code = 77;
  v1::ClosedPeer out;
  to_proto(closed, out);
  CHECK(out.error_code() == "UNKNOWN");
}

TEST_CASE("totals, the book's entries and bans keep every value", "[convert_book]") {
  PeerExplanation explanation;
  explanation.totals.push_back({.node = node(1),
                                .address = PeerAddress::from_v4({192, 0, 2, 1}, 5),
                                .links = 1,
                                .authenticated_links = 2,
                                .connected = milliseconds(3),
                                .messages_read = 4,
                                .messages_written = 5,
                                .bytes_read = 6,
                                .bytes_written = 7,
                                .last_closed = UnixTime{8},
                                .last_reason = DropReason::kNoCredit});
  explanation.known.push_back({.record = {.address = PeerAddress::from_v4({192, 0, 2, 1}, 5),
                                          .next_attempt = UnixTime{9},
                                          .failures = 10,
                                          .type = PeerType::kPreferred},
                               .is_configured = true,
                               .is_anchor = false,
                               .is_banned = true,
                               .is_connected = false});
  explanation.bans.push_back({.subject = Subnet::around(PeerAddress::from_v4({192, 0, 2, 0}, 0), 120),
                              .reason = "re\tason",
                              .set_by = "olga",
                              .made = UnixTime{11},
                              .ends = UnixTime{12},
                              .hits = 13,
                              .last_hit = UnixTime{14}});
  explanation.bans.push_back({.subject = node(2), .reason = "", .set_by = "", .made = {}});
  explanation.cools_down_for = milliseconds(15);
  v1::ExplainPeerResponse out;
  to_proto(explanation, out);
  const v1::PeerTotals& totals = out.totals(0);
  CHECK(totals.node_id() == std::string(32, '\x01'));
  CHECK(totals.address() == "192.0.2.1:5");
  CHECK(totals.links() == 1);
  CHECK(totals.authenticated_links() == 2);
  CHECK(totals.connected_ms() == 3);
  CHECK(totals.messages_read() == 4);
  CHECK(totals.messages_written() == 5);
  CHECK(totals.bytes_read() == 6);
  CHECK(totals.bytes_written() == 7);
  CHECK(totals.last_closed_unix_seconds() == 8);
  CHECK(totals.last_reason() == "no_credit");
  const v1::KnownPeer& known = out.known(0);
  CHECK(known.address() == "192.0.2.1:5");
  CHECK(known.type() == v1::KNOWN_PEER_TYPE_PREFERRED);
  CHECK(known.next_attempt_unix_seconds() == 9);
  CHECK(known.failures() == 10);
  CHECK(known.is_configured());
  CHECK_FALSE(known.is_anchor());
  CHECK(known.is_banned());
  CHECK_FALSE(known.is_connected());
  const v1::BanEntry& ban = out.bans(0);
  CHECK(ban.subject().subnet() == "192.0.2.0/24");
  CHECK(ban.reason() == "re?ason");
  CHECK(ban.set_by() == "olga");
  CHECK(ban.made_unix_seconds() == 11);
  CHECK(ban.ends_unix_seconds() == 12);
  CHECK(ban.hits() == 13);
  CHECK(ban.last_hit_unix_seconds() == 14);
  CHECK(out.bans(1).subject().node_id() == std::string(32, '\x02'));
  CHECK_FALSE(out.bans(1).has_ends_unix_seconds());
  CHECK_FALSE(out.bans(1).has_last_hit_unix_seconds());
  CHECK(out.cools_down_ms() == 15);
}

TEST_CASE("status counts what the book, bans and cool-downs did", "[convert_book]") {
  StatusSnapshot status;
  BookMetrics& book = status.metrics.book;
  const std::vector<std::pair<std::uint64_t*, std::string>> counters{{&book.addresses_received, "addresses_received"},
                                                                     {&book.addresses_refused, "addresses_refused"},
                                                                     {&book.dials, "dials"},
                                                                     {&book.dials_failed, "dials_failed"},
                                                                     {&book.dials_refused, "dials_refused"},
                                                                     {&book.records_evicted, "addresses_evicted"},
                                                                     {&book.ban_hits, "ban_hits"},
                                                                     {&book.cool_down_hits, "cool_down_hits"},
                                                                     {&book.slow_drops_put_off, "slow_drops_put_off"}};
  for (std::size_t i = 0; i < counters.size(); ++i) *counters[i].first = 100 + i;
  status.bans = 3;
  v1::GetStatusResponse out;
  to_proto(status, out);
  std::map<std::string, std::uint64_t> named;
  for (const auto& counter : out.counters()) CHECK(named.emplace(counter.name(), counter.value()).second);
  for (std::size_t i = 0; i < counters.size(); ++i) {
    INFO(counters[i].second);
    CHECK(named[counters[i].second] == 100 + i);
  }
  CHECK(out.bans() == 3);
}
