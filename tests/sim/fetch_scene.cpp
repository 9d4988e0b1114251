#include "tests/sim/fetch_scene.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "tests/sim/scripted_peer.h"
#include "tests/support/messages.h"

namespace overlayd::sim {
namespace {

using wire::MessageType;

constexpr std::uint64_t kSlot = 101;
constexpr int kFakesAtOnce = 5;
constexpr std::uint64_t kFaker = 1'000'000;

struct Envelope {
  std::array<MessagePtr, 2> messages;
  std::array<MessagePtr, kItemKindCount> items;
  std::size_t origin = 0;
  Instant sent;
};

Envelope make_envelope(const SimNetwork& network, std::uint64_t number, std::size_t origin) {
  Envelope envelope;
  envelope.items = {test::make_tx_set(number), test::make_quorum_set(number)};
  envelope.origin = origin;
  for (std::size_t i = 0; i < envelope.messages.size(); ++i)
    envelope.messages[i] = test::make_scp(network.network_id(), {.node = test::make_node(2 * number + i),
                                                                 .slot = kSlot,
                                                                 .tx_set = envelope.items[0]->item_hash(),
                                                                 .quorum_set = envelope.items[1]->item_hash()});
  return envelope;
}

void name_fakes(ScriptedLink& link, std::uint64_t& next) {
  for (int i = 0; i < kFakesAtOnce; ++i) {
    const std::uint64_t number = ++next;
    const ItemHash fake{test::make_full_hash(number).bytes};
    const MessagePtr envelope = test::make_scp(link.network_id(), {.node = test::make_node(kFaker),
                                                                   .slot = kSlot,
                                                                   .ballot_counter = static_cast<std::uint32_t>(number),
                                                                   .tx_set = fake,
                                                                   .quorum_set = fake});
    const ByteView xdr = envelope->xdr();
    link.send_within_credit({xdr.begin(), xdr.end()});
  }
}

// Of every three, by `number`.
Script make_hostile(std::size_t number, bool is_naming_fakes) {
  Script script;
  script.is_answering = number % 3 == 1;
  script.on_told = [](ScriptedLink& link, const MessagePtr& envelope) {
    const ByteView xdr = envelope->xdr();
    link.send_within_credit({xdr.begin(), xdr.end()});
  };
  if (is_naming_fakes) {
    script.period = milliseconds(100);
    script.on_period = [number, next = std::map<const ScriptedLink*, std::uint64_t>()](ScriptedLink& link) mutable {
      name_fakes(link, next.try_emplace(&link, number << 24).first->second);
    };
  }
  if (number % 3 == 2)
    script.on_message = [number](ScriptedLink& link, const wire::Message& message) {
      if (message.type() == MessageType::kGetTxSet) link.send(test::make_tx_set(1'000'000 + number));
      if (message.type() == MessageType::kGetScpQuorumset) link.send(test::make_quorum_set(1'000'000 + number));
    };
  return script;
}

void send(SimNetwork& network, const FetchScene& scene, Envelope& envelope) {
  envelope.sent = network.now();
  for (const MessagePtr& item : envelope.items) network.give(envelope.origin, PutItem{{}, item});
  for (const MessagePtr& message : envelope.messages) {
    network.broadcast(envelope.origin, message);
    for (std::size_t i = 0; i < scene.hostile; ++i) network.broadcast(scene.nodes + i, message);
  }
}

void collect(const SimNetwork& network, const FetchScene& scene, const std::vector<Envelope>& envelopes,
             FetchOutcome& outcome) {
  for (std::size_t node = 0; node < scene.nodes; ++node) {
    std::map<ItemId, Instant> arrived;
    for (const ItemEvent& event : network.node(node).item_events())
      if (event.what.change == ItemChange::kArrived) arrived.emplace(event.what.item, event.at);
    for (const Envelope& envelope : envelopes) {
      for (const MessagePtr& item : envelope.items) {
        if (envelope.origin == node) continue;
        ++outcome.expected;
        const auto found = arrived.find(test::item_id_of(*item));
        if (found != arrived.end()) {
          ++outcome.delivered;
          outcome.times.push_back(found->second - envelope.sent);
        } else if (outcome.lost.size() < 10) {
          outcome.lost.push_back("item of node " + std::to_string(envelope.origin) + " to node " +
                                 std::to_string(node));
        }
      }
    }
    outcome.searches_max =
        std::max(outcome.searches_max, network.node(node).overlay().status(network.now()).items_wanted);
    outcome.asked += network.node(node).overlay().metrics().fetch.asked;
    for (const auto type : {MessageType::kGeneralizedTxSet, MessageType::kScpQuorumset})
      outcome.transferred += network.links().read(node)[type].messages;
  }
  std::sort(outcome.times.begin(), outcome.times.end());
}

}  // namespace

Duration FetchOutcome::percentile(double percent) const {
  OVERLAYD_CHECK(!times.empty());
  const double rank = std::ceil(percent / 100 * static_cast<double>(times.size()));
  return times[std::max<std::size_t>(1, static_cast<std::size_t>(rank)) - 1];
}

FetchOutcome play(const FetchScene& scene) {
  SimNetwork network({.seed = scene.seed, .link = scene.link, .is_closed = true});
  const auto dialled = static_cast<std::uint32_t>(scene.degree / 2);
  const auto hostile = static_cast<std::uint32_t>(scene.hostile);
  for (std::size_t i = 0; i < scene.nodes; ++i)
    network.add_node({.target_outbound = dialled, .max_inbound = dialled + hostile});
  network.connect_randomly(scene.degree);
  network.run_for(seconds(2));
  for (std::size_t i = 0; i < scene.hostile; ++i) {
    const std::size_t peer = network.add_participant([&](const LocalNode& local) {
      return std::make_unique<ScriptedPeer>(local, make_hostile(i, scene.is_naming_fakes));
    });
    for (std::size_t node = 0; node < scene.nodes; ++node) network.connect(peer, node);
  }
  LedgerView view;
  view.sequence = kSlot - 1;
  view.quorum.insert(test::make_node(kFaker));
  for (std::size_t i = 0; i < 2 * scene.envelopes; ++i) view.quorum.insert(test::make_node(i));
  for (std::size_t i = 0; i < scene.nodes; ++i) network.give(i, LedgerUpdated{view, {}, {}});
  network.run_for(seconds(1));
  Random random(scene.seed);
  std::vector<Envelope> envelopes;
  for (std::size_t i = 0; i < scene.envelopes; ++i)
    envelopes.push_back(make_envelope(network, i, random.below(scene.nodes)));
  for (Envelope& envelope : envelopes)
    network.at(network.now() + Duration(random.below(static_cast<std::uint64_t>(scene.spread.count()))),
               [&] { send(network, scene, envelope); });
  network.run_for(scene.length);
  network.check_invariants();
  FetchOutcome outcome;
  collect(network, scene, envelopes, outcome);
  return outcome;
}

}  // namespace overlayd::sim
