#include "ipc/subscription.h"

#include <catch2/catch.hpp>

#include "ipc_fake.h"

using namespace overlayd;
using namespace overlayd::ipc;
using namespace overlayd::ipc::testing;
namespace v1 = ::overlay::v1;

namespace {

v1::SubscribeRequest to(std::initializer_list<v1::Topic> topics) {
  v1::SubscribeRequest request;
  for (const v1::Topic topic : topics) request.add_topics(topic);
  return request;
}

std::unique_ptr<Subscriber> attached(Client& client, const v1::SubscribeRequest& request) {
  auto subscriber = client.subscribe(request);
  const auto boot = subscriber->wait_attached(kWait);
  INFO((boot ? std::string() : boot.error()));
  REQUIRE(boot.ok());
  CHECK(boot.value() == Api::kBootId);
  return subscriber;
}

v1::Event next_event(Subscriber& subscriber) {
  auto item = subscriber.next(kWait);
  REQUIRE(item.has_value());
  REQUIRE(std::holds_alternative<v1::Event>(*item));
  return std::get<v1::Event>(*item);
}

std::string refusal(Client& client, const v1::SubscribeRequest& request) {
  const auto subscriber = client.subscribe(request);
  const auto boot = subscriber->wait_attached(kWait);
  REQUIRE_FALSE(boot.ok());
  return boot.error();
}

}  // namespace

TEST_CASE("a subscriber gets what is published after it was attached", "[subscription]") {
  Api api;
  api.start();
  const auto client = api.client();
  api.overlay.publish(transaction_message(1));
  const auto subscriber = attached(*client, to({v1::TOPIC_SCP, v1::TOPIC_TRANSACTIONS, v1::TOPIC_PEERS}));
  api.overlay.publish(transaction_message(2));
  const v1::Event event = next_event(*subscriber);
  CHECK(event.sequence() == to_sequence(Topic::kTransactions, 2));
  CHECK(event.xdr() == text_of(transaction_envelope(2)));
  CHECK(event.from() == std::string(32, '\7'));
  api.overlay.publish(scp_message(5));
  CHECK(next_event(*subscriber).xdr() == text_of(scp_envelope(5)));
  api.overlay.run_there([](OverlayEvents& events) {
    events.on_peer({.peer = PeerId{1},
                    .node = node(3),
                    .address = PeerAddress::from_v4({192, 0, 2, 1}, 99),
                    .direction = Direction::kInbound,
                    .change = PeerChange::kDropped,
                    .reason = DropReason::kIdle,
                    .detail = "quiet"},
                   5);
  });
  const v1::Event peer = next_event(*subscriber);
  CHECK(peer.topic() == v1::TOPIC_PEERS);
  CHECK(peer.peer().change() == v1::PeerEvent::CHANGE_DROPPED);
  CHECK(peer.peer().address() == "192.0.2.1:99");
  CHECK(peer.peer().reason() == drop_reason_info(DropReason::kIdle).label);
}

TEST_CASE("a subscriber gets only the topics it named", "[subscription]") {
  Api api;
  api.start();
  const auto client = api.client();
  const auto subscriber = attached(*client, to({v1::TOPIC_SCP}));
  api.overlay.publish(transaction_message(1));
  api.overlay.publish(scp_message(1));
  CHECK(next_event(*subscriber).topic() == v1::TOPIC_SCP);
}

TEST_CASE("a topic that does not exist, or none at all, is refused", "[subscription]") {
  Api api;
  api.start();
  const auto client = api.client();
  CHECK_THAT(refusal(*client, {}), Catch::StartsWith("INVALID_ARGUMENT: topics"));
  v1::SubscribeRequest unknown;
  unknown.add_topics(static_cast<v1::Topic>(12));
  CHECK_THAT(refusal(*client, unknown), Catch::StartsWith("UNIMPLEMENTED: topics"));
}

