#include "core/survey/surveyor.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/surveyor_fixture.h"

namespace overlayd::survey {
namespace {

TEST_CASE("before a survey there is no result, and nothing to do", "[surveyor]") {
  Surveying t;
  CHECK_FALSE(t.surveyor->has_result());
  CHECK_FALSE(t.surveyor->is_asking());
  CHECK_FALSE(t.surveyor->is_running());
  CHECK_FALSE(t.surveyor->end("why"));
  CHECK(t.surveyor->next_deadline().is_never());
  CHECK(t.status() == SurveyStatus{});
  CHECK(t.ask_all().empty());
  t.store();
  CHECK(t.disk.stored.empty());
}

TEST_CASE("each time asking begins there is a new key", "[surveyor]") {
  Surveying t;
  t.begin();
  CHECK_FALSE(t.surveyor->is_asking());
  t.begin_asking();
  REQUIRE(t.surveyor->is_asking());
  const auto first = t.surveyor->public_key();
  REQUIRE(t.surveyor->end("why"));
  CHECK_FALSE(t.surveyor->is_asking());
  t.surveyor->resume_asking(t.entropy, t.phase_ends, t.now);
  CHECK(t.surveyor->public_key() != first);
}

TEST_CASE("what was sealed for a key that is gone is not read", "[surveyor]") {
  Surveying t;
  t.begin();
  t.begin_asking();
  REQUIRE(t.surveyor->request({{}, nth_node(1), 0, 0}) == Crawl::Queued::kQueued);
  REQUIRE(t.ask_all().size() == 1);
  const auto sealed =
      crypto::seal(t.surveyor->public_key(), wire::write_survey_topology(whole({link_to(0)})), t.entropy);
  REQUIRE(sealed);
  t.surveyor->end("why");
  CHECK(t.respond(1, *sealed) == Crawl::Answered::kIgnored);
  t.surveyor->resume_asking(t.entropy, t.phase_ends, t.now);
  CHECK(t.respond(1, *sealed) == Crawl::Answered::kIgnored);
  CHECK_FALSE(t.node(1)->stats);
}

TEST_CASE("ten requests in fifteen seconds", "[surveyor]") {
  Surveying t;
  t.ask_ten();
  CHECK(t.surveyor->next_deadline() <= t.now.instant + seconds(15));
  t.pass_ledger(seconds(5));
  t.pass_ledger(milliseconds(9'999));
  CHECK(t.ask_all().empty());
  t.pass(milliseconds(1));
  CHECK(t.ask_all().size() == 10);
  CHECK(t.status().requests_sent == 20);
}

TEST_CASE("ten requests in one ledger, however long it lasts", "[surveyor]") {
  Surveying t;
  t.ask_ten();
  t.pass(seconds(20));
  t.advance();
  CHECK(t.ask_all().empty());
  CHECK_FALSE(t.status().why.empty());  // what it waits for
  CHECK(t.surveyor->next_deadline() > t.now.instant);
  ++t.ledger;
  CHECK(t.ask_all().size() == 10);
}

TEST_CASE("an end and a new begin do not change the pace", "[surveyor]") {
  Surveying t;
  t.ask_ten();
  t.surveyor->end("somebody ended it");
  t.surveyor->begin_run(seconds(10), t.phase, t.phase_began, t.now);
  t.surveyor->resume_asking(t.entropy, t.phase_ends, t.now);
  CHECK(t.ask_all().empty());
  ++t.ledger;
  CHECK(t.ask_all().empty());
  t.pass(seconds(15));
  CHECK(t.ask_all().size() == 10);
}

TEST_CASE("the fifteen seconds begin with the first request", "[surveyor]") {
  Surveying t;
  t.begin();
  t.begin_asking();
  std::uint64_t last = 100;
  const auto requests_of = [&](int count) {
    for (int i = 0; i < count; ++i)
      REQUIRE(t.surveyor->request({{}, nth_node(++last), 0, 0}) == Crawl::Queued::kQueued);
  };
  t.pass(milliseconds(14'900));
  requests_of(4);
  CHECK(t.ask_all().size() == 4);
  requests_of(30);
  t.pass(seconds(10));
  ++t.ledger;
  CHECK(t.ask_all().size() == 6);
  t.advance();
  CHECK(t.surveyor->next_deadline() == t.now.instant + seconds(5));
  t.pass(milliseconds(4'999));
  ++t.ledger;
  CHECK(t.ask_all().empty());
  t.pass(milliseconds(1));
  CHECK(t.ask_all().size() == 10);
}

TEST_CASE("two runs of one second are two", "[surveyor]") {
  Surveying t;
  t.begin_run(seconds(10));
  const UnixTime first = t.status().run_began;
  t.surveyor->end("somebody ended it");
  t.begin_run(seconds(10));
  CHECK(t.status().run_began > first);
  REQUIRE(t.restart());
  const UnixTime second = t.status().run_began;
  t.surveyor->end("somebody ended it");
  t.begin_run(seconds(10));
  CHECK(t.status().run_began > second);
}

TEST_CASE("a run that was ended while it collected is not asked for when the phase is over", "[surveyor]") {
  Surveying t;
  t.begin_run(minutes(10));
  t.surveyor->end("somebody ended it");
  t.begin_asking();
  CHECK_FALSE(t.surveyor->is_asking());
  CHECK(t.node(0)->state == SurveyNodeState::kComplete);  // we ourselves are in the result
  CHECK(t.ask_all().empty());
}

TEST_CASE("nothing is asked while no peer is connected", "[surveyor]") {
  Surveying t;
  t.begin_run(seconds(10));
  t.begin_asking();
  t.peers.clear();
  CHECK(t.ask_all().empty());
  CHECK_FALSE(t.status().why.empty());
  t.pass_ledger(seconds(200));
  CHECK(t.ask_all().empty());
  CHECK(t.surveyor->next_deadline() > t.now.instant);
  CHECK(t.node(1)->requests == 0);
  t.peers = kPeers;
  CHECK(t.ask_all().size() == 3);
}

TEST_CASE("a run that has nobody to ask goes on until a peer is there", "[surveyor]") {
  Surveying t;
  t.begin_run(seconds(10));
  t.peers.clear();
  t.begin_asking({});
  t.advance();
  CHECK(t.status().run == SurveyRun::kCrawling);
  t.peers = kPeers;
  t.pass_ledger();
  CHECK(t.ask_all() == kPeers);
}

TEST_CASE("a run stops collecting when its time is over", "[surveyor]") {
  Surveying t;
  t.begin_run(minutes(5));
  CHECK(t.surveyor->is_running());
  CHECK(t.status().run == SurveyRun::kCollecting);
  CHECK(t.status().time_left.has_value());
  CHECK_FALSE(t.surveyor->is_stop_due(t.now.instant));
  CHECK(t.surveyor->next_deadline() == t.now.instant + minutes(5));
  t.pass(minutes(5) - milliseconds(1));
  CHECK_FALSE(t.surveyor->is_stop_due(t.now.instant));
  t.pass(milliseconds(1));
  CHECK(t.surveyor->is_stop_due(t.now.instant));
  t.begin_asking();
  CHECK(t.status().run == SurveyRun::kCrawling);
  CHECK_FALSE(t.surveyor->is_stop_due(t.now.instant));
}

TEST_CASE("a run that takes over a survey counts from its begin", "[surveyor]") {
  Surveying t;
  t.begin();
  t.pass(minutes(2));
  t.surveyor->begin_run(minutes(5), t.phase, t.phase_began, t.now);
  CHECK_FALSE(t.surveyor->is_stop_due(t.now.instant + (minutes(3) - seconds(2))));
  CHECK(t.surveyor->is_stop_due(t.now.instant + minutes(3) + seconds(2)));
}

TEST_CASE("a run that takes over a survey that reports asks everybody at once", "[surveyor]") {
  Surveying t;
  t.begin();
  t.begin_asking();
  CHECK(t.ask_all().empty());
  CHECK_FALSE(t.surveyor->is_running());
  t.surveyor->begin_run(minutes(5), t.phase, t.phase_began, t.now);
  CHECK(t.status().run == SurveyRun::kCrawling);
  CHECK(t.ask_all().size() == 3);
}

TEST_CASE("a run is done when nobody is left to ask", "[surveyor]") {
  Surveying t;
  t.begin_run(seconds(10));
  t.begin_asking(links_to(1, 2));
  REQUIRE(t.ask_all().size() == 2);
  CHECK(t.answer(1, whole({link_to(0)})));
  t.advance();
  CHECK(t.surveyor->is_running());
  CHECK(t.answer(2, whole({link_to(0)})));
  CHECK(t.surveyor->next_deadline() <= t.now.instant + limits::kSurveyBatchPeriod);  // whether or not a ledger comes
  t.advance();
  const SurveyStatus status = t.status();
  CHECK(status.run == SurveyRun::kDone);
  CHECK(status.why.empty());
  CHECK_FALSE(status.is_asking);
  CHECK(status.nodes_complete == 3);
  CHECK(status.responses == 2);
  CHECK_FALSE(status.time_left);
  CHECK(t.surveyor->next_deadline().is_never());
}

TEST_CASE("a run that nobody answers is done too, and the peers that stayed are unpermitting", "[surveyor]") {
  Surveying t;
  t.begin_run(seconds(10));
  t.begin_asking(links_to(1, 3));
  t.peers = {nth_node(1), nth_node(2)};  // 3 is gone
  for (int i = 0; i < 40 && t.surveyor->is_running(); ++i) {
    t.ask_all();
    t.pass_ledger();
    if (i == 3) t.peers = kPeers;  // now 2 as well
  }
  CHECK(t.status().run == SurveyRun::kDone);
  CHECK(t.node(1)->problem == SurveyProblem::kUnpermitted);
  CHECK(t.node(2)->problem == SurveyProblem::kSilent);
  CHECK(t.node(3)->problem == SurveyProblem::kSilent);
  CHECK(t.node(1)->requests == 3);
}

TEST_CASE("a run ends with the reporting phase", "[surveyor]") {
  Surveying t;
  t.begin_run(seconds(10));
  t.begin_asking();
  REQUIRE(t.ask_all().size() == 3);
  REQUIRE(t.answer(1, whole({link_to(0)})));
  t.pass_ledger(hours(3));
  const SurveyStatus status = t.status();
  CHECK(status.run == SurveyRun::kEnded);
  CHECK_FALSE(status.why.empty());
  CHECK_FALSE(status.is_asking);
  CHECK(t.node(1)->state == SurveyNodeState::kComplete);
  CHECK(t.node(2)->state == SurveyNodeState::kFailed);
}

TEST_CASE("somebody ends a run", "[surveyor]") {
  Surveying t;
  t.begin_run(seconds(10));
  SECTION("while it collects") {}
  SECTION("while it crawls") { t.begin_asking(); }
  CHECK(t.surveyor->end("enough"));
  CHECK(t.status().run == SurveyRun::kEnded);
  CHECK(t.status().why == "enough");
  CHECK_FALSE(t.surveyor->is_asking());
  CHECK_FALSE(t.surveyor->end("again"));
  CHECK(t.ask_all().empty());
  CHECK_FALSE(t.surveyor->is_stop_due(t.now.instant + hours(1)));
}

TEST_CASE("requests of clients are served with a run or without", "[surveyor]") {
  Surveying t;
  t.begin();
  t.begin_asking();
  REQUIRE(t.surveyor->request({{}, nth_node(50), 25, 75}) == Crawl::Queued::kQueued);
  const auto ask = t.surveyor->next(t.ledger, true, t.now.instant);
  REQUIRE(ask);
  t.asked_in[ask->node] = t.ledger;
  CHECK(ask->node == nth_node(50));
  CHECK(ask->inbound_index == 25);
  CHECK(ask->outbound_index == 75);
  CHECK(t.ask_all().empty());
  CHECK(t.answer(50, whole({link_to(60)})));
  t.advance();
  CHECK(t.surveyor->is_asking());  // nothing ends by itself without a run
  CHECK(t.ask_all().empty());
  CHECK(t.node(60) != nullptr);
}

TEST_CASE("a run asks anew, page by page, whom a client asked in vain", "[surveyor]") {
  Surveying t;
  t.begin();
  t.begin_asking({});
  REQUIRE(t.surveyor->request({{}, nth_node(1), 0, 0}) == Crawl::Queued::kQueued);
  for (int i = 0; i < 60; ++i) {
    t.ask_all();
    t.pass_ledger();
  }
  REQUIRE(t.node(1)->problem == SurveyProblem::kSilent);
  t.surveyor->begin_run(seconds(10), t.phase, t.phase_began, t.now);
  REQUIRE(t.ask_all() == kPeers);
  REQUIRE(t.answer(1, page(links_to(100, 25), {}, 40, 0)));
  t.pass_ledger(seconds(15));
  std::optional<Crawl::Ask> second;
  while (!second || second->node != nth_node(1)) {
    second = t.surveyor->next(t.ledger, true, t.now.instant);
    if (!second) t.pass_ledger(seconds(15));
  }
  CHECK(second->inbound_index == 25);
}

TEST_CASE("an answer that does not open, or opens to garbage, is bad and counted", "[surveyor]") {
  Surveying t;
  t.begin_run(seconds(10));
  t.begin_asking();
  REQUIRE(t.ask_all().size() == 3);
  CHECK(t.respond(1, {}) == Crawl::Answered::kBad);
  CHECK(t.respond(2, Bytes(300, 7)) == Crawl::Answered::kBad);
  const auto garbage = crypto::seal(t.surveyor->public_key(), Bytes(300, 7), t.entropy);
  CHECK(t.respond(3, *garbage) == Crawl::Answered::kBad);
  CHECK(t.status().bad_responses == 3);
  CHECK(t.status().responses == 0);
  for (const std::uint64_t number : {1U, 2U, 3U}) CHECK(t.node(number)->bad_responses == 1);
}

TEST_CASE("the time that is left is an estimate that falls", "[surveyor]") {
  Surveying t;
  t.begin_run(minutes(5));
  CHECK(t.status().time_left >= Duration(minutes(5)));
  t.begin_asking(links_to(1, 95));
  const auto first = t.status().time_left;
  REQUIRE(first);
  CHECK(*first >= seconds(15) * 9);
  CHECK(*first < minutes(10));
  std::optional<Duration> last = first;
  for (int i = 0; i < 9; ++i) {
    for (const NodeId& node : t.ask_all()) {
      const auto sealed =
          crypto::seal(t.surveyor->public_key(), wire::write_survey_topology(whole({link_to(0)})), t.entropy);
      REQUIRE(t.surveyor->on_response(node, t.ledger, *sealed) == Crawl::Answered::kGood);
    }
    t.pass_ledger(seconds(15));
    const auto left = t.status().time_left;
    REQUIRE(left);
    CHECK(*left < *last);
    last = left;
  }
}

TEST_CASE("the result stays until the next survey of ours begins", "[surveyor]") {
  Surveying t;
  t.begin_run(seconds(10));
  t.begin_asking(links_to(1, 1));
  t.surveyor->note_rival(nth_node(99));
  REQUIRE(t.ask_all().size() == 1);
  REQUIRE(t.answer(1, whole({link_to(0)})));
  t.advance();
  REQUIRE(t.status().run == SurveyRun::kDone);
  CHECK(t.surveyor->nodes().size() == 2);
  CHECK(t.status().rival == nth_node(99));
  t.surveyor->begin(8);
  CHECK(t.surveyor->nodes().empty());
  CHECK(t.status().result_nonce == 8);
  CHECK(t.status().run == SurveyRun::kNone);
  CHECK(t.status().requests_sent == 0);
  CHECK(t.status().rival.is_zero());
}

TEST_CASE("only what has changed is stored, and a new survey says so", "[surveyor]") {
  Surveying t;
  t.begin_run(seconds(10));
  const auto stored = [&] {
    Outputs out;
    t.surveyor->store(t.phase, t.phase_began, out);
    std::pair<std::size_t, std::size_t> counts;
    for (const Output& output : out) {
      if (const auto* state = std::get_if<StoreSurvey>(&output)) counts.first += state->is_new ? 10 : 1;
      if (std::holds_alternative<StoreSurveyNode>(output)) ++counts.second;
    }
    return counts;
  };
  using Counts = std::pair<std::size_t, std::size_t>;
  CHECK(stored() == Counts{10, 0});
  CHECK(stored() == Counts{0, 0});
  t.begin_asking(links_to(1, 2));
  CHECK(stored() == Counts{1, 3});
  REQUIRE(t.surveyor->next(t.ledger, true, t.now.instant));
  CHECK(stored() == Counts{1, 1});
  CHECK(stored() == Counts{0, 0});
}

TEST_CASE("a change of the status is told once", "[surveyor]") {
  Surveying t;
  CHECK_FALSE(t.surveyor->take_changed());
  t.begin();
  CHECK(t.surveyor->take_changed());
  CHECK_FALSE(t.surveyor->take_changed());
  t.begin_asking();
  CHECK(t.surveyor->take_changed());
  REQUIRE(t.surveyor->request({{}, nth_node(1), 0, 0}) == Crawl::Queued::kQueued);
  CHECK(t.surveyor->take_changed());
  REQUIRE(t.ask_all().size() == 1);
  CHECK(t.surveyor->take_changed());
  REQUIRE(t.answer(1, whole({link_to(0)})));
  CHECK(t.surveyor->take_changed());
  t.surveyor->note_rival(nth_node(9));
  CHECK(t.surveyor->take_changed());
  t.surveyor->end("why");
  CHECK(t.surveyor->take_changed());
  CHECK_FALSE(t.surveyor->take_changed());
}

}  // namespace
}  // namespace overlayd::survey
