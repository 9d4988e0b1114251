// Who calls whom in a simulated network.
#pragma once
#include <cstddef>
#include <utility>
#include <vector>

#include "core/random.h"

namespace overlayd::sim {

using Edges = std::vector<std::pair<std::size_t, std::size_t>>;

// A connected graph of `nodes` nodes without loops or double edges, in which `degree` / 2 edges leave each node and as
// many enter it. `degree` is even and less than `nodes`.
[[nodiscard]] Edges random_regular_graph(std::size_t nodes, std::size_t degree, Random& random);

}  // namespace overlayd::sim
