#include "core/peer/flow_control.h"

#include <catch2/catch.hpp>

#include "tests/support/messages.h"

using namespace overlayd;
using namespace overlayd::peer;

namespace {
const NetworkId kNetwork{};
constexpr Instant kStart(seconds(100));
}  // namespace

TEST_CASE("what is queued leaves when the peer grants credit", "[flow_control]") {
  FlowControlMetrics metrics;
  FlowControl flow(kStart, limits::kMaxClassicTxBytes, {}, metrics);
  std::vector<MessagePtr> sent;
  flow.queue(test::make_transaction(kNetwork, 1), kStart, {});
  flow.take_sendable(kStart, sent);
  CHECK(sent.empty());
  REQUIRE_FALSE(flow.on_grant({1, 100'000}));
  flow.take_sendable(kStart, sent);
  CHECK(sent.size() == 1);
}

TEST_CASE("a peer that never grants credit times out after 60 s", "[flow_control]") {
  FlowControlMetrics metrics;
  FlowControl flow(kStart, limits::kMaxClassicTxBytes, {}, metrics);
  CHECK(flow.no_credit_deadline() == kStart + seconds(60));
  REQUIRE_FALSE(flow.on_grant({200, 300'000}));
  CHECK(flow.no_credit_deadline().is_never());
}

TEST_CASE("the clock of a blocked link starts with the first message that waits, not the last", "[flow_control]") {
  FlowControlMetrics metrics;
  FlowControl flow(kStart, limits::kMaxClassicTxBytes, {}, metrics);
  std::vector<MessagePtr> sent;
  REQUIRE_FALSE(flow.on_grant({1, 100'000}));
  flow.queue(test::make_transaction(kNetwork, 1), kStart, {});
  flow.take_sendable(kStart, sent);
  CHECK(flow.no_credit_deadline().is_never());  // credit is used up, but nothing waits
  flow.queue(test::make_transaction(kNetwork, 2), kStart + seconds(10), {});
  flow.take_sendable(kStart + seconds(10), sent);
  flow.queue(test::make_transaction(kNetwork, 3), kStart + seconds(50), {});
  flow.take_sendable(kStart + seconds(50), sent);
  CHECK(flow.no_credit_deadline() == kStart + seconds(70));
}

TEST_CASE("credit that lets nothing leave does not stop the clock", "[flow_control]") {
  FlowControlMetrics metrics;
  FlowControl flow(kStart, limits::kMaxClassicTxBytes, {}, metrics);
  std::vector<MessagePtr> sent;
  REQUIRE_FALSE(flow.on_grant({1, 1}));
  flow.queue(test::make_transaction(kNetwork, 1), kStart, {});
  flow.take_sendable(kStart, sent);
  for (int i = 1; i < 6; ++i) {
    REQUIRE_FALSE(flow.on_grant({0, 1}));
    flow.take_sendable(kStart + seconds(10 * i), sent);
  }
  CHECK(flow.no_credit_deadline() == kStart + seconds(60));
  REQUIRE_FALSE(flow.on_grant({0, 1000}));
  flow.take_sendable(kStart + seconds(55), sent);
  CHECK(sent.size() == 1);
  CHECK(flow.no_credit_deadline().is_never());
}

TEST_CASE("the clock of what was shed ends when something leaves at once", "[flow_control]") {
  FlowControlMetrics metrics;
  FlowControl flow(kStart, limits::kMaxClassicTxBytes, {}, metrics);
  std::vector<MessagePtr> sent;
  REQUIRE_FALSE(flow.on_grant({10, 1000}));
  for (std::uint64_t i = 0; i < 2; ++i) {
    flow.queue(test::make_transaction(kNetwork, i, 3000), kStart, {.max_tx_set_ops = 1});
    flow.take_sendable(kStart, sent);
  }
  REQUIRE(flow.queued() == 0);
  CHECK(flow.no_credit_deadline() == kStart + seconds(60));  // shedding is no sign that the peer grants anything
  REQUIRE(flow.take_at_once(*test::make_transaction(kNetwork, 2), {}));
  CHECK(flow.no_credit_deadline().is_never());
}

TEST_CASE("a larger maximal transaction is granted at once, a smaller one changes nothing", "[flow_control]") {
  FlowControlMetrics metrics;
  FlowControl flow(kStart, limits::kMaxClassicTxBytes, {}, metrics);
  CHECK_FALSE(flow.on_max_tx_size(limits::kMaxClassicTxBytes));
  CHECK(flow.on_max_tx_size(limits::kMaxClassicTxBytes + 30'000) == Credit{0, 30'000});
  CHECK_FALSE(flow.on_max_tx_size(limits::kMaxClassicTxBytes));
  CHECK(flow.initial_grant() == Credit{200, 330'000});
}

TEST_CASE("two ends that follow the rules never run out for good", "[flow_control]") {
  FlowControlMetrics metrics;
  FlowControl sender(kStart, limits::kMaxClassicTxBytes, {}, metrics);
  FlowControl receiver(kStart, limits::kMaxClassicTxBytes, {}, metrics);
  REQUIRE_FALSE(sender.on_grant(receiver.initial_grant()));
  std::size_t delivered = 0;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    sender.queue(test::make_transaction(kNetwork, i, 300 + i % 5000), kStart, {.max_tx_set_ops = 10'000});
    std::vector<MessagePtr> sent;
    sender.take_sendable(kStart, sent);
    for (const MessagePtr& message : sent) {
      REQUIRE_FALSE(receiver.begin(true, message->size()));
      ++delivered;
      if (const auto grant = receiver.end(true, message->size())) REQUIRE_FALSE(sender.on_grant(*grant));
    }
  }
  CHECK(delivered == 5000);
}

TEST_CASE("reading stops once at the total capacity and goes on once below it, and the time is measured",
          "[flow_control]") {
  FlowControlMetrics metrics;
  FlowControl flow(kStart, limits::kMaxClassicTxBytes, {}, metrics);
  for (std::uint64_t i = 0; i < limits::kReadingCapacityMessages; ++i) {
    CHECK_FALSE(flow.take_pause(kStart));
    REQUIRE_FALSE(flow.begin(false, 100));
  }
  CHECK_FALSE(flow.take_resume(kStart));
  CHECK(flow.take_pause(kStart));
  CHECK_FALSE(flow.take_pause(kStart));
  CHECK_FALSE(flow.take_resume(kStart + seconds(1)));
  static_cast<void>(flow.end(false, 100));
  CHECK(flow.take_resume(kStart + seconds(3)));
  CHECK_FALSE(flow.take_resume(kStart + seconds(3)));
  CHECK(metrics.reads_paused == 1);
  CHECK(metrics.reads_throttled == seconds(3));
}

TEST_CASE("one byte beyond 1 MiB over the floor stops reading, one less does not", "[flow_control]") {
  FlowControlMetrics metrics;
  FlowControl flow(kStart, limits::kMaxClassicTxBytes, {}, metrics);
  REQUIRE_FALSE(flow.begin(false, limits::kReadingCapacityBytes - 1));
  CHECK_FALSE(flow.take_pause(kStart));
  REQUIRE_FALSE(flow.begin(false, 1));
  CHECK(flow.take_pause(kStart));
}

TEST_CASE("what a peer may send is what was configured", "[flow_control]") {
  FlowControlMetrics metrics;
  const InboundCreditOptions credit{
      .flood = {10, 500'000}, .reading = {11, limits::kReadingFloorBytes + 1000}, .batch = {2, 50'000}};
  FlowControl flow(kStart, limits::kMaxClassicTxBytes, credit, metrics);
  CHECK(flow.initial_grant() == Credit{10, 500'000});
  REQUIRE_FALSE(flow.begin(true, 100));
  REQUIRE_FALSE(flow.begin(true, 100));
  CHECK_FALSE(flow.end(true, 100));
  CHECK(flow.end(true, 100) == Credit{2, 200});
  for (int i = 0; i < 10; ++i) REQUIRE_FALSE(flow.begin(true, 10));
  CHECK(flow.begin(true, 10) == DropReason::kOverCapacity);
}

TEST_CASE("a message that need not wait counts as one that waited for nothing", "[flow_control]") {
  FlowControlMetrics metrics;
  FlowControl flow(kStart, limits::kMaxClassicTxBytes, {}, metrics);
  REQUIRE_FALSE(flow.on_grant({10, 100'000}));
  REQUIRE(flow.take_at_once(*test::make_transaction(kNetwork, 1), {}));
  CHECK(metrics.of(FloodQueue::kTransaction).delay.count() == 1);
  CHECK(metrics.of(FloodQueue::kTransaction).delay.sum == Duration(0));
}
