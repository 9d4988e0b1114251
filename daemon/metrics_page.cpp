#include "daemon/metrics_page.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>

namespace overlayd::daemon {
namespace {

using prometheus::MetricFamily;

// One row of the page: where a number is and how it is called.
template <typename Source>
struct Row {
  std::uint64_t (*read)(const Source&);
  const char* name;
  const char* help;
};

#define OVERLAYD_ROW(field, name, help)                                          \
  {                                                                              \
    [](const auto& source) -> std::uint64_t { return source.field; }, name, help \
  }

constexpr Row<OverlayMetrics> kCounters[] = {
    OVERLAYD_ROW(link.messages_read, "overlayd_messages_read_total", "Messages received from peers"),
    OVERLAYD_ROW(link.messages_written, "overlayd_messages_written_total", "Messages written to peers"),
    OVERLAYD_ROW(link.bytes_read, "overlayd_bytes_read_total", "Bytes received from peers"),
    OVERLAYD_ROW(link.bytes_written, "overlayd_bytes_written_total", "Bytes written to peers"),
    OVERLAYD_ROW(link.inbound_opened, "overlayd_inbound_opened_total", "Links accepted"),
    OVERLAYD_ROW(link.outbound_opened, "overlayd_outbound_opened_total", "Links dialled and connected"),
    OVERLAYD_ROW(flood_gate.unique, "overlayd_flood_unique_total", "Flood messages first heard of here"),
    OVERLAYD_ROW(flood_gate.duplicate, "overlayd_flood_duplicate_total", "Flood messages already known"),
    OVERLAYD_ROW(flood_gate.forgotten, "overlayd_flood_forgotten_total", "Flood records cleared"),
    OVERLAYD_ROW(flood_gate.evicted, "overlayd_flood_evicted_total", "Flood records that left because of the bound"),
    OVERLAYD_ROW(flow_control.send_more_sent, "overlayd_send_more_sent_total", "Credit grants sent"),
    OVERLAYD_ROW(flow_control.oversized_transactions, "overlayd_oversized_transactions_total",
                 "Transactions over the maximal size, not queued"),
    OVERLAYD_ROW(flow_control.reads_paused, "overlayd_reads_paused_total",
                 "Times a peer was not read for its unprocessed messages"),
    OVERLAYD_ROW(tx.adverts_received, "overlayd_adverts_received_total", "Transaction hashes advertised to us"),
    OVERLAYD_ROW(tx.adverts_sent, "overlayd_adverts_sent_total", "Transaction hashes we advertised"),
    OVERLAYD_ROW(tx.adverts_trimmed, "overlayd_adverts_trimmed_total", "Advertised hashes that did not fit"),
    OVERLAYD_ROW(tx.demands_sent, "overlayd_demands_sent_total", "Transaction hashes we demanded"),
    OVERLAYD_ROW(tx.demand_retries, "overlayd_demand_retries_total", "Demands repeated to another peer"),
    OVERLAYD_ROW(tx.demands_abandoned, "overlayd_demands_abandoned_total", "Demands given up"),
    OVERLAYD_ROW(tx.demands_refused, "overlayd_demands_refused_total", "Hashes not demanded: the history was full"),
    OVERLAYD_ROW(tx.demands_fulfilled, "overlayd_demands_fulfilled_total", "Transactions sent on demand"),
    OVERLAYD_ROW(tx.demands_unknown, "overlayd_demands_unknown_total", "Demands for transactions not held"),
    OVERLAYD_ROW(tx.demands_banned, "overlayd_demands_banned_total", "Demands for banned transactions"),
    OVERLAYD_ROW(tx.transactions_received, "overlayd_transactions_received_total", "Transactions from peers"),
    OVERLAYD_ROW(tx.transactions_duplicate, "overlayd_transactions_duplicate_total", "Of those, already known"),
    OVERLAYD_ROW(tx.transactions_rejected, "overlayd_transactions_rejected_total", "Of those, rejected by verdict"),
    OVERLAYD_ROW(tx.transactions_waited, "overlayd_transactions_waited_total",
                 "Transactions that waited for room in the event log"),
    OVERLAYD_ROW(tx.transactions_unwaited, "overlayd_transactions_unwaited_total", "Of those, gone with their peer"),
    OVERLAYD_ROW(tx.pool_refused, "overlayd_tx_pool_refused_total", "Transactions that did not fit the pool"),
    OVERLAYD_ROW(tx.pool_evicted, "overlayd_tx_pool_evicted_total", "Transactions evicted from the pool"),
    OVERLAYD_ROW(scp.received, "overlayd_scp_received_total", "SCP envelopes from peers"),
    OVERLAYD_ROW(scp.invalid_signature, "overlayd_scp_invalid_signature_total", "SCP envelopes with a bad signature"),
    OVERLAYD_ROW(scp.invalid_value, "overlayd_scp_invalid_value_total", "SCP envelopes with an unreadable value"),
    OVERLAYD_ROW(scp.implausible, "overlayd_scp_implausible_total", "SCP envelopes of an unexpected slot or node"),
    OVERLAYD_ROW(scp.verify_refused, "overlayd_scp_verify_refused_total", "SCP envelopes dropped: too many to verify"),
    OVERLAYD_ROW(scp.verify_cached, "overlayd_scp_verify_cached_total", "SCP signatures not checked a second time"),
    OVERLAYD_ROW(scp.relayed, "overlayd_scp_relayed_total", "SCP envelopes sent on to peers"),
    OVERLAYD_ROW(fetch.queries_answered, "overlayd_queries_answered_total", "Peers' queries answered"),
    OVERLAYD_ROW(fetch.queries_dont_have, "overlayd_queries_dont_have_total", "Peers' queries answered DONT_HAVE"),
    OVERLAYD_ROW(fetch.queries_ignored, "overlayd_queries_ignored_total", "Peers' queries over the limit"),
    OVERLAYD_ROW(fetch.queries_held, "overlayd_queries_held_total",
                 "Peers' queries answered late: the item was on its way to us"),
    OVERLAYD_ROW(fetch.scp_state_sent, "overlayd_scp_state_sent_total",
                 "SCP envelopes sent in answer to GET_SCP_STATE"),
    OVERLAYD_ROW(fetch.scp_state_refused, "overlayd_scp_state_refused_total",
                 "SCP envelopes not remembered: there were too many"),
    OVERLAYD_ROW(fetch.asked, "overlayd_items_asked_total", "Requests for items sent to peers"),
    OVERLAYD_ROW(fetch.dont_have, "overlayd_items_dont_have_total", "Of those, answered DONT_HAVE"),
    OVERLAYD_ROW(fetch.timeouts, "overlayd_items_timeouts_total", "Of those, not answered in time"),
    OVERLAYD_ROW(fetch.rounds, "overlayd_items_rounds_total", "Times every peer was asked for an item in vain"),
    OVERLAYD_ROW(fetch.fetched, "overlayd_items_fetched_total", "Items that came"),
    OVERLAYD_ROW(fetch.fetched_bytes, "overlayd_items_fetched_bytes_total", "Bytes of the items that came"),
    OVERLAYD_ROW(fetch.unsolicited, "overlayd_items_unsolicited_total", "Items nobody asked for"),
    OVERLAYD_ROW(fetch.items_refused, "overlayd_items_refused_total",
                 "Items not held: too large, or less wanted than all that is held"),
    OVERLAYD_ROW(fetch.items_evicted, "overlayd_items_evicted_total", "Items that left because of the bound"),
    OVERLAYD_ROW(fetch.abandoned, "overlayd_fetches_abandoned_total", "Searches nobody waited for any more"),
    OVERLAYD_ROW(fetch.trackers_refused, "overlayd_fetches_refused_total", "Searches not begun: there were too many"),
    OVERLAYD_ROW(fetch.trackers_evicted, "overlayd_fetches_evicted_total", "Searches given up for others"),
    OVERLAYD_ROW(fetch.envelopes_refused, "overlayd_envelopes_refused_total",
                 "SCP envelopes whose items were not waited for: too many were"),
    OVERLAYD_ROW(book.addresses_received, "overlayd_addresses_received_total", "Addresses in PEERS messages"),
    OVERLAYD_ROW(book.addresses_refused, "overlayd_addresses_refused_total", "Of those, refused"),
    OVERLAYD_ROW(book.dials, "overlayd_dials_total", "Connections tried"),
    OVERLAYD_ROW(book.dials_failed, "overlayd_dials_failed_total", "Of those, failed"),
    OVERLAYD_ROW(book.dials_refused, "overlayd_dials_refused_total",
                 "Connections not tried for lack of a pending slot"),
    OVERLAYD_ROW(book.records_evicted, "overlayd_known_peers_evicted_total", "Addresses that made room for others"),
    OVERLAYD_ROW(book.ban_hits, "overlayd_ban_hits_total", "Links refused or dropped for a ban"),
    OVERLAYD_ROW(book.cool_down_hits, "overlayd_cool_down_hits_total", "Links refused while their peer cools down"),
    OVERLAYD_ROW(book.slow_drops_put_off, "overlayd_slow_drops_put_off_total",
                 "Slow peers that stayed because another one went in the same tick"),
    OVERLAYD_ROW(ignored_out_of_sync, "overlayd_ignored_out_of_sync_total", "Messages ignored while out of sync"),
    OVERLAYD_ROW(survey.received, "overlayd_survey_received_total", "Survey messages of others"),
    OVERLAYD_ROW(survey.unpermitted, "overlayd_survey_unpermitted_total",
                 "Of those, of surveyors that may not survey us"),
    OVERLAYD_ROW(survey.ledger_refused, "overlayd_survey_ledger_refused_total",
                 "Of those, of a ledger too old or ahead of ours"),
    OVERLAYD_ROW(survey.phase_refused, "overlayd_survey_phase_refused_total", "Of those, of another survey or phase"),
    OVERLAYD_ROW(survey.limit_refused, "overlayd_survey_limit_refused_total",
                 "Of those, over a limit of their ledger, or seen before"),
    OVERLAYD_ROW(survey.bad_signatures, "overlayd_survey_bad_signatures_total",
                 "Of those, with a bad signature: their senders were dropped"),
    OVERLAYD_ROW(survey.relayed, "overlayd_survey_relayed_total", "Survey messages sent on to peers, each copy"),
    OVERLAYD_ROW(survey.answered, "overlayd_survey_answered_total", "Survey requests to us answered"),
    OVERLAYD_ROW(survey.answers_failed, "overlayd_survey_answers_failed_total",
                 "Survey requests to us not answered: nothing can be sealed to their key"),
    OVERLAYD_ROW(survey.requests_sent, "overlayd_survey_requests_sent_total", "Requests of our own surveys"),
    OVERLAYD_ROW(survey.responses, "overlayd_survey_responses_total", "Responses to our own surveys"),
    OVERLAYD_ROW(survey.bad_responses, "overlayd_survey_bad_responses_total",
                 "Of our own surveys, responses that could not be used"),
};

constexpr Row<DaemonMetrics> kDaemonCounters[] = {
    OVERLAYD_ROW(overlay_stalls, "overlayd_overlay_stalls_total", "Times the overlay thread took over 250 ms"),
    OVERLAYD_ROW(input_refused, "overlayd_input_refused_total", "Batches refused by the overlay's full queue"),
    OVERLAYD_ROW(sends_refused, "overlayd_sends_refused_total", "Messages not sent: their link had too much waiting"),
    OVERLAYD_ROW(accept_refused, "overlayd_accept_refused_total", "Connections closed at once: no room"),
    OVERLAYD_ROW(accept_failed, "overlayd_accept_failed_total", "Failed accepts"),
    OVERLAYD_ROW(storage_refused, "overlayd_storage_refused_total",
                 "Changes of peers, bans and surveys the storage queue refused"),
    OVERLAYD_ROW(ban_writes_failed, "overlayd_ban_writes_failed_total",
                 "Bans an operator asked for that could not be written"),
};

constexpr Row<StatusSnapshot> kGauges[] = {
    OVERLAYD_ROW(peers_pending, "overlayd_peers_pending", "Links dialling or in the handshake"),
    OVERLAYD_ROW(known_peers, "overlayd_known_peers", "Addresses in the book"),
    OVERLAYD_ROW(bans, "overlayd_bans", "Bans of nodes and of ranges of addresses"),
    OVERLAYD_ROW(tx_pool_transactions, "overlayd_tx_pool_transactions", "Transactions in the pool"),
    OVERLAYD_ROW(tx_pool_bytes, "overlayd_tx_pool_bytes", "Bytes of the transactions in the pool"),
    OVERLAYD_ROW(flood_records, "overlayd_flood_records", "Flood records held"),
    OVERLAYD_ROW(items_wanted, "overlayd_items_wanted", "Items searched for"),
    OVERLAYD_ROW(envelopes_waiting, "overlayd_envelopes_waiting", "SCP envelopes that wait for items"),
    OVERLAYD_ROW(tx_sets_held, "overlayd_tx_sets_held", "Transaction sets held"),
    OVERLAYD_ROW(tx_sets_bytes, "overlayd_tx_sets_bytes", "Bytes of the transaction sets held"),
    OVERLAYD_ROW(quorum_sets_held, "overlayd_quorum_sets_held", "Quorum sets held"),
    OVERLAYD_ROW(quorum_sets_bytes, "overlayd_quorum_sets_bytes", "Bytes of the quorum sets held"),
    OVERLAYD_ROW(scp_state_slots, "overlayd_scp_state_slots", "Slots whose SCP envelopes are remembered"),
    OVERLAYD_ROW(scp_state_envelopes, "overlayd_scp_state_envelopes", "SCP envelopes remembered"),
    OVERLAYD_ROW(ledger.sequence, "overlayd_ledger_sequence", "Last closed ledger, as the consensus process said"),
    OVERLAYD_ROW(ledger.is_in_sync, "overlayd_in_sync", "1 while in sync with the network"),
};

#undef OVERLAYD_ROW

MetricFamily make_family(const char* name, const char* help, prometheus::MetricType type) {
  MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  return family;
}

void add_value(MetricFamily& family, std::uint64_t value, std::vector<prometheus::ClientMetric::Label> labels = {}) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  if (family.type == prometheus::MetricType::Counter)
    metric.counter.value = static_cast<double>(value);
  else
    metric.gauge.value = static_cast<double>(value);
  family.metric.push_back(std::move(metric));
}

template <typename Source, std::size_t N>
void add_rows(std::vector<MetricFamily>& page, const Row<Source> (&rows)[N], const Source& source,
              prometheus::MetricType type) {
  for (const Row<Source>& row : rows)
    add_value(page.emplace_back(make_family(row.name, row.help, type)), row.read(source));
}

double to_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

void add_seconds(MetricFamily& family, Duration duration, std::vector<prometheus::ClientMetric::Label> labels = {}) {
  add_value(family, 0, std::move(labels));
  family.metric.back().counter.value = to_seconds(duration);
}

void add_histogram(MetricFamily& family, const DurationHistogram& observed,
                   std::vector<prometheus::ClientMetric::Label> labels = {}) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  metric.histogram.sample_count = observed.count();
  metric.histogram.sample_sum = to_seconds(observed.sum);
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < observed.counts.size(); ++i) {
    cumulative += observed.counts[i];
    const bool is_last = i == DurationHistogram::kBounds.size();
    metric.histogram.bucket.push_back(
        {cumulative, is_last ? std::numeric_limits<double>::infinity() : to_seconds(DurationHistogram::kBounds[i])});
  }
  family.metric.push_back(std::move(metric));
}

