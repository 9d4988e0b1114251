#include "core/book/ban_manager.h"

namespace overlayd::book {

bool BanManager::ban(const NodeId& node) {
  if (banned_.contains(node)) return true;
  if (banned_.size() >= options_.bans_max) return false;
  banned_.insert(node);
  return true;
}

}  // namespace overlayd::book
