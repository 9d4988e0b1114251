#include "core/flood/tx_adverts.h"

#include <algorithm>

#include "core/check.h"

namespace overlayd::flood {
namespace {
constexpr std::size_t kPeerSweepMax = 64;
}

std::size_t per_period(std::uint64_t amount_per_ledger, Duration period, Duration close_time, std::size_t max) {
  // In milliseconds, as the settings are; amounts are 32-bit numbers and their sums, so the product cannot overflow
  // before the clamp if the amount is cut to what could matter.
  const auto period_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(1, period / milliseconds(1)));
  const auto close_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(1, close_time / milliseconds(1)));
  constexpr std::uint64_t kAmountMax = std::uint64_t{1} << 40;
  const std::uint64_t share = (std::min(amount_per_ledger, kAmountMax) * period_ms + close_ms - 1) / close_ms;
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(share, 1, max));
}

TxAdverts::TxAdverts(const TxAdvertsOptions& options, TxFloodMetrics& metrics) : options_(options), metrics_(metrics) {
  on_ledger(LedgerView{});
}

void TxAdverts::on_ledger(const LedgerView& view) {
  max_advert_size_ = per_period(view.ops_per_ledger(), options_.period, view.close_time,
                                options_.immediate ? limits::kAdvertBurstMax : limits::kAdvertMax);
  incoming_max_ = std::min<std::size_t>(view.max_tx_set_ops, options_.history_max);
}

void TxAdverts::on_peer(PeerId peer) { peers_.try_emplace(peer); }

void TxAdverts::on_peer_gone(PeerId peer) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return;
  if (!found->second.outgoing.empty()) deadlines_.erase({found->second.flush_at, peer});
  peers_.erase(found);
}

TxAdverts::PeerAdverts* TxAdverts::find(PeerId peer) {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? nullptr : &found->second;
}

const TxAdverts::PeerAdverts* TxAdverts::find(PeerId peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? nullptr : &found->second;
}

bool TxAdverts::queue_outgoing(PeerId peer, const TxFullHash& hash, Instant now, AdvertBatches& out) {
  PeerAdverts* const adverts = find(peer);
  if (adverts == nullptr || has_seen(*adverts, hash)) return false;
  if (adverts->outgoing.empty()) {
    const bool is_idle = !adverts->last_flush || now - *adverts->last_flush >= options_.period;
    if (!options_.immediate) {
      adverts->flush_at = now + options_.period;
    } else {
      adverts->flush_at = is_idle ? now : *adverts->last_flush + options_.period;
    }
    deadlines_.emplace(adverts->flush_at, peer);
  }
  adverts->outgoing.push_back(hash);
  if (adverts->outgoing.size() >= max_advert_size_ || adverts->flush_at <= now) flush(peer, *adverts, now, out);
  return true;
}

void TxAdverts::flush(PeerId peer, PeerAdverts& adverts, Instant now, AdvertBatches& out) {
  deadlines_.erase({adverts.flush_at, peer});
  adverts.last_flush = now;
  metrics_.adverts_sent += adverts.outgoing.size();
  out.push_back(AdvertBatch{peer, std::exchange(adverts.outgoing, {})});
}

void TxAdverts::on_advert(PeerId peer, std::span<const TxFullHash> hashes, std::uint32_t ledger) {
  remember(peer, hashes, ledger);
  queue_incoming(peer, hashes);
}

void TxAdverts::remember(PeerId peer, std::span<const TxFullHash> hashes, std::uint32_t ledger) {
  PeerAdverts* const adverts = find(peer);
  if (adverts == nullptr) return;
  metrics_.adverts_received += hashes.size();
  for (const TxFullHash& hash : hashes) {
    const auto [seen_at, is_new] = adverts->history.try_insert(hash, ledger);
    if (!is_new && *seen_at != ledger) {
      // As the newest: the order of the history is that of the ledgers.
      adverts->history.erase(hash);
      adverts->history.try_insert(hash, ledger);
    }
    if (adverts->history.size() > options_.history_max) adverts->history.erase_oldest();
    sweep(*adverts, 2);
  }
}

