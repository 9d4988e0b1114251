// Surveys through the whole overlay: what is sent to whom, and what of the links is told.
#include "overlay_fixture.h"
#include "survey_fixture.h"

namespace overlayd {
namespace {

using survey::id_of;
using survey::kOurs;
using survey::kTheirs;

// What the surveyor and other nodes send; nothing of it is under test.
struct SurveyOverlay : OverlayFixture {
  survey::SurveyFixture others;

  explicit SurveyOverlay(RelayMode mode = RelayMode::kConsensus) : OverlayFixture(mode) {
    options.survey.key = survey::make_key(kOurs);
    options.survey.entropy = std::make_shared<test::CountingEntropy>(9);
    options.survey.surveyor_keys = {id_of(kTheirs)};
    options.local.node_id = id_of(kOurs);
    start();
  }
  void start() {
    overlay = std::make_unique<OverlayManager>(options, random, now);
    give(TransactionTakers{true});
    give(LedgerUpdated{ledger_at(100), {}, {}});
  }
  std::vector<std::pair<PeerId, MessagePtr>> sent_messages(MessageType type) const {
    std::vector<std::pair<PeerId, MessagePtr>> found;
    for (const Send& send : find<Send>())
      if (send.message->type() == type) found.emplace_back(send.peer, send.message);
    return found;
  }
  // The surveyor's survey, which peer 1 relays to us.
  void collect() { receive(id(1), others.start()); }
  void stop() { receive(id(1), others.stop()); }
  // What we tell the surveyor.
  wire::SurveyTopology told() {
    receive(id(1), others.request({}));
    const auto answers = sent_messages(MessageType::kTimeSlicedSurveyResponse);
    REQUIRE_FALSE(answers.empty());
    const auto topology = others.opened(answers[0].second);
    REQUIRE(topology);
    return *topology;
  }
  static const SurveyedLink& link_of(const wire::SurveyTopology& topology, std::uint64_t number) {
    for (const SurveyedLink& link : topology.inbound)
      if (link.node == test::make_node(number)) return link;
    FAIL("it is not told of node " << number);
    return topology.inbound.at(0);
  }
  SurveyStatus status() const { return overlay->survey_result(now).status; }
};

TEST_CASE("survey messages are relayed to the others as they came, and not back", "[overlay_manager_survey]") {
  SurveyOverlay f;
  for (const std::uint64_t number : {1U, 2U, 3U}) f.connect(number);
  const SurveyOverlay::OverlayFixture& seen = f;
  const std::vector<PeerId> to_others{f.id(2), f.id(3)};
  const survey::SurveyFixture::Asked other{.surveyed = 50};
  for (const MessagePtr& message :
       {f.others.start(), f.others.stop(), f.others.request(other), f.others.response(other)}) {
    f.receive(f.id(1), message);
    CHECK(seen.sent_of(message->type()) == to_others);
    for (const auto& [peer, copy] : f.sent_messages(message->type())) CHECK(copy == message);
  }
  CHECK(f.overlay->metrics().survey.relayed == 8);
  CHECK(f.overlay->metrics().survey.received == 4);
}

TEST_CASE("nobody gets a survey message from us that sent it to us", "[overlay_manager_survey]") {
  SurveyOverlay f;
  for (const std::uint64_t number : {1U, 2U, 3U}) f.connect(number);
  const survey::SurveyFixture::Asked other{.surveyed = 50};
  const MessagePtr early = f.others.request(other);
  f.receive(f.id(2), early);  // before its phase
  CHECK(f.find<Send>().empty());
  f.collect();
  f.stop();
  f.receive(f.id(1), early);
  CHECK(f.sent_of(MessageType::kTimeSlicedSurveyRequest) == std::vector{f.id(3)});
  f.receive(f.id(3), early);
  CHECK(f.sent_of(MessageType::kTimeSlicedSurveyRequest).empty());
}

TEST_CASE("surveys are relayed in each mode", "[overlay_manager_survey]") {
  SurveyOverlay f(RelayMode::kStandalone);
  f.connect(1);
  f.connect(2);
  f.collect();
  CHECK(f.sent_of(MessageType::kTimeSlicedSurveyStartCollecting) == std::vector{f.id(2)});
}

TEST_CASE("a bad signature drops the peer, and the message goes nowhere", "[overlay_manager_survey]") {
  SurveyOverlay f;
  f.connect(1);
  f.connect(2);
  f.receive(f.id(1), f.others.forge(f.others.start()));
  const auto closed = f.find<Close>();
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].peer == f.id(1));
  CHECK(closed[0].reason == DropReason::kSurveySignature);
  REQUIRE(closed[0].error);
  const auto error = wire::read_error(closed[0].error->xdr());
  REQUIRE(error);
  CHECK(error->code == 0);
  CHECK(error->text == "Survey has invalid signature");
  CHECK(f.sent_of(MessageType::kTimeSlicedSurveyStartCollecting).empty());
  CHECK(f.status().phase == SurveyPhase::kInactive);
  CHECK(f.find<PublishSurvey>().empty());
  CHECK(f.dropped(DropReason::kSurveySignature) == 1);
}

