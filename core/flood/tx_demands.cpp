#include "core/flood/tx_demands.h"

#include <algorithm>

#include "core/check.h"

namespace overlayd::flood {
namespace {
// Config::TRANSACTION_QUEUE_SIZE_MULTIPLIER: ledgers' worth of operations that a transaction queue holds.
constexpr std::uint64_t kQueueLedgers = 2;
}  // namespace

TxDemands::TxDemands(const TxDemandsOptions& options, TxAdverts& adverts, KnownPredicate is_known_or_banned,
                     Random& random, TxFloodMetrics& metrics)
    : options_(options),
      adverts_(adverts),
      is_known_or_banned_(std::move(is_known_or_banned)),
      random_(random),
      metrics_(metrics),
      is_demanding_(options.is_demanding) {
  on_ledger(LedgerView{});
}

void TxDemands::on_ledger(const LedgerView& view) {
  max_demand_size_ =
      per_period(kQueueLedgers * view.ops_per_ledger(), options_.period, view.close_time, limits::kDemandMax);
}

void TxDemands::on_peer(PeerId peer, const NodeId& node) {
  adverts_.on_peer(peer);
  peers_.try_emplace(peer, AskedPeer{node, std::nullopt, 0});
}

void TxDemands::on_peer_gone(PeerId peer) {
  adverts_.on_peer_gone(peer);
  peers_.erase(peer);
  if (peers_.empty()) round_wanted_ = Instant::never();
}

TxDemands::Judgement TxDemands::judge(const TxFullHash& hash, const NodeId& node, Instant now) const {
  using Status = Judgement::Status;
  if (is_known_or_banned_(hash)) return {Status::kDiscard, now};
  const Record* const record = records_.find(hash);
  if (record == nullptr) return {Status::kDemand, now};
  const auto is_this_node = [&](const auto& asked) { return asked.first == node; };
  if (std::any_of(record->asked.begin(), record->asked.end(), is_this_node)) return {Status::kDiscard, now};
  if (record->asked.size() >= limits::kDemandPeersMax) return {Status::kDiscard, now};
  const Duration steps = options_.backoff * static_cast<std::int64_t>(record->asked.size());
  const Instant due = record->last_demanded + std::min<Duration>(steps, limits::kDemandBackoffMax);
  return {due <= now ? Status::kDemand : Status::kRetryLater, due};
}

std::size_t TxDemands::allowance(AskedPeer& peer, Instant now) const {
  if (!peer.window_start || now - *peer.window_start >= options_.period) {
    peer.window_start = now;
    peer.demanded_in_window = 0;
  }
  return max_demand_size_ > peer.demanded_in_window ? max_demand_size_ - peer.demanded_in_window : 0;
}

bool TxDemands::demand(const TxFullHash& hash, AskedPeer& peer, Instant now) {
  Record* record = records_.find(hash);
  if (record != nullptr) {
    ++metrics_.demand_retries;
  } else {
    if (records_.size() >= options_.demands_max) {
      ++metrics_.demands_refused;
      return false;
    }
    record = records_.try_insert(hash).first;
    record->first_demanded = now;
  }
  record->asked.emplace_back(peer.node, now);
  record->last_demanded = now;
  ++peer.demanded_in_window;
  ++metrics_.demands_sent;
  return true;
}

void TxDemands::on_advert(PeerId id, std::span<const TxFullHash> hashes, std::uint32_t ledger, Instant now,
                          DemandBatches& out) {
  const auto found = peers_.find(id);
  if (found == peers_.end() || hashes.empty()) return;
  purge(now);
  adverts_.remember(id, hashes, ledger);
  const bool is_backlogged = adverts_.fresh_size(id) > 0;
  if (is_demanding_ && options_.immediate && !is_backlogged) {
    demand_at_once(id, found->second, hashes, now, out);
    return;
  }
  adverts_.queue_incoming(id, hashes);
  if (!options_.immediate && round_allowed_ < now) {
    // Nothing waited, so no round was run: keep the beat that a free-running timer would have.
    const std::int64_t beats = (now - round_allowed_ + options_.period - Duration(1)) / options_.period;
    round_allowed_ = round_allowed_ + beats * options_.period;
  }
  want_round(now);
}

void TxDemands::demand_at_once(PeerId id, AskedPeer& peer, std::span<const TxFullHash> hashes, Instant now,
                               DemandBatches& out) {
  std::size_t left = allowance(peer, now);
  std::vector<TxFullHash> demanded;
  std::vector<TxFullHash> retries;
  std::size_t taken = 0;
  for (; taken < hashes.size() && left > 0; ++taken) {
    const Judgement judgement = judge(hashes[taken], peer.node, now);
    switch (judgement.status) {
      case Judgement::Status::kDiscard: break;
      case Judgement::Status::kDemand:
        if (!demand(hashes[taken], peer, now)) break;
        demanded.push_back(hashes[taken]);
        --left;
        break;
      case Judgement::Status::kRetryLater:
        retries.push_back(hashes[taken]);
        want_round(judgement.due);
        break;
    }
  }
  if (taken < hashes.size()) {
    adverts_.queue_incoming(id, hashes.subspan(taken));
    want_round(*peer.window_start + options_.period);
  }
  adverts_.retry(id, retries);
  if (!demanded.empty()) out.push_back(DemandBatch{id, std::move(demanded)});
}

PullLatency TxDemands::on_transaction(const TxFullHash& hash, const NodeId& node, Instant now) {
  PullLatency latency;
  Record* const record = records_.find(hash);
  if (record == nullptr) return latency;
  if (!record->is_fulfilled) latency.since_first_demand = now - record->first_demanded;
  record->is_fulfilled = true;
  for (const auto& [asked, when] : record->asked) {
    if (asked == node) latency.of_this_node = now - when;
  }
  return latency;
}

void TxDemands::set_demanding(bool is_demanding) {
  if (is_demanding && !is_demanding_) want_round(Instant(Duration(0)));
  is_demanding_ = is_demanding;
}

Instant TxDemands::round_due() const {
  if (!is_demanding_ || round_wanted_.is_never()) return Instant::never();
  return std::max(round_wanted_, round_allowed_);
}

Instant TxDemands::next_deadline() const {
  const Instant purge_due =
      records_.empty() ? Instant::never() : records_.oldest().first_demanded + limits::kDemandRetention;
  return std::min(purge_due, round_due());
}

void TxDemands::advance(Instant now, DemandBatches& out) {
  purge(now);
  if (round_due() <= now && !round_due().is_never()) run_round(now, out);
}

void TxDemands::purge(Instant now) {
  while (!records_.empty() && now - records_.oldest().first_demanded >= limits::kDemandRetention) {
    if (!records_.oldest().is_fulfilled) ++metrics_.demands_abandoned;
    records_.erase_oldest();
  }
  records_.release_if_empty();
}

void TxDemands::run_round(Instant now, DemandBatches& out) {
  round_wanted_ = Instant::never();
  // With a free-running beat a late call must not move the beat.
  const std::int64_t beats = options_.immediate ? 0 : (now - round_allowed_) / options_.period;
  round_allowed_ = (options_.immediate ? now : round_allowed_ + beats * options_.period) + options_.period;

  std::vector<Turn> turns;
  for (auto& [id, peer] : peers_) {
    if (adverts_.incoming_size(id) == 0) continue;
    if (!options_.immediate) peer.window_start.reset();  // the beat is the window, be it a little late
    turns.push_back(Turn{id, &peer, {}, {}});
  }
  random_.shuffle(turns);
  for (bool has_gained = true; has_gained;) {
    has_gained = false;
    for (Turn& turn : turns) has_gained = take_turn(turn, now) || has_gained;
  }
  for (Turn& turn : turns) {
    // What is left in the queue was not looked at for want of allowance; in fixed periods everything waits for the
    // beat.
    if (adverts_.incoming_size(turn.id) > 0) want_round(*turn.peer->window_start + options_.period);
    if (!turn.retries.empty() && !options_.immediate) want_round(now);
    adverts_.retry(turn.id, turn.retries);
    if (!turn.demanded.empty()) out.push_back(DemandBatch{turn.id, std::move(turn.demanded)});
  }
}

bool TxDemands::take_turn(Turn& turn, Instant now) {
  while (allowance(*turn.peer, now) > 0) {
    const std::optional<TxFullHash> hash = adverts_.take_incoming(turn.id);
    if (!hash) return false;
    const Judgement judgement = judge(*hash, turn.peer->node, now);
    switch (judgement.status) {
      case Judgement::Status::kDiscard: break;
      case Judgement::Status::kDemand:
        if (!demand(*hash, *turn.peer, now)) break;
        turn.demanded.push_back(*hash);
        return true;
      case Judgement::Status::kRetryLater:
        turn.retries.push_back(*hash);
        want_round(judgement.due);
        break;
    }
  }
  return false;
}

void TxDemands::check_invariants() const {
  records_.check_invariants();
  adverts_.check_invariants();
  OVERLAYD_CHECK(records_.size() <= options_.demands_max);
  std::optional<Instant> before;
  records_.for_each([&](const TxFullHash&, const Record& record) {
    OVERLAYD_CHECK(!record.asked.empty() && record.asked.size() <= limits::kDemandPeersMax);
    OVERLAYD_CHECK(record.asked.front().second == record.first_demanded);
    OVERLAYD_CHECK(record.asked.back().second == record.last_demanded);
    OVERLAYD_CHECK(!before || *before <= record.first_demanded);
    before = record.first_demanded;
  });
  for (const auto& [id, peer] : peers_) {
    if (is_demanding_ && adverts_.incoming_size(id) > 0) OVERLAYD_CHECK(!round_wanted_.is_never());
  }
}

}  // namespace overlayd::flood
