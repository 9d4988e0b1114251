// inspect: the command line of inspect.h.
#include <iostream>
#include <map>
#include <memory>

#include "core/crypto/keys.h"
#include "ipc/ctl/commands.h"
#include "ipc/ctl/inspect.h"

namespace overlayd::ipc::ctl {
namespace {

struct InspectArguments {
  std::string type = "StellarMessage";
  std::string form = "auto";
  std::string file = "-";
  std::optional<std::string> network;
  bool is_decoded = false;
};

const std::map<std::string, InputForm> kForms{
    {"auto", InputForm::kAuto}, {"raw", InputForm::kRaw}, {"base64", InputForm::kBase64}, {"json", InputForm::kJson}};

void run_inspect(Context& context, const InspectArguments& arguments) {
  const auto fail = [&](const std::string& why) { report_error(context, kExitUsage, "inspect: " + why); };
  const auto type = to_inspectable(arguments.type);
  if (!type) return fail(type.error());
  auto input = XdrInput::open(arguments.file, kForms.at(arguments.form));
  if (!input) return fail(input.error());
  InspectOptions options{.type = type.value(), .is_json = context.is_json, .is_decoded = arguments.is_decoded};
  if (arguments.network) options.network = crypto::network_id(*arguments.network);
  const auto totals = inspect(input.value(), options, std::cout);
  if (!totals) return fail(totals.error());
  if (totals.value().invalid != 0) context.exit_code = kExitRefused;
}

}  // namespace

void add_inspect(CLI::App& app, Context& context) {
  const auto arguments = std::make_shared<InspectArguments>();
  CLI::App* command = app.add_subcommand("inspect", "Says what XDR values are; fails if one is not valid");
  command->add_option("file", arguments->file, "A file, or - for standard input")->capture_default_str();
  command->add_option("--type", arguments->type, "What each value is")->capture_default_str();
  command->add_option("--network", arguments->network, "Show transaction hashes for this network passphrase");
  command->add_option("--format", arguments->form, "auto, raw (record-marked), base64 or json")
      ->check(CLI::IsMember({"auto", "raw", "base64", "json"}))
      ->capture_default_str();
  command->add_flag("--decode", arguments->is_decoded, "Add the content as JSON");
  command->callback([&context, arguments] { run_inspect(context, *arguments); });
}

}  // namespace overlayd::ipc::ctl
