#include "core/fetch/item_store.h"

#include <catch2/catch.hpp>

#include "core/wire/message.h"

namespace overlayd::fetch {
namespace {

ItemHash hash(std::uint8_t number) {
  ItemHash made;
  made.bytes[8] = number;
  return made;
}
// An SCP_QUORUMSET of some size; the store does not look inside.
MessagePtr item(std::size_t size) {
  Bytes xdr(size);
  xdr[3] = 10;
  return wire::Message::adopt(std::move(xdr), NetworkId{});
}

TEST_CASE("what was put is found under its kind only", "[item_store]") {
  ItemStore store({});
  const MessagePtr set = item(100);
  REQUIRE(store.put(ItemKind::kTxSet, hash(1), set));
  REQUIRE(store.find(ItemKind::kTxSet, hash(1)) == set);
  REQUIRE(store.find(ItemKind::kQuorumSet, hash(1)) == nullptr);
  REQUIRE(store.find(ItemKind::kTxSet, hash(2)) == nullptr);
}

TEST_CASE("a second item of a hash changes nothing", "[item_store]") {
  ItemStore store({});
  const MessagePtr set = item(100);
  store.put(ItemKind::kTxSet, hash(1), set);
  REQUIRE_FALSE(store.put(ItemKind::kTxSet, hash(1), item(50)));
  REQUIRE(store.find(ItemKind::kTxSet, hash(1)) == set);
  REQUIRE(store.bytes(ItemKind::kTxSet) == 100);
  store.check_invariants();
}

TEST_CASE("one byte over the budget evicts the oldest of the kind", "[item_store]") {
  ItemStore store({.tx_set_bytes_max = 300, .quorum_set_bytes_max = 100});
  store.put(ItemKind::kQuorumSet, hash(9), item(100));
  store.put(ItemKind::kTxSet, hash(1), item(100));
  store.put(ItemKind::kTxSet, hash(2), item(199));
  REQUIRE(store.bytes(ItemKind::kTxSet) == 299);
  REQUIRE(store.evicted_count() == 0);
  store.put(ItemKind::kTxSet, hash(3), item(8));
  REQUIRE(store.find(ItemKind::kTxSet, hash(1)) == nullptr);
  REQUIRE(store.find(ItemKind::kTxSet, hash(2)) != nullptr);
  REQUIRE(store.find(ItemKind::kQuorumSet, hash(9)) != nullptr);
  REQUIRE(store.evicted_count() == 1);
  store.check_invariants();
}

TEST_CASE("an item as large as the budget is taken, a larger one is refused and evicts nothing", "[item_store]") {
  ItemStore store({.tx_set_bytes_max = 300});
  REQUIRE(store.put(ItemKind::kTxSet, hash(1), item(299)));
  REQUIRE_FALSE(store.put(ItemKind::kTxSet, hash(2), item(301)));
  REQUIRE(store.refused_count() == 1);
  REQUIRE(store.size(ItemKind::kTxSet) == 1);
  REQUIRE(store.put(ItemKind::kTxSet, hash(3), item(300)));
  REQUIRE(store.size(ItemKind::kTxSet) == 1);
  store.check_invariants();
}

}  // namespace
}  // namespace overlayd::fetch
