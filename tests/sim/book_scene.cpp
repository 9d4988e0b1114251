#include "tests/sim/book_scene.h"

#include <algorithm>
#include <map>

#include "core/book/address.h"

namespace overlayd::sim {
namespace {

std::string describe(const SimNetwork& network, std::size_t index) {
  const SimNode& node = network.node(index);
  std::string text = "node " + std::to_string(index) + ": " + std::to_string(node.authenticated(Direction::kOutbound)) +
                     " outbound, " + std::to_string(node.authenticated(Direction::kInbound)) + " inbound, " +
                     std::to_string(node.dials().size()) + " dials";
  const std::uint64_t now = network.clock().unix_time.seconds;
  for (const PeerAddress& anchor : node.disk().anchors) {
    const auto record = node.stored_record(anchor);
    bool is_linked = false;
    for (const auto& [peer, event] : node.authenticated_peers()) is_linked = is_linked || event.address == anchor;
    text += "; anchor " + book::to_string(anchor) + (is_linked ? " is there" : " is not there");
    if (record)
      text += ", " + std::to_string(record->failures) + " failures, due in " +
              std::to_string(static_cast<std::int64_t>(record->next_attempt.seconds - now)) + " s";
    for (auto event = node.peer_events().rbegin(); event != node.peer_events().rend(); ++event) {
      if (event->what.address != anchor || event->what.change != PeerChange::kDropped) continue;
      text += ", went " + std::to_string((network.now() - event->at) / seconds(1)) + " s ago (" +
              std::string(drop_reason_info(event->what.reason).label) + " " + event->what.detail + ")";
      break;
    }
  }
  return text;
}

// Trials whether a node can be called come and go; they call nobody.
bool is_called(const SimNetwork& network, std::size_t index) {
  const auto peers = network.node(index).overlay().peers(network.now());
  return std::any_of(peers.begin(), peers.end(), [](const PeerSnapshot& peer) {
    return peer.direction == Direction::kInbound && peer.is_authenticated && peer.connected_for >= 3 * limits::kTick;
  });
}

}  // namespace

Shape shape_of(const SimNetwork& network, std::size_t outbound) {
  std::map<NodeId, std::size_t> index_of;
  for (std::size_t i = 0; i < network.size(); ++i)
    if (network.node(i).is_alive() && network.node(i).is_overlay()) index_of.emplace(network.node(i).id(), i);
  Shape shape;
  shape.outbound_min = limits::kInboundMax;
  std::vector<std::vector<std::size_t>> next(network.size());
  for (const auto& [id, i] : index_of) {
    const std::size_t called = network.node(i).authenticated(Direction::kOutbound);
    shape.outbound_min = std::min(shape.outbound_min, called);
    const std::size_t least = std::min<std::size_t>(outbound, limits::kOutboundWithoutInbound);
    const bool is_lacking = called < least || (called < outbound && is_called(network, i));
    if (is_lacking && shape.lacking++ == 0) shape.lacking_first = describe(network, i);
    for (const auto& [peer, event] : network.node(i).authenticated_peers()) {
      const auto other = index_of.find(event.node);
      if (other == index_of.end()) continue;
      next[i].push_back(other->second);
      next[other->second].push_back(i);
    }
  }
  std::vector<bool> seen(network.size());
  std::vector<std::size_t> reached{index_of.begin()->second};
  seen[reached.front()] = true;
  for (std::size_t i = 0; i < reached.size(); ++i)
    for (const std::size_t other : next[reached[i]])
      if (!seen[other]) {
        seen[other] = true;
        reached.push_back(other);
      }
  shape.is_connected = reached.size() == index_of.size();
  return shape;
}

std::optional<Duration> time_to_form(SimNetwork& network, std::size_t outbound,
                                     const std::function<bool(const Shape&)>& is_formed, Duration limit) {
  const Instant start = network.now();
  while (network.now() - start < limit) {
    network.run_for(seconds(1));
    if (is_formed(shape_of(network, outbound))) return network.now() - start;
  }
  return std::nullopt;
}

std::vector<PeerEvent> drops_of(const SimNode& node, DropReason reason) {
  std::vector<PeerEvent> drops;
  for (const PeerEvent& event : node.peer_events())
    if (event.what.change == PeerChange::kDropped && event.what.reason == reason) drops.push_back(event);
  return drops;
}

std::size_t dials_to(const SimNode& node, const PeerAddress& address) {
  return static_cast<std::size_t>(std::count_if(node.dials().begin(), node.dials().end(),
                                                [&](const DialEvent& dial) { return dial.to == address; }));
}

}  // namespace overlayd::sim
