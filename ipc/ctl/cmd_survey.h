// What the files of `overlayctl survey` share.
#pragma once
#include <CLI/CLI.hpp>

#include <memory>

#include "ipc/client/survey_client.h"
#include "ipc/ctl/commands.h"
#include "ipc/ctl/survey_result.h"

namespace overlayd::ipc::ctl {

// Nothing: it cannot be reached, and that is reported.
[[nodiscard]] std::unique_ptr<SurveyClient> connect_survey(Context& context);
[[nodiscard]] Result<SurveyResult> to_result(const CollectedSurvey& collected);

void add_survey_run(CLI::App& survey, Context& context);     // cmd_survey_run.cpp
void add_survey_result(CLI::App& survey, Context& context);  // cmd_survey_result.cpp
void add_survey_diff(CLI::App& survey, Context& context);    // cmd_survey_result.cpp

}  // namespace overlayd::ipc::ctl
