#include "ipc/item_calls.h"

#include <catch2/catch.hpp>
#include <future>

#include "ipc_fake.h"
#include "stalling_proxy.h"

using namespace overlayd;
using namespace overlayd::ipc;
using namespace overlayd::ipc::testing;
namespace v1 = ::overlay::v1;

namespace {

std::string bytes_of(const ItemId& id) { return text_of(id.hash.view()); }

v1::FetchRequest fetch_of(const wire::Message& item) {
  v1::FetchRequest request;
  const ItemId id = item_id(item);
  request.set_kind(id.kind == ItemKind::kTxSet ? v1::ITEM_KIND_TX_SET : v1::ITEM_KIND_QUORUM_SET);
  request.set_hash(bytes_of(id));
  return request;
}

template <typename Request>
Request naming(const wire::Message& item) {
  Request request;
  request.set_kind(fetch_of(item).kind());
  request.set_hash(fetch_of(item).hash());
  return request;
}

v1::PutItemsRequest put_of(std::initializer_list<std::uint8_t> quorum_sets) {
  v1::PutItemsRequest request;
  for (const std::uint8_t number : quorum_sets) request.add_items()->set_quorum_set(text_of(quorum_set(number)));
  return request;
}

constexpr std::uint32_t kLargeSetTransactions = 200'000;
const std::size_t kLargeSetBytes = 36 + kLargeSetTransactions * transaction_envelope(1).size();  // over 15 MiB
constexpr auto kStopMax = limits::kApiShutdownTimeout + limits::kApiCancelTimeout + seconds(2);

// Gives the overlay a set of kLargeSetBytes; the question for it is returned.
v1::GetItemRequest put_large_set(Client& client) {
  v1::PutItemsRequest request;
  request.add_items()->set_tx_set(text_of(tx_set(1, kLargeSetTransactions)));
  const auto answer = client.put_items(request);
  REQUIRE(answer.ok());
  REQUIRE(answer.value().results(0).status() == v1::PUT_ITEM_STATUS_TAKEN);
  v1::GetItemRequest question;
  question.set_kind(v1::ITEM_KIND_TX_SET);
  question.set_hash(answer.value().results(0).hash());
  return question;
}

std::unique_ptr<Client> must_connect(const std::string& socket) {
  auto connected = Client::connect({.socket = socket, .call_timeout = kWait});
  REQUIRE(connected.ok());
  return std::move(connected).value();
}

}  // namespace

TEST_CASE("a fetch reaches the overlay with its slot and holders, and says that it is under way", "[item_calls]") {
  Api api;
  api.start();
  const auto client = api.client();
  v1::FetchRequest request = fetch_of(*tx_set_message(1));
  request.set_slot(77);
  request.add_holders(text_of(node(3).view()));
  const auto answer = client->fetch(request);
  REQUIRE(answer.ok());
  CHECK(answer.value().status() == v1::FETCH_STATUS_FETCHING);
  const FetchItem taken = api.overlay.await<FetchItem>(1).at(0);
  CHECK(taken.item == item_id(*tx_set_message(1)));
  CHECK(taken.slot == 77);
  CHECK(taken.holders == std::vector<NodeId>{node(3)});
}

TEST_CASE("a fetch of what is held says so, and one that is refused says why", "[item_calls]") {
  Api api;
  api.start();
  const auto client = api.client();
  REQUIRE(client->put_items(put_of({1})).ok());
  CHECK(client->fetch(fetch_of(*quorum_set_message(1))).value().status() == v1::FETCH_STATUS_HELD);
  v1::FetchRequest refused = fetch_of(*quorum_set_message(2));
  refused.set_slot(FakeOverlay::kRefusedSlot);
  const auto answer = client->fetch(refused);
  CHECK(answer.value().status() == v1::FETCH_STATUS_REFUSED);
  CHECK(answer.value().why() == "too many searches");
}

