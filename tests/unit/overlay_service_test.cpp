#include "ipc/overlay_service.h"

#include <grpcpp/generic/generic_stub.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <map>

#include "ipc/client/channel.h"
#include "ipc_fake.h"

using namespace overlayd;
using namespace overlayd::ipc;
using namespace overlayd::ipc::testing;
namespace v1 = ::overlay::v1;

namespace {

grpc::ByteBuffer buffer_of(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}
std::string text_of(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  buffer.Dump(&slices);
  std::string text;
  for (const auto& slice : slices) text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return text;
}

// A bidirectional call of one request and one response, made without generated code.
std::string raw_call(const std::string& socket, const std::string& method, const std::string& request) {
  auto channel = open_channel(socket, kWait);
  REQUIRE(channel.ok());
  grpc::GenericStub stub(channel.value());
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kWait);
  void* tag = nullptr;
  bool ok = false;
  const auto wait = [&] { return queue.Next(&tag, &ok) && ok; };
  const auto call = stub.PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  REQUIRE(wait());
  call->Write(buffer_of(request), nullptr);
  REQUIRE(wait());
  call->WritesDone(nullptr);
  REQUIRE(wait());
  grpc::ByteBuffer response;
  call->Read(&response, nullptr);
  const bool is_read = wait();
  grpc::Status status;
  call->Finish(&status, nullptr);
  wait();
  INFO(status.error_message());
  CHECK(status.ok());
  return is_read ? text_of(response) : std::string();
}

unsigned mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  CHECK(S_ISSOCK(status.st_mode));
  return status.st_mode & 07777U;
}

v1::BroadcastRequest transaction(std::uint64_t number) {
  v1::BroadcastRequest request;
  request.set_transaction_envelope(ipc::testing::text_of(transaction_envelope(number)));
  return request;
}

// A socket file that nobody listens on.
void leave_stale_socket(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  ::close(fd);
}

}  // namespace

TEST_CASE("GetInfo tells who the daemon is", "[overlay_service]") {
  Api api;
  api.start();
  const auto client = api.client();
  const v1::GetInfoResponse& info = client->info();
  CHECK(info.api_major() == 1);
  CHECK(info.node_id() == std::string(32, '\x09'));
  CHECK(info.network_id() == std::string(32, '\x44'));
  CHECK(info.daemon_version() == "overlayd test");
  CHECK(info.boot_id() == Api::kBootId);
  CHECK(info.limits().message_bytes_max() == limits::kApiMessageBytesMax);
  CHECK(info.api_minor() == 4);
  CHECK(info.limits().event_log_items_bytes_max() == limits::kEventLogItemsBytesMax);
  CHECK(info.limits().event_log_scp_state_requests_bytes_max() == limits::kEventLogScpStateRequestsBytesMax);
  CHECK(info.limits().event_log_survey_bytes_max() == limits::kEventLogSurveyBytesMax);
  CHECK(info.limits().item_batch_max() == limits::kItemBatchMax);
  CHECK(info.limits().fetches_max() == limits::kClientFetchesMax);
  const std::set<std::string> capabilities(info.capabilities().begin(), info.capabilities().end());
  for (const char* name : {"topic.items", "topic.scp_state_requests", "items", "scp_state"})
    CHECK(capabilities.contains(name));
}

TEST_CASE("a client of another major version is told so", "[overlay_service]") {
  Api api;
  api.start();
  const auto client = api.client();
  grpc::ClientContext context;
  v1::GetInfoRequest request;
  request.set_api_major(2);
  v1::GetInfoResponse response;
  const grpc::Status status = client->stub().GetInfo(&context, request, &response);
  CHECK(status.error_code() == grpc::StatusCode::FAILED_PRECONDITION);
  CHECK_THAT(status.error_message(), Catch::StartsWith("api_major: "));
}

TEST_CASE("a broadcast is answered with its hashes and how many were told", "[overlay_service]") {
  Api api;
  api.start();
  const auto client = api.client();
  const auto answer = client->broadcast(transaction(1));
  REQUIRE(answer.ok());
  const MessagePtr message = transaction_message(1);
  CHECK(answer.value().status() == v1::BROADCAST_STATUS_ACCEPTED);
  CHECK(answer.value().peers_told() == 3);
  CHECK(answer.value().hash() == ipc::testing::text_of(message->tx_hash().view()));
  CHECK(answer.value().flood_hash() == ipc::testing::text_of(message->flood_hash().view()));
  CHECK(answer.value().tx_full_hash() == ipc::testing::text_of(message->tx_full_hash().view()));
  CHECK(client->broadcast(transaction(1)).value().status() == v1::BROADCAST_STATUS_DUPLICATE);
  v1::BroadcastRequest scp;
  scp.set_scp_envelope(ipc::testing::text_of(scp_envelope(1)));
  const auto scp_answer = client->broadcast(scp);
  REQUIRE(scp_answer.ok());
  CHECK(scp_answer.value().hash() == scp_answer.value().flood_hash());
  CHECK(scp_answer.value().tx_full_hash().empty());
}

