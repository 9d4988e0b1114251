#include "tests/sim/sim_network.h"

#include <algorithm>

#include "core/crypto/hash.h"

namespace overlayd::sim {
namespace {

constexpr std::uint64_t kEpoch = 1'800'000'000;

NodeId node_id_of(std::size_t index) {
  NodeId id;
  const std::array<std::uint8_t, 2> seed{static_cast<std::uint8_t>(index >> 8), static_cast<std::uint8_t>(index)};
  id.bytes = crypto::sha256(seed);
  return id;
}

// One /16 per 200 nodes, all public.
PeerAddress address_of(std::size_t index) {
  return PeerAddress::from_v4(
      {20, static_cast<std::uint8_t>(index / 200 + 1), static_cast<std::uint8_t>(index / 16 % 200 + 1),
       static_cast<std::uint8_t>(index % 16 + 1)},
      limits::kPeerPort);
}

OverlayOptions overlay_options(const NetworkId& network, std::size_t index, const NodeOptions& options) {
  OverlayOptions overlay;
  overlay.local.node_id = node_id_of(index);
  overlay.local.network_id = network;
  overlay.local.version_string = "sim";
  overlay.relay_mode = options.relay_mode;
  overlay.is_flood_immediate = options.is_flood_immediate;
  overlay.target_outbound = options.target_outbound;
  overlay.max_inbound = options.max_inbound;
  return overlay;
}

}  // namespace

SimNode::SimNode(SimNetwork& network, std::size_t index, const NodeOptions& options)
    : network_(network),
      index_(index),
      options_(options),
      id_(node_id_of(index)),
      address_(address_of(index)),
      random_(network.random_.next()) {
  overlay_ =
      std::make_unique<OverlayManager>(overlay_options(network.network_id_, index, options), random_, network.clock());
}

bool SimNode::has_received(const MessagePtr& message) const { return received_.contains(message->flood_hash()); }

std::size_t SimNode::authenticated() const {
  const auto peers = overlay_->peers(network_.now());
  return static_cast<std::size_t>(
      std::count_if(peers.begin(), peers.end(), [](const PeerSnapshot& peer) { return peer.is_authenticated; }));
}

std::uint64_t SimNode::bytes_sent(wire::MessageType type) const {
  const auto found = bytes_sent_.find(type);
  return found == bytes_sent_.end() ? 0 : found->second;
}

SimNetwork::SimNetwork(const SimOptions& options) : options_(options), random_(options.seed), now_(seconds(1)) {
  network_id_.bytes.fill(7);
}

Now SimNetwork::clock() const { return {now_, {kEpoch + static_cast<std::uint64_t>(now_.since_start() / seconds(1))}}; }

std::size_t SimNetwork::add_node(const NodeOptions& options) {
  const std::size_t index = nodes_.size();
  nodes_.push_back(std::make_unique<SimNode>(*this, index, options));
  by_address_[nodes_.back()->address()] = index;
  if (options.has_client) give(index, TransactionTakers{true});
  rearm(index);
  return index;
}

void SimNetwork::connect(std::size_t from, std::size_t to) { give(from, ConnectTo{node(to).address()}); }

void SimNetwork::connect_randomly(std::size_t degree) {
  // A ring first, so that the graph is connected; the rest at random.
  for (std::size_t i = 0; i < size(); ++i) connect(i, (i + 1) % size());
  for (std::size_t i = 0; i < size(); ++i) {
    for (std::size_t k = 1; k < degree / 2; ++k) {
      const std::size_t other = random_.below(size());
      if (other != i) connect(i, other);
    }
  }
}

void SimNetwork::give(std::size_t node, Input input) {
  SimNode& target = *nodes_.at(node);
  if (!target.is_alive_) return;
  Outputs outputs;
  target.overlay_->handle(input, clock(), outputs);
  carry_out(node, outputs);
  rearm(node);
}

void SimNetwork::broadcast(std::size_t node, MessagePtr message) {
  give(node, Broadcast{RequestId{next_sequence_++}, std::move(message)});
}

void SimNetwork::schedule(Instant at, std::function<void()> fire) {
  events_.push(Event{std::max(at, now_), next_sequence_++, std::move(fire)});
}

void SimNetwork::rearm(std::size_t node) {
  SimNode& target = *nodes_.at(node);
  const Instant next = target.overlay_->next_deadline();
  if (next.is_never() || (!target.wake_at_.is_never() && target.wake_at_ <= next)) return;
  target.wake_at_ = next;
  schedule(next, [this, node, next] { wake(node, next); });
}

void SimNetwork::wake(std::size_t node, Instant at) {
  SimNode& target = *nodes_.at(node);
  if (!target.is_alive_ || target.wake_at_ != at) return;  // an earlier wake replaced this one
  target.wake_at_ = Instant::never();
  Outputs outputs;
  target.overlay_->advance(clock(), outputs);
  carry_out(node, outputs);
  rearm(node);
}

void SimNetwork::carry_out(std::size_t node, const Outputs& outputs) {
  for (const Output& output : outputs) carry_out(node, output);
}

void SimNetwork::carry_out(std::size_t node, const Output& output) {
  SimNode& source = *nodes_.at(node);
  if (const auto* dial = std::get_if<Dial>(&output)) {
    const PeerId peer = dial->peer;
    const PeerAddress address = dial->address;
    schedule(now_ + options_.link.latency, [this, node, peer, address] { open_link(node, peer, address); });
  } else if (const auto* send = std::get_if<Send>(&output)) {
    source.bytes_sent_[send->message->type()] += send->message->size();
    deliver(node, send->peer, send->message);
  } else if (const auto* close = std::get_if<Close>(&output)) {
    close_link(node, close->peer, *close);
  } else if (const auto* verify = std::get_if<VerifyScp>(&output)) {
    const FloodHash hash = verify->message->flood_hash();
    schedule(now_, [this, node, hash] { give(node, ScpVerified{hash, true}); });
  } else if (const auto* published = std::get_if<PublishMessage>(&output)) {
    source.arrivals_.push_back({now_, published->from, published->message});
    source.received_.emplace(published->message->flood_hash(), now_);
    if (source.options_.has_client && published->message->type() == wire::MessageType::kTransaction) {
      const VerdictGiven verdict{published->message->tx_hash(), source.options_.verdict};
      schedule(now_ + source.options_.verdict_delay, [this, node, verdict] { give(node, verdict); });
    }
  } else if (const auto* peer = std::get_if<PublishPeer>(&output)) {
    source.peer_events_.push_back(*peer);
  } else if (const auto* answer = std::get_if<BroadcastAnswer>(&output)) {
    source.answers_.push_back(*answer);
  }
}

void SimNetwork::open_link(std::size_t from, PeerId from_peer, const PeerAddress& address) {
  const auto found = by_address_.find(address);
  if (found == by_address_.end() || !nodes_[found->second]->is_alive_) {
    schedule(now_ + options_.link.latency, [this, from, from_peer] {
      give(from, LinkClosed{from_peer, DropReason::kDialFailed, "refused"});
    });
    return;
  }
  const std::size_t to = found->second;
  const PeerId to_peer{kAcceptedPeerBit | nodes_[to]->next_accepted_++};
  ends_[{from, from_peer}] = {to, to_peer, now_, now_};
  ends_[{to, to_peer}] = {from, from_peer, now_, now_};
  PeerAddress remote = nodes_[from]->address();
  remote.port = static_cast<std::uint16_t>(40'000 + to_peer.value % 20'000);
  give(to, LinkOpened{to_peer, remote, Direction::kInbound, {}, {}});
  schedule(now_ + options_.link.latency, [this, from, from_peer, address] {
    if (ends_.contains({from, from_peer})) give(from, LinkOpened{from_peer, address, Direction::kOutbound, {}, {}});
  });
}

void SimNetwork::deliver(std::size_t node, PeerId peer, const MessagePtr& message) {
  const auto found = ends_.find({node, peer});
  if (found == ends_.end()) return;
  End& end = found->second;
  Instant departs = std::max(now_, end.free_at);
  if (options_.link.bytes_per_second > 0) {
    departs = departs + Duration(message->size() * 1'000'000'000ULL / options_.link.bytes_per_second);
    end.free_at = departs;
  }
  const Duration jitter{
      options_.link.jitter.count() == 0
          ? 0
          : static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(options_.link.jitter.count()) + 1))};
  const Instant arrives = std::max(departs + options_.link.latency + jitter, end.last_delivery);
  end.last_delivery = arrives;
  const std::size_t to = end.other_node;
  const PeerId to_peer = end.other_peer;
  schedule(arrives, [this, to, to_peer, message] {
    if (!ends_.contains({to, to_peer})) return;
    give(to, MessageReceived{to_peer, message, message->type() == wire::MessageType::kHello});
  });
}