void add_flow_control(std::vector<MetricFamily>& page, const FlowControlMetrics& flow) {
  using enum prometheus::MetricType;
  MetricFamily dropped = make_family("overlayd_queue_dropped_total",
                                     "Shed from peers' queues: messages, of demands and adverts hashes", Counter);
  MetricFamily delay =
      make_family("overlayd_queue_delay_seconds", "Wait of a message in a peer's queue before it was sent", Histogram);
  MetricFamily throttled = make_family("overlayd_queue_throttled_seconds_total",
                                       "Time in which a queue's first message lacked credit, over all peers", Counter);
  for (std::size_t i = 0; i < kFloodQueueCount; ++i) {
    const std::vector<prometheus::ClientMetric::Label> label{{"queue", kFloodQueueNames[i]}};
    add_value(dropped, flow.queues[i].dropped, label);
    add_histogram(delay, flow.queues[i].delay, label);
    add_seconds(throttled, flow.queues[i].throttled, label);
  }
  page.push_back(std::move(dropped));
  page.push_back(std::move(delay));
  page.push_back(std::move(throttled));
  add_seconds(page.emplace_back(make_family("overlayd_reads_throttled_seconds_total",
                                            "Time in which peers were not read, over all peers", Counter)),
              flow.reads_throttled);
}

}  // namespace

