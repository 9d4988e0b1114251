// What an overlay is configured with. Values only; the daemon fills them from its configuration.
#pragma once
#include <set>
#include <vector>

#include "core/fetch/item_store.h"
#include "core/fetch/scp_state.h"
#include "core/local_node.h"
#include "core/outputs.h"
#include "core/peer/credit.h"
#include "core/peer/query_limiter.h"
#include "core/survey/survey_options.h"

namespace overlayd {

// Who decides what is relayed.
//   kConsensus   SCP envelopes once their signature verifies and slot and node are plausible; transactions once a
//                client accepted them. Transactions are demanded only while a client takes them.
//   kStandalone  no client: transactions are relayed when well-formed and new.
enum class RelayMode : std::uint8_t { kConsensus, kStandalone };

struct OverlayOptions {
  LocalNode local;
  RelayMode relay_mode = RelayMode::kConsensus;
  bool is_flood_immediate = true;  // design section 6; false: stellar-core's fixed periods
  Duration advert_period = limits::kAdvertPeriod;
  Duration demand_period = limits::kDemandPeriod;
  Duration demand_backoff = limits::kDemandBackoff;
  std::size_t tx_pool_bytes_max = limits::kTxPoolBytesMax;
  std::uint32_t tx_pool_ledgers_max = limits::kTxPoolLedgersMax;
  peer::InboundCreditOptions credit{};                          // what we grant each peer
  std::uint64_t tx_queue_bytes_max = limits::kTxQueueBytesMax;  // of transactions that wait for one peer's credit
  std::uint32_t slots_to_remember = limits::kSlotsToRemember;   // where UpdateLedger names no lowest slot
  peer::QueryLimiterOptions queries{};                          // of each peer
  fetch::ItemStoreOptions items{};
  fetch::ScpStateOptions scp_state{};
  std::uint32_t target_outbound = limits::kOutboundTarget;
  std::uint32_t max_inbound = limits::kInboundMax;
  std::uint32_t max_pending = limits::kPendingMax;
  bool is_preferred_only = false;
  bool is_private_allowed = false;  // loopback and private addresses in PEERS and in the book
  std::set<NodeId> preferred_keys;
  std::uint32_t max_outbound_per_group = limits::kOutboundPerGroupMax;
  std::uint32_t max_inbound_per_ip = limits::kInboundPerIpMax;
  std::uint32_t max_inbound_per_subnet = limits::kInboundPerSubnetMax;
  std::uint32_t slow_drops_per_tick = limits::kSlowDropsPerTick;
  survey::SurveyOptions survey{};
  std::vector<PeerRecord> stored_peers;  // what was loaded at the start
  std::vector<PeerAddress> stored_anchors;
  std::vector<Ban> stored_bans;
};

}  // namespace overlayd
