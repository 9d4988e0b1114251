// What we lack: the items that envelopes and clients wait for, and a search for each.
//
// Words.   An *item* is a transaction set or quorum set named by its hash. A *search* is its tracker and all that waits
//          for it. The *senders* of an envelope are the peers that sent it to us; they are asked first, for in stellar-core
//          who relays an envelope holds what it names.
// Rule 1.  A search begins with the first envelope or client that needs an item, and ends when the item comes, when nothing
//          waits for it any more, or when all that waits is of slots outside the window. Source: ItemFetcher::fetch,
//          stopFetch, stopFetchingOutsideRange.
// Rule 2.  An item is whatever has its hash, whoever sends it: on_item ends the search even if another peer was asked.
//          What nobody searches for is not taken. Source: ItemFetcher::recv.
// Rule 3.  A client's wait counts like an envelope of the slot it names. Its holders count as senders.
// Rule 4.  After every full round over all peers in vain the item is reported as missing; the search goes on.
// Rule 5.  (ours) Of what a peer's query limit lets it answer in a window, of each kind of item, it is asked at most 40 %
//          at once and 50 % more as the window passes, so never more than the limit, wherever the peer's windows begin.
//          The last third of the 40 % is for searches that several SCP nodes or a client ask for; of the rest, one SCP
//          node's own searches get a kNodeShare-th. Rationale: what goes beyond the limit is ignored in silence, and one
//          who makes up hashes must not use it up.
// Rule 6.  (ours) A peer is mute (tracker.h) once it left kUnansweredMax questions in a row unanswered for
//          kFetchReplyTimeout, until it sends an item that was searched for, or says that it has none while its answer is
//          awaited.
// Limits (ours), all against envelopes that name what does not exist; nothing is evicted but by rule 8:
// Rule 7.  Of one SCP node at most kWaitingPerNodeMax envelopes wait, past which its own oldest no longer does; and at most
//          kTrackersPerNodeMax searches that no other node asks for. For envelopes that one peer (by node id) was the first
//          to send, at most kTrackersPerLinkMax searches. Past these a search is not begun.
//          An envelope waits for the first kLackingMax items that it lacks; to name one twice, or to wait already, changes
//          nothing. Rationale: 200,000 bytes can name 4,000 sets, what an honest node nominates are a few.
// Rule 8.  In all at most kTrackersMax searches, kClientFetchesMax of them for clients only. Past that the peer (by node id)
//          on whose account most of those were begun that only one SCP node asks for gives up the oldest of them; if that
//          is the peer whose envelope needs room, or none has any, then the one with most searches of any kind its oldest
//          (where the quorum is not known, several SCP nodes are as cheap as one), but for what clients wait for; if that
//          is the same peer again, the new one is refused. So whoever names many hashes that nobody else names loses his
//          own, and nobody can fill all places from a few links.
//          kWaitingMax envelopes, kWaitingPerTrackerMax of them for one item, kSendersPerEnvelopeMax senders of each,
//          kClientFetchesMax items for clients.
// Not here: the items (item_store), which envelopes are worth anything, messages.
// Source:  stellar-core ItemFetcher, commit a9b8613; departures from it are marked "ours".
#pragma once
#include <map>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/fetch/item_store.h"
#include "core/fetch/slot_window.h"
#include "core/fetch/tracker.h"
#include "core/inputs.h"
#include "core/metrics.h"

namespace overlayd::fetch {

inline constexpr std::uint32_t kUnansweredMax = 2;
inline constexpr std::size_t kFetchStepMax = 64;  // searches that one advance looks after
inline constexpr std::int64_t kNodeShare = 6;
inline constexpr std::size_t kLackingMax = 64;  // items that one envelope waits for

// What a call found to be done.
struct FetchBatch {
  struct Question {
    PeerId peer;
    ItemId item;
  };
  struct Missing {
    ItemId item;
    Duration searched_for{0};
    std::uint32_t peers_asked = 0;
    std::uint32_t rounds = 0;
  };
  std::vector<Question> questions;
  std::vector<Missing> missing;
};

// An envelope, as far as fetching goes.
struct WaitingEnvelope {
  FloodHash hash;
  Reference reference;  // its slot and SCP node
  PeerId from;          // who sent it; local: a client
  NodeId from_node;     // the node behind `from`; zero: a client
};

class ItemFetcher {
 public:
  struct Found {
    Duration searched_for{0};
    std::uint32_t peers_asked = 0;
    std::uint32_t rounds = 0;
    std::vector<Reference> references;           // of the envelopes that waited
    std::optional<std::uint64_t> client_slot{};  // if a client waited: the slot it named
  };
  enum class Want : std::uint8_t { kBegun, kJoined, kRefused };

  ItemFetcher(Random& random, FetchMetrics& metrics);
  ItemFetcher(const ItemFetcher&) = delete;
  ItemFetcher& operator=(const ItemFetcher&) = delete;

  // Peers that may be asked: between these two. on_latency moves one to its band; before that it is in the nearest.
  void on_peer(PeerId peer) { peers_.emplace(peer, Peer{}); }
  void on_latency(PeerId peer, Duration latency);
  void on_peer_gone(PeerId peer, Instant now);
  // How many questions a peer answers: `per_second` of each window of this length.
  void set_query_limit(Duration window, std::uint32_t per_second);

