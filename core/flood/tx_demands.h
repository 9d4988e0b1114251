// Which advertised transaction to ask of which peer, and when to ask another.
//
// Words.   An *advert* is one peer naming one transaction by its full hash. A *demand* is us asking that peer for it.
//          The *record* of a hash says when it was first and last demanded and which nodes were asked. It is
//          *fulfilled* once the transaction came, from whomever, and *open* before; an open one is charged to the first
//          node asked.
// Rule 1.  A hash that is known or banned (caller's predicate) is not demanded: the advert is discarded.
// Rule 2.  A hash without a record is demanded.
// Rule 3.  The same node is not asked twice while the record lives: the advert is discarded. By node id, so that
//          reconnecting does not buy a second turn; except (ours) that one asked over a link that is gone may be asked
//          once over its next link, as long as the transaction has not come. Rationale: its answer went with the link.
//          Cost: who reconnects on purpose gets turns, 15 in all (rule 5).
// Rule 4.  With n < 15 nodes asked, the next is asked once min(n × 500 ms, 2 s) have passed since the last; until then
//          the advert waits in the peer's retry queue. Rationale: a second copy spends the credit of a peer that may
//          have something new. Cost: a silent peer delays us by one step.
// Rule 5.  With 15 nodes asked, further adverts are discarded. Cost: 15 silent peers can hide a transaction for a
//          minute.
// Rule 6.  The record goes 60 s after the first demand, fulfilled or not; a hash never received by then counts as
//          abandoned. Source of 1 to 6: TxDemandsManager::demandStatus, TxDemandsManager::demand.
// Rule 7.  A *round* goes over the peers in random order, taking from each peer's queue until one hash is demanded, and
//          goes round again until none gains. Rationale: no peer gets all the demands for being first in a list.
// Rule 8.  Per peer at most ceil(2 × operations per ledger × 200 ms / close time) hashes in a period (200 ms), where 2
//          ledgers is what a transaction queue holds, and at least 1; at most max_demand_size, the same cut to 1000, in
//          one FLOOD_DEMAND. What exceeds it waits in the peer's queue. Source: TxDemandsManager::getMaxDemandSize,
//          Config::TRANSACTION_QUEUE_SIZE_MULTIPLIER. Ours: with `immediate` off there is one FLOOD_DEMAND a period, as
//          in stellar-core, so that a link carries at most 5,000 hashes a second; with it on there are as many as the
//          period's share needs. Rationale: 1000 is what a message holds, not what a link bears. Where a ledger takes
//          so much that it matters, the peer's own queues are that much longer. No peer counts demands.
// Rule 9.  (ours) The hashes of an advert that may be demanded are demanded at once, in one batch, unless the peer has
//          older ones waiting. Rounds serve the rest, at most one a period, when something can be due and not
//          otherwise. With `immediate` off there are only rounds, every 200 ms, as in stellar-core.
// Rule 10. While demanding is off (nobody would judge what we receive) adverts only queue; turning it on makes a round
//          due.
// Limits.  All ours. A node is charged with at most demands_per_node_max open records; at that many a new one takes the
//          place of its oldest if that is 2 s old, which counts as abandoned. Rationale: a node that dropped what it
//          advertised must not be without demands for a minute. There are at most demands_max open records in all. When
//          the table is full, a new one takes the place of the oldest of the node charged with most
//          (of equals the highest node id), which counts as abandoned, unless the asked node is charged with as many.
//          A hash refused by either limit waits in the peer's retry queue and is looked at again in a later round;
//          demands_refused counts each refusal. A peer gets at most max_demand_size refusals out of a round.
//          Rationale: who names transactions that do not exist fills his own share, and naming them under many node ids
//          takes records from these ids. Cost: of an evicted record we forget who was asked.
//          Fulfilled records do not count, so the rate of transactions is not bounded by the table. They are kept for
//          rule 3 and rule 4, since a transaction that came may have been refused by its holder: at most fulfilled_max,
//          past it the one fulfilled first goes. Cost: such a hash may be demanded a second time of a node.
//          Queues are those of tx_adverts. Peers are those between on_peer and on_peer_gone; others are ignored.
//          Records outlive their peers (rule 3) and end by rule 6.
// Not here: answering demands (tx_pool), queueing FLOOD_DEMAND (send_queue).
// Source:  stellar-core TxDemandsManager, commit a9b8613; departures from it are marked "ours".
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/flood/insertion_map.h"
#include "core/flood/tx_adverts.h"
#include "core/ids.h"
#include "core/limits.h"
#include "core/local_node.h"
#include "core/metrics.h"
#include "core/random.h"

namespace overlayd::flood {

struct TxDemandsOptions {
  bool immediate = true;
  bool is_demanding = true;
  Duration period = limits::kDemandPeriod;
  Duration backoff = limits::kDemandBackoff;
  std::size_t demands_max = limits::kDemandsMax;
  std::size_t demands_per_node_max = limits::kDemandsPerNodeMax;
  std::size_t fulfilled_max = limits::kDemandsFulfilledMax;
};

// One FLOOD_DEMAND to be sent: never empty, at most max_demand_size hashes.
struct DemandBatch {
  PeerId peer;
  std::vector<TxFullHash> hashes;
};
using DemandBatches = std::vector<DemandBatch>;

// How long a demanded transaction took.
struct PullLatency {
  std::optional<Duration> since_first_demand;  // present for the first copy only
  std::optional<Duration> of_this_node;        // present if this node was asked
};

class TxDemands {
 public:
  using KnownPredicate = std::function<bool(const TxFullHash&)>;

