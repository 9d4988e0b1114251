// Participants of a survey that lie: what they say is bounded and reported, and the honest nodes are all found all the
// same, with their links.
#include <catch2/catch.hpp>

#include "tests/sim/seeds.h"
#include "tests/sim/survey_liar.h"

using namespace overlayd;
using namespace overlayd::sim;
using wire::MessageType;

namespace {

constexpr std::size_t kNodes = 16;
constexpr Duration kCollect = seconds(10);
constexpr Duration kLong = std::chrono::minutes(60);
const std::vector<std::size_t> kVictims{3, 7};
constexpr std::size_t kLiars = 14;        // that invent peers
constexpr std::size_t kInvented = 1'000;  // by each, a direction

// Links as the liar could have them, with other numbers.
wire::SurveyTopology page_of(std::uint64_t first, std::size_t inbound, std::size_t outbound, std::uint32_t total) {
  wire::SurveyTopology topology;
  topology.inbound = invent_links(first, inbound);
  topology.outbound = invent_links(first + 1'000'000, outbound);
  topology.node.total_inbound = topology.node.total_outbound = total;
  return topology;
}

// The liar is in the result, and nothing of it harms what the honest nodes told.
void check_honest(const SurveyNetwork& net, const SurveyResult& result) {
  INFO(describe(result.status));
  for (std::size_t i = 0; i < net.honest(); ++i) {
    CAPTURE(i);
    const SurveyNode* node = find(result, net.id(i));
    REQUIRE(node != nullptr);
    CHECK(node->state == SurveyNodeState::kComplete);
    CHECK(node->requests == (i == 0 ? 0 : 1));
  }
  CHECK(net.told_by_diallers(result) == net.links());
  CHECK(net.told_by_dialled(result) == net.links());
}

// A whole run with one liar; what the result says of it.
struct Told {
  SurveyNode liar;
  std::shared_ptr<LiarLog> log;
  SurveyStatus status;
  std::size_t nodes = 0;
};
Told survey_with(std::uint64_t seed, Lie lie) {
  SurveyNetwork net({.seed = seed, .nodes = kNodes});
  const Liar liar = add_liar(net, kVictims, std::move(lie));
  REQUIRE(net.run(0, kCollect).status == RequestStatus::kAccepted);
  REQUIRE(net.run_to_end(0, kLong));
  const SurveyResult result = net.result(0);
  CHECK(result.status.run == SurveyRun::kDone);
  check_honest(net, result);
  const SurveyNode* told = find(result, net.id(liar.index));
  REQUIRE(told != nullptr);
  CHECK(told->named_by.size() == kVictims.size());
  CHECK(told->requests == liar.log->requests);
  net.network().check_invariants();
  return {*told, liar.log, result.status, result.nodes.size()};
}

void check_failed(const Told& told, SurveyProblem problem, std::uint32_t requests_max) {
  INFO(told.liar.detail);
  CHECK(told.liar.state == SurveyNodeState::kFailed);
  CHECK(told.liar.problem == problem);
  CHECK(!told.liar.detail.empty());
  CHECK(told.liar.requests <= requests_max);
}

}  // namespace

TEST_CASE("an answer that cannot be opened or read is bad, and asked for thrice at most", "[sim]") {
  SIM_SEEDS(seed);
  const Lie unopenable = [](const wire::SurveyRequest&, LiarLog&) { return Bytes(300, 0x5a); };
  const Lie empty = [](const wire::SurveyRequest&, LiarLog&) { return Bytes(); };
  const Lie cut = [](const wire::SurveyRequest& request, LiarLog&) {
    Bytes sealed = seal_for(request, page_of(1, 2, 2, 2));
    sealed.pop_back();
    return sealed;
  };
  for (const Lie& lie : {unopenable, empty, cut}) {
    const Told told = survey_with(seed, lie);
    check_failed(told, SurveyProblem::kBad, limits::kSurveyAttemptsMax);
    CHECK(told.liar.bad_responses == told.log->answers);
    CHECK(told.log->answers > 0);
    CHECK(told.nodes == kNodes + 1);
  }
}

