// Plain counters, one struct per component, owned by whoever wires the components. No locks, no names of a metrics
// library: metrics_page renders them. All only grow unless said otherwise.
#pragma once
#include <array>
#include <cstdint>

#include "core/clock.h"
#include "core/error.h"

namespace overlayd {

// The outbound queues of flood messages, the most urgent first.
enum class FloodQueue : std::uint8_t { kScp = 0, kTransaction = 1, kDemand = 2, kAdvert = 3 };
inline constexpr std::size_t kFloodQueueCount = 4;
inline constexpr std::array<const char*, kFloodQueueCount> kFloodQueueNames{"scp", "transactions", "demands",
                                                                            "adverts"};

// A distribution of durations: as many counts however much is observed.
struct DurationHistogram {
  // Upper bounds, included; what is longer than the last has a count of its own.
  static constexpr std::array<Duration, 9> kBounds{milliseconds(1),    milliseconds(5),   milliseconds(10),
                                                   milliseconds(25),   milliseconds(100), milliseconds(500),
                                                   milliseconds(2500), seconds(10),       seconds(60)};
  std::array<std::uint64_t, kBounds.size() + 1> counts{};
  Duration sum{0};

  void observe(Duration duration) {
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && duration > kBounds[bucket]) ++bucket;
    ++counts[bucket];
    sum += duration;
  }
  [[nodiscard]] std::uint64_t count() const {
    std::uint64_t total = 0;
    for (const std::uint64_t in_bucket : counts) total += in_bucket;
    return total;
  }
};

struct LinkMetrics {
  std::uint64_t messages_read = 0;
  std::uint64_t messages_written = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::array<std::uint64_t, kDropReasonCount> drops{};  // links ended, by reason
  std::uint64_t inbound_opened = 0;
  std::uint64_t outbound_opened = 0;
};

struct FloodGateMetrics {
  std::uint64_t unique = 0;     // messages first heard of here
  std::uint64_t duplicate = 0;  // messages a peer sent that were already known
  std::uint64_t forgotten = 0;
  std::uint64_t evicted = 0;  // records that left because of the bound
};

// One of the four queues, over all peers.
struct FloodQueueMetrics {
  std::uint64_t dropped = 0;  // shed: messages; of demands and adverts, hashes
  DurationHistogram delay;    // from the queue's end to its head and out, of every message sent; 0 if it did not wait
  Duration throttled{0};  // time in which a peer's first message lacked credit, summed over peers; closed spans only
};

struct FlowControlMetrics {
  std::uint64_t send_more_sent = 0;
  std::array<FloodQueueMetrics, kFloodQueueCount> queues{};
  std::uint64_t oversized_transactions = 0;
  std::uint64_t reads_paused = 0;  // times a link's total reading capacity was used up
  Duration reads_throttled{0};     // for how long, summed over links; closed spans only

  [[nodiscard]] FloodQueueMetrics& of(FloodQueue queue) { return queues[static_cast<std::size_t>(queue)]; }
  [[nodiscard]] const FloodQueueMetrics& of(FloodQueue queue) const { return queues[static_cast<std::size_t>(queue)]; }
};

struct TxFloodMetrics {
  std::uint64_t adverts_received = 0;  // hashes
  std::uint64_t adverts_sent = 0;      // hashes
  std::uint64_t adverts_trimmed = 0;   // hashes that did not fit the incoming queue
  std::uint64_t demands_sent = 0;      // hashes
  std::uint64_t demand_retries = 0;    // of those, asked again of another peer
  std::uint64_t demands_abandoned = 0;
  std::uint64_t demands_refused = 0;    // times a hash waited because its node's share, or the table, was full
  std::uint64_t demands_fulfilled = 0;  // demanded of us, sent
  std::uint64_t demands_unknown = 0;    // demanded of us, not held
  std::uint64_t demands_banned = 0;
  std::uint64_t transactions_received = 0;
  std::uint64_t transactions_duplicate = 0;
  std::uint64_t transactions_rejected = 0;  // by verdict
  std::uint64_t transactions_waited = 0;    // for room in the event log, their credit held
  std::uint64_t transactions_unwaited = 0;  // of those, gone with their peer
  std::uint64_t pool_refused = 0;           // transactions that did not fit the pool
  std::uint64_t pool_evicted = 0;
};

