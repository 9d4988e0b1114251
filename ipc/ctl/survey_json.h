// A survey's result as JSON, with the names of stellar-core's `getsurveyresult`, and back.
//
// surveyInProgress, backlog, badResponseNodes, topology: as stellar-core writes them; "topology" has null for a node
// that was asked and has not answered. Our own is in "overlayd": the members of the status (survey_fields.h), "nodes"
// with state, problem, detail, version, requests, badResponses and namedBy of every node, and "unanswered", which
// repeats of them those that did not tell of all their links. So the text holds all of the result, and what is read back
// equals it.
// The result of a stellar-core has no "overlayd": the states of its nodes are then inferred.
#pragma once
#include <nlohmann/json.hpp>

#include <string>

#include "core/result.h"
#include "ipc/ctl/output.h"
#include "ipc/ctl/survey_result.h"

namespace overlayd::ipc::ctl {

inline constexpr std::size_t kSurveyFileMax = 256U << 20U;  // bytes; more than a full result needs

// One object on one line, without the line's end.
[[nodiscard]] std::string survey_json(const SurveyResult& result);
// `name` is what errors call the text, such as its file. Errors name the key: "FILE: topology.G….bytesRead: must …".
[[nodiscard]] Result<SurveyResult> survey_from_json(std::string_view text, const std::string& name);
// The same of a file, or of standard input for "-".
[[nodiscard]] Result<SurveyResult> survey_from_file(const std::string& path);

// The status by itself, with names as other commands of overlayctl have them: phase_began, time_left_ms.
[[nodiscard]] Json survey_status_json(const SurveyStatus& status);

}  // namespace overlayd::ipc::ctl
