#include "daemon/write_queue.h"

#include <catch2/catch.hpp>

#include "tests/support/messages.h"

using namespace overlayd;
using namespace overlayd::daemon;

namespace {

constexpr std::size_t kFrameBytes = wire::kSealedHeadBytes + limits::kMacBytes;

// Whose bytes the queue does not look into.
MessagePtr message_of(std::size_t bytes, wire::MessageType type = wire::MessageType::kTxSet) {
  Bytes xdr(bytes);
  xdr[3] = static_cast<std::uint8_t>(type);
  return wire::Message::adopt(std::move(xdr), {});
}

QueuedFrame frame_of(std::size_t bytes, Instant queued = {}) {
  return {.sealed = {}, .message = message_of(bytes), .queued = queued};
}

Instant at(int second) { return Instant() + seconds(second); }

std::size_t gathered(WriteQueue& queue) {
  std::size_t bytes = 0;
  for (const iovec& piece : queue.gather()) bytes += piece.iov_len;
  return bytes;
}

}  // namespace

TEST_CASE("bulk is what is large and no SCP_MESSAGE", "[write_queue]") {
  CHECK(is_bulk(*message_of(kBulkBytesMin)));
  CHECK(is_bulk(*message_of(kBulkBytesMin, wire::MessageType::kGeneralizedTxSet)));
  CHECK_FALSE(is_bulk(*message_of(kBulkBytesMin - 4)));
  CHECK_FALSE(is_bulk(*test::make_scp({}, {.node = test::make_node(1), .value_bytes = 2 * kBulkBytesMin})));
}

TEST_CASE("sealed and deferred messages share one limit", "[write_queue]") {
  constexpr std::size_t kLarge = 8 << 20;
  constexpr std::size_t kRest = limits::kWriteQueueBytesMax - 7 * (kLarge + kFrameBytes) - kFrameBytes;
  WriteQueue queue;
  REQUIRE(queue.push(frame_of(kLarge)));
  for (int i = 0; i < 6; ++i) REQUIRE(queue.defer({message_of(kLarge), {}}));
  CHECK(queue.bytes() == 7 * (kLarge + kFrameBytes));
  CHECK_FALSE(queue.push(frame_of(kRest + 4)));
  CHECK_FALSE(queue.defer({message_of(kRest + 4), {}}));
  CHECK(queue.bytes() == 7 * (kLarge + kFrameBytes));
  SECTION("to the byte, sealed") { CHECK(queue.push(frame_of(kRest))); }
  SECTION("to the byte, deferred") { CHECK(queue.defer({message_of(kRest), {}})); }
  CHECK(queue.bytes() == limits::kWriteQueueBytesMax);
  CHECK_FALSE(queue.push(frame_of(40)));
  queue.drop_deferred();
  CHECK(queue.push(frame_of(40)));
}

TEST_CASE("a deferred message is due while little that is sealed waits, in the order of defer", "[write_queue]") {
  WriteQueue queue;
  CHECK_FALSE(queue.is_deferred_due());
  const MessagePtr first = message_of(1 << 20);
  const MessagePtr second = message_of(2 << 20);
  REQUIRE(queue.defer({first, at(1)}));
  REQUIRE(queue.defer({second, at(2)}));
  REQUIRE(queue.push(frame_of(1000)));
  REQUIRE(queue.is_deferred_due());
  const std::size_t before = queue.bytes();
  DeferredMessage taken = queue.take_deferred();
  CHECK(taken.message == first);
  CHECK(taken.queued == at(1));
  REQUIRE(queue.push({.sealed = {}, .message = taken.message, .queued = taken.queued}));
  CHECK(queue.bytes() == before);
  CHECK_FALSE(queue.is_deferred_due());

  queue.consume(1000 + kFrameBytes + (1 << 20) + kFrameBytes - kBulkBytesMin);
  CHECK_FALSE(queue.is_deferred_due());
  queue.consume(1);
  REQUIRE(queue.is_deferred_due());
  CHECK(queue.take_deferred().message == second);
}

TEST_CASE("the oldest is known whether it is deferred, overtaken or in front", "[write_queue]") {
  WriteQueue queue;
  CHECK(queue.oldest().is_never());
  REQUIRE(queue.defer({message_of(1 << 20), at(1)}));
  CHECK(queue.oldest() == at(1));
  REQUIRE(queue.push(frame_of(100, at(2))));
  REQUIRE(queue.push(frame_of(100, at(3))));
  CHECK(queue.oldest() == at(1));
  // Sealed behind two that are younger: it is still the one that has waited longest.
  DeferredMessage taken = queue.take_deferred();
  REQUIRE(queue.push({.sealed = {}, .message = taken.message, .queued = taken.queued}));
  CHECK(queue.oldest() == at(1));
  REQUIRE(queue.push(frame_of(100, at(4))));
  CHECK(queue.consume(2 * (100 + kFrameBytes)) == 2);
  CHECK(queue.oldest() == at(1));
  CHECK(queue.consume((1 << 20) + kFrameBytes) == 1);
  CHECK(queue.oldest() == at(4));
}

TEST_CASE("a gather is never longer than its bound, and the pieces join without a gap", "[write_queue]") {
  WriteQueue queue;
  constexpr std::size_t kLarge = 3 * kGatherBytesMax + 20;
  REQUIRE(queue.push(frame_of(100)));
  REQUIRE(queue.push(frame_of(kLarge)));
  CHECK(queue.gather().size() == 5);  // head, body and MAC of the first, head and a part of the second
  std::size_t left = queue.bytes();
  while (!queue.empty()) {
    const std::size_t bytes = gathered(queue);
    CHECK(bytes == std::min(left, kGatherBytesMax));
    queue.consume(bytes);
    left -= bytes;
    CHECK(queue.bytes() == left);
  }
  CHECK(left == 0);
}
