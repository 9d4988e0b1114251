#include "ipc/admin_service.h"

#include <catch2/catch.hpp>
#include <future>

#include "ipc_fake.h"

using namespace overlayd;
using namespace overlayd::ipc;
using namespace overlayd::ipc::testing;
namespace v1 = ::overlay::v1;

namespace {

PeerSnapshot peer_of(const NodeId& id, std::uint8_t host) {
  PeerSnapshot peer;
  peer.node = id;
  peer.address = PeerAddress::from_v4({192, 0, 2, host}, 11625);
  return peer;
}

v1::BanRequest ban_of_subnet(const std::string& subnet, const std::string& reason = {}) {
  v1::BanRequest request;
  request.mutable_subject()->set_subnet(subnet);
  request.mutable_terms()->set_reason(reason);
  return request;
}

v1::UnbanRequest unban_of_subnet(const std::string& subnet) {
  v1::UnbanRequest request;
  request.mutable_subject()->set_subnet(subnet);
  return request;
}

v1::DisconnectRequest disconnect_of(const std::string& address) {
  v1::DisconnectRequest request;
  request.mutable_peer()->set_address(address);
  return request;
}

ClosedLink closed_link(DropReason reason, std::uint64_t at) {
  ClosedLink closed;
  closed.last = peer_of(node(3), 9);
  closed.closed = UnixTime{at};
  closed.reason = reason;
  return closed;
}

}  // namespace

TEST_CASE("the operator sees status and peers", "[admin_service]") {
  Api api;
  api.overlay.peers.push_back(peer_of(node(8), 7));
  api.overlay.peers.push_back(peer_of(node(1), 8));
  api.start();
  const auto client = api.client();
  const auto subscriber = client->subscribe([] {
    v1::SubscribeRequest request;
    request.add_topics(v1::TOPIC_SCP);
    return request;
  }());
  REQUIRE(subscriber->wait_attached(kWait).ok());
  api.overlay.publish(scp_message(1));
  const auto admin = api.admin();
  const auto status = admin->get_status();
  REQUIRE(status.ok());
  CHECK(status.value().peers_inbound() == 2);
  CHECK(status.value().node_id() == std::string(32, '\x09'));
  CHECK(status.value().subscribers() == 1);
  CHECK(status.value().boot_id() == Api::kBootId);
  CHECK(status.value().topics(0).published() == 1);
  const auto peers = admin->list_peers();
  REQUIRE(peers.ok());
  REQUIRE(peers.value().peers_size() == 2);
  CHECK(peers.value().peers(0).address() == "192.0.2.8:11625");
}

TEST_CASE("the operator's dial is answered by what the overlay says of it", "[admin_service]") {
  Api api;
  api.overlay.peers.push_back(peer_of(node(8), 7));
  api.overlay.bans.push_back({.subject = Subnet::around(PeerAddress::from_v4({198, 51, 100, 0}, 0), 120),
                              .reason = "",
                              .set_by = "",
                              .made = {}});
  api.start();
  const auto admin = api.admin();
  REQUIRE(admin->connect_to("192.0.2.1:7").ok());
  const ConnectTo taken = api.overlay.await<ConnectTo>(1).at(0);
  CHECK(taken.address == PeerAddress::from_v4({192, 0, 2, 1}, 7));
  CHECK(is_of_operator(taken.request));
  CHECK_THAT(admin->connect_to("192.0.2.7").error(), Catch::StartsWith("ALREADY_EXISTS: address: "));
  CHECK(admin->connect_to("198.51.100.9").error() == "FAILED_PRECONDITION: 192.0.2.0/24 is banned");
  for (const char* bad : {"nowhere", "", "192.0.2.1:0", "0.0.0.0:1", "255.255.255.255", "[ff02::1]:5"}) {
    INFO(bad);
    CHECK_THAT(admin->connect_to(bad).error(), Catch::StartsWith("INVALID_ARGUMENT: address: "));
  }
}

