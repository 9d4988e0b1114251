// Transaction sets and quorum sets that we hold, for answering GET_TX_SET and GET_SCP_QUORUMSET.
//
// Words.   A *reference* is an envelope of one node and slot that names the item. Of a node only the latest slot counts.
// Promise. What `put` took is found until less room is left than newer or more wanted items of its kind need. A hash
//          names one item for good: a second `put` of it adds its references and changes nothing else.
// Rule 1.  Past the budget of its kind the item goes that the fewest nodes refer to; of equals, the one put first.
//          One that is less wanted than all that is held is refused instead. Rationale: what a quorum needs is named by
//          many nodes; what one node makes up, only by that node, however much of it there is.
//          Our own reference counts like kReferencesMax others': what our client puts must be served.
// Rule 2.  forget_outside ends the references of slots outside the window. Items stay, and are then the first to go.
//          Rationale for its upper end: while we are out of sync any slot is plausible, and a reference of a slot that
//          never comes would hold its item for good.
// Limits.  A budget of bytes for each kind, each item counted with its message and kItemOverheadBytes: a burst of one kind
//          cannot push out the other. At most kReferencesMax nodes are told apart for each item.
// Not here: what is fetched, from whom (tracker, item_fetcher); whether the hash is that of the item: the caller
//          computed it.
// Source:  Herder::getTxSet, Herder::getQSet, stellar-core commit a9b8613, answer the same questions from
//          PendingEnvelopes.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "core/fetch/slot_window.h"
#include "core/ids.h"
#include "core/inputs.h"
#include "core/limits.h"
#include "core/metrics.h"

namespace overlayd::fetch {

inline constexpr std::size_t kItemOverheadBytes = 512;
inline constexpr std::size_t kReferencesMax = 8;

// An envelope of `node` and `slot` names the item.
struct Reference {
  std::uint64_t slot = 0;
  NodeId node;
};

struct ItemStoreOptions {
  std::size_t tx_set_bytes_max = limits::kTxSetStoreBytesMax;
  std::size_t quorum_set_bytes_max = limits::kQuorumSetStoreBytesMax;
  NodeId own{};  // whose reference counts like kReferencesMax others': that of our client
};

class ItemStore {
 public:
  enum class Put : std::uint8_t { kTaken, kHeld, kRefused };

  ItemStore(const ItemStoreOptions& options, FetchMetrics& metrics);
  ItemStore(const ItemStore&) = delete;
  ItemStore& operator=(const ItemStore&) = delete;

  // `message` is the answer to a peer: TX_SET or GENERALIZED_TX_SET, or SCP_QUORUMSET.
  Put put(const ItemId& id, MessagePtr message, std::span<const Reference> references);
  // An envelope names the item. False: it is not held.
  bool refer(const ItemId& id, const Reference& reference);
  void forget_outside(const SlotWindow& window);
  // Null if it is not held.
  [[nodiscard]] MessagePtr find(const ItemId& id) const;

  [[nodiscard]] std::size_t size(ItemKind kind) const { return shelf(kind).items.size(); }
  [[nodiscard]] std::size_t bytes(ItemKind kind) const { return shelf(kind).bytes; }  // with their overhead
  void check_invariants() const;

 private:
  // What goes first comes first.
  struct Rank {
    std::size_t references = 0;
    std::uint64_t ordinal = 0;
    ItemHash hash;
    auto operator<=>(const Rank&) const = default;
  };
  struct Item {
    MessagePtr message;
    std::uint64_t ordinal = 0;
    std::vector<Reference> references;  // of different nodes
  };
  struct Shelf {
    std::size_t bytes_max = 0;
    std::size_t bytes = 0;
    std::map<ItemHash, Item> items;  // ordered: quorum sets are cheap to make until their hashes fall into one bucket
    std::set<Rank> ranks;
  };
  [[nodiscard]] Shelf& shelf(ItemKind kind) { return shelves_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] const Shelf& shelf(ItemKind kind) const { return shelves_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] Rank rank_of(const ItemHash& hash, const Item& item) const;
  static void add_reference(std::vector<Reference>& references, const Reference& reference);
  // False: what would have to go is more wanted than `rank`.
  bool make_room(Shelf& shelf, std::size_t bytes, const Rank& rank);

  const NodeId own_;
  std::array<Shelf, kItemKindCount> shelves_;
  std::uint64_t next_ordinal_ = 1;
  FetchMetrics& metrics_;
};

}  // namespace overlayd::fetch
