#include "tests/sim/random_graph.h"

#include <algorithm>
#include <set>

#include "core/check.h"

namespace overlayd::sim {
namespace {

std::pair<std::size_t, std::size_t> undirected(std::size_t a, std::size_t b) { return std::minmax(a, b); }

bool is_connected(std::size_t nodes, const Edges& edges) {
  std::vector<std::vector<std::size_t>> next(nodes);
  for (const auto& [a, b] : edges) {
    next[a].push_back(b);
    next[b].push_back(a);
  }
  std::vector<bool> seen(nodes);
  std::vector<std::size_t> reached{0};
  seen[0] = true;
  for (std::size_t i = 0; i < reached.size(); ++i)
    for (const std::size_t other : next[reached[i]])
      if (!seen[other]) {
        seen[other] = true;
        reached.push_back(other);
      }
  return reached.size() == nodes;
}

}  // namespace

Edges random_regular_graph(std::size_t nodes, std::size_t degree, Random& random) {
  OVERLAYD_CHECK(degree % 2 == 0 && degree < nodes);
  Edges edges;
  std::set<std::pair<std::size_t, std::size_t>> taken;
  for (std::size_t i = 0; i < nodes; ++i)
    for (std::size_t k = 1; k <= degree / 2; ++k) {
      edges.emplace_back(i, (i + k) % nodes);
      taken.insert(undirected(i, (i + k) % nodes));
    }
  // Two edges exchange their ends: nobody's degree changes. Enough of it forgets the ring it began with.
  const std::size_t swaps = 20 * edges.size();
  for (std::size_t done = 0; done < swaps || !is_connected(nodes, edges); ++done) {
    auto& [a, b] = edges[random.below(edges.size())];
    auto& [c, d] = edges[random.below(edges.size())];
    if (a == d || c == b || taken.contains(undirected(a, d)) || taken.contains(undirected(c, b))) continue;
    taken.erase(undirected(a, b));
    taken.erase(undirected(c, d));
    std::swap(b, d);
    taken.insert(undirected(a, b));
    taken.insert(undirected(c, d));
  }
  return edges;
}

}  // namespace overlayd::sim
