#include "core/flood/tx_pool.h"

#include <catch2/catch.hpp>

#include "core/wire/message.h"

namespace overlayd::flood {
namespace {

void put_u32(Bytes& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

// TRANSACTION: a v1 envelope that bumps a sequence number, with one signature of 64 bytes. `contents` makes its hash,
// `signature` makes another envelope of the same hash.
MessagePtr transaction(std::uint32_t contents, std::uint32_t signature = 0) {
  Bytes xdr;
  for (const std::uint32_t word : {8U, 2U, 0U}) put_u32(xdr, word);  // TRANSACTION, ENVELOPE_TYPE_TX, KEY_TYPE_ED25519
  xdr.insert(xdr.end(), 32, 7);
  for (const std::uint32_t word : {100U, 0U, contents, 0U, 0U})
    put_u32(xdr, word);                                                          // fee, sequence, no conditions, memo
  for (const std::uint32_t word : {1U, 0U, 11U, 0U, 5U}) put_u32(xdr, word);     // one BUMP_SEQUENCE
  for (const std::uint32_t word : {0U, 1U, signature, 64U}) put_u32(xdr, word);  // ext, one signature, its hint
  xdr.insert(xdr.end(), 64, 9);
  return wire::Message::adopt(std::move(xdr), NetworkId{});
}

struct Pool {
  TxFloodMetrics metrics;
  TxPool pool;
  explicit Pool(const TxPoolOptions& options = {}) : pool(options, metrics) {}
};

const std::size_t kCost = transaction(1)->size() + limits::kTxPoolEntryBytes;

TEST_CASE("pending transactions are known but not given out, accepted ones are both", "[tx_pool]") {
  Pool t;
  const MessagePtr tx = transaction(1);
  REQUIRE(t.pool.add(tx, 10, TxState::kPending) == TxAdded::kAdded);
  REQUIRE(t.pool.is_known_or_banned(tx->tx_full_hash()));
  REQUIRE(t.pool.find_accepted(tx->tx_full_hash()) == nullptr);
  REQUIRE(t.pool.add(tx, 10, TxState::kPending) == TxAdded::kKnown);
  REQUIRE(t.pool.accept(tx->tx_hash()) == std::vector{tx});
  REQUIRE(t.pool.accept(tx->tx_hash()).empty());
  REQUIRE(t.pool.find_accepted(tx->tx_full_hash()) == tx);
  REQUIRE(t.pool.accepted(10) == std::vector{tx});
  REQUIRE(t.pool.accepted(0).empty());
  t.pool.check_invariants();
}

TEST_CASE("adding a pending transaction as accepted accepts it", "[tx_pool]") {
  Pool t;
  const MessagePtr tx = transaction(1);
  REQUIRE(t.pool.add(tx, 10, TxState::kPending) == TxAdded::kAdded);
  REQUIRE(t.pool.add(transaction(1), 10, TxState::kAccepted) == TxAdded::kKnown);
  REQUIRE(t.pool.find_accepted(tx->tx_full_hash()) == tx);
  REQUIRE(t.pool.size() == 1);
  t.pool.check_invariants();
}

TEST_CASE("verdicts by hash reach every envelope of it", "[tx_pool]") {
  Pool t;
  const MessagePtr one = transaction(1, 1);
  const MessagePtr two = transaction(1, 2);
  REQUIRE(one->tx_hash() == two->tx_hash());
  REQUIRE(one->tx_full_hash() != two->tx_full_hash());
  REQUIRE(t.pool.add(one, 10, TxState::kPending) == TxAdded::kAdded);
  REQUIRE(t.pool.add(two, 10, TxState::kPending) == TxAdded::kAdded);
  REQUIRE(t.pool.accept(one->tx_hash()).size() == 2);
  REQUIRE(t.pool.remove(one->tx_hash()).size() == 2);
  REQUIRE(t.pool.size() == 0);
  REQUIRE(t.pool.bytes() == 0);
  REQUIRE_FALSE(t.pool.is_known_or_banned(one->tx_full_hash()));  // rejected, not banned
  t.pool.check_invariants();
}

TEST_CASE("a banned transaction is neither taken nor asked for, under any envelope seen", "[tx_pool]") {
  Pool t;
  const MessagePtr one = transaction(1, 1);
  const MessagePtr two = transaction(1, 2);
  REQUIRE(t.pool.add(one, 10, TxState::kAccepted) == TxAdded::kAdded);
  REQUIRE(t.pool.ban(one->tx_hash(), 10) == std::vector{one});
  REQUIRE(t.pool.find_accepted(one->tx_full_hash()) == nullptr);
  REQUIRE(t.pool.is_banned(one->tx_full_hash()));
  REQUIRE_FALSE(t.pool.is_banned(two->tx_full_hash()));
  REQUIRE(t.pool.add(one, 11, TxState::kAccepted) == TxAdded::kBanned);
  REQUIRE(t.pool.add(two, 11, TxState::kAccepted) == TxAdded::kBanned);
  REQUIRE(t.pool.is_known_or_banned(two->tx_full_hash()));
  t.pool.set_ledger(19);
  REQUIRE(t.pool.is_banned(one->tx_hash()));
  t.pool.set_ledger(20);
  REQUIRE_FALSE(t.pool.is_banned(one->tx_hash()));
  REQUIRE_FALSE(t.pool.is_known_or_banned(one->tx_full_hash()));
  REQUIRE_FALSE(t.pool.is_known_or_banned(two->tx_full_hash()));
  t.pool.check_invariants();
}

TEST_CASE("applied and banned transactions leave with their ledger and stay out", "[tx_pool]") {
  Pool t;
  const MessagePtr applied = transaction(1);
  const MessagePtr banned = transaction(2);
  for (const MessagePtr& tx : {applied, banned}) REQUIRE(t.pool.add(tx, 10, TxState::kAccepted) == TxAdded::kAdded);
  t.pool.set_ledger(11);
  for (const MessagePtr& tx : {applied, banned}) REQUIRE(t.pool.ban(tx->tx_hash(), 11) == std::vector{tx});
  REQUIRE(t.pool.size() == 0);
  REQUIRE(t.pool.is_banned(applied->tx_full_hash()));
  REQUIRE(t.pool.is_banned(banned->tx_full_hash()));
}

TEST_CASE("a transaction is held for ten ledgers, counted from the first ledger known", "[tx_pool]") {
  Pool t;
  REQUIRE(t.pool.add(transaction(1), 0, TxState::kAccepted) == TxAdded::kAdded);
  t.pool.set_ledger(0);
  t.pool.set_ledger(1000);
  REQUIRE(t.pool.add(transaction(2), 1001, TxState::kPending) == TxAdded::kAdded);
  t.pool.set_ledger(1009);
  REQUIRE(t.pool.size() == 2);
  t.pool.set_ledger(1010);
  REQUIRE(t.pool.size() == 1);
  t.pool.set_ledger(1011);
  REQUIRE(t.pool.size() == 0);
  t.pool.check_invariants();
}

TEST_CASE("of more than can be freed at once, nothing too old is known", "[tx_pool]") {
  Pool t;
  for (std::uint32_t i = 0; i < 600; ++i) {
    REQUIRE(t.pool.add(transaction(i), 10, TxState::kAccepted) == TxAdded::kAdded);
    REQUIRE(t.pool.add(transaction(1000 + i), 10, TxState::kAccepted) == TxAdded::kAdded);
    REQUIRE(t.pool.ban(transaction(1000 + i)->tx_hash(), 10).size() == 1);
  }
  t.pool.set_ledger(20);
  REQUIRE(t.pool.size() == 600 - 256);
  REQUIRE(t.pool.ban_count() == 600 - 256);
  const MessagePtr late = transaction(599);
  REQUIRE_FALSE(t.pool.is_known(late->tx_full_hash()));
  REQUIRE(t.pool.find_accepted(late->tx_full_hash()) == nullptr);
  REQUIRE(t.pool.find(late->flood_hash()) == nullptr);
  REQUIRE(t.pool.accepted(1000).empty());
  REQUIRE_FALSE(t.pool.is_banned(transaction(1599)->tx_hash()));
  REQUIRE_FALSE(t.pool.is_banned(transaction(1599)->tx_full_hash()));
  // It may come again, and is then as new as any other.
  REQUIRE(t.pool.add(late, 20, TxState::kPending) == TxAdded::kAdded);
  REQUIRE(t.pool.is_known(late->tx_full_hash()));
  for (std::uint32_t i = 0; i < 300; ++i)
    REQUIRE(t.pool.add(transaction(2000 + i), 20, TxState::kPending) == TxAdded::kAdded);
  REQUIRE(t.pool.size() == 301);
  REQUIRE(t.pool.ban_count() == 0);
  t.pool.check_invariants();
}

TEST_CASE("what was held for its time is not demanded for as long again", "[tx_pool]") {
  Pool t;
  for (std::uint32_t i = 0; i < 300; ++i)
    REQUIRE(t.pool.add(transaction(i), 10, i % 2 == 0 ? TxState::kPending : TxState::kAccepted) == TxAdded::kAdded);
  REQUIRE_FALSE(t.pool.was_let_go(transaction(0)->tx_full_hash()));
  t.pool.set_ledger(20);
  for (std::uint32_t i = 0; i < 300; ++i) {  // in memory still, or not
    REQUIRE(t.pool.was_let_go(transaction(i)->tx_full_hash()));
    REQUIRE(t.pool.is_known_or_banned(transaction(i)->tx_full_hash()));
    REQUIRE_FALSE(t.pool.is_known(transaction(i)->tx_full_hash()));
  }
  t.pool.set_ledger(21);
  t.pool.set_ledger(29);
  REQUIRE(t.pool.is_known_or_banned(transaction(0)->tx_full_hash()));
  REQUIRE_FALSE(t.pool.is_known_or_banned(transaction(1000)->tx_full_hash()));
  // A client may give it once more.
  REQUIRE(t.pool.add(transaction(0), 29, TxState::kAccepted) == TxAdded::kAdded);
  REQUIRE(t.pool.is_known(transaction(0)->tx_full_hash()));
  t.pool.set_ledger(31);
  REQUIRE_FALSE(t.pool.is_known_or_banned(transaction(2)->tx_full_hash()));
  t.pool.check_invariants();
}

TEST_CASE("a pending transaction makes room among pending ones only", "[tx_pool]") {
  Pool t({.bytes_max = 3 * kCost});
  REQUIRE(t.pool.add(transaction(1), 1, TxState::kAccepted) == TxAdded::kAdded);
  REQUIRE(t.pool.add(transaction(2), 1, TxState::kPending) == TxAdded::kAdded);
  REQUIRE(t.pool.add(transaction(3), 1, TxState::kPending) == TxAdded::kAdded);
  REQUIRE(t.metrics.pool_evicted == 0);
  REQUIRE(t.pool.add(transaction(4), 1, TxState::kPending) == TxAdded::kAdded);
  REQUIRE(t.metrics.pool_evicted == 1);
  REQUIRE_FALSE(t.pool.is_known(transaction(2)->tx_full_hash()));
  REQUIRE(t.pool.is_known(transaction(3)->tx_full_hash()));
  t.pool.accept(transaction(3)->tx_hash());
  t.pool.accept(transaction(4)->tx_hash());
  REQUIRE(t.pool.add(transaction(5), 1, TxState::kPending) == TxAdded::kRefused);
  REQUIRE(t.metrics.pool_refused == 1);
  REQUIRE(t.pool.add(transaction(6), 1, TxState::kAccepted) == TxAdded::kAdded);
  REQUIRE_FALSE(t.pool.is_known(transaction(1)->tx_full_hash()));
  REQUIRE(t.pool.bytes() == 3 * kCost);
  t.pool.check_invariants();
}

TEST_CASE("a transaction larger than the pool is refused, one as large as the pool is not", "[tx_pool]") {
  Pool small({.bytes_max = kCost - 1});
  REQUIRE(small.pool.add(transaction(1), 1, TxState::kAccepted) == TxAdded::kRefused);
  Pool exact({.bytes_max = kCost});
  REQUIRE(exact.pool.add(transaction(1), 1, TxState::kAccepted) == TxAdded::kAdded);
}

TEST_CASE("one ban over the limit lifts the oldest", "[tx_pool]") {
  Pool t({.bans_max = 2});
  t.pool.ban(transaction(1)->tx_hash(), 1);
  t.pool.ban(transaction(2)->tx_hash(), 1);
  REQUIRE(t.pool.ban_count() == 2);
  t.pool.ban(transaction(1)->tx_hash(), 2);  // renewed: 2 is the oldest now
  t.pool.ban(transaction(3)->tx_hash(), 2);
  REQUIRE(t.pool.ban_count() == 2);
  REQUIRE(t.pool.is_banned(transaction(1)->tx_hash()));
  REQUIRE_FALSE(t.pool.is_banned(transaction(2)->tx_hash()));
  t.pool.check_invariants();
}

}  // namespace
}  // namespace overlayd::flood
