// The keys of [peers].
#include <array>

#include "config/host_port.h"
#include "config/schema_rows.h"
#include "core/crypto/strkey.h"
#include "core/limits.h"

namespace overlayd::config::rows {

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

namespace {

constexpr std::array kPeers = {
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
    Key{"peers.max_inbound_per_ip",
        Kind::kInteger,
        "8",
        {1, 1000},
        "connections",
        "",
        "",
        "Connections from one IP address, pending ones included; more are closed.\n"
        "Not for preferred peers, nor for loopback and private addresses where allow_private is true.",
        store<&Config::peers, &PeersConfig::max_inbound_per_ip>},
    Key{"peers.max_inbound_per_subnet",
        Kind::kInteger,
        "16",
        {1, 1000},
        "connections",
        "",
        "",
        "The same for one range of addresses: an IPv4 /24 or an IPv6 /64, with the same exceptions.",
        store<&Config::peers, &PeersConfig::max_inbound_per_subnet>},
    Key{"peers.max_outbound_per_group",
        Kind::kInteger,
        "1",
        {1, 1000},
        "connections",
        "",
        "",
        "Peers dialled in one IPv4 /16 or IPv6 /32: who owns one must not hold all of our slots.\n"
        "Not for preferred peers; loopback and private addresses count each by itself.",
        store<&Config::peers, &PeersConfig::max_outbound_per_group>},
    Key{"peers.max_slow_drops",
        Kind::kInteger,
        "1",
        {1, 1000},
        "peers",
        "",
        "",
        "Peers dropped every 3 s, at most, because they do not keep up.\n"
        "A stall of this machine makes all of them look slow at once.",
        store<&Config::peers, &PeersConfig::slow_drops_per_tick>},
};

}  // namespace

std::span<const Key> peers() { return kPeers; }

}  // namespace overlayd::config::rows