void SimNetwork::close_link(std::size_t node, PeerId peer, const Close& close) {
  if (close.error) deliver(node, peer, close.error);
  const auto found = ends_.find({node, peer});
  if (found == ends_.end()) return;
  const End end = found->second;
  ends_.erase(found);
  break_end(end.other_node, end.other_peer, DropReason::kClosedByRemote,
            std::max(now_ + options_.link.latency, end.last_delivery));
  schedule(now_, [this, node, peer] { give(node, LinkClosed{peer, DropReason::kClosedByRemote, ""}); });
}

void SimNetwork::break_end(std::size_t node, PeerId peer, DropReason reason, Instant at) {
  schedule(at, [this, node, peer, reason] {
    if (ends_.erase({node, peer}) > 0) give(node, LinkClosed{peer, reason, ""});
  });
}

bool SimNetwork::cut_random_link() {
  if (ends_.empty()) return false;
  auto chosen = ends_.begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(random_.below(ends_.size())));
  const auto [node, peer] = chosen->first;
  const End end = chosen->second;
  break_end(node, peer, DropReason::kSocketError, now_);
  break_end(end.other_node, end.other_peer, DropReason::kSocketError, now_);
  return true;
}

void SimNetwork::kill(std::size_t node) {
  nodes_.at(node)->is_alive_ = false;
  for (auto it = ends_.begin(); it != ends_.end();) {
    if (it->first.first != node) {
      ++it;
      continue;
    }
    break_end(it->second.other_node, it->second.other_peer, DropReason::kSocketError, now_);
    it = ends_.erase(it);
  }
}

bool SimNetwork::step(Instant until) {
  if (events_.empty() || events_.top().at > until) return false;
  const auto fire = events_.top().fire;
  now_ = events_.top().at;
  events_.pop();
  fire();
  return true;
}

void SimNetwork::run_for(Duration duration) {
  const Instant until = now_ + duration;
  while (step(until)) {
  }
  now_ = until;
}

bool SimNetwork::run_until(const std::function<bool()>& condition, Duration limit) {
  const Instant until = now_ + limit;
  while (!condition()) {
    if (!step(until)) {
      now_ = until;
      return condition();
    }
  }
  return true;
}

void SimNetwork::check_invariants() const {
  for (const auto& node : nodes_) node->overlay_->check_invariants();
}

}  // namespace overlayd::sim
