// status: who the daemon is and how it fares.
#include "ipc/ctl/admin.h"
#include "ipc/ctl/names.h"
#include "ipc/ctl/output.h"

namespace overlayd::ipc::ctl {
namespace {

namespace v1 = ::overlay::v1;

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
          {"bans", status.bans()},
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
       {"bans", std::to_string(status.bans())},
       {"ledger", ledger_text(status.ledger())},
       {"transaction pool", std::to_string(status.tx_pool_transactions()) + " transactions, " +
                                std::to_string(status.tx_pool_bytes()) + " bytes"},
       {"fetching", fetching_text(status)},
       {"subscribers", std::to_string(status.subscribers())},
       {"demands transactions", status.is_demanding_transactions() ? "yes" : "no"}});
}

}  // namespace

void add_status(CLI::App& app, Context& context) {
  app.add_subcommand("status", "Shows who the daemon is and how it fares")->callback([&context] {
    show_status(context);
  });
}

}  // namespace overlayd::ipc::ctl
