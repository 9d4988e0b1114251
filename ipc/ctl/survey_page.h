// The page that shows the result of a survey in a browser: topology, nodes and links. Made at build time of the files in
// ipc/ctl/survey_page (cmake/survey_page.cmake).
#pragma once
#include <string_view>

namespace overlayd::ipc::ctl {

// Where the result belongs in the page; stands there exactly once.
inline constexpr std::string_view kSurveyPageData = "__SURVEY_DATA__";

// One HTML document in UTF-8 that loads nothing and sends nothing. Replace kSurveyPageData by the result as JSON, with
// stellar-core's `getsurveyresult` names; in it every "<" must be written "\u003c", for versions and node ids come from
// strangers and could otherwise end the element that holds the data. Keys it does not know, and keys that are absent,
// do not disturb the page.
[[nodiscard]] std::string_view survey_page();

}  // namespace overlayd::ipc::ctl
