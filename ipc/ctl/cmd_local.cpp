// keygen and version: what needs no daemon.
#include <cstdio>
#include <memory>

#include "config/seed_file.h"
#include "core/crypto/keys.h"
#include "core/crypto/strkey.h"
#include "core/limits.h"
#include "ipc/ctl/commands.h"
#include "ipc/ctl/output.h"

namespace overlayd::ipc::ctl {
namespace {

struct KeygenOptions {
  std::string output;
  bool is_seed_printed = false;
};

void keygen(Context& context, const KeygenOptions& options) {
  if (options.output.empty() && !options.is_seed_printed) {
    std::fprintf(
        stderr,
        "overlayctl: warning: the seed is not kept; give --output FILE to keep it, or --print-seed to see it\n");
  }
  crypto::SystemEntropy entropy;
  crypto::Secret<32> seed;
  entropy.fill(seed.writable());
  const std::string public_key = crypto::encode_node_id(crypto::NodeKey::from_seed(seed).id());
  if (!options.output.empty()) {
    if (const auto written = config::write_seed_file(options.output, seed); !written) {
      report_error(context, kExitUsage, written.error());
      return;
    }
  }
  if (context.is_json) {
    Json object{{"public_key", public_key}};
    if (!options.output.empty()) object["seed_file"] = options.output;
    if (options.is_seed_printed) object["seed"] = crypto::encode_seed(seed);
    print_json(object);
    return;
  }
  std::printf("%s\n", public_key.c_str());
  if (options.is_seed_printed) std::printf("%s\n", crypto::encode_seed(seed).c_str());
}

void version(const Context& context) {
  if (context.is_json) {
    print_json({{"version", OVERLAYD_VERSION},
                {"api", "overlay.v1"},
                {"overlay_version", limits::kOverlayVersion},
                {"overlay_min_version", limits::kOverlayMinVersion}});
    return;
  }
  std::printf("overlayctl %s, API overlay.v1, overlay versions %u to %u\n", OVERLAYD_VERSION,
              limits::kOverlayMinVersion, limits::kOverlayVersion);
}

}  // namespace

void add_keygen(CLI::App& app, Context& context) {
  auto options = std::make_shared<KeygenOptions>();
  CLI::App* command = app.add_subcommand("keygen", "Makes a node's seed and prints its public key");
  command->add_option("--output", options->output, "Write the seed to this file, mode 0600; the file must not exist");
  command->add_flag("--print-seed", options->is_seed_printed, "Print the seed as well: whoever sees it is the node");
  command->callback([&context, options] { keygen(context, *options); });
}

void add_version(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("version", "Prints the version of overlayctl");
  command->callback([&context] { version(context); });
}

}  // namespace overlayd::ipc::ctl
