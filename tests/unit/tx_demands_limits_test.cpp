// The limits of TxDemands: whom they hit, and that nothing honest is lost by them.
#include "core/flood/tx_demands.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "tests/unit/tx_demands_fixture.h"

namespace overlayd::flood {
namespace {

TEST_CASE("a node charged with its limit is refused, counted, and its hash waits for the next round", "[tx_demands]") {
  Demands t({.demands_per_node_max = 3});
  t.add_peers(2);
  REQUIRE(t.advert(1, hashes(1, 2), 0).size() == 2);
  REQUIRE(t.advert(1, hashes(3, 1), 0).size() == 1);
  REQUIRE(t.advert(1, hashes(4, 1), 0).empty());
  REQUIRE(t.metrics.demands_refused == 1);
  REQUIRE(t.demands.size() == 3);
  REQUIRE(t.adverts.incoming_size(PeerId{1}) == 1);
  REQUIRE(t.advert(2, hashes(1, 3), 500).size() == 3);  // a retry needs no new record, and is not charged
  REQUIRE(t.demands.charged_size(node(2)) == 0);
  t.demands.on_transaction(hash(2), node(2), at(510));
  REQUIRE(t.demands.charged_size(node(1)) == 2);
  REQUIRE(t.demands.next_deadline() <= at(700));
  const DemandBatches asked = t.advance(700);
  REQUIRE(asked.size() == 1);
  REQUIRE(asked[0].hashes == hashes(4, 1));
  REQUIRE(t.adverts.incoming_size(PeerId{1}) == 0);
}

TEST_CASE("a node charged with its limit gives up its oldest demand once that is 2 s old", "[tx_demands]") {
  Demands t({.demands_per_node_max = 3});
  t.add_peers(2);
  REQUIRE(t.advert(1, hashes(1, 1), 0).size() == 1);
  REQUIRE(t.advert(1, hashes(2, 2), 1000).size() == 2);
  REQUIRE(t.advert(1, hashes(4, 1), 1999).empty());
  REQUIRE(t.metrics.demands_abandoned == 0);
  REQUIRE(t.advert(1, hashes(5, 1), 2000) == hashes(5, 1));
  REQUIRE(t.metrics.demands_abandoned == 1);
  REQUIRE(t.demands.charged_size(node(1)) == 3);
  REQUIRE(t.advert(1, hashes(6, 1), 2000).empty());          // the next oldest is of 1,000 ms
  REQUIRE(t.advert(2, hashes(1, 1), 2001) == hashes(1, 1));  // the first is as if never asked for
}

TEST_CASE("what a period allows beyond one message goes in several, unless periods are fixed", "[tx_demands]") {
  LedgerView view;
  view.max_tx_set_ops = 31'150;
  view.soroban_ledger_tx_count = 0;  // 2 × 31,150 × 200 ms / 5 s = 2,492
  Demands t({.demands_per_node_max = 10'000});
  t.demands.on_ledger(view);
  t.adverts.on_ledger(view);
  REQUIRE(t.demands.max_demand_size() == 1000);
  t.add_peers(1);
  t.demands.on_advert(PeerId{1}, hashes(0, 3000), 1, at(0), t.out);
  REQUIRE(t.out.size() == 3);
  REQUIRE(t.out[0].hashes == hashes(0, 1000));
  REQUIRE(t.out[1].hashes == hashes(1000, 1000));
  REQUIRE(t.out[2].hashes == hashes(2000, 492));
  const DemandBatches rest = t.advance(200);
  REQUIRE(rest.size() == 1);
  REQUIRE(rest[0].hashes == hashes(2492, 508));

  Demands fixed({.immediate = false, .demands_per_node_max = 10'000});
  fixed.demands.on_ledger(view);
  fixed.adverts.on_ledger(view);
  fixed.add_peers(1);
  fixed.demands.on_advert(PeerId{1}, hashes(0, 3000), 1, at(0), fixed.out);
  REQUIRE(fixed.out.empty());
  for (int beat = 0; beat < 3; ++beat) {
    const DemandBatches batches = fixed.advance(200 * beat);
    REQUIRE(batches.size() == 1);
    REQUIRE(batches[0].hashes.size() == 1000);
  }
}

TEST_CASE("a full table makes room at the cost of the node charged with most", "[tx_demands]") {
  Demands t({.demands_max = 5});
  t.add_peers(4);
  t.advert(1, hashes(1, 3), 0);
  REQUIRE(t.advert(2, hashes(11, 2), 1).size() == 2);
  REQUIRE(t.advert(3, hashes(21, 1), 2) == hashes(21, 1));
  REQUIRE(t.demands.charged_size(node(1)) == 2);
  REQUIRE(t.metrics.demands_abandoned == 1);
  REQUIRE(t.advert(4, hashes(1, 3), 3) ==
          hashes(1, 1));                          // the oldest is the one that went: 2 and 3 are still waited for
  REQUIRE(t.demands.charged_size(node(2)) == 1);  // of equals the highest node id
  REQUIRE(t.demands.size() == 5);
  REQUIRE(t.metrics.demands_refused == 0);
}

TEST_CASE("a node that is itself charged with most takes no place of others", "[tx_demands]") {
  Demands t({.demands_max = 4});
  t.add_peers(2);
  t.advert(1, hashes(1, 2), 0);
  t.advert(2, hashes(11, 2), 0);
  REQUIRE(t.advert(1, hashes(3, 1), 1).empty());
  REQUIRE(t.metrics.demands_refused == 1);
  REQUIRE(t.metrics.demands_abandoned == 0);
  REQUIRE(t.adverts.incoming_size(PeerId{1}) == 1);
  REQUIRE(t.advance(60'000).size() == 1);  // when the others have gone
}

TEST_CASE("eight peers that name transactions nobody has do not keep an honest one's from being demanded",
          "[tx_demands]") {
  Demands t;
  t.add_peers(9);
  LedgerView view;
  view.max_tx_set_ops = 100'000;
  t.demands.on_ledger(view);
  t.adverts.on_ledger(view);
  const PeerId honest{9};
  std::uint32_t next = 1'000'000;
  for (std::uint32_t beat = 0; beat < 325; ++beat) {  // 65 s: past the end of the first records
    const Instant now = at(200 * static_cast<std::int64_t>(beat));
    for (std::uint64_t peer = 1; peer <= 8 && beat < 50; ++peer) {
      t.out.clear();
      t.demands.on_advert(PeerId{peer}, hashes(next, 1000), 1, now, t.out);
      next += 1000;
    }
    t.out.clear();
    t.demands.on_advert(honest, hashes(beat, 1), 1, now, t.out);
    REQUIRE(t.out.size() == 1);
    REQUIRE(t.out[0].hashes == hashes(beat, 1));
    t.demands.on_transaction(hash(beat), node(9), now + milliseconds(50));
    t.out.clear();
    if (beat % 25 == 0) t.demands.advance(now, t.out);
  }
  REQUIRE(t.metrics.demands_refused > 0);
  REQUIRE(t.demands.size() <= 8 * limits::kDemandsPerNodeMax);
  t.demands.check_invariants();
}

TEST_CASE("strangers under ever new node ids do not keep an honest node's transactions from being demanded",
          "[tx_demands]") {
  Demands t({.demands_max = 100, .demands_per_node_max = 10});
  for (std::uint64_t stranger = 2; stranger <= 200; ++stranger) {
    const PeerId id{stranger};
    t.demands.on_peer(id, node(stranger));
    t.advert(stranger, hashes(1000 * static_cast<std::uint32_t>(stranger), 15), static_cast<std::int64_t>(stranger));
    t.demands.on_peer_gone(id);
  }
  REQUIRE(t.demands.size() == 100);
  t.add_peers(1);
  REQUIRE(t.advert(1, hashes(1, 1), 300).size() == 1);
}

TEST_CASE("six hundred thousand fulfilled demands in a minute do not fill the table", "[tx_demands]") {
  Demands t;
  t.add_peers(2);
  LedgerView view;
  view.max_tx_set_ops = 100'000;
  t.demands.on_ledger(view);
  t.adverts.on_ledger(view);
  REQUIRE(t.demands.max_demand_size() == 1000);
  for (std::uint32_t i = 0; i < 600; ++i) {
    const Instant now = at(100 * static_cast<std::int64_t>(i));
    const std::uint64_t peer = 1 + i % 2;
    const auto named = hashes(1000 * i, 1000);
    t.out.clear();
    t.demands.on_advert(PeerId{peer}, named, 1, now, t.out);
    REQUIRE(t.out.size() == 1);
    REQUIRE(t.out[0].hashes.size() == 1000);
    for (const TxFullHash& h : named) t.demands.on_transaction(h, node(peer), now + milliseconds(50));
  }
  REQUIRE(t.metrics.demands_refused == 0);
  REQUIRE(t.metrics.demands_abandoned == 0);
  REQUIRE(t.demands.size() == 0);
  REQUIRE(t.demands.fulfilled_size() == limits::kDemandsFulfilledMax);
  t.demands.check_invariants();
}

TEST_CASE("a hash that came and was not kept is asked of another node after its step, never of the same",
          "[tx_demands]") {
  Demands t;
  t.add_peers(2);
  t.advert(1, hashes(1, 1), 0);
  t.demands.on_transaction(hash(1), node(1), at(100));
  REQUIRE(t.demands.size() == 0);
  REQUIRE(t.advert(1, hashes(1, 1), 200).empty());
  REQUIRE(t.advert(2, hashes(1, 1), 499).empty());
  REQUIRE(t.advance(500).size() == 1);
  REQUIRE(t.demands.size() == 0);
}

TEST_CASE("past its limit the record fulfilled first goes", "[tx_demands]") {
  Demands t({.fulfilled_max = 2});
  t.add_peers(1);
  t.advert(1, hashes(1, 3), 0);
  for (const std::uint32_t number : {2, 1}) t.demands.on_transaction(hash(number), node(1), at(10));
  REQUIRE(t.advert(1, hashes(1, 3), 20).empty());
  t.demands.on_transaction(hash(3), node(1), at(30));
  REQUIRE(t.demands.fulfilled_size() == 2);
  REQUIRE(t.advert(1, hashes(1, 3), 40) == hashes(2, 1));
}

TEST_CASE("a fulfilled record is over after its 60 s though one that is not came before it", "[tx_demands]") {
  Demands t;
  t.add_peers(1);
  t.advert(1, hashes(1, 1), 0);
  t.advert(1, hashes(2, 1), 1000);
  t.demands.on_transaction(hash(2), node(1), at(1500));
  t.demands.on_transaction(hash(1), node(1), at(2000));
  REQUIRE(t.demands.next_deadline() == at(61'000));
  REQUIRE(t.advert(1, hashes(1, 1), 60'000) == hashes(1, 1));
  REQUIRE(t.demands.fulfilled_size() == 1);
  t.advance(61'000);
  REQUIRE(t.demands.fulfilled_size() == 0);
}

// Few places, half of the nodes silent. Whatever is named is demanded in the end: refused is not lost.
void run_tight_model(std::uint64_t seed) {
  CAPTURE(seed);
  Random random(seed);
  const TxDemandsOptions options{.demands_max = 12, .demands_per_node_max = 4, .fulfilled_max = 6};
  Demands t(options, seed + 1000);
  const std::uint64_t peers = 6;
  t.add_peers(peers);
  std::set<TxFullHash> named;
  std::set<TxFullHash> demanded;
  Instant now = at(0);
  const auto take_demands = [&] {
    for (const DemandBatch& batch : t.out) {
      for (const TxFullHash& h : batch.hashes) {
        REQUIRE_FALSE(t.known.contains(h));
        demanded.insert(h);
        if (batch.peer.value <= peers / 2) continue;  // silent
        t.known.insert(h);
        t.demands.on_transaction(h, node(batch.peer.value), now);
      }
    }
    t.out.clear();
    t.demands.check_invariants();
    REQUIRE(t.demands.size() <= options.demands_max);
    for (std::uint64_t peer = 1; peer <= peers; ++peer) {
      REQUIRE(t.demands.charged_size(node(peer)) <= options.demands_per_node_max);
    }
  };
  for (int step = 0; step < 400; ++step) {
    now = now + milliseconds(static_cast<std::int64_t>(random.below(100)));
    t.demands.advance(now, t.out);
    take_demands();
    const auto some = hashes(static_cast<std::uint32_t>(random.below(400)), 3);
    named.insert(some.begin(), some.end());
    t.demands.on_advert(PeerId{random.between(1, peers)}, some, 1, now, t.out);
    take_demands();
  }
  REQUIRE(t.metrics.demands_refused > 0);
  REQUIRE(t.metrics.adverts_trimmed == 0);
  for (int rounds = 0; !t.demands.next_deadline().is_never(); ++rounds) {
    REQUIRE(rounds < 100'000);
    now = std::max(now, t.demands.next_deadline());
    t.demands.advance(now, t.out);
    take_demands();
  }
  REQUIRE(std::includes(demanded.begin(), demanded.end(), named.begin(), named.end()));
}

TEST_CASE("under tight limits nothing that was named is lost", "[tx_demands]") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) run_tight_model(seed);
}

}  // namespace
}  // namespace overlayd::flood
