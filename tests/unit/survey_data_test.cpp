#include "core/survey/survey_data.h"

#include <catch2/catch.hpp>

#include "tests/unit/survey_samples.h"

namespace overlayd::survey {
namespace {

using test::nth_node;

const NodeId kSurveyor = nth_node(5000);
constexpr std::uint32_t kNonce = 77;

PeerSnapshot snapshot(std::uint64_t number, Direction direction = Direction::kInbound, std::uint64_t base = 0) {
  PeerSnapshot link;
  link.peer = {number};
  link.node = nth_node(number);
  link.direction = direction;
  link.is_authenticated = true;
  link.version_string = std::to_string(number) + "v";
  link.messages_read = base + 1;
  link.messages_written = base + 2;
  link.bytes_read = base + 3;
  link.bytes_written = base + 4;
  link.unique_flood_bytes = base + 5;
  link.duplicate_flood_bytes = base + 6;
  link.unique_fetch_bytes = base + 7;
  link.duplicate_fetch_bytes = base + 8;
  link.unique_flood_messages = base + 9;
  link.duplicate_flood_messages = base + 10;
  link.unique_fetch_messages = base + 11;
  link.duplicate_fetch_messages = base + 12;
  return link;
}
std::vector<PeerSnapshot> snapshots(std::uint64_t first, std::uint64_t count, Direction direction) {
  std::vector<PeerSnapshot> links;
  for (std::uint64_t i = 0; i < count; ++i) links.push_back(snapshot(first + i, direction));
  return links;
}
std::vector<NodeId> nodes_of(const std::vector<SurveyedLink>& links) {
  std::vector<NodeId> nodes;
  for (const SurveyedLink& link : links) nodes.push_back(link.node);
  return nodes;
}

struct Data {
  SurveyData data{{40, 8}};
  Now now{Instant(seconds(1000)), {1'800'000'000}};
  std::vector<PeerSnapshot> links;
  bool is_validator = false;

  void pass(Duration time) {
    now.instant = now.instant + time;
    now.unix_time.seconds += static_cast<std::uint64_t>(std::chrono::duration_cast<seconds>(time).count());
  }
  void begin(bool is_in_sync = true) {
    data.begin(kSurveyor, kNonce, is_in_sync, links, now);
    data.check_invariants();
  }
  bool stop() {
    const bool did = data.stop(kSurveyor, kNonce, is_validator, links, now);
    data.check_invariants();
    return did;
  }
  bool advance() {
    const bool did = data.advance(is_validator, links, now);
    data.check_invariants();
    return did;
  }
  // One that is connected while the phase lasts.
  void add(std::uint64_t number) {
    links.push_back(snapshot(number));
    data.on_link_added();
  }
  void drop(std::uint64_t number) {
    std::erase_if(links, [&](const PeerSnapshot& link) { return link.node == nth_node(number); });
    data.on_link_dropped(nth_node(number));
  }
};

TEST_CASE("before a survey there is none", "[survey_data]") {
  Data t;
  CHECK(t.data.phase() == SurveyPhase::kInactive);
  CHECK_FALSE(t.data.is_active());
  CHECK_FALSE(t.data.is_reporting(0));
  CHECK(t.data.surveyor().is_zero());
  CHECK(t.data.next_deadline().is_never());
  CHECK_FALSE(t.stop());
  t.pass(std::chrono::hours(10));
  CHECK_FALSE(t.advance());
}

TEST_CASE("a survey collects, reports when it is stopped, and ends by itself", "[survey_data]") {
  Data t;
  t.begin();
  CHECK(t.data.is_collecting());
  CHECK(t.data.is_active());
  CHECK(t.data.surveyor() == kSurveyor);
  CHECK(t.data.nonce() == kNonce);
  CHECK(t.data.phase_began() == t.now.unix_time);
  CHECK(t.data.phase_ends() == UnixTime{1'800'000'000 + 30 * 60});
  CHECK(t.data.next_deadline() == t.now.instant + std::chrono::minutes(30));
  CHECK_FALSE(t.data.is_reporting(kNonce));
  t.pass(seconds(90));
  CHECK(t.stop());
  CHECK(t.data.phase() == SurveyPhase::kReporting);
  CHECK(t.data.is_reporting(kNonce));
  CHECK_FALSE(t.data.is_reporting(kNonce + 1));
  CHECK(t.data.phase_began() == UnixTime{1'800'000'090});
  CHECK(t.data.phase_ends() == UnixTime{1'800'000'090 + 3 * 3600});
  CHECK_FALSE(t.stop());
  t.pass(std::chrono::hours(3) - milliseconds(1));
  CHECK_FALSE(t.advance());
  t.pass(milliseconds(1));
  CHECK(t.data.next_deadline() == t.now.instant);
  CHECK(t.advance());
  CHECK_FALSE(t.data.is_active());
  CHECK(t.data.surveyor().is_zero());
  CHECK(t.data.next_deadline().is_never());
  CHECK_FALSE(t.advance());
}

TEST_CASE("a survey that nobody stops reports after thirty minutes", "[survey_data]") {
  Data t;
  t.begin();
  t.pass(std::chrono::minutes(30) - milliseconds(1));
  CHECK_FALSE(t.advance());
  CHECK(t.data.is_collecting());
  t.pass(milliseconds(1));
  CHECK(t.advance());
  CHECK(t.data.is_reporting(kNonce));
  CHECK(t.data.next_deadline() == t.now.instant + std::chrono::hours(3));
}

TEST_CASE("only the survey that collects is stopped", "[survey_data]") {
  Data t;
  t.begin();
  CHECK_FALSE(t.data.stop(nth_node(1), kNonce, false, t.links, t.now));
  CHECK_FALSE(t.data.stop(kSurveyor, kNonce + 1, false, t.links, t.now));
  CHECK(t.data.is_collecting());
  CHECK(t.stop());
}

TEST_CASE("counters are what was counted during the phase, seconds are in all", "[survey_data]") {
  Data t;
  t.links = {snapshot(1, Direction::kInbound, 1000), snapshot(2, Direction::kOutbound, 2000)};
  t.begin();
  t.links = {snapshot(1, Direction::kInbound, 1100), snapshot(2, Direction::kOutbound, 2000)};
  t.links[0].messages_read += 1;
  t.links[0].duplicate_fetch_messages += 2;
  t.links[0].connected_for = milliseconds(123'999);
  REQUIRE(t.stop());
  REQUIRE(t.data.inbound().size() == 1);
  REQUIRE(t.data.outbound().size() == 1);
  SurveyedLink expected;
  expected.node = nth_node(1);
  expected.version = "1v";
  expected.messages_read = 101;
  expected.messages_written = expected.bytes_read = expected.bytes_written = 100;
  expected.unique_flood_bytes = expected.duplicate_flood_bytes = 100;
  expected.unique_fetch_bytes = expected.duplicate_fetch_bytes = 100;
  expected.unique_flood_messages = expected.duplicate_flood_messages = expected.unique_fetch_messages = 100;
  expected.duplicate_fetch_messages = 102;
  expected.seconds_connected = 123;
  CHECK(t.data.inbound()[0] == expected);
  SurveyedLink quiet;
  quiet.node = nth_node(2);
  quiet.version = "2v";
  CHECK(t.data.outbound()[0] == quiet);
}

TEST_CASE("each counter is told as itself", "[survey_data]") {
  Data t;
  t.links = {snapshot(1, Direction::kInbound, 0)};
  t.links[0] = {};
  t.links[0].node = nth_node(1);
  t.begin();
  t.links = {snapshot(1, Direction::kInbound, 0)};
  REQUIRE(t.stop());
  const SurveyedLink& link = t.data.inbound().at(0);
  CHECK(std::vector{link.messages_read, link.messages_written, link.bytes_read, link.bytes_written} ==
        std::vector<std::uint64_t>{1, 2, 3, 4});
  CHECK(std::vector{link.unique_flood_bytes, link.duplicate_flood_bytes, link.unique_fetch_bytes,
                    link.duplicate_fetch_bytes} == std::vector<std::uint64_t>{5, 6, 7, 8});
  CHECK(std::vector{link.unique_flood_messages, link.duplicate_flood_messages, link.unique_fetch_messages,
                    link.duplicate_fetch_messages} == std::vector<std::uint64_t>{9, 10, 11, 12});
}

TEST_CASE("links that come or go are counted and not told of", "[survey_data]") {
  Data t;
  t.links = snapshots(1, 3, Direction::kInbound);
  t.data.on_link_added();  // before the phase: of no account
  t.data.on_link_dropped(nth_node(9));
  t.begin();
  t.add(10);
  t.drop(2);
  t.drop(3);
  t.add(3);  // comes again
  REQUIRE(t.stop());
  CHECK(nodes_of(t.data.inbound()) == std::vector{nth_node(1)});
  CHECK(t.data.node().added_peers == 2);
  CHECK(t.data.node().dropped_peers == 2);
  CHECK(t.data.node().total_inbound == 1);
  CHECK(t.data.node().total_outbound == 0);
}

TEST_CASE("one that comes and goes in the phase is counted twice", "[survey_data]") {
  Data t;
  t.begin();
  t.add(1);
  t.drop(1);
  REQUIRE(t.stop());
  CHECK(t.data.node().added_peers == 1);
  CHECK(t.data.node().dropped_peers == 1);
}

TEST_CASE("what is told is fixed once reporting begins", "[survey_data]") {
  Data t;
  t.links = snapshots(1, 3, Direction::kOutbound);
  t.begin();
  REQUIRE(t.stop());
  const SurveyedNode before = t.data.node();
  t.add(10);
  t.drop(2);
  t.data.on_lost_sync();
  t.data.on_latency(nth_node(1), milliseconds(50));
  t.data.on_externalized_by_us(1, t.now.instant);
  CHECK(t.data.node() == before);
  CHECK(t.data.page(0, 0).outbound.size() == 3);
  CHECK(t.data.page(0, 0).outbound[0].average_latency_ms == 0);
}

TEST_CASE("the median of a link's pings in the phase is told", "[survey_data]") {
  Data t;
  t.links = snapshots(1, 2, Direction::kInbound);
  t.data.on_latency(nth_node(1), milliseconds(1));  // before the phase
  t.begin();
  for (const int ms : {30, 10, 20}) t.data.on_latency(nth_node(1), milliseconds(ms));
  t.data.on_latency(nth_node(99), milliseconds(5));
  REQUIRE(t.stop());
  CHECK(t.data.inbound()[0].average_latency_ms == 20);
  CHECK(t.data.inbound()[1].average_latency_ms == 0);
}

TEST_CASE("losses of sync are counted, and being out of it at the begin is one", "[survey_data]") {
  Data t;
  t.data.on_lost_sync();
  const bool is_in_sync = GENERATE(true, false);
  t.begin(is_in_sync);
  t.data.on_lost_sync();
  t.data.on_lost_sync();
  REQUIRE(t.stop());
  CHECK(t.data.node().lost_sync_count == (is_in_sync ? 2 : 3));
}

TEST_CASE("who it is and what it is configured with is told as of the end of the phase", "[survey_data]") {
  Data t;
  t.is_validator = GENERATE(true, false);
  t.begin();
  REQUIRE(t.stop());
  CHECK(t.data.node().is_validator == t.is_validator);
  CHECK(t.data.node().max_inbound == 40);
  CHECK(t.data.node().max_outbound == 8);
}

TEST_CASE("the third quarter of the latencies of the phase is told", "[survey_data]") {
  Data t;
  const auto at = [&](std::int64_t ms) { return t.now.instant + milliseconds(ms); };
  t.data.on_externalized(1, nth_node(1), at(0));
  t.data.on_externalized_by_us(1, at(900));          // before the phase
  t.data.on_externalized(2, nth_node(1), at(1000));  // the slot's first, still before it
  t.begin();
  t.data.on_externalized_by_us(2, at(1010));
  for (std::uint64_t slot = 3; slot <= 5; ++slot) {
    t.data.on_externalized(slot, nth_node(1), at(2000));
    t.data.on_externalized_by_us(slot, at(2000 + static_cast<std::int64_t>(slot) * 10));
    t.data.on_externalized(slot, nth_node(2), at(2000 + static_cast<std::int64_t>(slot) * 100));
  }
  REQUIRE(t.stop());
  CHECK(t.data.node().p75_scp_first_to_self_ms == 40);   // of 10, 30, 40, 50
  CHECK(t.data.node().p75_scp_self_to_other_ms == 500);  // of 300, 400, 500
}

TEST_CASE("pages are cut in the order of the nodes, and never past the end", "[survey_data]") {
  Data t;
  t.links = snapshots(100, 60, Direction::kInbound);
  std::ranges::reverse(t.links);
  for (const PeerSnapshot& link : snapshots(200, 26, Direction::kOutbound)) t.links.push_back(link);
  t.begin();
  REQUIRE(t.stop());
  const auto sizes = [&](std::uint32_t inbound, std::uint32_t outbound) {
    const wire::SurveyTopology page = t.data.page(inbound, outbound);
    CHECK(page.node == t.data.node());
    return std::pair{page.inbound.size(), page.outbound.size()};
  };
  using Sizes = std::pair<std::size_t, std::size_t>;
  CHECK(sizes(0, 0) == Sizes{25, 25});
  CHECK(sizes(25, 25) == Sizes{25, 1});
  CHECK(sizes(50, 26) == Sizes{10, 0});
  CHECK(sizes(59, 27) == Sizes{1, 0});
  CHECK(sizes(60, UINT32_MAX) == Sizes{0, 0});
  CHECK(sizes(UINT32_MAX, 3) == Sizes{0, 23});
  std::vector<NodeId> told;
  for (const std::uint32_t index : {0U, 25U, 50U})
    for (const NodeId& node : nodes_of(t.data.page(index, 0).inbound)) told.push_back(node);
  std::vector<NodeId> all;
  for (std::uint64_t i = 0; i < 60; ++i) all.push_back(nth_node(100 + i));
  CHECK(told == all);
  CHECK(t.data.node().total_inbound == 60);
  CHECK(t.data.node().total_outbound == 26);
}

TEST_CASE("nothing of one survey is told in the next", "[survey_data]") {
  Data t;
  t.links = snapshots(1, 2, Direction::kInbound);
  t.begin(false);
  t.add(3);
  t.drop(1);
  t.data.on_latency(nth_node(2), milliseconds(9));
  t.data.on_externalized(1, nth_node(1), t.now.instant);
  t.data.on_externalized_by_us(1, t.now.instant + milliseconds(70));
  t.data.on_externalized(1, nth_node(2), t.now.instant + milliseconds(80));
  REQUIRE(t.stop());
  REQUIRE(t.data.node().p75_scp_first_to_self_ms == 70);
  t.pass(std::chrono::hours(3));
  REQUIRE(t.advance());
  t.begin();
  REQUIRE(t.stop());
  SurveyedNode fresh;
  fresh.total_inbound = 2;
  fresh.max_inbound = 40;
  fresh.max_outbound = 8;
  CHECK(t.data.node() == fresh);
  CHECK(nodes_of(t.data.inbound()) == std::vector{nth_node(2), nth_node(3)});
  CHECK(t.data.inbound()[0].average_latency_ms == 0);
}

TEST_CASE("a survey that is taken up ends when it would have", "[survey_data]") {
  Data t;
  t.links = snapshots(1, 2, Direction::kInbound);
  SECTION("while it collects") {
    const UnixTime began{t.now.unix_time.seconds - 60};
    t.data.resume(SurveyPhase::kCollecting, kSurveyor, kNonce, true, t.links, began, t.now);
    t.data.check_invariants();
    CHECK(t.data.is_collecting());
    CHECK(t.data.phase_began() == began);
    CHECK(t.data.next_deadline() == t.now.instant + std::chrono::minutes(29));
    CHECK(t.stop());
    CHECK(t.data.inbound().size() == 2);
  }
  SECTION("while it reports") {
    const UnixTime began{t.now.unix_time.seconds - 3600};
    t.data.resume(SurveyPhase::kReporting, kSurveyor, kNonce, true, t.links, began, t.now);
    t.data.check_invariants();
    CHECK(t.data.is_reporting(kNonce));
    CHECK(t.data.phase_ends() == UnixTime{began.seconds + 3 * 3600});
    CHECK(t.data.page(0, 0).inbound.empty());
    CHECK(t.data.next_deadline() == t.now.instant + std::chrono::hours(2));
  }
  SECTION("when its time is over already") {
    const UnixTime began{t.now.unix_time.seconds - 3 * 3600};
    t.data.resume(SurveyPhase::kReporting, kSurveyor, kNonce, true, t.links, began, t.now);
    CHECK(t.advance());
    CHECK_FALSE(t.data.is_active());
  }
  SECTION("when the clock was put back") {
    const UnixTime began{t.now.unix_time.seconds + 1'000'000};
    t.data.resume(SurveyPhase::kCollecting, kSurveyor, kNonce, true, t.links, began, t.now);
    CHECK(t.data.next_deadline() <= t.now.instant + std::chrono::minutes(30));
  }
}

}  // namespace
}  // namespace overlayd::survey
