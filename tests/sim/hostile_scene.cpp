#include "tests/sim/hostile_scene.h"

#include <algorithm>
#include <map>

#include "core/check.h"

namespace overlayd::sim {
namespace {

constexpr Duration kWatchPeriod = milliseconds(250);

void watch(const SimNetwork& network, const Scene& scene, const NodeId& hostile, Outcome& outcome) {
  for (std::size_t i = 0; i < scene.victims; ++i) {
    const OverlayManager& victim = network.node(i).overlay();
    outcome.records_max = std::max(outcome.records_max, victim.status(network.now()).flood_records);
    for (const PeerSnapshot& peer : victim.peers(network.now())) {
      if (peer.node != hostile) continue;
      outcome.queued_max = std::max(outcome.queued_max, peer.queued_messages);
      outcome.credit_max = std::max(outcome.credit_max, peer.outbound_credit_messages);
    }
  }
}

// Pairs what was opened with how it ended.
void collect_drops(const SimNode& node, const NodeId& hostile, Outcome& outcome) {
  std::map<PeerId, Instant> authenticated;
  for (const PeerEvent& event : node.peer_events()) {
    if (event.what.change == PeerChange::kAuthenticated) {
      authenticated[event.what.peer] = event.at;
      continue;
    }
    // Whoever was called is tried in turn, to see whether it can be: that ends as a duplicate and is no link.
    const auto since = authenticated.find(event.what.peer);
    if (since == authenticated.end()) continue;
    OVERLAYD_CHECK(event.what.node == hostile);
    outcome.drops.push_back({event.at - since->second, event.what.reason});
  }
}

std::size_t links_to(const SimNode& node, const NodeId& hostile, Instant now) {
  const auto peers = node.overlay().peers(now);
  return static_cast<std::size_t>(
      std::count_if(peers.begin(), peers.end(), [&](const PeerSnapshot& peer) { return peer.node == hostile; }));
}

void sum_up(const SimNetwork& network, const Scene& scene, const Traffic& traffic, Outcome& outcome) {
  outcome.sent = traffic.transactions();
  outcome.transactions = measure_spread(network, traffic.transactions(), scene.nodes);
  outcome.scp = measure_spread(network, traffic.scp_messages(), scene.nodes);
  std::uint64_t received = 0;
  for (std::size_t i = 0; i < scene.nodes; ++i) {
    received += network.links().read(i)[wire::MessageType::kTransaction].messages;
    outcome.arrivals.push_back(first_arrivals(network.node(i), traffic.transactions()));
  }
  outcome.duplicates = received - outcome.transactions.delivered;
  for (std::size_t i = 0; i < scene.victims; ++i) outcome.metrics.push_back(network.node(i).overlay().metrics());
  for (std::size_t i = 0; i < scene.nodes; ++i)
    for (const MessagePtr& message : scene.forged) outcome.forged += network.node(i).has_received(message) ? 1 : 0;
}

}  // namespace

Outcome play(const Scene& scene, const std::optional<Script>& script) {
  Outcome outcome;
  SimNetwork network({.seed = scene.seed, .link = scene.link, .verify_delay = milliseconds(1), .is_closed = true});
  const auto dialled = static_cast<std::uint32_t>(scene.degree / 2);
  for (std::size_t i = 0; i < scene.nodes; ++i)
    network.add_node({.target_outbound = dialled, .max_inbound = dialled + 1});
  network.connect_randomly(scene.degree);
  for (const MessagePtr& message : scene.forged) network.mark_forged(message);
  Traffic traffic(network, scene.nodes, scene.seed);
  LedgerView view;
  view.sequence = 100;
  traffic.close_ledgers({.view = view, .is_applying = true});
  network.run_for(seconds(2));
  NodeId hostile;
  if (script) {
    const std::size_t peer =
        network.add_participant([&](const LocalNode& local) { return std::make_unique<ScriptedPeer>(local, *script); });
    hostile = network.node(peer).id();
    for (std::size_t i = 0; i < scene.victims; ++i) network.connect(peer, i);
    traffic.on_sending([&network, peer](const Sent& sent) { network.broadcast(peer, sent.message); });
    network.every(kWatchPeriod, [&] { watch(network, scene, hostile, outcome); });
  }
  network.run_for(seconds(1));
  traffic.send_transactions(scene.transactions);
  traffic.send_scp(scene.scp);
  network.run_for(scene.length);
  for (std::size_t i = 0; i < scene.nodes; ++i) {
    collect_drops(network.node(i), hostile, outcome);
    outcome.attached += links_to(network.node(i), hostile, network.now());
  }
  sum_up(network, scene, traffic, outcome);
  network.check_invariants();
  return outcome;
}

}  // namespace overlayd::sim
