// Status and peers for the operator.
#include <algorithm>

#include "core/book/address.h"
#include "ipc/convert.h"
#include "ipc/convert_parts.h"

namespace overlayd::ipc {

using namespace parts;

namespace {

void add_counter(v1::GetStatusResponse& out, std::string name, std::uint64_t value) {
  v1::Counter& counter = *out.add_counters();
  counter.set_name(std::move(name));
  counter.set_value(value);
}

void add_traffic_counters(const OverlayMetrics& metrics, v1::GetStatusResponse& out) {
  const LinkMetrics& link = metrics.link;
  add_counter(out, "messages_read", link.messages_read);
  add_counter(out, "messages_written", link.messages_written);
  add_counter(out, "bytes_read", link.bytes_read);
  add_counter(out, "bytes_written", link.bytes_written);
  add_counter(out, "links_inbound_opened", link.inbound_opened);
  add_counter(out, "links_outbound_opened", link.outbound_opened);
  for (std::size_t index = 0; index < kDropReasonCount; ++index) {
    if (link.drops[index] == 0) continue;
    add_counter(out, "drops_" + std::string(drop_reason_info(static_cast<DropReason>(index)).label), link.drops[index]);
  }
  const FloodGateMetrics& gate = metrics.flood_gate;
  add_counter(out, "flood_unique", gate.unique);
  add_counter(out, "flood_duplicate", gate.duplicate);
  add_counter(out, "flood_forgotten", gate.forgotten);
  add_counter(out, "flood_evicted", gate.evicted);
  const FlowControlMetrics& flow = metrics.flow_control;
  add_counter(out, "flow_send_more_sent", flow.send_more_sent);
  for (std::size_t index = 0; index < kFloodQueueCount; ++index) {
    const FloodQueueMetrics& queue = flow.queues[index];
    const std::string name = kFloodQueueNames[index];
    add_counter(out, "flow_dropped_" + name, queue.dropped);
    add_counter(out, "flow_sent_" + name, queue.delay.count());
    add_counter(out, "flow_delay_ms_" + name, whole_milliseconds(queue.delay.sum));
    add_counter(out, "flow_throttled_ms_" + name, whole_milliseconds(queue.throttled));
  }
  add_counter(out, "flow_oversized_transactions", flow.oversized_transactions);
  add_counter(out, "flow_reads_paused", flow.reads_paused);
  add_counter(out, "flow_reads_throttled_ms", whole_milliseconds(flow.reads_throttled));
}

void add_flood_counters(const OverlayMetrics& metrics, v1::GetStatusResponse& out) {
  const TxFloodMetrics& tx = metrics.tx;
  add_counter(out, "tx_adverts_received", tx.adverts_received);
  add_counter(out, "tx_adverts_sent", tx.adverts_sent);
  add_counter(out, "tx_adverts_trimmed", tx.adverts_trimmed);
  add_counter(out, "tx_demands_sent", tx.demands_sent);
  add_counter(out, "tx_demand_retries", tx.demand_retries);
  add_counter(out, "tx_demands_abandoned", tx.demands_abandoned);
  add_counter(out, "tx_demands_refused", tx.demands_refused);
  add_counter(out, "tx_demands_fulfilled", tx.demands_fulfilled);
  add_counter(out, "tx_demands_unknown", tx.demands_unknown);
  add_counter(out, "tx_demands_banned", tx.demands_banned);
  add_counter(out, "tx_received", tx.transactions_received);
  add_counter(out, "tx_duplicate", tx.transactions_duplicate);
  add_counter(out, "tx_rejected", tx.transactions_rejected);
  add_counter(out, "tx_waited", tx.transactions_waited);
  add_counter(out, "tx_unwaited", tx.transactions_unwaited);
  add_counter(out, "tx_pool_refused", tx.pool_refused);
  add_counter(out, "tx_pool_evicted", tx.pool_evicted);
  const ScpMetrics& scp = metrics.scp;
  add_counter(out, "scp_received", scp.received);
  add_counter(out, "scp_invalid_signature", scp.invalid_signature);
  add_counter(out, "scp_invalid_value", scp.invalid_value);
  add_counter(out, "scp_implausible", scp.implausible);
  add_counter(out, "scp_verify_refused", scp.verify_refused);
  add_counter(out, "scp_verify_cached", scp.verify_cached);
  add_counter(out, "scp_relayed", scp.relayed);
}

void add_fetch_counters(const OverlayMetrics& metrics, v1::GetStatusResponse& out) {
  const FetchMetrics& fetch = metrics.fetch;
  add_counter(out, "queries_answered", fetch.queries_answered);
  add_counter(out, "queries_dont_have", fetch.queries_dont_have);
  add_counter(out, "queries_ignored", fetch.queries_ignored);
  add_counter(out, "queries_held", fetch.queries_held);
  add_counter(out, "scp_state_sent", fetch.scp_state_sent);
  add_counter(out, "scp_state_refused", fetch.scp_state_refused);
  add_counter(out, "items_asked", fetch.asked);
  add_counter(out, "items_dont_have", fetch.dont_have);
  add_counter(out, "items_timeouts", fetch.timeouts);
  add_counter(out, "items_rounds", fetch.rounds);
  add_counter(out, "items_fetched", fetch.fetched);
  add_counter(out, "items_fetched_bytes", fetch.fetched_bytes);
  add_counter(out, "items_delay_ms", whole_milliseconds(fetch.delay.sum));
  add_counter(out, "items_unsolicited", fetch.unsolicited);
  add_counter(out, "items_refused", fetch.items_refused);
  add_counter(out, "items_evicted", fetch.items_evicted);
  add_counter(out, "fetches_abandoned", fetch.abandoned);
  add_counter(out, "fetches_refused", fetch.trackers_refused);
  add_counter(out, "fetches_evicted", fetch.trackers_evicted);
  add_counter(out, "envelopes_refused", fetch.envelopes_refused);
}

void add_other_counters(const OverlayMetrics& metrics, v1::GetStatusResponse& out) {
  add_counter(out, "addresses_received", metrics.book.addresses_received);
  add_counter(out, "addresses_refused", metrics.book.addresses_refused);
  add_counter(out, "dials", metrics.book.dials);
  add_counter(out, "dials_failed", metrics.book.dials_failed);
  add_counter(out, "dials_refused", metrics.book.dials_refused);
  add_counter(out, "addresses_evicted", metrics.book.records_evicted);
  add_counter(out, "ban_hits", metrics.book.ban_hits);
  add_counter(out, "cool_down_hits", metrics.book.cool_down_hits);
  add_counter(out, "slow_drops_put_off", metrics.book.slow_drops_put_off);
  add_counter(out, "ignored_out_of_sync", metrics.ignored_out_of_sync);
}

void add_survey_counters(const SurveyMetrics& survey, v1::GetStatusResponse& out) {
  add_counter(out, "survey_received", survey.received);
  add_counter(out, "survey_unpermitted", survey.unpermitted);
  add_counter(out, "survey_ledger_refused", survey.ledger_refused);
  add_counter(out, "survey_phase_refused", survey.phase_refused);
  add_counter(out, "survey_limit_refused", survey.limit_refused);
  add_counter(out, "survey_bad_signatures", survey.bad_signatures);
  add_counter(out, "survey_relayed", survey.relayed);
  add_counter(out, "survey_answered", survey.answered);
  add_counter(out, "survey_answers_failed", survey.answers_failed);
  add_counter(out, "survey_requests_sent", survey.requests_sent);
  add_counter(out, "survey_responses", survey.responses);
  add_counter(out, "survey_bad_responses", survey.bad_responses);
}

}  // namespace

void to_proto(const StatusSnapshot& status, v1::GetStatusResponse& out) {
  out.set_node_id(std::string(text_of(status.local.node_id.view())));
  out.set_network_id(std::string(text_of(status.local.network_id.view())));
  out.set_daemon_version(printable(status.local.version_string));
  out.set_overlay_version(status.local.overlay_version);
  out.set_overlay_min_version(status.local.overlay_min_version);
  out.set_ledger_version(status.local.ledger_version);
  out.set_listening_port(status.local.listening_port);
  out.set_uptime_ms(whole_milliseconds(status.uptime));
  out.set_peers_inbound(status.peers_inbound);
  out.set_peers_outbound(status.peers_outbound);
  out.set_peers_pending(status.peers_pending);
  out.set_known_peers(status.known_peers);
  out.set_bans(status.bans);
  v1::LedgerStatus& ledger = *out.mutable_ledger();
  ledger.set_is_known(status.ledger.is_known);
  ledger.set_sequence(status.ledger.sequence);
  ledger.set_is_in_sync(status.ledger.is_in_sync);
  ledger.set_protocol_version(status.ledger.protocol_version);
  ledger.set_is_validator(status.ledger.is_validator);
  out.set_tx_pool_transactions(status.tx_pool_transactions);
  out.set_tx_pool_bytes(status.tx_pool_bytes);
  out.set_flood_records(status.flood_records);
  out.set_is_demanding_transactions(status.is_demanding_transactions);
  out.set_items_wanted(status.items_wanted);
  out.set_envelopes_waiting(status.envelopes_waiting);
  out.set_tx_sets_held(status.tx_sets_held);
  out.set_tx_sets_bytes(status.tx_sets_bytes);
  out.set_quorum_sets_held(status.quorum_sets_held);
  out.set_quorum_sets_bytes(status.quorum_sets_bytes);
  out.set_scp_state_slots(status.scp_state_slots);
  out.set_scp_state_envelopes(status.scp_state_envelopes);
  add_traffic_counters(status.metrics, out);
  add_flood_counters(status.metrics, out);
  add_fetch_counters(status.metrics, out);
  add_other_counters(status.metrics, out);
  add_survey_counters(status.metrics.survey, out);
}

void to_proto(const PeerSnapshot& peer, v1::Peer& out) {
  if (!peer.node.is_zero()) out.set_node_id(std::string(text_of(peer.node.view())));
  out.set_address(book::display_text(peer.address));
  out.set_direction(parts::to_proto(peer.direction));
  out.set_is_authenticated(peer.is_authenticated);
  out.set_is_preferred(peer.is_preferred);
  out.set_version(printable(peer.version_string));
  out.set_overlay_version(peer.overlay_version);
  out.set_overlay_min_version(peer.overlay_min_version);
  out.set_ledger_version(peer.ledger_version);
  out.set_connected_ms(whole_milliseconds(peer.connected_for));
  if (peer.latency >= Duration(0)) out.set_latency_ms(milliseconds_of(peer.latency));
  out.set_messages_read(peer.messages_read);
  out.set_messages_written(peer.messages_written);
  out.set_bytes_read(peer.bytes_read);
  out.set_bytes_written(peer.bytes_written);
  out.set_unique_flood_messages(peer.unique_flood_messages);
  out.set_duplicate_flood_messages(peer.duplicate_flood_messages);
  out.set_unique_flood_bytes(peer.unique_flood_bytes);
  out.set_duplicate_flood_bytes(peer.duplicate_flood_bytes);
  out.set_unique_fetch_messages(peer.unique_fetch_messages);
  out.set_duplicate_fetch_messages(peer.duplicate_fetch_messages);
  out.set_unique_fetch_bytes(peer.unique_fetch_bytes);
  out.set_duplicate_fetch_bytes(peer.duplicate_fetch_bytes);
  out.set_outbound_credit_messages(peer.outbound_credit_messages);
  out.set_outbound_credit_bytes(peer.outbound_credit_bytes);
  out.set_queued_messages(peer.queued_messages);
  if (peer.latency_median >= Duration(0)) out.set_latency_median_ms(milliseconds_of(peer.latency_median));
  if (peer.latency_p99 >= Duration(0)) out.set_latency_p99_ms(milliseconds_of(peer.latency_p99));
  out.set_unread_ms(whole_milliseconds(peer.unread_for));
  out.set_unwritten_ms(whole_milliseconds(peer.unwritten_for));
  out.set_oldest_write_ms(whole_milliseconds(peer.oldest_write_for));
  out.set_no_credit_ms(whole_milliseconds(peer.no_credit_for));
  if (!peer.is_authenticated) return;  // it has no queues yet
  for (std::size_t index = 0; index < kFloodQueueCount; ++index) {
    v1::QueueDelay& delay = *out.add_queue_delays();
    delay.set_queue(kFloodQueueNames[index]);
    delay.set_delay_ms(milliseconds_of(peer.queue_delays[index]));
  }
}

void to_proto(std::vector<PeerSnapshot> peers, v1::ListPeersResponse& out) {
  std::sort(peers.begin(), peers.end(), [](const PeerSnapshot& a, const PeerSnapshot& b) {
    return std::tie(a.node, a.address, a.peer) < std::tie(b.node, b.address, b.peer);
  });
  for (const PeerSnapshot& peer : peers) to_proto(peer, *out.add_peers());
}

}  // namespace overlayd::ipc
