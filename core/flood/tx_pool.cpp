#include "core/flood/tx_pool.h"

#include <algorithm>

#include "core/check.h"
#include "core/wire/message.h"

namespace overlayd::flood {
namespace {

template <typename Hash>
void expire_bans(InsertionMap<Hash, std::uint32_t>& bans, std::uint32_t sequence, std::uint32_t ledgers_max) {
  const auto is_over = [&](const Hash&, std::uint32_t& ledger) {
    if (ledger == 0) ledger = sequence;
    return sequence >= ledger && sequence - ledger >= ledgers_max;
  };
  bans.erase_if(is_over);
}

// A repeated ban counts from the later one, so it also moves to the newest place.
template <typename Hash>
void renew_ban(InsertionMap<Hash, std::uint32_t>& bans, const Hash& hash, std::uint32_t ledger, std::size_t bans_max) {
  bans.erase(hash);
  bans.try_insert(hash, ledger);
  if (bans.size() > bans_max) bans.erase_oldest();
}

}  // namespace

TxPool::TxPool(const TxPoolOptions& options, TxFloodMetrics& metrics) : options_(options), metrics_(metrics) {}

std::size_t TxPool::cost_of(const MessagePtr& message) { return message->size() + limits::kTxPoolEntryBytes; }

TxAdded TxPool::add(const MessagePtr& message, std::uint32_t ledger, TxState state) {
  OVERLAYD_CHECK(message != nullptr && message->type() == wire::MessageType::kTransaction);
  const TxFullHash& full_hash = message->tx_full_hash();
  if (is_banned(full_hash)) return TxAdded::kBanned;
  if (is_banned(message->tx_hash())) {
    // Another envelope of a banned transaction: remember this one's name too, so that it is not demanded again.
    ban_full(full_hash, *banned_.find(message->tx_hash()));
    return TxAdded::kBanned;
  }
  if (is_known(full_hash)) {
    if (state == TxState::kAccepted) accept(full_hash);
    return TxAdded::kKnown;
  }
  if (!make_room(cost_of(message), state)) {
    ++metrics_.pool_refused;
    return TxAdded::kRefused;
  }
  insert(message, ledger, state);
  return TxAdded::kAdded;
}

bool TxPool::make_room(std::size_t cost, TxState state) {
  const std::size_t fixed = state == TxState::kPending ? accepted_bytes_ : 0;
  if (cost > options_.bytes_max || fixed > options_.bytes_max - cost) return false;
  while (bytes() + cost > options_.bytes_max) {
    const TxFullHash oldest = pending_.empty() ? accepted_.oldest_key() : pending_.oldest_key();
    take(oldest);
    ++metrics_.pool_evicted;
  }
  return true;
}

void TxPool::insert(const MessagePtr& message, std::uint32_t ledger, TxState state) {
  const TxFullHash& full_hash = message->tx_full_hash();
  HeldMap& held = state == TxState::kPending ? pending_ : accepted_;
  const auto [value, is_new] = held.try_insert(full_hash);
  OVERLAYD_CHECK(is_new);
  *value = Held{message, ledger};
  (state == TxState::kPending ? pending_bytes_ : accepted_bytes_) += cost_of(message);
  by_hash_.emplace(message->tx_hash(), full_hash);
  by_flood_hash_.emplace(message->flood_hash(), full_hash);
}

TxPool::Held TxPool::take(const TxFullHash& full_hash) {
  // By value: the caller's reference may point into the entry that goes.
  const TxFullHash hash = full_hash;
  const bool is_pending = pending_.contains(hash);
  HeldMap& held = is_pending ? pending_ : accepted_;
  Held* const found = held.find(hash);
  if (found == nullptr) return {};
  Held taken = std::move(*found);
  held.erase(hash);
  (is_pending ? pending_bytes_ : accepted_bytes_) -= cost_of(taken.message);
  by_hash_.erase({taken.message->tx_hash(), hash});
  by_flood_hash_.erase(taken.message->flood_hash());
  return taken;
}

std::vector<TxFullHash> TxPool::full_hashes(const TxHash& hash) const {
  std::vector<TxFullHash> found;
  for (auto at = by_hash_.lower_bound({hash, TxFullHash{}}); at != by_hash_.end() && at->first == hash; ++at) {
    found.push_back(at->second);
  }
  return found;
}

std::vector<MessagePtr> TxPool::accept(const TxHash& hash) {
  std::vector<MessagePtr> accepted;
  for (const TxFullHash& full_hash : full_hashes(hash))
    if (accept(full_hash)) accepted.push_back(find_accepted(full_hash));
  return accepted;
}

bool TxPool::accept(const TxFullHash& hash) {
  if (!pending_.contains(hash)) return false;
  const Held held = take(hash);
  insert(held.message, held.ledger, TxState::kAccepted);
  return true;
}

std::vector<MessagePtr> TxPool::remove(const TxHash& hash) {
  std::vector<MessagePtr> removed;
  for (const TxFullHash& full_hash : full_hashes(hash)) removed.push_back(take(full_hash).message);
  return removed;
}

std::vector<MessagePtr> TxPool::ban(const TxHash& hash, std::uint32_t ledger) {
  renew_ban(banned_, hash, ledger, options_.bans_max);
  std::vector<MessagePtr> removed = remove(hash);
  for (const MessagePtr& message : removed) ban_full(message->tx_full_hash(), ledger);
  return removed;
}

MessagePtr TxPool::remove(const TxFullHash& hash) { return take(hash).message; }

MessagePtr TxPool::ban(const TxFullHash& hash, std::uint32_t ledger) {
  MessagePtr removed = remove(hash);
  ban_full(hash, ledger);
  return removed;
}

void TxPool::ban_full(const TxFullHash& hash, std::uint32_t ledger) {
  renew_ban(banned_full_, hash, ledger, options_.bans_max);
}

void TxPool::on_ledger(std::uint32_t sequence, std::span<const TxHash> applied, std::span<const TxHash> banned) {
  for (const TxHash& hash : applied) ban(hash, sequence);
  for (const TxHash& hash : banned) ban(hash, sequence);
  if (sequence == 0) return;
  expire(pending_, sequence);
  expire(accepted_, sequence);
  expire_bans(banned_, sequence, options_.ledgers_max);
  expire_bans(banned_full_, sequence, options_.ledgers_max);
}

void TxPool::expire(HeldMap& held, std::uint32_t sequence) {
  std::vector<TxFullHash> over;
  held.for_each([&](const TxFullHash& hash, Held& entry) {
    if (entry.ledger == 0) entry.ledger = sequence;
    if (sequence >= entry.ledger && sequence - entry.ledger >= options_.ledgers_max) over.push_back(hash);
  });
  for (const TxFullHash& hash : over) take(hash);
}

MessagePtr TxPool::find_accepted(const TxFullHash& hash) const {
  const Held* const held = accepted_.find(hash);
  return held == nullptr ? nullptr : held->message;
}

std::vector<MessagePtr> TxPool::accepted(std::size_t count_max) const {
  std::vector<MessagePtr> messages;
  messages.reserve(std::min(count_max, accepted_.size()));
  accepted_.for_each_of_first(count_max,
                              [&](const TxFullHash&, const Held& held) { messages.push_back(held.message); });
  return messages;
}

MessagePtr TxPool::find(const FloodHash& hash) const {
  const auto named = by_flood_hash_.find(hash);
  if (named == by_flood_hash_.end()) return nullptr;
  const Held* const pending = pending_.find(named->second);
  return pending != nullptr ? pending->message : find_accepted(named->second);
}

bool TxPool::is_known(const TxFullHash& hash) const { return pending_.contains(hash) || accepted_.contains(hash); }

void TxPool::check_invariants() const {
  pending_.check_invariants();
  accepted_.check_invariants();
  banned_.check_invariants();
  banned_full_.check_invariants();
  std::size_t pending_bytes = 0;
  std::size_t accepted_bytes = 0;
  const auto check = [&](const TxFullHash& hash, const Held& held, std::size_t& bytes) {
    OVERLAYD_CHECK(held.message->tx_full_hash() == hash);
    OVERLAYD_CHECK(by_hash_.contains({held.message->tx_hash(), hash}));
    OVERLAYD_CHECK(!is_banned(hash));
    bytes += cost_of(held.message);
  };
  pending_.for_each([&](const TxFullHash& hash, const Held& held) { check(hash, held, pending_bytes); });
  accepted_.for_each([&](const TxFullHash& hash, const Held& held) {
    check(hash, held, accepted_bytes);
    OVERLAYD_CHECK(!pending_.contains(hash));
  });
  OVERLAYD_CHECK(pending_bytes == pending_bytes_ && accepted_bytes == accepted_bytes_);
  OVERLAYD_CHECK(bytes() <= options_.bytes_max);
  OVERLAYD_CHECK(by_hash_.size() == size() && by_flood_hash_.size() == size());
  OVERLAYD_CHECK(banned_.size() <= options_.bans_max && banned_full_.size() <= options_.bans_max);
}

}  // namespace overlayd::flood
