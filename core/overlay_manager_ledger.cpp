// What a new ledger means for the overlay: sizes, what is forgotten, what leaves the pool, what is offered again.
#include <algorithm>
#include <utility>

#include "core/overlay_manager.h"

namespace overlayd {

void OverlayManager::on(const LedgerUpdated& updated, const Now& now, Outputs& out) {
  while (!ledger_work_.is_done()) work_on_ledger(now.instant);
  const bool was_in_sync = ledger_.is_in_sync;
  const bool has_advanced = updated.view.sequence != ledger_.sequence;
  ledger_ = updated.view;
  ledger_.is_known = true;
  ledger_.slots_to_remember = options_.slots_to_remember;
  send_limits_.max_tx_size = ledger_.max_tx_size();
  send_limits_.max_tx_set_ops = ledger_.max_tx_set_ops;
  send_limits_.lowest_slot = ledger_.lowest_slot_to_remember();
  send_limits_.checkpoint_slot = ledger_.checkpoint_slot;
  adverts_.on_ledger(ledger_);
  demands_.on_ledger(ledger_);
  for (const auto& [id, peer] : peers_) peer->on_max_tx_size(ledger_.max_tx_size(), out);
  pool_.set_ledger(ledger_.sequence);
  // Never what is new at this very ledger, whatever lowest slot a client may name: it would be new for ever.
  const std::uint32_t lowest = std::min(ledger_.lowest_slot_to_remember(), ledger_.sequence);
  scp_gate_.clear_below(lowest);
  tx_gate_.clear_below(lowest);
  survey_gate_.clear_below(lowest);
  adverts_.clear_below(lowest);
  move_slot_window(now.instant);
  ledger_work_.gone = updated.applied;
  ledger_work_.gone.insert(ledger_work_.gone.end(), updated.banned.begin(), updated.banned.end());
  // Once a ledger, a ledger's worth of what still waits is offered to those who were not told: peers that came since
  // (TransactionQueue::rebroadcast).
  ledger_work_.is_to_offer = has_advanced;
  work_on_ledger(now.instant);
  survey_.on_ledger(was_in_sync, now, {survey_broadcasts_, out});
}

void OverlayManager::work_on_ledger(Instant now) {
  ledger_work_due_ = now + kLedgerWorkPause;
  std::size_t count_max = kLedgerWorkMax;
  for (; count_max > 0 && ledger_work_.gone_done < ledger_work_.gone.size(); --count_max)
    pool_.ban(ledger_work_.gone[ledger_work_.gone_done++], ledger_.sequence);
  if (count_max > 0 && std::exchange(ledger_work_.is_to_offer, false))
    ledger_work_.offered = pool_.accepted(offered_max());
  for (; count_max > 0 && ledger_work_.offered_done < ledger_work_.offered.size(); --count_max) {
    const MessagePtr& transaction = ledger_work_.offered[ledger_work_.offered_done++];
    // It may have been judged otherwise since the list was made.
    if (pool_.find_accepted(transaction->tx_full_hash()) != nullptr) advertise(transaction, now);
  }
  // What was offered is not to be held here any longer.
  if (ledger_work_.is_done()) ledger_work_ = {};
}

std::size_t OverlayManager::offered_max() const {
  return std::min<std::size_t>(ledger_.max_tx_set_ops, limits::kOfferedTxMax);
}

}  // namespace overlayd
