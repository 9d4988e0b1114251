// Transactions named instead of sent: the hashes we advertise to each peer, and those each peer advertised to us.
//
// Words.   An *advert* is one peer naming one transaction by its full hash. A peer's *history* is what it advertised to
//          us.
// Outgoing
// Rule 1.  A hash is never queued to a peer whose history holds it. Rationale: the peer has the transaction, or asks
//          others for it already. Source: Peer::sendAdvert.
// Rule 2.  Queued hashes leave when their number reaches max_advert_size, or when the period (100 ms) is over.
//          max_advert_size = clamp(ceil(operations per ledger × period / close time), 1, 1000): what a ledger can take,
//          spread evenly over its time. Source: TxAdverts::queueOutgoingAdvert, TxAdverts::getMaxAdvertSize. Ours: with
//          `immediate` at most 200. Rationale: what an advert names is demanded, sent and handled in one burst; 200 is
//          what a peer's credit lets pass without a pause, and an SCP message waits behind no more.
// Rule 3.  The period counts from the last flush, so that the first hash queued to an idle peer leaves at once and only
//          the following ones wait (ours). With `immediate` off it counts from the first hash queued, as in
//          stellar-core. Rationale: the peer sees no more messages per second, and an idle network is 50 ms a hop
//          faster.
// Incoming
// Rule 4.  Every advertised hash enters the peer's history with the current ledger; after clear_below(n) those of
//          ledgers below n count as absent. Source: TxAdverts::queueIncomingAdvert, TxAdverts::clearBelow. Their memory
//          goes step by step: 64 a peer at once, two with each hash advertised after that. Rationale: full histories
//          of all peers freed in one go would hold up everything else.
// Rule 5.  Hashes wait in a queue, those to be retried in a second one that is taken from first; both are first in,
//          first out. Source: TxAdverts::popIncomingAdvert, TxAdverts::retryIncomingAdvert.
// Rule 6.  Both queues together hold at most max_tx_set_ops hashes; above that they are dropped in the order in which
//          they would be taken. Rationale: a ledger cannot hold more, and the newest are the likeliest to be of use. Ours:
//          nor more than history_max. Rationale: after a long time in which nothing was demanded, what is older than
//          that is no longer held by those who advertised it, and asking for it first would hold up the rest.
// Limits.  Per peer: history_max hashes (past it the one advertised longest ago goes; stellar-core drops the older of two
//          random ones), 1000 outgoing, rule 6 incoming. A peer without adverts costs under 2 KiB. Peers are those between
//          on_peer and on_peer_gone; a call that names another does nothing.
// Not here: which hash is worth asking for, and whom to ask (tx_demands); who was told already (flood_gate).
// Source:  stellar-core TxAdverts, commit a9b8613; departures from it are marked "ours".
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/flood/insertion_map.h"
#include "core/ids.h"
#include "core/limits.h"
#include "core/local_node.h"
#include "core/metrics.h"

namespace overlayd::flood {

struct TxAdvertsOptions {
  bool immediate = true;
  Duration period = limits::kAdvertPeriod;
  std::size_t history_max = limits::kAdvertHistoryMax;
};

// One FLOOD_ADVERT to be sent: never empty, at most max_advert_size hashes.
struct AdvertBatch {
  PeerId peer;
  std::vector<TxFullHash> hashes;
};
using AdvertBatches = std::vector<AdvertBatch>;

class TxAdverts {
 public:
  TxAdverts(const TxAdvertsOptions& options, TxFloodMetrics& metrics);
  TxAdverts(const TxAdverts&) = delete;
  TxAdverts& operator=(const TxAdverts&) = delete;

  // Sizes follow the view; until the first call they are those of a default LedgerView.
  void on_ledger(const LedgerView& view);
  void on_peer(PeerId peer);
  void on_peer_gone(PeerId peer);

  // False: the peer's history holds the hash (or the peer is unknown), nothing was queued.
  bool queue_outgoing(PeerId peer, const TxFullHash& hash, Instant now, AdvertBatches& out);
  // A FLOOD_ADVERT arrived: rules 4 to 6. Counts adverts_received.
  void on_advert(PeerId peer, std::span<const TxFullHash> hashes, std::uint32_t ledger);
  // The two halves of on_advert, for tx_demands, which asks for some hashes before they queue.
  void remember(PeerId peer, std::span<const TxFullHash> hashes, std::uint32_t ledger);
  void queue_incoming(PeerId peer, std::span<const TxFullHash> hashes);
  // To be taken again, before those not taken yet.
  void retry(PeerId peer, std::span<const TxFullHash> hashes);
  // The next hash to consider asking this peer for.
  [[nodiscard]] std::optional<TxFullHash> take_incoming(PeerId peer);
  // The latest call counts, be its ledger lower than that of the one before.
  void clear_below(std::uint32_t ledger);

  // Appends the batches whose period is over, in the order of their deadlines.
  void advance(Instant now, AdvertBatches& out);
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] bool has_seen(PeerId peer, const TxFullHash& hash) const;
  // Hashes waiting to be taken, retries included; and without them.
  [[nodiscard]] std::size_t incoming_size(PeerId peer) const;
  [[nodiscard]] std::size_t fresh_size(PeerId peer) const;
  // Hashes in memory.
  [[nodiscard]] std::size_t history_size(PeerId peer) const;
  [[nodiscard]] std::size_t max_advert_size() const { return max_advert_size_; }
  // Peers. 0 once all are gone, with nothing kept.
  [[nodiscard]] std::size_t size() const { return peers_.size(); }
  void check_invariants() const;

 private:
  struct PeerAdverts {
    InsertionMap<TxFullHash, std::uint32_t> history;
    std::deque<TxFullHash> incoming;
    std::deque<TxFullHash> retries;
    std::vector<TxFullHash> outgoing;
    Instant flush_at;  // while outgoing is not empty
    std::optional<Instant> last_flush;
  };

  [[nodiscard]] PeerAdverts* find(PeerId peer);
  [[nodiscard]] const PeerAdverts* find(PeerId peer) const;
  [[nodiscard]] bool has_seen(const PeerAdverts& adverts, const TxFullHash& hash) const;
  // Frees at most `count_max` cleared hashes, oldest first, up to the first that is not cleared.
  void sweep(PeerAdverts& adverts, std::size_t count_max) const;
  void flush(PeerId peer, PeerAdverts& adverts, Instant now, AdvertBatches& out);
  void trim(PeerAdverts& adverts);

  TxAdvertsOptions options_;
  TxFloodMetrics& metrics_;
  std::size_t max_advert_size_ = 1;
  std::size_t incoming_max_ = 0;
  std::uint32_t cleared_below_ = 0;
  std::map<PeerId, PeerAdverts> peers_;
  std::set<std::pair<Instant, PeerId>> deadlines_;  // of the peers with outgoing hashes
};

// ceil(amount × period / close time), at least 1 and at most `max`: an amount per ledger as an amount per period.
[[nodiscard]] std::size_t per_period(std::uint64_t amount_per_ledger, Duration period, Duration close_time,
                                     std::size_t max);

}  // namespace overlayd::flood
