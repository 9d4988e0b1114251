#include "core/flood/tx_adverts.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "core/random.h"

namespace overlayd::flood {
namespace {

TxFullHash hash(std::uint32_t number) {
  TxFullHash made;
  for (std::size_t i = 0; i < 4; ++i) made.bytes[i] = made.bytes[8 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  return made;
}
std::vector<TxFullHash> hashes(std::uint32_t first, std::uint32_t count) {
  std::vector<TxFullHash> made;
  for (std::uint32_t i = 0; i < count; ++i) made.push_back(hash(first + i));
  return made;
}
Instant at(std::int64_t ms) { return Instant(milliseconds(ms)); }
constexpr PeerId kA{1};
constexpr PeerId kB{2};

// 50 operations a second: adverts of at most 5 hashes.
LedgerView small_view() {
  LedgerView view;
  view.protocol_version = 19;
  view.max_tx_set_ops = 250;
  return view;
}

struct Adverts {
  TxFloodMetrics metrics;
  TxAdverts adverts;
  AdvertBatches out;
  explicit Adverts(const TxAdvertsOptions& options = {}) : adverts(options, metrics) {
    adverts.on_ledger(small_view());
    adverts.on_peer(kA);
    adverts.on_peer(kB);
  }
  std::size_t sent() { return std::exchange(out, {}).size(); }
};

TEST_CASE("a hash is not advertised to a peer that advertised it", "[tx_adverts]") {
  Adverts t;
  t.adverts.on_advert(kA, hashes(1, 1), 10);
  REQUIRE_FALSE(t.adverts.queue_outgoing(kA, hash(1), at(0), t.out));
  REQUIRE(t.adverts.queue_outgoing(kB, hash(1), at(0), t.out));
  REQUIRE(t.out.size() == 1);
  REQUIRE(t.out[0].peer == kB);
  REQUIRE(t.metrics.adverts_received == 1);
  REQUIRE(t.metrics.adverts_sent == 1);
}

TEST_CASE("the largest advert follows the ledger's limits", "[tx_adverts]") {
  Adverts t;
  LedgerView view = small_view();
  REQUIRE(t.adverts.max_advert_size() == 5);
  view.max_tx_set_ops = 251;
  t.adverts.on_ledger(view);
  REQUIRE(t.adverts.max_advert_size() == 6);
  view.max_tx_set_ops = 0;
  t.adverts.on_ledger(view);
  REQUIRE(t.adverts.max_advert_size() == 1);
  for (const std::uint32_t ops : {50'000U, 4'000'000'000U}) {
    view.max_tx_set_ops = ops;
    t.adverts.on_ledger(view);
    REQUIRE(t.adverts.max_advert_size() == 200);  // one burst
    TxAdverts fixed({.immediate = false}, t.metrics);
    fixed.on_ledger(view);
    REQUIRE(fixed.max_advert_size() == 1000);  // one message
  }
  view = LedgerView{};  // 1,000 operations and 100 Soroban transactions in 5 s
  t.adverts.on_ledger(view);
  REQUIRE(t.adverts.max_advert_size() == 22);
}

TEST_CASE("the first hash to an idle peer leaves at once, the next wait for the period", "[tx_adverts]") {
  Adverts t;
  t.adverts.queue_outgoing(kA, hash(1), at(0), t.out);
  REQUIRE(t.out.size() == 1);
  REQUIRE(t.out[0].hashes == hashes(1, 1));
  REQUIRE(t.adverts.next_deadline().is_never());
  t.out.clear();
  t.adverts.queue_outgoing(kA, hash(2), at(30), t.out);
  t.adverts.queue_outgoing(kA, hash(3), at(60), t.out);
  REQUIRE(t.out.empty());
  REQUIRE(t.adverts.next_deadline() == at(100));
  t.adverts.advance(at(99), t.out);
  REQUIRE(t.out.empty());
  t.adverts.advance(at(100), t.out);
  REQUIRE(t.out.size() == 1);
  REQUIRE(t.out[0].hashes == hashes(2, 2));
  t.out.clear();
  t.adverts.queue_outgoing(kA, hash(4), at(199), t.out);
  REQUIRE(t.out.empty());
  t.adverts.advance(at(200), t.out);
  REQUIRE(t.sent() == 1);
  t.adverts.queue_outgoing(kA, hash(5), at(300), t.out);
  REQUIRE(t.sent() == 1);
}

TEST_CASE("a full advert does not wait", "[tx_adverts]") {
  Adverts t;
  t.adverts.queue_outgoing(kA, hash(0), at(0), t.out);
  t.out.clear();
  for (std::uint32_t i = 1; i <= 4; ++i) t.adverts.queue_outgoing(kA, hash(i), at(1), t.out);
  REQUIRE(t.out.empty());
  t.adverts.queue_outgoing(kA, hash(5), at(1), t.out);
  REQUIRE(t.out.size() == 1);
  REQUIRE(t.out[0].hashes == hashes(1, 5));
  REQUIRE(t.adverts.next_deadline().is_never());
  t.adverts.check_invariants();
}

TEST_CASE("without immediate, the period counts from the first hash queued", "[tx_adverts]") {
  Adverts t({.immediate = false});
  t.adverts.queue_outgoing(kA, hash(1), at(10), t.out);
  t.adverts.queue_outgoing(kA, hash(2), at(50), t.out);
  REQUIRE(t.out.empty());
  REQUIRE(t.adverts.next_deadline() == at(110));
  t.adverts.advance(at(110), t.out);
  REQUIRE(t.out.size() == 1);
  REQUIRE(t.out[0].hashes == hashes(1, 2));
}

TEST_CASE("the history forgets ledgers below the one named", "[tx_adverts]") {
  Adverts t;
  t.adverts.on_advert(kA, hashes(1, 2), 10);
  t.adverts.on_advert(kA, hashes(2, 1), 11);  // again: the later ledger counts
  t.adverts.clear_below(11);
  REQUIRE_FALSE(t.adverts.has_seen(kA, hash(1)));
  REQUIRE(t.adverts.has_seen(kA, hash(2)));
}

TEST_CASE("retries are taken first, each queue first in first out", "[tx_adverts]") {
  Adverts t;
  t.adverts.on_advert(kA, hashes(1, 3), 10);
  REQUIRE(t.adverts.take_incoming(kA) == hash(1));
  t.adverts.retry(kA, hashes(1, 1));
  t.adverts.retry(kA, hashes(7, 1));
  REQUIRE(t.adverts.incoming_size(kA) == 4);
  REQUIRE(t.adverts.fresh_size(kA) == 2);
  for (const std::uint32_t expected : {1U, 7U, 2U, 3U}) REQUIRE(t.adverts.take_incoming(kA) == hash(expected));
  REQUIRE_FALSE(t.adverts.take_incoming(kA).has_value());
}

TEST_CASE("incoming hashes beyond the size of a transaction set are dropped, oldest first", "[tx_adverts]") {
  Adverts t;
  LedgerView view = small_view();
  view.max_tx_set_ops = 4;
  t.adverts.on_ledger(view);
  t.adverts.on_advert(kA, hashes(1, 3), 10);
  t.adverts.on_advert(kA, hashes(4, 1), 10);
  REQUIRE(t.metrics.adverts_trimmed == 0);
  t.adverts.on_advert(kA, hashes(5, 1), 10);
  REQUIRE(t.metrics.adverts_trimmed == 1);
  REQUIRE(t.adverts.incoming_size(kA) == 4);
  REQUIRE(t.adverts.take_incoming(kA) == hash(2));
  t.adverts.on_advert(kA, hashes(10, 6), 10);
  REQUIRE(t.adverts.incoming_size(kA) == 4);
  REQUIRE(t.adverts.take_incoming(kA) == hash(12));
  REQUIRE(t.adverts.has_seen(kA, hash(10)));  // dropped from the queue, not from the history
}

TEST_CASE("the history holds its limit and no more", "[tx_adverts]") {
  Adverts t({.history_max = 3});
  t.adverts.on_advert(kA, hashes(1, 2), 10);
  REQUIRE(t.adverts.history_size(kA) == 2);
  t.adverts.on_advert(kA, hashes(3, 1), 10);
  REQUIRE(t.adverts.history_size(kA) == 3);
  t.adverts.on_advert(kA, hashes(4, 1), 10);
  REQUIRE(t.adverts.history_size(kA) == 3);
  REQUIRE_FALSE(t.adverts.has_seen(kA, hash(1)));
  REQUIRE(t.adverts.has_seen(kA, hash(4)));
}

TEST_CASE("a peer that is gone leaves nothing, and calls that name it do nothing", "[tx_adverts]") {
  Adverts t;
  t.adverts.queue_outgoing(kA, hash(1), at(0), t.out);
  t.adverts.queue_outgoing(kA, hash(2), at(0), t.out);
  t.out.clear();
  t.adverts.on_peer_gone(kA);
  REQUIRE(t.adverts.next_deadline().is_never());
  t.adverts.on_advert(kA, hashes(1, 1), 10);
  t.adverts.retry(kA, hashes(1, 1));
  REQUIRE_FALSE(t.adverts.queue_outgoing(kA, hash(3), at(0), t.out));
  t.adverts.advance(at(1000), t.out);
  REQUIRE(t.out.empty());
  REQUIRE_FALSE(t.adverts.take_incoming(kA).has_value());
  t.adverts.on_peer_gone(kB);
  REQUIRE(t.adverts.size() == 0);
  t.adverts.check_invariants();
}

// The rules in the dumbest way, for one peer.
struct Model {
  bool is_immediate = true;
  std::vector<std::pair<TxFullHash, std::uint32_t>> history;
  std::vector<TxFullHash> incoming, retries, outgoing;
  std::optional<Instant> last_flush;
  Instant first_queued;

  bool has(const TxFullHash& h) const {
    return std::any_of(history.begin(), history.end(), [&](const auto& entry) { return entry.first == h; });
  }
  Instant due() const {
    if (!is_immediate) return first_queued + milliseconds(100);
    return last_flush ? std::max(first_queued, *last_flush + milliseconds(100)) : first_queued;
  }
  std::vector<TxFullHash> flush_if_due(Instant now, std::size_t size_max) {
    if (outgoing.empty() || (outgoing.size() < size_max && due() > now)) return {};
    last_flush = now;
    return std::exchange(outgoing, {});
  }
  void trim(std::size_t size_max) {
    while (incoming.size() + retries.size() > size_max) {
      auto& queue = retries.empty() ? incoming : retries;
      queue.erase(queue.begin());
    }
  }
};

void run_model(std::uint64_t seed, bool is_immediate) {
  CAPTURE(seed, is_immediate);
  Random random(seed);
  Adverts t({.immediate = is_immediate, .history_max = 20});
  LedgerView view = small_view();
  view.max_tx_set_ops = 15;
  view.close_time = milliseconds(500);  // adverts of at most 3
  t.adverts.on_ledger(view);
  Model model;
  model.is_immediate = is_immediate;
  Instant now = at(0);
  for (int step = 0; step < 2000; ++step) {
    now = now + milliseconds(static_cast<std::int64_t>(random.below(60)));
    t.adverts.advance(now, t.out);
    std::vector<TxFullHash> expected = model.flush_if_due(now, 3);
    REQUIRE((t.out.empty() ? std::vector<TxFullHash>{} : t.out[0].hashes) == expected);
    t.out.clear();
    const auto h = static_cast<std::uint32_t>(random.below(40));
    const auto ledger = static_cast<std::uint32_t>(step / 50);
    switch (random.below(5)) {
      case 0: {
        const auto count = static_cast<std::uint32_t>(random.below(20));
        t.adverts.on_advert(kA, hashes(h, count), ledger);
        for (const TxFullHash& each : hashes(h, count)) {
          if (model.has(each)) {
            const auto seen = std::find_if(model.history.begin(), model.history.end(),
                                           [&](const auto& entry) { return entry.first == each; });
            if (seen->second != ledger) {
              model.history.erase(seen);
              model.history.emplace_back(each, ledger);
            }
          } else {
            model.history.emplace_back(each, ledger);
            if (model.history.size() > 20) model.history.erase(model.history.begin());
          }
          model.incoming.push_back(each);
        }
        // Everything of one message longer than the limit replaces what waited, retries last.
        if (count > 15) model.incoming.erase(model.incoming.end() - count, model.incoming.end() - 15);
        model.trim(15);
        break;
      }
      case 1: {
        REQUIRE(t.adverts.queue_outgoing(kA, hash(h), now, t.out) == !model.has(hash(h)));
        if (!model.has(hash(h))) {
          if (model.outgoing.empty()) model.first_queued = now;
          model.outgoing.push_back(hash(h));
        }
        expected = model.flush_if_due(now, 3);
        REQUIRE((t.out.empty() ? std::vector<TxFullHash>{} : t.out[0].hashes) == expected);
        t.out.clear();
        break;
      }
      case 2:
        t.adverts.retry(kA, hashes(h, 2));
        model.retries.push_back(hash(h));
        model.retries.push_back(hash(h + 1));
        model.trim(15);
        break;
      case 3: {
        auto& queue = model.retries.empty() ? model.incoming : model.retries;
        const auto taken = t.adverts.take_incoming(kA);
        REQUIRE(taken.has_value() == !queue.empty());
        if (!taken) break;
        REQUIRE(*taken == queue.front());
        queue.erase(queue.begin());
        break;
      }
      case 4:
        t.adverts.clear_below(ledger);
        std::erase_if(model.history, [&](const auto& entry) { return entry.second < ledger; });
        break;
    }
    REQUIRE(t.adverts.history_size(kA) == model.history.size());
    REQUIRE(t.adverts.incoming_size(kA) == model.incoming.size() + model.retries.size());
    REQUIRE(t.adverts.next_deadline() == (model.outgoing.empty() ? Instant::never() : model.due()));
    t.adverts.check_invariants();
  }
}

TEST_CASE("adverts do what a naive table does", "[tx_adverts]") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    run_model(seed, true);
    run_model(seed, false);
  }
}

}  // namespace
}  // namespace overlayd::flood
