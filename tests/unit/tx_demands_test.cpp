#include "core/flood/tx_demands.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "tests/unit/tx_demands_fixture.h"

namespace overlayd::flood {
namespace {

TEST_CASE("a hash that is known or banned is not demanded", "[tx_demands]") {
  Demands t;
  t.add_peers(1);
  t.known.insert(hash(1));
  REQUIRE(t.advert(1, hashes(1, 2), 0) == hashes(2, 1));
  REQUIRE(t.demands.size() == 1);
}

TEST_CASE("a hash first heard of is demanded at once, one batch an advert", "[tx_demands]") {
  Demands t;
  t.add_peers(1);
  REQUIRE(t.advert(1, hashes(1, 3), 5) == hashes(1, 3));
  REQUIRE(t.metrics.demands_sent == 3);
  REQUIRE(t.metrics.demand_retries == 0);
  REQUIRE(t.adverts.has_seen(PeerId{1}, hash(1)));
}

TEST_CASE("a node is not asked twice over one link", "[tx_demands]") {
  Demands t;
  t.add_peers(1);
  t.advert(1, hashes(1, 1), 0);
  REQUIRE(t.advert(1, hashes(1, 1), 10'000).empty());
  REQUIRE(t.adverts.incoming_size(PeerId{1}) == 0);
}

TEST_CASE("a node whose link went before it answered is asked once over the next, in its turn", "[tx_demands]") {
  Demands t;
  t.add_peers(1);
  t.advert(1, hashes(1, 1), 0);
  t.demands.on_peer_gone(PeerId{1});
  t.demands.on_peer(PeerId{9}, node(1));
  REQUIRE(t.advert(9, hashes(1, 1), 499).empty());
  REQUIRE(t.advert(9, hashes(1, 1), 500) == hashes(1, 1));
  REQUIRE(t.metrics.demand_retries == 1);
  REQUIRE(t.advert(9, hashes(1, 1), 10'000).empty());
}

TEST_CASE("a node that reconnects is not asked for what has come, whoever sent it", "[tx_demands]") {
  Demands t;
  t.add_peers(1);
  t.advert(1, hashes(1, 1), 0);
  t.demands.on_transaction(hash(1), node(2), at(10));
  t.demands.on_peer_gone(PeerId{1});
  t.demands.on_peer(PeerId{9}, node(1));
  REQUIRE(t.advert(9, hashes(1, 1), 10'000).empty());
}

TEST_CASE("reconnecting buys fifteen turns at most", "[tx_demands]") {
  Demands t;
  std::size_t asked = 0;
  for (std::uint64_t link = 1; link <= 20; ++link) {
    t.demands.on_peer(PeerId{link}, node(1));
    asked += t.advert(link, hashes(1, 1), static_cast<std::int64_t>(2000 * link)).size();
    t.demands.on_peer_gone(PeerId{link});
  }
  REQUIRE(asked == 15);
}

TEST_CASE("the next node is asked after 500 ms a node asked, at most 2 s", "[tx_demands]") {
  Demands t;
  t.add_peers(7);
  t.advert(1, hashes(1, 1), 0);
  std::int64_t last = 0;
  std::uint64_t peer = 2;
  for (const std::int64_t step : {500, 1000, 1500, 2000, 2000, 2000}) {
    REQUIRE(t.advert(peer, hashes(1, 1), last + step - 1).empty());
    REQUIRE(t.adverts.incoming_size(PeerId{peer}) == 1);
    REQUIRE(t.demands.next_deadline() == at(last + step));
    const DemandBatches asked = t.advance(last + step);
    REQUIRE(asked.size() == 1);
    REQUIRE(asked[0].peer == PeerId{peer});
    last += step;
    ++peer;
  }
  REQUIRE(t.metrics.demands_sent == 7);
  REQUIRE(t.metrics.demand_retries == 6);
}

TEST_CASE("a silent peer costs exactly one step when nothing else is going on", "[tx_demands]") {
  Demands t;
  t.add_peers(2);
  t.advert(1, hashes(1, 1), 1000);
  REQUIRE(t.advert(2, hashes(1, 1), 1010).empty());
  REQUIRE(t.demands.next_deadline() == at(1500));
  REQUIRE(t.advance(1499).empty());
  const DemandBatches asked = t.advance(1500);
  REQUIRE(asked.size() == 1);
  REQUIRE(asked[0].peer == PeerId{2});
  REQUIRE(t.demands.next_deadline() == at(61'000));
}

TEST_CASE("fifteen nodes are asked for a hash and no more", "[tx_demands]") {
  Demands t;
  t.add_peers(16);
  for (std::uint64_t peer = 1; peer <= 14; ++peer) {
    REQUIRE(t.advert(peer, hashes(1, 1), static_cast<std::int64_t>(peer) * 2000).size() == 1);
  }
  REQUIRE(t.advert(15, hashes(1, 1), 30'000).size() == 1);
  REQUIRE(t.advert(16, hashes(1, 1), 32'000).empty());
  REQUIRE(t.adverts.incoming_size(PeerId{16}) == 0);
}

TEST_CASE("a record goes 60 s after the first demand, and the hash counts afresh", "[tx_demands]") {
  Demands t;
  t.add_peers(1);
  t.advert(1, hashes(1, 2), 0);
  t.demands.on_transaction(hash(2), node(1), at(20));
  REQUIRE(t.demands.next_deadline() == at(60'000));
  t.advance(59'999);
  REQUIRE(t.demands.size() == 1);
  REQUIRE(t.demands.fulfilled_size() == 1);
  t.advance(60'000);
  REQUIRE(t.demands.size() == 0);
  REQUIRE(t.demands.fulfilled_size() == 0);
  REQUIRE(t.metrics.demands_abandoned == 1);  // hash 2 came
  REQUIRE(t.demands.next_deadline().is_never());
  REQUIRE(t.advert(1, hashes(1, 1), 60'001) == hashes(1, 1));
}

TEST_CASE("the time a transaction took is told for the first copy and for each node asked", "[tx_demands]") {
  Demands t;
  t.add_peers(2);
  t.advert(1, hashes(1, 1), 0);
  REQUIRE(t.advert(2, hashes(1, 1), 600).size() == 1);
  PullLatency latency = t.demands.on_transaction(hash(1), node(2), at(700));
  REQUIRE(latency.since_first_demand == Duration(milliseconds(700)));
  REQUIRE(latency.of_this_node == Duration(milliseconds(100)));
  latency = t.demands.on_transaction(hash(1), node(1), at(800));
  REQUIRE_FALSE(latency.since_first_demand.has_value());
  REQUIRE(latency.of_this_node == Duration(milliseconds(800)));
  REQUIRE_FALSE(t.demands.on_transaction(hash(5), node(1), at(800)).of_this_node.has_value());
}

TEST_CASE("what comes once its record is over answers no demand, told or not", "[tx_demands]") {
  Demands t;
  t.add_peers(1);
  REQUIRE(t.advert(1, hashes(1, 1), 1000).size() == 1);
  const PullLatency latency = t.demands.on_transaction(hash(1), node(1), at(61'000));
  CHECK_FALSE(latency.since_first_demand);
  CHECK_FALSE(latency.of_this_node);
  CHECK(t.demands.size() == 0);
  CHECK(t.metrics.demands_abandoned == 1);
}

TEST_CASE("a round shares hashes out among the peers that named them", "[tx_demands]") {
  Demands t({.immediate = false});
  t.add_peers(4);
  for (std::uint64_t peer = 1; peer <= 4; ++peer) REQUIRE(t.advert(peer, hashes(1, 40), 1).empty());
  REQUIRE(t.demands.next_deadline() == at(200));
  const DemandBatches asked = t.advance(200);
  REQUIRE(asked.size() == 4);
  for (const DemandBatch& batch : asked) REQUIRE(batch.hashes.size() == 10);
}

TEST_CASE("the order of the peers in a round follows the seed", "[tx_demands]") {
  std::set<std::uint64_t> first;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Demands t({.immediate = false}, seed);
    t.add_peers(4);
    for (std::uint64_t peer = 1; peer <= 4; ++peer) t.advert(peer, hashes(1, 1), 1);
    const DemandBatches asked = t.advance(200);
    REQUIRE(asked.size() == 1);
    first.insert(asked[0].peer.value);
  }
  REQUIRE(first.size() == 4);
}

TEST_CASE("a peer is asked for at most max_demand_size hashes in a period", "[tx_demands]") {
  Demands t;
  t.add_peers(1);
  LedgerView view;
  view.protocol_version = 19;
  view.max_tx_set_ops = 250;  // 2 × 250 × 200 ms ÷ 5 s
  t.demands.on_ledger(view);
  REQUIRE(t.demands.max_demand_size() == 20);
  REQUIRE(t.advert(1, hashes(1, 19), 1000).size() == 19);
  REQUIRE(t.advert(1, hashes(20, 1), 1001).size() == 1);
  REQUIRE(t.advert(1, hashes(21, 25), 1002).empty());
  REQUIRE(t.demands.next_deadline() == at(1200));
  REQUIRE(t.advert(1, hashes(46, 1), 1003).empty());  // behind those that wait
  DemandBatches asked = t.advance(1200);
  REQUIRE(asked.size() == 1);
  REQUIRE(asked[0].hashes == hashes(21, 20));
  asked = t.advance(1400);
  REQUIRE(asked.size() == 1);
  REQUIRE(asked[0].hashes == hashes(41, 6));
}

TEST_CASE("without immediate, rounds keep a beat of 200 ms and nothing runs while nothing waits", "[tx_demands]") {
  Demands t({.immediate = false});
  t.add_peers(2);
  REQUIRE(t.demands.next_deadline().is_never());
  REQUIRE(t.advert(1, hashes(1, 1), 250).empty());
  REQUIRE(t.demands.next_deadline() == at(400));
  REQUIRE(t.advance(400).size() == 1);
  REQUIRE(t.advert(2, hashes(1, 1), 410).empty());
  for (const std::int64_t beat : {600, 800}) {
    REQUIRE(t.demands.next_deadline() == at(beat));
    REQUIRE(t.advance(beat).empty());
  }
  REQUIRE(t.advance(1000).size() == 1);
  REQUIRE(t.demands.next_deadline() == at(60'400));
}

TEST_CASE("an advert that comes before a due round is run does not put it off", "[tx_demands]") {
  Demands t({.immediate = false});
  t.add_peers(1);
  REQUIRE(t.advert(1, hashes(1, 1), 250).empty());
  REQUIRE(t.advert(1, hashes(2, 1), 401).empty());
  REQUIRE(t.demands.next_deadline() == at(400));
  const DemandBatches asked = t.advance(401);
  REQUIRE(asked.size() == 1);
  REQUIRE(asked[0].hashes == hashes(1, 2));
}

TEST_CASE("while demanding is off adverts wait, and turning it on asks for them", "[tx_demands]") {
  Demands t({.is_demanding = false});
  t.add_peers(1);
  REQUIRE(t.advert(1, hashes(1, 2), 10).empty());
  REQUIRE(t.advance(5000).empty());
  REQUIRE(t.demands.next_deadline().is_never());
  t.demands.set_demanding(true);
  REQUIRE(t.demands.next_deadline() <= at(5000));
  const DemandBatches asked = t.advance(5000);
  REQUIRE(asked.size() == 1);
  REQUIRE(asked[0].hashes == hashes(1, 2));
}

TEST_CASE("peers that are gone leave nothing but the records, which end by themselves", "[tx_demands]") {
  Demands t;
  t.add_peers(2);
  t.advert(1, hashes(1, 1), 0);
  t.advert(2, hashes(1, 1), 0);
  t.demands.on_peer_gone(PeerId{1});
  t.demands.on_peer_gone(PeerId{2});
  REQUIRE(t.demands.peer_count() == 0);
  REQUIRE(t.adverts.size() == 0);
  REQUIRE(t.demands.next_deadline() == at(60'000));
  REQUIRE(t.advert(2, hashes(5, 1), 10).empty());
  t.advance(60'000);
  REQUIRE(t.demands.size() == 0);
  REQUIRE(t.demands.next_deadline().is_never());
}

// Judges every demand by the rules, from nothing but what was advertised and demanded before.
struct Judge {
  struct Record {
    Instant first, last;
    std::set<std::uint64_t> asked;
  };
  std::map<TxFullHash, Record> records;
  std::set<std::pair<std::uint64_t, TxFullHash>> advertised;

  void check(const DemandBatch& batch, Instant now, const std::set<TxFullHash>& known, std::size_t size_max) {
    std::erase_if(records, [&](const auto& entry) { return now - entry.second.first >= seconds(60); });
    REQUIRE_FALSE(batch.hashes.empty());
    REQUIRE(batch.hashes.size() <= size_max);
    for (const TxFullHash& h : batch.hashes) {
      REQUIRE(advertised.contains({batch.peer.value, h}));
      REQUIRE_FALSE(known.contains(h));
      const auto [found, is_new] = records.try_emplace(h, Record{now, now, {}});
      Record& record = found->second;
      if (!is_new) {
        REQUIRE(record.asked.size() < 15);
        const auto steps = static_cast<std::int64_t>(record.asked.size());
        REQUIRE(now - record.last >= std::min<Duration>(milliseconds(500) * steps, seconds(2)));
      }
      REQUIRE(record.asked.insert(batch.peer.value).second);
      record.last = now;
    }
  }
};

void run_model(std::uint64_t seed, bool is_immediate) {
  CAPTURE(seed, is_immediate);
  Random random(seed);
  Demands t({.immediate = is_immediate}, seed + 1000);
  Judge judge;
  const std::uint64_t peers = 18;
  t.add_peers(peers);
  Instant now = at(0);
  const auto step_to = [&](Instant then) {
    now = then;
    t.out.clear();
    t.demands.advance(now, t.out);
    for (const DemandBatch& batch : t.out) judge.check(batch, now, t.known, t.demands.max_demand_size());
    t.demands.check_invariants();
  };
  for (int step = 0; step < 1500; ++step) {
    if (random.below(3) == 0 && !t.demands.next_deadline().is_never()) {
      step_to(std::max(now, t.demands.next_deadline()));
    } else {
      step_to(now + milliseconds(static_cast<std::int64_t>(random.below(120))));
    }
    const std::uint64_t peer = random.between(1, peers);
    const auto first = static_cast<std::uint32_t>(random.below(60));
    switch (random.below(8)) {
      case 0: t.known.insert(hash(first)); break;
      case 1: t.demands.on_transaction(hash(first), node(peer), now); break;
      case 2: t.known.erase(hash(first)); break;
      default: {
        const auto named = hashes(first, static_cast<std::uint32_t>(random.between(1, 8)));
        for (const TxFullHash& h : named) judge.advertised.emplace(peer, h);
        t.out.clear();
        t.demands.on_advert(PeerId{peer}, named, 1, now, t.out);
        if (!is_immediate) REQUIRE(t.out.empty());
        for (const DemandBatch& batch : t.out) judge.check(batch, now, t.known, t.demands.max_demand_size());
        t.demands.check_invariants();
      }
    }
  }
  // Liveness: a hash that all name and nobody delivers is asked of 15 nodes within its minute.
  step_to(now + seconds(120));
  const TxFullHash wanted = hash(1'000'000);
  for (std::uint64_t peer = 1; peer <= peers; ++peer) {
    judge.advertised.emplace(peer, wanted);
    t.out.clear();
    t.demands.on_advert(PeerId{peer}, std::vector{wanted}, 1, now, t.out);
    for (const DemandBatch& batch : t.out) judge.check(batch, now, t.known, t.demands.max_demand_size());
  }
  const Instant end = now + seconds(59);
  while (t.demands.next_deadline() <= end) step_to(t.demands.next_deadline());
  REQUIRE(judge.records.at(wanted).asked.size() == 15);
  for (std::uint64_t peer = 1; peer <= peers; ++peer) REQUIRE(t.adverts.incoming_size(PeerId{peer}) == 0);
  for (std::uint64_t peer = 1; peer <= peers; ++peer) t.demands.on_peer_gone(PeerId{peer});
  step_to(now + seconds(60));
  REQUIRE(t.demands.size() == 0);
  REQUIRE(t.demands.fulfilled_size() == 0);
  REQUIRE(t.demands.next_deadline().is_never());
}

TEST_CASE("every demand of a random run keeps the rules, and nothing is left waiting", "[tx_demands]") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    run_model(seed, true);
    run_model(seed, false);
  }
}

}  // namespace
}  // namespace overlayd::flood