std::string render_metrics(const StatusSnapshot& status, const DaemonMetrics& daemon) {
  using enum prometheus::MetricType;
  std::vector<MetricFamily> page;
  add_rows(page, kCounters, status.metrics, Counter);
  add_rows(page, kDaemonCounters, daemon, Counter);
  add_rows(page, kGauges, status, Gauge);
  add_flow_control(page, status.metrics.flow_control);
  add_histogram(page.emplace_back(make_family("overlayd_item_delay_seconds",
                                              "From the first need of an item to its arrival", Histogram)),
                status.metrics.fetch.delay);

  MetricFamily& peers = page.emplace_back(make_family("overlayd_peers", "Authenticated peers", Gauge));
  add_value(peers, status.peers_inbound, {{"direction", "inbound"}});
  add_value(peers, status.peers_outbound, {{"direction", "outbound"}});
  add_value(page.emplace_back(make_family("overlayd_open_links", "Sockets to peers", Gauge)), daemon.open_links);

  MetricFamily& drops = page.emplace_back(make_family("overlayd_drops_total", "Links ended, by reason", Counter));
  for (std::size_t i = 0; i < kDropReasonCount; ++i)
    add_value(drops, status.metrics.link.drops[i],
              {{"reason", std::string(drop_reason_info(static_cast<DropReason>(i)).label)}});
  return prometheus::TextSerializer().Serialize(page);
}

}  // namespace overlayd::daemon
