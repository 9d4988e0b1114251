#include "core/local_node.h"

#include <algorithm>

namespace overlayd {

std::uint32_t LedgerView::max_tx_size() const {
  const std::uint64_t soroban =
      soroban_tx_bytes_max == 0 ? 0 : std::uint64_t{soroban_tx_bytes_max} + limits::kMaxTxSizeBuffer;
  const std::uint64_t bound = std::max<std::uint64_t>(limits::kMaxClassicTxBytes, soroban);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(bound, limits::kMessageBytesMax));
}

std::uint32_t LedgerView::lowest_slot_to_remember() const {
  if (lowest_slot != 0) return lowest_slot;
  return sequence > slots_to_remember ? sequence - slots_to_remember + 1 : 1;
}

std::uint32_t LedgerView::first_slot_to_ask() const {
  if (sequence == 0) return 0;
  const std::uint64_t next = std::uint64_t{sequence} + 1;
  const std::uint64_t first = next > limits::kScpStateLedgersBack ? next - limits::kScpStateLedgersBack : 1;
  // What is below would be dropped on arrival.
  return std::max(static_cast<std::uint32_t>(first), lowest_slot_to_remember());
}

std::uint64_t LedgerView::ops_per_ledger() const {
  return std::uint64_t{max_tx_set_ops} + (protocol_version >= 20 ? soroban_ledger_tx_count : 0);
}

}  // namespace overlayd
