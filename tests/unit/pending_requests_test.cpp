#include "ipc/pending_requests.h"

#include <catch2/catch.hpp>
#include <map>

#include "ipc_fake.h"

using namespace overlayd;
using namespace overlayd::ipc;
using namespace overlayd::ipc::testing;
namespace v1 = ::overlay::v1;

namespace {

struct Counter final : RequestWaiter {
  void on_answer(std::uint64_t, const MessagePtr&, const RequestAnswer&) override { ++answered; }
  void on_failure(std::uint64_t, const MessagePtr&, RequestFailure) override { ++failed; }
  int answered = 0;
  int failed = 0;
};

PendingRequests::Clock::time_point later() { return PendingRequests::Clock::time_point::max(); }

v1::BroadcastRequest transaction(std::uint64_t number) {
  v1::BroadcastRequest request;
  request.set_transaction_envelope(ipc::testing::text_of(transaction_envelope(number)));
  return request;
}

}  // namespace

TEST_CASE("pending requests are bounded by the bytes of their messages", "[pending_requests]") {
  crypto::init();
  const MessagePtr message = transaction_message(1);
  const auto waiter = std::make_shared<Counter>();
  PendingRequests pending({.bytes_max = 4 * message->size()});
  const std::vector<PendingRequests::Item> two{{1, message}, {2, message}};
  const std::vector<PendingRequests::Item> three{{1, message}, {2, message}, {3, message}};
  const auto first = pending.add(waiter, two, later());
  REQUIRE(first);
  CHECK_FALSE(pending.add(waiter, three, later()));
  CHECK(pending.size() == 2);
  CHECK(pending.bytes() == 2 * message->size());
  const auto second = pending.add(waiter, two, later());
  REQUIRE(second);
  CHECK_FALSE(pending.add(waiter, {{.token = 9, .message = message}}, later()));
}

TEST_CASE("however a request ends, its bytes are free again", "[pending_requests]") {
  crypto::init();
  const MessagePtr message = transaction_message(1);
  const auto waiter = std::make_shared<Counter>();
  PendingRequests pending({.bytes_max = 2 * message->size()});
  const std::vector<PendingRequests::Item> two{{1, message}, {2, message}};
  SECTION("answered") {
    const RequestId first = pending.add(waiter, two, later()).value();
    for (std::uint64_t i = 0; i < 2; ++i) {
      pending.answer({.request = {first.value + i}, .status = RequestStatus::kAccepted, .peers_told = 0, .why = {}});
    }
    CHECK(waiter->answered == 2);
  }
  SECTION("taken back") { CHECK(pending.remove(pending.add(waiter, two, later()).value(), 2) == 2); }
  SECTION("expired") {
    REQUIRE(pending.add(waiter, two, later()));
    pending.expire(later());
    CHECK(waiter->failed == 2);
  }
  SECTION("failed") {
    REQUIRE(pending.add(waiter, two, later()));
    pending.fail_all();
    CHECK(waiter->failed == 2);
  }
  CHECK(pending.size() == 0);
  CHECK(pending.bytes() == 0);
  CHECK(pending.add(waiter, two, later()));
}

TEST_CASE("a request without a message costs what it holds beside one", "[pending_requests]") {
  const auto waiter = std::make_shared<Counter>();
  PendingRequests pending({.bytes_max = 100});
  const RequestId first =
      pending
          .add(waiter, {{.token = 1, .message = nullptr}, {.token = 2, .message = nullptr, .other_bytes = 100}},
               later())
          .value();
  CHECK(pending.bytes() == 100);
  CHECK_FALSE(pending.add(waiter, {{.token = 3, .message = nullptr, .other_bytes = 1}}, later()));
  REQUIRE(pending.add(waiter, {{.token = 3, .message = nullptr}}, later()));
  pending.answer({.request = {first.value + 1}, .status = RequestStatus::kNotFound});
  CHECK(waiter->answered == 1);
  CHECK(pending.bytes() == 0);
  CHECK(pending.size() == 2);
}

