// The networks that network.preset names: their passphrases and the first addresses to try.
// Passphrases are the networks' own; addresses are those their operators publish (testnet: stellar-core
// docs/stellar-core_testnet.cfg, commit a9b8613; pubnet: organisations' stellar.toml files). A wrong or dead address
// does no harm: it is only one of many to dial, and PEERS messages bring others.
#pragma once
#include <optional>
#include <span>
#include <string_view>

#include "config/config.h"

namespace overlayd::config {

struct Network {
  Preset preset;
  std::string_view name;        // what network.preset says
  std::string_view passphrase;  // empty: the operator must give one
  std::span<const std::string_view> known_peers;
};

[[nodiscard]] std::span<const Network> networks();
[[nodiscard]] const Network& network_of(Preset preset);
[[nodiscard]] const Network* find_network(std::string_view name);
// The preset that owns this passphrase, if one does.
[[nodiscard]] const Network* find_network_by_passphrase(std::string_view passphrase);

}  // namespace overlayd::config