TEST_CASE("a request about an item names a kind and 32 bytes of hash", "[item_calls]") {
  Api api;
  api.start();
  const auto client = api.client();
  v1::FetchRequest request = fetch_of(*tx_set_message(1));
  request.set_kind(v1::ITEM_KIND_UNSPECIFIED);
  CHECK_THAT(client->fetch(request).error(), Catch::StartsWith("INVALID_ARGUMENT: kind: "));
  request.set_kind(v1::ITEM_KIND_GENERALIZED_TX_SET);
  CHECK(client->fetch(request).ok());
  CHECK(api.overlay.await<FetchItem>(1).at(0).item.kind == ItemKind::kTxSet);
  request.set_hash("short");
  CHECK(client->fetch(request).error() == "INVALID_ARGUMENT: hash: must be 32 bytes, has 5");
  CHECK_THAT(client->get_item({}).error(), Catch::StartsWith("INVALID_ARGUMENT: kind: "));
  CHECK_THAT(client->cancel_fetch({}).error(), Catch::StartsWith("INVALID_ARGUMENT: kind: "));
  request = fetch_of(*tx_set_message(1));
  for (std::size_t i = 0; i < limits::kFetchHoldersMax; ++i) request.add_holders(text_of(node(3).view()));
  CHECK(client->fetch(request).ok());
  request.add_holders(text_of(node(3).view()));
  CHECK(client->fetch(request).error() == "INVALID_ARGUMENT: holders: at most 16, has 17");
}

TEST_CASE("cancelling says whether there was a fetch to stop", "[item_calls]") {
  Api api;
  api.start();
  const auto client = api.client();
  const MessagePtr item = tx_set_message(1);
  CHECK_FALSE(client->cancel_fetch(naming<v1::CancelFetchRequest>(*item)).value().stopped());
  REQUIRE(client->fetch(fetch_of(*item)).ok());
  CHECK(client->cancel_fetch(naming<v1::CancelFetchRequest>(*item)).value().stopped());
}

TEST_CASE("each item that is put has its result with its hash, and a bad one harms no other", "[item_calls]") {
  Api api;
  api.start();
  const auto client = api.client();
  v1::PutItemsRequest request = put_of({1, 2, 1});
  request.mutable_items(1)->mutable_quorum_set()->resize(20);
  request.add_items()->set_tx_set(text_of(tx_set(4)));
  request.add_items()->set_generalized_tx_set(text_of(generalized_tx_set(5)));
  request.add_items();
  const auto answer = client->put_items(request);
  REQUIRE(answer.ok());
  REQUIRE(answer.value().results_size() == 6);
  const auto& results = answer.value().results();
  CHECK(results[0].status() == v1::PUT_ITEM_STATUS_TAKEN);
  CHECK(results[0].hash() == bytes_of(item_id(*quorum_set_message(1))));
  CHECK(results[1].status() == v1::PUT_ITEM_STATUS_REFUSED);
  CHECK_THAT(results[1].why(), Catch::StartsWith("items[1].quorum_set: ") && Catch::Contains("at byte"));
  CHECK(results[1].hash().empty());
  CHECK(results[2].status() == v1::PUT_ITEM_STATUS_HELD);
  CHECK(results[2].hash() == results[0].hash());
  CHECK(results[3].status() == v1::PUT_ITEM_STATUS_TAKEN);
  CHECK(results[3].hash() == bytes_of(item_id(*tx_set_message(4))));
  CHECK(results[4].status() == v1::PUT_ITEM_STATUS_TAKEN);
  CHECK(results[4].hash() == bytes_of(item_id(*generalized_tx_set_message(5))));
  CHECK_THAT(results[5].why(), Catch::StartsWith("items[5].item: "));
  CHECK(api.overlay.await<PutItem>(4).size() == 4);
}

TEST_CASE("at most 1,000 items pass in one call, and none at all is no error", "[item_calls]") {
  Api api;
  api.start();
  const auto client = api.client();
  CHECK(client->put_items({}).value().results().empty());
  v1::PutItemsRequest request;
  for (std::size_t i = 0; i < limits::kItemBatchMax; ++i) request.add_items()->set_quorum_set(text_of(quorum_set(1)));
  const auto answer = client->put_items(request);
  REQUIRE(answer.ok());
  CHECK(answer.value().results_size() == 1000);
  CHECK(answer.value().results(999).status() == v1::PUT_ITEM_STATUS_HELD);
  request.add_items();
  CHECK(client->put_items(request).error() == "INVALID_ARGUMENT: items: at most 1000, has 1001");
}

