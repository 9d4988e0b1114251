#include "config/load.h"

#include <catch2/catch.hpp>

#include "config/networks.h"
#include "config/value.h"
#include "core/crypto/keys.h"
#include "core/crypto/strkey.h"
#include "core/limits.h"

namespace overlayd::config {
namespace {

using Problems = std::vector<std::string>;

Problems problems_of(std::string_view text, const std::vector<std::string>& overrides = {}) {
  return load_text(text, "overlayd.toml", overrides).problems;
}

Config config_of(std::string_view text, const std::vector<std::string>& overrides = {}) {
  const LoadOutcome outcome = load_text(text, "overlayd.toml", overrides);
  CHECK(outcome.report() == "");
  return outcome.config;
}

}  // namespace

TEST_CASE("an empty file gives the documented defaults", "[config_load]") {
  const Config config = config_of("");
  CHECK(config.network.preset == Preset::kPubnet);
  CHECK(config.network.passphrase == network_of(Preset::kPubnet).passphrase);
  CHECK(config.listen.address == "0.0.0.0");
  CHECK(config.listen.port == limits::kPeerPort);
  CHECK(config.peers.target_outbound == limits::kOutboundTarget);
  CHECK(config.peers.max_inbound == limits::kInboundMax);
  CHECK(config.peers.max_pending == limits::kPendingMax);
  CHECK(config.overlay.version == limits::kOverlayVersion);
  CHECK(config.overlay.min_version == limits::kOverlayMinVersion);
  CHECK(config.overlay.ledger_version == limits::kLedgerVersion);
  CHECK(config.ipc.socket == "/run/overlayd/overlayd.sock");
  CHECK(config.ipc.admin_socket == "/run/overlayd/admin.sock");
  CHECK(config.ipc.event_log_bytes == 256U << 20);
  CHECK(config.storage.database == "/var/lib/overlayd/overlayd.db");
  CHECK(config.relay.mode == RelayMode::kConsensus);
  CHECK(config.flood.is_immediate);
  CHECK(config.log.level == LogLevel::kInfo);
  CHECK(config.threads.network == 0);
  CHECK(!config.peers.is_private_allowed);
}

TEST_CASE("a file sets every kind of value", "[config_load]") {
  const std::string node = crypto::encode_node_id(crypto::NodeKey::from_seed({}).id());
  const Config config = config_of(R"toml(
[node]
seed_file = "/etc/seed"
[network]
preset = "standalone"
passphrase = "(V) (;,,;) (V)"
[listen]
address = "::"
port = 12000
[peers]
known = ["a.example:1",
         "[::1]:2"]
allow_private = true
preferred_only = true
preferred_keys = [")toml" + node + R"toml("]
[survey]
surveyor_keys = [")toml" + node + R"toml("]
[relay]
mode = "standalone"
)toml");
  CHECK(config.node.seed_file == "/etc/seed");
  CHECK(config.network.passphrase == "(V) (;,,;) (V)");
  CHECK(config.listen == ListenConfig{"::", 12000});
  CHECK(config.peers.known == std::vector<HostPort>{{"a.example", 1}, {"::1", 2}});
  CHECK(config.peers.is_private_allowed);
  CHECK(config.peers.preferred_keys == std::vector<NodeId>{crypto::NodeKey::from_seed({}).id()});
  CHECK(config.survey.surveyor_keys == config.peers.preferred_keys);
  CHECK(config.relay.mode == RelayMode::kStandalone);
}

TEST_CASE("surveyors are node ids, not too many, and by default none is named", "[config_load]") {
  CHECK(load_text("", "overlayd.toml").config.survey.surveyor_keys.empty());
  const Problems refused = problems_of("[survey]\nsurveyor_keys = [\"GABC\"]\n");
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].starts_with("overlayd.toml:2: survey.surveyor_keys: item 1 is not a node id (G...)"));
  const auto with = [](std::size_t count) {
    const std::string node = '"' + crypto::encode_node_id(crypto::NodeKey::from_seed({}).id()) + '"';
    std::string list = node;
    for (std::size_t i = 1; i < count; ++i) list += "," + node;
    return problems_of("[survey]\nsurveyor_keys = [" + list + "]\n").size();
  };
  CHECK(with(limits::kSurveyorKeysMax) == 0);
  CHECK(with(limits::kSurveyorKeysMax + 1) == 1);
}

