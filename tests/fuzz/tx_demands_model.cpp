#include "tests/fuzz/tx_demands_model.h"

#include "tests/fuzz/commands.h"
#include "tests/fuzz/tx_demands_naive.h"

namespace overlayd {
namespace {

using flood::PullLatency;
using flood::TxDemandsOptions;
using fuzz::Commands;
using fuzz::Demanded;
using fuzz::Known;

constexpr std::size_t kHashes = 24;
constexpr std::uint64_t kPeers = 20;
// More than a hash is ever asked of, and fewer than peers: some reconnect under their former node id.
constexpr std::size_t kNodes = 17;

TxFullHash hash_of(std::size_t number) { return fuzz::numbered_id<TxFullHash>(number); }
NodeId node_of(std::uint64_t peer) { return fuzz::numbered_id<NodeId>(peer % kNodes); }

// What must hold for the demands put out, whatever their order; only while no limit makes records go early.
class DemandLaws {
 public:
  explicit DemandLaws(const TxDemandsOptions& options) : options_(options) {}

  void on_demand(const TxFullHash& hash, PeerId peer, Instant now, const Known& known) {
    OVERLAYD_CHECK(!known.contains(hash));
    auto& asked = asked_[hash];
    if (!asked.empty() && now - asked.front().second >= limits::kDemandRetention) asked.clear();
    const auto is_peer = [&](const auto& entry) { return entry.first == peer; };
    OVERLAYD_CHECK(std::none_of(asked.begin(), asked.end(), is_peer));
    OVERLAYD_CHECK(asked.size() < limits::kDemandPeersMax);
    const Duration steps = options_.backoff * static_cast<std::int64_t>(asked.size());
    if (!asked.empty())
      OVERLAYD_CHECK(now - asked.back().second >= std::min<Duration>(steps, limits::kDemandBackoffMax));
    asked.emplace_back(peer, now);
  }

 private:
  TxDemandsOptions options_;
  std::map<TxFullHash, std::vector<std::pair<PeerId, Instant>>> asked_;
};

TxDemandsOptions take_options(Commands& commands) {
  static constexpr std::array<Duration, 4> kPeriods{milliseconds(200), milliseconds(200), milliseconds(50), seconds(1)};
  static constexpr std::array<Duration, 4> kBackoffs{milliseconds(500), milliseconds(500), milliseconds(1), seconds(3)};
  static constexpr std::array<std::size_t, 6> kDemandsMax{1, 2, 5, 9, 1000, 1000};
  static constexpr std::array<std::size_t, 6> kPerNodeMax{1, 2, 3, 5, 1000, 1000};
  static constexpr std::array<std::size_t, 5> kFulfilledMax{0, 1, 3, 1000, 1000};
  return {.immediate = commands.take_flag(),
          .is_demanding = commands.take_byte() % 4 != 0,
          .period = commands.take_one_of(kPeriods),
          .backoff = commands.take_one_of(kBackoffs),
          .demands_max = commands.take_one_of(kDemandsMax),
          .demands_per_node_max = commands.take_one_of(kPerNodeMax),
          .fulfilled_max = commands.take_one_of(kFulfilledMax)};
}

// Ledgers so small that a peer is asked for a few hashes a period.
LedgerView take_view(Commands& commands) {
  static constexpr std::array<std::uint32_t, 6> kOperations{1, 5, 13, 25, 60, 100};
  static constexpr std::array<std::uint32_t, 4> kSorobanTransactions{0, 0, 10, 50};
  LedgerView view;
  view.max_tx_set_ops = commands.take_one_of(kOperations);
  view.soroban_ledger_tx_count = commands.take_one_of(kSorobanTransactions);
  return view;
}

class DemandsRun {
 public:
  explicit DemandsRun(Commands& commands)
      : commands_(commands),
        options_(take_options(commands)),
        is_roomy_(std::min({options_.demands_max, options_.demands_per_node_max, options_.fulfilled_max}) > kHashes),
        real_adverts_({}, metrics_),
        random_(fuzz::kDemandsSeed),
        real_(
            options_, real_adverts_, [this](const TxFullHash& hash) { return known_.contains(hash); }, random_,
            metrics_),
        model_(options_, known_),
        laws_(options_) {}

