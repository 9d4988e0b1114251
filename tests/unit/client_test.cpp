#include "ipc/client/client.h"

#include <catch2/catch.hpp>

#include "ipc_fake.h"

using namespace overlayd;
using namespace overlayd::ipc;
using namespace overlayd::ipc::testing;
namespace v1 = ::overlay::v1;

TEST_CASE("a daemon that is not there is an error with the socket and what to do", "[client]") {
  TempDirectory directory;
  const auto client = Client::connect({.socket = directory.file("none.sock")});
  REQUIRE_FALSE(client.ok());
  CHECK_THAT(client.error(), Catch::Contains(directory.file("none.sock")) && Catch::Contains("is overlayd running"));
  CHECK_FALSE(AdminClient::connect({.socket = ""}).ok());
}

TEST_CASE("a socket nobody answers at is an error within the connect timeout", "[client]") {
  TempDirectory directory;
  const std::string path = directory.file("file.sock");
  std::ofstream(path) << "";
  const auto client = Client::connect({.socket = path, .connect_timeout = std::chrono::milliseconds(200)});
  REQUIRE_FALSE(client.ok());
  CHECK_THAT(client.error(), Catch::Contains("nobody answers at the socket " + path));
}

TEST_CASE("a daemon that went away is named in the error of the next call", "[client]") {
  Api api;
  api.start();
  const auto client = api.client();
  CHECK(api.server->stop());
  v1::UpdateLedgerRequest request;
  request.set_sequence(1);
  CHECK_THAT(client->update_ledger(request).error(),
             Catch::StartsWith("UNAVAILABLE") && Catch::Contains(api.options().socket));
}

TEST_CASE("a broadcaster never has more unanswered than its window", "[client]") {
  Api api;
  api.start();
  const auto client = api.client();
  std::size_t answered = 0;
  const auto broadcaster = client->broadcaster(
      {.window = 10, .batch_max = 7, .on_answer = [&](std::uint64_t, const v1::BroadcastResponse&) { ++answered; }});
  for (std::uint64_t id = 0; id < 200; ++id) {
    REQUIRE(broadcaster->add_transaction(id, text_of(transaction_envelope(id))));
    if (broadcaster->unanswered() > 10) FAIL("unanswered: " << broadcaster->unanswered());
  }
  REQUIRE(broadcaster->finish().ok());
  CHECK(answered == 200);
}

TEST_CASE("a broadcaster whose daemon stops does not wait for ever", "[client]") {
  Api api;
  api.start();
  const auto client = api.client();
  api.overlay.set_silent(true);
  const auto broadcaster = client->broadcaster({.window = 2, .batch_max = 1, .on_answer = {}});
  REQUIRE(broadcaster->add_transaction(1, text_of(transaction_envelope(1))));
  REQUIRE(broadcaster->add_transaction(2, text_of(transaction_envelope(2))));
  std::thread stopper([&] { static_cast<void>(api.server->stop()); });
  broadcaster->add_transaction(3, text_of(transaction_envelope(3)));
  const auto finished = broadcaster->finish();
  stopper.join();
  CHECK_FALSE(finished.ok());
}

TEST_CASE("a subscriber that is cancelled ends well", "[client]") {
  Api api;
  api.start();
  const auto client = api.client();
  v1::SubscribeRequest request;
  request.add_topics(v1::TOPIC_SCP);
  const auto subscriber = client->subscribe(request);
  REQUIRE(subscriber->wait_attached(kWait).ok());
  CHECK_FALSE(subscriber->next(std::chrono::milliseconds(1)).has_value());
  CHECK_FALSE(subscriber->end().has_value());
  subscriber->cancel();
  CHECK_FALSE(subscriber->next(kWait).has_value());
}

TEST_CASE("calls about items to a daemon that went away name it", "[client]") {
  Api api;
  api.start();
  const auto client = api.client();
  CHECK(api.server->stop());
  v1::FetchRequest fetch;
  fetch.set_kind(v1::ITEM_KIND_TX_SET);
  fetch.set_hash(std::string(32, 'h'));
  for (const std::string& error : {client->fetch(fetch).error(), client->put_items({}).error(),
                                   client->request_scp_state({}).error(), client->send_scp_state({}).error()})
    CHECK_THAT(error, Catch::StartsWith("UNAVAILABLE") && Catch::Contains(api.options().socket));
}