TEST_CASE("of an unpermitted surveyor nothing is relayed, and its messenger stays", "[overlay_manager_survey]") {
  SurveyOverlay f;
  f.connect(1);
  f.connect(2);
  for (const MessagePtr& message : {f.others.start(3000), f.others.forge(f.others.start(3000)), f.others.stop(3000),
                                    f.others.request({.surveyor = 3000})}) {
    f.receive(f.id(1), message);
    CHECK(f.sent_of(message->type()).empty());
    CHECK(f.find<Close>().empty());
  }
  CHECK(f.overlay->metrics().survey.unpermitted == 4);
  CHECK(f.overlay->metrics().survey.relayed == 0);
}

TEST_CASE("without keys the quorum that UpdateLedger names may survey", "[overlay_manager_survey]") {
  SurveyOverlay f;
  f.options.survey.surveyor_keys.clear();
  f.start();
  f.connect(1);
  f.connect(2);
  f.collect();
  CHECK(f.overlay->metrics().survey.unpermitted == 1);
  LedgerView view = ledger_at(101);
  view.quorum = {id_of(kTheirs)};
  f.give(LedgerUpdated{view, {}, {}});
  f.collect();
  CHECK(f.sent_of(MessageType::kTimeSlicedSurveyStartCollecting) == std::vector{f.id(2)});
}

TEST_CASE("the phase is published, once a change, and is in the status", "[overlay_manager_survey]") {
  SurveyOverlay f;
  f.connect(1);
  f.collect();
  REQUIRE(f.find<PublishSurvey>().size() == 1);
  CHECK(f.find<PublishSurvey>()[0].status.phase == SurveyPhase::kCollecting);
  CHECK(f.find<PublishSurvey>()[0].status == f.status());
  CHECK(f.status().surveyor == id_of(kTheirs));
  f.collect();
  CHECK(f.find<PublishSurvey>().empty());
  f.pass(std::chrono::minutes(30));
  REQUIRE(f.find<PublishSurvey>().size() == 1);
  CHECK(f.find<PublishSurvey>()[0].status.phase == SurveyPhase::kReporting);
}

