#include "config/networks.h"

#include <array>

namespace overlayd::config {
namespace {

constexpr std::array<std::string_view, 9> kPubnetPeers = {
    "core-live-a.stellar.org",      "core-live-b.stellar.org",      "core-live-c.stellar.org",
    "bootes.publicnode.org",        "lyra.publicnode.org",          "hercules.publicnode.org",
    "stellar-de-fra.satoshipay.io", "stellar-sg-sin.satoshipay.io", "stellar-us-iowa.satoshipay.io",
};
constexpr std::array<std::string_view, 3> kTestnetPeers = {
    "core-testnet1.stellar.org",
    "core-testnet2.stellar.org",
    "core-testnet3.stellar.org",
};
constexpr std::array<Network, 3> kNetworks = {{
    {Preset::kPubnet, "pubnet", "Public Global Stellar Network ; September 2015", kPubnetPeers},
    {Preset::kTestnet, "testnet", "Test SDF Network ; September 2015", kTestnetPeers},
    {Preset::kStandalone, "standalone", "", {}},
}};

}  // namespace

std::span<const Network> networks() { return kNetworks; }

const Network& network_of(Preset preset) { return kNetworks[static_cast<std::size_t>(preset)]; }

const Network* find_network(std::string_view name) {
  for (const Network& network : kNetworks) {
    if (network.name == name) return &network;
  }
  return nullptr;
}

const Network* find_network_by_passphrase(std::string_view passphrase) {
  for (const Network& network : kNetworks) {
    if (!network.passphrase.empty() && network.passphrase == passphrase) return &network;
  }
  return nullptr;
}

}  // namespace overlayd::config
