// What others send to do harm: to the node that surveys, and to those that relay.
#include <deque>

#include "tests/unit/survey_fixture.h"

namespace overlayd::survey {
namespace {

// Our run, in which the nodes 1 and 2 were asked.
struct Attacked : SurveyFixture {
  std::vector<wire::SurveyRequest> requests;

  Attacked() {
    REQUIRE(order(RunSurvey{{}, seconds(1)}).status == RequestStatus::kAccepted);
    pass(seconds(1));
    requests = asked();
    REQUIRE(requests.size() == 2);
    if (requests[0].surveyed != id_of(1)) std::swap(requests[0], requests[1]);
  }
  SurveyNode of(std::uint64_t number) const {
    const SurveyNodePtr found = node(id_of(number));
    REQUIRE(found != nullptr);
    return *found;
  }
  MessagePtr answer_with(Bytes sealed) const {
    const wire::SurveyRequest& to = requests[0];
    return sign(
        MessageType::kTimeSlicedSurveyResponse,
        wire::write_signed_part(wire::SurveyResponse{to.surveyor, to.surveyed, to.ledger, std::move(sealed), to.nonce}),
        1);
  }
};

TEST_CASE("garbage in an answer is counted, and the node asked again", "[survey]") {
  Attacked t;
  Bytes sealed;
  SECTION("nothing") {}
  SECTION("noise") { sealed = Bytes(64'000, 0x5c); }
  SECTION("a box for somebody else") { sealed = crypto::seal(t.box.public_key(), Bytes(10), t.entropy).value(); }
  SECTION("noise in a good box") {
    sealed = crypto::seal(t.requests[0].encryption_key, Bytes(1000, 0xff), t.entropy).value();
  }
  SECTION("a topology cut short, in a good box") {
    Bytes body = wire::write_survey_topology(whole({link_to(3)}));
    body.resize(body.size() - 4);
    sealed = crypto::seal(t.requests[0].encryption_key, body, t.entropy).value();
  }
  CHECK(t.is_taken(t.answer_with(sealed)));
  CHECK(t.metrics.bad_responses == 1);
  CHECK(t.metrics.responses == 0);
  CHECK(t.status().bad_responses == 1);
  CHECK(t.of(1).bad_responses == 1);
  CHECK_FALSE(t.of(1).stats);
  t.pass_ledgers(1);
  t.pass_ledgers(3);
  CHECK(t.of(1).requests == 2);
}

TEST_CASE("who answers nothing but garbage is bad in the end", "[survey]") {
  Attacked t;
  for (int i = 0; i < 60 && t.of(1).state != SurveyNodeState::kFailed; ++i) {
    for (const wire::SurveyRequest& request : t.requests)
      if (request.surveyed == id_of(1)) CHECK(t.is_taken(t.answer(1, request, std::nullopt)));
    t.pass_ledgers(1);
    t.requests = t.asked();
  }
  CHECK(t.of(1).state == SurveyNodeState::kFailed);
  CHECK(t.of(1).problem == SurveyProblem::kBad);
  CHECK(t.of(1).requests == limits::kSurveyAttemptsMax);
  CHECK(t.metrics.bad_responses == limits::kSurveyAttemptsMax);
}

TEST_CASE("a lie in an answer is counted and named", "[survey]") {
  Attacked t;
  CHECK(t.is_taken(t.answer(1, t.requests[0], page(links_to(100, 3), {}, 2, 0))));
  CHECK(t.metrics.bad_responses == 1);
  CHECK(t.of(1).problem == SurveyProblem::kBad);
  CHECK_FALSE(t.of(1).detail.empty());
  CHECK(t.node(nth_node(100)) == nullptr);
}

TEST_CASE("an answer is taken once, and only from the node that was asked", "[survey]") {
  Attacked t;
  // Node 2 answers in the place of node 1: its signature does not fit.
  const wire::SurveyRequest& to = t.requests[0];
  const Bytes sealed = crypto::seal(to.encryption_key, wire::write_survey_topology(whole({})), t.entropy).value();
  const wire::SurveyResponse response{to.surveyor, to.surveyed, to.ledger, sealed, to.nonce};
  CHECK(t.receive(t.sign(MessageType::kTimeSlicedSurveyResponse, wire::write_signed_part(response), 2)) ==
        DropReason::kSurveySignature);
  CHECK_FALSE(t.of(1).stats);
  // A node nobody asked.
  wire::SurveyRequest forged = to;
  forged.surveyed = id_of(9);
  CHECK(t.is_ignored(t.answer(9, forged, whole({}))));
  CHECK(t.node(id_of(9)) == nullptr);
  CHECK(t.metrics.limit_refused == 1);
  CHECK(t.is_taken(t.answer(1, to, whole({link_to(3)}))));
  CHECK(t.is_ignored(t.answer(1, to, whole({link_to(4)}))));
  CHECK(t.of(1).inbound == std::vector{link_to(3)});
}

TEST_CASE("a node that answers the request of a page with another is not merged wrongly", "[survey]") {
  Attacked t;
  REQUIRE(t.is_taken(t.answer(1, t.requests[0], page(links_to(100, 25), {}, 60, 0))));
  std::optional<wire::SurveyRequest> second;
  for (int i = 0; i < 10 && !second; ++i) {
    t.pass_ledgers(1);
    for (const auto& request : t.asked())
      if (request.surveyed == id_of(1)) second = request;
  }
  REQUIRE(second);
  CHECK(second->inbound_index == 25);
  CHECK(t.is_taken(t.answer(1, *second, page(links_to(100, 25), {}, 60, 0))));
  CHECK(t.of(1).problem == SurveyProblem::kBad);
  CHECK(t.of(1).inbound.size() == 25);
}

// The one names a million that do not exist, the other one that does.
TEST_CASE("a tree of inventions ends with its own silence, and the honest are found", "[survey]") {
  Attacked t;
  SurveyedLink honest;
  honest.node = id_of(3);
  std::deque<wire::SurveyRequest> open(t.requests.begin(), t.requests.end());
  int ledgers = 0;
  for (; ledgers < 50 && !(t.node(id_of(3)) && t.node(id_of(3))->stats); ++ledgers) {
    while (!open.empty()) {
      const wire::SurveyRequest request = open.front();
      open.pop_front();
      if (request.surveyed == id_of(1)) {
        const std::uint64_t first = 1'000'000 + request.inbound_index;
        t.receive(t.answer(1, request, page(links_to(first, 25), {}, 1'000'000, 0)));
      } else if (request.surveyed == id_of(2)) {
        t.receive(t.answer(2, request, whole({}, {honest})));
      } else if (request.surveyed == id_of(3)) {
        t.receive(t.answer(3, request, whole({})));
      } else {
        continue;
      }
      for (const auto& next : t.asked()) open.push_back(next);
    }
    t.pass_ledgers(1);
    for (const auto& next : t.asked()) open.push_back(next);
  }
  CHECK(t.of(3).state == SurveyNodeState::kComplete);
  CHECK(ledgers < 20);
}

TEST_CASE("a surveyor floods requests: what we relay is bounded in each ledger", "[survey]") {
  SurveyFixture t;
  t.report();
  std::size_t relayed = 0;
  for (std::uint64_t i = 0; i < 500; ++i) relayed += t.is_relayed(t.request({.surveyed = 1 + i % 50})) ? 1 : 0;
  CHECK(relayed == limits::kSurveyedPerSurveyor);
  CHECK(t.metrics.limit_refused == 490);
}

TEST_CASE("ledgers that come and go leave no trace", "[survey]") {
  SurveyFixture t;
  t.report();
  for (std::uint32_t i = 0; i < 300; ++i) {
    for (std::int64_t ahead = -6; ahead <= 6; ahead += 3) t.receive(t.request({.surveyed = 1 + i, .ahead = ahead}));
    t.set_ledger(t.ledger.sequence + (i % 3 == 0 ? 0 : 1));
  }
  CHECK(t.metrics.bad_signatures == 0);  // and the invariants hold, which the fixture checks
}

TEST_CASE("a peer that sends survey messages of any content harms nothing", "[survey]") {
  Random random(1);
  Attacked t;
  const auto pick = [&](std::uint32_t usual) { return random.below(4) == 0 ? test::any_u32(random) : usual; };
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t signer = std::vector<std::uint64_t>{1, 2, kOurs, kTheirs, 3000}[random.below(5)];
    const NodeId other = random.below(3) == 0 ? id_of(kOurs) : id_of(1 + random.below(3));
    const std::uint32_t nonce = pick(t.status().nonce);
    const std::uint32_t ledger = pick(t.ledger.sequence);
    Bytes part;
    auto type = static_cast<MessageType>(21 + random.below(4));
    if (type == MessageType::kTimeSlicedSurveyRequest) {
      part = wire::write_signed_part(wire::SurveyRequest{id_of(signer), other, ledger, t.box.public_key(), nonce,
                                                         test::any_u32(random), test::any_u32(random)});
    } else if (type == MessageType::kTimeSlicedSurveyResponse) {
      part = wire::write_signed_part(
          wire::SurveyResponse{other, id_of(signer), ledger, test::any_bytes(random, random.below(200)), nonce});
    } else {
      part = wire::write_signed_part(wire::SurveyCollecting{id_of(signer), nonce, ledger});
    }
    const MessagePtr message = t.sign(type, part, signer);
    t.receive(random.below(3) == 0 ? t.forge(message) : message);
    if (random.below(10) == 0) t.pass_ledgers(1);
  }
  CHECK(t.status().nodes_found <= 3);  // nothing was believed of it: none could be opened
}

}  // namespace
}  // namespace overlayd::survey