TEST_CASE("a peer is disconnected by its node or its address, with what is to keep it away", "[admin_service]") {
  Api api;
  api.overlay.peers = {peer_of(node(8), 7), peer_of(node(9), 7)};
  api.start();
  const auto admin = api.admin();
  REQUIRE(admin->disconnect(text_of(node(8).view())).ok());
  CHECK(api.overlay.await<Disconnect>(1).at(0).peer == PeerSubject(node(8)));
  v1::DisconnectRequest request = disconnect_of("192.0.2.7");
  request.set_cool_down_ms(90'000);
  request.mutable_ban()->set_reason("floods");
  request.mutable_ban()->set_duration_s(60);
  const auto response = admin->disconnect(request);
  REQUIRE(response.ok());
  CHECK(response.value().links_dropped() == 2);
  const Disconnect taken = api.overlay.await<Disconnect>(2).at(1);
  CHECK(taken.peer == PeerSubject(PeerAddress::from_v4({192, 0, 2, 7}, 0)));
  CHECK(taken.cool_down == seconds(90));
  REQUIRE(taken.ban);
  CHECK(taken.ban->reason == "floods");
  CHECK(taken.ban->lasts_for == seconds(60));
  CHECK(is_of_operator(taken.request));
  CHECK_THAT(admin->disconnect(text_of(node(5).view())).error(), Catch::StartsWith("NOT_FOUND: node_id: "));
  CHECK_THAT(admin->disconnect(disconnect_of("192.0.2.7:1")).error(), Catch::StartsWith("NOT_FOUND: peer: "));
  api.overlay.set_unwritable(true);
  CHECK(admin->disconnect(disconnect_of("192.0.2.7")).ok());
  CHECK_THAT(admin->disconnect(request).error(), Catch::StartsWith("UNAVAILABLE: the ban holds, but is not on disk"));
}

TEST_CASE("a request to disconnect names one peer and bounds that hold", "[admin_service]") {
  Api api;
  api.start();
  const auto admin = api.admin();
  v1::DisconnectRequest both = disconnect_of("192.0.2.7");
  both.set_node_id(std::string(32, 'n'));
  v1::DisconnectRequest port = disconnect_of("192.0.2.7:0");
  v1::DisconnectRequest nobody;
  nobody.mutable_peer();
  v1::DisconnectRequest cool = disconnect_of("192.0.2.7");
  cool.set_cool_down_ms(24 * 3600 * 1000 + 1);
  v1::DisconnectRequest reason = disconnect_of("192.0.2.7");
  reason.mutable_ban()->set_reason(std::string(201, 'r'));
  const std::vector<std::pair<v1::DisconnectRequest, std::string>> wrong{
      {both, "peer: "},   {{}, "node_id: "},          {port, "peer.address: "},
      {nobody, "peer: "}, {cool, "cool_down_ms: at"}, {reason, "ban.reason: at most 200 bytes"}};
  for (const auto& [request, error] : wrong) {
    INFO(error);
    CHECK_THAT(admin->disconnect(request).error(), Catch::StartsWith("INVALID_ARGUMENT: " + error));
  }
  CHECK_THAT(admin->disconnect("x").error(), Catch::StartsWith("INVALID_ARGUMENT: node_id: "));
  CHECK(api.overlay.await<Disconnect>(0).empty());
}

TEST_CASE("bans are set, listed in order and lifted", "[admin_service]") {
  Api api;
  api.start();
  const auto admin = api.admin();
  const auto banned = admin->ban(ban_of_subnet("198.51.100.0/24", "spam"));
  REQUIRE(banned.ok());
  CHECK(banned.value().links_dropped() == 1);
  REQUIRE(admin->ban(ban_of_subnet("192.0.2.1")).ok());
  v1::BanRequest node_ban;
  node_ban.mutable_subject()->set_node_id(std::string(32, '\x05'));
  node_ban.mutable_terms()->set_set_by("olga");
  REQUIRE(admin->ban(node_ban).ok());
  for (const BanPeers& taken : api.overlay.await<BanPeers>(3)) CHECK(is_of_operator(taken.request));
  const auto list = admin->list_bans();
  REQUIRE(list.ok());
  REQUIRE(list.value().bans_size() == 3);
  CHECK(list.value().bans(0).subject().node_id() == std::string(32, '\x05'));
  CHECK(list.value().bans(0).set_by() == "olga");
  CHECK(list.value().bans(1).subject().subnet() == "192.0.2.1");
  CHECK(list.value().bans(2).subject().subnet() == "198.51.100.0/24");
  CHECK(list.value().bans(2).reason() == "spam");
  REQUIRE(admin->unban(unban_of_subnet("198.51.100.0/24")).ok());
  CHECK_THAT(admin->unban(unban_of_subnet("198.51.100.0/24")).error(), Catch::StartsWith("NOT_FOUND: subject: "));
  CHECK(admin->list_bans().value().bans_size() == 2);
}

TEST_CASE("a ban that cannot be kept says what holds", "[admin_service]") {
  Api api;
  api.overlay.bans_max = 1;
  api.start();
  const auto admin = api.admin();
  api.overlay.set_unwritable(true);
  const std::string held = admin->ban(ban_of_subnet("192.0.2.1")).error();
  CHECK(held == "UNAVAILABLE: the ban holds, but is not on disk and may end with the process: disk full");
  CHECK_THAT(admin->ban(ban_of_subnet("192.0.2.2")).error(),
             Catch::StartsWith("FAILED_PRECONDITION: there are too many"));
  CHECK_THAT(
      admin->unban(unban_of_subnet("192.0.2.1")).error(),
      Catch::StartsWith("UNAVAILABLE: the ban is lifted, but that is not on disk") && Catch::Contains("disk full"));
}

TEST_CASE("why peers went, the book and all of one peer are told", "[admin_service]") {
  Api api;
  for (std::uint64_t at = 150; at > 0; --at) api.overlay.closed.push_back(closed_link(DropReason::kIdle, at));
  api.overlay.known_peers.resize(2);
  api.overlay.known_peers[0].record.address = PeerAddress::from_v4({192, 0, 2, 2}, 1);
  api.overlay.known_peers[1].record.address = PeerAddress::from_v4({192, 0, 2, 1}, 2);
  api.overlay.explanation.open.push_back(peer_of(node(8), 7));
  api.overlay.explanation.cools_down_for = seconds(3);
  api.start();
  const auto admin = api.admin();
  const auto closed = admin->list_closed_peers(0);
  REQUIRE(closed.ok());
  CHECK(closed.value().closed_size() == 100);
  CHECK(closed.value().closed(0).closed_unix_seconds() == 150);
  CHECK(closed.value().closed(0).reason() == "idle");
  CHECK(admin->list_closed_peers(2).value().closed_size() == 2);
  CHECK(admin->list_closed_peers(2000).value().closed_size() == 150);
  CHECK_THAT(admin->list_closed_peers(2001).error(), Catch::StartsWith("INVALID_ARGUMENT: limit: at most 2000"));
  const auto known = admin->list_known_peers();
  REQUIRE(known.ok());
  REQUIRE(known.value().peers_size() == 2);
  CHECK(known.value().peers(0).address() == "192.0.2.1:2");
  CHECK(known.value().peers(1).address() == "192.0.2.2:1");
  v1::PeerSelector peer;
  peer.set_address("192.0.2.7");
  const auto explained = admin->explain(peer);
  REQUIRE(explained.ok());
  CHECK(explained.value().open(0).address() == "192.0.2.7:11625");
  CHECK(explained.value().cools_down_ms() == 3000);
  CHECK(api.overlay.explained_last() == PeerSubject(PeerAddress::from_v4({192, 0, 2, 7}, 0)));
  peer.set_address("192.0.2.7:80");
  REQUIRE(admin->explain(peer).ok());
  CHECK(api.overlay.explained_last() == PeerSubject(PeerAddress::from_v4({192, 0, 2, 7}, 80)));
  peer.set_node_id(std::string(31, 'n'));
  CHECK_THAT(admin->explain(peer).error(), Catch::StartsWith("INVALID_ARGUMENT: peer.node_id: "));
  CHECK_THAT(admin->explain({}).error(), Catch::StartsWith("INVALID_ARGUMENT: peer: "));
}

TEST_CASE("with the overlay's queue full every call of the operator is RESOURCE_EXHAUSTED", "[admin_service]") {
  Api api;
  api.start();
  const auto admin = api.admin();
  api.overlay.set_full(true);
  v1::PeerSelector peer;
  peer.set_address("192.0.2.7");
  for (const std::string& error :
       {admin->get_status().error(), admin->list_peers().error(), admin->list_closed_peers(1).error(),
        admin->explain(peer).error(), admin->list_known_peers().error(), admin->list_bans().error(),
        admin->connect_to("192.0.2.1").error(), admin->disconnect(disconnect_of("192.0.2.1")).error(),
        admin->ban(ban_of_subnet("192.0.2.1")).error(), admin->unban(unban_of_subnet("192.0.2.1")).error()}) {
    CHECK_THAT(error, Catch::StartsWith("RESOURCE_EXHAUSTED: the overlay is busy"));
  }
  api.overlay.set_full(false);
  CHECK(admin->connect_to("192.0.2.1").ok());
}

TEST_CASE("clients that fill their table of requests do not keep the operator out", "[admin_service]") {
  Api api;
  api.requests_bytes_max = 1;
  api.start();
  const auto client = api.client();
  v1::BroadcastRequest broadcast;
  broadcast.set_transaction_envelope(text_of(transaction_envelope(1)));
  CHECK_THAT(client->broadcast(broadcast).error(), Catch::StartsWith("RESOURCE_EXHAUSTED: "));
  CHECK(api.admin()->ban(ban_of_subnet("192.0.2.1")).ok());
}

TEST_CASE("orders that wait for the overlay are bounded, and free again once they are answered", "[admin_service]") {
  Api api;
  api.start();
  const auto admin = api.admin();
  api.overlay.set_silent(true);
  std::vector<std::future<Result<Done>>> waiting;
  for (std::size_t i = 0; i < kOperatorRequestsMax; ++i)
    waiting.push_back(std::async(std::launch::async, [&] { return admin->connect_to("192.0.2.1"); }));
  const auto taken = api.overlay.await<ConnectTo>(kOperatorRequestsMax);
  REQUIRE(taken.size() == kOperatorRequestsMax);
  CHECK_THAT(admin->connect_to("192.0.2.1").error(), Catch::StartsWith("RESOURCE_EXHAUSTED: too many requests"));
  CHECK(admin->list_bans().ok());
  api.overlay.run_there([&](OverlayEvents& events) {
    for (const ConnectTo& order : taken) events.on_request_answer({.request = order.request});
  });
  for (auto& order : waiting) CHECK(order.get().ok());
  api.overlay.set_silent(false);
  CHECK(admin->connect_to("192.0.2.1").ok());
}

TEST_CASE("an order that the overlay does not answer in time is DEADLINE_EXCEEDED", "[admin_service]") {
  Api api;
  api.requests_timeout = milliseconds(1);
  api.start();
  api.overlay.set_silent(true);
  const auto admin = api.admin();
  for (const std::string& error :
       {admin->connect_to("192.0.2.1").error(), admin->disconnect(disconnect_of("192.0.2.1")).error(),
        admin->ban(ban_of_subnet("192.0.2.1")).error(), admin->unban(unban_of_subnet("192.0.2.1")).error()}) {
    CHECK_THAT(error, Catch::StartsWith("DEADLINE_EXCEEDED: the overlay did not answer in time"));
  }
}

TEST_CASE("a stopping daemon ends the operator's orders with UNAVAILABLE", "[admin_service]") {
  Api api;
  api.start();
  const auto admin = api.admin();
  api.overlay.set_silent(true);
  auto order = std::async(std::launch::async, [&] { return admin->ban(ban_of_subnet("192.0.2.1")).error(); });
  REQUIRE(api.overlay.await<BanPeers>(1).size() == 1);
  CHECK(api.server->stop());
  CHECK_THAT(order.get(), Catch::StartsWith("UNAVAILABLE: the daemon is stopping"));
}
