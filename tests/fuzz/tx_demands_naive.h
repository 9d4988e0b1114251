// The rules of tx_demands.h in their dumbest form: a list of open records, a list of fulfilled ones, searched from the
// start. Same calls as TxDemands, the order in which a peer's hashes are demanded excepted.
#pragma once
#include <algorithm>

#include "core/flood/tx_demands.h"

namespace overlayd::fuzz {

inline constexpr std::uint64_t kDemandsSeed = 7;

// What was demanded, by peer.
using Demanded = std::map<PeerId, std::vector<TxFullHash>>;
using Known = std::set<TxFullHash>;

// Has a TxAdverts of its own for the queues: that one has a fuzzer of its own.
class NaiveDemands {
 public:
  NaiveDemands(const flood::TxDemandsOptions& options, const Known& known)
      : adverts({}, metrics),
        is_demanding(options.is_demanding),
        options_(options),
        known_(known),
        random_(kDemandsSeed) {
    on_ledger(LedgerView{});
  }

  void on_ledger(const LedgerView& view);
  void on_peer(PeerId id, const NodeId& node) {
    adverts.on_peer(id);
    peers_.try_emplace(id, Peer{id, node, std::nullopt, 0});
  }
  void on_peer_gone(PeerId id) {
    adverts.on_peer_gone(id);
    peers_.erase(id);
    if (peers_.empty()) round_wanted_ = Instant::never();
  }
  void on_advert(PeerId id, std::span<const TxFullHash> hashes, std::uint32_t ledger, Instant now, Demanded& out);
  flood::PullLatency on_transaction(const TxFullHash& hash, const NodeId& node, Instant now);
  void set_demanding(bool on) {
    if (on && !is_demanding) round_wanted_ = Instant();
    is_demanding = on;
  }
  void advance(Instant now, Demanded& out) {
    purge(now);
    if (!round_due().is_never() && round_due() <= now) run_round(now, out);
  }
  [[nodiscard]] Instant next_deadline() const {
    Instant next = round_due();
    for (const auto* records : {&open_, &fulfilled_}) {
      if (!records->empty()) next = std::min(next, records->front().first() + seconds(60));
    }
    return next;
  }
  [[nodiscard]] std::size_t size() const { return open_.size(); }
  [[nodiscard]] std::size_t fulfilled_size() const { return fulfilled_.size(); }
  [[nodiscard]] std::size_t charged_size(const NodeId& node) const {
    return static_cast<std::size_t>(
        std::count_if(open_.begin(), open_.end(), [&](const Record& record) { return record.charged() == node; }));
  }
  [[nodiscard]] std::size_t peer_count() const { return peers_.size(); }

  TxFloodMetrics metrics;
  flood::TxAdverts adverts;
  bool is_demanding;
  std::size_t max_demand_size = 1;

 private:
  struct Record {
    TxFullHash hash;
    struct Ask {
      NodeId node;
      PeerId link;
      Instant when;
    };
    std::vector<Ask> asked;
    [[nodiscard]] Instant first() const { return asked.front().when; }
    [[nodiscard]] const NodeId& charged() const { return asked.front().node; }
  };
  struct Peer {
    PeerId id;
    NodeId node;
    std::optional<Instant> window_start;
    std::size_t demanded_in_window;
  };
  struct Turn {
    PeerId id;
    Peer* peer;
    std::vector<TxFullHash> retries;
    std::size_t refused;
  };
  enum class Found : std::uint8_t { kUnwanted, kRefused, kTooEarly, kDemanded };

  Record* find(const TxFullHash& hash, Instant now) {
    for (Record& record : open_)
      if (record.hash == hash) return &record;
    for (Record& record : fulfilled_)
      if (record.hash == hash && now - record.first() < seconds(60)) return &record;
    return nullptr;
  }
  // Demands the hash of the peer if the rules let it; otherwise it may want a round later.
  Found consider(const TxFullHash& hash, Peer& peer, Instant now);
  [[nodiscard]] bool make_room(const NodeId& node, Instant now);
  void give_up_oldest_of(const NodeId& node);
  [[nodiscard]] std::size_t allowance(Peer& peer, Instant now) const;
  void want_round(Instant at) { round_wanted_ = std::min(round_wanted_, at); }
  [[nodiscard]] Instant round_due() const {
    return is_demanding ? std::max(round_wanted_, round_allowed_) : Instant::never();
  }
  // The first beat at or after `at`.
  [[nodiscard]] Instant beat_from(Instant at) const {
    const std::int64_t beats = (at.since_start() + options_.period - Duration(1)) / options_.period;
    return Instant(beats * options_.period);
  }
  void run_round(Instant now, Demanded& out);
  bool take_turn(Turn& turn, Instant now, Demanded& out);
  void purge(Instant now);

  flood::TxDemandsOptions options_;
  const Known& known_;
  Random random_;
  std::map<PeerId, Peer> peers_;
  std::vector<Record> open_;  // by first demand
  // By arrival. One that is over counts as absent, but is held until those before it are over.
  std::vector<Record> fulfilled_;
  Instant round_wanted_ = Instant::never();
  Instant round_allowed_;
};

}  // namespace overlayd::fuzz
