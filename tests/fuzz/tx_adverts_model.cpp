#include "tests/fuzz/tx_adverts_model.h"

#include "core/flood/tx_adverts.h"
#include "tests/fuzz/commands.h"

namespace overlayd {
namespace {

using fuzz::Commands;
using Numbers = std::vector<std::size_t>;

TxFullHash hash_of(std::size_t number) { return fuzz::numbered_id<TxFullHash>(number); }

std::vector<TxFullHash> hashes_of(const Numbers& numbers) {
  std::vector<TxFullHash> hashes;
  for (const std::size_t number : numbers) hashes.push_back(hash_of(number));
  return hashes;
}

struct ModelBatch {
  std::uint64_t peer;
  Numbers hashes;
};

// Hashes by number.
class AdvertsModel {
 public:
  explicit AdvertsModel(const flood::TxAdvertsOptions& options) : options_(options) {}

  void on_ledger(const LedgerView& view) {
    incoming_max_ = std::min<std::size_t>(view.max_tx_set_ops, options_.history_max);
    const std::uint64_t operations =
        std::uint64_t{view.max_tx_set_ops} + (view.protocol_version >= 20 ? view.soroban_ledger_tx_count : 0);
    const auto close_ms = static_cast<std::uint64_t>(view.close_time / milliseconds(1));
    const auto period_ms = static_cast<std::uint64_t>(options_.period / milliseconds(1));
    max_advert_size = 1;
    const std::size_t most = options_.immediate ? 200 : 1000;
    while (max_advert_size < most && max_advert_size * close_ms < operations * period_ms) ++max_advert_size;
  }
  void on_peer(std::uint64_t peer) { peers_.try_emplace(peer); }
  void on_peer_gone(std::uint64_t peer) { peers_.erase(peer); }

  bool queue_outgoing(std::uint64_t id, std::size_t hash, Instant now, std::vector<ModelBatch>& out) {
    if (!peers_.contains(id) || has_seen(id, hash)) return false;
    Peer& peer = peers_[id];
    if (peer.outgoing.empty()) {
      peer.due = now + options_.period;
      if (options_.immediate) peer.due = peer.last_flush ? std::max(now, *peer.last_flush + options_.period) : now;
    }
    peer.outgoing.push_back(hash);
    if (peer.outgoing.size() >= max_advert_size || peer.due <= now) flush(id, now, out);
    return true;
  }
  void advance(Instant now, std::vector<ModelBatch>& out) {
    while (next_deadline() <= now) {
      const Instant due = next_deadline();
      const auto is_due = [&](const auto& entry) { return !entry.second.outgoing.empty() && entry.second.due == due; };
      flush(std::find_if(peers_.begin(), peers_.end(), is_due)->first, now, out);
    }
  }
  [[nodiscard]] Instant next_deadline() const {
    Instant next = Instant::never();
    for (const auto& [id, peer] : peers_) {
      if (!peer.outgoing.empty()) next = std::min(next, peer.due);
    }
    return next;
  }

  void remember(std::uint64_t id, const Numbers& hashes, std::uint32_t ledger) {
    if (!peers_.contains(id)) return;
    auto& history = peers_[id].history;
    for (const std::size_t hash : hashes) {
      ++metrics.adverts_received;
      const auto found = std::find_if(history.begin(), history.end(), [&](const auto& e) { return e.first == hash; });
      if (found == history.end() || found->second != ledger) {
        if (found != history.end()) history.erase(found);
        history.emplace_back(hash, ledger);
        if (history.size() > options_.history_max) history.erase(history.begin());
      }
    }
  }
  void clear_below(std::uint32_t ledger) {
    for (auto& [id, peer] : peers_) std::erase_if(peer.history, [&](const auto& e) { return e.second < ledger; });
  }

  void queue_incoming(std::uint64_t id, const Numbers& hashes) { queue(id, hashes, &Peer::incoming); }
  void retry(std::uint64_t id, const Numbers& hashes) { queue(id, hashes, &Peer::retries); }
  std::optional<std::size_t> take_incoming(std::uint64_t id) {
    if (!peers_.contains(id)) return std::nullopt;
    return take(peers_[id]);
  }

  [[nodiscard]] bool has_seen(std::uint64_t id, std::size_t hash) const {
    const Peer* const peer = find(id);
    return peer != nullptr && std::any_of(peer->history.begin(), peer->history.end(),
                                          [&](const auto& entry) { return entry.first == hash; });
  }
  [[nodiscard]] std::size_t history_size(std::uint64_t id) const { return find(id) ? find(id)->history.size() : 0; }
  [[nodiscard]] std::size_t fresh_size(std::uint64_t id) const { return find(id) ? find(id)->incoming.size() : 0; }
  [[nodiscard]] std::size_t incoming_size(std::uint64_t id) const {
    return find(id) ? find(id)->incoming.size() + find(id)->retries.size() : 0;
  }
  [[nodiscard]] std::size_t size() const { return peers_.size(); }

