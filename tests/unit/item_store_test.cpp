#include "core/fetch/item_store.h"

#include <catch2/catch.hpp>

#include "core/wire/message.h"
#include "tests/support/messages.h"

namespace overlayd::fetch {
namespace {

using Put = ItemStore::Put;

ItemId tx_set(std::uint8_t number) {
  ItemId id{ItemKind::kTxSet, {}};
  id.hash.bytes[8] = number;
  return id;
}
ItemId quorum_set(std::uint8_t number) { return {ItemKind::kQuorumSet, tx_set(number).hash}; }

// A message that counts with `cost` bytes; the store does not look inside.
MessagePtr item(std::size_t cost) {
  Bytes xdr(cost - kItemOverheadBytes);
  xdr[3] = 12;  // GET_SCP_STATE: has no hash to compute
  return wire::Message::adopt(std::move(xdr), {});
}

std::vector<Reference> references(std::size_t nodes, std::uint64_t slot = 10, std::uint64_t first_node = 1) {
  std::vector<Reference> made;
  for (std::size_t i = 0; i < nodes; ++i) made.push_back({slot, test::make_node(first_node + i)});
  return made;
}

struct Store {
  explicit Store(ItemStoreOptions options = {}) : store(options, metrics) {}
  ~Store() { store.check_invariants(); }
  Put put(const ItemId& id, std::size_t cost, const std::vector<Reference>& named = {}) {
    return store.put(id, item(cost), named);
  }
  [[nodiscard]] bool has(const ItemId& id) const { return store.find(id) != nullptr; }