TEST_CASE("every problem is shown with file, line and key, in the order of the lines", "[config_load]") {
  CHECK(problems_of("[listen]\n"
                    "port = 99999\n"
                    "address = \"nowhere\"\n"
                    "[peers]\n"
                    "max_inbond = 3\n"
                    "allow_private = \"yes\"\n"
                    "known = [\"a\", 3]\n"
                    "[log]\n"
                    "level = 2024-01-01\n") ==
        Problems{
            "overlayd.toml:2: listen.port: must be 1..65535, is 99999",
            "overlayd.toml:3: listen.address: must be an IPv4 or IPv6 address, is \"nowhere\"",
            "overlayd.toml:5: peers.max_inbond: unknown key; did you mean peers.max_inbound?",
            "overlayd.toml:6: peers.allow_private: must be true or false, is a string",
            "overlayd.toml:7: peers.known: must be an array of strings, is an array that is not all strings",
            "overlayd.toml:9: log.level: must be one of \"trace\", \"debug\", \"info\", \"warn\", \"error\", is a date "
            "or time"});
}

TEST_CASE("keys outside sections, unknown sections and stellar-core's names are explained", "[config_load]") {
  CHECK(problems_of("port = 1\nPEER_PORT = 1\npeers = 3\n[nonsense]\n[deep.er]\nkey = 1\n") ==
        Problems{"overlayd.toml:1: port: unknown key; did you mean listen.port?",
                 "overlayd.toml:2: PEER_PORT: unknown key; did you mean listen.port?",
                 "overlayd.toml:3: peers: is a section: write [peers]", "overlayd.toml:4: nonsense: unknown section",
                 "overlayd.toml:5: deep.er: unknown key"});
  CHECK(problems_of("[listen]\n").empty());
}

TEST_CASE("a syntax error names its line and ends the reading", "[config_load]") {
  const Problems problems = problems_of("[listen]\nport = \n");
  REQUIRE(problems.size() == 1);
  CHECK(problems.front().starts_with("overlayd.toml:2: "));
  CHECK(problems_of("[listen]\nport = 1\nport = 2\n").size() == 1);
}

TEST_CASE("a document of the largest size is read and one byte more is refused", "[config_load]") {
  CHECK(problems_of(std::string(kDocumentBytesMax, '\n')).empty());
  CHECK(problems_of(std::string(kDocumentBytesMax + 1, '\n')) ==
        Problems{"overlayd.toml: is 1048577 bytes; at most 1048576 are read"});
}