TEST_CASE("two subscribers each get every event", "[subscription]") {
  Api api;
  api.start();
  const auto client = api.client();
  const auto first = attached(*client, to({v1::TOPIC_TRANSACTIONS}));
  const auto second = attached(*client, to({v1::TOPIC_TRANSACTIONS}));
  static constexpr std::uint64_t kCount = 3000;
  api.overlay.run_there([](OverlayEvents& events) {
    for (std::uint64_t i = 1; i <= kCount; ++i) {
      events.on_message({.peer = PeerId{1}, .from = node(7), .message = transaction_message(i)}, 5);
    }
  });
  for (Subscriber* subscriber : {first.get(), second.get()}) {
    for (std::uint64_t i = 1; i <= kCount; ++i) {
      const v1::Event event = next_event(*subscriber);
      if (event.sequence() != to_sequence(Topic::kTransactions, i)) FAIL("event " << i << " is " << event.sequence());
    }
  }
}

TEST_CASE("a subscriber that does not read is told what it lost, and delays nobody", "[subscription]") {
  EventLogOptions small;
  small.bytes_max[topic_index(Topic::kTransactions)] = 300'000;
  Api api(small);
  api.start();
  const auto client = api.client();
  const auto subscriber = attached(*client, to({v1::TOPIC_TRANSACTIONS}));
  static constexpr std::uint64_t kCount = 120'000;  // far more than socket, client and log hold
  static constexpr std::uint64_t kBurst = 1000;
  const MessagePtr message = transaction_message(1);
  for (std::uint64_t sent = 0; sent < kCount; sent += kBurst) {
    api.overlay.run_there([&](OverlayEvents& events) {
      for (std::uint64_t i = 0; i < kBurst; ++i) {
        events.on_message({.peer = PeerId{1}, .from = node(7), .message = message}, 5);
      }
    });
  }
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;
  std::uint64_t last = to_sequence(Topic::kTransactions, 0);
  while (delivered + lost < kCount) {
    const auto item = subscriber->next(kWait);
    REQUIRE(item.has_value());
    if (const auto* gap = std::get_if<v1::Gap>(&*item)) {
      CHECK(gap->from() == last + 1);
      CHECK(gap->count() == gap->to() - gap->from() + 1);
      lost += gap->count();
      last = gap->to();
    } else {
      const auto sequence = std::get<v1::Event>(*item).sequence();
      if (sequence != last + 1) FAIL("event " << sequence << " after " << last);
      last = sequence;
      ++delivered;
    }
  }
  CHECK(delivered + lost == kCount);
  CHECK(lost > 0);
}

TEST_CASE("a client resumes after the last event it had", "[subscription]") {
  Api api;
  api.start();
  const auto client = api.client();
  for (std::uint64_t i = 1; i <= 10; ++i) api.overlay.publish(transaction_message(i));
  v1::SubscribeRequest request = to({v1::TOPIC_TRANSACTIONS});
  request.add_resume_after(to_sequence(Topic::kTransactions, 7));
  CHECK_THAT(refusal(*client, request), Catch::StartsWith("INVALID_ARGUMENT: boot_id"));
  request.set_boot_id(Api::kBootId);
  const auto subscriber = attached(*client, request);
  for (const std::uint64_t expected : {8, 9, 10}) {
    CHECK(next_event(*subscriber).sequence() == to_sequence(Topic::kTransactions, expected));
  }
  request.set_resume_after(0, to_sequence(Topic::kTransactions, 11));
  CHECK_THAT(refusal(*client, request), Catch::StartsWith("INVALID_ARGUMENT: resume_after"));
}

