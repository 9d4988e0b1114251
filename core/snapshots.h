// What an overlay tells of itself: values, copied out on the overlay thread for status displays and metrics.
#pragma once
#include <string>
#include <vector>

#include "core/inputs.h"
#include "core/metrics.h"

namespace overlayd {

struct PeerSnapshot {
  PeerId peer;
  NodeId node;
  PeerAddress address;  // remote IP and the listening port it named
  Direction direction = Direction::kInbound;
  bool is_authenticated = false;
  bool is_preferred = false;
  std::string version_string;
  std::uint32_t overlay_version = 0;
  std::uint32_t overlay_min_version = 0;
  std::uint32_t ledger_version = 0;
  Duration connected_for{0};
  Duration latency{-1};  // of the last ping; negative: not measured yet
  std::uint64_t messages_read = 0;
  std::uint64_t messages_written = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t unique_flood_messages = 0;  // SCP messages and transactions, bytes of the StellarMessage
  std::uint64_t unique_flood_bytes = 0;
  std::uint64_t duplicate_flood_messages = 0;
  std::uint64_t duplicate_flood_bytes = 0;
  std::uint64_t outbound_credit_messages = 0;  // what the peer lets us send
  std::uint64_t outbound_credit_bytes = 0;
  std::uint64_t queued_messages = 0;  // flood messages waiting for credit
};

struct StatusSnapshot {
  LocalNode local;
  LedgerView ledger;
  std::uint32_t peers_inbound = 0;   // authenticated
  std::uint32_t peers_outbound = 0;  // authenticated
  std::uint32_t peers_pending = 0;   // dialling or in the handshake, both directions
  std::uint64_t known_peers = 0;
  std::uint64_t tx_pool_transactions = 0;
  std::uint64_t tx_pool_bytes = 0;
  std::uint64_t flood_records = 0;
  std::uint64_t items_wanted = 0;       // searches under way
  std::uint64_t envelopes_waiting = 0;  // for items
  std::uint64_t tx_sets_held = 0;
  std::uint64_t tx_sets_bytes = 0;  // with what an entry costs
  std::uint64_t quorum_sets_held = 0;
  std::uint64_t quorum_sets_bytes = 0;  // with what an entry costs
  std::uint64_t scp_state_slots = 0;    // remembered
  std::uint64_t scp_state_envelopes = 0;
  bool is_demanding_transactions = false;
  Duration uptime{0};
  OverlayMetrics metrics;
};

}  // namespace overlayd
