// Surveys while the network changes: processes die and come back, links come and go, ledgers stand still.
#include <catch2/catch.hpp>

#include "tests/sim/seeds.h"
#include "tests/sim/survey_scene.h"

using namespace overlayd;
using namespace overlayd::sim;

namespace {

constexpr Duration kLong = std::chrono::minutes(30);

LinkSet without(const LinkSet& links, std::size_t node) {
  LinkSet left;
  for (const auto& link : links)
    if (link.first != node && link.second != node) left.insert(link);
  return left;
}

std::uint64_t answered(const SurveyNetwork& net, std::size_t node) {
  return net.network().node(node).overlay().metrics().survey.answered;
}

std::set<std::size_t> complete(const SurveyNetwork& net, const SurveyResult& result) {
  std::set<std::size_t> nodes;
  for (const SurveyNodePtr& node : result.nodes)
    if (node->state == SurveyNodeState::kComplete) nodes.insert(net.index_of(node->node).value());
  return nodes;
}

// Links that a node won and lost while it collected.
struct Changes {
  std::uint32_t added = 0;
  std::uint32_t dropped = 0;
};
Changes changes_while_collecting(const SimNode& node) {
  Instant began = Instant::never();
  Instant ended = Instant::never();
  for (const SurveyEvent& event : node.survey_events()) {
    if (event.status.phase == SurveyPhase::kCollecting) began = std::min(began, event.at);
    if (event.status.phase == SurveyPhase::kReporting) ended = std::min(ended, event.at);
  }
  Changes changes;
  std::set<PeerId> authenticated;
  for (const PeerEvent& event : node.peer_events()) {
    const bool is_counted = event.at > began && event.at <= ended;
    const bool is_added = event.what.change == PeerChange::kAuthenticated;
    if (is_added) {
      authenticated.insert(event.what.peer);
      changes.added += is_counted ? 1 : 0;
    } else if (authenticated.erase(event.what.peer) > 0) {
      changes.dropped += is_counted ? 1 : 0;
    }
  }
  return changes;
}

}  // namespace

TEST_CASE("a surveyor that dies while it collects goes on from its disk, and finds every node", "[sim]") {
  SIM_SEEDS(seed);
  // Back before its time to stop, and after it.
  const Duration down = GENERATE(Duration(seconds(10)), Duration(seconds(40)));
  SurveyNetwork net({.seed = seed, .nodes = 24});
  const LinkSet links = net.links();
  REQUIRE(net.run(0, seconds(40)).status == RequestStatus::kAccepted);
  net.network().run_for(seconds(20));
  net.kill(0);
  net.network().run_for(down);
  net.come_back(0);
  net.network().run_for(seconds(1));
  CHECK(net.is_running(0));
  REQUIRE(net.run_to_end(0, kLong));
  const SurveyResult result = net.result(0);
  INFO(describe(result.status));
  CHECK(result.status.run == SurveyRun::kDone);
  CHECK(count(result, SurveyNodeState::kComplete) == net.honest() - 1);
  const SurveyNode* self = find(result, net.id(0));
  REQUIRE(self != nullptr);
  CHECK(self->problem == SurveyProblem::kNotAsked);  // what it counted itself died with it
  // Its own links are not those that it had when the phase began: nobody tells of them.
  CHECK(net.told_by_diallers(result) == without(links, 0));
  CHECK(net.told_by_dialled(result) == without(links, 0));
  for (std::size_t i = 1; i < net.honest(); ++i) CHECK(answered(net, i) == 1);
}

