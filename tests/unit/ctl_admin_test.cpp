// The program overlayctl as an operator runs it, on a server over a fake overlay: exit codes, what it asks and prints.
#include <catch2/catch.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/crypto/strkey.h"
#include "ipc_fake.h"

using namespace overlayd;
using namespace overlayd::ipc;
using namespace overlayd::ipc::testing;
using Catch::Contains;
using Json = nlohmann::json;

namespace {

struct Run {
  int exit_code = -1;
  std::string output;  // of both streams
};

// `words` as a shell reads them.
Run overlayctl(Api& api, const std::string& words) {
  const std::string command =
      std::string(OVERLAYD_BIN) + "/overlayctl --admin-socket " + api.options().admin_socket + " " + words + " 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Run run;
  std::array<char, 4096> buffer{};
  for (std::size_t size = 0; (size = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    run.output.append(buffer.data(), size);
  run.exit_code = WEXITSTATUS(::pclose(pipe));
  return run;
}

Json json_of(Api& api, const std::string& words, int exit_code = 0) {
  const Run run = overlayctl(api, "--json " + words);
  INFO(words << ": " << run.output);
  CHECK(run.exit_code == exit_code);
  return Json::parse(run.output);
}

PeerSnapshot peer_at(const NodeId& id, std::uint8_t host) {
  PeerSnapshot peer;
  peer.node = id;
  peer.address = PeerAddress::from_v4({192, 0, 2, host}, 11625);
  peer.latency_median = milliseconds(12);
  peer.latency_p99 = milliseconds(34);
  return peer;
}

}  // namespace

TEST_CASE("overlayctl bans, lists and lifts", "[ctl_admin]") {
  Api api;
  api.overlay.bans_max = 2;
  api.start();
  const std::string id = crypto::encode_node_id(node(5));
  const Run banned = overlayctl(api, "ban 192.0.2.0/24 --reason 'two words' --for 1h30m");
  CHECK(banned.output == "banned 192.0.2.0/24 for 1h 30m; 1 link dropped\n");
  CHECK(banned.exit_code == 0);
  CHECK(json_of(api, "ban " + id) == Json{{"banned", id}, {"links_dropped", 1}});
  const auto taken = api.overlay.await<BanPeers>(2);
  CHECK(taken.at(0).terms.reason == "two words");
  CHECK(taken.at(0).terms.lasts_for == seconds(5400));
  CHECK_FALSE(taken.at(0).terms.set_by.empty());
  CHECK(taken.at(1).subject == BanSubject(node(5)));
  CHECK_FALSE(taken.at(1).terms.lasts_for);
  const Run full = overlayctl(api, "ban 192.0.2.1");
  CHECK(full.exit_code == 3);
  CHECK_THAT(full.output, Contains("FAILED_PRECONDITION: there are too many bans"));
  const Json bans = json_of(api, "bans")["bans"];
  REQUIRE(bans.size() == 2);
  CHECK(bans[0]["node_id"] == id);
  CHECK(bans[1]["subnet"] == "192.0.2.0/24");
  CHECK(bans[1]["reason"] == "two words");
  CHECK_THAT(overlayctl(api, "bans").output, Contains("two words") && Contains("never"));
  CHECK(overlayctl(api, "unban 192.0.2.0/24").output == "unbanned 192.0.2.0/24\n");
  const Run unknown = overlayctl(api, "unban 192.0.2.0/24");
  CHECK(unknown.exit_code == 1);
  CHECK_THAT(unknown.output, Contains("NOT_FOUND: subject: "));
  CHECK(overlayctl(api, "unban nobody").exit_code == 2);
  const Run range = overlayctl(api, "ban 192.0.2.1/24");
  CHECK(range.exit_code == 3);
  CHECK_THAT(range.output, Contains("INVALID_ARGUMENT: subject.subnet: "));
}

TEST_CASE("overlayctl says of a ban that could not be written what holds, not that the daemon is gone", "[ctl_admin]") {
  Api api;
  api.start();
  api.overlay.set_unwritable(true);
  const Run run = overlayctl(api, "ban 192.0.2.1");
  CHECK(run.exit_code == 3);
  CHECK_THAT(run.output, Contains("the ban holds, but is not on disk") && !Contains("still running"));
}

TEST_CASE("overlayctl disconnects by node or address, and bans with it", "[ctl_admin]") {
  Api api;
  api.overlay.peers = {peer_at(node(8), 7)};
  api.start();
  const std::string id = crypto::encode_node_id(node(8));
  CHECK(overlayctl(api, "disconnect " + id).output == "disconnected " + id + ": 1 link\n");
  CHECK(json_of(api, "disconnect 192.0.2.7:11625 --cool-down 90 --ban --reason spam --for 7d")["links_dropped"] == 1);
  const auto taken = api.overlay.await<Disconnect>(2);
  CHECK(taken.at(0).peer == PeerSubject(node(8)));
  CHECK(taken.at(0).cool_down == Duration(0));
  CHECK_FALSE(taken.at(0).ban);
  CHECK(taken.at(1).cool_down == seconds(90));
  REQUIRE(taken.at(1).ban);
  CHECK(taken.at(1).ban->reason == "spam");
  CHECK(taken.at(1).ban->lasts_for == seconds(7 * 86'400));
  CHECK(overlayctl(api, "disconnect 192.0.2.8").exit_code == 1);
  CHECK(overlayctl(api, "disconnect 192.0.2.7 --reason spam").exit_code == 2);
  CHECK(overlayctl(api, "disconnect nobody").exit_code == 2);
}

TEST_CASE("overlayctl dials, and says what stands against it", "[ctl_admin]") {
  Api api;
  api.overlay.peers = {peer_at(node(8), 7)};
  api.start();
  CHECK(json_of(api, "connect 192.0.2.1:5") == Json{{"dialling", "192.0.2.1:5"}});
  const Run twice = overlayctl(api, "connect 192.0.2.7");
  CHECK(twice.exit_code == 3);
  CHECK_THAT(twice.output, Contains("ALREADY_EXISTS: address: "));
}

TEST_CASE("overlayctl shows who is here, who went, and who may be dialled", "[ctl_admin]") {
  Api api;
  api.overlay.peers = {peer_at(node(8), 7)};
  for (std::uint64_t at : {1'700'000'002U, 1'700'000'001U}) {
    ClosedLink closed;
    closed.last = peer_at(node(8), 7);
    closed.closed = UnixTime{at};
    closed.reason = DropReason::kPeerRejected;
    closed.error_code = static_cast<std::int32_t>(ErrorCode::kLoad);
    closed.error_text = "peer rejected";
    api.overlay.closed.push_back(closed);
  }
  ClosedLink dial;
  dial.closed = UnixTime{1'700'000'000};
  dial.reason = DropReason::kDialFailed;
  dial.detail = "Connection refused";
  api.overlay.closed.push_back(dial);
  api.overlay.known_peers.resize(2);
  api.overlay.known_peers[0].record.address = PeerAddress::from_v4({192, 0, 2, 7}, 1);
  api.overlay.known_peers[0].record.type = PeerType::kPreferred;
  api.overlay.known_peers[1].record.address = PeerAddress::from_v4({192, 0, 2, 8}, 1);
  api.overlay.known_peers[1].record.failures = 4;
  api.overlay.known_peers[1].is_anchor = true;
  api.start();
  CHECK_THAT(overlayctl(api, "peers").output, Contains("12.0 ms") && Contains("34.0 ms"));
  CHECK(json_of(api, "peers")["peers"][0]["latency_p99_ms"] == 34.0);
  CHECK_THAT(overlayctl(api, "peers --closed").output, Contains("2023-11-14 22:13:22Z") && Contains("peer_rejected") &&
                                                           Contains("ERR_LOAD peer rejected") &&
                                                           Contains("dial_failed") && Contains("Connection refused"));
  CHECK(json_of(api, "peers --closed")["closed"].size() == 3);
  const Json closed = json_of(api, "peers --closed --limit 1")["closed"];
  REQUIRE(closed.size() == 1);
  CHECK(closed[0]["closed_unix_seconds"] == 1'700'000'002);
  CHECK(closed[0]["error_code"] == "ERR_LOAD");
  CHECK(json_of(api, "known-peers")["known_peers"].size() == 2);
  const Json inbound = json_of(api, "known-peers --type inbound")["known_peers"];
  REQUIRE(inbound.size() == 1);
  CHECK(inbound[0]["failures"] == 4);
  CHECK_THAT(overlayctl(api, "known-peers").output, Contains("preferred") && Contains("anchor") && Contains("due"));
}

TEST_CASE("overlayctl why tells of one peer, and ends with 1 if nothing is known", "[ctl_admin]") {
  Api api;
  api.start();
  const std::string id = crypto::encode_node_id(node(8));
  const Run nothing = overlayctl(api, "why " + id);
  CHECK(nothing.exit_code == 1);
  CHECK(nothing.output == "Nothing is known of " + id + ".\n");
  CHECK(api.overlay.explained_last() == PeerSubject(node(8)));
  CHECK(json_of(api, "why 192.0.2.7", 1)["open"].empty());
  CHECK(api.overlay.explained_last() == PeerSubject(PeerAddress::from_v4({192, 0, 2, 7}, 0)));
  CHECK(overlayctl(api, "why nobody").exit_code == 2);
  CHECK(overlayctl(api, "why localhost:1").exit_code == 3);
  api.overlay.run_there([&](OverlayEvents&) { api.overlay.explanation.open.push_back(peer_at(node(8), 7)); });
  const Run run = overlayctl(api, "why " + id);
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.output, Contains("Connected now:") && Contains("median 12.0 ms"));
  CHECK(json_of(api, "why " + id)["open"].size() == 1);
}
