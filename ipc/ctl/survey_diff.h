// What is different between two results.
//
// Rule 1.  A link is a pair of nodes here, whoever dialled. Rationale: two nodes that connect again the other way round
//          have not become strangers.
// Rule 2.  A link came only if one of its ends told of all its links before, and went only if one of them does so now.
//          Rationale: where nobody answered nothing is known, and a silent node would seem to have lost all its links.
//          So with nodes: one came or went only if the other result is whole, or every node that it has a link with told
//          of all its links there. What this leaves out is counted.
// Rule 3.  A number of a node that answered both times is listed if it at least doubled or halved, and changed by at
//          least what its row in kDiffNumbers says; settings are listed whenever they changed. Rationale: counters of
//          two surveys are never equal. Bytes and messages are not compared: they grow with the time of collecting.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "ipc/ctl/output.h"
#include "ipc/ctl/survey_result.h"

namespace overlayd::ipc::ctl {

struct SurveyDiff {
  struct Text {
    NodeId node;
    std::string before;
    std::string after;
  };
  struct Number {
    NodeId node;
    std::string name;
    std::uint64_t before = 0;
    std::uint64_t after = 0;
  };
  using Link = std::pair<NodeId, NodeId>;  // the smaller id first

  std::vector<NodeId> nodes_came;
  std::vector<NodeId> nodes_went;
  std::uint64_t nodes_uncertain = 0;  // in one of both, but rule 2 leaves them out
  std::vector<Text> states;           // of nodes in both that tell of all their links in one only; "complete", "silent"
  std::vector<Link> links_came;
  std::vector<Link> links_went;
  std::uint64_t links_uncertain = 0;  // in one of both, but rule 2 leaves them out
  std::vector<Text> versions;         // of nodes of which both know one
  std::vector<Number> numbers;
};

// Everything ascending by node.
[[nodiscard]] SurveyDiff survey_diff(const SurveyResult& before, const SurveyResult& after);
[[nodiscard]] Json diff_json(const SurveyDiff& diff);
[[nodiscard]] std::string diff_text(const SurveyDiff& diff);

}  // namespace overlayd::ipc::ctl