TEST_CASE("malformed XDR is an error of the call that says where decoding failed", "[overlay_service]") {
  Api api;
  api.start();
  const auto client = api.client();
  v1::BroadcastRequest request = transaction(1);
  request.mutable_transaction_envelope()->resize(61);
  const auto answer = client->broadcast(request);
  REQUIRE_FALSE(answer.ok());
  CHECK_THAT(answer.error(),
             Catch::StartsWith("INVALID_ARGUMENT: transaction_envelope: ") && Catch::Contains("at byte"));
  CHECK(client->broadcast(transaction(1)).ok());
}

TEST_CASE("a full queue is RESOURCE_EXHAUSTED for a unary call", "[overlay_service]") {
  Api api;
  api.start();
  const auto client = api.client();
  api.overlay.set_full(true);
  CHECK_THAT(client->broadcast(transaction(1)).error(), Catch::StartsWith("RESOURCE_EXHAUSTED: "));
  v1::UpdateLedgerRequest update;
  update.set_sequence(5);
  CHECK_THAT(client->update_ledger(update).error(), Catch::StartsWith("RESOURCE_EXHAUSTED: "));
  api.overlay.set_full(false);
  CHECK(client->broadcast(transaction(1)).ok());
  update.clear_sequence();
  CHECK_THAT(client->update_ledger(update).error(), Catch::StartsWith("INVALID_ARGUMENT: sequence"));
}

TEST_CASE("every item of a stream of 10,000 is answered once", "[overlay_service]") {
  Api api;
  api.start();
  const auto client = api.client();
  static constexpr std::uint64_t kCount = 10'000;
  std::map<std::uint64_t, v1::BroadcastStatus> answers;
  std::size_t repeated = 0;
  const auto broadcaster = client->broadcaster(
      {.window = 4000, .batch_max = 200, .on_answer = [&](std::uint64_t id, const v1::BroadcastResponse& response) {
         repeated += answers.emplace(id, response.status()).second ? 0 : 1;
       }});
  for (std::uint64_t id = 0; id < kCount; ++id) {
    REQUIRE(broadcaster->add_transaction(id, ipc::testing::text_of(transaction_envelope(id % (kCount - 10)))));
  }
  const auto finished = broadcaster->finish();
  INFO((finished ? std::string() : finished.error()));
  REQUIRE(finished.ok());
  CHECK(answers.size() == kCount);
  CHECK(repeated == 0);
  CHECK(std::count_if(answers.begin(), answers.end(),
                      [](const auto& entry) { return entry.second == v1::BROADCAST_STATUS_ACCEPTED; }) == kCount - 10);
}

TEST_CASE("a malformed item of a stream is refused and harms no other", "[overlay_service]") {
  Api api;
  api.start();
  const auto client = api.client();
  std::map<std::uint64_t, v1::BroadcastResponse> answers;
  const auto broadcaster = client->broadcaster(
      {.window = 100, .batch_max = 10, .on_answer = [&](std::uint64_t id, const v1::BroadcastResponse& response) {
         answers[id] = response;
       }});
  REQUIRE(broadcaster->add_transaction(1, ipc::testing::text_of(transaction_envelope(1))));
  REQUIRE(broadcaster->add_transaction(2, "garbage!"));
  REQUIRE(broadcaster->add_scp(3, ipc::testing::text_of(scp_envelope(1))));
  REQUIRE(broadcaster->finish().ok());
  REQUIRE(answers.size() == 3);
  CHECK(answers[1].status() == v1::BROADCAST_STATUS_ACCEPTED);
  CHECK(answers[2].status() == v1::BROADCAST_STATUS_REFUSED);
  CHECK_THAT(answers[2].why(), Catch::StartsWith("transaction_envelope: "));
  CHECK(answers[3].status() == v1::BROADCAST_STATUS_ACCEPTED);
}

