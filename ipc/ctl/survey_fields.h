// The members of what a survey is made of, each with its name: said once for JSON, CSV, GraphML and the table.
// The names of counters are those of stellar-core's `getsurveyresult` (SurveyManager::populatePeerResults and
// populateNodeResults, commit 0066f9d), so that tools made for it read ours.
#pragma once
#include <array>
#include <optional>
#include <string_view>

#include "core/survey_values.h"

namespace overlayd::ipc::ctl {

inline constexpr int kSurveyFormat = 1;  // of our part of a saved result
// Visited where the names are wanted alone.
inline const SurveyNode names_of_node{};
inline const SurveyedNode names_of_stats{};
inline const SurveyedLink names_of_link{};

// What one end of a link says of it, but whom it names.
template <typename Link, typename Visit>
void visit_counters(Link& link, Visit&& visit) {
  visit("messagesRead", link.messages_read);
  visit("messagesWritten", link.messages_written);
  visit("bytesRead", link.bytes_read);
  visit("bytesWritten", link.bytes_written);
  visit("secondsConnected", link.seconds_connected);
  visit("uniqueFloodBytesRecv", link.unique_flood_bytes);
  visit("duplicateFloodBytesRecv", link.duplicate_flood_bytes);
  visit("uniqueFetchBytesRecv", link.unique_fetch_bytes);
  visit("duplicateFetchBytesRecv", link.duplicate_fetch_bytes);
  visit("uniqueFloodMessageRecv", link.unique_flood_messages);
  visit("duplicateFloodMessageRecv", link.duplicate_flood_messages);
  visit("uniqueFetchMessageRecv", link.unique_fetch_messages);
  visit("duplicateFetchMessageRecv", link.duplicate_fetch_messages);
  visit("averageLatencyMs", link.average_latency_ms);
}

// What a node says of itself.
template <typename Stats, typename Visit>
void visit_stats(Stats& stats, Visit&& visit) {
  visit("addedAuthenticatedPeers", stats.added_peers);
  visit("droppedAuthenticatedPeers", stats.dropped_peers);
  visit("numTotalInboundPeers", stats.total_inbound);
  visit("numTotalOutboundPeers", stats.total_outbound);
  visit("p75SCPFirstToSelfLatencyMs", stats.p75_scp_first_to_self_ms);
  visit("p75SCPSelfToOtherLatencyMs", stats.p75_scp_self_to_other_ms);
  visit("lostSyncCount", stats.lost_sync_count);
  visit("isValidator", stats.is_validator);
  visit("maxInboundPeerCount", stats.max_inbound);
  visit("maxOutboundPeerCount", stats.max_outbound);
}

// Our own, in the same spelling.
template <typename Status, typename Visit>
void visit_status(Status& status, Visit&& visit) {
  visit("phase", status.phase);
  visit("surveyor", status.surveyor);
  visit("nonce", status.nonce);
  visit("phaseBegan", status.phase_began);
  visit("phaseEnds", status.phase_ends);
  visit("isOurs", status.is_ours);
  visit("hasResult", status.has_result);
  visit("resultNonce", status.result_nonce);
  visit("isAsking", status.is_asking);
  visit("run", status.run);
  visit("why", status.why);
  visit("runBegan", status.run_began);
  visit("rival", status.rival);
  visit("nodesFound", status.nodes_found);
  visit("nodesComplete", status.nodes_complete);
  visit("nodesFailed", status.nodes_failed);
  visit("nodesWaiting", status.nodes_waiting);
  visit("nodesAsked", status.nodes_asked);
  visit("nodesRefused", status.nodes_refused);
  visit("linksFound", status.links_found);
  visit("requestsSent", status.requests_sent);
  visit("responses", status.responses);
  visit("badResponses", status.bad_responses);
  visit("timeLeftMs", status.time_left);
}

// What we know of a node that it did not say itself, but who names it.
template <typename Node, typename Visit>
void visit_node(Node& node, Visit&& visit) {
  visit("state", node.state);
  visit("problem", node.problem);
  visit("detail", node.detail);
  visit("version", node.version);
  visit("requests", node.requests);
  visit("badResponses", node.bad_responses);
}

// Each enumerator's word, in the order of the enumerators.
inline constexpr std::array<std::string_view, 3> kPhaseWords{"inactive", "collecting", "reporting"};
inline constexpr std::array<std::string_view, 5> kRunWords{"none", "collecting", "crawling", "done", "ended"};
inline constexpr std::array<std::string_view, 5> kStateWords{"found", "waiting", "asked", "complete", "failed"};
inline constexpr std::array<std::string_view, 6> kProblemWords{"none",      "silent", "unpermitted",
                                                               "truncated", "bad",    "not_asked"};
constexpr const auto& words_of(SurveyPhase) { return kPhaseWords; }
constexpr const auto& words_of(SurveyRun) { return kRunWords; }
constexpr const auto& words_of(SurveyNodeState) { return kStateWords; }
constexpr const auto& words_of(SurveyProblem) { return kProblemWords; }

template <typename Enum>
constexpr std::string_view word_of(Enum value) {
  return words_of(value)[static_cast<std::size_t>(value)];
}
template <typename Enum>
constexpr std::optional<Enum> to_enum(std::string_view word) {
  const auto& words = words_of(Enum{});
  for (std::size_t i = 0; i < words.size(); ++i)
    if (words[i] == word) return static_cast<Enum>(i);
  return std::nullopt;
}

}  // namespace overlayd::ipc::ctl
