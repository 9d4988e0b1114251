// The result of a survey as overlayctl holds it: from the daemon, to JSON and back, and links made of both ends.
#include "ipc/ctl/survey_result.h"

#include <catch2/catch.hpp>

#include "core/limits.h"
#include "ipc/ctl/survey_json.h"
#include "survey_result_samples.h"

using namespace overlayd;
using namespace overlayd::ipc::ctl;
using namespace overlayd::ipc::ctl::testing;
using Catch::Contains;
using Plain = nlohmann::json;
namespace v1 = ::overlay::v1;

namespace {

std::string bytes_of(const NodeId& node) { return {node.bytes.begin(), node.bytes.end()}; }

v1::SurveyNode proto_node(std::uint8_t number) {
  v1::SurveyNode node;
  node.set_node_id(bytes_of(id(number)));
  node.set_state(v1::SURVEY_NODE_STATE_COMPLETE);
  return node;
}

std::string error_of(const Plain& json) {
  const auto result = survey_from_json(json.dump(), "saved.json");
  return result ? "" : result.error();
}

Plain sample_json() { return Plain::parse(survey_json(sample())); }

}  // namespace

TEST_CASE("a link is confirmed, told of by one end, or denied by the other", "[survey_result]") {
  const SurveyResult result = sample();
  const auto links = survey_links(result);
  REQUIRE(links.size() == 5);
  CHECK(links[0].dialler == id(1));
  CHECK(links[0].acceptor == id(2));
  CHECK(links[0].agreement == LinkAgreement::kConfirmed);
  CHECK(links[0].of_dialler->bytes_written == 2004);
  CHECK(links[0].of_acceptor->bytes_read == 4003);
  CHECK(links[0].bytes_to_acceptor() == 2004);
  CHECK(links[0].bytes_to_dialler() == 4004);
  CHECK(links[1].acceptor == id(3));
  CHECK(links[1].agreement == LinkAgreement::kOneSided);
  CHECK(links[1].of_acceptor == nullptr);
  CHECK(links[1].bytes_to_dialler() == 3003);
  CHECK(links[3].dialler == id(4));
  CHECK(links[3].agreement == LinkAgreement::kOneSided);
  CHECK(links[3].bytes_to_acceptor() == 5003);
  CHECK(links[3].latency_ms() == 5014);
  CHECK(links[4].dialler == id(5));
  CHECK(links[4].agreement == LinkAgreement::kDenied);
}

TEST_CASE("two nodes that both say they dialled have two links", "[survey_result]") {
  const auto result = make_result({}, {complete_node(1, {}, {link_to(2, 0)}), complete_node(2, {}, {link_to(1, 0)})});
  const auto links = survey_links(result.value());
  REQUIRE(links.size() == 2);
  for (const SurveyLink& link : links) CHECK(link.agreement == LinkAgreement::kDenied);
}

TEST_CASE("ends of links that are no nodes are known", "[survey_result]") {
  const auto result = make_result({}, {complete_node(1, {link_to(9, 0)}, {link_to(8, 0), link_to(1, 0)})});
  CHECK(unlisted_ends(result.value(), survey_links(result.value())) == std::vector<NodeId>{id(8), id(9)});
}

TEST_CASE("a result is whole if the run is done and every node told of all its links", "[survey_result]") {
  const SurveyStatus done = status_of(SurveyRun::kDone);
  SurveyStatus crowded = done;
  crowded.nodes_refused = 1;
  const std::vector<SurveyNode> nodes{complete_node(1, {}, {})};
  CHECK(is_whole(make_result(done, nodes).value()));
  CHECK_FALSE(is_whole(make_result(status_of(SurveyRun::kEnded), nodes).value()));
  CHECK_FALSE(is_whole(make_result(crowded, nodes).value()));
  CHECK_FALSE(is_whole(make_result(done, {nodes[0], SurveyNode{.node = id(2)}}).value()));
  CHECK_FALSE(is_whole(sample()));
  const SurveyResult some = sample();
  const auto missing = unanswered(some);
  REQUIRE(missing.size() == 2);
  CHECK(reason_of(*missing[0]) == "silent");
  CHECK(reason_of(*missing[1]) == "not asked");
}

