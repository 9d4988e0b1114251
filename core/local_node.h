// Who we are, and what the consensus process last said of the ledger. Plain values.
#pragma once
#include <cstdint>
#include <set>
#include <string>

#include "core/clock.h"
#include "core/ids.h"
#include "core/limits.h"

namespace overlayd {

// Fixed for the life of the process.
struct LocalNode {
  NodeId node_id;
  NetworkId network_id;
  std::string version_string;  // at most limits::kVersionStringMax bytes, shown to peers in HELLO
  std::uint16_t listening_port = limits::kPeerPort;
  std::uint32_t ledger_version = limits::kLedgerVersion;
  std::uint32_t overlay_version = limits::kOverlayVersion;
  std::uint32_t overlay_min_version = limits::kOverlayMinVersion;
};

// What UpdateLedger carries. The defaults hold until the first one arrives: in sync, protocol 28, pubnet-like limits.
struct LedgerView {
  std::uint32_t sequence = 0;  // last closed ledger; 0: not known
  bool is_known = false;       // whether any UpdateLedger has arrived
  bool is_in_sync = true;      // false: TRANSACTION, FLOOD_ADVERT and FLOOD_DEMAND are ignored
  std::uint32_t protocol_version = limits::kLedgerVersion;
  Duration close_time = limits::kCloseTime;                    // expected time between ledgers
  std::uint32_t max_tx_set_ops = 1000;                         // maxTxSetSize of the ledger header
  std::uint32_t soroban_ledger_tx_count = 100;                 // ledgerMaxTxCount of the Soroban settings
  std::uint32_t soroban_tx_bytes_max = 0;                      // txMaxSizeBytes of the Soroban settings; 0: not known
  std::uint32_t lowest_slot = 0;                               // lowest slot to remember; 0: the last slots_to_remember
  std::uint32_t slots_to_remember = limits::kSlotsToRemember;  // configured, not told; at least 1
  std::uint32_t checkpoint_slot = 0;                           // the latest checkpoint, kept below lowest_slot; 0: none
  bool is_validator = false;
  std::set<NodeId> quorum;  // nodes of the transitive quorum; empty: not known

  // Largest TRANSACTION a peer may send, bytes of the StellarMessage
  // (Herder::getMaxTxSize: max(classic bound, Soroban bound + buffer)).
  [[nodiscard]] std::uint32_t max_tx_size() const;
  [[nodiscard]] std::uint32_t lowest_slot_to_remember() const;
  // First sequence to ask peers for with GET_SCP_STATE; 0 when nothing is known (Herder::getMinLedgerSeqToAskPeers).
  [[nodiscard]] std::uint32_t first_slot_to_ask() const;
  // Operations (classic) and transactions (Soroban) flooded per ledger: the numerator of the advert and demand sizes.
  [[nodiscard]] std::uint64_t ops_per_ledger() const;
};

}  // namespace overlayd
