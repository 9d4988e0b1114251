// Plain counters, one struct per component, owned by whoever wires the components. No locks, no names of a metrics
// library: metrics_page renders them. All only grow unless said otherwise.
#pragma once
#include <array>
#include <cstdint>

#include "core/error.h"

namespace overlayd {

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

struct FlowControlMetrics {
  std::uint64_t send_more_sent = 0;
  std::uint64_t dropped_scp = 0;
  std::uint64_t dropped_transactions = 0;
  std::uint64_t dropped_demands = 0;  // hashes
  std::uint64_t dropped_adverts = 0;  // hashes
  std::uint64_t oversized_transactions = 0;
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
  std::uint64_t pool_refused = 0;           // transactions that did not fit the pool
  std::uint64_t pool_evicted = 0;
};

struct ScpMetrics {
  std::uint64_t received = 0;
  std::uint64_t invalid_signature = 0;
  std::uint64_t invalid_value = 0;
  std::uint64_t implausible = 0;     // slot or node outside what UpdateLedger allows
  std::uint64_t verify_refused = 0;  // too many waiting for verification
  std::uint64_t relayed = 0;         // sends to peers
};

struct FetchMetrics {
  std::uint64_t queries_answered = 0;
  std::uint64_t queries_dont_have = 0;
  std::uint64_t queries_ignored = 0;  // over the limit
  std::uint64_t unsolicited = 0;      // TX_SET and SCP_QUORUMSET nobody asked for
};

struct BookMetrics {
  std::uint64_t addresses_received = 0;
  std::uint64_t addresses_refused = 0;
  std::uint64_t dials = 0;
  std::uint64_t dials_failed = 0;
};

struct OverlayMetrics {
  LinkMetrics link;
  FloodGateMetrics flood_gate;
  FlowControlMetrics flow_control;
  TxFloodMetrics tx;
  ScpMetrics scp;
  FetchMetrics fetch;
  BookMetrics book;
  std::uint64_t ignored_out_of_sync = 0;
  std::uint64_t survey_ignored = 0;
};

}  // namespace overlayd
