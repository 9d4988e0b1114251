// Nodes that may not be our peers, by node id: the operator's list.
//
// Words.   *Banned*: refused in the handshake once its HELLO has proved the node id, in both directions, until
//          unbanned. Nothing is banned automatically, and bans are told to nobody.
// Limits.  bans_max nodes; a further ban is refused (the operator is told) rather than another one lifted.
// Does not protect against a node that makes itself a new key: a node id costs nothing.
// Source:  stellar-core BanManager, commit a9b8613.
#pragma once
#include <set>
#include <vector>

#include "core/ids.h"
#include "core/limits.h"

namespace overlayd::book {

struct BanManagerOptions {
  std::size_t bans_max = limits::kBansMax;
};

class BanManager {
 public:
  explicit BanManager(const BanManagerOptions& options) : options_(options) {}

  // False: the list is full and does not hold the node. Banning a banned node is no error.
  bool ban(const NodeId& node);
  // False: it was not banned.
  bool unban(const NodeId& node) { return banned_.erase(node) > 0; }
  [[nodiscard]] bool is_banned(const NodeId& node) const { return banned_.contains(node); }
  // Ascending.
  [[nodiscard]] std::vector<NodeId> list() const { return {banned_.begin(), banned_.end()}; }
  [[nodiscard]] std::size_t size() const { return banned_.size(); }

 private:
  BanManagerOptions options_;
  std::set<NodeId> banned_;
};

}  // namespace overlayd::book
