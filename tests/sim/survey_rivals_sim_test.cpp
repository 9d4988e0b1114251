// Who may survey, one survey at a time, and how each ends when nobody ends it.
#include <catch2/catch.hpp>

#include "core/crypto/strkey.h"
#include "tests/sim/seeds.h"
#include "tests/sim/survey_scene.h"

using namespace overlayd;
using namespace overlayd::sim;

namespace {

constexpr Duration kCollect = seconds(20);
constexpr Duration kLong = std::chrono::minutes(30);

// Whose survey a node takes part in.
std::set<std::size_t> followers_of(const SurveyNetwork& net, std::size_t surveyor) {
  std::set<std::size_t> followers;
  for (std::size_t i = 0; i < net.honest(); ++i)
    if (net.network().node(i).overlay().survey_result({net.network().now(), {}}).status.surveyor == net.id(surveyor))
      followers.insert(i);
  return followers;
}

// Each of `complete` told all, and each other node of the result was asked three times in vain.
void check_split(const SurveyNetwork& net, const SurveyResult& result, const std::set<std::size_t>& complete) {
  for (const SurveyNodePtr& node : result.nodes) {
    const auto index = net.index_of(node->node);
    REQUIRE(index.has_value());
    CAPTURE(*index);
    if (complete.contains(*index)) {
      CHECK(node->state == SurveyNodeState::kComplete);
      continue;
    }
    CHECK(node->state == SurveyNodeState::kFailed);
    CHECK(node->problem == SurveyProblem::kSilent);
    CHECK(node->requests == limits::kSurveyAttemptsMax);
  }
  for (const std::size_t node : complete) CHECK(find(result, net.id(node)) != nullptr);
}

std::uint64_t sum(const SurveyNetwork& net, std::uint64_t SurveyMetrics::*member) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < net.honest(); ++i) sum += net.network().node(i).overlay().metrics().survey.*member;
  return sum;
}

// A ring in which each node calls the next one.
void make_ring(SurveyNetwork& net) {
  for (std::size_t i = 0; i < net.honest(); ++i) net.network().connect(i, (i + 1) % net.honest());
  net.network().run_for(seconds(3));
}

}  // namespace

TEST_CASE("while one survey is under way another is refused, and told whose it is", "[sim]") {
  SIM_SEEDS(seed);
  SurveyNetwork net({.seed = seed, .nodes = 16, .surveyors = {0, 8}});
  REQUIRE(net.run(0, kCollect).status == RequestStatus::kAccepted);
  net.network().run_for(seconds(2));
  CHECK(net.count_in(SurveyPhase::kCollecting) == net.honest());
  for (const auto& answer : {net.start(8), net.run(8, kCollect)}) {
    CHECK(answer.status == RequestStatus::kRefused);
    CHECK(answer.why.find(crypto::encode_node_id(net.id(0))) != std::string::npos);
  }
  net.network().run_for(kCollect);
  CHECK(net.count_in(SurveyPhase::kReporting) == net.honest());
  CHECK(net.start(8).status == RequestStatus::kRefused);
  CHECK(net.run(0, kCollect).status == RequestStatus::kDuplicate);
  REQUIRE(net.run_to_end(0, kLong));
  CHECK(net.result(0).status.run == SurveyRun::kDone);
  CHECK(count(net.result(0), SurveyNodeState::kComplete) == net.honest());
  CHECK(net.result(0).status.rival.is_zero());
  CHECK_FALSE(net.status(8).has_result);
}

TEST_CASE("of two surveys that begin at once each gets those who heard of it first, and both end", "[sim]") {
  SIM_SEEDS(seed);
  // At the two ends of a ring, or next to each other: only then does one hear of the other.
  const std::size_t second = GENERATE(std::size_t{1}, std::size_t{8});
  SurveyNetwork net({.seed = seed, .nodes = 16, .degree = 0, .surveyors = {0, second}});
  make_ring(net);
  REQUIRE(net.run(0, kCollect).status == RequestStatus::kAccepted);
  REQUIRE(net.run(second, kCollect).status == RequestStatus::kAccepted);
  net.network().run_for(seconds(5));
  const std::set<std::size_t> first_half = followers_of(net, 0);
  const std::set<std::size_t> second_half = followers_of(net, second);
  CHECK(first_half.size() + second_half.size() == net.honest());
  CHECK((first_half.size() > 3 && second_half.size() > 3));
  REQUIRE(net.run_to_end(0, kLong));
  REQUIRE(net.run_to_end(second, kLong));
  for (const std::size_t surveyor : {std::size_t{0}, second}) {
    CAPTURE(surveyor, describe(net.status(surveyor)));
    const SurveyResult result = net.result(surveyor);
    CHECK(result.status.run == SurveyRun::kDone);
    check_split(net, result, surveyor == 0 ? first_half : second_half);
    // Its own half, and the two nodes next to it.
    CHECK(result.nodes.size() == (surveyor == 0 ? first_half : second_half).size() + 2);
    const NodeId rival = net.id(surveyor == 0 ? second : 0);
    CHECK(result.status.rival == (second == 1 ? rival : NodeId{}));
  }
}

