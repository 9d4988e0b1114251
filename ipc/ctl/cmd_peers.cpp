// peers, peers --closed and known-peers: the lists of who is here, who was, and who may be dialled.
#include <algorithm>
#include <memory>

#include "ipc/ctl/admin.h"
#include "ipc/ctl/options.h"
#include "ipc/ctl/output.h"
#include "ipc/ctl/peer_text.h"

namespace overlayd::ipc::ctl {
namespace {

namespace v1 = ::overlay::v1;

using Rows = std::vector<std::vector<std::string>>;

constexpr std::uint32_t kClosedMax = 2000;  // admin.proto

struct PeersOptions {
  bool is_closed = false;
  std::uint32_t limit = 100;
};

void show_open(Context& context, AdminClient& client) {
  const auto answer = client.list_peers();
  if (!answer) return report_error(context, kExitCall, answer.error());
  if (context.is_json) {
    Json peers = Json::array();
    for (const auto& peer : answer.value().peers()) peers.push_back(peer_json(peer));
    return print_json({{"peers", peers}});
  }
  Rows rows{
      {"node", "address", "direction", "state", "version", "connected", "latency", "median", "p99", "read", "written"}};
  for (const auto& peer : answer.value().peers()) {
    rows.push_back({node_or_dash(peer.node_id()), peer.address(), direction_text(peer.direction()),
                    peer.is_authenticated() ? "authenticated" : "pending", peer.version(),
                    duration_text(peer.connected_ms()), latency_text(peer.has_latency_ms(), peer.latency_ms()),
                    latency_text(peer.has_latency_median_ms(), peer.latency_median_ms()),
                    latency_text(peer.has_latency_p99_ms(), peer.latency_p99_ms()),
                    std::to_string(peer.messages_read()), std::to_string(peer.messages_written())});
  }
  print_table(rows);
}

void show_closed(Context& context, AdminClient& client, std::uint32_t limit) {
  const auto answer = client.list_closed_peers(limit);
  if (!answer) return report_error(context, kExitCall, answer.error());
  if (context.is_json) {
    Json list = Json::array();
    for (const auto& closed : answer.value().closed()) list.push_back(closed_json(closed));
    return print_json({{"closed", list}});
  }
  Rows rows{{"closed", "node", "address", "direction", "by", "reason", "error or detail", "after", "bytes read",
             "bytes written"}};
  for (const auto& closed : answer.value().closed()) {
    const v1::Peer& peer = closed.peer();
    rows.push_back({time_text(closed.closed_unix_seconds()), node_or_dash(peer.node_id()), peer.address(),
                    direction_text(peer.direction()), closed_by_text(closed.closed_by()), closed.reason(),
                    error_or_detail(closed), duration_text(peer.connected_ms()), std::to_string(peer.bytes_read()),
                    std::to_string(peer.bytes_written())});
  }
  print_table(rows);
}

void show_peers(Context& context, const PeersOptions& options) {
  const auto client = connect_admin(context);
  if (!client) return;
  if (options.is_closed) return show_closed(context, *client, options.limit);
  show_open(context, *client);
}

void show_known(Context& context, const std::string& type) {
  const auto client = connect_admin(context);
  if (!client) return;
  const auto answer = client->list_known_peers();
  if (!answer) return report_error(context, kExitCall, answer.error());
  const auto is_wanted = [&type](const v1::KnownPeer& known) {
    return type.empty() || type == known_type_text(known.type());
  };
  if (context.is_json) {
    Json peers = Json::array();
    for (const auto& known : answer.value().peers())
      if (is_wanted(known)) peers.push_back(known_json(known));
    return print_json({{"known_peers", peers}});
  }
  const std::int64_t now = unix_now();
  Rows rows{{"address", "type", "failures", "next attempt", "marks"}};
  for (const auto& known : answer.value().peers()) {
    if (!is_wanted(known)) continue;
    rows.push_back({known.address(), known_type_text(known.type()), std::to_string(known.failures()),
                    until_text(known.next_attempt_unix_seconds(), now), marks_text(known)});
  }
  print_table(rows);
}

}  // namespace

void add_peers(CLI::App& app, Context& context) {
  auto options = std::make_shared<PeersOptions>();
  CLI::App* command = app.add_subcommand(
      "peers", "Lists the peers connected now; with --json one object with the list `peers`, or `closed`");
  auto* closed =
      command->add_flag("--closed", options->is_closed,
                        "Those that went, and dials that came to nothing, the latest first, with the reason");
  command->add_option("--limit", options->limit, "How many of --closed")
      ->needs(closed)
      ->check(whole_number(1, kClosedMax))
      ->capture_default_str();
  command->callback([&context, options] { show_peers(context, *options); });
}

void add_known_peers(CLI::App& app, Context& context) {
  auto type = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("known-peers", "Lists the addresses that may be dialled, with their failures and back-off");
  command->add_option("--type", *type, "Only those of this type")
      ->check(CLI::IsMember(std::vector<std::string>{"inbound", "outbound", "preferred"}));
  command->callback([&context, type] { show_known(context, *type); });
}

}  // namespace overlayd::ipc::ctl
