// This node as the surveyor.
#include "tests/unit/survey_fixture.h"

namespace overlayd::survey {
namespace {

StartSurvey start_order(std::uint32_t nonce = 0) { return {{}, nonce}; }
RequestSurvey request_order(const NodeId& node, std::uint32_t inbound = 0, std::uint32_t outbound = 0) {
  return {{}, node, inbound, outbound};
}
RunSurvey run_order(Duration collect_for = minutes(5)) { return {{}, collect_for}; }

TEST_CASE("a start is sent, signed by us, and we take part", "[survey]") {
  SurveyFixture t;
  CHECK(t.order(start_order(42)).status == RequestStatus::kAccepted);
  const auto sent = t.sent(MessageType::kTimeSlicedSurveyStartCollecting);
  REQUIRE(sent.size() == 1);
  const auto start = wire::read_survey_collecting(sent[0]->xdr());
  REQUIRE(start);
  CHECK(start->surveyor == id_of(kOurs));
  CHECK(start->nonce == 42);
  CHECK(start->ledger == 100);
  const auto parts = wire::read_signed(sent[0]->xdr());
  CHECK(crypto::verify(id_of(kOurs), parts->signed_part, parts->signature));
  CHECK(t.status().phase == SurveyPhase::kCollecting);
  CHECK(t.status().is_ours);
  CHECK(t.status().has_result);
  CHECK(t.status().result_nonce == 42);
}

TEST_CASE("a nonce that is not given is drawn, and is never zero", "[survey]") {
  SurveyFixture t;
  REQUIRE(t.order(start_order()).status == RequestStatus::kAccepted);
  CHECK(t.status().nonce != 0);
  SurveyFixture u;
  u.options.entropy = std::make_shared<test::CountingEntropy>(10);
  u.build();
  REQUIRE(u.order(start_order()).status == RequestStatus::kAccepted);
  CHECK(u.status().nonce != t.status().nonce);
}

TEST_CASE("we need not be permitted by ourselves", "[survey]") {
  SurveyFixture t;
  t.ledger.quorum.clear();
  CHECK(t.order(start_order()).status == RequestStatus::kAccepted);
  CHECK(t.order(StopSurvey{}).status == RequestStatus::kAccepted);
}

TEST_CASE("no survey is begun while one is under way, ours or another's, nor without a ledger", "[survey]") {
  SurveyFixture t;
  SECTION("another's") { t.collect(); }
  SECTION("another's that reports") { t.report(); }
  SECTION("ours") { REQUIRE(t.order(start_order()).status == RequestStatus::kAccepted); }
  SECTION("no ledger") {
    t.ledger.sequence = 0;
    t.ledger.is_known = false;
  }
  SECTION("nobody who could hear of it") { t.links.clear(); }
  const RequestAnswer answer = t.order(start_order());
  CHECK(answer.status == RequestStatus::kRefused);
  CHECK_FALSE(answer.why.empty());
  CHECK(t.broadcasts.empty());
}

TEST_CASE("a run is refused while another's survey is under way, and says whose", "[survey]") {
  SurveyFixture t;
  t.collect();
  const RequestAnswer answer = t.order(run_order());
  CHECK(answer.status == RequestStatus::kRefused);
  CHECK(answer.why.find(crypto::encode_node_id(id_of(kTheirs))) != std::string::npos);
  CHECK_FALSE(t.status().has_result);
}

TEST_CASE("orders for a survey that is not there are not found", "[survey]") {
  SurveyFixture t;
  CHECK(t.order(StopSurvey{}).status == RequestStatus::kNotFound);
  CHECK(t.order(EndSurvey{}).status == RequestStatus::kNotFound);
  CHECK(t.order(request_order(id_of(1))).status == RequestStatus::kNotFound);
  t.collect();  // another's
  CHECK(t.order(StopSurvey{}).status == RequestStatus::kNotFound);
  REQUIRE(t.is_relayed(t.stop()));
  CHECK(t.order(request_order(id_of(1))).status == RequestStatus::kNotFound);
  CHECK(t.order(EndSurvey{}).status == RequestStatus::kNotFound);
}

TEST_CASE("a stop is sent, and asking begins", "[survey]") {
  SurveyFixture t;
  REQUIRE(t.order(start_order(42)).status == RequestStatus::kAccepted);
  CHECK(t.order(request_order(id_of(1))).status == RequestStatus::kNotFound);
  t.pass_ledgers(3);
  CHECK(t.order(StopSurvey{}).status == RequestStatus::kAccepted);
  const auto sent = t.sent(MessageType::kTimeSlicedSurveyStopCollecting);
  REQUIRE(sent.size() == 1);
  const auto stop = wire::read_survey_collecting(sent[0]->xdr());
  CHECK(stop->nonce == 42);
  CHECK(stop->ledger == 103);
  CHECK(t.status().phase == SurveyPhase::kReporting);
  CHECK(t.status().is_asking);
  CHECK(t.order(StopSurvey{}).status == RequestStatus::kNotFound);
  CHECK(t.asked().empty());  // nobody asked for a node
  CHECK(t.node(id_of(kOurs))->outbound.size() == 2);
  CHECK(t.node(id_of(1)) != nullptr);
}

TEST_CASE("a request of a client's is sent with our key, and its answer is taken", "[survey]") {
  SurveyFixture t;
  REQUIRE(t.order(start_order(42)).status == RequestStatus::kAccepted);
  REQUIRE(t.order(StopSurvey{}).status == RequestStatus::kAccepted);
  CHECK(t.order(request_order(id_of(1), 25, 50)).status == RequestStatus::kAccepted);
  const auto asked = t.asked();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].surveyor == id_of(kOurs));
  CHECK(asked[0].surveyed == id_of(1));
  CHECK(asked[0].ledger == 100);
  CHECK(asked[0].nonce == 42);
  CHECK(asked[0].inbound_index == 25);
  CHECK(asked[0].outbound_index == 50);
  CHECK(t.order(request_order(id_of(1))).status == RequestStatus::kDuplicate);
  const MessagePtr answer = t.answer(1, asked[0], whole({link_to(3)}));
  CHECK(t.is_ignored(answer));  // it has arrived: not relayed
  CHECK(t.metrics.responses == 1);
  CHECK(t.node(id_of(1))->state == SurveyNodeState::kComplete);
  CHECK(t.node(id_of(1))->inbound == std::vector{link_to(3)});
  CHECK(t.status().responses == 1);
  CHECK(t.is_ignored(answer));
  CHECK(t.metrics.limit_refused == 1);
}

