#include "tests/sim/eclipse_scene.h"

#include <algorithm>
#include <unordered_set>

#include "tests/sim/scripted_peer.h"

namespace overlayd::sim {
namespace {

constexpr Duration kFreshStart = seconds(60);
constexpr Duration kKill = seconds(90);
constexpr Duration kDown = seconds(10);
constexpr Duration kSettled = seconds(30);
constexpr Duration kCallPeriod = milliseconds(200);

PeerAddress attacker_address(std::size_t number, std::size_t groups) {
  const std::size_t nth = number / groups;
  return PeerAddress::from_v4({200, static_cast<std::uint8_t>(number % groups), static_cast<std::uint8_t>(nth % 256),
                               static_cast<std::uint8_t>(nth / 256 + 1)},
                              limits::kPeerPort);
}

// In the four /8 from 120 on, which are silent.
PeerAddress dead_address(Random& random) {
  return PeerAddress::from_v4(
      {static_cast<std::uint8_t>(random.between(120, 123)), static_cast<std::uint8_t>(random.below(256)),
       static_cast<std::uint8_t>(random.below(256)), static_cast<std::uint8_t>(random.between(1, 254))},
      limits::kPeerPort);
}

class Attack {
 public:
  explicit Attack(const EclipseScene& scene)
      : scene_(scene),
        network_({.seed = scene.seed, .link = {.latency = milliseconds(50), .jitter = milliseconds(10)}}),
        random_(scene.seed) {}

  EclipseOutcome play() {
    network_.silence(Subnet::around(PeerAddress::from_v4({120, 0, 0, 0}, 1), 96 + 6));
    for (std::size_t i = 0; i < scene_.honest; ++i) add_honest(i);
    for (std::size_t i = 0; i < scene_.attackers; ++i) add_attacker(i);
    const Instant start = network_.now();
    network_.every(kCallPeriod, [this] { call(); });
    network_.every(seconds(1), [this] { watch(); });
    for (std::size_t i = 2; i < scene_.honest; i += 3) {
      network_.at(start + kKill, [this, i] { kill(i); });
      network_.at(start + kKill + kDown, [this, i] { restart(i); });
    }
    network_.run_for(scene_.length);
    network_.check_invariants();
    sum_up();
    return outcome_;
  }

 private:
  void add_honest(std::size_t number) {
    const std::size_t node =
        network_.add_node({.tx_pool_bytes_max = 1 << 20, .max_outbound_per_group = scene_.max_outbound_per_group});
    honest_.insert(network_.node(node).id());
    up_since_.push_back(network_.now());
    anchors_.emplace_back();
    if (number == 0) return;
    seed_ = {.known = {network_.node(0).address()}, .preferred = {}};
    if (number % 3 != 1) return network_.resolve(node, seed_);
    // Nobody is there before the start.
    network_.kill(node);
    network_.at(network_.now() + kFreshStart, [this, node] {
      restart(node);
      network_.resolve(node, seed_);
    });
  }

  void add_attacker(std::size_t number) {
    Script script;
    script.on_ready = [this](ScriptedLink& link) {
      if (link.direction() == Direction::kInbound) name_addresses(link);
    };
    attackers_.push_back(
        network_.add_participant([&](const LocalNode& local) { return std::make_unique<ScriptedPeer>(local, script); },
                                 attacker_address(number, scene_.groups)));
  }

  void name_addresses(ScriptedLink& link) {
    std::vector<wire::WirePeerAddress> named;
    while (named.size() < limits::kPeersWireMax) {
      const PeerAddress address = scene_.is_naming_dead
                                      ? dead_address(random_)
                                      : attacker_address(random_.below(scene_.attackers), scene_.groups);
      named.push_back({address, address.port, 0});
    }
    link.send(wire::write_peers(named));
  }

  void call() {
    const std::uint64_t calls = scene_.calls_per_second * static_cast<std::uint64_t>(kCallPeriod.count());
    for (std::size_t i = 0; i < scene_.honest; ++i) {
      if (!network_.node(i).is_alive()) continue;
      due_ += calls;
      for (; due_ >= 1'000'000'000; due_ -= 1'000'000'000)
        network_.connect(attackers_[random_.below(attackers_.size())], i);
    }
  }

  void kill(std::size_t node) {
    anchors_[node] = network_.node(node).disk().anchors;
    network_.kill(node);
  }

  void restart(std::size_t node) {
    network_.restart(node);
    up_since_[node] = network_.now();
  }

  [[nodiscard]] std::size_t honest_links(const SimNode& node, std::optional<Direction> direction) const {
    const auto& peers = node.authenticated_peers();
    return static_cast<std::size_t>(std::count_if(peers.begin(), peers.end(), [&](const auto& entry) {
      return honest_.contains(entry.second.node) && (!direction || entry.second.direction == *direction);
    }));
  }

  void watch() {
    for (std::size_t i = 0; i < scene_.honest; ++i) {
      const SimNode& node = network_.node(i);
      if (!node.is_alive()) continue;
      ++outcome_.looks;
      const std::size_t outbound = node.authenticated(Direction::kOutbound) - honest_links(node, Direction::kOutbound);
      const std::size_t inbound = node.authenticated(Direction::kInbound) - honest_links(node, Direction::kInbound);
      outcome_.attacker_outbound_max = std::max(outcome_.attacker_outbound_max, outbound);
      outcome_.attacker_inbound_max = std::max(outcome_.attacker_inbound_max, inbound);
      if (network_.now() - up_since_[i] >= kSettled && honest_links(node, {}) == 0) ++outcome_.alone[i % 3];
    }
  }

  void sum_up() {
    outcome_.honest_outbound_min = outcome_.honest_links_min = scene_.honest;
    for (std::size_t i = 0; i < scene_.honest; ++i) {
      const SimNode& node = network_.node(i);
      outcome_.honest_outbound_min = std::min(outcome_.honest_outbound_min, honest_links(node, Direction::kOutbound));
      outcome_.honest_links_min = std::min(outcome_.honest_links_min, honest_links(node, {}));
      outcome_.anchors += anchors_[i].size();
      for (const auto& [peer, event] : node.authenticated_peers())
        outcome_.anchors_kept += static_cast<std::size_t>(
            event.direction == Direction::kOutbound ? std::count(anchors_[i].begin(), anchors_[i].end(), event.address)
                                                    : 0);
    }
  }

  EclipseScene scene_;
  SimNetwork network_;
  Random random_;
  PeersResolved seed_;
  std::vector<std::size_t> attackers_;
  std::unordered_set<NodeId> honest_;
  std::vector<Instant> up_since_;                  // by honest node
  std::vector<std::vector<PeerAddress>> anchors_;  // by honest node, when it was killed
  std::uint64_t due_ = 0;                          // calls, in parts of 1,000,000,000
  EclipseOutcome outcome_;
};

}  // namespace

EclipseOutcome play(const EclipseScene& scene) { return Attack(scene).play(); }

}  // namespace overlayd::sim