TEST_CASE("with the byte budget spent a unary call is refused and a stream waits", "[pending_requests]") {
  Api api;
  crypto::init();
  api.requests_bytes_max = 4 * transaction_message(1)->size();
  api.start();
  const auto client = api.client();
  api.overlay.set_silent(true);
  const auto holder = client->broadcaster({.window = 10, .batch_max = 4, .on_answer = {}});
  for (std::uint64_t id = 0; id < 4; ++id) {
    REQUIRE(holder->add_transaction(id, ipc::testing::text_of(transaction_envelope(id))));
  }
  const auto held = api.overlay.await<Broadcast>(4);
  REQUIRE(held.size() == 4);
  CHECK_THAT(client->broadcast(transaction(9)).error(), Catch::StartsWith("RESOURCE_EXHAUSTED: too many requests"));

  std::vector<v1::BroadcastStatus> answers;
  const auto waiting = client->broadcaster(
      {.window = 10, .batch_max = 2, .on_answer = [&](std::uint64_t, const v1::BroadcastResponse& response) {
         answers.push_back(response.status());
       }});
  for (std::uint64_t id = 10; id < 12; ++id) {
    REQUIRE(waiting->add_transaction(id, ipc::testing::text_of(transaction_envelope(id))));
  }
  api.overlay.set_silent(false);
  api.overlay.run_there([&](OverlayEvents& events) {
    for (const Broadcast& broadcast : held) {
      events.on_request_answer(
          {.request = broadcast.request, .status = RequestStatus::kAccepted, .peers_told = 0, .why = {}});
    }
  });
  REQUIRE(waiting->finish().ok());
  REQUIRE(holder->finish().ok());
  CHECK(answers == std::vector<v1::BroadcastStatus>(2, v1::BROADCAST_STATUS_ACCEPTED));
  CHECK(client->broadcast(transaction(9)).ok());
}

TEST_CASE("an SCP envelope no peer could take is refused with the reason and harms no other", "[pending_requests]") {
  Api api;
  api.start();
  const auto client = api.client();
  v1::BroadcastRequest request;
  request.set_scp_envelope(ipc::testing::text_of(large_scp_envelope(limits::kScpMessageBytesMax + 4)));
  const auto answer = client->broadcast(request);
  REQUIRE(answer.ok());
  CHECK(answer.value().status() == v1::BROADCAST_STATUS_REFUSED);
  CHECK_THAT(answer.value().why(), Catch::Contains("at most 200000"));
  CHECK(answer.value().flood_hash().size() == 32);

  std::map<std::uint64_t, v1::BroadcastResponse> answers;
  const auto broadcaster = client->broadcaster(
      {.window = 10, .batch_max = 10, .on_answer = [&](std::uint64_t id, const v1::BroadcastResponse& response) {
         answers[id] = response;
       }});
  REQUIRE(broadcaster->add_scp(1, request.scp_envelope()));
  REQUIRE(broadcaster->add_scp(2, ipc::testing::text_of(large_scp_envelope(limits::kScpMessageBytesMax))));
  REQUIRE(broadcaster->finish().ok());
  REQUIRE(answers.size() == 2);
  CHECK(answers[1].status() == v1::BROADCAST_STATUS_REFUSED);
  CHECK_THAT(answers[1].why(), Catch::Contains("at most 200000"));
  CHECK(answers[2].status() == v1::BROADCAST_STATUS_ACCEPTED);
  CHECK(api.overlay.await<Broadcast>(1).size() == 1);
}

TEST_CASE("UpdateLedger with an unusable number is an error of the call, and nothing of it holds",
          "[pending_requests]") {
  Api api;
  api.start();
  const auto client = api.client();
  v1::UpdateLedgerRequest request;
  request.set_sequence(0);
  CHECK_THAT(client->update_ledger(request).error(), Catch::StartsWith("INVALID_ARGUMENT: sequence: "));
  request.set_sequence(7);
  request.set_max_tx_set_ops(0);
  CHECK_THAT(client->update_ledger(request).error(),
             Catch::StartsWith("INVALID_ARGUMENT: max_tx_set_ops: must be 1 to 1000000, is 0"));
  v1::UpdateLedgerRequest without_sequence;
  CHECK_THAT(client->update_ledger(without_sequence).error(),
             Catch::StartsWith("INVALID_ARGUMENT: sequence: required"));
  request.clear_max_tx_set_ops();
  REQUIRE(client->update_ledger(request).ok());
  CHECK(api.overlay.await<LedgerUpdated>(1).at(0).view.sequence == 7);
}
