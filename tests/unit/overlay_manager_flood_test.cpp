// What flooding shares between components: signatures, the clients' window, the work of a new ledger.
#include "core/overlay_manager.h"
#include "overlay_fixture.h"

using namespace overlayd;
using Fixture = OverlayFixture;

namespace {

const std::uint64_t kCost = test::make_transaction({}, 1)->size() + limits::kEventOverheadBytes;

void set_window(Fixture& f, std::uint64_t transactions, std::uint64_t reserve = 0) {
  f.give(TransactionTakers{true, {.published_bytes_max = transactions * kCost, .reserve_bytes = reserve * kCost}});
}

std::vector<TxFullHash> demanded(const Fixture& f) {
  std::vector<TxFullHash> all;
  for (const Send& send : f.find<Send>()) {
    if (send.message->type() != MessageType::kFloodDemand) continue;
    const auto hashes = wire::read_tx_hashes(send.message->xdr());
    all.insert(all.end(), hashes->begin(), hashes->end());
  }
  return all;
}

}  // namespace

TEST_CASE("an envelope whose signature was found wrong is not checked again", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  const MessagePtr scp = test::make_scp({}, {.node = test::make_node(7)});
  f.receive(a, scp);
  REQUIRE(f.find<VerifyScp>().size() == 1);
  f.give(ScpVerified{scp->flood_hash(), false});
  for (int i = 0; i < 500; ++i) {
    f.receive(a, scp);
    REQUIRE(f.find<VerifyScp>().empty());
    REQUIRE(f.find<PublishMessage>().empty());
  }
  CHECK(f.overlay->metrics().scp.verify_cached == 500);
  CHECK(f.overlay->metrics().scp.invalid_signature == 501);
  CHECK(f.dropped(DropReason::kOverCapacity) == 0);  // its credit came back each time
}

TEST_CASE("an envelope that comes again after its record went is relayed without a second check", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  const MessagePtr scp = test::make_scp({}, {.node = test::make_node(7), .slot = 100});
  f.give(LedgerUpdated{ledger_at(99), {}, {}});
  f.receive(a, scp);
  f.give(ScpVerified{scp->flood_hash(), true});
  LedgerView later = ledger_at(200);
  later.lowest_slot = 100;
  f.give(LedgerUpdated{later, {}, {}});
  f.connect(2);
  f.receive(a, scp);
  CHECK(f.find<VerifyScp>().empty());
  CHECK(f.find<PublishMessage>().size() == 1);
  CHECK(f.sent().size() == 1);
}

TEST_CASE("a transaction without room in the event log waits, and so does its credit", "[overlay_manager]") {
  Fixture f;
  set_window(f, 10);
  const PeerId a = f.connect(1);
  const auto sends_credit = [&] {
    const auto sent = f.sent();
    return std::find(sent.begin(), sent.end(), std::pair{a, MessageType::kSendMoreExtended}) != sent.end();
  };
  std::size_t published = 0;
  for (std::uint64_t i = 0; i < 60; ++i) {
    f.receive(a, test::make_transaction({}, i));
    published += f.find<PublishMessage>().size();
    CHECK_FALSE(sends_credit());
  }
  CHECK(published == 10);
  set_window(f, 39);
  CHECK(f.find<PublishMessage>().size() == 29);
  CHECK_FALSE(sends_credit());
  set_window(f, 40);
  CHECK(f.find<PublishMessage>().size() == 1);
  CHECK(sends_credit());
  set_window(f, 60);
  const auto last = f.find<PublishMessage>();
  REQUIRE(last.size() == 20);
  CHECK(last.back().message->tx_hash() == test::make_transaction({}, 59)->tx_hash());
  CHECK(f.overlay->metrics().tx.transactions_waited == 50);
}

TEST_CASE("SCP messages of a peer whose transactions wait are relayed", "[overlay_manager]") {
  Fixture f;
  set_window(f, 0);
  const PeerId a = f.connect(1);
  for (std::uint64_t i = 0; i < 100; ++i) f.receive(a, test::make_transaction({}, i));
  const MessagePtr scp = test::make_scp({}, {.node = test::make_node(7)});
  f.receive(a, scp);
  f.give(ScpVerified{scp->flood_hash(), true});
  CHECK(f.find<PublishMessage>().size() == 1);
}

TEST_CASE("a peer that sends on without credit while its transactions wait is dropped", "[overlay_manager]") {
  Fixture f;
  set_window(f, 0);
  const PeerId a = f.connect(1);
  for (std::uint64_t i = 0; i < 200; ++i) f.receive(a, test::make_transaction({}, i));
  CHECK(f.dropped(DropReason::kOverCapacity) == 0);
  f.receive(a, test::make_transaction({}, 200));
  CHECK(f.dropped(DropReason::kOverCapacity) == 1);
  CHECK(f.overlay->status(f.now.instant).flood_records == 0);
  CHECK(f.overlay->status(f.now.instant).tx_pool_transactions == 0);
  // What waited is forgotten with it: another peer's copy is news.
  set_window(f, 1000);
  CHECK(f.find<PublishMessage>().empty());
  const PeerId b = f.connect(2);
  f.receive(b, test::make_transaction({}, 5));
  CHECK(f.find<PublishMessage>().size() == 1);
  CHECK(f.overlay->metrics().tx.transactions_unwaited == 200);
}

