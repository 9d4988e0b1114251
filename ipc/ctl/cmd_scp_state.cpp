// request-scp-state: asks peers what SCP envelopes they know.
#include <cstdio>
#include <memory>
#include <optional>

#include "core/crypto/strkey.h"
#include "core/limits.h"
#include "ipc/client/client.h"
#include "ipc/ctl/commands.h"
#include "ipc/ctl/options.h"
#include "ipc/ctl/output.h"

namespace overlayd::ipc::ctl {
namespace {

struct ScpStateOptions {
  std::optional<std::string> node;
  std::optional<std::uint32_t> count;
  std::optional<std::uint32_t> from;
};

void request_scp_state(Context& context, const ScpStateOptions& options) {
  ::overlay::v1::RequestScpStateRequest request;
  if (options.node) {
    const auto id = crypto::decode_node_id(*options.node);
    if (!id) return report_error(context, kExitUsage, "NODE: " + id.error());
    request.set_node_id(id.value().bytes.data(), id.value().bytes.size());
  }
  if (options.count) request.set_count(*options.count);
  if (options.from) request.set_from_ledger(*options.from);
  auto client = Client::connect({.socket = context.socket});
  if (!client) return report_error(context, kExitCall, client.error());
  const auto answer = client.value()->request_scp_state(request);
  if (!answer) return report_call_error(context, answer.error());
  if (context.is_json) {
    Json asked = Json::array();
    for (const std::string& node : answer.value().node_ids()) asked.push_back(node_text(node));
    return print_json({{"asked", asked}});
  }
  for (const std::string& node : answer.value().node_ids()) std::printf("asked %s\n", node_text(node).c_str());
}

}  // namespace

void add_request_scp_state(CLI::App& app, Context& context) {
  auto options = std::make_shared<ScpStateOptions>();
  CLI::App* command =
      app.add_subcommand("request-scp-state", "Asks peers for their SCP envelopes; `subscribe` shows what comes");
  auto* node = command->add_option("NODE", options->node, "The peer to ask, G...; default: a random one");
  command->add_option("--count", options->count, "Ask so many random peers")
      ->check(whole_number(1, limits::kScpStatePeersMax))
      ->excludes(node);
  command
      ->add_option("--from", options->from,
                   "From this ledger on; 0: all that is remembered; default: as after the handshake")
      ->check(whole_number(0, UINT32_MAX));
  command->callback([&context, options] { request_scp_state(context, *options); });
}

}  // namespace overlayd::ipc::ctl
