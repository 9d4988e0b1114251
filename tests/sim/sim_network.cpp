#include "tests/sim/sim_network.h"

#include <algorithm>

#include "core/check.h"
#include "core/crypto/hash.h"
#include "tests/sim/random_graph.h"

namespace overlayd::sim {
namespace {

constexpr std::uint64_t kEpoch = 1'800'000'000;

class Overlay final : public Participant {
 public:
  Overlay(const OverlayOptions& options, std::uint64_t seed, const Now& now)
      : random_(seed), overlay_(options, random_, now) {}
  void handle(const Input& input, const Now& now, Outputs& out) override { overlay_.handle(input, now, out); }
  void advance(const Now& now, Outputs& out) override { overlay_.advance(now, out); }
  [[nodiscard]] Instant next_deadline() const override { return overlay_.next_deadline(); }
  [[nodiscard]] OverlayManager& overlay() { return overlay_; }

 private:
  Random random_;
  OverlayManager overlay_;
};

LocalNode local_node(std::size_t index, const NetworkId& network) {
  const std::array<std::uint8_t, 2> seed{static_cast<std::uint8_t>(index >> 8), static_cast<std::uint8_t>(index)};
  LocalNode local;
  local.node_id.bytes = crypto::sha256(seed);
  local.network_id = network;
  local.version_string = "sim";
  return local;
}

// One /16 per 200 nodes, all public.
PeerAddress address_of(std::size_t index) {
  return PeerAddress::from_v4(
      {20, static_cast<std::uint8_t>(index / 200 + 1), static_cast<std::uint8_t>(index / 16 % 200 + 1),
       static_cast<std::uint8_t>(index % 16 + 1)},
      limits::kPeerPort);
}

// What stream `stream` of a run draws from: 0 is the graph, the others are nodes.
std::uint64_t stream_seed(std::uint64_t seed, std::uint64_t stream) {
  return Random(seed).next() ^ Random(stream).next();
}

}  // namespace

SimNetwork::SimNetwork(const SimOptions& options)
    : options_(options),
      random_(options.seed),
      now_(seconds(1)),
      links_(options.link, options.seed, events_, [this](std::size_t node, const Input& input) { give(node, input); }) {
  network_id_.bytes.fill(7);
}

Now SimNetwork::clock() const { return {now_, {kEpoch + static_cast<std::uint64_t>(now_.since_start() / seconds(1))}}; }

SimNode& SimNetwork::add() {
  const std::size_t index = nodes_.size();
  nodes_.push_back(std::make_unique<SimNode>(index, local_node(index, network_id_), address_of(index)));
  links_.add_node();
  by_address_[nodes_.back()->address()] = index;
  return *nodes_.back();
}

std::size_t SimNetwork::add_node(const NodeOptions& options) {
  SimNode& node = add();
  OverlayOptions overlay;
  overlay.local = node.local_;
  overlay.relay_mode = options.relay_mode;
  overlay.is_flood_immediate = options.is_flood_immediate;
  overlay.target_outbound = options.target_outbound;
  overlay.max_inbound = options.max_inbound;
  auto participant = std::make_unique<Overlay>(overlay, stream_seed(options_.seed, node.index() + 1), clock());
  node.options_ = options;
  node.overlay_ = &participant->overlay();
  node.participant_ = std::move(participant);
  if (options.has_client) give(node.index(), TransactionTakers{true});
  rearm(node);
  return node.index();
}

std::size_t SimNetwork::add_participant(const Make& make) {
  SimNode& node = add();
  node.participant_ = make(node.local_);
  rearm(node);
  return node.index();
}

void SimNetwork::connect(std::size_t from, std::size_t to) { give(from, ConnectTo{node(to).address()}); }

void SimNetwork::connect_randomly(std::size_t degree) {
  Random random(stream_seed(options_.seed, 0));
  for (const auto& [from, to] : random_regular_graph(size(), degree, random)) connect(from, to);
}

void SimNetwork::give(std::size_t node, const Input& input) {
  SimNode& target = *nodes_.at(node);
  if (!target.is_alive_) return;
  // Taken out of the scratch, should carrying out one input ever lead to another.
  Outputs outputs = std::move(outputs_);
  outputs.clear();
  target.participant_->handle(input, clock(), outputs);
  carry_out(target, outputs);
  outputs_ = std::move(outputs);
  rearm(target);
}

void SimNetwork::broadcast(std::size_t node, MessagePtr message) {
  give(node, Broadcast{RequestId{next_request_++}, std::move(message)});
}

void SimNetwork::every(Duration period, Task task) {
  at(now_ + period, [this, period, task = std::move(task)] {
    task();
    every(period, task);
  });
}

void SimNetwork::rearm(SimNode& node) {
  const Instant next = std::max(node.participant_->next_deadline(), now_);
  if (next.is_never() || node.wake_at_ <= next) return;
  node.wake_at_ = next;
  events_.push(next, Wake{node.index()});
}

void SimNetwork::wake(std::size_t node) {
  SimNode& target = *nodes_[node];
  if (!target.is_alive_ || target.wake_at_ != now_) return;  // an earlier wake replaced this one
  target.wake_at_ = Instant::never();
  Outputs outputs = std::move(outputs_);
  outputs.clear();
  target.participant_->advance(clock(), outputs);
  carry_out(target, outputs);
  outputs_ = std::move(outputs);
  rearm(target);
}

void SimNetwork::carry_out(SimNode& node, const Outputs& outputs) {
  for (const Output& output : outputs) carry_out(node, output);
}

void SimNetwork::carry_out(SimNode& node, const Output& output) {
  const std::size_t index = node.index();
  if (const auto* send = std::get_if<Send>(&output)) {
    links_.send({index, send->peer}, send->message, now_);
  } else if (const auto* published = std::get_if<PublishMessage>(&output)) {
    publish(node, *published);
  } else if (const auto* verify = std::get_if<VerifyScp>(&output)) {
    const FloodHash& hash = verify->message->flood_hash();
    at(now_ + options_.verify_delay,
       [this, index, verified = ScpVerified{hash, !forged_.contains(hash)}] { give(index, verified); });
  } else if (const auto* dial = std::get_if<Dial>(&output)) {
    at(now_ + latency(), [this, index, dial = *dial] { open_link(index, dial.peer, dial.address); });
  } else if (const auto* close = std::get_if<Close>(&output)) {
    links_.close({index, close->peer}, *close, now_);
  } else if (const auto* pause = std::get_if<PauseReading>(&output)) {
    links_.pause({index, pause->peer});
  } else if (const auto* resume = std::get_if<ResumeReading>(&output)) {
    links_.resume({index, resume->peer}, now_);
  } else if (const auto* peer = std::get_if<PublishPeer>(&output)) {
    node.on_peer(*peer, now_);
  } else if (const auto* item = std::get_if<PublishItem>(&output)) {
    node.item_events_.push_back({now_, *item});
  } else if (const auto* answer = std::get_if<RequestAnswer>(&output)) {
    node.answers_.push_back(*answer);
  }
}

void SimNetwork::publish(SimNode& node, const PublishMessage& published) {
  node.arrivals_.push_back({now_, published.from, published.message});
  if (!node.options_.has_client || published.message->type() != wire::MessageType::kTransaction) return;
  at(now_ + node.options_.verdict_delay, [this, &node, message = published.message] {
    give(node.index(), VerdictGiven{message->tx_hash(), node.options_.verdict});
  });
}

void SimNetwork::open_link(std::size_t from, PeerId from_peer, const PeerAddress& address) {
  const auto found = by_address_.find(address);
  if (found == by_address_.end() || !nodes_[found->second]->is_alive_) {
    at(now_ + latency(), [this, from, from_peer] {
      give(from, LinkClosed{from_peer, DropReason::kDialFailed, "refused"});
    });
    return;
  }
  const std::size_t to = found->second;
  const PeerId to_peer{kAcceptedPeerBit | nodes_[to]->next_accepted_++};
  links_.open({from, from_peer}, {to, to_peer}, now_);
  PeerAddress remote = nodes_[from]->address();
  remote.port = static_cast<std::uint16_t>(40'000 + to_peer.value % 20'000);
  at(now_ + latency(), [this, from, from_peer, address] {
    if (links_.is_open({from, from_peer})) give(from, LinkOpened{from_peer, address, Direction::kOutbound, {}, {}});
  });
  give(to, LinkOpened{to_peer, remote, Direction::kInbound, {}, {}});
}

void SimNetwork::kill(std::size_t node) {
  nodes_.at(node)->is_alive_ = false;
  links_.cut_all(node, now_);
}

bool SimNetwork::step(Instant until) {
  if (events_.empty() || events_.next_at() > until) return false;
  now_ = events_.next_at();
  const Action action = events_.take();
  if (const auto* delivery = std::get_if<Delivery>(&action)) {
    links_.arrive(*delivery, now_);
  } else if (const auto* woken = std::get_if<Wake>(&action)) {
    wake(woken->node);
  } else {
    std::get<Task>(action)();
  }
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
  for (const auto& node : nodes_)
    if (node->is_overlay()) node->overlay().check_invariants();
}

}  // namespace overlayd::sim