TEST_CASE("a surveyor that dies while it asks goes on where it was, and asks nobody again who told all", "[sim]") {
  SIM_FEW_SEEDS(seed, 10);
  SurveyNetwork net({.seed = seed, .nodes = 50});
  const LinkSet links = net.links();
  REQUIRE(net.run(0, seconds(10)).status == RequestStatus::kAccepted);
  // Some time in the crawl, a batch on its way or not.
  const auto wanted = static_cast<std::uint32_t>(10 + seed);
  REQUIRE(net.network().run_until([&] { return net.status(0).nodes_complete >= wanted; }, kLong));
  const std::set<std::size_t> before = complete(net, net.result(0));
  net.kill(0);
  net.network().run_for(seconds(static_cast<std::int64_t>(3 * seed)));
  net.come_back(0);
  net.network().run_for(seconds(1));
  const std::set<std::size_t> after = complete(net, net.result(0));
  CHECK(std::includes(after.begin(), after.end(), before.begin(), before.end()));
  CHECK(net.is_running(0));
  REQUIRE(net.run_to_end(0, kLong));
  const SurveyResult result = net.result(0);
  INFO(describe(result.status));
  CHECK(result.status.run == SurveyRun::kDone);
  CHECK(count(result, SurveyNodeState::kComplete) == net.honest());
  CHECK(net.told_by_diallers(result) == links);
  CHECK(net.told_by_dialled(result) == links);
  for (std::size_t i = 1; i < net.honest(); ++i) {
    CAPTURE(i);
    CHECK(answered(net, i) <= (before.contains(i) ? 1 : 2));
  }
  CHECK(result.status.requests_sent <= net.honest() - 1 + limits::kSurveyBatch);
}

TEST_CASE("what a surveyor found outlives its process, and the next survey replaces it", "[sim]") {
  SIM_SEEDS(seed);
  SurveyNetwork net({.seed = seed, .nodes = 10});
  REQUIRE(net.run(0, seconds(10)).status == RequestStatus::kAccepted);
  REQUIRE(net.run_to_end(0, kLong));
  const SurveyResult first = net.result(0);
  REQUIRE(count(first, SurveyNodeState::kComplete) == net.honest());
  net.kill(0);
  net.network().run_for(limits::kSurveyReportMax);
  net.come_back(0);
  net.network().run_for(seconds(5));
  const SurveyResult again = net.result(0);
  CHECK(again.status.has_result);
  CHECK(again.status.run == SurveyRun::kDone);
  REQUIRE(again.nodes.size() == first.nodes.size());
  for (std::size_t i = 0; i < again.nodes.size(); ++i) {
    CHECK(again.nodes[i]->node == first.nodes[i]->node);
    CHECK(again.nodes[i]->inbound == first.nodes[i]->inbound);
    CHECK(again.nodes[i]->outbound == first.nodes[i]->outbound);
    CHECK(again.nodes[i]->stats == first.nodes[i]->stats);
  }
  // Without node 9 the next one finds nine.
  net.kill(9);
  REQUIRE(net.run(0, seconds(10)).status == RequestStatus::kAccepted);
  REQUIRE(net.run_to_end(0, kLong));
  CHECK(net.result(0).nodes.size() == net.honest() - 1);
  CHECK(net.network().node(0).disk().survey_nodes.size() == net.honest() - 1);
}

TEST_CASE("nodes that begin anew while others collect are in nobody's list, and answer nothing", "[sim]") {
  SIM_SEEDS(seed);
  SurveyNetwork net({.seed = seed, .nodes = 30, .degree = 6});
  const std::set<std::size_t> restarted{7, 19};
  LinkSet links = net.links();
  REQUIRE(net.run(0, seconds(40)).status == RequestStatus::kAccepted);
  net.network().run_for(seconds(10));
  for (const std::size_t node : restarted) {
    net.kill(node);
    links = without(links, node);
  }
  net.network().run_for(seconds(10));
  for (const std::size_t node : restarted) net.come_back(node);
  net.network().run_for(seconds(21));
  for (const std::size_t node : restarted) {
    // One that is a peer of the surveyor is asked by itself.
    const RequestStatus asked = net.request(0, net.id(node)).status;
    CHECK(asked == (net.peers_of(0).contains(node) ? RequestStatus::kDuplicate : RequestStatus::kAccepted));
  }
  REQUIRE(net.run_to_end(0, kLong));
  const SurveyResult result = net.result(0);
  INFO(describe(result.status));
  CHECK(result.status.run == SurveyRun::kDone);
  CHECK(count(result, SurveyNodeState::kComplete) == net.honest() - restarted.size());
  for (const std::size_t node : restarted) {
    const SurveyNode* silent = find(result, net.id(node));
    REQUIRE(silent != nullptr);
    CHECK(silent->problem == SurveyProblem::kSilent);
    CHECK(silent->requests == limits::kSurveyAttemptsMax);
    CHECK(silent->named_by.empty());
    CHECK(answered(net, node) == 0);
  }
  CHECK(net.told_by_diallers(result) == links);
  CHECK(net.told_by_dialled(result) == links);
}