TEST_CASE("what the daemon says becomes a result", "[survey_result]") {
  v1::SurveyStatus status;
  status.set_run(v1::SURVEY_RUN_STATE_CRAWLING);
  status.set_phase(v1::SURVEY_PHASE_REPORTING);
  status.set_surveyor(bytes_of(id(1)));
  status.set_why(std::string("a\nb\x1b[31m\xff") + std::string(1000, 'x'));
  status.set_time_left_ms(UINT64_MAX);
  std::vector<v1::SurveyNode> nodes{proto_node(2), proto_node(1)};
  nodes[0].set_problem(v1::SURVEY_PROBLEM_TRUNCATED);
  nodes[0].set_state(static_cast<v1::SurveyNodeState>(77));
  nodes[0].mutable_stats()->set_lost_sync_count(5);
  for (const std::uint8_t other : {3, 1, 3}) {
    auto* link = nodes[0].add_inbound();
    link->set_node_id(bytes_of(id(other)));
    link->set_version("\x07");
    link->set_duplicate_fetch_messages(9);
  }
  const SurveyResult result = to_result(status, nodes).value();
  CHECK(result.status.run == SurveyRun::kCrawling);
  CHECK(result.status.phase == SurveyPhase::kReporting);
  CHECK(result.status.surveyor == id(1));
  CHECK(result.status.why.starts_with("a?b?[31m?xxx"));
  CHECK(result.status.why.size() == kSurveyTextMax);
  CHECK(result.status.time_left == Duration(std::chrono::hours(24)));
  REQUIRE(result.nodes.size() == 2);
  CHECK(result.nodes[0]->node == id(1));
  CHECK_FALSE(result.nodes[0]->stats);
  const SurveyNode& node = *result.nodes[1];
  CHECK(node.state == SurveyNodeState::kFound);
  CHECK(node.problem == SurveyProblem::kTruncated);
  CHECK(node.stats->lost_sync_count == 5);
  REQUIRE(node.inbound.size() == 2);
  CHECK(node.inbound[0].node == id(1));
  CHECK(node.inbound[0].version == "?");
  CHECK(node.inbound[1].duplicate_fetch_messages == 9);
  nodes[1].set_node_id("short");
  CHECK_FALSE(to_result(status, nodes));
  nodes[1].set_node_id(nodes[0].node_id());
  CHECK_THAT(to_result(status, nodes).error(), Contains(strkey(2) + " is there twice"));
}

TEST_CASE("a result has bounds", "[survey_result]") {
  const auto with_links = [](std::uint8_t number, std::size_t count) {
    SurveyNode node = complete_node(number, {}, {});
    for (std::size_t i = 0; i < count; ++i) {
      node.outbound.push_back(link_to(0, 0));
      node.outbound.back().node.bytes[0] = static_cast<std::uint8_t>(i >> 8);
      node.outbound.back().node.bytes[1] = static_cast<std::uint8_t>(i);
    }
    return node;
  };
  CHECK(make_result({}, {with_links(1, limits::kSurveyLinksMax)}));
  CHECK_FALSE(make_result({}, {with_links(1, limits::kSurveyLinksMax + 1)}));
  std::vector<SurveyNode> nodes;
  for (std::uint8_t i = 0; i < 200; ++i) nodes.push_back(with_links(i, 1000));
  CHECK(make_result({}, nodes));
  nodes.push_back(with_links(200, 1));
  CHECK_THAT(make_result({}, nodes).error(), Contains("more than 200000 links"));
  nodes.assign(limits::kSurveyNodesMax + 1, SurveyNode{});
  CHECK_THAT(make_result({}, nodes).error(), Contains("more than 10000 nodes"));
}