  std::size_t max_advert_size = 1;
  TxFloodMetrics metrics;

 private:
  struct Peer {
    std::vector<std::pair<std::size_t, std::uint32_t>> history;  // hash and ledger, the oldest first
    Numbers incoming;
    Numbers retries;
    Numbers outgoing;
    Instant due;  // while outgoing is not empty
    std::optional<Instant> last_flush;
  };
  [[nodiscard]] const Peer* find(std::uint64_t id) const {
    const auto found = peers_.find(id);
    return found == peers_.end() ? nullptr : &found->second;
  }
  void flush(std::uint64_t id, Instant now, std::vector<ModelBatch>& out) {
    metrics.adverts_sent += peers_[id].outgoing.size();
    out.push_back({id, std::exchange(peers_[id].outgoing, {})});
    peers_[id].last_flush = now;
  }
  void queue(std::uint64_t id, const Numbers& hashes, Numbers Peer::*which) {
    if (!peers_.contains(id)) return;
    Peer& peer = peers_[id];
    (peer.*which).insert((peer.*which).end(), hashes.begin(), hashes.end());
    for (; incoming_size(id) > incoming_max_; ++metrics.adverts_trimmed) take(peer);
  }
  static std::optional<std::size_t> take(Peer& peer) {
    Numbers& from = peer.retries.empty() ? peer.incoming : peer.retries;
    if (from.empty()) return std::nullopt;
    const std::size_t hash = from.front();
    from.erase(from.begin());
    return hash;
  }

