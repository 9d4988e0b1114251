#include "tests/fuzz/tx_demands_naive.h"

namespace overlayd::fuzz {

void NaiveDemands::on_ledger(const LedgerView& view) {
  const std::uint64_t operations = 2 * view.ops_per_ledger();
  const auto close_ms = static_cast<std::uint64_t>(view.close_time / milliseconds(1));
  const auto period_ms = static_cast<std::uint64_t>(options_.period / milliseconds(1));
  max_demand_size = 1;
  while (max_demand_size < 1000 && max_demand_size * close_ms < operations * period_ms) ++max_demand_size;
}

std::size_t NaiveDemands::allowance(Peer& peer, Instant now) const {
  if (!peer.window_start || now - *peer.window_start >= options_.period) {
    peer.window_start = now;
    peer.demanded_in_window = 0;
  }
  return max_demand_size - std::min(max_demand_size, peer.demanded_in_window);
}

NaiveDemands::Found NaiveDemands::consider(const TxFullHash& hash, Peer& peer, Instant now) {
  if (known_.contains(hash)) return Found::kUnwanted;
  Record* record = find(hash, now);
  if (record == nullptr) {
    std::erase_if(fulfilled_, [&](const Record& old) { return old.hash == hash; });
    if (!make_room(peer.node, now)) {
      ++metrics.demands_refused;
      want_round(now + options_.period);
      return Found::kRefused;
    }
    open_.push_back({hash, {}});
    record = &open_.back();
  } else {
    const auto asked = static_cast<std::int64_t>(record->asked.size());
    const bool has_come = std::any_of(fulfilled_.begin(), fulfilled_.end(),
                                      [&](const Record& fulfilled) { return &fulfilled == record; });
    for (const Record::Ask& ask : record->asked)
      if (ask.node == peer.node && (has_come || ask.link == peer.id)) return Found::kUnwanted;
    if (asked == 15) return Found::kUnwanted;
    const Instant due = record->asked.back().when + std::min<Duration>(asked * options_.backoff, seconds(2));
    if (now < due) {
      want_round(due);
      return Found::kTooEarly;
    }
    ++metrics.demand_retries;
  }
  record->asked.push_back({peer.node, peer.id, now});
  ++peer.demanded_in_window;
  ++metrics.demands_sent;
  return Found::kDemanded;
}

bool NaiveDemands::make_room(const NodeId& node, Instant now) {
  const auto is_old = [&](const Record& record) {
    return record.charged() == node && now - record.first() >= seconds(2);
  };
  if (charged_size(node) >= options_.demands_per_node_max) {
    if (std::none_of(open_.begin(), open_.end(), is_old)) return false;
    give_up_oldest_of(node);
  }
  if (open_.size() < options_.demands_max) return true;
  // Of equals the highest node id.
  std::pair<std::size_t, NodeId> most{0, NodeId{}};
  for (const Record& record : open_) most = std::max(most, {charged_size(record.charged()), record.charged()});
  if (most.first <= charged_size(node)) return false;
  give_up_oldest_of(most.second);
  return true;
}

// Of records of one instant the one with the lowest hash.
void NaiveDemands::give_up_oldest_of(const NodeId& node) {
  const Record* oldest = nullptr;
  for (const Record& record : open_) {
    const bool is_older =
        oldest == nullptr || std::pair(record.first(), record.hash) < std::pair(oldest->first(), oldest->hash);
    if (record.charged() == node && is_older) oldest = &record;
  }
  open_.erase(open_.begin() + (oldest - open_.data()));
  ++metrics.demands_abandoned;
}

void NaiveDemands::on_advert(PeerId id, std::span<const TxFullHash> hashes, std::uint32_t ledger, Instant now,
                             Demanded& out) {
  if (!peers_.contains(id) || hashes.empty()) return;
  Peer& peer = peers_.at(id);
  purge(now);
  adverts.remember(id, hashes, ledger);
  if (!options_.immediate || !is_demanding || adverts.fresh_size(id) > 0) {
    adverts.queue_incoming(id, hashes);
    // Where nothing was wanted before, the next beat serves it.
    if (!options_.immediate && round_wanted_.is_never()) round_allowed_ = std::max(round_allowed_, beat_from(now));
    return want_round(now);
  }
  std::vector<TxFullHash> retries;
  while (!hashes.empty() && allowance(peer, now) > 0) {
    const Found found = consider(hashes.front(), peer, now);
    if (found == Found::kDemanded) out[id].push_back(hashes.front());
    if (found == Found::kRefused || found == Found::kTooEarly) retries.push_back(hashes.front());
    hashes = hashes.subspan(1);
  }
  if (!hashes.empty()) want_round(*peer.window_start + options_.period);
  adverts.queue_incoming(id, hashes);
  adverts.retry(id, retries);
}

flood::PullLatency NaiveDemands::on_transaction(const TxFullHash& hash, const NodeId& node, Instant now) {
  flood::PullLatency latency;
  purge(now);
  const Record* const record = find(hash, now);
  if (record == nullptr) return latency;
  for (const Record::Ask& ask : record->asked)
    if (ask.node == node) latency.of_this_node = now - ask.when;
  const auto is_it = [&](const Record& other) { return other.hash == hash; };
  const auto open = std::find_if(open_.begin(), open_.end(), is_it);
  if (open == open_.end()) return latency;
  latency.since_first_demand = now - open->first();
  fulfilled_.push_back(*open);
  open_.erase(open);
  if (fulfilled_.size() > options_.fulfilled_max) fulfilled_.erase(fulfilled_.begin());
  return latency;
}

void NaiveDemands::purge(Instant now) {
  const auto is_over = [&](const Record& record) { return now - record.first() >= seconds(60); };
  metrics.demands_abandoned += std::erase_if(open_, is_over);
  while (!fulfilled_.empty() && is_over(fulfilled_.front())) fulfilled_.erase(fulfilled_.begin());
}

void NaiveDemands::run_round(Instant now, Demanded& out) {
  round_wanted_ = Instant::never();
  round_allowed_ = options_.immediate ? now + options_.period : beat_from(now + Duration(1));
  std::vector<Turn> turns;
  for (auto& [id, peer] : peers_) {
    if (adverts.incoming_size(id) == 0) continue;
    if (!options_.immediate) peer.window_start.reset();
    turns.push_back({id, &peer, {}, 0});
  }
  // The only place that depends on how chance is used: peers with something to take, by id, shuffled once.
  random_.shuffle(turns);
  for (bool has_gained = true; has_gained;) {
    has_gained = false;
    for (Turn& turn : turns) has_gained |= take_turn(turn, now, out);
  }
  for (const Turn& turn : turns) {
    if (adverts.incoming_size(turn.id) > 0) want_round(*turn.peer->window_start + options_.period);
    if (!turn.retries.empty() && !options_.immediate) want_round(now);
    adverts.retry(turn.id, turn.retries);
  }
}

bool NaiveDemands::take_turn(Turn& turn, Instant now, Demanded& out) {
  while (allowance(*turn.peer, now) > 0 && turn.refused < max_demand_size) {
    const auto hash = adverts.take_incoming(turn.id);
    if (!hash) return false;
    const Found found = consider(*hash, *turn.peer, now);
    if (found == Found::kDemanded) {
      out[turn.id].push_back(*hash);
      return true;
    }
    if (found == Found::kRefused) ++turn.refused;
    if (found != Found::kUnwanted) turn.retries.push_back(*hash);
  }
  return false;
}

}  // namespace overlayd::fuzz
