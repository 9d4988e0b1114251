// Transaction sets and quorum sets that we hold, for answering GET_TX_SET and GET_SCP_QUORUMSET.
//
// Promise. What `put` took is found until newer items of its kind need the room. A hash names one item for good: a
//          second `put` of a hash changes nothing.
// Limits.  A budget of bytes for each kind, each item counted with its message: a burst of one kind cannot push out the
//          other. Past the budget the oldest by insertion goes; an item larger than the budget is refused. Both are
//          counted.
// Not here: what is fetched, from whom (tracker, item_fetcher); whether the hash is that of the item: the caller
//          computed it.
// Source:  Herder::getTxSet, Herder::getQSet, stellar-core commit a9b8613, answer the same questions from
//          PendingEnvelopes.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <unordered_map>

#include "core/ids.h"
#include "core/inputs.h"
#include "core/limits.h"

namespace overlayd::fetch {

enum class ItemKind : std::uint8_t { kTxSet = 0, kQuorumSet = 1 };

struct ItemStoreOptions {
  std::size_t tx_set_bytes_max = limits::kTxSetStoreBytesMax;
  std::size_t quorum_set_bytes_max = limits::kQuorumSetStoreBytesMax;
};

class ItemStore {
 public:
  explicit ItemStore(const ItemStoreOptions& options);
  ItemStore(const ItemStore&) = delete;
  ItemStore& operator=(const ItemStore&) = delete;

  // `message` is the answer to a peer: TX_SET or GENERALIZED_TX_SET, or SCP_QUORUMSET. True if it was taken as new.
  bool put(ItemKind kind, const ItemHash& hash, MessagePtr message);
  // Null if it is not held.
  [[nodiscard]] MessagePtr find(ItemKind kind, const ItemHash& hash) const;

  [[nodiscard]] std::size_t size(ItemKind kind) const;
  [[nodiscard]] std::size_t bytes(ItemKind kind) const;
  [[nodiscard]] std::uint64_t refused_count() const { return refused_count_; }
  [[nodiscard]] std::uint64_t evicted_count() const { return evicted_count_; }
  void check_invariants() const;

 private:
  struct Shelf {
    std::size_t bytes_max = 0;
    std::size_t bytes = 0;
    std::unordered_map<ItemHash, MessagePtr> items;
    std::deque<ItemHash> order;  // oldest first
  };
  [[nodiscard]] Shelf& shelf(ItemKind kind) { return shelves_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] const Shelf& shelf(ItemKind kind) const { return shelves_[static_cast<std::size_t>(kind)]; }

  std::array<Shelf, 2> shelves_;
  std::uint64_t refused_count_ = 0;
  std::uint64_t evicted_count_ = 0;
};

}  // namespace overlayd::fetch