void TxAdverts::queue_incoming(PeerId peer, std::span<const TxFullHash> hashes) {
  PeerAdverts* const adverts = find(peer);
  if (adverts == nullptr) return;
  const std::size_t skipped = hashes.size() > incoming_max_ ? hashes.size() - incoming_max_ : 0;
  metrics_.adverts_trimmed += skipped;
  const std::span<const TxFullHash> kept = hashes.subspan(skipped);
  adverts->incoming.insert(adverts->incoming.end(), kept.begin(), kept.end());
  trim(*adverts);
}

void TxAdverts::retry(PeerId peer, std::span<const TxFullHash> hashes) {
  PeerAdverts* const adverts = find(peer);
  if (adverts == nullptr) return;
  adverts->retries.insert(adverts->retries.end(), hashes.begin(), hashes.end());
  trim(*adverts);
}

void TxAdverts::trim(PeerAdverts& adverts) {
  while (adverts.incoming.size() + adverts.retries.size() > incoming_max_) {
    (adverts.retries.empty() ? adverts.incoming : adverts.retries).pop_front();
    ++metrics_.adverts_trimmed;
  }
}

std::optional<TxFullHash> TxAdverts::take_incoming(PeerId peer) {
  PeerAdverts* const adverts = find(peer);
  if (adverts == nullptr) return std::nullopt;
  std::deque<TxFullHash>& queue = adverts->retries.empty() ? adverts->incoming : adverts->retries;
  if (queue.empty()) return std::nullopt;
  const TxFullHash hash = queue.front();
  queue.pop_front();
  return hash;
}

void TxAdverts::clear_below(std::uint32_t ledger) {
  // Going back must not bring back what was cleared.
  const auto is_cleared = [this](const TxFullHash&, std::uint32_t seen_at) { return seen_at < cleared_below_; };
  if (ledger < cleared_below_)
    for (auto& [peer, adverts] : peers_) adverts.history.erase_if(is_cleared);
  cleared_below_ = ledger;
  for (auto& [peer, adverts] : peers_) sweep(adverts, kPeerSweepMax);
}

void TxAdverts::sweep(PeerAdverts& adverts, std::size_t count_max) const {
  adverts.history.erase_oldest_if(count_max, [&](std::uint32_t seen_at) { return seen_at < cleared_below_; });
  adverts.history.release_if_empty();
}

void TxAdverts::advance(Instant now, AdvertBatches& out) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const PeerId peer = deadlines_.begin()->second;
    flush(peer, peers_.at(peer), now, out);
  }
}

Instant TxAdverts::next_deadline() const { return deadlines_.empty() ? Instant::never() : deadlines_.begin()->first; }

bool TxAdverts::has_seen(PeerId peer, const TxFullHash& hash) const {
  const PeerAdverts* const adverts = find(peer);
  return adverts != nullptr && has_seen(*adverts, hash);
}

bool TxAdverts::has_seen(const PeerAdverts& adverts, const TxFullHash& hash) const {
  const std::uint32_t* const ledger = adverts.history.find(hash);
  return ledger != nullptr && *ledger >= cleared_below_;
}

std::size_t TxAdverts::incoming_size(PeerId peer) const {
  const PeerAdverts* const adverts = find(peer);
  return adverts == nullptr ? 0 : adverts->incoming.size() + adverts->retries.size();
}

std::size_t TxAdverts::fresh_size(PeerId peer) const {
  const PeerAdverts* const adverts = find(peer);
  return adverts == nullptr ? 0 : adverts->incoming.size();
}

std::size_t TxAdverts::history_size(PeerId peer) const {
  const PeerAdverts* const adverts = find(peer);
  return adverts == nullptr ? 0 : adverts->history.size();
}

void TxAdverts::check_invariants() const {
  std::size_t waiting = 0;
  for (const auto& [peer, adverts] : peers_) {
    adverts.history.check_invariants();
    OVERLAYD_CHECK(adverts.history.size() <= options_.history_max);
    OVERLAYD_CHECK(adverts.outgoing.size() < limits::kAdvertMax);
    if (adverts.outgoing.empty()) continue;
    ++waiting;
    OVERLAYD_CHECK(deadlines_.contains({adverts.flush_at, peer}));
  }
  OVERLAYD_CHECK(waiting == deadlines_.size());
}

}  // namespace overlayd::flood
