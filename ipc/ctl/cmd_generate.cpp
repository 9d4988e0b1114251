// generate: the command line of generate.h.
#include <iostream>
#include <memory>

#include "ipc/ctl/commands.h"
#include "ipc/ctl/generate.h"
#include "ipc/ctl/options.h"

namespace overlayd::ipc::ctl {

void add_generate(CLI::App& app, Context& context) {
  struct Arguments {
    std::string what;
    std::string form = "json";
    GenerateOptions options;
  };
  const auto arguments = std::make_shared<Arguments>();
  GenerateOptions& options = arguments->options;
  CLI::App* command =
      app.add_subcommand("generate", "Makes valid, signed transactions or SCP envelopes, the same for the same seed");
  command->add_option("what", arguments->what, "transactions or scp")
      ->required()
      ->check(CLI::IsMember({"transactions", "scp"}));
  command->add_option("--count", options.count, "How many")->required()->check(whole_number(1, kGenerateCountMax));
  command->add_option("--seed", options.seed, "Any number below 2^64; decides everything drawn")
      ->check(whole_number(0, UINT64_MAX))
      ->capture_default_str();
  command->add_option("--network", options.network, "The network's passphrase")->required();
  command->add_option("--format", arguments->form, "json, base64 or xdr (record-marked)")
      ->check(CLI::IsMember({"json", "base64", "xdr"}))
      ->capture_default_str();
  command->add_option("--slot", options.first_slot, "scp: the first slot")
      ->check(whole_number(1, UINT32_MAX))
      ->capture_default_str();
  command->add_option("--nodes", options.nodes, "scp: how many nodes speak")
      ->check(whole_number(1, kScpNodesMax))
      ->capture_default_str();
  command->callback([&context, arguments] {
    arguments->options.is_scp = arguments->what == "scp";
    arguments->options.form = to_output_form(arguments->form).value_or(OutputForm::kJson);
    const auto done = generate(arguments->options, std::cout);
    if (!done) report_error(context, kExitUsage, "generate: " + done.error());
  });
}

}  // namespace overlayd::ipc::ctl
