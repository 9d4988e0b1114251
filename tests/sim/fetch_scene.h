// Items that only one node has: envelopes name them, and everybody needs them.
//
// Promise. The same seed has the same honest nodes, links, jitter and envelopes, whoever else is there.
// Nodes.   `nodes` honest ones in a random graph of `degree`, and `hostile` scripted peers, each with a link to every honest
//          node: so `hostile` of each node's `degree` + `hostile` peers are hostile. They push every envelope to everybody
//          the moment it is sent, which makes them the first to be asked; of three in a row one answers no question, one
//          has nothing, and one sends another set than was asked for. With `is_naming_fakes` each also sends all honest
//          nodes, ten times a second and as its credit allows, five envelopes that name two items which do not exist, all of
//          one SCP node of the quorum.
// Items.   `envelopes` times within `spread`, a random node, the origin, sends the envelopes of two SCP nodes; both name the
//          same transaction set and quorum set, which only the origin has.
#pragma once
#include <string>
#include <vector>

#include "tests/sim/sim_network.h"

namespace overlayd::sim {

struct FetchScene {
  std::uint64_t seed = 1;
  LinkModel link{.latency = milliseconds(50), .jitter = milliseconds(10)};
  std::size_t nodes = 30;
  std::size_t degree = 8;
  std::size_t hostile = 0;
  bool is_naming_fakes = false;
  std::size_t envelopes = 100;
  Duration spread = seconds(10);
  Duration length = seconds(60);  // from the first envelope on
};

struct FetchOutcome {
  std::size_t expected = 0;  // items times nodes that lacked them
  std::size_t delivered = 0;
  std::vector<Duration> times;     // from the envelope's broadcast to the item, ascending
  std::uint64_t asked = 0;         // requests sent by honest nodes
  std::uint64_t transferred = 0;   // items that honest nodes read, asked for or not
  std::uint64_t searches_max = 0;  // at the end, of one node
  std::vector<std::string> lost;   // at most ten
  [[nodiscard]] double requests_per_item() const { return static_cast<double>(asked) / static_cast<double>(expected); }
  [[nodiscard]] Duration percentile(double percent) const;  // nearest rank
};

[[nodiscard]] FetchOutcome play(const FetchScene& scene);

}  // namespace overlayd::sim
