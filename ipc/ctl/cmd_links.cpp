// connect and disconnect: the operator's hand on single links.
#include <cstdio>

#include "ipc/ctl/admin.h"
#include "ipc/ctl/options.h"
#include "ipc/ctl/output.h"

namespace overlayd::ipc::ctl {
namespace {

namespace v1 = ::overlay::v1;

constexpr std::uint64_t kCoolDownMaxS = 86'400;  // admin.proto

struct DisconnectOptions {
  std::string peer;
  std::uint64_t cool_down_s = 0;
  bool is_banned = false;
  TermsOptions terms;
};

void connect_to(Context& context, const std::string& address) {
  const auto client = connect_admin(context);
  if (!client) return;
  if (const auto done = client->connect_to(address); !done) return report_error(context, kExitCall, done.error());
  if (context.is_json) return print_json({{"dialling", address}});
  std::printf("dialling %s; `overlayctl why %s` shows what became of it\n", address.c_str(), address.c_str());
}

void disconnect(Context& context, const DisconnectOptions& options) {
  const auto peer = to_selector(options.peer);
  if (!peer) return report_error(context, kExitUsage, peer.error());
  v1::DisconnectRequest request;
  *request.mutable_peer() = peer.value();
  request.set_cool_down_ms(options.cool_down_s * 1000);
  if (options.is_banned) *request.mutable_ban() = to_terms(options.terms);
  const auto client = connect_admin(context);
  if (!client) return;
  const auto done = client->disconnect(request);
  if (!done) return report_call_error(context, done.error());
  const std::uint32_t links = done.value().links_dropped();
  if (context.is_json) return print_json({{"disconnected", options.peer}, {"links_dropped", links}});
  std::printf("disconnected %s: %u link%s\n", options.peer.c_str(), links, links == 1 ? "" : "s");
}

}  // namespace

void add_connect(CLI::App& app, Context& context) {
  auto address = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("connect", "Dials a peer now, whatever the book says of it");
  command->add_option("ADDRESS", *address, "IP address and port: 192.0.2.1:11625 or [2001:db8::1]:11625")->required();
  command->callback([&context, address] { connect_to(context, *address); });
}

void add_disconnect(CLI::App& app, Context& context) {
  auto options = std::make_shared<DisconnectOptions>();
  CLI::App* command = app.add_subcommand("disconnect", "Drops a peer; exit code 1 if it is not connected");
  command->add_option("PEER", options->peer, "Its node id, G..., or its address, IP:PORT or IP")->required();
  command->add_option("--cool-down", options->cool_down_s, "Neither dial nor accept it for so long, at most 24h")
      ->transform(duration(kCoolDownMaxS));
  auto* ban = command->add_flag("--ban", options->is_banned, "Ban its node too");
  add_terms_options(*command, options->terms);
  for (const char* name : {"--reason", "--for"}) command->get_option(name)->needs(ban);
  command->callback([&context, options] { disconnect(context, *options); });
}

}  // namespace overlayd::ipc::ctl