TEST_CASE("a node whose links are not as many as it counts is reported", "[sim]") {
  SIM_SEEDS(seed);
  const Told more = survey_with(
      seed, [](const wire::SurveyRequest& request, LiarLog&) { return seal_for(request, page_of(1, 5, 5, 3)); });
  check_failed(more, SurveyProblem::kBad, 1);
  CHECK(more.nodes == kNodes + 1);  // whom it names was not believed
  // Five of a hundred, and then none.
  const Told fewer = survey_with(seed, [](const wire::SurveyRequest& request, LiarLog& log) {
    return seal_for(request, log.requests == 1 ? page_of(1, 5, 5, 100) : page_of(1, 0, 0, 100));
  });
  check_failed(fewer, SurveyProblem::kTruncated, 2);
  CHECK((fewer.liar.inbound.size() == 5 && fewer.liar.outbound.size() == 5));
  // Another number on each page.
  const Told changing = survey_with(seed, [](const wire::SurveyRequest& request, LiarLog& log) {
    const auto page = static_cast<std::uint32_t>(log.requests);
    return seal_for(request, page_of(10 * page, 5, 5, 100 + page));
  });
  check_failed(changing, SurveyProblem::kBad, 2);
  // Four thousand million, of which it tells nothing.
  const Told none = survey_with(seed, [](const wire::SurveyRequest& request, LiarLog&) {
    return seal_for(request, page_of(1, 0, 0, 0xffffffff));
  });
  check_failed(none, SurveyProblem::kTruncated, 1);
}

