// Surveys of networks in which many do not answer: everybody else is found, with every link, in the time that the pace
// of requests allows.
#include <catch2/catch.hpp>

#include "tests/sim/seeds.h"
#include "tests/sim/survey_scene.h"

using namespace overlayd;
using namespace overlayd::sim;

namespace {

std::set<std::size_t> draw(Random& random, std::size_t count, std::size_t nodes, const std::set<std::size_t>& without) {
  std::set<std::size_t> drawn;
  while (drawn.size() < count) {
    const std::size_t node = 1 + random.below(nodes - 1);
    if (!without.contains(node)) drawn.insert(node);
  }
  return drawn;
}

// Requests leave in batches; once the last has left, the answer to it comes or is missed while its ledger is in the
// window, and one that is missed is asked for again with the next batch.
Duration longest_crawl(const SurveyStatus& status) {
  const std::uint64_t batches = (status.requests_sent + limits::kSurveyBatch - 1) / limits::kSurveyBatch;
  const Duration lives = limits::kCloseTime * (limits::kSurveyLedgerWindow + 1);
  return static_cast<std::int64_t>(batches) * limits::kSurveyBatchPeriod +
         limits::kSurveyAttemptsMax * (lives + limits::kSurveyBatchPeriod);
}

struct Crawled {
  SurveyResult result;
  Duration took{};
};

Crawled crawl(SurveyNetwork& net, Duration collect) {
  REQUIRE(net.run(0, collect).status == RequestStatus::kAccepted);
  net.network().run_for(collect);
  const Instant began = net.network().now();
  REQUIRE(net.run_to_end(0, limits::kSurveyReportMax));
  Crawled crawled{net.result(0), net.network().now() - began};
  const SurveyStatus& status = crawled.result.status;
  CHECK(status.run == SurveyRun::kDone);
  CHECK(crawled.took <= longest_crawl(status));
  // The pace is used: it does not take much longer than the requests do.
  CHECK(static_cast<std::int64_t>(status.requests_sent / limits::kSurveyBatch) * limits::kSurveyBatchPeriod <=
        crawled.took + limits::kSurveyBatchPeriod);
  return crawled;
}

// What each that answers is linked to is told of by it, and nobody tells of a link that is not there.
void check_links(const SurveyNetwork& net, const SurveyResult& result, const std::set<std::size_t>& answering) {
  LinkSet by_diallers;
  LinkSet by_dialled;
  for (const auto& link : net.links()) {
    if (answering.contains(link.first)) by_diallers.insert(link);
    if (answering.contains(link.second)) by_dialled.insert(link);
  }
  CHECK(net.told_by_diallers(result) == by_diallers);
  CHECK(net.told_by_dialled(result) == by_dialled);
}

void check_silent(const SurveyNetwork& net, const SurveyResult& result, const std::set<std::size_t>& silent) {
  for (const std::size_t node : silent) {
    CAPTURE(node);
    const SurveyNode* found = find(result, net.id(node));
    REQUIRE(found != nullptr);
    CHECK(found->state == SurveyNodeState::kFailed);
    CHECK(found->problem == SurveyProblem::kSilent);
    CHECK(found->requests == limits::kSurveyAttemptsMax);
    CHECK_FALSE(found->stats);
    CHECK(!found->named_by.empty());
  }
}

void check_answering(const SurveyNetwork& net, const SurveyResult& result, const std::set<std::size_t>& answering) {
  for (const std::size_t node : answering) {
    CAPTURE(node);
    const SurveyNode* found = find(result, net.id(node));
    REQUIRE(found != nullptr);
    CHECK(found->state == SurveyNodeState::kComplete);
    CHECK(found->requests == (node == 0 ? 0 : 1));
    CHECK(found->bad_responses == 0);
  }
}

}  // namespace

TEST_CASE("of 1,000 nodes of which a fifth is silent all others are found, with every link", "[sim]") {
  // One seed: two thousand messages to a thousand nodes are what it costs. A few seeds only: a sanitizer's run, a small
  // network.
  const std::size_t nodes = seeds().size() < 10 ? 200 : 1'000;
  Random random(1);
  const std::set<std::size_t> silent = draw(random, nodes / 5, nodes, {});
  SurveyNetwork net({.nodes = nodes, .degree = 6, .silent = silent});
  REQUIRE(net.links().size() == nodes * 3);
  // Nobody is named by silent nodes alone.
  const std::set<std::size_t> there = net.reach(0, [&](std::size_t node) { return !silent.contains(node); });
  REQUIRE(there.size() == nodes);
  std::set<std::size_t> answering;
  for (const std::size_t node : there)
    if (!silent.contains(node)) answering.insert(node);

  const Crawled crawled = crawl(net, seconds(10));
  const SurveyStatus& status = crawled.result.status;
  INFO(describe(status) << ", took " << crawled.took / seconds(1) << " s");
  CHECK(crawled.result.nodes.size() == nodes);
  CHECK(status.nodes_complete == answering.size());
  CHECK(status.nodes_failed == silent.size());
  CHECK(status.requests_sent == answering.size() - 1 + silent.size() * limits::kSurveyAttemptsMax);
  check_answering(net, crawled.result, answering);
  check_silent(net, crawled.result, silent);
  check_links(net, crawled.result, answering);
}

TEST_CASE("nodes that permit no survey are silent like those that answer none, and the rest is found around them",
          "[sim]") {
  SIM_FEW_SEEDS(seed, 10);
  constexpr std::size_t kNodes = 60;
  Random random(seed);
  const std::set<std::size_t> unwilling = draw(random, 6, kNodes, {});
  const std::set<std::size_t> silent = draw(random, 6, kNodes, unwilling);
  SurveyNetwork net({.seed = seed, .nodes = kNodes, .degree = 6, .silent = silent, .unwilling = unwilling});
  // What the messages reach, and of that what somebody tells of who is reached by messages and answers.
  const auto is_relaying = [&](std::size_t node) { return !unwilling.contains(node); };
  const std::set<std::size_t> reached = net.reach(0, is_relaying);
  std::set<std::size_t> answering;
  const auto is_answering = [&](std::size_t node) {
    return reached.contains(node) && is_relaying(node) && !silent.contains(node);
  };
  const std::set<std::size_t> named = net.reach(0, is_answering);
  std::set<std::size_t> quiet;
  for (const std::size_t node : named) (is_answering(node) ? answering : quiet).insert(node);

  const Crawled crawled = crawl(net, seconds(10));
  INFO(describe(crawled.result.status) << ", took " << crawled.took / seconds(1) << " s");
  CHECK(crawled.result.nodes.size() == named.size());
  check_answering(net, crawled.result, answering);
  check_silent(net, crawled.result, quiet);
  check_links(net, crawled.result, answering);
  net.network().check_invariants();
}
