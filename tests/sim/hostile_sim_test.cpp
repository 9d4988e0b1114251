// Peers that break the rules, or keep them and mean harm. Each is bounded in what it can make us hold, is handled as
// the protocol says, and costs the honest nodes nothing: the same traffic spreads as fast as without it.
#include <catch2/catch.hpp>
#include <limits>

#include "core/wire/values.h"
#include "tests/sim/hostile_scene.h"
#include "tests/sim/seeds.h"
#include "tests/support/messages.h"

using namespace overlayd;
using namespace overlayd::sim;

namespace {

constexpr Load kShortScp{.count = 20, .per_second = 5};
constexpr std::uint32_t kHuge = std::numeric_limits<std::uint32_t>::max();

// Everything arrived in both runs, and with the hostile peer neither later nor more often than without.
void check_harmless(const Outcome& with, const Outcome& without) {
  for (const Outcome* outcome : {&with, &without}) {
    for (const std::string& lost : outcome->transactions.lost) UNSCOPED_INFO("transaction lost: " << lost);
    CHECK(outcome->transactions.delivered == outcome->transactions.expected);
    CHECK(outcome->transactions.repeated == 0);
    for (const std::string& lost : outcome->scp.lost) UNSCOPED_INFO("SCP message lost: " << lost);
    CHECK(outcome->scp.delivered == outcome->scp.expected);
    CHECK(outcome->scp.repeated == 0);
  }
  CHECK(with.transactions.expected == without.transactions.expected);
  for (const double percent : {50.0, 99.0}) {
    CHECK(with.transactions.percentile(percent) <= without.transactions.percentile(percent) * 102 / 100);
    CHECK(with.scp.percentile(percent) <= without.scp.percentile(percent) * 102 / 100);
  }
  CHECK(with.duplicates <= without.duplicates);
}

void check_drops(const Outcome& outcome, DropReason reason, Duration after, Duration within) {
  for (const HostileDrop& drop : outcome.drops) {
    CHECK(drop.reason == reason);
    CHECK(drop.connected >= after);
    CHECK(drop.connected <= within);
  }
}

Scene two_victims(std::uint64_t seed) {
  return {.seed = seed,
          .transactions = {.count = 400, .per_second = 100},
          .scp = kShortScp,
          .length = seconds(6),
          .victims = 2};
}

// Hashes of transactions that do not exist.
std::vector<TxFullHash> unknown_hashes(std::uint64_t& next) {
  std::vector<TxFullHash> hashes(limits::kAdvertMax);
  for (TxFullHash& hash : hashes) hash = test::make_full_hash(next++);
  return hashes;
}

}  // namespace

