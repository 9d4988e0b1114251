// What scenarios of the peer book ask of a whole network: who has how many peers, and whether all hang together.
#pragma once
#include <optional>
#include <string>

#include "tests/sim/sim_network.h"

namespace overlayd::sim {

// Of the nodes that are alive and overlays.
struct Shape {
  // Nodes with fewer than `outbound` authenticated outbound peers; of those that nobody has called for three ticks, with
  // fewer than three, which is the target then (dial_plan.h, rule 1).
  std::size_t lacking = 0;
  std::size_t outbound_min = 0;
  bool is_connected = false;  // by authenticated links
  std::string lacking_first;  // the first of the lacking, for whoever has to find out why
};
[[nodiscard]] Shape shape_of(const SimNetwork& network, std::size_t outbound);

// All hang together, and every node has as many outbound peers as it may have; or as many as it is to have.
[[nodiscard]] inline bool is_full(const Shape& shape, std::size_t outbound) {
  return shape.is_connected && shape.outbound_min >= outbound;
}
[[nodiscard]] inline bool is_settled(const Shape& shape) { return shape.is_connected && shape.lacking == 0; }

// Runs until the network has that shape, looking once a second. How long that took; absent: longer than `limit`.
[[nodiscard]] std::optional<Duration> time_to_form(SimNetwork& network, std::size_t outbound,
                                                   const std::function<bool(const Shape&)>& is_formed, Duration limit);

// When links of a node ended for `reason`, whether they were authenticated or not.
[[nodiscard]] std::vector<PeerEvent> drops_of(const SimNode& node, DropReason reason);
[[nodiscard]] std::size_t dials_to(const SimNode& node, const PeerAddress& address);

}  // namespace overlayd::sim
