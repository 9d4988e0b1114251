#include "config/load.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "config/host_port.h"
#include "config/networks.h"
#include "config/schema.h"
#include "config/value.h"
#include "core/check.h"
#include "core/limits.h"

namespace overlayd::config {
namespace {

void apply_defaults(Config& config) {
  for (const Key& key : schema()) {
    const Document parsed = parse_document("default = " + std::string(key.default_toml));
    OVERLAYD_CHECK(parsed.entries.size() == 1);
    OVERLAYD_CHECK(apply(key, parsed.entries.front().value, config).empty());
  }
}

std::string unknown_key(std::string_view name) {
  for (const Key& key : schema()) {
    if (key.name.starts_with(std::string(name) + '.')) return "is a section: write [" + std::string(name) + ']';
  }
  const Key* nearest = nearest_key(name);
  return nearest == nullptr ? "unknown key" : "unknown key; did you mean " + std::string(nearest->name) + '?';
}

bool is_section(std::string_view name) {
  for (const Key& key : schema()) {
    if (key.name.starts_with(std::string(name) + '.')) return true;
  }
  return false;
}

void set_value(LoadOutcome& outcome, const std::string& name, const Value& value, std::string origin) {
  const Key* key = find_key(name);
  const std::string why = key == nullptr ? unknown_key(name) : apply(*key, value, outcome.config);
  if (!why.empty()) outcome.problems.push_back(origin + ": " + why);
  if (key != nullptr) outcome.origins.insert_or_assign(name, std::move(origin));
}

void apply_file(LoadOutcome& outcome, std::string_view text) {
  const Document document = parse_document(text);
  if (!document.error.empty()) {
    const std::string line = document.error_line == 0 ? "" : ':' + std::to_string(document.error_line);
    outcome.problems.push_back(outcome.filename + line + ": " + document.error);
    return;
  }
  for (const Entry& entry : document.entries) {
    std::string origin = outcome.filename + ':' + std::to_string(entry.line) + ": " + entry.name;
    if (!entry.is_section) {
      set_value(outcome, entry.name, entry.value, std::move(origin));
    } else if (!is_section(entry.name)) {
      outcome.problems.push_back(origin + ": unknown section");
    }
  }
}

StringList split_words(std::string_view text) {
  StringList words;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    words.emplace_back(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return words;
}

// Nothing: it is not a TOML value.
std::optional<Value> parse_value(std::string_view text) {
  const Document document = parse_document("value = " + std::string(text));
  if (!document.error.empty() || document.entries.size() != 1 || document.entries.front().name != "value") {
    return std::nullopt;
  }
  return document.entries.front().value;
}

std::optional<Value> parse_override(const Key* key, std::string_view text) {
  const bool is_quoted = text.starts_with('"') || text.starts_with('\'');
  const bool is_text = key != nullptr && (key->kind == Kind::kString || key->kind == Kind::kChoice);
  if (is_text && !is_quoted) return std::string(text);
  if (key != nullptr && key->kind == Kind::kStringList && !text.starts_with('[')) return split_words(text);
  return parse_value(text);
}

void apply_override(LoadOutcome& outcome, std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    outcome.problems.push_back("--set " + std::string(text) + ": must be section.key=value");
    return;
  }
  const std::string name(text.substr(0, equals));
  const Key* key = find_key(name);
  const auto value = parse_override(key, text.substr(equals + 1));
  if (key != nullptr && !value) {
    outcome.problems.push_back("--set " + name + ": must be " + allowed_text(*key));
    return;
  }
  Value given = false;
  if (value) given = *value;
  set_value(outcome, name, given, "--set " + name);
}

// A refused value left the default behind; what would be said of that is not the operator's doing.
bool is_refused(const LoadOutcome& outcome, std::string_view key) {
  const auto origin = outcome.origins.find(key);
  if (origin == outcome.origins.end()) return false;
  for (const std::string& problem : outcome.problems) {
    if (problem.starts_with(origin->second + ": ")) return true;
  }
  return false;
}

void check_network(LoadOutcome& outcome) {
  if (is_refused(outcome, "network.preset") || is_refused(outcome, "network.passphrase")) return;
  NetworkConfig& network = outcome.config.network;
  const Network& preset = network_of(network.preset);
  const Network* owner = find_network_by_passphrase(network.passphrase);
  if (preset.passphrase.empty()) {
    if (network.passphrase.empty()) {
      outcome.problems.push_back(outcome.at("network.passphrase", "is required with network.preset \"standalone\""));
    } else if (owner != nullptr) {
      outcome.problems.push_back(outcome.at(
          "network.passphrase",
          "is that of " + std::string(owner->name) + "; set network.preset to \"" + std::string(owner->name) + '"'));
    }
  } else if (network.passphrase.empty()) {
    network.passphrase = preset.passphrase;
  } else if (network.passphrase != preset.passphrase) {
    outcome.problems.push_back(
        outcome.at("network.passphrase", "contradicts network.preset \"" + std::string(preset.name) + "\"; use \"" +
                                             std::string(owner == nullptr ? "standalone" : owner->name) + '"'));
  }
  if (!outcome.is_set("peers.known")) {
    for (const std::string_view peer : preset.known_peers) {
      outcome.config.peers.known.push_back({std::string(peer), limits::kPeerPort});
    }
  }
}

// What a number must be for the sake of others, and why.
struct Relation {
  std::string_view key;
  std::uint64_t value;
  std::string must_hold;
  bool holds;
};

void check_flow_control(LoadOutcome& outcome) {
  const FlowControlConfig& flow = outcome.config.flow_control;
  const auto text = [](std::uint64_t number) { return std::to_string(number); };
  const std::uint64_t largest = limits::kMaxClassicTxBytes;
  const std::array<Relation, 4> relations{{
      {"flow_control.reading_capacity", flow.reading_capacity,
       "must be above flow_control.flood_capacity (" + text(flow.flood_capacity) +
           "): a peer that used all its credit must still be heard",
       flow.reading_capacity > flow.flood_capacity},
      {"flow_control.send_more_batch", flow.send_more_batch,
       "must be at most flow_control.flood_capacity (" + text(flow.flood_capacity) + "): or credit never returns",
       flow.send_more_batch <= flow.flood_capacity},
      {"flow_control.flood_capacity_bytes", flow.flood_capacity_bytes,
       "must be at least " + text(flow.send_more_batch_bytes + largest) + ", flow_control.send_more_batch_bytes (" +
           text(flow.send_more_batch_bytes) + ") and a largest transaction (" + text(largest) +
           "): or that one may wait for ever",
       flow.flood_capacity_bytes >= flow.send_more_batch_bytes + largest},
      {"flow_control.tx_queue_bytes", flow.tx_queue_bytes,
       "must be at least " + text(largest) + ", a largest transaction: or that one is never sent",
       flow.tx_queue_bytes >= largest},
  }};
  for (const auto& [key, value, must_hold, holds] : relations)
    if (!holds && !is_refused(outcome, key)) outcome.problems.push_back(outcome.at(key, text(value) + " " + must_hold));
}

void check_relations(LoadOutcome& outcome) {
  const Config& config = outcome.config;
  check_network(outcome);
  check_flow_control(outcome);
  const bool are_versions_known =
      !is_refused(outcome, "overlay.version") && !is_refused(outcome, "overlay.min_version");
  if (are_versions_known && config.overlay.min_version > config.overlay.version) {
    const std::string_view key = outcome.is_set("overlay.min_version") ? "overlay.min_version" : "overlay.version";
    outcome.problems.push_back(outcome.at(key, "overlay.min_version " + std::to_string(config.overlay.min_version) +
                                                   " must not be above overlay.version " +
                                                   std::to_string(config.overlay.version)));
  }
  if (config.ipc.socket == config.ipc.admin_socket) {
    const std::string_view key = outcome.is_set("ipc.admin_socket") ? "ipc.admin_socket" : "ipc.socket";
    outcome.problems.push_back(outcome.at(key, "ipc.socket and ipc.admin_socket must be different files"));
  }
  const bool are_preferred_known =
      !is_refused(outcome, "peers.preferred") && !is_refused(outcome, "peers.preferred_keys");
  if (are_preferred_known && config.peers.is_preferred_only && config.peers.preferred.empty() &&
      config.peers.preferred_keys.empty()) {
    outcome.problems.push_back(
        outcome.at("peers.preferred_only", "is true, but peers.preferred and peers.preferred_keys name nobody"));
  }
}

LoadOutcome finish(LoadOutcome outcome, std::span<const std::string> overrides) {
  for (const std::string& text : overrides) apply_override(outcome, text);
  check_relations(outcome);
  return outcome;
}

LoadOutcome begin(std::string filename) {
  LoadOutcome outcome;
  outcome.filename = std::move(filename);
  apply_defaults(outcome.config);
  return outcome;
}

}  // namespace

std::string LoadOutcome::report() const {
  std::string out;
  for (const std::string& problem : problems) out += problem + '\n';
  return out;
}

std::string LoadOutcome::at(std::string_view key, std::string_view message) const {
  const auto found = origins.find(key);
  const std::string file = filename.empty() ? "" : filename + ": ";
  return (found == origins.end() ? file + std::string(key) : found->second) + ": " + std::string(message);
}

LoadOutcome load_text(std::string_view text, std::string filename, std::span<const std::string> overrides) {
  LoadOutcome outcome = begin(std::move(filename));
  apply_file(outcome, text);
  return finish(std::move(outcome), overrides);
}

LoadOutcome load(const std::string& path, std::span<const std::string> overrides) {
  if (path.empty()) return finish(begin(""), overrides);
  errno = 0;
  std::error_code error;
  std::ifstream file;
  if (std::filesystem::is_directory(path, error)) {
    errno = EISDIR;
  } else {
    file.open(path, std::ios::binary);
  }
  // One byte more than may be parsed, so that a file that is too long is noticed, not cut.
  std::string text(kDocumentBytesMax + 1, '\0');
  if (file.is_open()) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    LoadOutcome outcome = begin(path);
    outcome.problems.push_back(path + ": cannot be read: " + std::strerror(errno != 0 ? errno : EIO));
    return outcome;
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return load_text(text, path, overrides);
}

}  // namespace overlayd::config
