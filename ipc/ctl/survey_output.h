// In which format a result is shown, and where it goes.
#pragma once
#include <CLI/CLI.hpp>

#include <string>

#include "core/result.h"
#include "ipc/ctl/commands.h"
#include "ipc/ctl/survey_result.h"

namespace overlayd::ipc::ctl {

struct SurveyOutputOptions {
  std::string format{};  // of kSurveyFormats; empty: table, or json with --json
  std::string csv{};     // "nodes", "links", or empty: both
  std::string output{};  // empty: standard output
  bool has_links = false;
};

// --format, --csv, --output and --links.
void add_output_options(CLI::App& command, SurveyOutputOptions& options);
// Whether they go together, and what they name can be written, before a run of minutes begins. Settles `format`.
[[nodiscard]] Result<Done> check_output(const Context& context, SurveyOutputOptions& options);
// After check_output. A failure leaves nothing half written: a file takes its name when it is complete, two of them when
// both are.
[[nodiscard]] Result<Done> write_survey(const SurveyResult& result, const SurveyOutputOptions& options);
// The two files of CSV without --csv: in the directory `output`, or with `output` in front of their names.
[[nodiscard]] std::string csv_path(const std::string& output, const std::string& table);
// To the file, or to standard output if the name is empty.
[[nodiscard]] Result<Done> write_text(const std::string& path, const std::string& text);

}  // namespace overlayd::ipc::ctl
