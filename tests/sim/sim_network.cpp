#include "tests/sim/sim_network.h"

#include <malloc.h>

#include <algorithm>

#include "core/check.h"
#include "core/crypto/hash.h"
#include "tests/sim/random_graph.h"

namespace overlayd::sim {
namespace {

constexpr std::uint64_t kEpoch = 1'800'000'000;

// What one run gives back the next one uses: an overlay's tables are so large that fresh pages for each would take longer
// than a run.
void keep_memory() {
  constexpr int kBytes = 1 << 30;
  static const bool is_kept = mallopt(M_MMAP_THRESHOLD, kBytes) != 0 && mallopt(M_TRIM_THRESHOLD, kBytes) != 0 &&
                              mallopt(M_TOP_PAD, 64 << 20) != 0;
  static_cast<void>(is_kept);
}

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

SimNode::Key key_of(std::size_t index) {
  const std::array<std::uint8_t, 2> number{static_cast<std::uint8_t>(index >> 8), static_cast<std::uint8_t>(index)};
  const auto seed = crypto::sha256(number);
  return std::make_shared<const crypto::NodeKey>(crypto::NodeKey::from_seed(crypto::Secret<32>(seed)));
}

LocalNode local_node(const NodeId& id, const NetworkId& network) {
  LocalNode local;
  local.node_id = id;
  local.network_id = network;
  local.version_string = "sim";
  return local;
}

// All public; the first 20,480 have a /16 each.
PeerAddress address_of(std::size_t index) {
  return PeerAddress::from_v4({static_cast<std::uint8_t>(20 + index / 256 % 80), static_cast<std::uint8_t>(index % 256),
                               static_cast<std::uint8_t>(index / 20'480 + 1), 1},
                              limits::kPeerPort);
}

PeerAddress private_address_of(std::size_t index) {
  return PeerAddress::from_v4({10, static_cast<std::uint8_t>(index / 256), static_cast<std::uint8_t>(index % 256), 1},
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
  keep_memory();
  crypto::init();
  network_id_.bytes.fill(7);
}

Now SimNetwork::clock() const { return {now_, {kEpoch + static_cast<std::uint64_t>(now_.since_start() / seconds(1))}}; }

SimNode& SimNetwork::add(const std::optional<PeerAddress>& address) {
  const std::size_t index = nodes_.size();
  const PeerAddress chosen = address.value_or(options_.is_closed ? private_address_of(index) : address_of(index));
  const SimNode::Key key = key_of(index);
  LocalNode local = local_node(key->id(), network_id_);
  local.listening_port = chosen.port;
  OVERLAYD_CHECK(by_address_.emplace(chosen, index).second);
  nodes_.push_back(std::make_unique<SimNode>(index, local, key, chosen));
  links_.add_node();
  return *nodes_.back();
}

NodeId SimNetwork::id_of(std::size_t index) { return key_of(index)->id(); }

std::size_t SimNetwork::add_node(const NodeOptions& options) {
  SimNode& node = add(options.address);
  node.options_ = options;
  start(node);
  return node.index();
}

std::size_t SimNetwork::add_participant(const Make& make, const std::optional<PeerAddress>& address) {
  SimNode& node = add(address);
  node.participant_ = make(node.local_);
  rearm(node);
  return node.index();
}

void SimNetwork::start(SimNode& node) {
  const std::uint64_t stream = std::uint64_t{node.life_} << 32 | (node.index() + 1);
  const std::uint64_t seed = stream_seed(options_.seed, stream);
  // What is secret is drawn apart: policy must not tell of it, nor depend on how often it is drawn.
  auto entropy = std::make_shared<SeededEntropy>(Random(~seed).next());
  auto participant = std::make_unique<Overlay>(node.overlay_options(std::move(entropy), signatures_), seed, clock());
  node.overlay_ = &participant->overlay();
  node.participant_ = std::move(participant);
  if (node.options_.has_client) give(node.index(), TransactionTakers{true});
  if (node.resolved_) give(node.index(), *node.resolved_);
  rearm(node);
}

void SimNetwork::kill(std::size_t node) {
  SimNode& killed = *nodes_.at(node);
  OVERLAYD_CHECK(killed.is_alive_);
  killed.is_alive_ = false;
  ++killed.life_;
  killed.lost_links_ += killed.authenticated_.size();
  killed.authenticated_.clear();
  killed.dialling_.clear();
  links_.cut_all(node, now_);
}

void SimNetwork::restart(std::size_t node) {
  SimNode& dead = *nodes_.at(node);
  OVERLAYD_CHECK(!dead.is_alive_ && dead.is_overlay());
  dead.is_alive_ = true;
  dead.wake_at_ = Instant::never();
  start(dead);
}

void SimNetwork::resolve(std::size_t node, const PeersResolved& resolved) {
  nodes_.at(node)->resolved_ = resolved;
  give(node, resolved);
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
    give_later(node, ScpVerified{hash, !forged_.contains(hash)}, now_ + options_.verify_delay);
  } else if (const auto* dialled = std::get_if<Dial>(&output)) {
    dial(node, *dialled);
  } else if (const auto* closed = std::get_if<Close>(&output)) {
    close(node, *closed);
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
  } else if (const auto* survey = std::get_if<PublishSurvey>(&output)) {
    node.survey_events_.push_back({now_, survey->status});
  } else {
    store(node, output);
  }
}

void SimNetwork::store(SimNode& node, const Output& output) {
  if (!node.store(output)) return;
  if (const auto* banned = std::get_if<StoreBan>(&output); banned != nullptr && banned->request.value != 0)
    give_later(node, BanStored{banned->request, banned->links_dropped}, now_);
  if (const auto* unbanned = std::get_if<EraseBan>(&output); unbanned != nullptr && unbanned->request.value != 0)
    give_later(node, BanStored{unbanned->request}, now_);
}

void SimNetwork::publish(SimNode& node, const PublishMessage& published) {
  node.arrivals_.push_back({now_, published.from, published.message});
  if (!node.options_.has_client || published.message->type() != wire::MessageType::kTransaction) return;
  give_later(node, VerdictGiven{published.message->tx_hash(), node.options_.verdict},
             now_ + node.options_.verdict_delay);
}

void SimNetwork::give_later(const SimNode& node, Input input, Instant at) {
  events_.push(at, Task([this, &node, life = node.life_, input = std::move(input)] {
                 if (node.life_ == life) give(node.index(), input);
               }));
}

void SimNetwork::dial(SimNode& node, const Dial& dial) {
  node.dials_.push_back({now_, dial.address});
  node.dialling_.insert(dial.peer);
  events_.push(now_ + latency(), Task([this, &node, life = node.life_, dial] {
                 if (node.life_ == life && node.dialling_.erase(dial.peer) > 0)
                   open_link(node.index(), dial.peer, dial.address);
               }));
}

void SimNetwork::close(SimNode& node, const Close& close) {
  if (node.dialling_.erase(close.peer) > 0) return give_later(node, LinkClosed{close.peer, close.reason, ""}, now_);
  links_.close({node.index(), close.peer}, close, now_);
}

void SimNetwork::open_link(std::size_t from, PeerId from_peer, const PeerAddress& address) {
  const auto fail = [&](const char* why, Instant when) {
    give_later(*nodes_[from], LinkClosed{from_peer, DropReason::kDialFailed, why}, when);
  };
  if (std::any_of(silent_.begin(), silent_.end(), [&](const Subnet& range) { return range.contains(address); }))
    return fail("timed out", now_ + (kDialTimeout - latency()));
  const auto found = by_address_.find(address);
  if (found == by_address_.end() || !nodes_[found->second]->is_alive_) return fail("refused", now_ + latency());
  const std::size_t to = found->second;
  const PeerId to_peer{kAcceptedPeerBit | nodes_[to]->next_accepted_++};
  links_.open({from, from_peer}, {to, to_peer}, now_);
  PeerAddress remote = nodes_[from]->address();
  remote.port = static_cast<std::uint16_t>(40'000 + to_peer.value % 20'000);
  events_.push(now_ + latency(), Task([this, from, from_peer, address, life = nodes_[from]->life_] {
                 if (nodes_[from]->life_ == life && links_.is_open({from, from_peer}))
                   give(from, LinkOpened{from_peer, address, Direction::kOutbound, {}, {}});
               }));
  give(to, LinkOpened{to_peer, remote, Direction::kInbound, {}, {}});
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
