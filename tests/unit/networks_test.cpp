#include "config/networks.h"

#include <catch2/catch.hpp>

#include "config/host_port.h"
#include "core/bytes.h"
#include "core/crypto/keys.h"

namespace overlayd::config {

TEST_CASE("presets carry the passphrases whose hashes the networks use as ids", "[networks]") {
  // The ids every client of these networks knows.
  CHECK(to_hex(crypto::network_id(network_of(Preset::kPubnet).passphrase).bytes) ==
        "7ac33997544e3175d266bd022439b22cdb16508c01163f26e5cb2a3e1045a979");
  CHECK(to_hex(crypto::network_id(network_of(Preset::kTestnet).passphrase).bytes) ==
        "cee0302d59844d32bdca915c8203dd44b33fbb7edc19051ea37abedf28ecd472");
  CHECK(network_of(Preset::kStandalone).passphrase.empty());
}

TEST_CASE("the table is in the order of the enum, so that a preset finds its row", "[networks]") {
  for (const Network& network : networks()) {
    CHECK(&network_of(network.preset) == &network);
    CHECK(find_network(network.name) == &network);
  }
  CHECK(find_network("mainnet") == nullptr);
}

TEST_CASE("a passphrase finds the network that owns it, and an empty one finds none", "[networks]") {
  CHECK(find_network_by_passphrase("Test SDF Network ; September 2015") == &network_of(Preset::kTestnet));
  CHECK(find_network_by_passphrase("test sdf network ; september 2015") == nullptr);
  CHECK(find_network_by_passphrase("") == nullptr);
}

TEST_CASE("every public network has addresses to start from, each well-formed", "[networks]") {
  CHECK(network_of(Preset::kPubnet).known_peers.size() >= 3);
  CHECK(network_of(Preset::kTestnet).known_peers.size() >= 3);
  CHECK(network_of(Preset::kStandalone).known_peers.empty());
  for (const Network& network : networks()) {
    for (const std::string_view peer : network.known_peers) CHECK(parse_host_port(peer, 1).ok());
  }
}

}  // namespace overlayd::config