TEST_CASE("a request that cannot be queued says so", "[survey]") {
  SurveyFixture t;
  REQUIRE(t.order(start_order(42)).status == RequestStatus::kAccepted);
  REQUIRE(t.order(StopSurvey{}).status == RequestStatus::kAccepted);
  t.links.clear();  // nothing is sent
  for (std::uint64_t i = 1; i <= limits::kSurveyQueueMax; ++i)
    REQUIRE(t.order(request_order(nth_node(i))).status == RequestStatus::kAccepted);
  const RequestAnswer answer = t.order(request_order(nth_node(5000)));
  CHECK(answer.status == RequestStatus::kRefused);
  CHECK_FALSE(answer.why.empty());
  CHECK(t.order(request_order(nth_node(5))).status != RequestStatus::kAccepted);
}

TEST_CASE("we do not ask ourselves", "[survey]") {
  SurveyFixture t;
  REQUIRE(t.order(start_order(42)).status == RequestStatus::kAccepted);
  REQUIRE(t.order(StopSurvey{}).status == RequestStatus::kAccepted);
  CHECK(t.order(request_order(id_of(kOurs))).status != RequestStatus::kAccepted);
  CHECK(t.broadcasts.empty());
}

TEST_CASE("our own messages that come back are not relayed again", "[survey]") {
  SurveyFixture t;
  t.ledger.quorum.insert(id_of(kOurs));
  REQUIRE(t.order(start_order(42)).status == RequestStatus::kAccepted);
  CHECK(t.is_ignored(MessagePtr(t.broadcasts.at(0))));
  REQUIRE(t.order(StopSurvey{}).status == RequestStatus::kAccepted);
  CHECK(t.is_ignored(MessagePtr(t.broadcasts.at(0))));
  REQUIRE(t.order(request_order(id_of(1))).status == RequestStatus::kAccepted);
  CHECK(t.is_ignored(MessagePtr(t.broadcasts.at(0))));
  CHECK(t.status().rival.is_zero());
}