TEST_CASE("an item that is held comes as it was put, with its kind; another is NOT_FOUND", "[item_calls]") {
  Api api;
  api.start();
  const auto client = api.client();
  v1::PutItemsRequest request;
  request.add_items()->set_tx_set(text_of(tx_set(1, 130'000)));  // some 10 MiB
  request.add_items()->set_generalized_tx_set(text_of(generalized_tx_set(2)));
  REQUIRE(client->put_items(request).ok());
  const auto large = client->get_item(naming<v1::GetItemRequest>(*tx_set_message(1, 130'000)));
  REQUIRE(large.ok());
  CHECK(large.value().kind() == v1::ITEM_KIND_TX_SET);
  CHECK(large.value().size() > 10'000'000);
  CHECK(large.value().size() == large.value().xdr().size());
  CHECK((large.value().xdr() == request.items(0).tx_set()));  // not printed if it differs
  const auto generalized = client->get_item(naming<v1::GetItemRequest>(*generalized_tx_set_message(2)));
  CHECK(generalized.value().kind() == v1::ITEM_KIND_GENERALIZED_TX_SET);
  CHECK_THAT(client->get_item(naming<v1::GetItemRequest>(*tx_set_message(9))).error(),
             Catch::StartsWith("NOT_FOUND: hash: "));
}

TEST_CASE("SCP state is asked of one peer or of some, and an unknown peer is NOT_FOUND", "[item_calls]") {
  Api api;
  api.start();
  const auto client = api.client();
  v1::RequestScpStateRequest request;
  CHECK(client->request_scp_state(request).value().node_ids_size() == 1);
  for (const std::uint32_t count : {1U, 64U}) {
    request.set_count(count);
    CHECK(client->request_scp_state(request).value().node_ids_size() == static_cast<int>(count));
  }
  for (const std::uint32_t count : {0U, 65U}) {
    request.set_count(count);
    CHECK_THAT(client->request_scp_state(request).error(),
               Catch::StartsWith("INVALID_ARGUMENT: count: must be 1 to 64"));
  }
  request.set_count(1);
  request.set_node_id(text_of(node(FakeOverlay::kPeer).view()));
  CHECK_THAT(client->request_scp_state(request).error(), Catch::StartsWith("INVALID_ARGUMENT: count: "));
  request.clear_count();
  request.set_from_ledger(0);
  const auto answer = client->request_scp_state(request);
  REQUIRE(answer.ok());
  CHECK(answer.value().node_ids(0) == request.node_id());
  const auto taken = api.overlay.await<RequestScpState>(4).at(3);
  CHECK(taken.node == node(FakeOverlay::kPeer));
  CHECK(taken.from_ledger == 0U);
  CHECK_FALSE(api.overlay.await<RequestScpState>(4).at(0).from_ledger);
  request.set_node_id(text_of(node(8).view()));
  CHECK_THAT(client->request_scp_state(request).error(), Catch::StartsWith("NOT_FOUND: node_id: "));
}

TEST_CASE("a client's own SCP state reaches the overlay in its order, whole or not at all", "[item_calls]") {
  Api api;
  api.start();
  const auto client = api.client();
  v1::SendScpStateRequest request;
  request.set_node_id(text_of(node(FakeOverlay::kPeer).view()));
  for (const std::uint64_t slot : {3, 1, 2}) request.add_scp_envelopes(text_of(scp_envelope(slot)));
  REQUIRE(client->send_scp_state(request).ok());
  const SendScpState taken = api.overlay.await<SendScpState>(1).at(0);
  REQUIRE(taken.envelopes.size() == 3);
  CHECK(text_of(taken.envelopes[0]->body()) == request.scp_envelopes(0));
  CHECK(text_of(taken.envelopes[1]->body()) == request.scp_envelopes(1));
  request.add_scp_envelopes("garbage!");
  CHECK_THAT(client->send_scp_state(request).error(),
             Catch::StartsWith("INVALID_ARGUMENT: scp_envelopes[3]: ") && Catch::Contains("at byte"));
  request.set_scp_envelopes(3, text_of(large_scp_envelope(limits::kScpMessageBytesMax + 4)));
  CHECK_THAT(client->send_scp_state(request).error(),
             Catch::StartsWith("INVALID_ARGUMENT: scp_envelopes[3]: its StellarMessage is 200004 bytes"));
  request.set_scp_envelopes(3, text_of(large_scp_envelope(limits::kScpMessageBytesMax)));
  CHECK(client->send_scp_state(request).ok());
  for (std::size_t i = 4; i <= limits::kScpStateSendEnvelopesMax; ++i)
    request.add_scp_envelopes(text_of(scp_envelope(i)));
  CHECK_THAT(client->send_scp_state(request).error(),
             Catch::StartsWith("INVALID_ARGUMENT: scp_envelopes: at most 1000, has 1001"));
  request.clear_scp_envelopes();
  request.set_node_id(text_of(node(8).view()));
  CHECK_THAT(client->send_scp_state(request).error(), Catch::StartsWith("NOT_FOUND: node_id: "));
}

TEST_CASE("with the overlay's queue full every call about items is RESOURCE_EXHAUSTED", "[item_calls]") {
  Api api;
  api.start();
  const auto client = api.client();
  api.overlay.set_full(true);
  v1::SendScpStateRequest state;
  state.set_node_id(text_of(node(FakeOverlay::kPeer).view()));
  const MessagePtr item = quorum_set_message(1);
  for (const std::string& error : {client->fetch(fetch_of(*item)).error(), client->put_items(put_of({1})).error(),
                                   client->cancel_fetch(naming<v1::CancelFetchRequest>(*item)).error(),
                                   client->get_item(naming<v1::GetItemRequest>(*item)).error(),
                                   client->request_scp_state({}).error(), client->send_scp_state(state).error()}) {
    CHECK_THAT(error, Catch::StartsWith("RESOURCE_EXHAUSTED: the overlay is busy"));
  }
  api.overlay.set_full(false);
  CHECK(client->put_items(put_of({1})).value().results(0).status() == v1::PUT_ITEM_STATUS_TAKEN);
}

TEST_CASE("with the byte budget spent items are refused, and free again once they are answered", "[item_calls]") {
  Api api;
  crypto::init();
  api.requests_bytes_max = 2 * quorum_set_message(1)->size();
  api.start();
  const auto client = api.client();
  CHECK_THAT(client->put_items(put_of({1, 2, 3})).error(), Catch::StartsWith("RESOURCE_EXHAUSTED: too many requests"));
  CHECK(client->put_items(put_of({1, 2})).ok());
  CHECK(client->put_items(put_of({3, 4})).ok());
  v1::SendScpStateRequest state;
  state.set_node_id(text_of(node(FakeOverlay::kPeer).view()));
  for (int i = 0; i < 2; ++i) state.add_scp_envelopes(text_of(scp_envelope(1)));
  CHECK_THAT(client->send_scp_state(state).error(), Catch::StartsWith("RESOURCE_EXHAUSTED: too many requests"));
}

TEST_CASE("a stopping daemon ends the calls that wait with UNAVAILABLE", "[item_calls]") {
  Api api;
  api.start();
  const auto client = api.client();
  api.overlay.set_silent(true);
  std::vector<std::string> errors(2);
  std::thread fetching([&] { errors[0] = client->fetch(fetch_of(*tx_set_message(1))).error(); });
  std::thread putting([&] { errors[1] = client->put_items(put_of({1, 2})).error(); });
  CHECK(api.overlay.await<FetchItem>(1).size() == 1);
  CHECK(api.overlay.await<PutItem>(2).size() == 2);
  CHECK(api.server->stop());
  fetching.join();
  putting.join();
  for (const std::string& error : errors) CHECK_THAT(error, Catch::StartsWith("UNAVAILABLE: the daemon is stopping"));
}

TEST_CASE("a call that the overlay does not answer in time is DEADLINE_EXCEEDED", "[item_calls]") {
  Api api;
  api.requests_timeout = milliseconds(1);
  api.start();
  api.overlay.set_silent(true);
  const auto client = api.client();
  v1::SendScpStateRequest state;
  state.set_node_id(text_of(node(FakeOverlay::kPeer).view()));
  const MessagePtr item = quorum_set_message(1);
  for (const std::string& error : {client->fetch(fetch_of(*item)).error(), client->put_items(put_of({1, 2})).error(),
                                   client->cancel_fetch(naming<v1::CancelFetchRequest>(*item)).error(),
                                   client->get_item(naming<v1::GetItemRequest>(*item)).error(),
                                   client->request_scp_state({}).error(), client->send_scp_state(state).error()}) {
    CHECK_THAT(error, Catch::StartsWith("DEADLINE_EXCEEDED: the overlay did not answer in time"));
  }
}

TEST_CASE("a budget of answers lets one through however large, and others only as far as they fit", "[item_calls]") {
  AnswerBudget budget(10);
  REQUIRE(budget.take(11));
  CHECK_FALSE(budget.take(1));
  budget.give_back(11);
  REQUIRE(budget.take(4));
  REQUIRE(budget.take(6));
  CHECK_FALSE(budget.take(1));
  budget.give_back(4);
  CHECK_FALSE(budget.take(5));
  CHECK(budget.take(4));
}

TEST_CASE("answers that a client does not read are bounded, and others wait until it does", "[item_calls]") {
  Api api;
  api.item_answers_bytes_max = kLargeSetBytes + 1000;
  api.start();
  const auto client = api.client();
  const v1::GetItemRequest large = put_large_set(*client);
  REQUIRE(client->put_items(put_of({1})).ok());
  StallingProxy proxy(api.directory.file("proxy.sock"), api.options().socket);
  const auto stopped = must_connect(api.directory.file("proxy.sock"));
  proxy.stall_after(kLargeSetBytes / 2);
  auto answer = std::async(std::launch::async, [&] { return stopped->get_item(large); });
  proxy.await_stall();
  CHECK_THAT(client->get_item(large).error(), Catch::StartsWith("RESOURCE_EXHAUSTED: too many bytes of items"));
  CHECK(client->get_item(naming<v1::GetItemRequest>(*quorum_set_message(1))).ok());  // room for a small one
  proxy.resume();
  CHECK(answer.get().ok());
  const auto deadline = std::chrono::steady_clock::now() + kWait;
  bool is_given_back = false;  // the client has its answer a little before the server learns so
  while (!is_given_back && std::chrono::steady_clock::now() < deadline) is_given_back = client->get_item(large).ok();
  CHECK(is_given_back);
}

TEST_CASE("a client that does not read its answer cannot keep the server from stopping", "[item_calls]") {
  Api api;
  api.start();
  const v1::GetItemRequest large = put_large_set(*api.client());
  StallingProxy proxy(api.directory.file("proxy.sock"), api.options().socket);
  const auto stopped = must_connect(api.directory.file("proxy.sock"));
  proxy.stall_after(kLargeSetBytes / 2);
  auto answer = std::async(std::launch::async, [&] { return stopped->get_item(large); });
  proxy.await_stall();
  auto stop = std::async(std::launch::async, [&] { return api.server->stop(); });
  const bool has_returned = stop.wait_for(kStopMax) == std::future_status::ready;
  CHECK(has_returned);
  CHECK_FALSE(std::filesystem::exists(api.options().socket));
  CHECK_FALSE(std::filesystem::exists(api.options().admin_socket));
  proxy.close();
  CHECK_FALSE(answer.get().ok());
  CHECK_FALSE(stop.get());
  while (!api.server->stop()) {
  }  // gRPC's last write fails now
}