  // All references outlive this. `is_known_or_banned` is asked, never told.
  TxDemands(const TxDemandsOptions& options, TxAdverts& adverts, KnownPredicate is_known_or_banned, Random& random,
            TxFloodMetrics& metrics);
  TxDemands(const TxDemands&) = delete;
  TxDemands& operator=(const TxDemands&) = delete;

  void on_ledger(const LedgerView& view);
  // Tells tx_adverts as well: a peer is added and removed here, once.
  void on_peer(PeerId peer, const NodeId& node);
  void on_peer_gone(PeerId peer);
  // A FLOOD_ADVERT arrived. Tells tx_adverts as well.
  void on_advert(PeerId peer, std::span<const TxFullHash> hashes, std::uint32_t ledger, Instant now,
                 DemandBatches& out);
  // A transaction arrived from `node`, demanded or not.
  PullLatency on_transaction(const TxFullHash& hash, const NodeId& node, Instant now);
  // Rule 10.
  void set_demanding(bool is_demanding);

  // Purges records and runs a round if one is due.
  void advance(Instant now, DemandBatches& out);
  // The earliest time at which advance may have something to do.
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] bool is_demanding() const { return is_demanding_; }
  [[nodiscard]] std::size_t max_demand_size() const { return max_demand_size_; }
  // Open records.
  [[nodiscard]] std::size_t size() const { return open_.size(); }
  [[nodiscard]] std::size_t fulfilled_size() const { return fulfilled_.size(); }
  // Open records charged to the node.
  [[nodiscard]] std::size_t charged_size(const NodeId& node) const;
  [[nodiscard]] std::size_t peer_count() const { return peers_.size(); }
  void check_invariants() const;

 private:
  struct Ask {
    NodeId node;
    PeerId link;
    Instant when;
  };
  struct Record {
    Instant first_demanded;
    Instant last_demanded;
    std::vector<Ask> asked;  // at most 15: a search is cheaper than a set
  };
  using Records = InsertionMap<TxFullHash, Record>;
  // The open records charged to a node, oldest first.
  using Charge = std::set<std::pair<Instant, TxFullHash>>;
  struct AskedPeer {
    PeerId id;
    NodeId node;
    std::optional<Instant> window_start;
    std::size_t demanded_in_window = 0;
  };
  struct Judgement {
    enum class Status : std::uint8_t { kDiscard, kDemand, kRetryLater } status = Status::kDiscard;
    Instant due;  // of kRetryLater
  };
  // What one peer gets out of a round.
  struct Turn {
    AskedPeer* peer = nullptr;
    std::vector<TxFullHash> demanded;
    std::vector<TxFullHash> retries;
    std::size_t refused = 0;
  };

  [[nodiscard]] const Record* find_record(const TxFullHash& hash, Instant now) const;
  [[nodiscard]] Judgement judge(const TxFullHash& hash, const AskedPeer& peer, Instant now) const;
  [[nodiscard]] std::size_t allowance(AskedPeer& peer, Instant now) const;
  // False: refused by a limit.
  bool demand(const TxFullHash& hash, AskedPeer& peer, Instant now);
  // Null: refused by a limit.
  Record* open_record(const TxFullHash& hash, const NodeId& node, Instant now);
  void charge(const NodeId& node, Instant first_demanded, const TxFullHash& hash);
  void give_up_oldest(NodeId node);  // by value: the caller's may lie in what goes
  // Before an open record goes.
  void discharge(const TxFullHash& hash, const Record& record);
  bool take_turn(Turn& turn, Instant now);
  void demand_at_once(AskedPeer& peer, std::span<const TxFullHash> hashes, Instant now, DemandBatches& out);
  void put_out(PeerId id, std::span<const TxFullHash> hashes, DemandBatches& out) const;
  void run_round(Instant now, DemandBatches& out);
  void purge(Instant now);
  void want_round(Instant at) { round_wanted_ = std::min(round_wanted_, at); }
  [[nodiscard]] Instant round_due() const;

  TxDemandsOptions options_;
  TxAdverts& adverts_;
  KnownPredicate is_known_or_banned_;
  Random& random_;
  TxFloodMetrics& metrics_;
  bool is_demanding_;
  std::size_t max_demand_size_ = 1;     // in one message
  std::size_t period_demands_max_ = 1;  // of one peer in one period
  std::map<PeerId, AskedPeer> peers_;
  Records open_;       // insertion order is the order of first demands
  Records fulfilled_;  // insertion order is that of arrival; a hash is in one of the two
  std::map<NodeId, Charge> charges_;
  std::set<std::pair<std::size_t, NodeId>> by_charge_;  // of every node charged
  Instant round_wanted_ = Instant::never();             // when a queued hash may be due
  Instant round_allowed_;                               // a period after the last round
};

}  // namespace overlayd::flood