  // `lacking`: what it names and is not held. Questions go out with the next advance, which is due at once.
  void need(const WaitingEnvelope& envelope, std::span<const ItemId> lacking, Instant now);
  // The envelope came again from somebody else.
  void on_sender(const FloodHash& envelope, PeerId from);
  // The envelope is worth nothing after all.
  void forget(const FloodHash& envelope);

  Want want(const ItemId& item, std::uint64_t slot, std::span<const PeerId> holders, Instant now);
  // False: no client waited for it.
  bool cancel(const ItemId& item);

  [[nodiscard]] bool is_searched(const ItemId& item) const { return searches_.contains(item); }
  // Nothing: nobody searched for it.
  // `from` is local if a client put it.
  std::optional<Found> on_item(const ItemId& item, PeerId from, Instant now);
  // The peer has none: it said so, or asks for it itself.
  void on_dont_have(PeerId peer, const ItemId& item, Instant now);
  // What waits of slots outside ends. A client that named slot 0 waits as for `current`, the ledger's.
  void set_window(const SlotWindow& window, std::uint64_t current);

  void advance(Instant now, FetchBatch& batch);
  [[nodiscard]] Instant next_deadline() const { return due_.empty() ? Instant::never() : due_.begin()->first; }

  [[nodiscard]] std::size_t searches() const { return searches_.size(); }
  [[nodiscard]] std::size_t waiting() const { return envelopes_.size(); }  // envelopes
  void check_invariants() const;

 private:
  // When it came, so that the oldest can be told.
  using Ordinal = std::uint64_t;
  struct Envelope {
    Reference reference;
    Ordinal ordinal = 0;
    std::vector<PeerId> senders;
    std::vector<ItemId> lacking;
  };
  struct ClientWait {
    std::uint64_t slot = 0;
    std::vector<PeerId> holders;
  };
  struct Search {
    Tracker tracker;
    Ordinal ordinal = 0;
    NodeId link;             // on whose account it was begun; zero: a client's
    NodeId node;             // the SCP node whose envelope began it
    bool is_shared = false;  // envelopes of several SCP nodes, or a client, have waited for it
    std::vector<FloodHash> waiting{};
    std::optional<ClientWait> client{};
  };
  // What counts against one peer's node id.
  struct Account {
    std::set<std::pair<Ordinal, ItemId>> searches;
    std::set<std::pair<Ordinal, ItemId>> unshared;  // of these: the first to yield
  };
  // Rule 5, of one peer and kind: when all that was asked will count no longer.
  struct Spending {
    Instant until;
    std::map<NodeId, Instant> unshared;  // the same, of searches that one SCP node alone asks for
  };
  struct Peer {
    std::uint32_t band = 0;        // of its latency
    std::uint32_t unanswered = 0;  // questions, in a row
    std::array<Spending, kItemKindCount> spending{};
  };
  // Ordered: an envelope names what it likes, and could choose hashes that fall into one bucket.
  using Searches = std::map<ItemId, Search>;
  using Envelopes = std::unordered_map<FloodHash, Envelope>;

  // Null: refused.
  Search* search_for(const ItemId& item, const NodeId& link, const NodeId& node, Instant now);
  bool has_share(const NodeId& link, const NodeId& node) const;
  bool make_room(const NodeId& link);
  void share(const ItemId& item, Search& search, Instant now);
  void uncount_unshared(const ItemId& item, const Search& search);
  bool wait_for(const ItemId& item, const WaitingEnvelope& envelope, Instant now);
  void bound_waiting(const NodeId& node);
  void stop_if_unwanted(Searches::iterator at);
  void end_search(Searches::iterator at);
  // Takes the envelope out of all searches it waits in.
  void erase_envelope(Envelopes::iterator at);
  void erase_record(Envelopes::iterator at);
  void on_answer(PeerId peer);
  void ask_next(const ItemId& item, Search& search, Instant now, FetchBatch& batch);
  void set_due(const ItemId& item, Instant before, Instant after);
  [[nodiscard]] std::vector<Candidate> candidates(const ItemId& item, const Search& search, Instant now) const;
  [[nodiscard]] bool is_spent(const Peer& peer, ItemKind kind, const Search& search, Instant now) const;
  void spend(Peer& peer, ItemKind kind, const Search& search, Instant now);

  Random& random_;
  FetchMetrics& metrics_;
  std::map<PeerId, Peer> peers_;
  Duration question_cost_{0};       // rule 5: how long one counts
  std::int64_t questions_max_ = 0;  // at once
  Searches searches_;
  Envelopes envelopes_;
  std::set<std::pair<Instant, ItemId>> due_;
  std::map<NodeId, Account> accounts_;                                 // by link
  std::map<NodeId, std::size_t> unshared_by_node_;                     // searches, by SCP node
  std::map<NodeId, std::set<std::pair<Ordinal, FloodHash>>> by_node_;  // envelopes that wait, by SCP node
  std::size_t client_fetches_ = 0;
  Ordinal next_ordinal_ = 1;
};

}  // namespace overlayd::fetch