TEST_CASE("a stream waits while the overlay's queue is full, and loses nothing", "[overlay_service]") {
  Api api;
  api.start();
  const auto client = api.client();
  std::size_t answered = 0;
  const auto broadcaster = client->broadcaster(
      {.window = 1000, .batch_max = 50, .on_answer = [&](std::uint64_t, const v1::BroadcastResponse&) { ++answered; }});
  api.overlay.set_full(true);
  for (std::uint64_t id = 0; id < 500; ++id) {
    REQUIRE(broadcaster->add_transaction(id, ipc::testing::text_of(transaction_envelope(id))));
  }
  api.overlay.await_refusals(3);
  CHECK(broadcaster->unanswered() == 500);
  api.overlay.set_full(false);
  REQUIRE(broadcaster->finish().ok());
  CHECK(answered == 500);
}

TEST_CASE("a batch of a stream holds at most 1,000 items", "[overlay_service]") {
  Api api;
  api.start();
  const auto client = api.client();
  for (const std::size_t count : {999U, 1000U, 1001U}) {
    std::size_t answered = 0;
    const auto broadcaster = client->broadcaster(
        {.window = 2000, .batch_max = 1500, .on_answer = [&](std::uint64_t, const v1::BroadcastResponse&) {
           ++answered;
         }});
    for (std::uint64_t id = 0; id < count; ++id) {
      REQUIRE(broadcaster->add_transaction(id, ipc::testing::text_of(transaction_envelope(id))));
    }
    const auto finished = broadcaster->finish();
    CHECK(finished.ok() == (count <= 1000));
    if (!finished) CHECK_THAT(finished.error(), Catch::StartsWith("INVALID_ARGUMENT: items: at most 1000"));
    if (finished) CHECK(answered == count);
  }
}

TEST_CASE("a client that goes away in the middle of a stream harms no other", "[overlay_service]") {
  Api api;
  api.start();
  const auto client = api.client();
  api.overlay.set_silent(true);
  for (int i = 0; i < 5; ++i) {
    const auto broadcaster = client->broadcaster({});
    broadcaster->add_transaction(1, ipc::testing::text_of(transaction_envelope(1)));
    broadcaster->flush();
    REQUIRE(api.overlay.await<Broadcast>(i + 1).size() == static_cast<std::size_t>(i + 1));
  }
  api.overlay.set_silent(false);
  CHECK(client->broadcast(transaction(77)).ok());
}

TEST_CASE("UpdateLedger reaches the overlay with what was said before", "[overlay_service]") {
  Api api;
  api.start();
  const auto client = api.client();
  v1::UpdateLedgerRequest request;
  request.set_sequence(10);
  request.set_in_sync(false);
  request.add_applied_tx_hashes(std::string(32, 'a'));
  REQUIRE(client->update_ledger(request).ok());
  v1::UpdateLedgerRequest next;
  next.set_sequence(11);
  next.add_banned_tx_hashes(std::string(32, 'b'));
  REQUIRE(client->update_ledger(next).ok());
  const auto updates = api.overlay.await<LedgerUpdated>(2);
  REQUIRE(updates.size() == 2);
  CHECK(updates[0].applied.size() == 1);
  CHECK(updates[1].view.sequence == 11);
  CHECK_FALSE(updates[1].view.is_in_sync);
  CHECK(updates[1].applied.empty());
  CHECK(updates[1].banned.size() == 1);
}

TEST_CASE("verdicts reach the overlay in order and are counted", "[overlay_service]") {
  Api api;
  api.start();
  const auto client = api.client();
  const auto verdicts = client->verdicts();
  for (int i = 0; i < 2500; ++i) verdicts->add(std::string(32, static_cast<char>(i)), v1::VERDICT_ACCEPT);
  const auto taken = verdicts->finish();
  REQUIRE(taken.ok());
  CHECK(taken.value() == 2500);
  const auto given = api.overlay.await<VerdictGiven>(2500);
  REQUIRE(given.size() == 2500);
  CHECK(std::get<FloodHash>(given[7].subject).bytes[0] == 7);
}

TEST_CASE("verdicts wait while the overlay's queue is full", "[overlay_service]") {
  Api api;
  api.start();
  const auto client = api.client();
  const auto verdicts = client->verdicts();
  api.overlay.set_full(true);
  verdicts->add(std::string(32, 'x'), v1::VERDICT_REJECT);
  verdicts->flush();
  api.overlay.await_refusals(3);
  api.overlay.set_full(false);
  CHECK(verdicts->finish().value() == 1);
}

