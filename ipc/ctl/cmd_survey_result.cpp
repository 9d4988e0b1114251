// survey result and diff: what a survey found, and what is different from another one.
#include "ipc/ctl/cmd_survey.h"
#include "ipc/ctl/output.h"
#include "ipc/ctl/survey_diff.h"
#include "ipc/ctl/survey_json.h"
#include "ipc/ctl/survey_output.h"

namespace overlayd::ipc::ctl {
namespace {

struct ResultOptions {
  SurveyOutputOptions out;
  std::string from;
};

struct DiffOptions {
  std::string before;
  std::string after;
  std::string format;
  std::string output;
};

void show_result(Context& context, ResultOptions options) {
  if (const auto checked = check_output(context, options.out); !checked)
    return report_error(context, kExitUsage, checked.error());
  Result<SurveyResult> result = Failure{};
  if (options.from.empty()) {
    const auto client = connect_survey(context);
    if (!client) return;
    const auto collected = client->result();
    if (!collected) return report_call_error(context, collected.error());
    result = to_result(collected.value());
    if (!result) return report_error(context, kExitCall, result.error());
  } else {
    result = survey_from_file(options.from);
    if (!result) return report_error(context, kExitUsage, "--from: " + result.error());
  }
  if (const auto written = write_survey(result.value(), options.out); !written)
    report_error(context, kExitUsage, written.error());
}

void show_diff(Context& context, const DiffOptions& options) {
  if (context.is_json && options.format == "table")
    return report_error(context, kExitUsage, "--json and --format table exclude each other");
  const auto before = survey_from_file(options.before);
  if (!before) return report_error(context, kExitUsage, "OLD: " + before.error());
  const auto after = survey_from_file(options.after);
  if (!after) return report_error(context, kExitUsage, "NEW: " + after.error());
  const SurveyDiff diff = survey_diff(before.value(), after.value());
  const bool is_json = context.is_json || options.format == "json";
  if (const auto written = write_text(options.output, is_json ? diff_json(diff).dump() + "\n" : diff_text(diff));
      !written)
    report_error(context, kExitUsage, written.error());
}

}  // namespace

void add_survey_result(CLI::App& survey, Context& context) {
  const auto options = std::make_shared<ResultOptions>();
  CLI::App* command =
      survey.add_subcommand("result", "Shows what the last survey of this node found; exit code 1 if there was none");
  command->add_option("--from", options->from,
                      "Show this saved result instead, of --format json or of stellar-core's getsurveyresult; - for "
                      "standard input; needs no daemon");
  add_output_options(*command, options->out);
  command->footer(
      "Formats:\n"
      "  table    nodes, and who did not answer and why (--links: links too)\n"
      "  json     with the names of stellar-core's getsurveyresult; what it does not have is in \"overlayd\".\n"
      "           All other formats can be made of it later (--from)\n"
      "  csv      two tables, nodes and links; a link has a column for each counter as either end tells it\n"
      "  graphml  for Gephi, NetworkX, yEd: the columns of csv as data of nodes and edges\n"
      "  dot      for Graphviz\n"
      "  html     one page for a browser, which needs no network\n");
  command->callback([&context, options] { show_result(context, *options); });
}

void add_survey_diff(CLI::App& survey, Context& context) {
  const auto options = std::make_shared<DiffOptions>();
  CLI::App* command = survey.add_subcommand("diff", "Compares two saved results (--format json); needs no daemon");
  command->add_option("OLD", options->before, "The earlier one")->required();
  command->add_option("NEW", options->after, "The later one")->required();
  command->add_option("--format", options->format, "table (default) or json")->check(CLI::IsMember({"table", "json"}));
  command->add_option("--output", options->output, "Write to this file instead of standard output");
  command->footer(
      "Shows nodes, links and versions that came, went or changed, nodes that answered only once, and numbers of a "
      "node\n"
      "that at least doubled or halved. A link counts as gone only if one of its ends tells of its links in NEW.\n");
  command->callback([&context, options] { show_diff(context, *options); });
}

}  // namespace overlayd::ipc::ctl