TEST_CASE("a run does it all by itself", "[survey]") {
  SurveyFixture t;
  CHECK(t.order(run_order(minutes(5))).status == RequestStatus::kAccepted);
  CHECK(t.sent(MessageType::kTimeSlicedSurveyStartCollecting).size() == 1);
  CHECK(t.order(run_order()).status == RequestStatus::kDuplicate);
  CHECK(t.status().run == SurveyRun::kCollecting);
  CHECK(t.survey->next_deadline() == t.now.instant + minutes(5));
  t.set_ledger(120);
  t.pass(minutes(5));
  CHECK(t.sent(MessageType::kTimeSlicedSurveyStopCollecting).size() == 1);
  const auto asked = t.asked();
  REQUIRE(asked.size() == 2);
  CHECK(t.status().run == SurveyRun::kCrawling);
  CHECK(t.status().time_left.has_value());
  const auto link = [](std::uint64_t number) {
    SurveyedLink link;
    link.node = id_of(number);
    return link;
  };
  std::vector<wire::SurveyRequest> later;
  for (const auto& request : asked) {
    CHECK(t.is_taken(t.answer(request.surveyed == id_of(1) ? 1 : 2, request, whole({}, {link(3)}))));
    for (const auto& next : t.asked()) later.push_back(next);
  }
  REQUIRE(later.size() == 1);  // at once
  CHECK(later[0].surveyed == id_of(3));
  CHECK(t.is_taken(t.answer(3, later[0], whole({link(1)}))));
  t.pass_ledgers(1);
  CHECK(t.status().run == SurveyRun::kDone);
  CHECK(t.status().nodes_complete == 4);
  CHECK(t.status().links_found == 4);
  CHECK_FALSE(t.status().is_asking);
  CHECK(t.order(EndSurvey{}).status == RequestStatus::kNotFound);
}

TEST_CASE("a run that is complete says so without waiting for a ledger", "[survey]") {
  SurveyFixture t;
  t.links.resize(1);
  REQUIRE(t.order(run_order(seconds(1))).status == RequestStatus::kAccepted);
  t.pass(seconds(1));
  const auto asked = t.asked();
  REQUIRE(asked.size() == 1);
  REQUIRE(t.is_taken(t.answer(1, asked[0], whole({}))));
  CHECK(t.status().run == SurveyRun::kDone);
}

TEST_CASE("a run goes on with a survey of ours that is there", "[survey]") {
  SurveyFixture t;
  REQUIRE(t.order(start_order(42)).status == RequestStatus::kAccepted);
  SECTION("collecting") {
    CHECK(t.order(run_order()).status == RequestStatus::kAccepted);
    CHECK(t.broadcasts.empty());
    CHECK(t.status().run == SurveyRun::kCollecting);
  }
  SECTION("reporting") {
    REQUIRE(t.order(StopSurvey{}).status == RequestStatus::kAccepted);
    CHECK(t.order(run_order()).status == RequestStatus::kAccepted);
    CHECK(t.asked().size() == 2);
    CHECK(t.status().run == SurveyRun::kCrawling);
  }
  SECTION("ended, under a new key") {
    REQUIRE(t.order(StopSurvey{}).status == RequestStatus::kAccepted);
    REQUIRE(t.order(request_order(id_of(1))).status == RequestStatus::kAccepted);
    const auto key = t.asked().at(0).encryption_key;
    REQUIRE(t.order(EndSurvey{}).status == RequestStatus::kAccepted);
    t.pass_ledgers(1);
    CHECK(t.order(run_order()).status == RequestStatus::kAccepted);
    REQUIRE(t.asked().size() == 2);
    CHECK(t.asked()[0].encryption_key != key);
  }
  CHECK(t.status().result_nonce == 42);
}