TEST_CASE("json has the names of stellar-core's getsurveyresult", "[survey_result]") {
  const Plain json = sample_json();
  CHECK(json["surveyInProgress"] == false);
  CHECK(json["backlog"].empty());
  CHECK(json["badResponseNodes"] == Plain{strkey(3)});
  CHECK(json["topology"].size() == 4);
  CHECK(json["topology"][strkey(3)].is_null());
  const Plain& node = json["topology"][strkey(1)];
  const Plain expected = {{"addedAuthenticatedPeers", 101},
                          {"droppedAuthenticatedPeers", 102},
                          {"numTotalInboundPeers", 1},
                          {"numTotalOutboundPeers", 2},
                          {"p75SCPFirstToSelfLatencyMs", 103},
                          {"p75SCPSelfToOtherLatencyMs", 104},
                          {"lostSyncCount", 105},
                          {"isValidator", true},
                          {"maxInboundPeerCount", 106},
                          {"maxOutboundPeerCount", 107}};
  for (const auto& [key, value] : expected.items()) CHECK(node[key] == value);
  CHECK(node.size() == expected.size() + 2);
  const Plain link = {{"nodeId", strkey(5)},
                      {"version", "v1"},
                      {"messagesRead", 1001},
                      {"messagesWritten", 1002},
                      {"bytesRead", 1003},
                      {"bytesWritten", 1004},
                      {"secondsConnected", 1005},
                      {"uniqueFloodBytesRecv", 1006},
                      {"duplicateFloodBytesRecv", 1007},
                      {"uniqueFetchBytesRecv", 1008},
                      {"duplicateFetchBytesRecv", 1009},
                      {"uniqueFloodMessageRecv", 1010},
                      {"duplicateFloodMessageRecv", 1011},
                      {"uniqueFetchMessageRecv", 1012},
                      {"duplicateFetchMessageRecv", 1013},
                      {"averageLatencyMs", 1014}};
  CHECK(node["inboundPeers"] == Plain::array({link}));
  CHECK(node["outboundPeers"].size() == 2);
  const Plain& silent = json["overlayd"]["unanswered"][0];
  CHECK(silent["nodeId"] == strkey(3));
  CHECK(silent["problem"] == "silent");
  CHECK(silent["namedBy"] == Plain{strkey(1), strkey(2)});
}

TEST_CASE("a saved result is the same when it is read", "[survey_result]") {
  const SurveyResult before = sample();
  const auto after = survey_from_json(survey_json(before), "saved.json");
  INFO((after ? "" : after.error()));
  REQUIRE(after);
  CHECK(are_equal(before, after.value()));
  // A hostile node may name the key of zeros.
  SurveyNode naming = complete_node(1, {link_to(0, 0)}, {});
  naming.named_by = {id(0)};
  const auto zero = make_result({}, {naming, SurveyNode{.node = id(0)}});
  const auto zero_read = survey_from_json(survey_json(zero.value()), "saved.json");
  INFO((zero_read ? "" : zero_read.error()));
  REQUIRE(zero_read);
  CHECK(are_equal(zero_read.value(), zero.value()));
  for (const SurveyNodeState state : {SurveyNodeState::kWaiting, SurveyNodeState::kAsked}) {
    const auto waiting = make_result({}, {SurveyNode{.node = id(1), .state = state}});
    const Plain json = Plain::parse(survey_json(waiting.value()));
    CHECK(json["backlog"].size() == (state == SurveyNodeState::kWaiting ? 1 : 0));
    CHECK(json["topology"][strkey(1)].is_null());
    CHECK(are_equal(survey_from_json(json.dump(), "").value(), waiting.value()));
  }
}

TEST_CASE("a result of stellar-core is read too", "[survey_result]") {
  Plain json = sample_json();
  json.erase("overlayd");
  json["backlog"] = {strkey(6)};
  json["topology"][strkey(5)]["numTotalInboundPeers"] = 3;
  json["topology"][strkey(5)]["outboundPeers"] = nullptr;
  json["topology"][strkey(7)] = Plain::object();  // asked for another page
  const auto read = survey_from_json(json.dump(), "");
  INFO((read ? "" : read.error()));
  REQUIRE(read);
  const SurveyResult& result = read.value();
  REQUIRE(result.nodes.size() == 7);
  CHECK(find_node(result, id(7))->state == SurveyNodeState::kAsked);
  CHECK(find_node(result, id(1))->state == SurveyNodeState::kComplete);
  CHECK(find_node(result, id(3))->problem == SurveyProblem::kBad);
  CHECK(find_node(result, id(3))->version == kHostile);
  CHECK(find_node(result, id(3))->named_by == std::vector<NodeId>{id(1), id(2)});
  CHECK(find_node(result, id(4))->state == SurveyNodeState::kFound);
  CHECK(find_node(result, id(4))->version == "v0");
  CHECK(find_node(result, id(5))->problem == SurveyProblem::kTruncated);
  CHECK(find_node(result, id(6))->state == SurveyNodeState::kWaiting);
  CHECK(result.status.nodes_complete == 2);
  CHECK(survey_links(result).size() == 5);
}