TEST_CASE("deep nesting is a problem, not a crash", "[config_load]") {
  CHECK(problems_of("a = " + std::string(100'000, '[')).size() == 1);
}

TEST_CASE("overrides win over the file, later ones over earlier ones", "[config_load]") {
  const Config config = config_of("[listen]\nport = 1\n", {"listen.port=2", "listen.port=3", "log.level=warn"});
  CHECK(config.listen.port == 3);
  CHECK(config.log.level == LogLevel::kWarn);
}

TEST_CASE("an override needs no quotes for strings and takes words or an array for lists", "[config_load]") {
  CHECK(config_of("", {"node.seed_file=/a=b"}).node.seed_file == "/a=b");
  CHECK(config_of("", {"node.seed_file=\"/quoted\""}).node.seed_file == "/quoted");
  CHECK(config_of("", {"peers.allow_private=true"}).peers.is_private_allowed);
  const std::vector<HostPort> expected = {{"a", 1}, {"::1", 2}};
  CHECK(config_of("", {"peers.preferred=a:1,[::1]:2"}).peers.preferred.size() == 2);
  CHECK(config_of("", {"peers.known=[\"a:1\", \"[::1]:2\"]"}).peers.known == expected);
  CHECK(config_of("", {"peers.known="}).peers.known.empty());
  CHECK(config_of("", {"network.preset=standalone", "network.passphrase=(V) (;,,;) (V)"}).network.passphrase ==
        "(V) (;,,;) (V)");
}

TEST_CASE("problems of overrides name --set and the key", "[config_load]") {
  CHECK(problems_of("", {"listen.port=99999", "listen.port=abc", "listen.prot=1", "listen.port",
                         "peers.allow_private=1", "listen.port=1\n[peers]\nmax_inbound=1"}) ==
        Problems{"--set listen.port: must be 1..65535, is 99999", "--set listen.port: must be an integer, 1..65535",
                 "--set listen.prot: unknown key; did you mean listen.port?",
                 "--set listen.port: must be section.key=value",
                 "--set peers.allow_private: must be true or false, is an integer",
                 "--set listen.port: must be an integer, 1..65535"});
}

TEST_CASE("a mistake in the file stays one even if an override replaces it", "[config_load]") {
  CHECK(problems_of("[listen]\nport = 0\n", {"listen.port=5"}) ==
        Problems{"overlayd.toml:2: listen.port: must be 1..65535, is 0"});
}

TEST_CASE("a preset brings its passphrase and peers, which the file may replace, even with none", "[config_load]") {
  const Config testnet = config_of("[network]\npreset = \"testnet\"\n");
  CHECK(testnet.network.passphrase == "Test SDF Network ; September 2015");
  REQUIRE(!testnet.peers.known.empty());
  CHECK(testnet.peers.known.front() == HostPort{"core-testnet1.stellar.org", 11625});
  CHECK(config_of("[peers]\nknown = []\n").peers.known.empty());
  CHECK(config_of("[network]\npassphrase = \"Public Global Stellar Network ; September 2015\"\n").network.preset ==
        Preset::kPubnet);
}

TEST_CASE("a passphrase must not contradict the preset, and standalone needs one", "[config_load]") {
  CHECK(problems_of("[network]\npreset = \"testnet\"\npassphrase = \"other\"\n") ==
        Problems{"overlayd.toml:3: network.passphrase: contradicts network.preset \"testnet\"; use \"standalone\""});
  CHECK(problems_of("[network]\npassphrase = \"Test SDF Network ; September 2015\"\n") ==
        Problems{"overlayd.toml:2: network.passphrase: contradicts network.preset \"pubnet\"; use \"testnet\""});
  CHECK(problems_of("[network]\npreset = \"standalone\"\n") ==
        Problems{"overlayd.toml: network.passphrase: is required with network.preset \"standalone\""});
  CHECK(problems_of("", {"network.preset=standalone", "network.passphrase=Test SDF Network ; September 2015"}) ==
        Problems{"--set network.passphrase: is that of testnet; set network.preset to \"testnet\""});
}

TEST_CASE("related keys are checked together", "[config_load]") {
  CHECK(config_of("[overlay]\nversion = 40\nmin_version = 40\n").overlay.min_version == 40);
  CHECK(problems_of("[overlay]\nversion = 39\nmin_version = 40\n") ==
        Problems{"overlayd.toml:3: overlay.min_version: overlay.min_version 40 must not be above overlay.version 39"});
  CHECK(problems_of("[overlay]\nversion = 37\n") ==
        Problems{"overlayd.toml:2: overlay.version: overlay.min_version 38 must not be above overlay.version 37"});
  CHECK(problems_of("[ipc]\nsocket = \"/a\"\nadmin_socket = \"/a\"\n") ==
        Problems{"overlayd.toml:3: ipc.admin_socket: ipc.socket and ipc.admin_socket must be different files"});
  CHECK(
      problems_of("[peers]\npreferred_only = true\n") ==
      Problems{
          "overlayd.toml:2: peers.preferred_only: is true, but peers.preferred and peers.preferred_keys name nobody"});
}

TEST_CASE("a refused value draws no second problem from its relations", "[config_load]") {
  CHECK(problems_of("[network]\npreset = \"nonet\"\npassphrase = \"x\"\n").size() == 1);
  CHECK(problems_of("[overlay]\nversion = \"x\"\nmin_version = 50\n").size() == 1);
  CHECK(problems_of("[peers]\npreferred_only = true\npreferred = [\"::\"]\n").size() == 1);
}

TEST_CASE("no message repeats a seed, wherever it was put by mistake", "[config_load]") {
  const std::string seed = crypto::encode_seed({});
  const LoadOutcome outcome = load_text("[node]\nseed_file = \"" + seed + "\"\nseed = \"" + seed + "\"\n" +
                                            "[peers]\npreferred_keys = [\"" + seed + "\"]\n",
                                        "overlayd.toml");
  CHECK(outcome.problems.size() == 3);
  CHECK(outcome.report().find(seed) == std::string::npos);
}

TEST_CASE("a later problem with a value is told at the place that set it", "[config_load]") {
  const std::vector<std::string> overrides = {"log.level=info"};
  const LoadOutcome outcome = load_text("[listen]\n\nport = 7\n", "overlayd.toml", overrides);
  CHECK(outcome.at("listen.port", "in use") == "overlayd.toml:3: listen.port: in use");
  CHECK(outcome.at("log.level", "no") == "--set log.level: no");
  CHECK(outcome.at("node.seed_file", "absent") == "overlayd.toml: node.seed_file: absent");
  CHECK(load("").at("node.seed_file", "absent") == "node.seed_file: absent");
}

TEST_CASE("a file that cannot be read is a problem with its reason", "[config_load]") {
  CHECK(load("/nonexistent/overlayd.toml").problems ==
        Problems{"/nonexistent/overlayd.toml: cannot be read: No such file or directory"});
  CHECK(load("/").problems == Problems{"/: cannot be read: Is a directory"});
}

TEST_CASE("flow control's numbers must fit each other, and the error says which do not", "[config_load]") {
  const FlowControlConfig flow = config_of("").flow_control;
  CHECK(flow.reading_capacity == limits::kReadingCapacityMessages);
  CHECK(flow.flood_capacity == limits::kFloodCapacityMessages);
  CHECK(flow.flood_capacity_bytes == limits::kFloodCapacityBytes);
  CHECK(flow.send_more_batch == limits::kSendMoreBatchMessages);
  CHECK(flow.send_more_batch_bytes == limits::kSendMoreBatchBytes);
  CHECK(flow.tx_queue_bytes == limits::kTxQueueBytesMax);

  CHECK(config_of("[flow_control]\nreading_capacity = 201\n").flow_control.reading_capacity == 201);
  CHECK(
      problems_of("[flow_control]\nreading_capacity = 200\n") ==
      Problems{"overlayd.toml:2: flow_control.reading_capacity: 200 must be above flow_control.flood_capacity (200): a "
               "peer that used all its credit must still be heard"});
  CHECK(problems_of("[flow_control]\nflood_capacity = 300\n") ==
        Problems{"overlayd.toml: flow_control.reading_capacity: 201 must be above flow_control.flood_capacity (300): a "
                 "peer that used all its credit must still be heard"});
  CHECK(config_of("[flow_control]\nflood_capacity = 40\n").flow_control.flood_capacity == 40);
  CHECK(problems_of("[flow_control]\nflood_capacity = 39\n") ==
        Problems{"overlayd.toml: flow_control.send_more_batch: 40 must be at most flow_control.flood_capacity (39): or "
                 "credit never returns"});
  CHECK(config_of("[flow_control]\nflood_capacity_bytes = 202400\n").flow_control.flood_capacity_bytes == 202'400);
  CHECK(problems_of("[flow_control]\nflood_capacity_bytes = 202399\n") ==
        Problems{"overlayd.toml:2: flow_control.flood_capacity_bytes: 202399 must be at least 202400, "
                 "flow_control.send_more_batch_bytes (100000) and a largest transaction (102400): or that one may wait "
                 "for ever"});
  CHECK(config_of("[flow_control]\ntx_queue_bytes = 102400\n").flow_control.tx_queue_bytes == 102'400);
  CHECK(problems_of("[flow_control]\ntx_queue_bytes = 102399\n").size() == 1);
}

TEST_CASE("a number of flow control that was refused for itself is not held against others", "[config_load]") {
  CHECK(problems_of("[flow_control]\nreading_capacity = 0\nflood_capacity = 10\nsend_more_batch = 5\n").size() == 1);
}

TEST_CASE("flooding's periods and the pool are what stellar-core and the limits say", "[config_load]") {
  const FloodConfig flood = config_of("").flood;
  CHECK(flood.advert_period == limits::kAdvertPeriod);
  CHECK(flood.demand_period == limits::kDemandPeriod);
  CHECK(flood.demand_backoff == limits::kDemandBackoff);
  CHECK(flood.pool_bytes == limits::kTxPoolBytesMax);
  CHECK(flood.pool_ledgers == limits::kTxPoolLedgersMax);
  CHECK(config_of("[flood]\nadvert_period_ms = 50\n").flood.advert_period == milliseconds(50));
}

TEST_CASE("bounds of connections by address are what the limits say", "[config_load]") {
  const PeersConfig peers = config_of("").peers;
  CHECK(peers.max_inbound_per_ip == limits::kInboundPerIpMax);
  CHECK(peers.max_inbound_per_subnet == limits::kInboundPerSubnetMax);
  CHECK(peers.max_outbound_per_group == limits::kOutboundPerGroupMax);
  CHECK(peers.slow_drops_per_tick == limits::kSlowDropsPerTick);
  const PeersConfig given = config_of(
                                "[peers]\nmax_inbound_per_ip = 1\nmax_inbound_per_subnet = 2\n"
                                "max_outbound_per_group = 3\nmax_slow_drops = 1000\n")
                                .peers;
  CHECK(given.max_inbound_per_ip == 1);
  CHECK(given.max_inbound_per_subnet == 2);
  CHECK(given.max_outbound_per_group == 3);
  CHECK(given.slow_drops_per_tick == 1000);
}

TEST_CASE("what is remembered and served is what stellar-core and the limits say", "[config_load]") {
  const FetchConfig fetch = config_of("").fetch;
  CHECK(fetch.slots_to_remember == limits::kSlotsToRemember);
  CHECK(fetch.queries_per_second == limits::kQueriesPerSecond);
  CHECK(fetch.scp_state_queries == limits::kScpStateQueriesPerWindow);
  CHECK(fetch.tx_set_bytes == limits::kTxSetStoreBytesMax);
  CHECK(fetch.quorum_set_bytes == limits::kQuorumSetStoreBytesMax);
  CHECK(fetch.scp_state_bytes == limits::kScpStateBytesMax);
  CHECK(config_of("[fetch]\nslots_to_remember = 100\n").fetch.slots_to_remember == 100);
  CHECK(problems_of("[fetch]\ntx_set_bytes = 33554431\n").size() == 1);
  CHECK(config_of("[fetch]\ntx_set_bytes = 33554432\n").fetch.tx_set_bytes == 33'554'432);
}

}  // namespace overlayd::config
