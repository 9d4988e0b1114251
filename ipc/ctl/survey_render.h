// The result of a survey for people and for tools, but JSON (survey_json.h).
//
// What other nodes say of themselves is hostile. Text in a result is printable ASCII already (survey_result.h); here it is
// escaped as each format wants, and in CSV a cell that a spreadsheet would take for a formula gets a quote in front.
#pragma once
#include <string>

#include "ipc/ctl/survey_result.h"

namespace overlayd::ipc::ctl {

// Who was found, what each says of itself, and who did not answer. With `has_links` the links too.
[[nodiscard]] std::string survey_table(const SurveyResult& result, bool has_links);
// What survey_table says of how far it is and of who did not answer, without the nodes that did.
[[nodiscard]] std::string survey_summary(const SurveyResult& result);

// RFC 4180, but with "\n" at the end of a line; a head line first. Empty cells: not known.
// Nodes: nodeId, what visit_node visits, the counters of stellar-core, how many links it told of, namedBy.
[[nodiscard]] std::string survey_nodes_csv(const SurveyResult& result);
// Links: dialler, acceptor, agreement, then each counter as either end tells it: dialler_bytesRead, acceptor_bytesRead.
[[nodiscard]] std::string survey_links_csv(const SurveyResult& result);

// A directed graph, edges from who dialled to who was called, with the same columns as data.
[[nodiscard]] std::string survey_graphml(const SurveyResult& result);
// Graphviz: colours by state, dashed links where only one end names the other.
[[nodiscard]] std::string survey_dot(const SurveyResult& result);

// One page with everything in it, for a browser (survey_page.h).
[[nodiscard]] std::string survey_html(const SurveyResult& result);

// Parts of the formats above.
[[nodiscard]] std::string namers_text(const SurveyNode& node);  // separated by spaces
[[nodiscard]] std::string csv_cell(std::string_view text);
[[nodiscard]] std::string xml_text(std::string_view text);
[[nodiscard]] std::string dot_text(std::string_view text);  // with its quotes

}  // namespace overlayd::ipc::ctl
