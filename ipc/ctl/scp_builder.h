// Valid signed SCP envelopes of invented nodes, repeatable from a seed.
//
// Promise. The same seed, network, nodes and first slot give the same envelopes in the same order. Envelope i is of
//          node i mod nodes and slot first_slot + i / nodes, so that no two are of one node and slot: none supersedes
//          another, and a queue that replaces outdated statements loses none. Statements are nominate, prepare, confirm
//          and externalize in turn, each sane in stellar-core's sense (votes ordered, counters nested). Every value is
//          a StellarValue signed by the node; every envelope is signed over network id, ENVELOPE_TYPE_SCP and
//          statement.
// Limits.  1 to kScpNodesMax nodes.
#pragma once
#include <string_view>
#include <vector>

#include "core/crypto/keys.h"
#include "core/random.h"
#include "core/xdr/writer.h"

namespace overlayd::ipc::ctl {

inline constexpr std::uint32_t kScpNodesMax = 1'000;

struct ScpGeneratorOptions {
  std::uint64_t seed = 0;
  NetworkId network{};
  std::uint32_t nodes = 16;
  std::uint64_t first_slot = 1;
};

struct GeneratedScp {
  std::uint64_t slot = 0;
  NodeId node;
  std::string_view statement;  // "nominate", "prepare", "confirm" or "externalize"
  FloodHash hash;              // BLAKE2b-256 of the StellarMessage
  Bytes envelope;              // XDR of an SCPEnvelope
};

class ScpGenerator {
 public:
  explicit ScpGenerator(const ScpGeneratorOptions& options);
  [[nodiscard]] GeneratedScp next();

 private:
  [[nodiscard]] Bytes make_value(const crypto::NodeKey& key, std::uint64_t slot);
  // Appends type and body of the pledges; returns the statement's name.
  std::string_view write_pledges(xdr::Writer& out, const crypto::NodeKey& key, std::uint64_t slot);
  void write_nomination(xdr::Writer& out, const crypto::NodeKey& key, std::uint64_t slot);

  Random random_;
  NetworkId network_;
  std::uint64_t first_slot_;
  std::array<std::uint8_t, 32> quorum_set_hash_{};
  std::vector<crypto::NodeKey> nodes_;
  std::uint64_t made_ = 0;
};

}  // namespace overlayd::ipc::ctl