  void run() {
    change_ledger(take_view(commands_));
    for (std::uint64_t peer = 1; peer <= 4; ++peer) join(peer);
    while (!commands_.is_over()) {
      step();
      check();
    }
    answer_everything();
    for (std::uint64_t peer = 1; peer <= kPeers; ++peer) leave(peer);
    OVERLAYD_CHECK(real_.peer_count() == 0 && real_adverts_.size() == 0);
    advance_to(now_ + limits::kDemandRetention);
    OVERLAYD_CHECK(real_.size() == 0 && real_.fulfilled_size() == 0 && real_.next_deadline().is_never());
  }

 private:
  // The one place that says how much memory may lag behind the rules.
  static void check_size(std::size_t real, std::size_t model) { OVERLAYD_CHECK(real == model); }

  void step() {
    const std::size_t command = commands_.take_below(16);
    switch (command) {
      case 0: return join(1 + commands_.take_below(kPeers));
      case 1: return leave(1 + commands_.take_below(kPeers));
      case 2: return change_ledger(take_view(commands_));
      case 3: return set_demanding(commands_.take_byte() % 4 != 0);
      case 4:
      case 5:
      case 6:
      case 7:
      case 8: return advert();
      case 9:
      case 10: return receive();
      case 11: return learn();
      default: return pass_time();
    }
  }

  void join(std::uint64_t peer) {
    real_.on_peer({peer}, node_of(peer));
    model_.on_peer({peer}, node_of(peer));
  }
  void leave(std::uint64_t peer) {
    real_.on_peer_gone({peer});
    model_.on_peer_gone({peer});
  }
  void change_ledger(const LedgerView& view) {
    real_.on_ledger(view);
    real_adverts_.on_ledger(view);
    model_.on_ledger(view);
    model_.adverts.on_ledger(view);
  }
  void set_demanding(bool is_demanding) {
    real_.set_demanding(is_demanding);
    model_.set_demanding(is_demanding);
  }

  void advert() {
    const PeerId peer{1 + commands_.take_below(kPeers)};
    const std::size_t first = commands_.take_below(kHashes);
    const std::size_t count = commands_.take_below(12);
    std::vector<TxFullHash> hashes;
    for (std::size_t i = 0; i < count; ++i) hashes.push_back(hash_of((first + i) % kHashes));
    real_.on_advert(peer, hashes, 1, now_, out_);
    model_.on_advert(peer, hashes, 1, now_, expected_);
  }
  // From whomever, demanded or not; mostly it is known afterwards.
  void receive() {
    const TxFullHash hash = hash_of(commands_.take_below(kHashes));
    receive(hash, node_of(commands_.take_below(kNodes)));
    if (commands_.take_flag()) known_.insert(hash);
  }
  void receive(const TxFullHash& hash, const NodeId& from) {
    const PullLatency latency = real_.on_transaction(hash, from, now_);
    const PullLatency expected = model_.on_transaction(hash, from, now_);
    OVERLAYD_CHECK(latency.since_first_demand == expected.since_first_demand);
    OVERLAYD_CHECK(latency.of_this_node == expected.of_this_node);
  }
  // Of our own, banned, or applied and forgotten again.
  void learn() {
    const TxFullHash hash = hash_of(commands_.take_below(kHashes));
    if (known_.erase(hash) == 0) known_.insert(hash);
  }

  // Not always told at once: inputs may come before anybody says what is over.
  void pass_time() {
    const bool is_by_deadline = commands_.take_flag();
    const bool is_told = commands_.take_byte() % 4 != 0;
    Instant next = now_ + commands_.take_duration();
    if (is_by_deadline && !real_.next_deadline().is_never()) next = std::max(now_, real_.next_deadline());
    now_ = next;
    if (is_told) advance_to(now_);
  }
  void advance_to(Instant now) {
    now_ = now;
    const bool is_early = now < real_.next_deadline();
    real_.advance(now, out_);
    if (is_early) OVERLAYD_CHECK(out_.empty());
    model_.advance(now, expected_);
    check();
  }

