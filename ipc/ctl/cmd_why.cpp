// why: all that is known of one peer, as an operator would ask for it.
#include <algorithm>
#include <cstdio>

#include "ipc/ctl/admin.h"
#include "ipc/ctl/explanation.h"
#include "ipc/ctl/output.h"
#include "ipc/ctl/peer_text.h"

namespace overlayd::ipc::ctl {
namespace {

namespace v1 = ::overlay::v1;

Json explanation_json(const std::string& peer, const v1::ExplainPeerResponse& known) {
  const auto list = [](const auto& items, auto to_json) {
    Json out = Json::array();
    for (const auto& item : items) out.push_back(to_json(item));
    return out;
  };
  return {{"peer", peer},
          {"open", list(known.open(), peer_json)},
          {"closed", list(known.closed(), closed_json)},
          {"totals", list(known.totals(), totals_json)},
          {"known", list(known.known(), known_json)},
          {"bans", list(known.bans(), ban_json)},
          {"cools_down_ms", known.cools_down_ms()}};
}

void show_why(Context& context, const std::string& text) {
  const auto peer = to_selector(text);
  if (!peer) return report_error(context, kExitUsage, peer.error());
  const auto client = connect_admin(context);
  if (!client) return;
  const auto answer = client->explain(peer.value());
  if (!answer) return report_error(context, kExitCall, answer.error());
  if (!is_anything_known(answer.value())) context.exit_code = kExitRefused;
  if (context.is_json) return print_json(explanation_json(text, answer.value()));
  const std::string shown = explanation_text(text, answer.value(), unix_now());
  std::fwrite(shown.data(), 1, shown.size(), stdout);
}

}  // namespace

void add_why(CLI::App& app, Context& context) {
  auto peer = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("why", "Tells all that is known of a peer and why its links ended; exit code 1 if nothing is");
  command->add_option("PEER", *peer, "Its node id, G..., or its address, IP:PORT or IP")->required();
  command->callback([&context, peer] { show_why(context, *peer); });
}

}  // namespace overlayd::ipc::ctl
