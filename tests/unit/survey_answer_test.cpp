// What this node tells when it is asked.
#include "tests/unit/survey_fixture.h"

namespace overlayd::survey {
namespace {

// The only message that was sent, which is a response of ours.
MessagePtr told(SurveyFixture& t, const SurveyFixture::Asked& asked = {}) {
  REQUIRE_FALSE(t.receive(t.request(asked)));
  REQUIRE(t.broadcasts.size() == 1);
  REQUIRE(t.broadcasts[0]->type() == MessageType::kTimeSlicedSurveyResponse);
  return t.broadcasts[0];
}

TEST_CASE("a request to us is not relayed but answered, signed and sealed", "[survey]") {
  SurveyFixture t;
  t.report();
  const MessagePtr message = told(t);
  CHECK(xdr::validate(xdr::Type::kStellarMessage, message->xdr()).ok());
  CHECK_FALSE(message->flood_hash().is_zero());
  const auto response = wire::read_survey_response(message->xdr());
  REQUIRE(response);
  CHECK(response->surveyor == id_of(kTheirs));
  CHECK(response->surveyed == id_of(kOurs));
  CHECK(response->ledger == 100);
  CHECK(response->nonce == kNonce);
  const auto parts = wire::read_signed(message->xdr());
  CHECK(crypto::verify(id_of(kOurs), parts->signed_part, parts->signature));
  const auto topology = t.opened(message);
  REQUIRE(topology);
  CHECK(topology->outbound.size() == 2);
  CHECK(topology->node.total_outbound == 2);
  CHECK(topology->node.max_inbound == 40);
  CHECK(topology->node.max_outbound == 8);
  CHECK(t.metrics.answered == 1);
}

TEST_CASE("the answer names the request's ledger, not ours", "[survey]") {
  SurveyFixture t;
  t.report();
  const auto response = wire::read_survey_response(told(t, {.ahead = -3})->xdr());
  CHECK(response->ledger == 97);
}

TEST_CASE("our answer that comes back is not relayed", "[survey]") {
  SurveyFixture t;
  t.report();
  const MessagePtr ours = told(t);
  CHECK(t.is_ignored(ours));
  CHECK(t.metrics.limit_refused == 1);
}

TEST_CASE("pages begin at the indices asked for", "[survey]") {
  SurveyFixture t;
  for (std::uint64_t i = 3; i <= 60; ++i) t.add_link(i);
  t.report();
  std::vector<NodeId> nodes;
  for (std::uint32_t page = 0; page < 4; ++page) {
    const auto topology = t.opened(told(t, {.ahead = page, .inbound_index = 10 * page, .outbound_index = 25 * page}));
    REQUIRE(topology);
    CHECK(topology->outbound.size() == (page < 2 ? 25U : page == 2 ? 10U : 0U));
    CHECK(topology->inbound.empty());
    CHECK(topology->node.total_outbound == 60);
    for (const SurveyedLink& link : topology->outbound) nodes.push_back(link.node);
  }
  CHECK(nodes.size() == 60);
  CHECK(std::ranges::is_sorted(nodes));
}

TEST_CASE("counters are of the collecting phase", "[survey]") {
  SurveyFixture t;
  t.links[0].messages_read = 1000;
  t.collect();
  t.links[0].messages_read = 1007;
  t.links[0].duplicate_flood_bytes = 70;
  t.survey->on_latency(id_of(1), milliseconds(30));
  REQUIRE(t.is_relayed(t.stop()));
  t.links[0].messages_read = 5000;
  const auto topology = t.opened(told(t));
  REQUIRE(topology);
  const auto link = std::ranges::find(topology->outbound, id_of(1), &SurveyedLink::node);
  REQUIRE(link != topology->outbound.end());
  CHECK(link->messages_read == 7);
  CHECK(link->duplicate_flood_bytes == 70);
  CHECK(link->average_latency_ms == 30);
}

TEST_CASE("peers that come and go, lost sync and latencies of SCP are told", "[survey]") {
  SurveyFixture t;
  t.ledger.is_validator = true;
  t.ledger.is_in_sync = false;
  t.collect();
  t.survey->on_link_added();
  t.survey->on_link_added();
  t.survey->on_link_dropped(id_of(1));
  std::erase_if(t.links, [](const PeerSnapshot& link) { return link.node == id_of(1); });
  t.ledger.is_in_sync = true;
  t.survey->on_ledger(false, t.now, t.effects());
  t.ledger.is_in_sync = false;
  t.survey->on_ledger(true, t.now, t.effects());
  t.survey->on_ledger(false, t.now, t.effects());
  t.survey->on_externalize(101, id_of(1), t.now.instant);
  t.survey->on_externalize(101, id_of(kOurs), t.now.instant + milliseconds(40));
  t.survey->on_externalize(101, id_of(2), t.now.instant + milliseconds(90));
  REQUIRE(t.is_relayed(t.stop()));
  const auto topology = t.opened(told(t));
  REQUIRE(topology);
  CHECK(topology->node.added_peers == 2);
  CHECK(topology->node.dropped_peers == 1);
  CHECK(topology->node.total_outbound == 1);
  CHECK(topology->node.lost_sync_count == 2);
  CHECK(topology->node.p75_scp_self_to_other_ms == 90);
  CHECK(topology->node.is_validator);
}

TEST_CASE("a ledger that is told counts as externalized by us", "[survey]") {
  SurveyFixture t;
  t.collect();
  t.survey->on_externalize(101, id_of(1), t.now.instant);
  t.pass(milliseconds(60));
  t.set_ledger(101);
  REQUIRE(t.is_relayed(t.stop()));
  CHECK(t.opened(told(t))->node.p75_scp_first_to_self_ms == 60);
}

TEST_CASE("slots that somebody invents far ahead do not stop the timing", "[survey]") {
  SurveyFixture t;
  t.collect();
  for (std::uint64_t i = 0; i < 2 * limits::kSurveySlotsMax; ++i)
    t.survey->on_externalize(1'000'000 + i, id_of(1), t.now.instant);
  t.survey->on_externalize(101, id_of(1), t.now.instant);
  t.survey->on_externalize(101, id_of(kOurs), t.now.instant + milliseconds(25));
  REQUIRE(t.is_relayed(t.stop()));
  CHECK(t.opened(told(t))->node.p75_scp_first_to_self_ms == 25);
}

TEST_CASE("slots that are invented before the ledger is known, or where it was before, are not timed", "[survey]") {
  SurveyFixture t;
  const auto invent = [&t](std::uint64_t first) {
    for (std::uint64_t i = 0; i < 2 * limits::kSurveySlotsMax; ++i)
      t.survey->on_externalize(first + i, id_of(1), t.now.instant);
  };
  SECTION("unknown") {
    t.ledger.is_known = false;
    invent(1'000'000);
    t.ledger.is_known = true;
  }
  SECTION("far above") {
    t.set_ledger(1'000'000);
    invent(999'900);
  }
  t.set_ledger(100);
  t.collect();
  t.survey->on_externalize(101, id_of(1), t.now.instant);
  t.survey->on_externalize(101, id_of(kOurs), t.now.instant + milliseconds(25));
  REQUIRE(t.is_relayed(t.stop()));
  CHECK(t.opened(told(t))->node.p75_scp_first_to_self_ms == 25);
}

TEST_CASE("a key that nothing can be sealed to gets no answer, and is counted", "[survey]") {
  SurveyFixture t;
  t.report();
  wire::SurveyRequest request;
  request.surveyor = id_of(kTheirs);
  request.surveyed = id_of(kOurs);
  request.ledger = 100;
  request.nonce = kNonce;  // the key is all zero
  const MessagePtr message = t.sign(MessageType::kTimeSlicedSurveyRequest, wire::write_signed_part(request), kTheirs);
  CHECK(t.is_ignored(message));
  CHECK(t.metrics.answers_failed == 1);
  CHECK(t.metrics.answered == 0);
}

TEST_CASE("without a key we answer nothing and relay all the same", "[survey]") {
  SurveyFixture t;
  t.options.key = nullptr;
  t.options.entropy = nullptr;
  t.build();
  t.report();
  CHECK(t.is_ignored(t.request({})));
  CHECK(t.metrics.answered == 0);
  CHECK(t.is_relayed(t.request({.surveyed = 1})));
  CHECK(t.order(StartSurvey{}).status == RequestStatus::kRefused);
  CHECK(t.order(RunSurvey{.request = {}, .collect_for = seconds(10)}).status == RequestStatus::kRefused);
}

TEST_CASE("a change of the phase is told once", "[survey]") {
  SurveyFixture t;
  static_cast<void>(t.survey->take_changed());
  CHECK_FALSE(t.survey->take_changed());
  REQUIRE(t.is_ignored(t.stop()));
  CHECK_FALSE(t.survey->take_changed());
  t.collect();
  CHECK(t.survey->take_changed());
  CHECK_FALSE(t.survey->take_changed());
  REQUIRE(t.is_relayed(t.stop()));
  CHECK(t.survey->take_changed());
  REQUIRE(t.is_relayed(t.request({.surveyed = 1})));
  CHECK_FALSE(t.survey->take_changed());
  t.pass(hours(3));
  CHECK(t.survey->take_changed());
}

TEST_CASE("of others' surveys nothing is stored", "[survey]") {
  SurveyFixture t;
  t.report();
  CHECK(t.outputs.empty());
  told(t);
  CHECK(t.outputs.empty());
}

}  // namespace
}  // namespace overlayd::survey
