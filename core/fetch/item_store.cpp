#include "core/fetch/item_store.h"

#include "core/check.h"
#include "core/wire/message.h"

namespace overlayd::fetch {

ItemStore::ItemStore(const ItemStoreOptions& options) {
  shelf(ItemKind::kTxSet).bytes_max = options.tx_set_bytes_max;
  shelf(ItemKind::kQuorumSet).bytes_max = options.quorum_set_bytes_max;
}

bool ItemStore::put(ItemKind kind, const ItemHash& hash, MessagePtr message) {
  OVERLAYD_CHECK(message != nullptr);
  Shelf& shelf = this->shelf(kind);
  if (shelf.items.contains(hash)) return false;
  const std::size_t size = message->size();
  if (size > shelf.bytes_max) {
    ++refused_count_;
    return false;
  }
  while (shelf.bytes + size > shelf.bytes_max) {
    const auto oldest = shelf.items.find(shelf.order.front());
    shelf.bytes -= oldest->second->size();
    shelf.items.erase(oldest);
    shelf.order.pop_front();
    ++evicted_count_;
  }
  shelf.items.emplace(hash, std::move(message));
  shelf.order.push_back(hash);
  shelf.bytes += size;
  return true;
}

MessagePtr ItemStore::find(ItemKind kind, const ItemHash& hash) const {
  const Shelf& shelf = this->shelf(kind);
  const auto found = shelf.items.find(hash);
  return found == shelf.items.end() ? nullptr : found->second;
}

std::size_t ItemStore::size(ItemKind kind) const { return shelf(kind).items.size(); }

std::size_t ItemStore::bytes(ItemKind kind) const { return shelf(kind).bytes; }

void ItemStore::check_invariants() const {
  for (const Shelf& shelf : shelves_) {
    OVERLAYD_CHECK(shelf.items.size() == shelf.order.size());
    std::size_t bytes = 0;
    for (const ItemHash& hash : shelf.order) {
      const auto found = shelf.items.find(hash);
      OVERLAYD_CHECK(found != shelf.items.end());
      bytes += found->second->size();
    }
    OVERLAYD_CHECK(bytes == shelf.bytes);
    OVERLAYD_CHECK(shelf.bytes <= shelf.bytes_max);
  }
}

}  // namespace overlayd::fetch
