#include "core/fetch/item_store.h"

#include <algorithm>

#include "core/check.h"
#include "core/wire/message.h"

namespace overlayd::fetch {

ItemStore::ItemStore(const ItemStoreOptions& options, FetchMetrics& metrics) : own_(options.own), metrics_(metrics) {
  shelf(ItemKind::kTxSet).bytes_max = options.tx_set_bytes_max;
  shelf(ItemKind::kQuorumSet).bytes_max = options.quorum_set_bytes_max;
}

ItemStore::Put ItemStore::put(const ItemId& id, MessagePtr message, std::span<const Reference> references) {
  OVERLAYD_CHECK(message != nullptr);
  Shelf& shelf = this->shelf(id.kind);
  if (const auto held = shelf.items.find(id.hash); held != shelf.items.end()) {
    for (const Reference& reference : references) refer(id, reference);
    return Put::kHeld;
  }
  Item item{std::move(message), next_ordinal_++, {}};
  for (const Reference& reference : references) add_reference(item.references, reference);
  const std::size_t cost = item.message->size() + kItemOverheadBytes;
  const Rank rank = rank_of(id.hash, item);
  if (!make_room(shelf, cost, rank)) {
    ++metrics_.items_refused;
    return Put::kRefused;
  }
  shelf.bytes += cost;
  shelf.ranks.insert(rank);
  shelf.items.emplace(id.hash, std::move(item));
  return Put::kTaken;
}

bool ItemStore::make_room(Shelf& shelf, std::size_t bytes, const Rank& rank) {
  if (bytes > shelf.bytes_max) return false;
  std::size_t freed = 0;
  auto end = shelf.ranks.begin();
  while (shelf.bytes - freed + bytes > shelf.bytes_max) {
    if (rank < *end) return false;
    freed += shelf.items.at(end->hash).message->size() + kItemOverheadBytes;
    ++end;
  }
  for (auto at = shelf.ranks.begin(); at != end; at = shelf.ranks.erase(at)) {
    shelf.items.erase(at->hash);
    ++metrics_.items_evicted;
  }
  shelf.bytes -= freed;
  return true;
}

bool ItemStore::refer(const ItemId& id, const Reference& reference) {
  Shelf& shelf = this->shelf(id.kind);
  const auto found = shelf.items.find(id.hash);
  if (found == shelf.items.end()) return false;
  const Rank before = rank_of(id.hash, found->second);
  add_reference(found->second.references, reference);
  const Rank after = rank_of(id.hash, found->second);
  if (after == before) return true;
  shelf.ranks.erase(before);
  shelf.ranks.insert(after);
  return true;
}

void ItemStore::add_reference(std::vector<Reference>& references, const Reference& reference) {
  const auto same = std::find_if(references.begin(), references.end(),
                                 [&](const Reference& other) { return other.node == reference.node; });
  if (same != references.end())
    same->slot = std::max(same->slot, reference.slot);
  else if (references.size() < kReferencesMax)
    references.push_back(reference);
}

void ItemStore::forget_outside(const SlotWindow& window) {
  const auto is_over = [&](const Reference& reference) { return !window.contains(reference.slot); };
  for (Shelf& shelf : shelves_) {
    shelf.ranks.clear();
    for (auto& [hash, item] : shelf.items) {
      std::erase_if(item.references, is_over);
      shelf.ranks.insert(rank_of(hash, item));
    }
  }
}

MessagePtr ItemStore::find(const ItemId& id) const {
  const Shelf& shelf = this->shelf(id.kind);
  const auto found = shelf.items.find(id.hash);
  return found == shelf.items.end() ? nullptr : found->second.message;
}

ItemStore::Rank ItemStore::rank_of(const ItemHash& hash, const Item& item) const {
  const bool is_own =
      !own_.is_zero() && std::ranges::find(item.references, own_, &Reference::node) != item.references.end();
  return {item.references.size() + (is_own ? kReferencesMax : 0), item.ordinal, hash};
}

void ItemStore::check_invariants() const {
  for (const Shelf& shelf : shelves_) {
    std::size_t bytes = 0;
    for (const auto& [hash, item] : shelf.items) {
      bytes += item.message->size() + kItemOverheadBytes;
      OVERLAYD_CHECK(item.references.size() <= kReferencesMax);
      OVERLAYD_CHECK(shelf.ranks.contains(rank_of(hash, item)));
    }
    OVERLAYD_CHECK(shelf.ranks.size() == shelf.items.size());
    OVERLAYD_CHECK(bytes == shelf.bytes);
    OVERLAYD_CHECK(shelf.bytes <= shelf.bytes_max);
  }
}

}  // namespace overlayd::fetch
