#include "tests/sim/sim_node.h"

#include "core/check.h"
#include "core/wire/message.h"

namespace overlayd::sim {

SimNode::SimNode(std::size_t index, const LocalNode& local, const PeerAddress& address)
    : index_(index), local_(local), address_(address) {}

OverlayManager& SimNode::overlay() const {
  OVERLAYD_CHECK(overlay_ != nullptr);
  return *overlay_;
}

bool SimNode::has_received(const MessagePtr& message) const {
  for (; received_count_ < arrivals_.size(); ++received_count_)
    received_.insert(arrivals_[received_count_].message->flood_hash());
  return received_.contains(message->flood_hash());
}

std::uint64_t SimNode::drops(DropReason reason) const {
  return overlay().metrics().link.drops[static_cast<std::size_t>(reason)];
}

void SimNode::on_peer(const PublishPeer& event, Instant now) {
  switch (event.change) {
    case PeerChange::kAuthenticated: authenticated_.insert(event.peer); break;
    case PeerChange::kDropped: authenticated_.erase(event.peer); break;
  }
  peer_events_.push_back({now, event});
}

}  // namespace overlayd::sim