TEST_CASE("a malformed verdict ends its stream and names the field", "[overlay_service]") {
  Api api;
  api.start();
  const auto client = api.client();
  const auto verdicts = client->verdicts();
  verdicts->add("short", v1::VERDICT_ACCEPT);
  CHECK_THAT(verdicts->finish().error(),
             Catch::StartsWith("INVALID_ARGUMENT: verdicts[0].flood_hash: must be 32 bytes"));
}

TEST_CASE("a stopping daemon answers what it was asked with UNAVAILABLE", "[overlay_service]") {
  Api api;
  api.start();
  const auto client = api.client();
  api.overlay.set_silent(true);
  const auto verdicts = client->verdicts();
  std::string error;
  std::thread caller([&] { error = client->broadcast(transaction(1)).error(); });
  REQUIRE(api.overlay.await<Broadcast>(1).size() == 1);
  const auto before = std::chrono::steady_clock::now();
  CHECK(api.server->stop());
  CHECK(std::chrono::steady_clock::now() - before < limits::kApiShutdownTimeout);
  caller.join();
  CHECK_THAT(error, Catch::StartsWith("UNAVAILABLE: "));
  CHECK_FALSE(std::filesystem::exists(api.options().socket));
  CHECK_FALSE(std::filesystem::exists(api.options().admin_socket));
}

TEST_CASE("both sockets have mode 0660 and serve health checking and reflection", "[overlay_service]") {
  Api api;
  api.start();
  const std::map<std::string, std::string> doors{{api.options().socket, "overlay.v1.Overlay"},
                                                 {api.options().admin_socket, "overlay.v1.Admin"}};
  for (const auto& [socket, service] : doors) {
    INFO(service);
    CHECK(mode_of(socket) == 0660);
    const std::string named = std::string("\x0a") + static_cast<char>(service.size()) + service;
    CHECK(raw_call(socket, "/grpc.health.v1.Health/Check", named) == "\x08\x01");
    CHECK(raw_call(socket, "/grpc.health.v1.Health/Check", "") == "\x08\x01");
    const std::string list_services("\x3a\x01*", 3);
    CHECK_THAT(raw_call(socket, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", list_services),
               Catch::Contains(service));
  }
}

TEST_CASE("a message of 16 MiB passes the API", "[overlay_service]") {
  Api api;
  api.start();
  const auto client = api.client();
  v1::BroadcastRequest request;
  request.set_transaction_envelope(std::string(16 << 20, '\0'));
  // Too large for the network, but it arrives: the refusal is the daemon's own.
  CHECK_THAT(client->broadcast(request).error(), Catch::StartsWith("INVALID_ARGUMENT: transaction_envelope: at most"));
}

TEST_CASE("a socket left behind is replaced", "[overlay_service]") {
  Api api;
  leave_stale_socket(api.options().socket);
  leave_stale_socket(api.options().admin_socket);
  api.start();
  CHECK(api.client()->info().api_major() == 1);
}

TEST_CASE("a path that cannot be a socket is refused with the path and what to do", "[overlay_service]") {
  Api api;
  FakeOverlay overlay;
  const auto failure = [&](ServerOptions options) {
    Server server(std::move(options), overlay);
    overlay.set_events(&server.events());
    const auto started = server.start();
    overlay.set_events(nullptr);
    return started ? std::string("it started") : started.error();
  };
  ServerOptions missing = api.options();
  missing.socket = api.directory.file("none/overlayd.sock");
  CHECK_THAT(failure(missing), Catch::Contains(missing.socket) && Catch::Contains("does not exist"));
  ServerOptions file = api.options();
  file.admin_socket = api.directory.file("file");
  std::ofstream(file.admin_socket) << "keep";
  CHECK_THAT(failure(file), Catch::Contains(file.admin_socket) && Catch::Contains("no socket"));
  CHECK(std::filesystem::file_size(file.admin_socket) == 4);
  ServerOptions group = api.options();
  group.socket_group = "no-such-group";
  CHECK_THAT(failure(group), Catch::Contains("no group \"no-such-group\""));
  ServerOptions longer = api.options();
  longer.socket = "/" + std::string(108, 'x');
  CHECK_THAT(failure(longer), Catch::Contains("longer than"));
  ServerOptions same = api.options();
  same.admin_socket = same.socket;
  CHECK_THAT(failure(same), Catch::Contains("must differ"));
  api.start();
  CHECK_THAT(failure(api.options()), Catch::Contains("another process answers"));
  CHECK(api.client()->info().api_major() == 1);
}
