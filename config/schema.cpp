#include "config/schema.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "config/host_port.h"
#include "core/crypto/strkey.h"
#include "core/limits.h"

namespace overlayd::config {
namespace {

constexpr std::int64_t kTextMax = 4096;
constexpr std::int64_t kListMax = 1000;
constexpr std::int64_t kSocketPathMax = 107;  // sockaddr_un::sun_path with its terminator
constexpr std::int64_t kGroupNameMax = 32;    // shadow-utils
constexpr std::int64_t kVersionMax = 0xffffffff;
constexpr std::int64_t kMiB = 1 << 20;

std::string store_addresses(const StringList& texts, std::vector<HostPort>& field) {
  field.clear();
  for (const std::string& text : texts) {
    auto parsed = parse_host_port(text, limits::kPeerPort);
    if (!parsed) return parsed.error();
    field.push_back(std::move(parsed).value());
  }
  return {};
}

std::string store_node_ids(const StringList& texts, std::vector<NodeId>& field) {
  field.clear();
  for (const std::string& text : texts) {
    auto parsed = crypto::decode_node_id(text);
    if (!parsed) return "item " + std::to_string(field.size() + 1) + " is not a node id (G...): " + parsed.error();
    field.push_back(parsed.value());
  }
  return {};
}

// The binding of most rows: the value goes into one field.
template <auto Section, auto Field>
std::string store(Config& config, const Value& value) {
  auto& field = config.*Section.*Field;
  using T = std::remove_reference_t<decltype(field)>;
  if constexpr (std::is_same_v<T, bool>) {
    field = std::get<bool>(value);
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    field = static_cast<T>(std::get<std::int64_t>(value));
  } else if constexpr (std::is_same_v<T, std::vector<HostPort>>) {
    return store_addresses(std::get<StringList>(value), field);
  } else if constexpr (std::is_same_v<T, std::vector<NodeId>>) {
    return store_node_ids(std::get<StringList>(value), field);
  } else {
    field = std::get<std::string>(value);
  }
  return {};
}

template <auto Field>
std::string store_milliseconds(Config& config, const Value& value) {
  config.flood.*Field = milliseconds(std::get<std::int64_t>(value));
  return {};
}

std::string store_seed_file(Config& config, const Value& value) {
  const auto& text = std::get<std::string>(value);
  if (crypto::decode_seed(text).ok())
    return "is a seed; name a file that holds it, and replace that seed: it was shown";
  config.node.seed_file = text;
  return {};
}

std::string store_listen_address(Config& config, const Value& value) {
  const auto& text = std::get<std::string>(value);
  if (!is_ip_literal(text)) return "must be an IPv4 or IPv6 address, is \"" + text + '"';
  config.listen.address = text;
  return {};
}

constexpr std::array kSchema = {
    Key{"node.seed_file",
        Kind::kString,
        "\"\"",
        {0, kTextMax},
        "",
        "",
        "NODE_SEED",
        "File with the node's secret seed (S...), mode 0600 or 0400, made by `overlayctl keygen`.\n"
        "Empty: the systemd credential node-seed.",
        store_seed_file},
    Key{"network.preset",
        Kind::kChoice,
        "\"pubnet\"",
        {},
        "",
        "pubnet|testnet|standalone",
        "",
        "The network: its passphrase and first peers. standalone: any other network, by its passphrase.",
        store<&Config::network, &NetworkConfig::preset>},
    Key{"network.passphrase",
        Kind::kString,
        "\"\"",
        {0, kTextMax},
        "",
        "",
        "NETWORK_PASSPHRASE",
        "Required with preset standalone. With another preset it may only repeat that network's own.",
        store<&Config::network, &NetworkConfig::passphrase>},
    Key{"listen.address",
        Kind::kString,
        "\"0.0.0.0\"",
        {1, 64},
        "",
        "",
        "",
        "Address to accept peers on; \"::\" for both families.",
        store_listen_address},
    Key{"listen.port",
        Kind::kInteger,
        "11625",
        {1, 65535},
        "",
        "",
        "PEER_PORT",
        "Port to accept peers on; told to every peer.",
        store<&Config::listen, &ListenConfig::port>},
    Key{"peers.known",
        Kind::kStringList,
        "[]",
        {0, kListMax},
        "",
        "",
        "KNOWN_PEERS",
        "Peers to dial while there are too few: \"host\", \"host:port\", \"[v6]:port\".\n"
        "If this key is absent, the preset's own list.",
        store<&Config::peers, &PeersConfig::known>},
    Key{"peers.preferred",
        Kind::kStringList,
        "[]",
        {0, kListMax},
        "",
        "",
        "PREFERRED_PEERS",
        "Peers to stay connected to; they take slots from others.",
        store<&Config::peers, &PeersConfig::preferred>},
    Key{"peers.preferred_keys",
        Kind::kStringList,
        "[]",
        {0, kListMax},
        "",
        "",
        "PREFERRED_PEER_KEYS",
        "Node ids (G...) treated as preferred from any address.",
        store<&Config::peers, &PeersConfig::preferred_keys>},
    Key{"peers.preferred_only",
        Kind::kBoolean,
        "false",
        {},
        "",
        "",
        "PREFERRED_PEERS_ONLY",
        "Connect to and accept preferred peers only.",
        store<&Config::peers, &PeersConfig::is_preferred_only>},
    Key{"peers.allow_private",
        Kind::kBoolean,
        "false",
        {},
        "",
        "",
        "ALLOW_LOCALHOST_FOR_TESTING",
        "Use loopback and private addresses too: for test networks.",
        store<&Config::peers, &PeersConfig::is_private_allowed>},
    Key{"peers.target_outbound",
        Kind::kInteger,
        "8",
        {0, 1000},
        "peers",
        "",
        "TARGET_PEER_CONNECTIONS",
        "Authenticated peers that we dialled to aim for.",
        store<&Config::peers, &PeersConfig::target_outbound>},
    Key{"peers.max_inbound",
        Kind::kInteger,
        "64",
        {0, 10000},
        "peers",
        "",
        "MAX_ADDITIONAL_PEER_CONNECTIONS",
        "Authenticated peers that dialled us, at most.",
        store<&Config::peers, &PeersConfig::max_inbound>},
    Key{"peers.max_pending",
        Kind::kInteger,
        "500",
        {1, 65535},
        "connections",
        "",
        "MAX_PENDING_CONNECTIONS",
        "Connections not yet authenticated, both directions, at most.",
        store<&Config::peers, &PeersConfig::max_pending>},
    Key{"ipc.socket",
        Kind::kString,
        "\"/run/overlayd/overlayd.sock\"",
        {1, kSocketPathMax},
        "",
        "",
        "",
        "Unix socket for the consensus process, mode 0660.",
        store<&Config::ipc, &IpcConfig::socket>},
    Key{"ipc.admin_socket",
        Kind::kString,
        "\"/run/overlayd/admin.sock\"",
        {1, kSocketPathMax},
        "",
        "",
        "",
        "Unix socket for overlayctl, mode 0660.",
        store<&Config::ipc, &IpcConfig::admin_socket>},
    Key{"ipc.socket_group",
        Kind::kString,
        "\"\"",
        {0, kGroupNameMax},
        "",
        "",
        "",
        "Group of ipc.socket; empty: that of the daemon.",
        store<&Config::ipc, &IpcConfig::socket_group>},
    Key{"ipc.admin_group",
        Kind::kString,
        "\"\"",
        {0, kGroupNameMax},
        "",
        "",
        "",
        "Group of ipc.admin_socket; empty: that of the daemon.",
        store<&Config::ipc, &IpcConfig::admin_group>},
    Key{"ipc.event_log_bytes",
        Kind::kInteger,
        "268435456",
        {32 * kMiB, 65536 * kMiB},
        "bytes",
        "",
        "",
        "Memory for transaction events that clients have not read; SCP events have their own.",
        store<&Config::ipc, &IpcConfig::event_log_bytes>},
    Key{"storage.database",
        Kind::kString,
        "\"/var/lib/overlayd/overlayd.db\"",
        {1, kTextMax},
        "",
        "",
        "DATABASE",
        "SQLite file with known peers and bans.",
        store<&Config::storage, &StorageConfig::database>},
    Key{"relay.mode",
        Kind::kChoice,
        "\"consensus\"",
        {},
        "",
        "consensus|standalone",
        "",
        "consensus: transactions are relayed once the consensus process accepts them.\n"
        "standalone: there is none; well-formed new transactions are relayed.",
        store<&Config::relay, &RelayConfig::mode>},
    Key{"flood.immediate",
        Kind::kBoolean,
        "true",
        {},
        "",
        "",
        "",
        "Advertise and demand at once when idle. false: only at stellar-core's fixed periods.",
        store<&Config::flood, &FloodConfig::is_immediate>},
    Key{"flood.advert_period_ms",
        Kind::kInteger,
        "100",
        {1, 10'000},
        "milliseconds",
        "",
        "FLOOD_ADVERT_PERIOD_MS",
        "Adverts to a busy peer are sent at most this often.",
        store_milliseconds<&FloodConfig::advert_period>},
    Key{"flood.demand_period_ms",
        Kind::kInteger,
        "200",
        {1, 10'000},
        "milliseconds",
        "",
        "FLOOD_DEMAND_PERIOD_MS",
        "Transactions that wait to be demanded are looked at this often.",
        store_milliseconds<&FloodConfig::demand_period>},
    Key{"flood.demand_backoff_ms",
        Kind::kInteger,
        "500",
        {1, 2000},
        "milliseconds",
        "",
        "FLOOD_DEMAND_BACKOFF_DELAY_MS",
        "Wait this long, times the peers asked, at most 2 s, before another peer is asked.",
        store_milliseconds<&FloodConfig::demand_backoff>},
    Key{"flood.pool_bytes",
        Kind::kInteger,
        "67108864",
        {kMiB, 65536 * kMiB},
        "bytes",
        "",
        "",
        "Memory for transactions that are held to answer demands.",
        store<&Config::flood, &FloodConfig::pool_bytes>},
    Key{"flood.pool_ledgers",
        Kind::kInteger,
        "10",
        {1, 1000},
        "ledgers",
        "",
        "",
        "Hold a transaction, and a ban of one, for so many ledgers.",
        store<&Config::flood, &FloodConfig::pool_ledgers>},
    Key{"flow_control.reading_capacity",
        Kind::kInteger,
        "201",
        {2, 100'000},
        "messages",
        "",
        "PEER_READING_CAPACITY",
        "Unprocessed messages of one peer at which its socket is not read; above flood_capacity.",
        store<&Config::flow_control, &FlowControlConfig::reading_capacity>},
    Key{"flow_control.flood_capacity",
        Kind::kInteger,
        "200",
        {1, 100'000},
        "messages",
        "",
        "PEER_FLOOD_READING_CAPACITY",
        "Flood messages that a peer may send before it is granted more.",
        store<&Config::flow_control, &FlowControlConfig::flood_capacity>},
    Key{"flow_control.flood_capacity_bytes",
        Kind::kInteger,
        "300000",
        {1, 1024 * kMiB},
        "bytes",
        "",
        "PEER_FLOOD_READING_CAPACITY_BYTES",
        "The same in bytes; grows by itself with the network's largest transaction.",
        store<&Config::flow_control, &FlowControlConfig::flood_capacity_bytes>},
    Key{"flow_control.send_more_batch",
        Kind::kInteger,
        "40",
        {1, 100'000},
        "messages",
        "",
        "FLOW_CONTROL_SEND_MORE_BATCH_SIZE",
        "Grant more after so many messages; at most flood_capacity.",
        store<&Config::flow_control, &FlowControlConfig::send_more_batch>},
    Key{"flow_control.send_more_batch_bytes",
        Kind::kInteger,
        "100000",
        {1, 1024 * kMiB},
        "bytes",
        "",
        "FLOW_CONTROL_SEND_MORE_BATCH_SIZE_BYTES",
        "Grant more after so many bytes; flood_capacity_bytes must hold this and a largest transaction.",
        store<&Config::flow_control, &FlowControlConfig::send_more_batch_bytes>},
    Key{"flow_control.tx_queue_bytes",
        Kind::kInteger,
        "3145728",
        {1, 1024 * kMiB},
        "bytes",
        "",
        "OUTBOUND_TX_QUEUE_BYTE_LIMIT",
        "Transactions that wait for one peer's credit; past it they are dropped. Holds a largest one.",
        store<&Config::flow_control, &FlowControlConfig::tx_queue_bytes>},
    Key{"overlay.version",
        Kind::kInteger,
        "42",
        {1, kVersionMax},
        "",
        "",
        "OVERLAY_PROTOCOL_VERSION",
        "Overlay protocol version told to peers.",
        store<&Config::overlay, &OverlayConfig::version>},
    Key{"overlay.min_version",
        Kind::kInteger,
        "38",
        {1, kVersionMax},
        "",
        "",
        "OVERLAY_PROTOCOL_MIN_VERSION",
        "Oldest overlay protocol version accepted.",
        store<&Config::overlay, &OverlayConfig::min_version>},
    Key{"overlay.ledger_version",
        Kind::kInteger,
        "28",
        {1, kVersionMax},
        "",
        "",
        "LEDGER_PROTOCOL_VERSION",
        "Ledger protocol version told to peers.",
        store<&Config::overlay, &OverlayConfig::ledger_version>},
    Key{"log.level",
        Kind::kChoice,
        "\"info\"",
        {},
        "",
        "trace|debug|info|warn|error",
        "",
        "Least serious messages to log.",
        store<&Config::log, &LogConfig::level>},
    Key{"threads.network",
        Kind::kInteger,
        "0",
        {0, 16},
        "threads",
        "",
        "",
        "Threads for connections; 0: as many as cores, at most 4.",
        store<&Config::threads, &ThreadsConfig::network>},
};

}  // namespace

std::span<const Key> schema() { return kSchema; }

}  // namespace overlayd::config
