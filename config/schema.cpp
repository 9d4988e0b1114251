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

std::string quoted_choices(const Key& key) {
  std::string out;
  for (const std::string_view choice : choices_of(key)) {
    out += (out.empty() ? "\"" : ", \"") + std::string(choice) + '"';
  }
  return out;
}

std::string check_size(const Key& key, std::size_t size, std::string_view unit) {
  const auto count = static_cast<std::int64_t>(size);
  if (count == 0 && key.range.low > 0) return "must not be empty";
  if (count <= key.range.high) return {};
  return "must have at most " + std::to_string(key.range.high) + ' ' + std::string(unit) + ", has " +
         std::to_string(count);
}

std::string check_text(const Key& key, const std::string& text) {
  if (text.find('\0') != std::string::npos) return "must not contain a NUL character";
  return check_size(key, text.size(), "bytes");
}

std::string must_be(const Key& key, const Value& value) {
  return "must be " + allowed_text(key) + ", is " + std::string(kind_of(value));
}

std::string apply_choice(const Key& key, const Value& value, Config& config) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return must_be(key, value);
  const auto choices = choices_of(key);
  const auto found = std::find(choices.begin(), choices.end(), *text);
  if (found == choices.end()) return "must be " + allowed_text(key) + ", is " + to_toml(value);
  return key.set(config, std::int64_t{found - choices.begin()});
}

std::string apply_integer(const Key& key, const Value& value, Config& config) {
  const auto* number = std::get_if<std::int64_t>(&value);
  if (number == nullptr) return must_be(key, value);
  if (*number < key.range.low || *number > key.range.high) {
    return "must be " + std::to_string(key.range.low) + ".." + std::to_string(key.range.high) + ", is " +
           to_toml(value);
  }
  return key.set(config, value);
}

std::string apply_list(const Key& key, const Value& value, Config& config) {
  const auto* list = std::get_if<StringList>(&value);
  if (list == nullptr) return must_be(key, value);
  if (auto why = check_size(key, list->size(), "items"); !why.empty()) return why;
  for (const std::string& item : *list) {
    if (item.find('\0') != std::string::npos) return "must not contain a NUL character";
  }
  return key.set(config, value);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::span<const Key> schema() { return kSchema; }

const Key* find_key(std::string_view name) {
  const auto found = std::find_if(kSchema.begin(), kSchema.end(), [&](const Key& key) { return key.name == name; });
  return found == kSchema.end() ? nullptr : &*found;
}

const Key* nearest_key(std::string_view name) {
  constexpr std::size_t kNameMax = 64;  // longer ones are nothing's misspelling, and the distance costs their product
  constexpr std::size_t kEditsMax = 3;
  if (name.size() > kNameMax) return nullptr;
  const bool has_section = name.find('.') != std::string_view::npos;
  const Key* best = nullptr;
  std::size_t best_edits = kEditsMax + 1;
  for (const Key& key : kSchema) {
    if (!key.stellar_core_name.empty() && key.stellar_core_name == name) return &key;
    const std::string_view known = has_section ? key.name : key.name.substr(key.name.find('.') + 1);
    const std::size_t edits = edit_distance(name, known);
    if (edits < best_edits && edits < known.size()) {
      best_edits = edits;
      best = &key;
    }
  }
  return best;
}

std::string apply(const Key& key, const Value& value, Config& config) {
  switch (key.kind) {
    case Kind::kBoolean: return std::holds_alternative<bool>(value) ? key.set(config, value) : must_be(key, value);
    case Kind::kInteger: return apply_integer(key, value, config);
    case Kind::kChoice: return apply_choice(key, value, config);
    case Kind::kStringList: return apply_list(key, value, config);
    case Kind::kString: break;
  }
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return must_be(key, value);
  if (auto why = check_text(key, *text); !why.empty()) return why;
  return key.set(config, value);
}

std::string allowed_text(const Key& key) {
  switch (key.kind) {
    case Kind::kBoolean: return "true or false";
    case Kind::kInteger: return "an integer, " + std::to_string(key.range.low) + ".." + std::to_string(key.range.high);
    case Kind::kChoice: return "one of " + quoted_choices(key);
    case Kind::kStringList: return "an array of strings";
    case Kind::kString: break;
  }
  return "a string";
}

std::vector<std::string_view> choices_of(const Key& key) {
  std::vector<std::string_view> choices;
  for (std::string_view rest = key.choices; !rest.empty();) {
    const std::size_t bar = rest.find('|');
    choices.push_back(rest.substr(0, bar));
    rest = bar == std::string_view::npos ? std::string_view{} : rest.substr(bar + 1);
  }
  return choices;
}

}  // namespace overlayd::config