TEST_CASE("a peer that stalls after the handshake goes by its idle timer", "[sim]") {
  SIM_SEEDS(seed);
  // More than a queue of adverts holds until the timer ends it.
  const Scene scene{.seed = seed, .transactions = {.count = 1'400, .per_second = 40}, .length = seconds(40)};
  const Script stalled{
      .is_granting = false, .is_giving_back = false, .is_answering = false, .is_reading = false, .is_redialling = true};
  const Outcome with = play(scene, stalled);
  REQUIRE(with.drops.size() == scene.victims);
  check_drops(with, DropReason::kIdle, limits::kIdleTimeout, limits::kIdleTimeout + limits::kRecurrentPeriod);
  CHECK(with.queued_max <= 1'000 + scene.scp.count);
  CHECK(with.metrics[0].flow_control.of(FloodQueue::kAdvert).dropped > 0);
  check_harmless(with, play(scene, std::nullopt));
}

TEST_CASE("a peer that grants no credit, or too little to send anything, goes after a minute", "[sim]") {
  SIM_SEEDS(seed);
  const bool is_dripping = GENERATE(false, true);
  CAPTURE(is_dripping);
  const Scene scene{.seed = seed, .transactions = {.count = 1'300, .per_second = 20}, .length = seconds(70)};
  Script miser{.is_granting = false, .is_giving_back = false, .is_redialling = true, .period = seconds(5)};
  if (is_dripping)
    miser.on_period = [](ScriptedLink& link) {
      link.send(wire::write_send_more_extended({.messages = 1, .bytes = 1}));
    };
  const Outcome with = play(scene, miser);
  REQUIRE(with.drops.size() == scene.victims);
  check_drops(with, DropReason::kNoCredit, limits::kNoCreditTimeout,
              limits::kNoCreditTimeout + limits::kRecurrentPeriod);
  CHECK(with.queued_max <= 1'000 + scene.scp.count);
  check_harmless(with, play(scene, std::nullopt));
}

TEST_CASE("a peer that grants credit without end gets what there is and no more", "[sim]") {
  SIM_SEEDS(seed);
  const Scene scene{.seed = seed};
  const auto grant = [](ScriptedLink& link) {
    link.send(wire::write_send_more_extended({.messages = kHuge, .bytes = kHuge}));
  };
  const Outcome with = play(scene, Script{.period = milliseconds(10), .on_ready = grant, .on_period = grant});
  CHECK(with.drops.empty());
  CHECK(with.attached == scene.victims);
  CHECK(with.queued_max == 0);
  // The sum is kept in 64 bits: it takes 2^32 such grants to overflow, which credit_test reaches by other means.
  CHECK(with.credit_max > 1'000ULL * kHuge);
  check_harmless(with, play(scene, std::nullopt));
}

TEST_CASE("a peer whose grant has no bytes goes at once", "[sim]") {
  SIM_SEEDS(seed);
  const Scene scene{
      .seed = seed, .transactions = {.count = 200, .per_second = 100}, .scp = kShortScp, .length = seconds(6)};
  const Outcome with = play(scene, Script{.is_granting = false, .on_ready = [](ScriptedLink& link) {
                                            link.send(wire::write_send_more_extended({.messages = kHuge, .bytes = 0}));
                                          }});
  CHECK(with.drops.size() == scene.victims);
  check_drops(with, DropReason::kSendMoreInvalid, Duration(0), 2 * (scene.link.latency + scene.link.jitter));
  check_harmless(with, play(scene, std::nullopt));
}

TEST_CASE("a peer that takes everything and reads nothing goes as a straggler", "[sim]") {
  SIM_SEEDS(seed);
  const Scene scene{.seed = seed,
                    .link = {.latency = milliseconds(50), .jitter = milliseconds(10), .buffer_bytes = 8'192},
                    .transactions = {.count = 1'400, .per_second = 10},
                    .length = seconds(150)};
  const Script straggler{
      .is_giving_back = false,
      .is_reading = false,
      .is_redialling = true,
      .period = seconds(5),
      .on_ready =
          [](ScriptedLink& link) { link.send(wire::write_send_more_extended({.messages = kHuge, .bytes = kHuge})); },
      // It goes on asking, or it would be idle.
      .on_period = [](ScriptedLink& link) { link.send(wire::write_get_scp_quorumset({})); }};
  const Outcome with = play(scene, straggler);
  REQUIRE(with.drops.size() == scene.victims);
  // The sockets are full a few seconds after the first transaction.
  check_drops(with, DropReason::kStraggling, limits::kStragglerTimeout, limits::kStragglerTimeout + seconds(20));
  check_harmless(with, play(scene, std::nullopt));
}

TEST_CASE("a peer that floods beyond its credit goes at once", "[sim]") {
  SIM_SEEDS(seed);
  const bool is_large = GENERATE(false, true);
  CAPTURE(is_large);
  Scene scene{.seed = seed, .transactions = {.count = 400, .per_second = 100}, .scp = kShortScp, .length = seconds(7)};
  NetworkId network;
  network.bytes.fill(7);
  // New ones over each link: what is known to be forged is not checked again, and so holds no credit.
  const std::size_t count = is_large ? 1 : 2 * limits::kFloodCapacityMessages;
  constexpr std::size_t kLinks = 60;
  for (std::uint64_t i = 0; i < kLinks * count; ++i)
    scene.forged.push_back(test::make_scp(network, {.node = test::make_node(1'000'000 + i),
                                                    .slot = 102,
                                                    .value_bytes = is_large ? 2 * limits::kFloodCapacityBytes : 0}));
  std::size_t next = 0;
  const Outcome with = play(scene, Script{.is_redialling = true, .on_ready = [&](ScriptedLink& link) {
                                            const std::size_t end = std::min(next + count, scene.forged.size());
                                            while (next < end) link.send(scene.forged[next++]);
                                          }});
  CHECK(with.drops.size() > 10 * scene.victims);
  check_drops(with, DropReason::kOverCapacity, Duration(0), 2 * scene.link.latency + 4 * scene.link.jitter);
  CHECK(with.forged == 0);
  CHECK(with.records_max <= scene.transactions.count + scene.scp.count + limits::kFloodCapacityMessages);
  check_harmless(with, play(scene, std::nullopt));
}

TEST_CASE("a peer that advertises what it never delivers is asked for no more than a ledger could hold", "[sim]") {
  SIM_SEEDS(seed);
  const Scene scene = two_victims(seed);
  std::uint64_t next = 0;
  std::uint64_t demanded = 0;
  const Script advertiser{
      .period = milliseconds(10),
      .on_period = [&](ScriptedLink& link) { link.send(wire::write_flood_advert(unknown_hashes(next))); },
      .on_message =
          [&](ScriptedLink&, const wire::Message& message) {
            if (message.type() != wire::MessageType::kFloodDemand) return;
            demanded += wire::read_tx_hashes(message.xdr())->size();
          }};
  const Outcome with = play(scene, advertiser);
  CHECK(with.drops.empty());
  CHECK(with.attached == scene.victims);
  REQUIRE(next > 500'000);
  // Two ledgers' worth spread over a ledger's time, to each victim: 2 × 1,100 in 5 s. It floods for seven at the most. And
  // it is asked for some, or this would prove nothing.
  CHECK(demanded <= scene.victims * 7 * 2 * 1'100 / 5);
  CHECK(demanded >= 1'000);
  // What is not demanded and not trimmed waits: a ledger's worth at most. (Adverts on the wire at the end were not seen.)
  std::uint64_t trimmed = 0;
  for (const OverlayMetrics& metrics : with.metrics) trimmed += metrics.tx.adverts_trimmed;
  const std::uint64_t on_the_wire = limits::kAdvertMax * 7;
  CHECK(demanded + trimmed + scene.victims * (1'000 + on_the_wire) >= next);
  check_harmless(with, play(scene, std::nullopt));
}

TEST_CASE("a peer that demands what does not exist gets nothing", "[sim]") {
  SIM_SEEDS(seed);
  const Scene scene = two_victims(seed);
  std::uint64_t next = 0;
  std::uint64_t received = 0;
  const auto demand = [&](ScriptedLink& link) {
    while (link.send_within_credit(wire::write_flood_demand(unknown_hashes(next)))) {
    }
  };
  const Script demander{.on_message = [&](ScriptedLink& link, const wire::Message& message) {
    received += message.type() == wire::MessageType::kTransaction ? 1 : 0;
    if (message.type() == wire::MessageType::kSendMoreExtended) demand(link);
  }};
  const Outcome with = play(scene, demander);
  CHECK(with.drops.empty());
  CHECK(with.attached == scene.victims);
  for (const OverlayMetrics& metrics : with.metrics) CHECK(metrics.tx.demands_unknown > 100'000);
  CHECK(received == 0);
  check_harmless(with, play(scene, std::nullopt));
}

// How much later a transaction came to one of the first `nodes` nodes with the hostile peer than without, at the worst.
Duration worst_delay(const Outcome& with, const Outcome& without, std::size_t nodes) {
  Duration worst{0};
  for (std::size_t node = 0; node < nodes; ++node)
    for (std::size_t i = 0; i < with.sent.size(); ++i)
      if (with.sent[i].origin != node) worst = std::max(worst, with.arrivals[node][i] - without.arrivals[node][i]);
  return worst;
}

const Script kSilentAdvertiser{.on_told = [](ScriptedLink& link, const MessagePtr& transaction) {
  link.send(wire::write_flood_advert(std::vector{transaction->tx_full_hash()}));
}};

TEST_CASE("a peer that advertises first and stays silent delays a transaction by one back-off on its whole way",
          "[sim]") {
  SIM_SEEDS(seed);
  // Idle, so that nothing else moves: no jitter, and each transaction is over before the next one.
  const Scene scene{.seed = seed,
                    .link = {.latency = milliseconds(50)},
                    .transactions = {.count = 20, .per_second = 0.5, .is_regular = true},
                    .length = seconds(45),
                    .victims = 10};
  const Outcome with = play(scene, kSilentAdvertiser);
  const Outcome without = play(scene, std::nullopt);
  CHECK(with.drops.empty());
  REQUIRE(with.transactions.delivered == with.transactions.expected);
  CHECK(with.duplicates == 0);
  CHECK(worst_delay(with, without, scene.nodes) == limits::kDemandBackoff);
}

TEST_CASE("under load a peer that advertises first and stays silent delays by a back-off and one period", "[sim]") {
  SIM_SEEDS(seed);
  const Scene scene{.seed = seed, .link = {.latency = milliseconds(50)}, .length = seconds(15), .victims = 1};
  const Outcome with = play(scene, kSilentAdvertiser);
  const Outcome without = play(scene, std::nullopt);
  CHECK(with.drops.empty());
  REQUIRE(with.transactions.delivered == with.transactions.expected);
  CHECK(with.duplicates == 0);
  // Whoever is asked next is asked in a round, and there is one round a period: the back-off ends on that clock. At the
  // victim alone, for behind it the batches of adverts are other ones than without.
  const Duration worst = worst_delay(with, without, scene.victims);
  CHECK(worst > limits::kDemandBackoff / 2);
  CHECK(worst <= limits::kDemandBackoff + limits::kDemandPeriod);
}
