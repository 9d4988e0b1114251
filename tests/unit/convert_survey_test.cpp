#include <catch2/catch.hpp>

#include "fake_survey.h"
#include "ipc/convert.h"
#include "ipc_messages.h"

using namespace overlayd;
using namespace overlayd::ipc;
using namespace overlayd::ipc::testing;
namespace v1 = ::overlay::v1;

TEST_CASE("a request names its node in 32 bytes and the links to begin with", "[convert_survey]") {
  v1::RequestSurveyRequest request;
  request.set_node_id(std::string(31, '\x01'));
  CHECK(to_survey_request(request).error() == "node_id: must be 32 bytes, has 31");
  request.set_node_id(std::string(32, '\x01'));
  request.set_inbound_index(25);
  request.set_outbound_index(50);
  const RequestSurvey wanted = to_survey_request(request).value();
  CHECK(wanted.node == node(1));
  CHECK(wanted.inbound_index == 25);
  CHECK(wanted.outbound_index == 50);
}

TEST_CASE("a run collects for 1 s to 30 min", "[convert_survey]") {
  v1::RunSurveyRequest request;
  for (const std::uint64_t refused : {0ULL, 999ULL, 1'800'001ULL, ~0ULL}) {
    request.set_collect_ms(refused);
    CHECK(to_run_survey(request).error() == "collect_ms: 1000 to 1800000, is " + std::to_string(refused));
  }
  for (const std::uint64_t taken : {1000ULL, 1'800'000ULL}) {
    request.set_collect_ms(taken);
    CHECK(to_run_survey(request).value().collect_for == milliseconds(taken));
  }
}

TEST_CASE("a status has all its numbers, and leaves out whom and what there is not", "[convert_survey]") {
  v1::SurveyStatus nothing;
  to_proto(SurveyStatus{}, nothing);
  CHECK(nothing.phase() == v1::SURVEY_PHASE_INACTIVE);
  CHECK(nothing.run() == v1::SURVEY_RUN_STATE_NONE);
  CHECK(nothing.surveyor().empty());
  CHECK(nothing.rival().empty());
  CHECK_FALSE(nothing.has_time_left_ms());

  SurveyStatus status;
  status.phase = SurveyPhase::kReporting;
  status.surveyor = node(1);
  status.nonce = 2;
  status.phase_began = UnixTime{3};
  status.phase_ends = UnixTime{4};
  status.is_ours = true;
  status.has_result = true;
  status.result_nonce = 5;
  status.is_asking = true;
  status.run = SurveyRun::kEnded;
  status.why = "over\n";
  status.run_began = UnixTime{6};
  status.rival = node(7);
  status.nodes_found = 8;
  status.nodes_complete = 9;
  status.nodes_failed = 10;
  status.nodes_waiting = 11;
  status.nodes_asked = 12;
  status.nodes_refused = 13;
  status.links_found = 14;
  status.requests_sent = 15;
  status.responses = 16;
  status.bad_responses = 17;
  status.time_left = milliseconds(18);
  v1::SurveyStatus out;
  to_proto(status, out);
  CHECK(out.phase() == v1::SURVEY_PHASE_REPORTING);
  CHECK(out.surveyor() == std::string(32, '\x01'));
  CHECK(out.is_ours());
  CHECK(out.has_result());
  CHECK(out.is_asking());
  CHECK(out.run() == v1::SURVEY_RUN_STATE_ENDED);
  CHECK(out.why() == "over?");
  CHECK(out.rival() == std::string(32, '\x07'));
  const std::vector<std::uint64_t> numbers{
      out.nonce(),          out.phase_began_unix(), out.phase_ends_unix(), out.result_nonce(),
      out.run_began_unix(), out.nodes_found(),      out.nodes_complete(),  out.nodes_failed(),
      out.nodes_waiting(),  out.nodes_asked(),      out.nodes_refused(),   out.links_found(),
      out.requests_sent(),  out.responses(),        out.bad_responses(),   out.time_left_ms()};
  CHECK(numbers == std::vector<std::uint64_t>{2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18});
}

