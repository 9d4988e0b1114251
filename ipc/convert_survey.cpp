// Surveys: requests of clients, and what surveys found.
#include "ipc/convert.h"
#include "ipc/convert_parts.h"

namespace overlayd::ipc {

using namespace parts;

namespace {

static_assert(static_cast<int>(SurveyPhase::kReporting) + 1 == v1::SURVEY_PHASE_REPORTING);
static_assert(static_cast<int>(SurveyRun::kEnded) + 1 == v1::SURVEY_RUN_STATE_ENDED);
static_assert(static_cast<int>(SurveyNodeState::kFailed) + 1 == v1::SURVEY_NODE_STATE_FAILED);
static_assert(static_cast<int>(SurveyProblem::kNotAsked) + 1 == v1::SURVEY_PROBLEM_NOT_ASKED);

// The contract's numbers are core's and one more: 0 stands for absent.
template <typename Proto, typename Value>
Proto number_of(Value value) {
  return static_cast<Proto>(static_cast<int>(value) + 1);
}

std::string bytes_text(const NodeId& node) { return std::string(text_of(node.view())); }

}  // namespace

Result<RequestSurvey> to_survey_request(const v1::RequestSurveyRequest& request) {
  const auto node = to_node_id(request.node_id(), "node_id");
  if (!node) return Failure{node.error()};
  return RequestSurvey{.request = {},
                       .node = node.value(),
                       .inbound_index = request.inbound_index(),
                       .outbound_index = request.outbound_index()};
}

Result<RunSurvey> to_run_survey(const v1::RunSurveyRequest& request) {
  constexpr std::uint64_t kMin = std::chrono::duration_cast<milliseconds>(limits::kSurveyCollectMin).count();
  constexpr std::uint64_t kMax = std::chrono::duration_cast<milliseconds>(limits::kSurveyCollectMax).count();
  const std::uint64_t collect = request.collect_ms();
  if (collect < kMin || collect > kMax) {
    return Failure{"collect_ms: " + std::to_string(kMin) + " to " + std::to_string(kMax) + ", is " +
                   std::to_string(collect)};
  }
  return RunSurvey{.request = {}, .collect_for = milliseconds(collect)};
}

void to_proto(const SurveyStatus& status, v1::SurveyStatus& out) {
  out.set_phase(number_of<v1::SurveyPhase>(status.phase));
  if (!status.surveyor.is_zero()) out.set_surveyor(bytes_text(status.surveyor));
  out.set_nonce(status.nonce);
  out.set_phase_began_unix(status.phase_began.seconds);
  out.set_phase_ends_unix(status.phase_ends.seconds);
  out.set_is_ours(status.is_ours);
  out.set_has_result(status.has_result);
  out.set_result_nonce(status.result_nonce);
  out.set_is_asking(status.is_asking);
  out.set_run(number_of<v1::SurveyRunState>(status.run));
  out.set_why(printable(status.why));
  out.set_run_began_unix(status.run_began.seconds);
  if (!status.rival.is_zero()) out.set_rival(bytes_text(status.rival));
  out.set_nodes_found(status.nodes_found);
  out.set_nodes_complete(status.nodes_complete);
  out.set_nodes_failed(status.nodes_failed);
  out.set_nodes_waiting(status.nodes_waiting);
  out.set_nodes_asked(status.nodes_asked);
  out.set_nodes_refused(status.nodes_refused);
  out.set_links_found(status.links_found);
  out.set_requests_sent(status.requests_sent);
  out.set_responses(status.responses);
  out.set_bad_responses(status.bad_responses);
  if (status.time_left) out.set_time_left_ms(whole_milliseconds(*status.time_left));
}

void to_proto(const SurveyNode& node, v1::SurveyNode& out) {
  out.set_node_id(bytes_text(node.node));
  out.set_state(number_of<v1::SurveyNodeState>(node.state));
  out.set_problem(number_of<v1::SurveyProblem>(node.problem));
  out.set_detail(printable(node.detail));
  out.set_version(printable(node.version));
  out.set_requests(node.requests);
  out.set_bad_responses(node.bad_responses);
  if (node.stats) to_proto(*node.stats, *out.mutable_stats());
  for (const SurveyedLink& link : node.inbound) to_proto(link, *out.add_inbound());
  for (const SurveyedLink& link : node.outbound) to_proto(link, *out.add_outbound());
  for (const NodeId& namer : node.named_by) out.add_named_by(bytes_text(namer));
}

void to_proto(const SurveyedNode& stats, v1::SurveyedNode& out) {
  out.set_added_authenticated_peers(stats.added_peers);
  out.set_dropped_authenticated_peers(stats.dropped_peers);
  out.set_total_inbound_peers(stats.total_inbound);
  out.set_total_outbound_peers(stats.total_outbound);
  out.set_p75_scp_first_to_self_latency_ms(stats.p75_scp_first_to_self_ms);
  out.set_p75_scp_self_to_other_latency_ms(stats.p75_scp_self_to_other_ms);
  out.set_lost_sync_count(stats.lost_sync_count);
  out.set_is_validator(stats.is_validator);
  out.set_max_inbound_peers(stats.max_inbound);
  out.set_max_outbound_peers(stats.max_outbound);
}

void to_proto(const SurveyedLink& link, v1::SurveyedLink& out) {
  out.set_node_id(bytes_text(link.node));
  out.set_version(printable(link.version));
  out.set_messages_read(link.messages_read);
  out.set_messages_written(link.messages_written);
  out.set_bytes_read(link.bytes_read);
  out.set_bytes_written(link.bytes_written);
  out.set_unique_flood_bytes(link.unique_flood_bytes);
  out.set_duplicate_flood_bytes(link.duplicate_flood_bytes);
  out.set_unique_fetch_bytes(link.unique_fetch_bytes);
  out.set_duplicate_fetch_bytes(link.duplicate_fetch_bytes);
  out.set_unique_flood_messages(link.unique_flood_messages);
  out.set_duplicate_flood_messages(link.duplicate_flood_messages);
  out.set_unique_fetch_messages(link.unique_fetch_messages);
  out.set_duplicate_fetch_messages(link.duplicate_fetch_messages);
  out.set_seconds_connected(link.seconds_connected);
  out.set_average_latency_ms(link.average_latency_ms);
}

}  // namespace overlayd::ipc
