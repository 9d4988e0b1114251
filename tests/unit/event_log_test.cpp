#include "ipc/event_log.h"

#include <catch2/catch.hpp>

#include "core/random.h"

#include "ipc_fake.h"

using namespace overlayd;
using namespace overlayd::ipc;
using namespace overlayd::ipc::testing;

namespace {

const std::vector<Topic> kAll{Topic::kScp,   Topic::kTransactions,     Topic::kPeers,
                              Topic::kItems, Topic::kScpStateRequests, Topic::kSurvey};

std::size_t transaction_bytes() {
  return event_bytes({.topic = Topic::kTransactions, .message = transaction_message(1)});
}

EventLogOptions room_for(std::size_t transactions) {
  EventLogOptions options;
  options.bytes_max[topic_index(Topic::kTransactions)] = transactions * transaction_bytes();
  return options;
}

void add_transactions(EventLog& log, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i)
    log.append_message(Topic::kTransactions, 5, node(1), transaction_message(i));
}

// Everything a reader still gets, in as many reads as it takes.
EventLog::Batch read_all(const EventLog& log, EventLog::Cursor& cursor, const EventLog::ReadLimits& limits = {}) {
  EventLog::Batch all;
  for (auto batch = log.read(cursor, limits); !batch.is_empty(); batch = log.read(cursor, limits)) {
    all.gaps.insert(all.gaps.end(), batch.gaps.begin(), batch.gaps.end());
    all.events.insert(all.events.end(), batch.events.begin(), batch.events.end());
  }
  return all;
}

std::uint64_t counted(const EventLog::Batch& batch) {
  std::uint64_t count = batch.events.size();
  for (const LoggedGap& gap : batch.gaps) count += gap.count();
  return count;
}

}  // namespace

TEST_CASE("events of each topic are numbered from 1 without a hole", "[event_log]") {
  crypto::init();
  EventLog log({});
  CHECK(log.append_message(Topic::kTransactions, 5, node(1), transaction_message(1)) == 1);
  CHECK(log.append_message(Topic::kScp, 5, node(1), scp_message(1)) == 1);
  CHECK(log.append_message(Topic::kTransactions, 5, node(1), transaction_message(2)) == 2);
  CHECK(log.append_peer(5, {}) == 1);
  log.check_invariants();
}