TEST_CASE("nobody relays or answers what a surveyor asks whom nobody permits", "[sim]") {
  SIM_SEEDS(seed);
  const bool is_by_keys = GENERATE(false, true);
  SurveyNetwork net({.seed = seed, .nodes = 16, .surveyors = {8}, .is_by_keys = is_by_keys});
  REQUIRE(net.run(0, kCollect).status == RequestStatus::kAccepted);
  const std::set<std::size_t> peers = net.peers_of(0);
  net.network().run_for(seconds(5));
  CHECK(net.count_in(SurveyPhase::kCollecting) == 1);
  REQUIRE(net.run_to_end(0, kLong));
  const SurveyResult result = net.result(0);
  INFO(describe(result.status));
  CHECK(result.status.run == SurveyRun::kDone);
  CHECK(result.nodes.size() == 1 + peers.size());
  for (const std::size_t peer : peers) {
    const SurveyNode* node = find(result, net.id(peer));
    REQUIRE(node != nullptr);
    CHECK(node->state == SurveyNodeState::kFailed);
    CHECK(node->problem == SurveyProblem::kUnpermitted);
    CHECK(node->requests == limits::kSurveyAttemptsMax);
  }
  // START, STOP and the requests, from it to each peer, and no further.
  const std::uint64_t own = 2 + result.status.requests_sent;
  CHECK(sum(net, &SurveyMetrics::received) == own * peers.size());
  CHECK(sum(net, &SurveyMetrics::unpermitted) == own * peers.size());
  CHECK(sum(net, &SurveyMetrics::relayed) == own * peers.size());
  CHECK(sum(net, &SurveyMetrics::answered) == 0);
}

TEST_CASE("a surveyor whom half of the nodes permit gets those whom its messages reach through them", "[sim]") {
  SIM_SEEDS(seed);
  std::set<std::size_t> unwilling;
  for (std::size_t i = 1; i < 24; i += 2) unwilling.insert(i);
  SurveyNetwork net({.seed = seed, .nodes = 24, .unwilling = unwilling});
  std::set<std::size_t> answering;
  const std::set<std::size_t> named =
      net.reach(0, [&](std::size_t node) { return node == 0 || !unwilling.contains(node); });
  for (const std::size_t node : named)
    if (!unwilling.contains(node)) answering.insert(node);
  REQUIRE(net.run(0, kCollect).status == RequestStatus::kAccepted);
  REQUIRE(net.run_to_end(0, kLong));
  const SurveyResult result = net.result(0);
  INFO(describe(result.status));
  CHECK(result.status.run == SurveyRun::kDone);
  CHECK(result.nodes.size() == named.size());
  // If none of its peers permits it, that is what it is told.
  if (answering.size() > 1) check_split(net, result, answering);
}

TEST_CASE("a survey whose surveyor dies ends by itself, and then another can begin", "[sim]") {
  SIM_SEEDS(seed);
  SurveyNetwork net({.seed = seed, .nodes = 6, .degree = 4, .surveyors = {0, 3}});
  REQUIRE(net.start(0).status == RequestStatus::kAccepted);
  net.network().run_for(seconds(2));
  CHECK(net.count_in(SurveyPhase::kCollecting) == net.honest());
  net.kill(0);
  net.network().run_for(limits::kSurveyCollectMax - seconds(4));
  CHECK(net.count_in(SurveyPhase::kCollecting) == net.honest() - 1);
  CHECK(net.start(3).status == RequestStatus::kRefused);
  net.network().run_for(seconds(4));
  CHECK(net.count_in(SurveyPhase::kReporting) == net.honest() - 1);
  net.network().run_for(limits::kSurveyReportMax - seconds(4));
  CHECK(net.count_in(SurveyPhase::kReporting) == net.honest() - 1);
  CHECK(net.start(3).status == RequestStatus::kRefused);
  net.network().run_for(seconds(4));
  CHECK(net.count_in(SurveyPhase::kInactive) == net.honest() - 1);

  REQUIRE(net.run(3, kCollect).status == RequestStatus::kAccepted);
  REQUIRE(net.run_to_end(3, kLong));
  CHECK(net.result(3).status.run == SurveyRun::kDone);
  CHECK(count(net.result(3), SurveyNodeState::kComplete) == net.honest() - 1);
}

TEST_CASE("a survey that nobody stops ends its collecting phase by itself, and its surveyor may ask", "[sim]") {
  SIM_SEEDS(seed);
  SurveyNetwork net({.seed = seed, .nodes = 6, .degree = 4});
  REQUIRE(net.start(0).status == RequestStatus::kAccepted);
  CHECK(net.request(0, net.id(1)).status == RequestStatus::kNotFound);
  net.network().run_for(limits::kSurveyCollectMax + seconds(2));
  CHECK(net.count_in(SurveyPhase::kReporting) == net.honest());
  CHECK(net.stop(0).status == RequestStatus::kNotFound);
  REQUIRE(net.request(0, net.id(1)).status == RequestStatus::kAccepted);
  CHECK(net.request(0, net.id(1)).status == RequestStatus::kDuplicate);
  net.network().run_for(seconds(20));
  const SurveyResult result = net.result(0);
  const SurveyNode* asked = find(result, net.id(1));
  REQUIRE(asked != nullptr);
  CHECK(asked->state == SurveyNodeState::kComplete);
  CHECK(asked->inbound.size() + asked->outbound.size() == net.peers_of(1).size());
  CHECK(count(result, SurveyNodeState::kFound) == net.honest() - 2);  // nobody asked for these
  CHECK(result.status.run == SurveyRun::kNone);
  // A run takes it over from here.
  REQUIRE(net.run(0, kCollect).status == RequestStatus::kAccepted);
  REQUIRE(net.run_to_end(0, kLong));
  CHECK(count(net.result(0), SurveyNodeState::kComplete) == net.honest());
  CHECK(net.end(0).status == RequestStatus::kNotFound);
}
