#include "core/peer/send_queue.h"

#include <catch2/catch.hpp>

#include "core/wire/values.h"
#include "tests/support/messages.h"

using namespace overlayd;
using namespace overlayd::peer;
using wire::MessageType;

namespace {

const NetworkId kNetwork{};

MessagePtr advert(std::size_t hashes) {
  return wire::Message::adopt(wire::write_flood_advert(std::vector<TxFullHash>(hashes)), kNetwork);
}
MessagePtr demand(std::size_t hashes) {
  return wire::Message::adopt(wire::write_flood_demand(std::vector<TxFullHash>(hashes)), kNetwork);
}

struct Fixture {
  FlowControlMetrics metrics;
  SendQueue queue{metrics};
  SendQueueLimits limits;
  OutboundCredit credit;
  std::vector<MessagePtr> sent;
  Instant now;

  Fixture() { static_cast<void>(credit.grant({1'000'000, 1'000'000'000})); }
  void push(const MessagePtr& message) {
    queue.push(message, now, limits);
    queue.check_invariants();
  }
  void take() {
    sent.clear();
    queue.take(credit, now, sent);
    queue.check_invariants();
  }
};

}  // namespace

TEST_CASE("SCP leaves first, then transactions, demands, adverts", "[send_queue]") {
  Fixture f;
  f.push(advert(1));
  f.push(demand(1));
  f.push(test::make_transaction(kNetwork, 1));
  f.push(test::make_scp(kNetwork, {.node = test::make_node(1)}));
  f.take();
  REQUIRE(f.sent.size() == 4);
  CHECK(f.sent[0]->type() == MessageType::kScpMessage);
  CHECK(f.sent[1]->type() == MessageType::kTransaction);
  CHECK(f.sent[2]->type() == MessageType::kFloodDemand);
  CHECK(f.sent[3]->type() == MessageType::kFloodAdvert);
  CHECK(f.queue.size() == 0);
}

TEST_CASE("a queue without credit stops, the next is still tried", "[send_queue]") {
  Fixture f;
  OutboundCredit credit;
  const MessagePtr big = test::make_transaction(kNetwork, 1, 5000);
  const MessagePtr small = advert(1);
  static_cast<void>(credit.grant({10, 1000}));
  f.push(big);
  f.push(test::make_transaction(kNetwork, 2, 300));
  f.push(small);
  CHECK(f.queue.take(credit, f.now, f.sent));
  REQUIRE(f.sent.size() == 1);
  CHECK(f.sent[0] == small);
  CHECK(f.queue.size() == 2);
}

TEST_CASE("a transaction over the maximum is never queued", "[send_queue]") {
  Fixture f;
  const MessagePtr transaction = test::make_transaction(kNetwork, 1);
  f.limits.max_tx_size = static_cast<std::uint32_t>(transaction->size());
  f.push(transaction);
  CHECK(f.queue.size() == 1);
  f.limits.max_tx_size -= 1;
  f.push(test::make_transaction(kNetwork, 2));
  CHECK(f.queue.size() == 1);
  CHECK(f.metrics.oversized_transactions == 1);
}

TEST_CASE("the transaction queue is cleared past the ledger's operations", "[send_queue]") {
  Fixture f;
  f.limits.max_tx_set_ops = 10;
  for (std::uint64_t i = 0; i < 10; ++i) f.push(test::make_transaction(kNetwork, i));
  CHECK(f.queue.size() == 10);
  f.push(test::make_transaction(kNetwork, 10));
  CHECK(f.queue.size() == 0);
  CHECK(f.queue.transaction_bytes() == 0);
  CHECK(f.metrics.of(FloodQueue::kTransaction).dropped == 11);
}

TEST_CASE("the transaction queue is cleared past 3 MiB", "[send_queue]") {
  Fixture f;
  f.limits.max_tx_set_ops = 1'000'000;
  const MessagePtr transaction = test::make_transaction(kNetwork, 1, 5000);
  const std::size_t fit = limits::kTxQueueBytesMax / transaction->size();
  for (std::size_t i = 0; i < fit; ++i) f.push(transaction);
  CHECK(f.queue.size() == fit);
  f.push(transaction);
  CHECK(f.queue.size() == 0);
}

TEST_CASE("demands and adverts are cleared past the ledger's operations in hashes", "[send_queue]") {
  Fixture f;
  f.limits.max_tx_set_ops = 100;
  f.push(advert(60));
  f.push(advert(40));
  f.push(demand(100));
  CHECK(f.queue.size() == 3);
  f.push(advert(1));
  CHECK(f.queue.size() == 1);
  CHECK(f.metrics.of(FloodQueue::kAdvert).dropped == 101);
  f.push(demand(1));
  CHECK(f.queue.size() == 0);
  CHECK(f.metrics.of(FloodQueue::kDemand).dropped == 101);
}

TEST_CASE("SCP below the lowest slot goes, the checkpoint stays", "[send_queue]") {
  Fixture f;
  const NodeId node = test::make_node(1);
  for (std::uint64_t slot = 60; slot < 70; ++slot) f.push(test::make_scp(kNetwork, {.node = node, .slot = slot}));
  f.limits.lowest_slot = 68;
  f.limits.checkpoint_slot = 63;
  f.push(test::make_scp(kNetwork, {.node = node, .slot = 70}));
  f.take();
  CHECK(f.sent.size() == 4);  // 63, 68, 69, 70
  CHECK(f.metrics.of(FloodQueue::kScp).dropped == 7);
}

TEST_CASE("SCP of a former checkpoint goes when the checkpoint moves on", "[send_queue]") {
  Fixture f;
  const NodeId node = test::make_node(1);
  f.limits.lowest_slot = 68;
  f.limits.checkpoint_slot = 63;
  f.push(test::make_scp(kNetwork, {.node = node, .slot = 63}));
  REQUIRE(f.queue.size() == 1);
  f.limits.checkpoint_slot = 64;
  f.push(test::make_scp(kNetwork, {.node = node, .slot = 64}));
  CHECK(f.queue.size() == 1);
  CHECK(f.metrics.of(FloodQueue::kScp).dropped == 1);
}

TEST_CASE("a newer statement of the same node and slot takes the older one's place", "[send_queue]") {
  Fixture f;
  const NodeId a = test::make_node(1);
  const MessagePtr other = test::make_scp(kNetwork, {.node = test::make_node(2)});
  const MessagePtr newer = test::make_scp(kNetwork, {.node = a, .slot = 1, .ballot_counter = 2});
  f.push(test::make_scp(kNetwork, {.node = a, .slot = 1, .ballot_counter = 1}));
  f.push(other);
  f.push(newer);
  f.take();
  REQUIRE(f.sent.size() == 2);
  CHECK(f.sent[0] == newer);
  CHECK(f.sent[1] == other);
}

TEST_CASE("an older statement replaces nothing", "[send_queue]") {
  Fixture f;
  const NodeId a = test::make_node(1);
  f.push(test::make_scp(kNetwork, {.node = a, .slot = 1, .ballot_counter = 2}));
  f.push(test::make_scp(kNetwork, {.node = a, .slot = 1, .ballot_counter = 1}));
  CHECK(f.queue.size() == 2);
}

TEST_CASE("SCP is not shed as a whole but has an end", "[send_queue]") {
  Fixture f;
  for (std::uint64_t i = 0; i < kScpQueueMax; ++i)
    f.queue.push(test::make_scp(kNetwork, {.node = test::make_node(i)}), Instant(), f.limits);
  CHECK(f.queue.size() == kScpQueueMax);
  f.push(test::make_scp(kNetwork, {.node = test::make_node(kScpQueueMax)}));
  CHECK(f.queue.size() == kScpQueueMax);
  CHECK(f.metrics.of(FloodQueue::kScp).dropped == 1);
}

TEST_CASE("SCP statements of one node and slot cannot pile up", "[send_queue]") {
  Fixture f;
  const NodeId node = test::make_node(1);
  // Falling counters: none supersedes those before it.
  for (std::uint32_t i = 0; i < 20; ++i) f.push(test::make_scp(kNetwork, {.node = node, .ballot_counter = 100 - i}));
  CHECK(f.queue.size() == kScpPerNodeAndSlotMax);
  CHECK(f.metrics.of(FloodQueue::kScp).dropped == 20 - kScpPerNodeAndSlotMax);
}

TEST_CASE("SCP bytes are bounded, the oldest go", "[send_queue]") {
  Fixture f;
  const MessagePtr large = test::make_scp(kNetwork, {.node = test::make_node(0), .value_bytes = 250'000});
  const std::size_t fit = kScpQueueBytesMax / large->size();
  for (std::uint64_t i = 0; i < fit; ++i)
    f.push(test::make_scp(kNetwork, {.node = test::make_node(i), .value_bytes = 250'000}));
  CHECK(f.queue.size() == fit);
  const MessagePtr last = test::make_scp(kNetwork, {.node = test::make_node(fit), .value_bytes = 250'000});
  f.push(last);
  CHECK(f.queue.size() == fit);
  f.take();
  CHECK(f.sent.back() == last);
}

TEST_CASE("the limit of the transaction queue in bytes is the one that was configured", "[send_queue]") {
  Fixture f;
  const MessagePtr transaction = test::make_transaction(kNetwork, 1);
  f.limits.tx_queue_bytes_max = 2 * transaction->size();
  f.push(transaction);
  f.push(test::make_transaction(kNetwork, 2));
  CHECK(f.queue.size() == 2);
  f.push(test::make_transaction(kNetwork, 3));
  CHECK(f.queue.size() == 0);
  CHECK(f.metrics.of(FloodQueue::kTransaction).dropped == 3);
}

TEST_CASE("how long each message waited, and each queue lacked credit, is measured", "[send_queue]") {
  Fixture f;
  f.credit = {};
  f.push(test::make_transaction(kNetwork, 1));
  f.push(advert(1));
  f.take();
  f.now = Instant(milliseconds(20));
  f.push(test::make_transaction(kNetwork, 2));
  f.take();
  f.now = Instant(milliseconds(30));
  REQUIRE_FALSE(f.credit.grant({1, 1'000'000}));
  f.take();
  CHECK(f.sent.size() == 1);
  const FloodQueueMetrics& transactions = f.metrics.of(FloodQueue::kTransaction);
  CHECK(transactions.delay.count() == 1);
  CHECK(transactions.delay.sum == milliseconds(30));
  CHECK(transactions.throttled == Duration(0));  // the second one still waits
  f.now = Instant(milliseconds(50));
  REQUIRE_FALSE(f.credit.grant({2, 1'000'000}));
  f.take();
  CHECK(f.sent.size() == 2);
  CHECK(transactions.delay.sum == milliseconds(30 + 30));
  CHECK(transactions.throttled == milliseconds(50));
  CHECK(f.metrics.of(FloodQueue::kAdvert).delay.sum == milliseconds(50));
  CHECK(f.metrics.of(FloodQueue::kAdvert).throttled == milliseconds(50));
  CHECK(f.metrics.of(FloodQueue::kScp).delay.count() == 0);
  f.now = Instant(milliseconds(90));
  f.take();
  CHECK(transactions.throttled == milliseconds(50));  // nothing waited
}

TEST_CASE("SCP bytes are bounded when statements are replaced by larger ones", "[send_queue]") {
  Fixture f;
  const std::size_t large_bytes = test::make_scp(kNetwork, {.node = {}, .value_bytes = 250'000})->size();
  const std::uint64_t nodes = 2 * (kScpQueueBytesMax / large_bytes);
  for (std::uint64_t i = 0; i < nodes; ++i) f.push(test::make_scp(kNetwork, {.node = test::make_node(i)}));
  REQUIRE(f.queue.size() == nodes);
  for (std::uint64_t i = 0; i < nodes; ++i) {
    f.push(test::make_scp(kNetwork, {.node = test::make_node(i), .ballot_counter = 2, .value_bytes = 250'000}));
    REQUIRE(f.queue.scp_bytes() <= kScpQueueBytesMax);
  }
  CHECK(f.queue.size() == kScpQueueBytesMax / large_bytes);
}