TEST_CASE("of a broken file the key is named", "[survey_result]") {
  CHECK_THAT(survey_from_json("{\"topology\": {", "saved.json").error(), Contains("saved.json: is not JSON: "));
  CHECK_THAT(survey_from_json("", "saved.json").error(), Contains("saved.json: is not JSON: "));
  CHECK(error_of(Plain::array()) == "saved.json: must be an object");
  CHECK(error_of(Plain::object()) == "saved.json: has no \"topology\"");
  CHECK(error_of({{"topology", 1}}) == "saved.json: topology: must be an object");
  CHECK(error_of({{"topology", {{"GX\n", nullptr}}}}) == "saved.json: topology.GX?: must be a node id, G...");
  const std::string node = strkey(1);
  Plain json = sample_json();
  json["topology"][node]["lostSyncCount"] = -1;
  CHECK(error_of(json) ==
        "saved.json: topology." + node + ".lostSyncCount: must be a whole number from 0 to 4294967295");
  json = sample_json();
  json["topology"][node]["outboundPeers"][1].erase("bytesRead");
  CHECK(error_of(json) == "saved.json: topology." + node + ".outboundPeers[1]: has no \"bytesRead\"");
  json = sample_json();
  json["topology"][node]["outboundPeers"][1]["nodeId"] = nullptr;
  CHECK(error_of(json) == "saved.json: topology." + node + ".outboundPeers[1].nodeId: must be a node id, G...");
  json = sample_json();
  json["topology"][node]["inboundPeers"] = Plain(limits::kSurveyLinksMax + 1, Plain::object());
  CHECK(error_of(json) == "saved.json: topology." + node + ".inboundPeers: has more than 1000 entries");
  json = sample_json();
  json["topology"][node]["isValidator"] = "no";
  CHECK(error_of(json) == "saved.json: topology." + node + ".isValidator: must be true or false");
  json = sample_json();
  json["overlayd"]["format"] = 2;
  CHECK(error_of(json) == "saved.json: overlayd.format: is 2; this program reads 1");
  json = sample_json();
  json["overlayd"]["run"] = "walking";
  CHECK(error_of(json) == "saved.json: overlayd.run: must be one of none, collecting, crawling, done, ended");
  json = sample_json();
  json["overlayd"]["nodes"].erase(node);
  CHECK(error_of(json) == "saved.json: overlayd.nodes: has no \"" + node + "\", which \"topology\" has");
  json = sample_json();
  json["overlayd"]["nodes"][node]["namedBy"] = {7};
  CHECK(error_of(json) == "saved.json: overlayd.nodes." + node + ".namedBy[0]: must be a node id, G...");
}

TEST_CASE("a file that is deep or wrong everywhere is refused, not followed", "[survey_result]") {
  CHECK_THAT(survey_from_json(std::string(1'000'000, '['), "f").error(), Contains("too deep"));
  const std::string whole = survey_json(sample());
  std::size_t refused = 0;
  for (std::size_t size = 0; size < whole.size(); size += 97)
    refused += survey_from_json(whole.substr(0, size), "f") ? 0 : 1;
  CHECK(refused == (whole.size() + 96) / 97);
  // Each value once replaced by something else: refused or read, but never more.
  const Plain flat = sample_json().flatten();
  for (const auto& [path, value] : flat.items()) {
    for (const Plain& other : {Plain(), Plain(-1), Plain(1e300), Plain("x"), Plain::array(), Plain::object()}) {
      Plain json = sample_json();
      json[Plain::json_pointer(path)] = other;
      const auto read = survey_from_json(json.dump(), "f");
      if (!read) CHECK_THAT(read.error(), Contains("f: "));
    }
  }
}

TEST_CASE("a file that cannot be read is named", "[survey_result]") {
  CHECK(survey_from_file("/nonexistent/saved.json").error() == "/nonexistent/saved.json: cannot be read");
  CHECK_FALSE(survey_from_file("/"));
}
