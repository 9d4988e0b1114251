#include "config/schema.h"

#include <array>

#include "config/host_port.h"
#include "config/schema_rows.h"
#include "core/crypto/strkey.h"
#include "core/limits.h"

namespace overlayd::config {

using namespace rows;

namespace {

constexpr std::int64_t kSocketPathMax = 107;  // sockaddr_un::sun_path with its terminator
constexpr std::int64_t kGroupNameMax = 32;    // shadow-utils
constexpr std::int64_t kVersionMax = 0xffffffff;

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

constexpr std::array kNode = {
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
};

constexpr std::array kProcess = {
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
        "SQLite file with known peers, bans and the last survey.",
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
};

constexpr std::array kOverlay = {
    Key{"survey.surveyor_keys",
        Kind::kStringList,
        "[]",
        {0, static_cast<std::int64_t>(limits::kSurveyorKeysMax)},
        "",
        "",
        "SURVEYOR_KEYS",
        "Node ids (G...) that may survey the network: this node answers and relays only them.\n"
        "Empty: the nodes of the quorum that the consensus process names (UpdateLedger).",
        store<&Config::survey, &SurveyConfig::surveyor_keys>},
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

// In the order of the example file.
std::vector<Key> all_rows() {
  std::vector<Key> all;
  for (const std::span<const Key> some : {std::span<const Key>(kNode), rows::peers(), std::span<const Key>(kProcess),
                                          rows::flood(), std::span<const Key>(kOverlay)})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

}  // namespace

std::span<const Key> schema() {
  static const std::vector<Key> kAll = all_rows();
  return kAll;
}

}  // namespace overlayd::config