  // Peers send all they are asked for: then nothing may stay in a queue, for every hash gets known.
  void answer_everything() {
    set_demanding(true);
    for (std::size_t i = 0; i < kHashes; ++i) {
      receive(hash_of(i), node_of(i));
      known_.insert(hash_of(i));
    }
    // The longest step, after which a round is due.
    advance_to(now_ + limits::kDemandBackoffMax + options_.period);
    for (std::uint64_t peer = 1; peer <= kPeers; ++peer) OVERLAYD_CHECK(real_adverts_.incoming_size({peer}) == 0);
  }

  // The order of a peer's hashes is not promised.
  void check_batches() {
    Demanded demanded;
    for (const flood::DemandBatch& batch : out_) {
      OVERLAYD_CHECK(!batch.hashes.empty() && batch.hashes.size() <= limits::kDemandMax);
      auto& hashes = demanded[batch.peer];
      hashes.insert(hashes.end(), batch.hashes.begin(), batch.hashes.end());
    }
    for (Demanded* const sorted : {&demanded, &expected_})
      for (auto& [peer, hashes] : *sorted) std::sort(hashes.begin(), hashes.end());
    OVERLAYD_CHECK(demanded == expected_);
    for (const auto& [peer, hashes] : demanded) {
      if (!is_roomy_) break;
      for (const TxFullHash& hash : hashes) laws_.on_demand(hash, peer, now_, known_);
    }
    out_.clear();
    expected_.clear();
  }
  void check() {
    check_batches();
    real_.check_invariants();
    check_size(real_.size(), model_.size());
    check_size(real_.fulfilled_size(), model_.fulfilled_size());
    OVERLAYD_CHECK(real_.peer_count() == model_.peer_count());
    OVERLAYD_CHECK(real_.is_demanding() == model_.is_demanding);
    OVERLAYD_CHECK(real_.max_demand_size() == model_.max_demand_size);
    OVERLAYD_CHECK(real_.next_deadline() == model_.next_deadline());
    OVERLAYD_CHECK(metrics_.demands_sent == model_.metrics.demands_sent);
    OVERLAYD_CHECK(metrics_.demand_retries == model_.metrics.demand_retries);
    OVERLAYD_CHECK(metrics_.demands_abandoned == model_.metrics.demands_abandoned);
    OVERLAYD_CHECK(metrics_.demands_refused == model_.metrics.demands_refused);
    OVERLAYD_CHECK(metrics_.adverts_received == model_.metrics.adverts_received);
    OVERLAYD_CHECK(metrics_.adverts_trimmed == model_.metrics.adverts_trimmed);
    for (std::size_t node = 0; node < kNodes; ++node)
      OVERLAYD_CHECK(real_.charged_size(node_of(node)) == model_.charged_size(node_of(node)));
    for (std::uint64_t peer = 1; peer <= kPeers; ++peer) {
      OVERLAYD_CHECK(real_adverts_.incoming_size({peer}) == model_.adverts.incoming_size({peer}));
      OVERLAYD_CHECK(real_adverts_.fresh_size({peer}) == model_.adverts.fresh_size({peer}));
    }
  }

  Commands& commands_;
  const TxDemandsOptions options_;
  const bool is_roomy_;
  Known known_;
  TxFloodMetrics metrics_;
  flood::TxAdverts real_adverts_;
  Random random_;
  flood::TxDemands real_;
  fuzz::NaiveDemands model_;
  DemandLaws laws_;
  Instant now_ = fuzz::kFuzzStart;
  flood::DemandBatches out_;
  Demanded expected_;
};

}  // namespace

void fuzz_tx_demands(ByteView input) {
  Commands commands(input);
  DemandsRun(commands).run();
}

}  // namespace overlayd