TEST_CASE("a node keeps what it told, and its text is made printable", "[convert_survey]") {
  SurveyNode found{.node = node(1), .state = SurveyNodeState::kFailed, .problem = SurveyProblem::kTruncated};
  found.detail = "tells \xff of 40";
  found.version = "v\x1b[2J";
  found.requests = 2;
  found.bad_responses = 3;
  found.stats = SurveyedNode{1, 2, 3, 4, 5, 6, 7, true, 9, 10};
  found.inbound = {{.node = node(2), .version = "\t", .messages_read = 1}};
  found.outbound = {{.node = node(3), .version = ""}, {.node = node(4), .version = ""}};
  found.named_by = {node(5)};
  v1::SurveyNode out;
  to_proto(found, out);
  CHECK(out.node_id() == std::string(32, '\x01'));
  CHECK(out.state() == v1::SURVEY_NODE_STATE_FAILED);
  CHECK(out.problem() == v1::SURVEY_PROBLEM_TRUNCATED);
  CHECK(out.detail() == "tells ? of 40");
  CHECK(out.version() == "v?[2J");
  CHECK(out.requests() == 2);
  CHECK(out.bad_responses() == 3);
  CHECK(out.inbound_size() == 1);
  CHECK(out.inbound(0).version() == "?");
  CHECK(out.outbound_size() == 2);
  CHECK(out.outbound(1).node_id() == std::string(32, '\x04'));
  CHECK(out.named_by(0) == std::string(32, '\x05'));
  const v1::SurveyedNode& stats = out.stats();
  const std::vector<std::uint64_t> numbers{stats.added_authenticated_peers(),
                                           stats.dropped_authenticated_peers(),
                                           stats.total_inbound_peers(),
                                           stats.total_outbound_peers(),
                                           stats.p75_scp_first_to_self_latency_ms(),
                                           stats.p75_scp_self_to_other_latency_ms(),
                                           stats.lost_sync_count(),
                                           stats.is_validator() ? 8U : 0U,
                                           stats.max_inbound_peers(),
                                           stats.max_outbound_peers()};
  CHECK(numbers == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  v1::SurveyNode silent;
  to_proto(SurveyNode{.node = node(1)}, silent);
  CHECK_FALSE(silent.has_stats());
  CHECK(silent.state() == v1::SURVEY_NODE_STATE_FOUND);
  CHECK(silent.problem() == v1::SURVEY_PROBLEM_NONE);
}

TEST_CASE("each counter of a link is told under its own name", "[convert_survey]") {
  SurveyedLink link{.node = node(1), .version = "stellar-core"};
  link.messages_read = 2;
  link.messages_written = 3;
  link.bytes_read = 4;
  link.bytes_written = 5;
  link.seconds_connected = 6;
  link.unique_flood_bytes = 7;
  link.duplicate_flood_bytes = 8;
  link.unique_fetch_bytes = 9;
  link.duplicate_fetch_bytes = 10;
  link.unique_flood_messages = 11;
  link.duplicate_flood_messages = 12;
  link.unique_fetch_messages = 13;
  link.duplicate_fetch_messages = 14;
  link.average_latency_ms = 15;
  v1::SurveyedLink out;
  to_proto(link, out);
  CHECK(out.node_id() == std::string(32, '\x01'));
  CHECK(out.version() == "stellar-core");
  const std::vector<std::uint64_t> numbers{out.messages_read(),
                                           out.messages_written(),
                                           out.bytes_read(),
                                           out.bytes_written(),
                                           out.seconds_connected(),
                                           out.unique_flood_bytes(),
                                           out.duplicate_flood_bytes(),
                                           out.unique_fetch_bytes(),
                                           out.duplicate_fetch_bytes(),
                                           out.unique_flood_messages(),
                                           out.duplicate_flood_messages(),
                                           out.unique_fetch_messages(),
                                           out.duplicate_fetch_messages(),
                                           out.average_latency_ms()};
  CHECK(numbers == std::vector<std::uint64_t>{2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
}

TEST_CASE("status counters of surveys have their names", "[convert_survey]") {
  StatusSnapshot status;
  SurveyMetrics& survey = status.metrics.survey;
  survey.received = 1;
  survey.unpermitted = 2;
  survey.answers_failed = 9;
  survey.bad_responses = 12;
  v1::GetStatusResponse out;
  to_proto(status, out);
  std::map<std::string, std::uint64_t> counters;
  for (const auto& counter : out.counters()) counters[counter.name()] = counter.value();
  CHECK(counters.at("survey_received") == 1);
  CHECK(counters.at("survey_unpermitted") == 2);
  CHECK(counters.at("survey_answers_failed") == 9);
  CHECK(counters.at("survey_bad_responses") == 12);
  CHECK_FALSE(counters.contains("survey_ignored"));
}

TEST_CASE("a peer's counters of what was fetched are told", "[convert_survey]") {
  PeerSnapshot peer;
  peer.unique_fetch_messages = 1;
  peer.unique_fetch_bytes = 2;
  peer.duplicate_fetch_messages = 3;
  peer.duplicate_fetch_bytes = 4;
  v1::Peer out;
  to_proto(peer, out);
  CHECK(out.unique_fetch_messages() == 1);
  CHECK(out.unique_fetch_bytes() == 2);
  CHECK(out.duplicate_fetch_messages() == 3);
  CHECK(out.duplicate_fetch_bytes() == 4);
}
