// What an overlay tells of itself: values, copied out on the overlay thread for status displays and metrics.
#pragma once
#include <string>
#include <vector>

#include "core/metrics.h"
#include "core/outputs.h"

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
  Duration latency{-1};         // of the last ping; negative: not measured yet
  Duration latency_median{-1};  // of the last limits::kPingWindow pings; negative: not measured yet
  Duration latency_p99{-1};
  Duration unread_for{0};        // since something was read from it
  Duration unwritten_for{0};     // since something was written to it
  Duration oldest_write_for{0};  // how long the oldest message has waited for the socket; 0: none waits
  Duration no_credit_for{0};     // how long flood messages have waited for its credit; 0: none waits
  std::array<Duration, kFloodQueueCount> queue_delays{};  // of the last message that left each queue
  std::uint64_t messages_read = 0;
  std::uint64_t messages_written = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t unique_flood_messages = 0;  // SCP messages, transactions and surveys, bytes of the StellarMessage
  std::uint64_t unique_flood_bytes = 0;
  std::uint64_t duplicate_flood_messages = 0;
  std::uint64_t duplicate_flood_bytes = 0;
  std::uint64_t unique_fetch_messages = 0;  // transaction sets and quorum sets, bytes of the StellarMessage
  std::uint64_t unique_fetch_bytes = 0;
  std::uint64_t duplicate_fetch_messages = 0;
  std::uint64_t duplicate_fetch_bytes = 0;
  std::uint64_t outbound_credit_messages = 0;  // what the peer lets us send
  std::uint64_t outbound_credit_bytes = 0;
  std::uint64_t queued_messages = 0;  // flood messages waiting for credit
};

// Whether it was our decision that a link ended, the remote's, or neither's (the network, or nobody listens there).
enum class ClosedBy : std::uint8_t { kUs, kRemote, kNetwork };

// A link that has ended, or a dial that came to nothing.
struct ClosedLink {
  PeerSnapshot last;  // as it was when it ended; of a dial the address only
  UnixTime closed;
  DropReason reason = DropReason::kClosedByRemote;
  ClosedBy closed_by = ClosedBy::kUs;
  std::optional<std::int32_t> error_code{};  // of the ERROR_MSG that was sent or received; absent: none was
  std::string error_text{};                  // its text, made printable, at most 100 bytes
  std::string detail{};                      // where decoding failed, what the socket said; at most 200 bytes
  std::optional<Duration> timer{};           // how long the timer runs that ended it; absent: none did
};

// All links of a node since the start, the open ones without.
struct PeerTotals {
  NodeId node;
  PeerAddress address;  // of the last one
  std::uint64_t links = 0;
  std::uint64_t authenticated_links = 0;
  Duration connected{0};
  std::uint64_t messages_read = 0;
  std::uint64_t messages_written = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  UnixTime last_closed;
  DropReason last_reason = DropReason::kClosedByRemote;
};

struct KnownPeerSnapshot {
  PeerRecord record;
  bool is_configured = false;  // peers.known or peers.preferred
  bool is_anchor = false;
  bool is_banned = false;
  bool is_connected = false;  // a link to it is authenticated
};

// All that is known of one peer.
struct PeerExplanation {
  std::vector<PeerSnapshot> open;  // links there are now
  std::vector<ClosedLink> closed;  // the latest first, at most limits::kExplainedLinksMax
  std::vector<PeerTotals> totals;  // of the node; of an address, of the nodes that were there
  std::vector<KnownPeerSnapshot> known;
  std::vector<Ban> bans;       // that keep it out
  Duration cools_down_for{0};  // 0: it does not
};

struct StatusSnapshot {
  LocalNode local;
  LedgerView ledger;
  std::uint32_t peers_inbound = 0;   // authenticated
  std::uint32_t peers_outbound = 0;  // authenticated
  std::uint32_t peers_pending = 0;   // dialling or in the handshake, both directions
  std::uint64_t known_peers = 0;
  std::uint64_t bans = 0;
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
