#include <algorithm>

#include "core/crypto/strkey.h"
#include "ipc/ctl/output.h"
#include "ipc/ctl/peer_text.h"
#include "ipc/ctl/survey_fields.h"
#include "ipc/ctl/survey_render.h"

namespace overlayd::ipc::ctl {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string text(const NodeId& id) { return id.is_zero() ? "-" : crypto::encode_node_id(id); }
std::string text(std::uint64_t number) { return std::to_string(number); }
std::string dash_if_empty(const std::string& value) { return value.empty() ? "-" : value; }

std::string run_text(const SurveyStatus& status) {
  std::string out(word_of(status.run));
  if (!status.why.empty()) out += ": " + status.why;
  return out;
}

// Under an empty line; nothing if there is only the head.
std::string section(const Rows& rows) {
  std::string out;
  if (rows.size() > 1) out.append("\n").append(table_text(rows));
  return out;
}

Rows summary_rows(const SurveyResult& result, const std::vector<SurveyLink>& links) {
  const SurveyStatus& status = result.status;
  const auto confirmed = std::ranges::count(links, LinkAgreement::kConfirmed, &SurveyLink::agreement);
  const auto denied = std::ranges::count(links, LinkAgreement::kDenied, &SurveyLink::agreement);
  Rows rows;
  if (status.result_nonce != 0) rows.push_back({"nonce", text(status.result_nonce)});
  if (status.run != SurveyRun::kNone) rows.push_back({"run", run_text(status)});
  if (status.run_began.seconds != 0)
    rows.push_back({"began", time_text(static_cast<std::int64_t>(status.run_began.seconds))});
  if (!status.rival.is_zero()) rows.push_back({"another surveyor", text(status.rival)});
  std::string nodes = text(result.nodes.size()) + " found, " + text(result.nodes.size() - unanswered(result).size()) +
                      " told of all their links";
  if (status.nodes_refused != 0) nodes += "; " + text(status.nodes_refused) + " more than there is room for";
  rows.push_back({"nodes", nodes});
  rows.push_back({"links", text(links.size()) + ", " + std::to_string(confirmed) + " named by both ends, " +
                               std::to_string(denied) + " denied by one"});
  rows.push_back({"requests", text(status.requests_sent) + " sent, " + text(status.responses) + " answered, " +
                                  text(status.bad_responses) + " with what could not be used"});
  return rows;
}

// A node's own account in one row.
std::vector<std::string> node_row(const SurveyNode& node) {
  const SurveyedNode& stats = *node.stats;
  std::uint64_t read = 0;
  std::uint64_t written = 0;
  for (const auto* links : {&node.inbound, &node.outbound}) {
    for (const SurveyedLink& link : *links) {
      read += link.bytes_read;
      written += link.bytes_written;
    }
  }
  return {text(node.node),
          std::string(reason_of(node)),
          stats.is_validator ? "yes" : "no",
          text(stats.total_inbound) + "/" + text(stats.max_inbound),
          text(stats.total_outbound) + "/" + text(stats.max_outbound),
          text(stats.added_peers),
          text(stats.dropped_peers),
          text(stats.p75_scp_first_to_self_ms),
          text(stats.p75_scp_self_to_other_ms),
          text(stats.lost_sync_count),
          text(read),
          text(written),
          dash_if_empty(node.version)};
}

std::string nodes_table(const SurveyResult& result) {
  Rows rows{{"node", "state", "validator", "inbound", "outbound", "added", "dropped", "first to self ms",
             "self to other ms", "lost sync", "bytes read", "bytes written", "version"}};
  for (const SurveyNodePtr& node : result.nodes)
    if (node->stats) rows.push_back(node_row(*node));
  return section(rows);
}

std::string unanswered_table(const SurveyResult& result) {
  Rows rows{{"no full answer", "why", "requests", "named by", "version", "detail"}};
  for (const SurveyNode* node : unanswered(result)) {
    const std::string namer = node->named_by.empty() ? "-" : crypto::short_node_id(node->named_by.front());
    const std::string more = node->named_by.size() > 1 ? " +" + text(node->named_by.size() - 1) : "";
    rows.push_back({text(node->node), std::string(reason_of(*node)), text(node->requests), namer + more,
                    dash_if_empty(node->version), dash_if_empty(node->detail)});
  }
  return section(rows);
}

std::string links_table(const std::vector<SurveyLink>& links) {
  Rows rows{{"dialled", "was called", "agreement", "bytes there", "bytes back", "latency ms"}};
  for (const SurveyLink& link : links) {
    rows.push_back({text(link.dialler), text(link.acceptor), agreement_text(link.agreement),
                    text(link.bytes_to_acceptor()), text(link.bytes_to_dialler()),
                    link.latency_ms() == 0 ? "-" : text(link.latency_ms())});
  }
  return section(rows);
}

}  // namespace

std::string survey_summary(const SurveyResult& result) {
  return table_text(summary_rows(result, survey_links(result))) + unanswered_table(result);
}

std::string survey_table(const SurveyResult& result, bool has_links) {
  const auto links = survey_links(result);
  return table_text(summary_rows(result, links)) + nodes_table(result) + (has_links ? links_table(links) : "") +
         unanswered_table(result);
}

}  // namespace overlayd::ipc::ctl
