// A survey of ours that the next process goes on with.
#include "tests/unit/survey_fixture.h"

namespace overlayd::survey {
namespace {

struct Resumed : SurveyFixture {
  void write(const Outputs& out) {
    for (const Output& output : out) {
      if (const auto* state = std::get_if<StoreSurvey>(&output)) {
        if (state->is_new) options.stored_nodes.clear();
        options.stored = state->record;
      }
      if (const auto* node = std::get_if<StoreSurveyNode>(&output)) {
        std::erase_if(options.stored_nodes, [&](const StoreSurveyNode& old) { return old.node == node->node; });
        options.stored_nodes.push_back(*node);
      }
    }
  }
  // Orders and time whose outputs reach the disk.
  template <typename Order>
  RequestStatus give(Order order) {
    const RequestStatus status = this->order(order).status;
    write(outputs);
    return status;
  }
  void wait(Duration time) {
    pass(time);
    write(outputs);
  }
  // The next process, `later`: it knows no ledger yet and has no peer.
  void restart(Duration later) {
    now.unix_time.seconds += static_cast<std::uint64_t>(std::chrono::duration_cast<seconds>(later).count());
    now.instant = Instant(seconds(5));
    links_before = std::exchange(links, {});
    ledger_before = std::exchange(ledger, {});
    options.entropy = std::make_shared<test::CountingEntropy>(++seed);
    build();
  }
  void come_back() {
    links = links_before;
    ledger = ledger_before;
    ledger.sequence += 5;
    survey->on_ledger(true, now, effects());
    write(outputs);
    survey->check_invariants();
  }
  std::vector<PeerSnapshot> links_before;
  LedgerView ledger_before;
  std::uint64_t seed = 100;
};

TEST_CASE("a run that collected stops when it would have", "[survey]") {
  Resumed t;
  REQUIRE(t.give(RunSurvey{{}, minutes(5)}) == RequestStatus::kAccepted);
  const std::uint32_t nonce = t.status().nonce;
  t.restart(minutes(2));
  CHECK(t.status().phase == SurveyPhase::kCollecting);
  CHECK(t.status().is_ours);
  CHECK(t.status().nonce == nonce);
  CHECK(t.status().run == SurveyRun::kCollecting);
  t.come_back();
  t.wait(minutes(3) - seconds(2));
  CHECK(t.sent(MessageType::kTimeSlicedSurveyStopCollecting).empty());
  t.wait(seconds(4));
  REQUIRE(t.sent(MessageType::kTimeSlicedSurveyStopCollecting).size() == 1);
  CHECK(t.status().run == SurveyRun::kCrawling);
}

TEST_CASE("a stop that fell due meanwhile waits until somebody can hear it", "[survey]") {
  Resumed t;
  REQUIRE(t.give(RunSurvey{{}, minutes(5)}) == RequestStatus::kAccepted);
  t.restart(minutes(10));
  for (int i = 0; i < 20; ++i) {
    REQUIRE(t.survey->next_deadline() + seconds(1) > t.now.instant);
    t.wait(seconds(1));
    CHECK(t.broadcasts.empty());
  }
  SECTION("peers before the ledger") {
    t.links = t.links_before;
    t.wait(seconds(20));
    CHECK(t.broadcasts.empty());
  }
  SECTION("the ledger before peers") {
    t.ledger = t.ledger_before;
    t.survey->on_ledger(true, t.now, t.effects());
    CHECK(t.broadcasts.empty());
    t.wait(seconds(20));
    CHECK(t.broadcasts.empty());
  }
  CHECK(t.status().phase == SurveyPhase::kCollecting);
  t.come_back();
  t.wait(seconds(16));
  // With the ledger at once, or a little later.
  CHECK(t.status().phase == SurveyPhase::kReporting);
  CHECK(t.status().run == SurveyRun::kCrawling);
  CHECK(t.node(id_of(1)) != nullptr);
  CHECK(t.node(id_of(1))->requests == 1);
}

TEST_CASE("a run that crawled asks those that are not known, under a new key", "[survey]") {
  Resumed t;
  REQUIRE(t.give(RunSurvey{{}, seconds(1)}) == RequestStatus::kAccepted);
  t.wait(seconds(1));
  const auto before = t.asked();
  REQUIRE(before.size() == 2);
  REQUIRE(t.is_taken(t.answer(before[0].surveyed == id_of(1) ? 1 : 2, before[0], whole({link_to(7)}))));
  t.write(t.outputs);
  t.restart(minutes(1));
  CHECK(t.status().run == SurveyRun::kCrawling);
  CHECK(t.status().nodes_complete == 2);
  t.wait(seconds(20));
  CHECK(t.broadcasts.empty());
  CHECK(t.node(before[1].surveyed)->requests == 1);
  t.come_back();
  std::vector<wire::SurveyRequest> after = t.asked();
  for (int i = 0; i < 10 && after.empty(); ++i) {
    t.wait(seconds(5));
    after = t.asked();
  }
  const auto again = std::ranges::find(after, before[1].surveyed, &wire::SurveyRequest::surveyed);
  REQUIRE(again != after.end());
  CHECK(std::ranges::count(after, before[0].surveyed, &wire::SurveyRequest::surveyed) == 0);
  CHECK(std::ranges::count(after, nth_node(7), &wire::SurveyRequest::surveyed) == 1);
  CHECK(again->encryption_key != before[1].encryption_key);
  CHECK(again->nonce == before[1].nonce);
  CHECK(t.is_taken(t.answer(before[1].surveyed == id_of(1) ? 1 : 2, *again, whole({}))));
  CHECK(t.node(before[1].surveyed)->state == SurveyNodeState::kComplete);
}

TEST_CASE("a survey whose time is over leaves its result", "[survey]") {
  Resumed t;
  REQUIRE(t.give(RunSurvey{{}, seconds(1)}) == RequestStatus::kAccepted);
  t.wait(seconds(1));
  t.restart(hours(4));
  t.come_back();
  CHECK(t.status().phase == SurveyPhase::kInactive);
  CHECK(t.status().has_result);
  CHECK(t.status().run == SurveyRun::kEnded);
  CHECK_FALSE(t.status().why.empty());
  CHECK_FALSE(t.status().is_asking);
  CHECK(t.survey->result(t.now.instant).nodes.size() == 3);
  CHECK(t.node(id_of(1))->problem == SurveyProblem::kSilent);  // asked, and then it was over
  CHECK(t.is_relayed(t.start()));
}

TEST_CASE("a survey that collected when the process ended, and reports by now, is asked", "[survey]") {
  Resumed t;
  REQUIRE(t.give(RunSurvey{{}, minutes(5)}) == RequestStatus::kAccepted);
  const UnixTime began = t.now.unix_time;
  t.restart(minutes(40));
  CHECK(t.status().phase == SurveyPhase::kReporting);
  CHECK(t.status().phase_ends.seconds == began.seconds + 3 * 3600 + 1800);
  t.come_back();
  for (int i = 0; i < 5 && t.asked().empty(); ++i) t.wait(seconds(5));
  CHECK(t.asked().size() == 2);
  REQUIRE(t.node(id_of(kOurs)) != nullptr);
  CHECK_FALSE(t.node(id_of(kOurs))->detail.empty());
}

TEST_CASE("what a former process counted for us is told as lost, not as nothing", "[survey]") {
  Resumed t;
  REQUIRE(t.give(RunSurvey{{}, minutes(5)}) == RequestStatus::kAccepted);
  t.restart(minutes(2));
  t.come_back();
  t.wait(minutes(3) + seconds(1));
  REQUIRE(t.status().phase == SurveyPhase::kReporting);
  CHECK(t.node(id_of(kOurs))->problem == SurveyProblem::kNotAsked);
  CHECK_FALSE(t.node(id_of(kOurs))->stats);
  CHECK(t.node(id_of(1)) != nullptr);
}

TEST_CASE("a run that was ended while it collected stays ended over a restart", "[survey]") {
  Resumed t;
  REQUIRE(t.give(RunSurvey{{}, minutes(5)}) == RequestStatus::kAccepted);
  REQUIRE(t.give(EndSurvey{}) == RequestStatus::kAccepted);
  t.restart(minutes(40));
  t.come_back();
  t.wait(seconds(20));
  CHECK(t.status().phase == SurveyPhase::kReporting);
  CHECK_FALSE(t.status().is_asking);
  CHECK(t.status().why == "ended by a client");
}

TEST_CASE("what a client asked for is asked for by the next process, without a run", "[survey]") {
  Resumed t;
  REQUIRE(t.give(StartSurvey{{}, 42}) == RequestStatus::kAccepted);
  REQUIRE(t.give(StopSurvey{}) == RequestStatus::kAccepted);
  REQUIRE(t.give(RequestSurvey{{}, nth_node(50), 25, 0}) == RequestStatus::kAccepted);
  SECTION("in the same phase") {
    t.restart(minutes(1));
    t.come_back();
    for (int i = 0; i < 5 && t.asked().empty(); ++i) t.wait(seconds(5));
    REQUIRE(t.asked().size() == 1);
    CHECK(t.asked()[0].surveyed == nth_node(50));
  }
  SECTION("after it") {
    t.restart(hours(4));
    CHECK(t.node(nth_node(50))->problem == SurveyProblem::kSilent);
  }
}

TEST_CASE("a survey of another's is not taken for ours by the next process", "[survey]") {
  Resumed t;
  REQUIRE(t.give(StartSurvey{{}, 42}) == RequestStatus::kAccepted);
  REQUIRE(t.give(StopSurvey{}) == RequestStatus::kAccepted);
  t.wait(hours(3));
  REQUIRE(t.status().phase == SurveyPhase::kInactive);
  REQUIRE(t.is_relayed(t.start()));
  t.write(t.outputs);
  t.wait(seconds(1));
  t.restart(seconds(10));
  CHECK(t.status().phase == SurveyPhase::kInactive);
  CHECK_FALSE(t.status().is_ours);
  CHECK(t.status().has_result);
  CHECK(t.status().result_nonce == 42);
}

TEST_CASE("an ended run stays ended", "[survey]") {
  Resumed t;
  REQUIRE(t.give(RunSurvey{{}, seconds(1)}) == RequestStatus::kAccepted);
  t.wait(seconds(1));
  REQUIRE(t.give(EndSurvey{}) == RequestStatus::kAccepted);
  t.restart(seconds(10));
  t.come_back();
  t.wait(seconds(20));
  CHECK(t.status().run == SurveyRun::kEnded);
  CHECK_FALSE(t.status().is_asking);
  CHECK(t.broadcasts.empty());
  CHECK(t.status().phase == SurveyPhase::kReporting);
}

TEST_CASE("whatever a disk holds, the node starts", "[survey]") {
  Random random(3);
  Resumed t;
  REQUIRE(t.give(RunSurvey{{}, seconds(1)}) == RequestStatus::kAccepted);
  t.wait(seconds(1));
  const SurveyOptions good = t.options;
  for (int i = 0; i < 300; ++i) {
    t.options.stored = good.stored;
    t.options.stored_nodes = good.stored_nodes;
    std::vector<Bytes*> records{&t.options.stored};
    for (StoreSurveyNode& node : t.options.stored_nodes) records.push_back(&node.record);
    Bytes& victim = *records[random.below(records.size())];
    victim[random.below(victim.size())] ^= static_cast<std::uint8_t>(1U << random.below(8));
    if (random.below(10) == 0) victim.resize(random.below(victim.size()));
    t.build();
    t.pass(seconds(1));
    t.set_ledger(t.ledger.sequence + 1);
  }
  CHECK(t.is_taken(t.stop(kTheirs, 9)));
}

TEST_CASE("without a key a stored survey is shown and not gone on with", "[survey]") {
  Resumed t;
  REQUIRE(t.give(RunSurvey{{}, seconds(1)}) == RequestStatus::kAccepted);
  t.wait(seconds(1));
  t.options.key = nullptr;
  t.build();
  t.pass(seconds(60));
  CHECK(t.status().has_result);
  CHECK_FALSE(t.status().is_asking);
  CHECK_THAT(t.status().why, Catch::Contains("without a key"));
  CHECK(t.broadcasts.empty());
}

}  // namespace
}  // namespace overlayd::survey