  FetchMetrics metrics;
  ItemStore store;
};

TEST_CASE("what was put is found under its kind only", "[item_store]") {
  Store t;
  const MessagePtr set = item(600);
  CHECK(t.store.put(tx_set(1), set, {}) == Put::kTaken);
  CHECK(t.store.find(tx_set(1)) == set);
  CHECK_FALSE(t.has(quorum_set(1)));
  CHECK_FALSE(t.has(tx_set(2)));
  CHECK(t.store.size(ItemKind::kTxSet) == 1);
  CHECK(t.store.size(ItemKind::kQuorumSet) == 0);
}

TEST_CASE("a hash names one item for good: a second put adds its references only", "[item_store]") {
  Store t({.tx_set_bytes_max = 2000});
  const MessagePtr set = item(1000);
  t.store.put(tx_set(1), set, references(1));
  CHECK(t.put(tx_set(2), 1000, references(2)) == Put::kTaken);
  CHECK(t.put(tx_set(1), 700, references(2, 10, 2)) == Put::kHeld);
  CHECK(t.store.find(tx_set(1)) == set);
  CHECK(t.store.bytes(ItemKind::kTxSet) == 2000);
  CHECK(t.put(tx_set(3), 1000, references(4)) == Put::kTaken);
  CHECK(t.has(tx_set(1)));  // three nodes by now
  CHECK_FALSE(t.has(tx_set(2)));
}

TEST_CASE("each item counts with its overhead: a budget is met exactly and not passed", "[item_store]") {
  Store t({.tx_set_bytes_max = 2000, .quorum_set_bytes_max = 1000});
  CHECK(t.put(quorum_set(9), 1000) == Put::kTaken);
  CHECK(t.put(tx_set(1), 1000) == Put::kTaken);
  CHECK(t.put(tx_set(2), 1000) == Put::kTaken);
  CHECK(t.store.bytes(ItemKind::kTxSet) == 2000);
  CHECK(t.metrics.items_evicted == 0);
  CHECK(t.put(tx_set(3), 520) == Put::kTaken);
  CHECK_FALSE(t.has(tx_set(1)));
  CHECK(t.has(tx_set(2)));
  CHECK(t.has(quorum_set(9)));
  CHECK(t.metrics.items_evicted == 1);
  CHECK(t.store.bytes(ItemKind::kTxSet) == 1520);
}

TEST_CASE("an item as large as the budget is taken, a larger one is refused and evicts nothing", "[item_store]") {
  Store t({.tx_set_bytes_max = 2000});
  CHECK(t.put(tx_set(1), 1999) == Put::kTaken);
  CHECK(t.put(tx_set(2), 2001, references(8)) == Put::kRefused);
  CHECK(t.metrics.items_refused == 1);
  CHECK(t.has(tx_set(1)));
  CHECK(t.put(tx_set(3), 2000) == Put::kTaken);
  CHECK(t.store.size(ItemKind::kTxSet) == 1);
  CHECK_FALSE(t.store.refer(tx_set(2), references(1)[0]));
}

TEST_CASE("the item goes that the fewest nodes refer to, of equals the one put first", "[item_store]") {
  Store t({.tx_set_bytes_max = 4000});
  t.put(tx_set(1), 1000, references(3));
  t.put(tx_set(2), 1000, references(1));
  t.put(tx_set(3), 1000, references(2));
  t.put(tx_set(4), 1000, references(1));
  CHECK(t.put(tx_set(5), 1000, references(1)) == Put::kTaken);
  CHECK_FALSE(t.has(tx_set(2)));
  CHECK(t.put(tx_set(6), 1000, references(1)) == Put::kTaken);
  CHECK_FALSE(t.has(tx_set(4)));
  CHECK(t.put(tx_set(7), 3000, references(3)) == Put::kTaken);
  CHECK(t.has(tx_set(1)));
  CHECK(t.store.size(ItemKind::kTxSet) == 2);
}

TEST_CASE("an item less wanted than what would have to go is refused, and nothing goes", "[item_store]") {
  Store t({.tx_set_bytes_max = 3000});
  t.put(tx_set(1), 1000, references(1));
  t.put(tx_set(2), 2000, references(3));
  CHECK(t.put(tx_set(3), 2000, references(2)) == Put::kRefused);  // the one with three would have to go too
  CHECK(t.put(tx_set(4), 1000) == Put::kRefused);
  CHECK(t.metrics.items_refused == 2);
  CHECK(t.metrics.items_evicted == 0);
  CHECK((t.has(tx_set(1)) && t.has(tx_set(2))));
  CHECK(t.put(tx_set(5), 1000, references(1)) == Put::kTaken);  // as wanted as the first, and newer
  CHECK_FALSE(t.has(tx_set(1)));
}

TEST_CASE("what one node makes up, however much, pushes out nothing that two name", "[item_store]") {
  Store t({.tx_set_bytes_max = 10'000});
  t.put(tx_set(1), 1000, references(2));
  for (std::uint8_t i = 10; i < 110; ++i) {
    std::vector<Reference> one_node;
    for (std::uint64_t slot = 1; slot < 20; ++slot) one_node.push_back({slot, test::make_node(66)});
    t.put(tx_set(i), 1000, one_node);
  }
  CHECK(t.has(tx_set(1)));
  CHECK(t.metrics.items_evicted == 91);
}

TEST_CASE("a further envelope that names an item makes it more wanted", "[item_store]") {
  Store t({.tx_set_bytes_max = 2000});
  t.put(tx_set(1), 1000, references(1));
  t.put(tx_set(2), 1000, references(1));
  CHECK(t.store.refer(tx_set(1), {10, test::make_node(2)}));
  CHECK_FALSE(t.store.refer(quorum_set(1), {10, test::make_node(2)}));
  CHECK(t.put(tx_set(3), 1000, references(2)) == Put::kTaken);
  CHECK(t.has(tx_set(1)));
  CHECK_FALSE(t.has(tx_set(2)));
}

TEST_CASE("of a node only the latest slot counts", "[item_store]") {
  Store t({.tx_set_bytes_max = 2000});
  t.put(tx_set(1), 1000, references(1, 20));
  t.put(tx_set(2), 1000, references(1, 10));
  t.store.refer(tx_set(1), {5, test::make_node(1)});   // an older envelope, late
  t.store.refer(tx_set(2), {25, test::make_node(1)});  // a newer one
  t.store.forget_outside({15, UINT64_MAX, 0});
  CHECK(t.put(tx_set(3), 1000) == Put::kRefused);  // both are still named
  t.store.forget_outside({25, UINT64_MAX, 0});
  CHECK(t.put(tx_set(3), 1000) == Put::kTaken);
  CHECK_FALSE(t.has(tx_set(1)));
  CHECK(t.has(tx_set(2)));
}

TEST_CASE("references of older slots end, those of the kept slot do not; items stay and go first", "[item_store]") {
  Store t({.tx_set_bytes_max = 3000});
  t.put(tx_set(1), 1000, references(8, 63));  // the checkpoint
  t.put(tx_set(2), 1000, references(8, 99));
  t.put(tx_set(3), 1000, references(1, 100));
  t.store.forget_outside({100, UINT64_MAX, 63});
  CHECK(t.store.size(ItemKind::kTxSet) == 3);
  CHECK(t.put(tx_set(4), 1000, references(2, 100)) == Put::kTaken);
  CHECK_FALSE(t.has(tx_set(2)));
  CHECK(t.put(tx_set(5), 1000, references(2, 100)) == Put::kTaken);
  CHECK_FALSE(t.has(tx_set(3)));
  CHECK(t.has(tx_set(1)));
}

TEST_CASE("references of slots beyond the window end too: none holds its item for good", "[item_store]") {
  Store t({.tx_set_bytes_max = 2000});
  t.put(tx_set(1), 1000, references(8, UINT64_MAX));
  t.put(tx_set(2), 1000, references(8, 0));
  t.store.forget_outside({100, 200, 0});
  CHECK(t.put(tx_set(3), 1000, references(1, 200)) == Put::kTaken);
  CHECK(t.put(tx_set(4), 1000, references(1, 100)) == Put::kTaken);
  CHECK_FALSE(t.has(tx_set(1)));
  CHECK_FALSE(t.has(tx_set(2)));
  t.store.forget_outside({100, 200, 0});
  CHECK(t.put(tx_set(5), 1000) == Put::kRefused);  // both ends of the window are inside
}

TEST_CASE("at most eight nodes are told apart for an item", "[item_store]") {
  static_assert(kReferencesMax == 8);
  Store t({.tx_set_bytes_max = 2000});
  t.put(tx_set(1), 1000, references(9));
  t.put(tx_set(2), 1000, references(8));
  t.store.refer(tx_set(1), {10, test::make_node(100)});
  CHECK(t.put(tx_set(3), 1000, references(20)) == Put::kTaken);
  CHECK_FALSE(t.has(tx_set(1)));  // equal by count, so the one put first
  t.store.check_invariants();
}

TEST_CASE("real sets count with the bytes that a peer is sent", "[item_store]") {
  Store t;
  const MessagePtr set = test::make_tx_set(1, 5000);
  const MessagePtr quorum = test::make_quorum_set(1);
  t.store.put(test::item_id_of(*set), set, {});
  t.store.put(test::item_id_of(*quorum), quorum, {});
  CHECK(t.store.bytes(ItemKind::kTxSet) == set->size() + kItemOverheadBytes);
  CHECK(t.store.bytes(ItemKind::kQuorumSet) == quorum->size() + kItemOverheadBytes);
  CHECK(t.store.find(test::item_id_of(*set)) == set);
  CHECK(t.store.find(test::item_id_of(*quorum)) == quorum);
}

TEST_CASE("what our client put stays before what several nodes name", "[item_store]") {
  FetchMetrics metrics;
  const NodeId own = test::make_node(9);
  ItemStore store({.tx_set_bytes_max = 4 * (400 + kItemOverheadBytes), .own = own}, metrics);
  const auto put = [&](std::uint64_t number, const std::vector<NodeId>& nodes) {
    std::vector<Reference> references;
    for (const NodeId& node : nodes) references.push_back({5, node});
    const MessagePtr set = test::make_tx_set(number, 400);
    store.put(test::item_id_of(*set), set, references);
    return test::item_id_of(*set);
  };
  const ItemId ours = put(1, {own});
  for (std::uint64_t i = 2; i < 12; ++i) put(i, {test::make_node(1), test::make_node(2)});
  CHECK(metrics.items_evicted > 0);
  CHECK(store.find(ours) != nullptr);
  store.forget_outside({6, 100, 0});
  for (std::uint64_t i = 20; i < 30; ++i) put(i, {test::make_node(1)});
  CHECK(store.find(ours) == nullptr);
}

}  // namespace
}  // namespace overlayd::fetch
