#include "daemon/metrics_page.h"

#include <catch2/catch.hpp>

using namespace overlayd;
using daemon::render_metrics;

namespace {

bool has_line(const std::string& page, const std::string& line) {
  return ("\n" + page).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("counters and gauges appear with their values, type and help", "[metrics_page]") {
  StatusSnapshot status;
  status.metrics.link.messages_read = 42;
  status.known_peers = 9;
  status.bans = 4;
  status.metrics.book.ban_hits = 5;
  status.ledger.is_in_sync = false;
  const std::string page = render_metrics(status, {.overlay_stalls = 3, .sends_refused = 11});
  CHECK(has_line(page, "overlayd_messages_read_total 42"));
  CHECK(has_line(page, "# TYPE overlayd_messages_read_total counter"));
  CHECK(has_line(page, "# HELP overlayd_messages_read_total Messages received from peers"));
  CHECK(has_line(page, "overlayd_known_peers 9"));
  CHECK(has_line(page, "# TYPE overlayd_known_peers gauge"));
  CHECK(has_line(page, "overlayd_bans 4"));
  CHECK(has_line(page, "overlayd_ban_hits_total 5"));
  CHECK(has_line(page, "overlayd_in_sync 0"));
  CHECK(has_line(page, "overlayd_overlay_stalls_total 3"));
  CHECK(has_line(page, "overlayd_sends_refused_total 11"));
}

TEST_CASE("every drop reason has its line, under the label of log and RPC", "[metrics_page]") {
  StatusSnapshot status;
  for (std::size_t i = 0; i < kDropReasonCount; ++i) status.metrics.link.drops[i] = i + 1;
  const std::string page = render_metrics(status, {});
  for (std::size_t i = 0; i < kDropReasonCount; ++i) {
    const std::string label(drop_reason_info(static_cast<DropReason>(i)).label);
    CHECK(has_line(page, "overlayd_drops_total{reason=\"" + label + "\"} " + std::to_string(i + 1)));
  }
}

TEST_CASE("peers are told apart by direction", "[metrics_page]") {
  StatusSnapshot status;
  status.peers_inbound = 5;
  status.peers_outbound = 8;
  const std::string page = render_metrics(status, {});
  CHECK(has_line(page, "overlayd_peers{direction=\"inbound\"} 5"));
  CHECK(has_line(page, "overlayd_peers{direction=\"outbound\"} 8"));
}

TEST_CASE("each queue shows what it shed, how long messages waited and how long it lacked credit", "[metrics_page]") {
  StatusSnapshot status;
  FlowControlMetrics& flow = status.metrics.flow_control;
  flow.of(FloodQueue::kScp).dropped = 7;
  flow.of(FloodQueue::kAdvert).throttled = milliseconds(1500);
  DurationHistogram& delay = flow.of(FloodQueue::kTransaction).delay;
  delay.observe(milliseconds(1));
  delay.observe(milliseconds(20));
  delay.observe(seconds(61));
  flow.reads_throttled = milliseconds(250);
  const std::string page = render_metrics(status, {});
  CHECK(has_line(page, "overlayd_queue_dropped_total{queue=\"scp\"} 7"));
  CHECK(has_line(page, "overlayd_queue_throttled_seconds_total{queue=\"adverts\"} 1.5"));
  CHECK(has_line(page, "overlayd_reads_throttled_seconds_total 0.25"));
  CHECK(has_line(page, "# TYPE overlayd_queue_delay_seconds histogram"));
  CHECK(has_line(page, "overlayd_queue_delay_seconds_count{queue=\"transactions\"} 3"));
  CHECK(has_line(page, "overlayd_queue_delay_seconds_sum{queue=\"transactions\"} 61.021"));
  CHECK(has_line(page, "overlayd_queue_delay_seconds_bucket{queue=\"transactions\",le=\"0.001\"} 1"));
  CHECK(has_line(page, "overlayd_queue_delay_seconds_bucket{queue=\"transactions\",le=\"0.025\"} 2"));
  CHECK(has_line(page, "overlayd_queue_delay_seconds_bucket{queue=\"transactions\",le=\"60\"} 2"));
  CHECK(has_line(page, "overlayd_queue_delay_seconds_bucket{queue=\"transactions\",le=\"+Inf\"} 3"));
  CHECK(has_line(page, "overlayd_queue_delay_seconds_count{queue=\"demands\"} 0"));
}

TEST_CASE("what was fetched, how long it took and what is held have their lines", "[metrics_page]") {
  StatusSnapshot status;
  FetchMetrics& fetch = status.metrics.fetch;
  fetch.asked = 9;
  fetch.dont_have = 2;
  fetch.queries_held = 3;
  fetch.trackers_evicted = 4;
  fetch.delay.observe(milliseconds(20));
  fetch.delay.observe(milliseconds(700));
  status.items_wanted = 5;
  status.tx_sets_bytes = 6;
  status.scp_state_envelopes = 7;
  const std::string page = render_metrics(status, {});
  CHECK(has_line(page, "overlayd_items_asked_total 9"));
  CHECK(has_line(page, "overlayd_items_dont_have_total 2"));
  CHECK(has_line(page, "overlayd_queries_held_total 3"));
  CHECK(has_line(page, "overlayd_fetches_evicted_total 4"));
  CHECK(has_line(page, "# TYPE overlayd_item_delay_seconds histogram"));
  CHECK(has_line(page, "overlayd_item_delay_seconds_count 2"));
  CHECK(has_line(page, "overlayd_item_delay_seconds_sum 0.72"));
  CHECK(has_line(page, "overlayd_item_delay_seconds_bucket{le=\"0.025\"} 1"));
  CHECK(has_line(page, "overlayd_items_wanted 5"));
  CHECK(has_line(page, "# TYPE overlayd_tx_sets_bytes gauge"));
  CHECK(has_line(page, "overlayd_tx_sets_bytes 6"));
  CHECK(has_line(page, "overlayd_scp_state_envelopes 7"));
}

TEST_CASE("survey messages have their lines by what became of them", "[metrics_page]") {
  StatusSnapshot status;
  status.metrics.survey = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const std::string page = render_metrics(status, {});
  const char* const names[] = {"received",       "unpermitted",    "ledger_refused", "phase_refused",
                               "limit_refused",  "bad_signatures", "relayed",        "answered",
                               "answers_failed", "requests_sent",  "responses",      "bad_responses"};
  int value = 0;
  for (const char* name : names)
    CHECK(has_line(page, "overlayd_survey_" + std::string(name) + "_total " + std::to_string(++value)));
}
