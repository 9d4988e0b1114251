// What `overlayctl survey diff` finds different between two results.
#include "ipc/ctl/survey_diff.h"

#include <catch2/catch.hpp>

#include "survey_result_samples.h"

using namespace overlayd;
using namespace overlayd::ipc::ctl;
using namespace overlayd::ipc::ctl::testing;
using Catch::Contains;

namespace {

SurveyResult result_of(std::vector<SurveyNode> nodes) { return make_result({}, std::move(nodes)).value(); }

SurveyNode silent(std::uint8_t number) {
  return {.node = id(number), .state = SurveyNodeState::kFailed, .problem = SurveyProblem::kSilent};
}

SurveyDiff::Link pair(std::uint8_t a, std::uint8_t b) { return {id(a), id(b)}; }

SurveyResult with_stats(const SurveyedNode& stats) {
  SurveyNode node = complete_node(1, {}, {});
  node.stats = stats;
  return result_of({node});
}

}  // namespace

TEST_CASE("a result does not differ from itself", "[survey_diff]") {
  const SurveyDiff diff = survey_diff(sample(), sample());
  CHECK(diff_text(diff) == "No difference.\n");
  const Json json = diff_json(diff);
  for (const auto& [key, value] : json.items()) CHECK((value.empty() || value == 0));
}

TEST_CASE("nodes and links that came and went are found, whoever dialled", "[survey_diff]") {
  const SurveyResult before = result_of({complete_node(1, {}, {link_to(2, 0), link_to(3, 0)}),
                                         complete_node(2, {link_to(1, 0)}, {}), complete_node(3, {link_to(1, 0)}, {})});
  const SurveyResult after = result_of({complete_node(1, {link_to(2, 0)}, {link_to(4, 0)}),
                                        complete_node(2, {}, {link_to(1, 0)}), complete_node(4, {link_to(1, 0)}, {})});
  const SurveyDiff diff = survey_diff(before, after);
  CHECK(diff.nodes_came == std::vector<NodeId>{id(4)});
  CHECK(diff.nodes_went == std::vector<NodeId>{id(3)});
  CHECK(diff.links_came == std::vector<SurveyDiff::Link>{pair(1, 4)});
  CHECK(diff.links_went == std::vector<SurveyDiff::Link>{pair(1, 3)});
  CHECK(diff.links_uncertain == 0);
  const Json json = diff_json(diff);
  CHECK(json["linksWent"] == Json::array({{strkey(1), strkey(3)}}));
  CHECK(json["nodesCame"] == Json::array({strkey(4)}));
  CHECK_THAT(diff_text(diff), Contains("Links that went: 1\n  " + strkey(1) + "  " + strkey(3)));
}

TEST_CASE("nothing is said of nodes that a result cannot have", "[survey_diff]") {
  const SurveyResult whole =
      result_of({complete_node(1, {}, {link_to(2, 0)}), complete_node(2, {link_to(1, 0)}, {link_to(3, 0)}),
                 complete_node(3, {link_to(2, 0)}, {})});
  const SurveyResult half = result_of({complete_node(1, {}, {link_to(4, 0)}), silent(4)});
  const SurveyDiff went = survey_diff(whole, half);
  CHECK(went.nodes_went.empty());                        // node 2 may be there, behind node 3, of which nobody told
  CHECK(went.nodes_came == std::vector<NodeId>{id(4)});  // node 1 would have told of it
  CHECK(went.nodes_uncertain == 2);
  CHECK(diff_json(went)["nodesUncertain"] == 2);
  CHECK_THAT(diff_text(went), Contains("Nodes of which one of the two results can say nothing: 2"));
  SurveyResult nobody = result_of({silent(1)});
  CHECK(survey_diff(whole, nobody).nodes_went.empty());
  CHECK(survey_diff(nobody, whole).nodes_came.empty());
}

TEST_CASE("nothing is said of links between nodes that did not answer", "[survey_diff]") {
  const SurveyResult before = result_of({complete_node(1, {}, {link_to(2, 0)}), silent(2)});
  const SurveyResult after = result_of({silent(1), silent(2)});
  const SurveyDiff diff = survey_diff(before, after);
  CHECK(diff.links_went.empty());
  CHECK(diff.links_uncertain == 1);
  REQUIRE(diff.states.size() == 1);
  CHECK(diff.states[0].before == "complete");
  CHECK(diff.states[0].after == "silent");
  CHECK(survey_diff(after, before).links_came.empty());
  CHECK_THAT(diff_text(diff), Contains("can say nothing: 1"));
}

TEST_CASE("versions that changed are listed where both are known", "[survey_diff]") {
  const auto with_version = [](const char* version) {
    SurveyNode node = complete_node(1, {}, {});
    node.version = version;
    return result_of({node});
  };
  const SurveyDiff diff = survey_diff(with_version("v22"), with_version("v23"));
  REQUIRE(diff.versions.size() == 1);
  CHECK(diff_json(diff)["versionsChanged"][0] == Json{{"nodeId", strkey(1)}, {"before", "v22"}, {"after", "v23"}});
  CHECK(survey_diff(with_version("v22"), with_version("")).versions.empty());
}

TEST_CASE("numbers are listed that doubled or halved, and settings that changed", "[survey_diff]") {
  const auto names = [](const SurveyedNode& before, const SurveyedNode& after) {
    std::vector<std::string> found;
    for (const auto& number : survey_diff(with_stats(before), with_stats(after)).numbers) found.push_back(number.name);
    return found;
  };
  using Names = std::vector<std::string>;
  CHECK(names({.p75_scp_first_to_self_ms = 100}, {.p75_scp_first_to_self_ms = 200}) ==
        Names{"p75SCPFirstToSelfLatencyMs"});
  CHECK(names({.p75_scp_first_to_self_ms = 200}, {.p75_scp_first_to_self_ms = 100}) ==
        Names{"p75SCPFirstToSelfLatencyMs"});
  CHECK(names({.p75_scp_first_to_self_ms = 101}, {.p75_scp_first_to_self_ms = 201}).empty());
  CHECK(names({.p75_scp_first_to_self_ms = 1}, {.p75_scp_first_to_self_ms = 100}).empty());
  CHECK(names({.lost_sync_count = 0}, {.lost_sync_count = 1}) == Names{"lostSyncCount"});
  CHECK(names({.max_inbound = 64}, {.max_inbound = 65}) == Names{"maxInboundPeerCount"});
}

TEST_CASE("latency is the median of the links, duplicates a part of the messages", "[survey_diff]") {
  const auto with = [](std::vector<std::uint32_t> latencies, std::uint64_t unique, std::uint64_t duplicate) {
    std::vector<SurveyedLink> links;
    for (const std::uint32_t latency : latencies) {
      SurveyedLink link = link_to(static_cast<std::uint8_t>(links.size() + 10), 0);
      link.average_latency_ms = latency;
      link.unique_flood_messages = unique;
      link.duplicate_flood_messages = duplicate;
      links.push_back(link);
    }
    return result_of({complete_node(1, links, {})});
  };
  const SurveyDiff diff = survey_diff(with({0, 10, 900, 50}, 3, 1), with({0, 10, 900, 120}, 1, 3));
  REQUIRE(diff.numbers.size() == 2);
  CHECK(diff.numbers[0].name == "medianLatencyMs");
  CHECK(diff.numbers[0].before == 50);
  CHECK(diff.numbers[0].after == 120);
  CHECK(diff.numbers[1].name == "duplicateFloodPercent");
  CHECK(diff.numbers[1].before == 25);
  CHECK(diff.numbers[1].after == 75);
}
