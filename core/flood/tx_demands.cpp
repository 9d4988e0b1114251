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
      is_demanding_(options.is_demanding),
      open_(options.demands_max),
      fulfilled_(options.fulfilled_max) {
  on_ledger(LedgerView{});
}

void TxDemands::on_ledger(const LedgerView& view) {
  const auto share = [&](std::size_t max) {
    return per_period(kQueueLedgers * view.ops_per_ledger(), options_.period, view.close_time, max);
  };
  max_demand_size_ = share(limits::kDemandMax);
  period_demands_max_ = share(options_.immediate ? limits::kDemandsMax : limits::kDemandMax);
}

void TxDemands::on_peer(PeerId peer, const NodeId& node) {
  adverts_.on_peer(peer);
  peers_.try_emplace(peer, AskedPeer{peer, node, std::nullopt, 0});
}

void TxDemands::on_peer_gone(PeerId peer) {
  adverts_.on_peer_gone(peer);
  peers_.erase(peer);
  if (peers_.empty()) round_wanted_ = Instant::never();
}

std::size_t TxDemands::charged_size(const NodeId& node) const {
  const auto found = charges_.find(node);
  return found == charges_.end() ? 0 : found->second.size();
}

const TxDemands::Record* TxDemands::find_record(const TxFullHash& hash, Instant now) const {
  if (const Record* const open = open_.find(hash)) return open;
  const Record* const fulfilled = fulfilled_.find(hash);
  // Not in the order of first demands, so one that is over may wait behind one that is not.
  if (fulfilled == nullptr || now - fulfilled->first_demanded >= limits::kDemandRetention) return nullptr;
  return fulfilled;
}

TxDemands::Judgement TxDemands::judge(const TxFullHash& hash, const AskedPeer& peer, Instant now) const {
  using Status = Judgement::Status;
  if (is_known_or_banned_(hash)) return {Status::kDiscard, now};
  const Record* const record = find_record(hash, now);
  if (record == nullptr) return {Status::kDemand, now};
  const auto had_turn = [&](const Ask& ask) {
    return ask.node == peer.node && (ask.link == peer.id || !open_.contains(hash));
  };
  if (std::any_of(record->asked.begin(), record->asked.end(), had_turn)) return {Status::kDiscard, now};
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
  return period_demands_max_ > peer.demanded_in_window ? period_demands_max_ - peer.demanded_in_window : 0;
}

bool TxDemands::demand(const TxFullHash& hash, AskedPeer& peer, Instant now) {
  Record* record = nullptr;
  if (find_record(hash, now) != nullptr) {
    record = open_.find(hash);
    if (record == nullptr) record = fulfilled_.find(hash);
    ++metrics_.demand_retries;
  } else {
    fulfilled_.erase(hash);
    record = open_record(hash, peer.node, now);
    if (record == nullptr) {
      ++metrics_.demands_refused;
      return false;
    }
  }
  record->asked.push_back({peer.node, peer.id, now});
  record->last_demanded = now;
  ++peer.demanded_in_window;
  ++metrics_.demands_sent;
  return true;
}

TxDemands::Record* TxDemands::open_record(const TxFullHash& hash, const NodeId& node, Instant now) {
  std::size_t charged = charged_size(node);
  if (charged >= options_.demands_per_node_max) {
    if (now - charges_.at(node).begin()->first < limits::kDemandGiveUp) return nullptr;
    give_up_oldest(node);
    --charged;
  }
  if (open_.size() >= options_.demands_max) {
    if (by_charge_.empty() || by_charge_.rbegin()->first <= charged) return nullptr;
    give_up_oldest(by_charge_.rbegin()->second);
  }
  Record* const record = open_.try_insert(hash).first;
  record->first_demanded = now;
  charge(node, now, hash);
  return record;
}

void TxDemands::give_up_oldest(NodeId node) {
  const TxFullHash oldest = charges_.at(node).begin()->second;
  discharge(oldest, *open_.find(oldest));
  open_.erase(oldest);
  ++metrics_.demands_abandoned;
}