TEST_CASE("the overlay wants to be called when a phase ends", "[overlay_manager_survey]") {
  SurveyOverlay f;
  f.receive(f.connect(1), f.others.start());
  CHECK(f.overlay->next_deadline() <= f.now.instant + std::chrono::minutes(30));
  REQUIRE_FALSE(f.status().phase == SurveyPhase::kInactive);
  for (int i = 0; i < 100'000 && f.status().phase == SurveyPhase::kCollecting; ++i)
    f.pass(std::max(Duration(0), f.overlay->next_deadline() - f.now.instant));
  CHECK(f.now.instant == Instant(seconds(100) + std::chrono::minutes(30)));
}

TEST_CASE("a request to us is answered to all, sealed, and not relayed", "[overlay_manager_survey]") {
  SurveyOverlay f;
  for (const std::uint64_t number : {1U, 2U, 3U}) f.connect(number);
  f.collect();
  f.stop();
  const wire::SurveyTopology topology = f.told();
  CHECK(f.sent_of(MessageType::kTimeSlicedSurveyRequest).empty());
  const auto answers = f.sent_messages(MessageType::kTimeSlicedSurveyResponse);
  REQUIRE(answers.size() == 3);
  CHECK(answers[0].second == answers[2].second);
  CHECK(topology.inbound.size() == 3);
  CHECK(topology.outbound.empty());
  CHECK(topology.node.total_inbound == 3);
  CHECK(topology.node.max_inbound == f.options.max_inbound);
  CHECK(topology.node.max_outbound == f.options.target_outbound);
  CHECK(f.overlay->metrics().survey.answered == 1);
}

TEST_CASE("what a link carried in the phase is told", "[overlay_manager_survey]") {
  SurveyOverlay f;
  for (const std::uint64_t number : {1U, 2U}) f.connect(number);
  const MessagePtr before = test::make_transaction({}, 1);
  const MessagePtr first = test::make_transaction({}, 2);
  const MessagePtr quorum_set = test::make_quorum_set(5);
  f.receive(f.id(2), before);
  f.collect();
  f.receive(f.id(2), before);  // a duplicate
  f.receive(f.id(2), first);
  f.receive(f.id(2), f.others.start());  // a duplicate: 1 sent it
  f.receive(f.id(2), quorum_set);        // nobody asked for it
  f.stop();
  f.receive(f.id(2), test::make_transaction({}, 3));  // after the phase
  const wire::SurveyTopology topology = f.told();
  const SurveyedLink& link = f.link_of(topology, 2);
  CHECK(link.messages_read == 4);
  CHECK(link.unique_flood_messages == 1);
  CHECK(link.unique_flood_bytes == first->size());
  CHECK(link.duplicate_flood_messages == 2);
  CHECK(link.duplicate_flood_bytes == before->size() + f.others.start()->size());
  CHECK(link.unique_fetch_messages == 0);
  CHECK(link.duplicate_fetch_messages == 1);
  CHECK(link.duplicate_fetch_bytes == quorum_set->size());
  CHECK(link.messages_written >= 1);  // the start
  CHECK(link.bytes_read > first->size() + before->size());
  CHECK(link.version == f.options.local.version_string);
  // Of the messenger: the stop came in the phase, the start began it.
  CHECK(f.link_of(topology, 1).messages_read == 1);
  CHECK(f.link_of(topology, 1).unique_flood_messages == 1);
}

TEST_CASE("an item that was wanted counts as unique", "[overlay_manager_survey]") {
  SurveyOverlay f;
  for (const std::uint64_t number : {1U, 2U}) f.connect(number);
  f.collect();
  const MessagePtr quorum_set = test::make_quorum_set(5);
  f.give(FetchItem{RequestId{1}, test::item_id_of(*quorum_set), 0});
  f.receive(f.id(2), quorum_set);
  f.receive(f.id(2), quorum_set);
  f.stop();
  const SurveyedLink link = f.link_of(f.told(), 2);
  CHECK(link.unique_fetch_messages == 1);
  CHECK(link.unique_fetch_bytes == quorum_set->size());
  CHECK(link.duplicate_fetch_messages == 1);
}

TEST_CASE("peers that come and go in the phase are counted", "[overlay_manager_survey]") {
  SurveyOverlay f;
  for (const std::uint64_t number : {1U, 2U, 3U}) f.connect(number);
  f.open(9);  // never authenticated
  f.collect();
  f.give(LinkClosed{f.id(9), DropReason::kClosedByRemote, ""});
  f.give(LinkClosed{f.id(2), DropReason::kClosedByRemote, ""});
  f.connect(4);
  f.connect(5);
  f.stop();
  const wire::SurveyTopology topology = f.told();
  CHECK(topology.node.added_peers == 2);
  CHECK(topology.node.dropped_peers == 1);
  CHECK(topology.node.total_inbound == 2);
  REQUIRE(topology.inbound.size() == 2);
  CHECK(f.link_of(topology, 1).node == test::make_node(1));
  CHECK(f.link_of(topology, 3).node == test::make_node(3));
}

TEST_CASE("the latency of pings in the phase is told", "[overlay_manager_survey]") {
  SurveyOverlay f;
  f.open(1);
  f.receive(f.id(1), f.hello(1), true);
  f.receive(f.id(1), wire::write_auth(200));
  const auto pings = f.sent_messages(MessageType::kGetScpQuorumset);
  REQUIRE(pings.size() == 1);
  f.receive(f.id(1), wire::write_send_more_extended({1000, 10'000'000}));
  f.collect();
  f.pass(milliseconds(80));
  f.receive(f.id(1), wire::write_dont_have(
                         {MessageType::kScpQuorumset, wire::read_get_scp_quorumset(pings[0].second->xdr()).value()}));
  f.stop();
  const wire::SurveyTopology topology = f.told();
  CHECK(f.link_of(topology, 1).average_latency_ms == 80);
}

TEST_CASE("losing sync, being a validator and the latencies of SCP are told", "[overlay_manager_survey]") {
  SurveyOverlay f;
  f.connect(1);
  f.connect(2);
  f.collect();
  const auto externalize = [&](std::uint64_t node, std::uint64_t slot) {
    return test::make_scp(
        {}, {.node = node == 0 ? id_of(kOurs) : test::make_node(node), .slot = slot, .is_externalize = true});
  };
  const auto receive = [&](std::uint64_t node, std::uint64_t slot) {
    const MessagePtr message = externalize(node, slot);
    f.receive(f.id(2), message);
    f.give(ScpVerified{message->flood_hash(), true});
  };
  receive(7, 101);
  f.pass(milliseconds(30));
  f.give(Broadcast{RequestId{1}, externalize(0, 101)});
  f.pass(milliseconds(20));
  receive(8, 101);
  LedgerView view = ledger_at(101);
  view.is_in_sync = false;
  view.is_validator = true;
  f.give(LedgerUpdated{view, {}, {}});
  f.stop();
  const wire::SurveyTopology topology = f.told();
  CHECK(topology.node.lost_sync_count == 1);
  CHECK(topology.node.is_validator);
  CHECK(topology.node.p75_scp_first_to_self_ms == 30);
  CHECK(topology.node.p75_scp_self_to_other_ms == 50);
}

TEST_CASE("an envelope with a bad signature is not timed", "[overlay_manager_survey]") {
  SurveyOverlay f;
  f.connect(1);
  f.collect();
  const MessagePtr forged = test::make_scp({}, {.node = test::make_node(7), .slot = 101, .is_externalize = true});
  f.receive(f.id(1), forged);
  f.give(ScpVerified{forged->flood_hash(), false});
  f.pass(milliseconds(30));
  f.give(LedgerUpdated{ledger_at(101), {}, {}});
  f.stop();
  CHECK(f.told().node.p75_scp_first_to_self_ms == 0);
}

TEST_CASE("our own survey is sent to every peer, and its answers are taken", "[overlay_manager_survey]") {
  SurveyOverlay f;
  f.connect(1);
  f.connect(2);
  f.give(RunSurvey{RequestId{1}, seconds(1)});
  CHECK(f.answer().status == RequestStatus::kAccepted);
  CHECK(f.sent_of(MessageType::kTimeSlicedSurveyStartCollecting) == std::vector{f.id(1), f.id(2)});
  CHECK(f.find<PublishSurvey>().size() == 1);
  CHECK_FALSE(f.find<StoreSurvey>().empty());
  f.pass(seconds(1));
  CHECK(f.sent_of(MessageType::kTimeSlicedSurveyStopCollecting) == std::vector{f.id(1), f.id(2)});
  // Two requests, each to both.
  CHECK(f.sent_of(MessageType::kTimeSlicedSurveyRequest).size() == 4);
  CHECK(f.find<StoreSurveyNode>().size() >= 3);
  const SurveyResult result = f.overlay->survey_result(f.now);
  CHECK(result.nodes.size() == 3);
  CHECK(result.status.nodes_asked == 2);
  CHECK(f.overlay->metrics().survey.requests_sent == 2);
}

TEST_CASE("a flood of surveys leaves a bounded trace", "[overlay_manager_survey]") {
  SurveyOverlay f;
  f.connect(1);
  for (std::uint32_t i = 0; i < limits::kSurveyRecordsMax + 100; ++i) {
    const wire::SurveyCollecting collecting{test::make_node(3000), i, 100};
    f.overlay->handle(
        MessageReceived{f.id(1),
                        wire::Message::adopt(wire::write_survey_message(MessageType::kTimeSlicedSurveyStartCollecting,
                                                                        Bytes(64), wire::write_signed_part(collecting)),
                                             {}),
                        false},
        f.now, f.out);
    f.out.clear();
  }
  f.overlay->check_invariants();
  CHECK(f.overlay->status(f.now.instant).flood_records <= limits::kSurveyRecordsMax);
}

}  // namespace
}  // namespace overlayd