TEST_CASE("a sequence number is unique over topics and tells its topic", "[event_log]") {
  CHECK(to_sequence(Topic::kScp, 7) == 1'000'000'000'000'007);
  CHECK(to_sequence(Topic::kTransactions, 7) == 2'000'000'000'000'007);
  CHECK(to_sequence(Topic::kPeers, 7) == 3'000'000'000'000'007);
  CHECK(to_sequence(Topic::kItems, 7) == 4'000'000'000'000'007);
  CHECK(to_sequence(Topic::kScpStateRequests, 7) == 5'000'000'000'000'007);
  CHECK(to_sequence(Topic::kSurvey, 7) == 6'000'000'000'000'007);
}

TEST_CASE("a topic holds as many bytes as its limit and then lets the oldest go", "[event_log]") {
  crypto::init();
  for (const std::uint64_t count : {9, 10, 11}) {
    EventLog log(room_for(10));
    add_transactions(log, count);
    log.check_invariants();
    const TopicCounts counts = log.counts(Topic::kTransactions);
    CHECK(counts.published == count);
    CHECK(counts.held_events == std::min<std::uint64_t>(count, 10));
    CHECK(counts.evicted == (count == 11 ? 1U : 0U));
  }
}

TEST_CASE("an event larger than the whole limit leaves at once but keeps its number", "[event_log]") {
  crypto::init();
  EventLog log(room_for(0));
  auto cursor = log.attach({Topic::kTransactions}, {}).value();
  CHECK(log.append_message(Topic::kTransactions, 5, node(1), transaction_message(1)) == 1);
  CHECK(log.append_message(Topic::kTransactions, 5, node(1), transaction_message(2)) == 2);
  log.check_invariants();
  const auto batch = read_all(log, cursor);
  CHECK(batch.events.empty());
  CHECK(counted(batch) == 2);
}

TEST_CASE("a storm in one topic costs no other topic an event", "[event_log]") {
  crypto::init();
  EventLog log(room_for(5));
  log.append_message(Topic::kScp, 5, node(1), scp_message(1));
  log.append_peer(5, {});
  add_transactions(log, 500);
  CHECK(log.counts(Topic::kScp).evicted == 0);
  CHECK(log.counts(Topic::kPeers).evicted == 0);
  CHECK(log.counts(Topic::kTransactions).evicted == 495);
}

TEST_CASE("a reader gets every event once, in order, after it was attached", "[event_log]") {
  crypto::init();
  EventLog log({});
  add_transactions(log, 3);
  auto cursor = log.attach({Topic::kTransactions}, {}).value();
  CHECK(log.read(cursor, {}).is_empty());
  add_transactions(log, 5);
  const auto batch = read_all(log, cursor);
  REQUIRE(batch.events.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK(batch.events[i].ordinal == 4 + i);
  CHECK(batch.gaps.empty());
  CHECK(log.read(cursor, {}).is_empty());
}

TEST_CASE("what a slow reader missed is told exactly: delivered and lost make published", "[event_log]") {
  crypto::init();
  EventLog log(room_for(10));
  auto cursor = log.attach({Topic::kTransactions}, {}).value();
  std::uint64_t seen = 0;
  std::uint64_t published = 0;
  for (const std::uint64_t burst : {3, 25, 10, 11, 100}) {
    add_transactions(log, burst);
    published += burst;
    const auto batch = read_all(log, cursor, {.events_max = 4, .bytes_max = 1 << 20});
    seen += counted(batch);
    CHECK(seen == published);
    CHECK(batch.gaps.size() == (burst > 10 ? 1U : 0U));
    if (burst == 25) {
      CHECK(batch.gaps[0].from_ordinal == 4);
      CHECK(batch.gaps[0].to_ordinal == 18);
      CHECK(batch.events.front().ordinal == 19);
    }
  }
}

TEST_CASE("SCP events come first, then peers', requests for SCP state, surveys, items, and transactions last",
          "[event_log]") {
  crypto::init();
  EventLog log({});
  auto cursor = log.attach(kAll, {}).value();
  add_transactions(log, 3);
  log.append_item(5, arrival(tx_set_message(1), node(4)));
  SurveyStatus status;
  status.nonce = 9;
  log.append_survey(5, status);
  log.append_scp_state_request(5, {.peer = PeerId{1}, .from = node(5), .from_ledger = 6});
  log.append_peer(5, {});
  log.append_message(Topic::kScp, 5, node(1), scp_message(1));
  const auto batch = log.read(cursor, {});
  REQUIRE(batch.events.size() == 8);
  CHECK(batch.events[0].topic == Topic::kScp);
  CHECK(batch.events[1].topic == Topic::kPeers);
  CHECK(batch.events[2].topic == Topic::kScpStateRequests);
  CHECK(batch.events[2].from == node(5));
  CHECK(batch.events[2].scp_state_request->from_ledger == 6);
  CHECK(batch.events[3].topic == Topic::kSurvey);
  CHECK(batch.events[3].survey->nonce == 9);
  CHECK(batch.events[4].topic == Topic::kItems);
  CHECK(batch.events[4].from == node(4));
  CHECK(batch.events[4].item->item == item_id(*tx_set_message(1)));
  CHECK(batch.events[5].topic == Topic::kTransactions);
}

TEST_CASE("an item counts with its message, one that is missing without", "[event_log]") {
  crypto::init();
  EventLogOptions options;
  const PublishItem arrived = arrival(quorum_set_message(1), node(1));
  const std::size_t one = limits::kEventOverheadBytes + sizeof(PublishItem) + arrived.message->size();
  options.bytes_max[topic_index(Topic::kItems)] = 2 * one;
  EventLog log(options);
  for (const std::uint64_t ordinal : {1, 2, 3}) CHECK(log.append_item(5, arrived) == ordinal);
  CHECK(log.counts(Topic::kItems).held_events == 2);
  CHECK(log.counts(Topic::kItems).held_bytes == 2 * one);
  CHECK(log.counts(Topic::kItems).evicted == 1);
  PublishItem missing;
  missing.change = ItemChange::kMissing;
  CHECK(log.append_item(5, missing) == 4);
  CHECK(log.counts(Topic::kItems).held_bytes == 2 * one - arrived.message->size());
  log.check_invariants();
}

TEST_CASE("an SCP event that comes later overtakes transactions that still wait", "[event_log]") {
  crypto::init();
  EventLog log({});
  auto cursor = log.attach(kAll, {}).value();
  add_transactions(log, 10);
  CHECK(log.read(cursor, {.events_max = 4, .bytes_max = 1 << 20}).events.size() == 4);
  log.append_message(Topic::kScp, 5, node(1), scp_message(1));
  const auto batch = log.read(cursor, {.events_max = 4, .bytes_max = 1 << 20});
  CHECK(batch.events.at(0).topic == Topic::kScp);
  CHECK(batch.events.at(1).ordinal == 5);
}

TEST_CASE("a read is bounded in events and in bytes, and moves even if one event is larger", "[event_log]") {
  crypto::init();
  EventLog log({});
  auto cursor = log.attach(kAll, {}).value();
  add_transactions(log, 10);
  CHECK(log.read(cursor, {.events_max = 3, .bytes_max = 1 << 20}).events.size() == 3);
  CHECK(log.read(cursor, {.events_max = 100, .bytes_max = 2 * transaction_bytes()}).events.size() == 2);
  CHECK(log.read(cursor, {.events_max = 100, .bytes_max = 2 * transaction_bytes() - 1}).events.size() == 1);
  CHECK(log.read(cursor, {.events_max = 100, .bytes_max = 1}).events.size() == 1);
}

TEST_CASE("a reader goes on after the number it names, and hears what was lost since", "[event_log]") {
  crypto::init();
  EventLog log(room_for(10));
  add_transactions(log, 30);  // 21 to 30 are held
  const auto resumed = [&](std::uint64_t ordinal) {
    auto cursor = log.attach({Topic::kTransactions}, {to_sequence(Topic::kTransactions, ordinal)}).value();
    return read_all(log, cursor);
  };
  CHECK(resumed(30).is_empty());
  CHECK(resumed(25).events.size() == 5);
  CHECK(resumed(20).events.size() == 10);
  CHECK(resumed(20).gaps.empty());
  CHECK(resumed(19).gaps.at(0).count() == 1);
  CHECK(resumed(0).gaps.at(0).count() == 20);
}

TEST_CASE("a number to resume after must be one that was given out, of a topic asked for", "[event_log]") {
  crypto::init();
  EventLog log({});
  add_transactions(log, 3);
  const std::vector<Topic> topics{Topic::kTransactions};
  const auto refusal = [&](std::vector<std::uint64_t> numbers) { return log.attach(topics, numbers).error(); };
  CHECK(log.attach(topics, {to_sequence(Topic::kTransactions, 3)}).ok());
  CHECK_THAT(refusal({to_sequence(Topic::kTransactions, 4)}), Catch::Contains("not given to any event yet"));
  CHECK_THAT(refusal({to_sequence(Topic::kScp, 0)}), Catch::Contains("not in topics"));
  CHECK_THAT(refusal({17}), Catch::Contains("not the sequence number of any event"));
  CHECK_THAT(refusal({9 * kSequenceTopicFactor}), Catch::Contains("not the sequence number of any event"));
  CHECK_THAT(refusal({to_sequence(Topic::kTransactions, 1), to_sequence(Topic::kTransactions, 2)}),
             Catch::Contains("second number of its topic"));
}

TEST_CASE("writers and readers of several threads lose and repeat nothing", "[event_log]") {
  crypto::init();
  EventLog log(room_for(50));
  const MessagePtr message = transaction_message(1);
  static constexpr std::uint64_t kPerWriter = 5000;
  std::vector<EventLog::Cursor> cursors(2, log.attach(kAll, {}).value());
  std::vector<std::uint64_t> seen(2, 0);
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&] {
      for (std::uint64_t i = 0; i < kPerWriter; ++i) log.append_message(Topic::kTransactions, 5, node(1), message);
    });
  }
  for (std::size_t reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&, reader] {
      while (seen[reader] < 2 * kPerWriter) {
        seen[reader] += counted(log.read(cursors[reader], {.events_max = 7, .bytes_max = 1 << 20}));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(seen[0] == 2 * kPerWriter);
  CHECK(seen[1] == 2 * kPerWriter);
  log.check_invariants();
}

TEST_CASE("how far a reader has come is counted in bytes published before its next event", "[event_log]") {
  const std::size_t one = transaction_bytes();
  EventLog log(room_for(10));
  auto early = log.attach(kAll, {});
  REQUIRE(early.ok());
  EventLog::Cursor cursor = early.value();
  CHECK(log.taken_bytes(cursor, Topic::kTransactions) == 0U);
  add_transactions(log, 4);
  CHECK(log.taken_bytes(cursor, Topic::kTransactions) == 0U);
  const auto late = log.attach({Topic::kTransactions}, {});
  CHECK(log.taken_bytes(late.value(), Topic::kTransactions) == 4 * one);
  CHECK_FALSE(log.taken_bytes(late.value(), Topic::kScp));
  CHECK(log.read(cursor, {.events_max = 3}).events.size() == 3);
  CHECK(log.taken_bytes(cursor, Topic::kTransactions) == 3 * one);
  CHECK(log.taken_bytes(cursor, Topic::kScp) == 0U);
  // What was lost counts as taken: the window of those who publish must not stand still for it.
  add_transactions(log, 16);
  CHECK(log.taken_bytes(cursor, Topic::kTransactions) == 10 * one);
  static_cast<void>(read_all(log, cursor));
  CHECK(log.taken_bytes(cursor, Topic::kTransactions) == 20 * one);
  log.check_invariants();
}

TEST_CASE("who publishes no more than the reader took and the log holds costs it no event", "[event_log]") {
  const std::size_t one = transaction_bytes();
  EventLog log(room_for(7));
  EventLog::Cursor cursor = log.attach({Topic::kTransactions}, {}).value();
  Random random(3);
  std::uint64_t published = 0;
  for (int step = 0; step < 2000; ++step) {
    while ((published + 1) * one <= *log.taken_bytes(cursor, Topic::kTransactions) + 7 * one && random.below(4) != 0) {
      add_transactions(log, 1);
      ++published;
    }
    CHECK(log.read(cursor, {.events_max = 1 + random.below(5)}).gaps.empty());
  }
  CHECK(published > 1000);
}
