// This node as one that is surveyed, and that relays; as the surveyor: survey_orders_test.cpp.
#include "core/survey/survey.h"

#include "tests/unit/survey_fixture.h"

namespace overlayd::survey {
namespace {

TEST_CASE("a survey passes through its phases, and all of it is relayed", "[survey]") {
  SurveyFixture t;
  CHECK(t.is_relayed(t.start()));
  CHECK(t.status().phase == SurveyPhase::kCollecting);
  CHECK(t.status().surveyor == id_of(kTheirs));
  CHECK(t.status().nonce == kNonce);
  CHECK_FALSE(t.status().is_ours);
  CHECK_FALSE(t.status().has_result);
  CHECK(t.is_relayed(t.stop()));
  CHECK(t.status().phase == SurveyPhase::kReporting);
  const SurveyFixture::Asked other{.surveyed = 1};
  CHECK(t.is_relayed(t.request(other)));
  CHECK(t.is_relayed(t.response(other)));
  t.pass(hours(3));
  CHECK(t.status().phase == SurveyPhase::kInactive);
  CHECK(t.status().surveyor.is_zero());
  CHECK(t.metrics.received == 4);
}

TEST_CASE("a survey that nobody stops reports by itself", "[survey]") {
  SurveyFixture t;
  t.collect();
  CHECK(t.survey->next_deadline() == t.now.instant + minutes(30));
  t.pass(minutes(30));
  CHECK(t.status().phase == SurveyPhase::kReporting);
  REQUIRE_FALSE(t.receive(t.request({})));
  CHECK(t.metrics.answered == 1);
}

// --- rule 1

TEST_CASE("of a surveyor that is not permitted nothing is followed", "[survey]") {
  SurveyFixture t;
  constexpr std::uint64_t kStranger = 3000;
  CHECK(t.is_ignored(t.start(kStranger)));
  CHECK(t.metrics.unpermitted == 1);
  CHECK(t.status().phase == SurveyPhase::kInactive);
  t.report();
  CHECK(t.is_ignored(t.stop(kStranger)));
  CHECK(t.is_ignored(t.request({.surveyor = kStranger})));
  CHECK(t.is_ignored(t.request({.surveyor = kStranger, .surveyed = 1})));
  CHECK(t.metrics.unpermitted == 4);
  CHECK(t.metrics.ledger_refused + t.metrics.phase_refused + t.metrics.limit_refused == 0);
}

TEST_CASE("permission comes before everything, so a bad signature of a stranger costs nobody a link", "[survey]") {
  SurveyFixture t;
  CHECK(t.is_ignored(t.forge(t.start(3000))));
  CHECK(t.is_ignored(t.start(3000, kNonce, 50)));
  CHECK(t.metrics.unpermitted == 2);
  CHECK(t.metrics.bad_signatures == 0);
}

TEST_CASE("configured surveyors replace the quorum", "[survey]") {
  SurveyFixture t;
  t.options.surveyor_keys = {id_of(3000)};
  t.build();
  CHECK(t.is_ignored(t.start(kTheirs)));
  CHECK(t.metrics.unpermitted == 1);
  CHECK(t.is_relayed(t.start(3000)));
}

TEST_CASE("without a quorum or keys nobody may survey", "[survey]") {
  SurveyFixture t;
  t.ledger.quorum.clear();
  CHECK(t.is_ignored(t.start()));
  CHECK(t.metrics.unpermitted == 1);
}

TEST_CASE("one that leaves the quorum in its survey is followed no more", "[survey]") {
  SurveyFixture t;
  t.report();
  const SurveyFixture::Asked other{.surveyed = 1};
  REQUIRE(t.is_relayed(t.request(other)));
  t.ledger.quorum.erase(id_of(kTheirs));
  CHECK(t.is_ignored(t.request({})));
  CHECK(t.is_ignored(t.request({.surveyed = 2})));
  CHECK(t.metrics.unpermitted == 2);
  CHECK(t.is_relayed(t.response(other)));  // of a response nobody asks
}

// --- rule 2

TEST_CASE("ledgers out of the window are refused, of all four", "[survey]") {
  for (const std::int64_t ahead : {-7, 7}) {
    CAPTURE(ahead);
    SurveyFixture u;
    CHECK(u.is_ignored(u.start(kTheirs, kNonce, ahead)));
    u.collect();
    CHECK(u.is_ignored(u.stop(kTheirs, kNonce, ahead)));
    REQUIRE(u.is_relayed(u.stop()));
    CHECK(u.is_ignored(u.request({.surveyed = 1, .ahead = ahead})));
    CHECK(u.is_ignored(u.request({.ahead = ahead})));
    CHECK(u.is_ignored(u.response({.surveyed = 1, .ahead = ahead})));
    CHECK(u.metrics.ledger_refused == 5);
    CHECK(u.is_ignored(u.forge(u.request({.ahead = ahead}))));
    CHECK(u.metrics.bad_signatures == 0);
  }
  for (const std::int64_t ahead : {-6, 6}) {
    CAPTURE(ahead);
    SurveyFixture u;
    CHECK(u.is_relayed(u.start(kTheirs, kNonce, ahead)));
    CHECK(u.is_relayed(u.stop(kTheirs, kNonce, ahead)));
    CHECK(u.is_relayed(u.request({.surveyed = 1, .ahead = ahead})));
    CHECK(u.is_relayed(u.response({.surveyed = 1, .ahead = ahead})));
  }
}

TEST_CASE("a response whose request has left the window is refused", "[survey]") {
  SurveyFixture t;
  t.report();
  const SurveyFixture::Asked other{.surveyed = 1};
  REQUIRE(t.is_relayed(t.request(other)));
  const MessagePtr response = t.response(other);
  t.set_ledger(t.ledger.sequence + 7);
  CHECK(t.is_ignored(response));
  CHECK(t.metrics.ledger_refused == 1);
}

// --- rule 3

TEST_CASE("the same request is followed once, and once more in the next ledger", "[survey]") {
  SurveyFixture t;
  t.report();
  const SurveyFixture::Asked other{.surveyed = 1};
  REQUIRE(t.is_relayed(t.request(other)));
  CHECK(t.is_ignored(t.request(other)));
  CHECK(t.is_ignored(t.request({.surveyed = 1, .inbound_index = 25})));
  CHECK(t.metrics.limit_refused == 2);
  CHECK(t.is_relayed(t.request({.surveyed = 1, .ahead = 1})));
}

TEST_CASE("a request to us is answered once in a ledger", "[survey]") {
  SurveyFixture t;
  t.report();
  REQUIRE_FALSE(t.receive(t.request({})));
  CHECK(t.broadcasts.size() == 1);
  CHECK(t.is_ignored(t.request({.inbound_index = 25})));
  CHECK(t.metrics.answered == 1);
  CHECK(t.metrics.limit_refused == 1);
  t.set_ledger(101);
  REQUIRE_FALSE(t.receive(t.request({.inbound_index = 25})));
  CHECK(t.metrics.answered == 2);
}

TEST_CASE("ten surveyed nodes of a surveyor in a ledger", "[survey]") {
  SurveyFixture t;
  t.report();
  for (std::uint64_t i = 1; i <= 10; ++i) REQUIRE(t.is_relayed(t.request({.surveyed = i})));
  CHECK(t.is_ignored(t.request({.surveyed = 11})));
  CHECK(t.is_ignored(t.request({})));
  CHECK(t.metrics.limit_refused == 2);
  CHECK(t.is_relayed(t.request({.surveyed = 11, .ahead = 1})));
}

TEST_CASE("a response is relayed once, and only if its request was", "[survey]") {
  SurveyFixture t;
  t.report();
  const SurveyFixture::Asked other{.surveyed = 1};
  CHECK(t.is_ignored(t.response(other)));
  REQUIRE(t.is_relayed(t.request(other)));
  CHECK(t.is_ignored(t.response({.surveyed = 2})));
  CHECK(t.is_ignored(t.response({.surveyed = 1, .ahead = 1})));
  CHECK(t.is_relayed(t.response(other)));
  CHECK(t.is_ignored(t.response(other, Bytes(61, 2))));
  CHECK(t.metrics.limit_refused == 4);
}

TEST_CASE("a request with a bad signature does not use up its surveyor's share", "[survey]") {
  SurveyFixture t;
  t.report();
  for (std::uint64_t i = 1; i <= 30; ++i) CHECK(t.receive(t.forge(t.request({.surveyed = i}))));
  CHECK(t.metrics.bad_signatures == 30);
  CHECK(t.is_relayed(t.request({.surveyed = 1})));
}

TEST_CASE("a response with a bad signature does not stand in for the good one", "[survey]") {
  SurveyFixture t;
  t.report();
  const SurveyFixture::Asked other{.surveyed = 1};
  REQUIRE(t.is_relayed(t.request(other)));
  CHECK(t.receive(t.forge(t.response(other))) == DropReason::kSurveySignature);
  CHECK(t.is_relayed(t.response(other)));
}

TEST_CASE("a request refused for its phase does not use up its surveyor's share", "[survey]") {
  SurveyFixture t;
  t.collect();
  const SurveyFixture::Asked other{.surveyed = 1};
  CHECK(t.is_ignored(t.request(other)));
  CHECK(t.metrics.phase_refused == 1);
  REQUIRE(t.is_relayed(t.stop()));
  CHECK(t.is_relayed(t.request(other)));
}

// --- rule 4

TEST_CASE("one survey at a time", "[survey]") {
  SurveyFixture t;
  t.collect();
  CHECK(t.is_ignored(t.start()));
  CHECK(t.is_ignored(t.start(kTheirs, kNonce + 1)));
  CHECK(t.is_ignored(t.start(kTheirs + 1)));
  CHECK(t.status().surveyor == id_of(kTheirs));
  REQUIRE(t.is_relayed(t.stop()));
  CHECK(t.is_ignored(t.start(kTheirs + 1)));
  CHECK(t.metrics.phase_refused == 4);
  t.pass(hours(3));
  CHECK(t.is_relayed(t.start(kTheirs + 1)));
}

TEST_CASE("only the surveyor with its nonce stops the survey, and once", "[survey]") {
  SurveyFixture t;
  CHECK(t.is_ignored(t.stop()));
  t.collect();
  CHECK(t.is_ignored(t.stop(kTheirs, kNonce + 1)));
  CHECK(t.is_ignored(t.stop(kTheirs + 1)));
  CHECK(t.status().phase == SurveyPhase::kCollecting);
  CHECK(t.is_relayed(t.stop()));
  CHECK(t.is_ignored(t.stop()));
  CHECK(t.metrics.phase_refused == 4);
}

TEST_CASE("requests and responses are for the nonce that reports", "[survey]") {
  SurveyFixture t;
  CHECK(t.is_ignored(t.request({.surveyed = 1})));
  t.report();
  CHECK(t.is_ignored(t.request({.surveyed = 1, .nonce = kNonce + 1})));
  CHECK(t.is_ignored(t.request({.nonce = kNonce + 1})));
  REQUIRE(t.is_relayed(t.request({.surveyed = 1})));
  CHECK(t.is_ignored(t.response({.surveyed = 1, .nonce = kNonce + 1})));
  CHECK(t.metrics.phase_refused == 4);
  t.pass(hours(3));
  CHECK(t.is_ignored(t.request({.surveyed = 2})));
  CHECK(t.is_ignored(t.response({.surveyed = 1})));
  CHECK(t.metrics.phase_refused == 6);
}

TEST_CASE("to another surveyor with the same nonce we tell nothing, but relay", "[survey]") {
  SurveyFixture t;
  t.report();
  CHECK(t.is_ignored(t.request({.surveyor = kTheirs + 1})));
  CHECK(t.metrics.phase_refused == 1);
  CHECK(t.metrics.answered == 0);
  CHECK(t.is_relayed(t.request({.surveyor = kTheirs + 1, .surveyed = 1})));
}

// --- rule 5

TEST_CASE("a bad signature ends the link, of all four, and nothing is believed", "[survey]") {
  SurveyFixture t;
  CHECK(t.receive(t.forge(t.start())) == DropReason::kSurveySignature);
  CHECK(t.broadcasts.empty());
  CHECK(t.status().phase == SurveyPhase::kInactive);
  t.collect();
  CHECK(t.receive(t.forge(t.stop())) == DropReason::kSurveySignature);
  CHECK(t.status().phase == SurveyPhase::kCollecting);
  REQUIRE(t.is_relayed(t.stop()));
  CHECK(t.receive(t.forge(t.request({}))) == DropReason::kSurveySignature);
  CHECK(t.receive(t.forge(t.request({.surveyed = 1}))) == DropReason::kSurveySignature);
  REQUIRE(t.is_relayed(t.request({.surveyed = 1})));
  CHECK(t.receive(t.forge(t.response({.surveyed = 1}))) == DropReason::kSurveySignature);
  CHECK(t.broadcasts.empty());
  CHECK(t.metrics.bad_signatures == 5);
  CHECK(t.metrics.answered == 0);
}

TEST_CASE("a good signature of somebody else is a bad one", "[survey]") {
  SurveyFixture t;
  const auto signed_by = [&](const MessagePtr& message, std::uint64_t signer) {
    const auto parts = wire::read_signed(message->xdr());
    return t.sign(message->type(), Bytes(parts->signed_part.begin(), parts->signed_part.end()), signer);
  };
  CHECK(t.receive(signed_by(t.start(), kTheirs + 1)) == DropReason::kSurveySignature);
  t.report();
  CHECK(t.receive(signed_by(t.request({.surveyed = 1}), 1)) == DropReason::kSurveySignature);
  REQUIRE(t.is_relayed(t.request({.surveyed = 1})));
  CHECK(t.receive(signed_by(t.response({.surveyed = 1}), kTheirs)) == DropReason::kSurveySignature);
}

TEST_CASE("a start's signature is not a stop's", "[survey]") {
  // Both sign the same bytes in the protocol: the type is not signed. So one can be made of the other.
  SurveyFixture t;
  t.collect();
  const MessagePtr start = t.start();
  const auto parts = wire::read_signed(start->xdr());
  const MessagePtr stop = wire::Message::adopt(
      wire::write_survey_message(MessageType::kTimeSlicedSurveyStopCollecting, parts->signature, parts->signed_part),
      {});
  CHECK(t.is_relayed(stop));
}

TEST_CASE("signatures of other sizes are bad", "[survey]") {
  SurveyFixture t;
  const MessagePtr start = t.start();
  const auto parts = wire::read_signed(start->xdr());
  const Bytes part(parts->signed_part.begin(), parts->signed_part.end());
  for (const std::size_t size : {0U, 1U, 63U}) {
    const MessagePtr message = wire::Message::adopt(
        wire::write_survey_message(MessageType::kTimeSlicedSurveyStartCollecting, Bytes(size, 1), part), {});
    CHECK(t.receive(message) == DropReason::kSurveySignature);
  }
}

}  // namespace
}  // namespace overlayd::survey