  flood::TxAdvertsOptions options_;
  std::size_t incoming_max_ = 0;
  std::map<std::uint64_t, Peer> peers_;
};

flood::TxAdvertsOptions take_options(Commands& commands) {
  static constexpr std::array<Duration, 4> kPeriods{milliseconds(100), milliseconds(100), milliseconds(1), seconds(2)};
  static constexpr std::array<std::size_t, 6> kHistoryMax{1, 2, 3, 8, 15, 1000};
  return {.immediate = commands.take_flag(),
          .period = commands.take_one_of(kPeriods),
          .history_max = commands.take_one_of(kHistoryMax)};
}

LedgerView take_view(Commands& commands) {
  static constexpr std::array<std::uint32_t, 8> kOperations{0, 1, 5, 20, 100, 150, 1000, 60'000};
  static constexpr std::array<Duration, 4> kCloseTimes{seconds(5), seconds(5), seconds(1), milliseconds(4999)};
  LedgerView view;
  view.max_tx_set_ops = commands.take_one_of(kOperations);
  view.protocol_version = commands.take_flag() ? 19 : 20;
  view.soroban_ledger_tx_count = commands.take_one_of(kOperations);
  view.close_time = commands.take_one_of(kCloseTimes);
  return view;
}

class AdvertsRun {
 public:
  explicit AdvertsRun(Commands& commands)
      : commands_(commands),
        options_(take_options(commands)),
        ledgers_(options_.history_max < kHashes),
        real_(options_, metrics_),
        model_(options_) {
    model_.on_ledger(LedgerView{});
  }

  void run() {
    for (std::uint64_t peer = 1; peer <= 3; ++peer) join(peer);
    while (!commands_.is_over()) {
      step();
      check();
    }
    for (std::uint64_t peer = 0; peer < kPeers; ++peer) leave(peer);
    check();
    OVERLAYD_CHECK(real_.size() == 0 && real_.next_deadline().is_never());
  }

 private:
  static constexpr std::uint64_t kPeers = 6;
  static constexpr std::size_t kHashes = 16;

  // The one place that says how much memory may lag behind the rules.
  static void check_size(std::size_t real, std::size_t model) { OVERLAYD_CHECK(real >= model); }

  void step() {
    const std::size_t command = commands_.take_below(16);
    const std::uint64_t peer = commands_.take_below(kPeers);
    switch (command) {
      case 0: return join(peer);
      case 1: return leave(peer);
      case 2: {
        const LedgerView view = take_view(commands_);
        real_.on_ledger(view);
        model_.on_ledger(view);
        return;
      }
      case 3:
      case 4:
      case 5: return queue_outgoing(peer);
      case 6:
      case 7: return advert(peer);
      case 8: return remember(peer);
      case 9: return queue_incoming(peer);
      case 10: return retry(peer);
      case 11:
      case 12: return take(peer);
      case 13: return clear();
      case 14: return ledgers_.close();
      default: return pass_time();
    }
  }

  void join(std::uint64_t peer) {
    real_.on_peer({peer});
    model_.on_peer(peer);
  }
  void leave(std::uint64_t peer) {
    real_.on_peer_gone({peer});
    model_.on_peer_gone(peer);
  }

  // A run of numbers, so that some are named twice in one advert.
  Numbers take_hashes() {
    Numbers hashes;
    const std::size_t first = commands_.take_below(kHashes);
    const std::size_t count = commands_.take_below(24);
    for (std::size_t i = 0; i < count; ++i) hashes.push_back((first + i) % kHashes);
    return hashes;
  }
  void advert(std::uint64_t peer) {
    const Numbers hashes = take_hashes();
    const std::uint32_t ledger = ledgers_.take_seen(commands_);
    real_.on_advert({peer}, hashes_of(hashes), ledger);
    model_.remember(peer, hashes, ledger);
    model_.queue_incoming(peer, hashes);
  }
  void remember(std::uint64_t peer) {
    const Numbers hashes = take_hashes();
    const std::uint32_t ledger = ledgers_.take_seen(commands_);
    real_.remember({peer}, hashes_of(hashes), ledger);
    model_.remember(peer, hashes, ledger);
  }
  void queue_incoming(std::uint64_t peer) {
    const Numbers hashes = take_hashes();
    real_.queue_incoming({peer}, hashes_of(hashes));
    model_.queue_incoming(peer, hashes);
  }
  void retry(std::uint64_t peer) {
    const Numbers hashes = take_hashes();
    real_.retry({peer}, hashes_of(hashes));
    model_.retry(peer, hashes);
  }
  void take(std::uint64_t peer) {
    const auto expected = model_.take_incoming(peer);
    const auto taken = real_.take_incoming({peer});
    OVERLAYD_CHECK(taken.has_value() == expected.has_value());
    if (taken) OVERLAYD_CHECK(*taken == hash_of(*expected));
  }
  void clear() {
    const std::uint32_t ledger = ledgers_.take_cleared(commands_);
    real_.clear_below(ledger);
    model_.clear_below(ledger);
  }

  void queue_outgoing(std::uint64_t peer) {
    const std::size_t first = commands_.take_below(kHashes);
    // Some in a row: adverts fill up.
    const std::size_t count = 1 + commands_.take_below(8);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t hash = (first + i) % kHashes;
      OVERLAYD_CHECK(real_.queue_outgoing({peer}, hash_of(hash), now_, out_) ==
                     model_.queue_outgoing(peer, hash, now_, expected_));
    }
  }
  // Not always told at once: a deadline may be over for a while before anybody says so.
  void pass_time() {
    now_ = now_ + commands_.take_duration();
    if (commands_.take_flag()) return;
    real_.advance(now_, out_);
    model_.advance(now_, expected_);
    OVERLAYD_CHECK(real_.next_deadline() > now_);
  }

  void check_batches() {
    OVERLAYD_CHECK(out_.size() == expected_.size());
    for (std::size_t i = 0; i < out_.size(); ++i) {
      OVERLAYD_CHECK(out_[i].peer.value == expected_[i].peer && out_[i].hashes == hashes_of(expected_[i].hashes));
      OVERLAYD_CHECK(!out_[i].hashes.empty() && out_[i].hashes.size() <= limits::kAdvertMax);
    }
    out_.clear();
    expected_.clear();
  }
  void check() {
    check_batches();
    real_.check_invariants();
    OVERLAYD_CHECK(real_.size() == model_.size() && real_.max_advert_size() == model_.max_advert_size);
    OVERLAYD_CHECK(real_.next_deadline() == model_.next_deadline());
    OVERLAYD_CHECK(metrics_.adverts_received == model_.metrics.adverts_received);
    OVERLAYD_CHECK(metrics_.adverts_sent == model_.metrics.adverts_sent);
    OVERLAYD_CHECK(metrics_.adverts_trimmed == model_.metrics.adverts_trimmed);
    for (std::uint64_t peer = 0; peer < kPeers; ++peer) {
      check_size(real_.history_size({peer}), model_.history_size(peer));
      OVERLAYD_CHECK(real_.history_size({peer}) <= options_.history_max);
      OVERLAYD_CHECK(real_.incoming_size({peer}) == model_.incoming_size(peer));
      OVERLAYD_CHECK(real_.fresh_size({peer}) == model_.fresh_size(peer));
      for (std::size_t hash = 0; hash < kHashes; ++hash)
        OVERLAYD_CHECK(real_.has_seen({peer}, hash_of(hash)) == model_.has_seen(peer, hash));
    }
  }

  Commands& commands_;
  const flood::TxAdvertsOptions options_;
  fuzz::Ledgers ledgers_;
  TxFloodMetrics metrics_;
  flood::TxAdverts real_;
  AdvertsModel model_;
  Instant now_ = fuzz::kFuzzStart;
  flood::AdvertBatches out_;
  std::vector<ModelBatch> expected_;
};

}  // namespace

void fuzz_tx_adverts(ByteView input) {
  Commands commands(input);
  AdvertsRun(commands).run();
}

}  // namespace overlayd