void TxDemands::charge(const NodeId& node, Instant first_demanded, const TxFullHash& hash) {
  Charge& charged = charges_[node];
  by_charge_.erase({charged.size(), node});
  charged.emplace(first_demanded, hash);
  by_charge_.emplace(charged.size(), node);
}

void TxDemands::discharge(const TxFullHash& hash, const Record& record) {
  const NodeId node = record.asked.front().node;
  const auto found = charges_.find(node);
  OVERLAYD_CHECK(found != charges_.end());
  by_charge_.erase({found->second.size(), node});
  found->second.erase({record.first_demanded, hash});
  if (found->second.empty()) {
    charges_.erase(found);
  } else {
    by_charge_.emplace(found->second.size(), node);
  }
}

void TxDemands::on_advert(PeerId id, std::span<const TxFullHash> hashes, std::uint32_t ledger, Instant now,
                          DemandBatches& out) {
  const auto found = peers_.find(id);
  if (found == peers_.end() || hashes.empty()) return;
  purge(now);
  adverts_.remember(id, hashes, ledger);
  const bool is_backlogged = adverts_.fresh_size(id) > 0;
  if (is_demanding_ && options_.immediate && !is_backlogged) {
    demand_at_once(found->second, hashes, now, out);
    return;
  }
  adverts_.queue_incoming(id, hashes);
  // A round that is wanted already is due on its beat, even if that is over and nobody has called advance yet.
  if (!options_.immediate && round_wanted_.is_never() && round_allowed_ < now) {
    // Nothing waited, so no round was run: keep the beat that a free-running timer would have.
    const std::int64_t beats = (now - round_allowed_ + options_.period - Duration(1)) / options_.period;
    round_allowed_ = round_allowed_ + beats * options_.period;
  }
  want_round(now);
}