TEST_CASE("nothing is demanded while the clients are short of room, and all of it after", "[overlay_manager]") {
  Fixture f;
  set_window(f, 10, 8);
  const PeerId a = f.connect(1);
  for (std::uint64_t i = 0; i < 3; ++i) f.receive(a, test::make_transaction({}, i));
  CHECK_FALSE(f.overlay->status(f.now.instant).is_demanding_transactions);
  const std::vector<TxFullHash> hashes{test::make_full_hash(1), test::make_full_hash(2)};
  f.receive(a, wire::write_flood_advert(hashes));
  CHECK(demanded(f).empty());
  f.now.instant = f.now.instant + seconds(1);
  f.out.clear();
  f.overlay->advance(f.now, f.out);
  CHECK(demanded(f).empty());
  set_window(f, 13, 8);
  f.out.clear();
  f.overlay->advance(f.now, f.out);
  CHECK(demanded(f) == hashes);
}

TEST_CASE("in standalone mode a slow client holds nothing back", "[overlay_manager]") {
  Fixture f(RelayMode::kStandalone);
  set_window(f, 0);
  const PeerId a = f.connect(1);
  f.receive(a, test::make_transaction({}, 1));
  CHECK(f.find<PublishMessage>().size() == 1);
  CHECK(f.overlay->status(f.now.instant).is_demanding_transactions);
}

TEST_CASE("the transactions of a large ledger leave the pool step by step", "[overlay_manager]") {
  Fixture f;
  std::vector<TxHash> applied;
  for (std::uint64_t i = 0; i < 2 * kLedgerWorkMax + 10; ++i) {
    const MessagePtr transaction = test::make_transaction({}, i);
    applied.push_back(transaction->tx_hash());
    f.give(Broadcast{RequestId{i}, transaction});
  }
  const auto pooled = [&] { return f.overlay->status(f.now.instant).tx_pool_transactions; };
  f.overlay->advance(f.now, f.out);  // what else is due
  f.give(LedgerUpdated{ledger_at(10), applied, {}});
  CHECK(pooled() == kLedgerWorkMax + 10);
  const Instant start = f.now.instant;
  const auto pass_a_pause = [&] {
    CHECK(f.overlay->next_deadline() == f.now.instant + kLedgerWorkPause);
    f.overlay->advance(f.now, f.out);  // too early: nothing moves
    const std::uint64_t before = pooled();
    f.now.instant = f.now.instant + kLedgerWorkPause;
    f.overlay->advance(f.now, f.out);
    return before - pooled();
  };
  CHECK(pass_a_pause() == kLedgerWorkMax);
  CHECK(pass_a_pause() == 10);
  CHECK(pooled() == 0);
  CHECK(f.overlay->next_deadline() > start + milliseconds(100));
}

TEST_CASE("a further ledger finishes the work of the one before", "[overlay_manager]") {
  Fixture f;
  std::vector<TxHash> applied;
  for (std::uint64_t i = 0; i < 3 * kLedgerWorkMax; ++i) applied.push_back(test::make_transaction({}, i)->tx_hash());
  f.give(LedgerUpdated{ledger_at(10), applied, {}});
  f.give(LedgerUpdated{ledger_at(11), {}, {}});
  const PeerId a = f.connect(1);
  f.receive(a, test::make_transaction({}, 3 * kLedgerWorkMax - 1));
  CHECK(f.find<PublishMessage>().empty());  // banned, as applied ones are
}

TEST_CASE("a peer that comes back is offered what it was told before its link went", "[overlay_manager]") {
  Fixture f;
  f.connect(1);
  const MessagePtr transaction = test::make_transaction({}, 1);
  f.give(Broadcast{RequestId{1}, transaction});
  REQUIRE(f.sent() == Sent{{Fixture::id(1), MessageType::kFloodAdvert}});
  f.give(LinkClosed{Fixture::id(1), DropReason::kSocketError, ""});
  f.open(2);
  f.receive(Fixture::id(2), f.hello(1), true);
  f.receive(Fixture::id(2), wire::write_auth(200));
  f.receive(Fixture::id(2), wire::write_send_more_extended({1000, 10'000'000}));
  CHECK(f.sent() == Sent{{Fixture::id(2), MessageType::kFloodAdvert}});
}

TEST_CASE("what a peer brought first and what was known is counted in messages and bytes", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  const PeerId b = f.connect(2);
  const MessagePtr transaction = test::make_transaction({}, 1);
  const MessagePtr scp = test::make_scp({}, {.node = test::make_node(7)});
  f.receive(a, transaction);
  f.receive(b, transaction);
  f.receive(b, scp);
  f.receive(a, scp);
  f.receive(a, scp);
  const auto peers = f.overlay->peers(f.now.instant);
  REQUIRE(peers.size() == 2);
  CHECK(peers[0].unique_flood_messages == 1);
  CHECK(peers[0].unique_flood_bytes == transaction->size());
  CHECK(peers[0].duplicate_flood_messages == 2);
  CHECK(peers[0].duplicate_flood_bytes == 2 * scp->size());
  CHECK(peers[1].unique_flood_bytes == scp->size());
  CHECK(peers[1].duplicate_flood_bytes == transaction->size());
}

TEST_CASE("a lowest slot above the ledger does not make what is new at it new for ever", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  LedgerView view = ledger_at(10);
  view.lowest_slot = 50;
  f.give(LedgerUpdated{view, {}, {}});
  const MessagePtr scp = test::make_scp({}, {.node = test::make_node(7), .slot = 60});
  f.receive(a, scp);
  f.give(ScpVerified{scp->flood_hash(), true});
  f.receive(a, scp);
  CHECK(f.find<PublishMessage>().empty());
  CHECK(f.overlay->metrics().flood_gate.duplicate == 1);
}
