#include "core/flood/tx_pool.h"

#include <algorithm>

#include "core/check.h"
#include "core/wire/message.h"

namespace overlayd::flood {
namespace {

constexpr std::size_t kSweepPerLedger = 256;
constexpr std::size_t kSweepPerAddition = 2;
constexpr std::size_t kUsualCost = 512;  // of one transaction, to size the tables by

// A repeated ban counts from the later one, so it also moves to the newest place.
template <typename Hash>
void renew_ban(InsertionMap<Hash, std::uint32_t>& bans, const Hash& hash, std::uint32_t ledger, std::size_t bans_max) {
  bans.erase(hash);
  bans.try_insert(hash, ledger);
  if (bans.size() > bans_max) bans.erase_oldest();
}

}  // namespace

TxPool::TxPool(const TxPoolOptions& options, TxFloodMetrics& metrics)
    : options_(options),
      metrics_(metrics),
      pending_(options.bytes_max / kUsualCost),
      accepted_(options.bytes_max / kUsualCost),
      banned_(options.bans_max),
      banned_full_(options.bans_max),
      let_go_(options.bans_max) {
  by_flood_hash_.reserve(options.bytes_max / kUsualCost);
}

std::size_t TxPool::cost_of(const MessagePtr& message) { return message->size() + limits::kTxPoolEntryBytes; }

TxAdded TxPool::add(const MessagePtr& message, std::uint32_t ledger, TxState state) {
  OVERLAYD_CHECK(message != nullptr && message->type() == wire::MessageType::kTransaction);
  const TxFullHash& full_hash = message->tx_full_hash();
  sweep(kSweepPerAddition);
  if (is_banned(full_hash)) return TxAdded::kBanned;
  if (is_banned(message->tx_hash())) {
    // Another envelope of a banned transaction: remember this one's name too, so that it is not demanded again.
    ban_full(full_hash, *banned_.find(message->tx_hash()));
    return TxAdded::kBanned;
  }
  if (pending_.contains(full_hash) || accepted_.contains(full_hash)) {
    if (is_known(full_hash)) {
      if (state == TxState::kAccepted) accept(full_hash);
      return TxAdded::kKnown;
    }
    take(full_hash);  // too old
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
  if (find_live(pending_, hash) == nullptr) return false;
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

void TxPool::set_ledger(std::uint32_t sequence) {
  sequence_ = sequence;
  if (first_sequence_ == 0) first_sequence_ = sequence;
  sweep(kSweepPerLedger);
}

bool TxPool::is_over(std::uint32_t ledger) const {
  const std::uint32_t from = ledger == 0 ? first_sequence_ : ledger;
  return from != 0 && sequence_ >= from && sequence_ - from >= options_.ledgers_max;
}

void TxPool::sweep(std::size_t count_max) {
  for (std::size_t i = 0; i < count_max && !pending_.empty() && is_over(pending_.oldest().ledger); ++i)
    let_go(pending_.oldest_key());
  for (std::size_t i = 0; i < count_max && !accepted_.empty() && is_over(accepted_.oldest().ledger); ++i)
    let_go(accepted_.oldest_key());
  const auto is_lifted = [this](std::uint32_t ledger) { return is_over(ledger); };
  banned_.erase_oldest_if(count_max, is_lifted);
  banned_full_.erase_oldest_if(count_max, is_lifted);
  let_go_.erase_oldest_if(count_max, is_lifted);
}

void TxPool::let_go(const TxFullHash& hash) {
  const TxFullHash gone = hash;  // the key goes with the entry
  take(gone);
  renew_ban(let_go_, gone, sequence_, options_.bans_max);
}

bool TxPool::was_let_go(const TxFullHash& hash) const {
  for (const HeldMap* held : {&pending_, &accepted_})
    if (const Held* const found = held->find(hash)) return is_over(found->ledger);
  const std::uint32_t* const ledger = let_go_.find(hash);
  return ledger != nullptr && !is_over(*ledger);
}

const TxPool::Held* TxPool::find_live(const HeldMap& held, const TxFullHash& hash) const {
  const Held* const found = held.find(hash);
  return found == nullptr || is_over(found->ledger) ? nullptr : found;
}

bool TxPool::is_banned(const TxFullHash& hash) const {
  const std::uint32_t* const ledger = banned_full_.find(hash);
  return ledger != nullptr && !is_over(*ledger);
}

bool TxPool::is_banned(const TxHash& hash) const {
  const std::uint32_t* const ledger = banned_.find(hash);
  return ledger != nullptr && !is_over(*ledger);
}

MessagePtr TxPool::find_accepted(const TxFullHash& hash) const {
  const Held* const held = find_live(accepted_, hash);
  return held == nullptr ? nullptr : held->message;
}

std::vector<MessagePtr> TxPool::accepted(std::size_t count_max) const {
  std::vector<MessagePtr> messages;
  messages.reserve(std::min(count_max, accepted_.size()));
  accepted_.for_each_of_first(count_max, [&](const TxFullHash&, const Held& held) {
    if (!is_over(held.ledger)) messages.push_back(held.message);
  });
  return messages;
}

MessagePtr TxPool::find(const FloodHash& hash) const {
  const auto named = by_flood_hash_.find(hash);
  if (named == by_flood_hash_.end()) return nullptr;
  const Held* const pending = find_live(pending_, named->second);
  return pending != nullptr ? pending->message : find_accepted(named->second);
}

bool TxPool::is_known(const TxFullHash& hash) const {
  return find_live(pending_, hash) != nullptr || find_live(accepted_, hash) != nullptr;
}

void TxPool::check_invariants() const {
  pending_.check_invariants();
  accepted_.check_invariants();
  banned_.check_invariants();
  banned_full_.check_invariants();
  let_go_.check_invariants();
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
  OVERLAYD_CHECK(let_go_.size() <= options_.bans_max);
}

}  // namespace overlayd::flood
