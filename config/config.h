// What an operator can say to overlayd, as plain typed values. Filled by load.h from the table in schema.h, which also
// holds the defaults: get a Config from load() or load_text(), never by value-initialising one.
// daemon/daemon.cpp turns it into each component's own Options; no other room sees it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/ids.h"

namespace overlayd::config {

// A name or an IP literal (IPv6 without its brackets), and a port. Not resolved.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  auto operator<=>(const HostPort&) const = default;
};

enum class Preset : std::uint8_t { kPubnet, kTestnet, kStandalone };
enum class RelayMode : std::uint8_t { kConsensus, kStandalone };
enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError };

struct NodeConfig {
  std::string seed_file;  // empty: the systemd credential "node-seed"
  bool operator==(const NodeConfig&) const = default;
};

struct NetworkConfig {
  Preset preset = Preset::kPubnet;
  std::string passphrase;  // never empty after a successful load: the preset's unless given
  bool operator==(const NetworkConfig&) const = default;
};

struct ListenConfig {
  std::string address;  // an IPv4 or IPv6 literal
  std::uint16_t port = 0;
  bool operator==(const ListenConfig&) const = default;
};

struct PeersConfig {
  std::vector<HostPort> known;  // the preset's unless given, even if given empty
  std::vector<HostPort> preferred;
  std::vector<NodeId> preferred_keys;
  bool is_preferred_only = false;
  bool is_private_allowed = false;
  std::uint32_t target_outbound = 0;
  std::uint32_t max_inbound = 0;
  std::uint32_t max_pending = 0;
  std::uint32_t max_inbound_per_ip = 0;
  std::uint32_t max_inbound_per_subnet = 0;  // an IPv4 /24, an IPv6 /64
  std::uint32_t max_outbound_per_group = 0;  // an IPv4 /16, an IPv6 /32
  std::uint32_t slow_drops_per_tick = 0;
  bool operator==(const PeersConfig&) const = default;
};

struct IpcConfig {
  std::string socket;
  std::string admin_socket;
  std::string socket_group;  // empty: the process's own group
  std::string admin_group;
  std::uint64_t event_log_bytes = 0;
  bool operator==(const IpcConfig&) const = default;
};

struct StorageConfig {
  std::string database;
  bool operator==(const StorageConfig&) const = default;
};

struct RelayConfig {
  RelayMode mode = RelayMode::kConsensus;
  bool operator==(const RelayConfig&) const = default;
};

struct FloodConfig {
  bool is_immediate = false;
  milliseconds advert_period{0};
  milliseconds demand_period{0};
  milliseconds demand_backoff{0};
  std::uint64_t pool_bytes = 0;
  std::uint32_t pool_ledgers = 0;
  bool operator==(const FloodConfig&) const = default;
};

// What we grant each peer and what may wait for its credit. load() has checked that the numbers fit each other.
struct FlowControlConfig {
  std::uint32_t reading_capacity = 0;  // messages
  std::uint32_t flood_capacity = 0;    // messages
  std::uint64_t flood_capacity_bytes = 0;
  std::uint32_t send_more_batch = 0;  // messages
  std::uint64_t send_more_batch_bytes = 0;
  std::uint64_t tx_queue_bytes = 0;
  bool operator==(const FlowControlConfig&) const = default;
};

// What is remembered and served of what SCP envelopes name, and how often one peer may ask.
struct FetchConfig {
  std::uint32_t slots_to_remember = 0;
  std::uint32_t queries_per_second = 0;
  std::uint32_t scp_state_queries = 0;  // in a window of 12 close times
  std::uint64_t tx_set_bytes = 0;
  std::uint64_t quorum_set_bytes = 0;
  std::uint64_t scp_state_bytes = 0;
  bool operator==(const FetchConfig&) const = default;
};

struct SurveyConfig {
  std::vector<NodeId> surveyor_keys;  // who may survey; empty: the nodes of the quorum
  bool operator==(const SurveyConfig&) const = default;
};

struct OverlayConfig {
  std::uint32_t version = 0;
  std::uint32_t min_version = 0;
  std::uint32_t ledger_version = 0;
  bool operator==(const OverlayConfig&) const = default;
};

struct LogConfig {
  LogLevel level = LogLevel::kInfo;
  bool operator==(const LogConfig&) const = default;
};

struct ThreadsConfig {
  std::uint32_t network = 0;  // 0: as many as cores, at most 4
  bool operator==(const ThreadsConfig&) const = default;
};

struct Config {
  NodeConfig node;
  NetworkConfig network;
  ListenConfig listen;
  PeersConfig peers;
  IpcConfig ipc;
  StorageConfig storage;
  RelayConfig relay;
  FloodConfig flood;
  FlowControlConfig flow_control;
  FetchConfig fetch;
  SurveyConfig survey;
  OverlayConfig overlay;
  LogConfig log;
  ThreadsConfig threads;
  bool operator==(const Config&) const = default;
};

}  // namespace overlayd::config