void TxDemands::demand_at_once(AskedPeer& peer, std::span<const TxFullHash> hashes, Instant now, DemandBatches& out) {
  const PeerId id = peer.id;
  std::size_t left = allowance(peer, now);
  std::vector<TxFullHash> demanded;
  std::vector<TxFullHash> retries;
  std::size_t taken = 0;
  for (; taken < hashes.size() && left > 0; ++taken) {
    const Judgement judgement = judge(hashes[taken], peer, now);
    switch (judgement.status) {
      case Judgement::Status::kDiscard: break;
      case Judgement::Status::kDemand:
        if (demand(hashes[taken], peer, now)) {
          demanded.push_back(hashes[taken]);
          --left;
        } else {
          retries.push_back(hashes[taken]);
          want_round(now + options_.period);
        }
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
  put_out(id, demanded, out);
}

void TxDemands::put_out(PeerId id, std::span<const TxFullHash> hashes, DemandBatches& out) const {
  for (; !hashes.empty(); hashes = hashes.subspan(std::min(hashes.size(), max_demand_size_))) {
    const auto batch = hashes.first(std::min(hashes.size(), max_demand_size_));
    out.push_back(DemandBatch{id, {batch.begin(), batch.end()}});
  }
}

PullLatency TxDemands::on_transaction(const TxFullHash& hash, const NodeId& node, Instant now) {
  PullLatency latency;
  purge(now);
  const Record* const record = find_record(hash, now);
  if (record == nullptr) return latency;
  for (const Ask& ask : record->asked) {
    if (ask.node == node) latency.of_this_node = now - ask.when;
  }
  Record* const open = open_.find(hash);
  if (open == nullptr) return latency;
  latency.since_first_demand = now - open->first_demanded;
  discharge(hash, *open);
  fulfilled_.try_insert(hash, std::move(*open));
  open_.erase(hash);
  if (fulfilled_.size() > options_.fulfilled_max) fulfilled_.erase_oldest();
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
  const auto purge_due = [](const Records& records) {
    return records.empty() ? Instant::never() : records.oldest().first_demanded + limits::kDemandRetention;
  };
  return std::min({purge_due(open_), purge_due(fulfilled_), round_due()});
}

void TxDemands::advance(Instant now, DemandBatches& out) {
  purge(now);
  if (round_due() <= now && !round_due().is_never()) run_round(now, out);
}

void TxDemands::purge(Instant now) {
  const auto is_over = [&](const Records& records) {
    return !records.empty() && now - records.oldest().first_demanded >= limits::kDemandRetention;
  };
  for (; is_over(open_); open_.erase_oldest()) {
    ++metrics_.demands_abandoned;
    discharge(open_.oldest_key(), open_.oldest());
  }
  while (is_over(fulfilled_)) fulfilled_.erase_oldest();
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
    turns.push_back(Turn{&peer, {}, {}, 0});
  }
  random_.shuffle(turns);
  for (bool has_gained = true; has_gained;) {
    has_gained = false;
    for (Turn& turn : turns) has_gained = take_turn(turn, now) || has_gained;
  }
  for (Turn& turn : turns) {
    // What is left in the queue was not looked at for want of allowance; in fixed periods everything waits for the beat.
    if (adverts_.incoming_size(turn.peer->id) > 0) want_round(*turn.peer->window_start + options_.period);
    if (!turn.retries.empty() && !options_.immediate) want_round(now);
    adverts_.retry(turn.peer->id, turn.retries);
    put_out(turn.peer->id, turn.demanded, out);
  }
}

bool TxDemands::take_turn(Turn& turn, Instant now) {
  while (allowance(*turn.peer, now) > 0 && turn.refused < max_demand_size_) {
    const std::optional<TxFullHash> hash = adverts_.take_incoming(turn.peer->id);
    if (!hash) return false;
    const Judgement judgement = judge(*hash, *turn.peer, now);
    switch (judgement.status) {
      case Judgement::Status::kDiscard: break;
      case Judgement::Status::kDemand:
        if (!demand(*hash, *turn.peer, now)) {
          ++turn.refused;
          turn.retries.push_back(*hash);
          want_round(now + options_.period);
          break;
        }
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
  open_.check_invariants();
  fulfilled_.check_invariants();
  adverts_.check_invariants();
  OVERLAYD_CHECK(open_.size() <= options_.demands_max);
  OVERLAYD_CHECK(fulfilled_.size() <= options_.fulfilled_max);
  std::optional<Instant> before;
  const auto check_record = [](const Record& record) {
    OVERLAYD_CHECK(!record.asked.empty() && record.asked.size() <= limits::kDemandPeersMax);
    OVERLAYD_CHECK(record.asked.front().when == record.first_demanded);
    OVERLAYD_CHECK(record.asked.back().when == record.last_demanded);
  };
  open_.for_each([&](const TxFullHash& hash, const Record& record) {
    check_record(record);
    OVERLAYD_CHECK(!before || *before <= record.first_demanded);
    before = record.first_demanded;
    OVERLAYD_CHECK(!fulfilled_.contains(hash));
    const auto charge = charges_.find(record.asked.front().node);
    OVERLAYD_CHECK(charge != charges_.end() && charge->second.contains({record.first_demanded, hash}));
  });
  fulfilled_.for_each([&](const TxFullHash&, const Record& record) { check_record(record); });
  std::size_t charged = 0;
  for (const auto& [node, charge] : charges_) {
    OVERLAYD_CHECK(!charge.empty() && charge.size() <= options_.demands_per_node_max);
    OVERLAYD_CHECK(by_charge_.contains({charge.size(), node}));
    charged += charge.size();
  }
  OVERLAYD_CHECK(charged == open_.size() && by_charge_.size() == charges_.size());
  for (const auto& [id, peer] : peers_) {
    if (is_demanding_ && adverts_.incoming_size(id) > 0) OVERLAYD_CHECK(!round_wanted_.is_never());
  }
}

}  // namespace overlayd::flood
