// The result of a survey as overlayctl works with it: nodes, and links made of what both their ends say.
//
// A result comes from the daemon or from a file, and in either case from strangers: text in it is made printable and
// cut, and it holds no more than the daemon would (limits::kSurveyNodesMax, kSurveyLinksMax, kSurveyTotalLinksMax).
// The renderers may therefore rely on both. Node ids are 32 bytes and written as strkeys.
#pragma once
#include <overlay/v1/survey.pb.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/survey_values.h"

namespace overlayd::ipc::ctl {

inline constexpr std::size_t kSurveyTextMax = 200;  // bytes of a version, a detail or a reason

// How much is known of a link.
enum class LinkAgreement : std::uint8_t {
  kConfirmed = 0,  // both ends name it
  kOneSided = 1,   // one end names it, the other did not tell of its links, or not of all
  kDenied = 2,     // one end names it; the other told of all its links, and it is not among them
};
[[nodiscard]] const char* agreement_text(LinkAgreement agreement);

// One link. Two nodes that both say they dialled the other have two, which deny each other.
struct SurveyLink {
  NodeId dialler;  // names it among its outbound links, or is named by the other's inbound
  NodeId acceptor;
  const SurveyedLink* of_dialler = nullptr;  // what it says; null: nothing. Lives as long as the result.
  const SurveyedLink* of_acceptor = nullptr;
  LinkAgreement agreement = LinkAgreement::kConfirmed;
  // What went from the dialler to the acceptor and back: as the sender counted it, or else as the receiver did.
  [[nodiscard]] std::uint64_t bytes_to_acceptor() const;
  [[nodiscard]] std::uint64_t bytes_to_dialler() const;
  // As the dialler measured it, or else the acceptor; 0: not measured.
  [[nodiscard]] std::uint32_t latency_ms() const;
};

// Ascending by dialler, then acceptor, each pair once.
[[nodiscard]] std::vector<SurveyLink> survey_links(const SurveyResult& result);
// Ends of links that are not among the nodes, for a result has not room for all; ascending.
[[nodiscard]] std::vector<NodeId> unlisted_ends(const SurveyResult& result, const std::vector<SurveyLink>& links);
// Null: not in the result.
[[nodiscard]] const SurveyNode* find_node(const SurveyResult& result, const NodeId& id);

// The nodes that did not tell of all their links.
[[nodiscard]] std::vector<const SurveyNode*> unanswered(const SurveyResult& result);
// Whether every node that was found told of all its links, and the run went to its end.
[[nodiscard]] bool is_whole(const SurveyResult& result);
// The problem, or without one how far it is: "silent", "waiting".
[[nodiscard]] std::string_view reason_of(const SurveyNode& node);

// Keeps the order of the rules above: sorts, makes text printable, refuses what is too much. `nodes` in any order, each
// once.
[[nodiscard]] Result<SurveyResult> make_result(SurveyStatus status, std::vector<SurveyNode> nodes);
[[nodiscard]] Result<SurveyResult> to_result(const ::overlay::v1::SurveyStatus& status,
                                             std::span<const ::overlay::v1::SurveyNode> nodes);
[[nodiscard]] SurveyStatus to_status(const ::overlay::v1::SurveyStatus& status);

// At most kSurveyTextMax bytes of it, and '?' for what is not printable ASCII.
[[nodiscard]] std::string printable_text(std::string_view text);

}  // namespace overlayd::ipc::ctl
