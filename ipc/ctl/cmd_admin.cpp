// status, peers, connect and disconnect: the calls on the operator's socket.
#include <cstdio>
#include <memory>

#include "core/crypto/strkey.h"
#include "ipc/client/client.h"
#include "ipc/ctl/commands.h"
#include "ipc/ctl/names.h"
#include "ipc/ctl/output.h"

namespace overlayd::ipc::ctl {
namespace {

namespace v1 = ::overlay::v1;

// The client, or nothing and the error reported.
std::unique_ptr<AdminClient> connect_admin(Context& context) {
  auto client = AdminClient::connect({.socket = context.admin_socket});
  if (client) return std::move(client).value();
  report_error(context, kExitCall, client.error());
  return nullptr;
}

const char* direction_text(v1::Direction direction) {
  return direction == v1::DIRECTION_INBOUND ? "inbound" : "outbound";
}

Json status_json(const v1::GetStatusResponse& status) {
  Json topics = Json::object();
  for (const auto& topic : status.topics()) {
    topics[topic_text(topic.topic())] = {
        {"published", topic.published()}, {"evicted", topic.evicted()}, {"held_bytes", topic.held_bytes()}};
  }
  Json counters = Json::object();
  for (const auto& counter : status.counters()) counters[counter.name()] = counter.value();
  const auto& ledger = status.ledger();
  return {{"node_id", node_text(status.node_id())},
          {"network_id", hex(status.network_id())},
          {"daemon_version", status.daemon_version()},
          {"overlay_version", status.overlay_version()},
          {"overlay_min_version", status.overlay_min_version()},
          {"ledger_version", status.ledger_version()},
          {"listening_port", status.listening_port()},
          {"uptime_ms", status.uptime_ms()},
          {"boot_id", status.boot_id()},
          {"peers_inbound", status.peers_inbound()},
          {"peers_outbound", status.peers_outbound()},
          {"peers_pending", status.peers_pending()},
          {"known_peers", status.known_peers()},
          {"ledger",
           {{"is_known", ledger.is_known()},
            {"sequence", ledger.sequence()},
            {"in_sync", ledger.is_in_sync()},
            {"protocol_version", ledger.protocol_version()},
            {"is_validator", ledger.is_validator()}}},
          {"tx_pool_transactions", status.tx_pool_transactions()},
          {"tx_pool_bytes", status.tx_pool_bytes()},
          {"flood_records", status.flood_records()},
          {"is_demanding_transactions", status.is_demanding_transactions()},
          {"items_wanted", status.items_wanted()},
          {"envelopes_waiting", status.envelopes_waiting()},
          {"tx_sets_held", status.tx_sets_held()},
          {"tx_sets_bytes", status.tx_sets_bytes()},
          {"quorum_sets_held", status.quorum_sets_held()},
          {"quorum_sets_bytes", status.quorum_sets_bytes()},
          {"scp_state_slots", status.scp_state_slots()},
          {"scp_state_envelopes", status.scp_state_envelopes()},
          {"subscribers", status.subscribers()},
          {"topics", topics},
          {"counters", counters}};
}

std::string ledger_text(const v1::LedgerStatus& ledger) {
  if (!ledger.is_known()) return "not known: no consensus process has called UpdateLedger";
  return std::to_string(ledger.sequence()) + (ledger.is_in_sync() ? ", in sync" : ", out of sync") + ", protocol " +
         std::to_string(ledger.protocol_version()) + (ledger.is_validator() ? ", validator" : "");
}

std::string fetching_text(const v1::GetStatusResponse& status) {
  const auto count = [](std::uint64_t number, const char* what) { return std::to_string(number) + what; };
  return count(status.items_wanted(), " wanted, ") + count(status.envelopes_waiting(), " envelopes waiting; held ") +
         count(status.tx_sets_held(), " transaction sets, ") + count(status.quorum_sets_held(), " quorum sets, ") +
         count(status.scp_state_envelopes(), " envelopes of ") + count(status.scp_state_slots(), " slots");
}

void show_status(Context& context) {
  const auto client = connect_admin(context);
  if (!client) return;
  const auto answer = client->get_status();
  if (!answer) return report_error(context, kExitCall, answer.error());
  const v1::GetStatusResponse& status = answer.value();
  if (context.is_json) return print_json(status_json(status));
  print_table(
      {{"node", node_text(status.node_id())},
       {"network", hex(status.network_id())},
       {"version", status.daemon_version()},
       {"overlay versions",
        std::to_string(status.overlay_min_version()) + " to " + std::to_string(status.overlay_version())},
       {"listening port", std::to_string(status.listening_port())},
       {"up for", duration_text(status.uptime_ms())},
       {"peers", std::to_string(status.peers_inbound()) + " inbound, " + std::to_string(status.peers_outbound()) +
                     " outbound, " + std::to_string(status.peers_pending()) + " pending"},
       {"known addresses", std::to_string(status.known_peers())},
       {"ledger", ledger_text(status.ledger())},
       {"transaction pool", std::to_string(status.tx_pool_transactions()) + " transactions, " +
                                std::to_string(status.tx_pool_bytes()) + " bytes"},
       {"fetching", fetching_text(status)},
       {"subscribers", std::to_string(status.subscribers())},
       {"demands transactions", status.is_demanding_transactions() ? "yes" : "no"}});
}

Json peer_json(const v1::Peer& peer) {
  return {{"node_id", node_text(peer.node_id())},
          {"address", peer.address()},
          {"direction", direction_text(peer.direction())},
          {"authenticated", peer.is_authenticated()},
          {"preferred", peer.is_preferred()},
          {"version", peer.version()},
          {"overlay_version", peer.overlay_version()},
          {"overlay_min_version", peer.overlay_min_version()},
          {"ledger_version", peer.ledger_version()},
          {"connected_ms", peer.connected_ms()},
          {"latency_ms", peer.has_latency_ms() ? Json(peer.latency_ms()) : Json(nullptr)},
          {"messages_read", peer.messages_read()},
          {"messages_written", peer.messages_written()},
          {"bytes_read", peer.bytes_read()},
          {"bytes_written", peer.bytes_written()},
          {"unique_flood_messages", peer.unique_flood_messages()},
          {"duplicate_flood_messages", peer.duplicate_flood_messages()},
          {"unique_flood_bytes", peer.unique_flood_bytes()},
          {"duplicate_flood_bytes", peer.duplicate_flood_bytes()},
          {"outbound_credit_messages", peer.outbound_credit_messages()},
          {"outbound_credit_bytes", peer.outbound_credit_bytes()},
          {"queued_messages", peer.queued_messages()}};
}

std::string latency_text(const v1::Peer& peer) {
  if (!peer.has_latency_ms()) return "-";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f ms", peer.latency_ms());
  return text.data();
}

void show_peers(Context& context) {
  const auto client = connect_admin(context);
  if (!client) return;
  const auto answer = client->list_peers();
  if (!answer) return report_error(context, kExitCall, answer.error());
  if (context.is_json) {
    Json peers = Json::array();
    for (const auto& peer : answer.value().peers()) peers.push_back(peer_json(peer));
    return print_json({{"peers", peers}});
  }
  std::vector<std::vector<std::string>> rows{
      {"node", "address", "direction", "state", "version", "connected", "latency", "read", "written"}};
  for (const auto& peer : answer.value().peers()) {
    rows.push_back({peer.node_id().empty() ? "-" : node_text(peer.node_id()), peer.address(),
                    direction_text(peer.direction()), peer.is_authenticated() ? "authenticated" : "pending",
                    peer.version(), duration_text(peer.connected_ms()), latency_text(peer),
                    std::to_string(peer.messages_read()), std::to_string(peer.messages_written())});
  }
  print_table(rows);
}

void connect_to(Context& context, const std::string& address) {
  const auto client = connect_admin(context);
  if (!client) return;
  if (const auto done = client->connect_to(address); !done) return report_error(context, kExitCall, done.error());
  if (context.is_json) return print_json({{"dialling", address}});
  std::printf("dialling %s; `overlayctl peers` shows what became of it\n", address.c_str());
}

void disconnect(Context& context, const std::string& node) {
  const auto id = crypto::decode_node_id(node);
  if (!id) return report_error(context, kExitUsage, "node: " + id.error());
  const auto client = connect_admin(context);
  if (!client) return;
  const std::string bytes(reinterpret_cast<const char*>(id.value().bytes.data()), id.value().bytes.size());
  if (const auto done = client->disconnect(bytes); !done) return report_error(context, kExitCall, done.error());
  if (context.is_json) return print_json({{"disconnected", node}});
  std::printf("disconnected %s\n", node.c_str());
}

}  // namespace

void add_status(CLI::App& app, Context& context) {
  app.add_subcommand("status", "Shows who the daemon is and how it fares")->callback([&context] {
    show_status(context);
  });
}

void add_peers(CLI::App& app, Context& context) {
  app.add_subcommand("peers", "Lists the peers connected now; with --json one object with the list `peers`")
      ->callback([&context] { show_peers(context); });
}

void add_connect(CLI::App& app, Context& context) {
  auto address = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("connect", "Dials a peer now");
  command->add_option("ADDRESS", *address, "IP address and port: 192.0.2.1:11625 or [2001:db8::1]:11625")->required();
  command->callback([&context, address] { connect_to(context, *address); });
}

void add_disconnect(CLI::App& app, Context& context) {
  auto node = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("disconnect", "Drops a peer");
  command->add_option("NODE", *node, "Its node id, G...")->required();
  command->callback([&context, node] { disconnect(context, *node); });
}

}  // namespace overlayd::ipc::ctl
