// Small results of surveys for the tests of overlayctl.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/crypto/strkey.h"
#include "ipc/ctl/survey_result.h"

namespace overlayd::ipc::ctl::testing {

inline NodeId id(std::uint8_t number) {
  NodeId node;
  node.bytes.fill(number);
  return node;
}
inline std::string strkey(std::uint8_t number) { return crypto::encode_node_id(id(number)); }

// Every counter different, so that two that are mixed up are seen.
inline SurveyedLink link_to(std::uint8_t number, std::uint64_t base, std::string version = "v1") {
  return {.node = id(number),
          .version = std::move(version),
          .messages_read = base + 1,
          .messages_written = base + 2,
          .bytes_read = base + 3,
          .bytes_written = base + 4,
          .seconds_connected = base + 5,
          .unique_flood_bytes = base + 6,
          .duplicate_flood_bytes = base + 7,
          .unique_fetch_bytes = base + 8,
          .duplicate_fetch_bytes = base + 9,
          .unique_flood_messages = base + 10,
          .duplicate_flood_messages = base + 11,
          .unique_fetch_messages = base + 12,
          .duplicate_fetch_messages = base + 13,
          .average_latency_ms = static_cast<std::uint32_t>(base + 14)};
}

inline SurveyedNode stats_of(std::uint32_t base, std::uint32_t inbound, std::uint32_t outbound) {
  return {.added_peers = base + 1,
          .dropped_peers = base + 2,
          .total_inbound = inbound,
          .total_outbound = outbound,
          .p75_scp_first_to_self_ms = base + 3,
          .p75_scp_self_to_other_ms = base + 4,
          .lost_sync_count = base + 5,
          .is_validator = base % 200 == 100,
          .max_inbound = base + 6,
          .max_outbound = base + 7};
}

inline SurveyNode complete_node(std::uint8_t number, std::vector<SurveyedLink> inbound,
                                std::vector<SurveyedLink> outbound) {
  SurveyNode node{.node = id(number), .state = SurveyNodeState::kComplete, .version = "v1", .requests = 1};
  node.stats =
      stats_of(number * 100U, static_cast<std::uint32_t>(inbound.size()), static_cast<std::uint32_t>(outbound.size()));
  node.inbound = std::move(inbound);
  node.outbound = std::move(outbound);
  return node;
}

inline SurveyStatus status_of(SurveyRun run) {
  SurveyStatus status;
  status.run = run;
  return status;
}

// As bad as printable text can be.
inline const std::string kHostile = R"(=1+1,"</script><b>&amp;'\"]]>)";

// 1 dialled 2 and 3, 2 dialled 3; 1 and 2 told of their links, 3 was silent, and 4 is only named, by 2, which it is said
// to have dialled. 2 also says that 1 dialled it, as 1 does; and 1 that 5 dialled it, which told of no such link.
inline SurveyResult sample() {
  SurveyNode silent{.node = id(3),
                    .state = SurveyNodeState::kFailed,
                    .problem = SurveyProblem::kSilent,
                    .detail = kHostile,
                    .version = kHostile,
                    .requests = 3,
                    .bad_responses = 1,
                    .named_by = {id(1), id(2)}};
  SurveyNode named{.node = id(4), .version = "v0", .named_by = {id(2)}};
  SurveyStatus status{.phase = SurveyPhase::kReporting,
                      .surveyor = id(1),
                      .nonce = 7,
                      .phase_began = {1'700'000'300},
                      .phase_ends = {1'700'011'100},
                      .is_ours = true,
                      .has_result = true,
                      .result_nonce = 7,
                      .run = SurveyRun::kEnded,
                      .why = "a client ended it",
                      .run_began = {1'700'000'000},
                      .rival = id(8),
                      .nodes_found = 5,
                      .nodes_complete = 3,
                      .nodes_failed = 1,
                      .nodes_refused = 2,
                      .links_found = 5,
                      .requests_sent = 6,
                      .responses = 3,
                      .bad_responses = 1,
                      .time_left = milliseconds(1500)};
  std::vector<SurveyNode> nodes{complete_node(1, {link_to(5, 1000)}, {link_to(2, 2000), link_to(3, 3000, kHostile)}),
                                complete_node(2, {link_to(1, 4000), link_to(4, 5000, "v0")}, {link_to(3, 6000)}),
                                complete_node(5, {}, {}), silent, named};
  return make_result(status, nodes).value();
}

inline bool are_equal(const SurveyNode& a, const SurveyNode& b) {
  return a.node == b.node && a.state == b.state && a.problem == b.problem && a.detail == b.detail &&
         a.version == b.version && a.requests == b.requests && a.bad_responses == b.bad_responses &&
         a.stats == b.stats && a.inbound == b.inbound && a.outbound == b.outbound && a.named_by == b.named_by;
}
inline bool are_equal(const SurveyResult& a, const SurveyResult& b) {
  if (a.status != b.status || a.nodes.size() != b.nodes.size()) return false;
  for (std::size_t i = 0; i < a.nodes.size(); ++i)
    if (!are_equal(*a.nodes[i], *b.nodes[i])) return false;
  return true;
}

}  // namespace overlayd::ipc::ctl::testing