TEST_CASE("a client ends a run: nobody is asked any more, and what came stays", "[survey]") {
  SurveyFixture t;
  REQUIRE(t.order(run_order(seconds(1))).status == RequestStatus::kAccepted);
  t.pass(seconds(1));
  const auto asked = t.asked();
  REQUIRE(asked.size() == 2);
  const std::uint64_t first = asked[0].surveyed == id_of(1) ? 1 : 2;
  REQUIRE(t.is_taken(t.answer(first, asked[0], whole({}))));
  CHECK(t.order(EndSurvey{}).status == RequestStatus::kAccepted);
  CHECK(t.status().run == SurveyRun::kEnded);
  CHECK_FALSE(t.status().why.empty());
  CHECK_FALSE(t.status().is_asking);
  CHECK(t.node(asked[0].surveyed)->state == SurveyNodeState::kComplete);
  CHECK(t.is_ignored(t.answer(3 - first, asked[1], whole({}))));
  CHECK(t.metrics.responses == 1);
  CHECK_FALSE(t.node(asked[1].surveyed)->stats);
  t.pass_ledgers(10);
  CHECK(t.broadcasts.empty());
}

TEST_CASE("our survey ends with its reporting phase, and the result stays", "[survey]") {
  SurveyFixture t;
  REQUIRE(t.order(run_order(seconds(1))).status == RequestStatus::kAccepted);
  t.pass(seconds(1));
  t.pass(hours(3));
  CHECK(t.status().phase == SurveyPhase::kInactive);
  CHECK(t.status().run == SurveyRun::kEnded);
  CHECK(t.status().has_result);
  CHECK(t.survey->result(t.now.instant).nodes.size() == 3);
  CHECK(t.order(start_order(43)).status == RequestStatus::kAccepted);
  CHECK(t.status().result_nonce == 43);
  CHECK(t.survey->result(t.now.instant).nodes.size() <= 1);
}

TEST_CASE("what nobody stops asks after thirty minutes", "[survey]") {
  SurveyFixture t;
  REQUIRE(t.order(start_order(42)).status == RequestStatus::kAccepted);
  t.pass(minutes(30));
  CHECK(t.status().phase == SurveyPhase::kReporting);
  CHECK(t.status().is_asking);
  CHECK(t.node(id_of(kOurs))->state == SurveyNodeState::kComplete);
  CHECK(t.order(request_order(id_of(1))).status == RequestStatus::kAccepted);
  CHECK(t.asked().size() == 1);
}

TEST_CASE("a rival that begins during our survey is noted, once its signature is good", "[survey]") {
  SurveyFixture t;
  REQUIRE(t.order(start_order(42)).status == RequestStatus::kAccepted);
  CHECK(t.receive(t.forge(t.start())) == DropReason::kSurveySignature);
  CHECK(t.broadcasts.empty());
  CHECK(t.status().rival.is_zero());
  CHECK(t.is_ignored(t.start(3000)));  // not permitted
  CHECK(t.status().rival.is_zero());
  CHECK(t.is_ignored(t.start()));
  CHECK(t.status().rival == id_of(kTheirs));
  CHECK(t.status().surveyor == id_of(kOurs));
  CHECK(t.metrics.bad_signatures == 1);
}

TEST_CASE("only so many signatures of rivals are looked at in a ledger", "[survey]") {
  SurveyFixture t;
  REQUIRE(t.order(start_order(42)).status == RequestStatus::kAccepted);
  for (std::uint32_t i = 0; i < kRivalChecksPerLedger; ++i)
    REQUIRE(t.receive(t.forge(t.start())) == DropReason::kSurveySignature);
  CHECK(t.is_ignored(t.forge(t.start())));
  CHECK(t.is_ignored(t.start()));
  CHECK(t.status().rival.is_zero());
  t.set_ledger(101);
  CHECK(t.is_ignored(t.start()));
  CHECK(t.status().rival == id_of(kTheirs));
}

TEST_CASE("a peer that repeats a start or stop of ours begins and stops nothing", "[survey]") {
  SurveyFixture t;
  t.ledger.quorum.insert(id_of(kOurs));  // a validator is one of its quorum
  CHECK(t.is_ignored(t.start(kOurs, 42)));
  CHECK(t.status().phase == SurveyPhase::kInactive);
  REQUIRE(t.order(start_order(42)).status == RequestStatus::kAccepted);
  CHECK(t.is_ignored(t.stop(kOurs, 42)));
  CHECK(t.status().phase == SurveyPhase::kCollecting);
}

TEST_CASE("no rival is noted in others' surveys", "[survey]") {
  SurveyFixture t;
  t.collect();
  CHECK(t.is_ignored(t.start(kTheirs + 1)));
  CHECK(t.status().rival.is_zero());
}

}  // namespace
}  // namespace overlayd::survey