TEST_CASE("a client of the daemon's former life gets everything since the start", "[subscription]") {
  Api api;
  api.start();
  const auto client = api.client();
  for (std::uint64_t i = 1; i <= 3; ++i) api.overlay.publish(transaction_message(i));
  v1::SubscribeRequest request = to({v1::TOPIC_TRANSACTIONS});
  request.add_resume_after(to_sequence(Topic::kTransactions, 70'000));
  request.set_boot_id(1);
  const auto subscriber = attached(*client, request);
  CHECK(next_event(*subscriber).sequence() == to_sequence(Topic::kTransactions, 1));
}

TEST_CASE("the overlay hears of the first taker of transactions and of the last that left", "[subscription]") {
  Api api;
  api.start();
  const auto client = api.client();
  v1::SubscribeRequest observer = to({v1::TOPIC_TRANSACTIONS});
  observer.set_observer_only(true);
  const auto observing = attached(*client, observer);
  const auto scp_only = attached(*client, to({v1::TOPIC_SCP}));
  auto first = attached(*client, to({v1::TOPIC_TRANSACTIONS}));
  REQUIRE(api.overlay.await<TransactionTakers>(1).size() == 1);
  CHECK(api.overlay.await<TransactionTakers>(1)[0].is_attached);
  auto second = attached(*client, to({v1::TOPIC_TRANSACTIONS, v1::TOPIC_SCP}));
  first.reset();
  api.overlay.publish(transaction_message(1));
  CHECK(next_event(*second).topic() == v1::TOPIC_TRANSACTIONS);
  CHECK(api.overlay.await<TransactionTakers>(1).size() == 1);
  second.reset();
  REQUIRE(api.overlay.await<TransactionTakers>(2).size() == 2);
  CHECK_FALSE(api.overlay.await<TransactionTakers>(2)[1].is_attached);
}

TEST_CASE("takers are told again once the overlay's queue has room", "[subscription]") {
  Api api;
  api.start();
  const auto client = api.client();
  api.overlay.set_full(true);
  const auto subscriber = attached(*client, to({v1::TOPIC_TRANSACTIONS}));
  api.overlay.await_refusals(1);
  api.overlay.set_full(false);
  REQUIRE(api.overlay.await<TransactionTakers>(1).size() == 1);
}

TEST_CASE("the overlay hears how much the slowest taker can take, in steps of the log", "[subscription]") {
  EventLogOptions log;
  log.bytes_max[topic_index(Topic::kTransactions)] = 1 << 20;
  Api api(log);
  api.start();
  const auto client = api.client();
  const auto subscriber = attached(*client, to({v1::TOPIC_TRANSACTIONS}));
  const auto first = api.overlay.await<TransactionTakers>(1).at(0);
  CHECK(first.window.published_bytes_max == 1U << 20);
  CHECK(first.window.reserve_bytes == (1U << 20) / 4);
  // A sixty-fourth of the log, and then another.
  const std::size_t one = transaction_message(1)->size() + limits::kEventOverheadBytes;
  const std::size_t step = ((1U << 20) / 64 + one - 1) / one;
  for (std::size_t i = 0; i < step; ++i) api.overlay.publish(transaction_message(i));
  for (std::size_t i = 0; i < step; ++i) static_cast<void>(next_event(*subscriber));
  CHECK(api.overlay.await<TransactionTakers>(2).at(1).window.published_bytes_max == (1U << 20) + step * one);
}

TEST_CASE("what was published before the first taker came does not count against it", "[subscription]") {
  Api api;
  api.start();
  const auto client = api.client();
  for (std::uint64_t i = 1; i <= 5; ++i) api.overlay.publish(transaction_message(i));
  const auto here = attached(*client, to({v1::TOPIC_TRANSACTIONS}));
  const std::size_t one = transaction_message(1)->size() + limits::kEventOverheadBytes;
  CHECK(api.overlay.await<TransactionTakers>(1).at(0).window.published_bytes_max ==
        limits::kEventLogTransactionsBytesMax + 5 * one);
}

TEST_CASE("a taker whose write stays untaken for 120 s counts as absent", "[subscription]") {
  const EventLog log({});
  const auto cursor = log.attach({Topic::kTransactions}, {});
  Subscription subscription(log, {.cursor = cursor.value(), .batch = {}, .is_taking_transactions = true},
                            [](Subscription*) {});
  subscription.start();  // nobody takes the first response
  const auto now = std::chrono::steady_clock::now();
  CHECK(subscription.taken_transaction_bytes(now) == 0U);
  CHECK(subscription.taken_transaction_bytes(now + limits::kTakerStallMax - std::chrono::seconds(20)) == 0U);
  CHECK_FALSE(subscription.taken_transaction_bytes(now + limits::kTakerStallMax));
}

TEST_CASE("SCP events reach a caller that leaves its transactions unread", "[subscription]") {
  Api api;
  api.start();
  const auto client = api.client();
  const auto subscriber = attached(*client, to({v1::TOPIC_SCP, v1::TOPIC_TRANSACTIONS}));
  // Far more than the client holds ahead and the stream holds in flight.
  api.overlay.run_there([](OverlayEvents& events) {
    for (std::uint64_t i = 0; i < 50'000; ++i)
      events.on_message({.peer = PeerId{1}, .from = node(7), .message = transaction_message(i)}, 5);
  });
  api.overlay.publish(scp_message(5));
  const auto scp = subscriber->next_but_transactions(kWait);
  REQUIRE(scp.has_value());
  CHECK(std::get<v1::Event>(*scp).xdr() == text_of(scp_envelope(5)));
  // And it is the first to be had of all that waits.
  api.overlay.publish(scp_message(6));
  REQUIRE(subscriber->next_but_transactions(kWait).has_value());
  CHECK(next_event(*subscriber).sequence() == to_sequence(Topic::kTransactions, 1));
}

TEST_CASE("a subscriber gets items and requests for SCP state as their own topics", "[subscription]") {
  Api api;
  api.start();
  const auto client = api.client();
  const auto subscriber = attached(*client, to({v1::TOPIC_ITEMS, v1::TOPIC_SCP_STATE_REQUESTS}));
  api.overlay.run_there([](OverlayEvents& events) { events.on_item(arrival(quorum_set_message(1), NodeId{}), 5); });
  const v1::Event item = next_event(*subscriber);
  CHECK(item.sequence() == to_sequence(Topic::kItems, 1));
  CHECK(item.item().kind() == v1::ITEM_KIND_QUORUM_SET);
  CHECK(item.xdr() == text_of(quorum_set(1)));
  CHECK(item.from().empty());  // a client put it
  api.overlay.run_there([](OverlayEvents& events) {
    events.on_scp_state_request({.peer = PeerId{1}, .from = node(3), .from_ledger = 9, .envelopes_sent = 2}, 5);
  });
  const v1::Event request = next_event(*subscriber);
  CHECK(request.sequence() == to_sequence(Topic::kScpStateRequests, 1));
  CHECK(request.from() == std::string(32, '\3'));
  CHECK(request.scp_state_request().from_ledger() == 9);
}

TEST_CASE("a subscriber gets the turns of surveys, not every number that changes", "[subscription]") {
  Api api;
  api.start();
  const auto client = api.client();
  const auto subscriber = attached(*client, to({v1::TOPIC_SURVEY}));
  const auto tell = [&](const auto& change) {
    api.overlay.change_survey([&](SurveyResult& result) { change(result.status); });
  };
  tell([](SurveyStatus& status) {
    status.phase = SurveyPhase::kCollecting;
    status.surveyor = node(3);
    status.nonce = 9;
  });
  tell([](SurveyStatus& status) { ++status.responses; });
  tell([](SurveyStatus& status) { status.phase = SurveyPhase::kReporting; });
  tell([](SurveyStatus& status) { status.run = SurveyRun::kCrawling; });
  tell([](SurveyStatus& status) { status.rival = node(4); });
  auto next = [&, ordinal = std::uint64_t{0}]() mutable {
    const v1::Event event = next_event(*subscriber);
    CHECK(event.sequence() == to_sequence(Topic::kSurvey, ++ordinal));
    CHECK(event.from().empty());
    return event.survey();
  };
  const v1::SurveyStatus began = next();
  CHECK(began.phase() == v1::SURVEY_PHASE_COLLECTING);
  CHECK(began.surveyor() == std::string(32, '\3'));
  CHECK(began.nonce() == 9);
  CHECK(next().phase() == v1::SURVEY_PHASE_REPORTING);
  CHECK(next().run() == v1::SURVEY_RUN_STATE_CRAWLING);
  CHECK(next().rival() == std::string(32, '\4'));
  CHECK_FALSE(subscriber->has_next());
}

TEST_CASE("SCP events do not wait behind items of many megabytes that nobody takes", "[subscription]") {
  Api api;
  api.start();
  const auto client = api.client();
  const auto subscriber =
      attached(*client, to({v1::TOPIC_SCP, v1::TOPIC_ITEMS, v1::TOPIC_TRANSACTIONS, v1::TOPIC_PEERS}));
  const MessagePtr large = tx_set_message(1, 40'000);  // some 3 MiB
  // More than the client holds ahead.
  static constexpr std::size_t kItems = Subscriber::kResponsesMax + 4;
  api.overlay.run_there([&](OverlayEvents& events) {
    for (std::size_t i = 0; i < kItems; ++i) events.on_item(arrival(large, node(7)), 5);
  });
  api.overlay.publish(transaction_message(1));
  CHECK(std::get<v1::Event>(*subscriber->next_but_transactions(kWait)).sequence() == to_sequence(Topic::kItems, 1));
  const auto deadline = std::chrono::steady_clock::now() + kWait;
  while (!subscriber->has_next() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  api.overlay.publish(scp_message(5));
  const auto scp = subscriber->next_urgent(kWait);
  REQUIRE(scp.has_value());
  CHECK(std::get<v1::Event>(*scp).xdr() == text_of(scp_envelope(5)));
  // Items are given although transactions are not taken.
  for (std::size_t i = 2; i <= kItems; ++i) {
    const auto item = subscriber->next_but_transactions(kWait);
    REQUIRE(item.has_value());
    CHECK(std::get<v1::Event>(*item).sequence() == to_sequence(Topic::kItems, i));
  }
  CHECK(next_event(*subscriber).topic() == v1::TOPIC_TRANSACTIONS);
}

TEST_CASE("each stream of a subscriber resumes with the numbers of its own topics", "[subscription]") {
  Api api;
  api.start();
  const auto client = api.client();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    api.overlay.publish(scp_message(i));
    api.overlay.publish(transaction_message(i));
    api.overlay.run_there([](OverlayEvents& events) { events.on_item(arrival(quorum_set_message(1), node(7)), 5); });
  }
  v1::SubscribeRequest request = to({v1::TOPIC_SCP, v1::TOPIC_ITEMS, v1::TOPIC_TRANSACTIONS});
  request.set_boot_id(Api::kBootId);
  for (const Topic topic : {Topic::kItems, Topic::kScp, Topic::kTransactions})
    request.add_resume_after(to_sequence(topic, 2));
  const auto subscriber = attached(*client, request);
  std::set<std::uint64_t> sequences;
  for (int i = 0; i < 3; ++i) sequences.insert(next_event(*subscriber).sequence());
  CHECK(sequences == std::set<std::uint64_t>{to_sequence(Topic::kScp, 3), to_sequence(Topic::kTransactions, 3),
                                             to_sequence(Topic::kItems, 3)});
  request.add_resume_after(to_sequence(Topic::kPeers, 0));
  CHECK_THAT(refusal(*client, request), Catch::Contains("not in topics"));
}

TEST_CASE("a stopping daemon ends the streams with UNAVAILABLE", "[subscription]") {
  Api api;
  api.start();
  const auto client = api.client();
  const auto subscriber = attached(*client, to({v1::TOPIC_TRANSACTIONS}));
  CHECK(api.server->stop());
  CHECK_FALSE(subscriber->next(kWait).has_value());
  REQUIRE(subscriber->end().has_value());
  CHECK_THAT(subscriber->end()->error(), Catch::StartsWith("UNAVAILABLE: the daemon is stopping"));
}