TEST_CASE("a node that repeats its page for ever is asked twice", "[sim]") {
  SIM_SEEDS(seed);
  const Told told = survey_with(seed, [](const wire::SurveyRequest& request, LiarLog&) {
    return seal_for(request, page_of(1, limits::kSurveyLinksPerPage, limits::kSurveyLinksPerPage, 1'000));
  });
  check_failed(told, SurveyProblem::kBad, 2);
  CHECK(told.liar.inbound.size() == limits::kSurveyLinksPerPage);
  CHECK(told.nodes == kNodes + 1 + 2 * limits::kSurveyLinksPerPage);
}

TEST_CASE("a node that names itself, or a link twice, is bad", "[sim]") {
  SIM_SEEDS(seed);
  const Told itself = survey_with(seed, [](const wire::SurveyRequest& request, LiarLog&) {
    wire::SurveyTopology page = page_of(1, 2, 2, 3);
    SurveyedLink to_itself;
    to_itself.node = request.surveyed;
    page.inbound.push_back(to_itself);
    return seal_for(request, page);
  });
  check_failed(itself, SurveyProblem::kBad, 1);
  const Told twice = survey_with(seed, [](const wire::SurveyRequest& request, LiarLog&) {
    wire::SurveyTopology page = page_of(1, 2, 2, 4);
    page.inbound.push_back(page.inbound.front());
    return seal_for(request, page);
  });
  check_failed(twice, SurveyProblem::kBad, 1);
}

TEST_CASE("a node that passes others' answers off as its own speaks for itself alone", "[sim]") {
  SIM_SEEDS(seed);
  const Told told = survey_with(seed, [](const wire::SurveyRequest&, LiarLog& log) -> std::optional<Bytes> {
    if (log.sealed_by_others.empty()) return std::nullopt;
    return log.sealed_by_others[log.requests % log.sealed_by_others.size()];
  });
  CHECK(told.nodes == kNodes + 1);
  CHECK(told.liar.requests <= limits::kSurveyAttemptsMax);
}

TEST_CASE("responses that come again are not followed", "[sim]") {
  SIM_SEEDS(seed);
  SurveyNetwork net({.seed = seed, .nodes = kNodes});
  auto heard = std::make_shared<std::vector<Bytes>>();
  Script script;
  // Each twice, at once and ten seconds later, to whom it came from.
  script.period = seconds(10);
  script.on_message = [heard](ScriptedLink& link, const wire::Message& message) {
    if (message.type() != MessageType::kTimeSlicedSurveyResponse) return;
    const ByteView xdr = message.xdr();
    heard->emplace_back(xdr.begin(), xdr.end());
    link.send_within_credit(heard->back());
  };
  script.on_period = [heard](ScriptedLink& link) {
    for (const Bytes& xdr : *heard)
      if (!link.send_within_credit(xdr)) break;
  };
  const std::size_t echo = net.network().add_participant(
      [&](const LocalNode& local) { return std::make_unique<ScriptedPeer>(local, script); });
  for (const std::size_t victim : kVictims) net.network().connect(echo, victim);
  net.network().run_for(seconds(2));
  REQUIRE(net.run(0, kCollect).status == RequestStatus::kAccepted);
  REQUIRE(net.run_to_end(0, kLong));
  const SurveyResult result = net.result(0);
  check_honest(net, result);
  CHECK(heard->size() >= kNodes / 2);
  CHECK(result.status.responses == kNodes - 1);
  CHECK(result.status.bad_responses == 0);
}

TEST_CASE("a START that its surveyor did not sign begins nothing, and its sender is dropped", "[sim]") {
  SIM_SEEDS(seed);
  SurveyNetwork net({.seed = seed, .nodes = kNodes});
  const Liar liar = add_liar(net, kVictims, [](const wire::SurveyRequest&, LiarLog&) { return std::nullopt; });
  const SimNode& node = net.network().node(liar.index);
  const wire::SurveyCollecting start{.surveyor = net.id(0), .nonce = 7, .ledger = net.ledger()};
  const MessagePtr forged =
      make_collecting(MessageType::kTimeSlicedSurveyStartCollecting, start, *node.key(), net.network().network_id());
  net.network().broadcast(liar.index, forged);
  net.network().run_for(seconds(2));
  CHECK(net.count_in(SurveyPhase::kInactive) == net.honest());
  for (const std::size_t victim : kVictims) {
    // It may be back by now: the book still has its address.
    CHECK(net.network().node(victim).drops(DropReason::kSurveySignature) == 1);
    CHECK(net.network().node(victim).overlay().metrics().survey.bad_signatures == 1);
    CHECK(net.network().node(victim).overlay().metrics().survey.relayed == 0);
  }
  REQUIRE(net.run(0, kCollect).status == RequestStatus::kAccepted);
  REQUIRE(net.run_to_end(0, kLong));
  check_honest(net, net.result(0));
}

TEST_CASE("invented peers fill the result up to its bound, and the honest nodes are found before", "[sim]") {
  // Three hours of seven thousand requests: one seed.
  constexpr std::uint64_t kSeed = 1;
  SurveyNetwork net({.seed = kSeed, .nodes = kNodes});
  std::vector<Liar> liars;
  for (std::size_t i = 0; i < kLiars; ++i) {
    const std::uint64_t first = 10 * kInvented * i;
    liars.push_back(add_liar(net, {1 + i}, [first](const wire::SurveyRequest& request, LiarLog&) {
      wire::SurveyTopology page;
      page.node.total_inbound = page.node.total_outbound = kInvented;
      const auto slice = [](std::uint64_t begin, std::uint32_t index) {
        const std::size_t left = kInvented - std::min<std::size_t>(index, kInvented);
        return invent_links(begin + index, std::min(left, limits::kSurveyLinksPerPage));
      };
      page.inbound = slice(first, request.inbound_index);
      page.outbound = slice(first + kInvented, request.outbound_index);
      return seal_for(request, page);
    }));
  }
  REQUIRE(net.run(0, kCollect).status == RequestStatus::kAccepted);
  net.network().run_for(kCollect + std::chrono::minutes(10));
  CHECK(net.is_running(0));
  check_honest(net, net.result(0));
  REQUIRE(net.run_to_end(0, limits::kSurveyReportMax));
  const SurveyResult result = net.result(0);
  check_honest(net, result);
  INFO(describe(result.status));
  CHECK(result.status.run == SurveyRun::kEnded);
  CHECK(!result.status.why.empty());
  CHECK(result.nodes.size() == limits::kSurveyNodesMax);
  CHECK(result.status.nodes_refused > 0);
  std::size_t unasked = 0;
  for (const SurveyNodePtr& node : result.nodes) unasked += node->problem == SurveyProblem::kNotAsked ? 1 : 0;
  CHECK(unasked > 0);
  net.network().check_invariants();
}