struct ScpMetrics {
  std::uint64_t received = 0;
  std::uint64_t invalid_signature = 0;
  std::uint64_t invalid_value = 0;
  std::uint64_t implausible = 0;     // slot or node outside what UpdateLedger allows
  std::uint64_t verify_refused = 0;  // too many waiting for verification
  std::uint64_t verify_cached = 0;   // signatures not checked again
  std::uint64_t relayed = 0;         // sends to peers
};

struct FetchMetrics {
  // questions of peers
  std::uint64_t queries_answered = 0;
  std::uint64_t queries_dont_have = 0;
  std::uint64_t queries_ignored = 0;  // over the limit
  std::uint64_t queries_held = 0;     // answered late: we were waiting for the item ourselves
  std::uint64_t scp_state_sent = 0;   // envelopes
  // questions of ours
  std::uint64_t asked = 0;              // requests sent
  std::uint64_t dont_have = 0;          // answers that ended one
  std::uint64_t timeouts = 0;           // requests nobody answered in time
  std::uint64_t rounds = 0;             // full rounds over all peers in vain
  std::uint64_t fetched = 0;            // items that came
  std::uint64_t fetched_bytes = 0;      // of the StellarMessage
  std::uint64_t abandoned = 0;          // searches nobody waited for any more
  std::uint64_t trackers_refused = 0;   // searches not begun, for there were too many
  std::uint64_t trackers_evicted = 0;   // searches given up for others'
  std::uint64_t envelopes_refused = 0;  // envelopes not waited for, for too many were
  std::uint64_t unsolicited = 0;        // TX_SET and SCP_QUORUMSET nobody asked for, or not under that hash
  DurationHistogram delay;              // from the first need to the arrival
  // what is held
  std::uint64_t items_refused = 0;  // larger than their store, or less wanted than all it holds
  std::uint64_t items_evicted = 0;
  std::uint64_t scp_state_refused = 0;  // envelopes not remembered, for there were too many
};

struct BookMetrics {
  std::uint64_t addresses_received = 0;
  std::uint64_t addresses_refused = 0;
  std::uint64_t dials = 0;
  std::uint64_t dials_failed = 0;
  std::uint64_t dials_refused = 0;       // for lack of a pending slot
  std::uint64_t records_evicted = 0;     // addresses that made room for others
  std::uint64_t ban_hits = 0;            // links refused or dropped for a ban
  std::uint64_t cool_down_hits = 0;      // the same for a cool-down
  std::uint64_t slow_drops_put_off = 0;  // slow peers that stayed because another one went in this tick
};

// Survey messages of others that were not followed, by the first rule they broke, and what we did.
struct SurveyMetrics {
  std::uint64_t received = 0;
  std::uint64_t unpermitted = 0;     // the surveyor may not survey us
  std::uint64_t ledger_refused = 0;  // too old, or ahead of us
  std::uint64_t phase_refused = 0;   // of another survey than that under way, or not in its phase
  std::uint64_t limit_refused = 0;   // over a limit of its ledger, or seen before
  std::uint64_t bad_signatures = 0;  // their senders were dropped
  std::uint64_t relayed = 0;         // sent to peers, each copy
  std::uint64_t answered = 0;        // requests to us
  std::uint64_t answers_failed = 0;  // requests to us with a key that nothing can be sealed to
  std::uint64_t requests_sent = 0;   // of our own surveys
  std::uint64_t responses = 0;
  std::uint64_t bad_responses = 0;
};

struct OverlayMetrics {
  LinkMetrics link;
  FloodGateMetrics flood_gate;
  FlowControlMetrics flow_control;
  TxFloodMetrics tx;
  ScpMetrics scp;
  FetchMetrics fetch;
  BookMetrics book;
  SurveyMetrics survey;
  std::uint64_t ignored_out_of_sync = 0;
};

}  // namespace overlayd