TEST_CASE("links that come and go while nodes collect are counted, and not told of", "[sim]") {
  SIM_SEEDS(seed);
  SurveyNetwork net({.seed = seed, .nodes = 30, .degree = 6});
  const LinkSet links = net.links();
  REQUIRE(net.run(0, seconds(60)).status == RequestStatus::kAccepted);
  net.network().run_for(seconds(5));
  for (int i = 0; i < 5; ++i) REQUIRE(net.network().cut_random_link());
  net.network().run_for(milliseconds(1));  // both ends learn of it
  LinkSet left;
  for (const auto& link : net.links())
    if (links.contains(link)) left.insert(link);
  REQUIRE(left.size() == links.size() - 5);
  net.network().run_for(seconds(5));
  for (int i = 0; i < 5; ++i)
    net.network().connect(1 + net.network().random().below(14), 15 + net.network().random().below(15));
  net.set_in_sync(4, false);
  net.network().run_for(seconds(11));
  net.set_in_sync(4, true);
  REQUIRE(net.run_to_end(0, kLong));
  const SurveyResult result = net.result(0);
  INFO(describe(result.status));
  CHECK(count(result, SurveyNodeState::kComplete) == net.honest());
  CHECK(net.told_by_diallers(result) == left);
  CHECK(net.told_by_dialled(result) == left);
  std::uint32_t added = 0;
  for (std::size_t i = 0; i < net.honest(); ++i) {
    CAPTURE(i);
    const Changes changes = changes_while_collecting(net.network().node(i));
    const SurveyNode* node = find(result, net.id(i));
    REQUIRE((node != nullptr && node->stats));
    CHECK(node->stats->added_peers == changes.added);
    CHECK(node->stats->dropped_peers == changes.dropped);
    CHECK(node->stats->lost_sync_count == (i == 4 ? 1 : 0));
    added += changes.added;
  }
  CHECK(added > 0);
}

TEST_CASE("a surveyor whose ledger stands still says what it waits for, and goes on", "[sim]") {
  SIM_SEEDS(seed);
  SurveyNetwork net({.seed = seed, .nodes = 40});
  const LinkSet links = net.links();
  REQUIRE(net.run(0, seconds(20)).status == RequestStatus::kAccepted);
  REQUIRE(net.network().run_until([&] { return net.status(0).nodes_complete >= 12; }, kLong));
  net.hold_ledger(0);
  net.network().run_for(seconds(50));
  const SurveyStatus held = net.status(0);
  INFO(describe(held));
  CHECK(held.run == SurveyRun::kCrawling);
  CHECK(held.why.find("UpdateLedger") != std::string::npos);
  net.network().run_for(seconds(50));
  CHECK(net.status(0).requests_sent == held.requests_sent);
  net.release_ledger(0);
  REQUIRE(net.run_to_end(0, kLong));
  const SurveyResult result = net.result(0);
  INFO(describe(result.status));
  CHECK(result.status.run == SurveyRun::kDone);
  CHECK(result.status.why.empty());
  CHECK(count(result, SurveyNodeState::kComplete) == net.honest());
  CHECK(net.told_by_diallers(result) == links);
}
