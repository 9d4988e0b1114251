// survey start, stop, status, request and end: a survey step by step.
#include "ipc/ctl/cmd_survey.h"

#include <cstdio>

#include "core/crypto/strkey.h"
#include "ipc/ctl/options.h"
#include "ipc/ctl/output.h"
#include "ipc/ctl/peer_text.h"
#include "ipc/ctl/survey_fields.h"
#include "ipc/ctl/survey_json.h"
#include "ipc/ctl/survey_progress.h"

namespace overlayd::ipc::ctl {
namespace {

namespace v1 = ::overlay::v1;

struct RequestOptions {
  std::string node;
  std::uint32_t inbound_index = 0;
  std::uint32_t outbound_index = 0;
};

void start(Context& context, std::uint32_t nonce) {
  const auto client = connect_survey(context);
  if (!client) return;
  const auto started = client->start(nonce);
  if (!started) return report_call_error(context, started.error());
  if (context.is_json) return print_json({{"nonce", started.value()}});
  std::printf("every node that permits it collects now, nonce %u; `overlayctl survey stop` ends that\n",
              started.value());
}

void stop(Context& context) {
  const auto client = connect_survey(context);
  if (!client) return;
  if (const auto stopped = client->stop(); !stopped) return report_call_error(context, stopped.error());
  if (context.is_json) return print_json({{"stopped", true}});
  std::printf("collecting is over; `overlayctl survey request NODE` asks a node, a run goes on by itself\n");
}

void request(Context& context, const RequestOptions& options) {
  const auto id = crypto::decode_node_id(options.node);
  if (!id) return report_error(context, kExitUsage, "NODE: " + id.error());
  v1::RequestSurveyRequest request;
  request.set_node_id(id.value().bytes.data(), id.value().bytes.size());
  request.set_inbound_index(options.inbound_index);
  request.set_outbound_index(options.outbound_index);
  const auto client = connect_survey(context);
  if (!client) return;
  if (const auto queued = client->request(request); !queued) return report_call_error(context, queued.error());
  if (context.is_json) return print_json({{"queued", options.node}});
  std::printf("the request is queued; `overlayctl survey result` shows what comes of it\n");
}

void end(Context& context) {
  const auto client = connect_survey(context);
  if (!client) return;
  if (const auto ended = client->end(); !ended) return report_call_error(context, ended.error());
  if (context.is_json) return print_json({{"ended", true}});
  std::printf("nobody is asked any more; `overlayctl survey result` shows what came in\n");
}

std::string node_or(const NodeId& id, const char* otherwise) {
  return id.is_zero() ? otherwise : crypto::encode_node_id(id);
}

void print_status(const SurveyStatus& status) {
  const auto now = unix_now();
  const auto time = [](UnixTime at) { return static_cast<std::int64_t>(at.seconds); };
  std::vector<std::vector<std::string>> rows{{"phase", std::string(word_of(status.phase))}};
  if (status.phase != SurveyPhase::kInactive) {
    rows.push_back({"surveyor", node_or(status.surveyor, "-") + (status.is_ours ? " (this node)" : "")});
    rows.push_back({"nonce", std::to_string(status.nonce)});
    rows.push_back({"since", time_text(time(status.phase_began))});
    rows.push_back({"ends", until_text(time(status.phase_ends), now) + " at the latest"});
  }
  if (!status.rival.is_zero()) rows.push_back({"another surveyor", node_or(status.rival, "-")});
  if (!status.has_result) {
    rows.push_back({"result", "none"});
    return print_table(rows);
  }
  rows.push_back({"result", "of nonce " + std::to_string(status.result_nonce) +
                                (status.is_asking ? ", nodes are being asked" : "")});
  rows.push_back({"run", progress_text(status, {static_cast<std::uint64_t>(now)}, Duration(0))});
  rows.push_back({"links", std::to_string(status.links_found)});
  print_table(rows);
}

void show_survey_status(Context& context) {
  const auto client = connect_survey(context);
  if (!client) return;
  const auto answer = client->status();
  if (!answer) return report_call_error(context, answer.error());
  const SurveyStatus status = to_status(answer.value());
  if (context.is_json) return print_json(survey_status_json(status));
  print_status(status);
}

void add_request(CLI::App& survey, Context& context) {
  const auto options = std::make_shared<RequestOptions>();
  CLI::App* command = survey.add_subcommand("request", "Asks one node for 25 of its links in each direction");
  command->add_option("NODE", options->node, "Its node id, G...")->required();
  const CLI::Validator index = whole_number(0, UINT32_MAX);
  command->add_option("--inbound-index", options->inbound_index, "From this inbound link on")
      ->check(index)
      ->capture_default_str();
  command->add_option("--outbound-index", options->outbound_index, "From this outbound link on")
      ->check(index)
      ->capture_default_str();
  command->callback([&context, options] { request(context, *options); });
}

}  // namespace

std::unique_ptr<SurveyClient> connect_survey(Context& context) {
  auto client = SurveyClient::connect({.socket = context.socket});
  if (client) return std::move(client).value();
  report_error(context, kExitCall, client.error());
  return nullptr;
}

Result<SurveyResult> to_result(const CollectedSurvey& collected) {
  return to_result(collected.status, collected.nodes);
}

void add_survey(CLI::App& app, Context& context) {
  CLI::App* survey = app.add_subcommand("survey", "Surveys the network: who is there, and what goes over which link");
  survey->require_subcommand(1);
  add_survey_run(*survey, context);
  add_survey_result(*survey, context);
  add_survey_diff(*survey, context);
  survey->add_subcommand("status", "Shows which survey this node takes part in, and how far its own is")
      ->callback([&context] { show_survey_status(context); });
  const auto nonce = std::make_shared<std::uint32_t>(0);
  CLI::App* begin = survey->add_subcommand("start", "Begins a survey by hand: every node collects, 30 minutes at most");
  begin->add_option("--nonce", *nonce, "Identifies the survey; 0: drawn")->check(whole_number(0, UINT32_MAX));
  begin->callback([&context, nonce] { start(context, *nonce); });
  survey->add_subcommand("stop", "Ends the collecting; nodes answer from now on, for 3 hours at most")
      ->callback([&context] { stop(context); });
  add_request(*survey, context);
  survey->add_subcommand("end", "Asks nobody any more and ends a run; what came in stays")->callback([&context] {
    end(context);
  });
}

}  // namespace overlayd::ipc::ctl
