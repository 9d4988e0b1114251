// Transactions we hold: so that none is asked for twice, and so that demands of peers can be answered.
//
// Words.   A transaction has two hashes: the *full hash* of its envelope, by which peers name it, and the *hash* of its
//          contents, by which the consensus process does. Several envelopes (signed differently) may share a hash.
//          *Pending*: received from a peer, the consensus process has not judged it. *Accepted*: it has, or nobody is
//          to.
// Rule 1.  Pending and accepted transactions are known: they are not demanded. Only accepted ones are given out.
// Rule 2.  accept, remove and ban by TxHash reach all envelopes of the transaction; by TxFullHash that one alone.
//          Rationale: anybody can put wrong signatures around a good transaction; judging that envelope must not hurt
//          the good one.
// Rule 3.  A banned transaction is not taken, nor demanded by the full hashes it was seen under, for 10 ledgers.
//          Source: TransactionQueue::ban, TransactionQueue::isBanned (depth 10).
// Rule 4.  An applied transaction leaves the pool and is banned: the caller bans it. Source:
//          TransactionQueue::removeApplied.
// Rule 5.  A transaction is held for ledgers_max ledgers, 10 (ours: stellar-core keeps it pending for 4 and bans it then;
//          here the consensus process says what is banned). One added while no ledger was known counts from the first
//          one known. After that it counts as absent, as a ban does, but is not demanded for as many ledgers again: a peer
//          that still holds it would bring it to the client a second time. The memory goes step by step: 256 of each kind
//          with a new ledger, two with each addition. Rationale: freeing a ledger's worth in one go would hold up the
//          SCP messages of that moment.
// Limits.  bytes_max bytes, each transaction counted with kTxPoolEntryBytes for its bookkeeping. A pending one makes
//          room by evicting pending ones, oldest first, and is refused (pool_refused) where that is not enough: peers
//          cannot push out what was accepted. An accepted one evicts pending ones, then accepted ones, oldest first.
//          bans_max bans of each kind of hash; past it the oldest goes.
// Not here: whether a transaction is valid; who is told of it (flood_gate, tx_adverts).
// Source:  stellar-core TransactionQueue and Herder::getTx, commit a9b8613; departures are marked "ours".
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/flood/insertion_map.h"
#include "core/ids.h"
#include "core/inputs.h"
#include "core/limits.h"
#include "core/metrics.h"

namespace overlayd::flood {

struct TxPoolOptions {
  std::size_t bytes_max = limits::kTxPoolBytesMax;
  std::uint32_t ledgers_max = limits::kTxPoolLedgersMax;
  std::size_t bans_max = limits::kBannedTxMax;
};

enum class TxState : std::uint8_t { kPending, kAccepted };
enum class TxAdded : std::uint8_t {
  kAdded,
  kKnown,  // held already; a pending one that is added as accepted becomes accepted
  kBanned,
  kRefused,  // no room
};

class TxPool {
 public:
  TxPool(const TxPoolOptions& options, TxFloodMetrics& metrics);
  TxPool(const TxPool&) = delete;
  TxPool& operator=(const TxPool&) = delete;

  // `message` is a TRANSACTION.
  [[nodiscard]] TxAdded add(const MessagePtr& message, std::uint32_t ledger, TxState state);
  // The messages that were pending under this hash and are accepted now, in the order of their arrival.
  std::vector<MessagePtr> accept(const TxHash& hash);
  // Forgets a rejected transaction; returns what was held, pending or accepted, oldest first of each.
  std::vector<MessagePtr> remove(const TxHash& hash);
  std::vector<MessagePtr> ban(const TxHash& hash, std::uint32_t ledger);
  // The same for one envelope; accept is false if it was not pending, the others give null if it was not held.
  bool accept(const TxFullHash& hash);
  MessagePtr remove(const TxFullHash& hash);
  MessagePtr ban(const TxFullHash& hash, std::uint32_t ledger);
  // The last closed ledger; 0: not known. What is too old from now on counts as absent.
  void set_ledger(std::uint32_t sequence);

  // Null unless accepted.
  [[nodiscard]] MessagePtr find_accepted(const TxFullHash& hash) const;
  // Pending or accepted; null if it is not held.
  [[nodiscard]] MessagePtr find(const FloodHash& hash) const;
  // At most count_max accepted ones, in the order in which they were accepted.
  [[nodiscard]] std::vector<MessagePtr> accepted(std::size_t count_max) const;
  [[nodiscard]] bool is_known(const TxFullHash& hash) const;
  [[nodiscard]] bool is_banned(const TxFullHash& hash) const;
  [[nodiscard]] bool is_banned(const TxHash& hash) const;
  // Rule 5: it was held for its time.
  [[nodiscard]] bool was_let_go(const TxFullHash& hash) const;
  // Not to be demanded.
  [[nodiscard]] bool is_known_or_banned(const TxFullHash& hash) const {
    return is_known(hash) || is_banned(hash) || was_let_go(hash);
  }

  // All of these count what is in memory.
  [[nodiscard]] std::size_t size() const { return pending_.size() + accepted_.size(); }
  [[nodiscard]] std::size_t pending_size() const { return pending_.size(); }
  [[nodiscard]] std::size_t bytes() const { return pending_bytes_ + accepted_bytes_; }
  [[nodiscard]] std::size_t ban_count() const { return banned_.size(); }
  void check_invariants() const;

 private:
  struct Held {
    MessagePtr message;
    std::uint32_t ledger = 0;
  };
  using HeldMap = InsertionMap<TxFullHash, Held>;

  [[nodiscard]] static std::size_t cost_of(const MessagePtr& message);
  [[nodiscard]] std::vector<TxFullHash> full_hashes(const TxHash& hash) const;
  bool make_room(std::size_t cost, TxState state);
  void insert(const MessagePtr& message, std::uint32_t ledger, TxState state);
  // Takes it out of the map it is in; the message is null if it is in neither.
  Held take(const TxFullHash& hash);
  void ban_full(const TxFullHash& hash, std::uint32_t ledger);
  // Whether what came at `ledger` is too old now.
  [[nodiscard]] bool is_over(std::uint32_t ledger) const;
  // What the map holds under this hash, unless it is too old.
  [[nodiscard]] const Held* find_live(const HeldMap& held, const TxFullHash& hash) const;
  // Frees at most `count_max` of each kind that are too old, oldest first, up to the first that is not.
  void sweep(std::size_t count_max);

  TxPoolOptions options_;
  TxFloodMetrics& metrics_;
  HeldMap pending_;
  HeldMap accepted_;
  std::size_t pending_bytes_ = 0;
  std::size_t accepted_bytes_ = 0;
  std::set<std::pair<TxHash, TxFullHash>> by_hash_;
  std::unordered_map<FloodHash, TxFullHash> by_flood_hash_;
  InsertionMap<TxHash, std::uint32_t> banned_;  // to the ledger of the ban
  InsertionMap<TxFullHash, std::uint32_t> banned_full_;
  InsertionMap<TxFullHash, std::uint32_t> let_go_;  // to the ledger at which it was
  void let_go(const TxFullHash& hash);
  std::uint32_t sequence_ = 0;
  std::uint32_t first_sequence_ = 0;  // the first ledger known
};

}  // namespace overlayd::flood
