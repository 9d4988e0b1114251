// The book of known peers: addresses, how often dialling them failed, when to try again, and what they are to us.
//
// Words.   A record's *type*: inbound (heard of, or only ever connected to us), outbound (we connected to it once),
//          preferred (configured). A *failure* is an attempt to connect or to be accepted that did not succeed.
// Rule 1.  Type. Observed preferred makes the record preferred. Observed outbound raises inbound to outbound, and
//          lowers preferred to outbound if the peer is known not to be preferred. Observed inbound lowers preferred to
//          outbound and changes nothing else. Source: getTypeUpdate, PeerManager::update.
// Rule 2.  Back-off. After failure n the next attempt is at now + uniform(1, 2^min(10, n) × 10) seconds; after a
//          success failures are 0 and it is at now + 1 to 10 seconds; a hard reset (configured peers at start) makes
//          failures 0 and it is now. Rationale of the chance: nodes that lost the same peer do not return together.
//          Source: computeBackoff, PeerManager::update(BackOffUpdate). (ours) What was our doing, as a table of ours that
//          is full, is no failure: they stay as they are, and the next attempt is at now + 5 to 30 seconds; where the address
//          turned out to be that of a peer that we have, or that is banned, at now + 60 to 120 seconds. A success that did
//          not last (the remote had no slot for us) is none: `undo_success` lets the failures go on from where they were.
// Rule 3.  An update of an address without a record makes one (inbound, no failures, due now).
// Rule 4.  A record with 120 failures or more is hopeless: it is erased at the start, and when a link to its IP ends.
//          Source: PeerManager::removePeersWithManyFailures, Config::REALLY_DEAD_NUM_FAILURES_CUTOFF.
// Rule 5.  Whom to dial: at random among the records of the type that are due, have at most 120 failures and that the
//          caller wants, at most 50 at once. Source: RandomPeerSource::nextAttemptCutoff,
//          OverlayManagerImpl::getPeersToConnectTo. (ours) Drawn by group (address.h): one address of each group in turn, the
//          groups in random order. Rationale: an attacker has many addresses in few groups.
// Rule 6.  Whom to name in PEERS: at random up to 50 shareable addresses with at most 10 failures and not the
//          recipient's; outbound and preferred ones first, then inbound ones. Source: PeerManager::getPeersToSend. (ours)
//          Drawn by group like rule 5's.
// Rule 7.  What PEERS tells us: only shareable addresses (address.h) with a port from 1 to 65535, not our own, are
//          entered, and with failures 0 whatever the message says. An address that is known changes nothing. Source:
//          Peer::recvPeers.
// Rule 8.  (ours) An address that a caller names in its HELLO, and that has no record, is hearsay as rule 7's are: who
//          calls may name any port. Of such records, while they are inbound and not configured, at most 8 are kept for an
//          IP (for IPv6 a /64); one more takes the place of the oldest of them. Loaded inbound records may be such, and
//          count as such: they are not erased for being many, but a further one does not make them more. Observing a
//          known address is not hearsay.
// Rule 9.  (ours) Of what we only heard of (rules 7 and 8, while inbound and not configured) at most hearsay_per_group_max
//          records are in one group, and at most hearsay_per_source_max came from peers of one group. One more takes the
//          place of the worst of these that has failures, else it is refused. Rationale: neither one peer's PEERS nor one
//          range of addresses can fill the book. Loaded records have no source.
// Limits.  known_max records. One more takes the place of the worst that is not preferred: most failures, then the
//          latest next attempt, then the highest address. If all are preferred the new record is refused. Hearsay takes
//          only the place of the worst that is inbound, with failures and not *configured* (hard reset since the start),
//          else it is refused (addresses_refused): strangers cannot wash out a book that works.
// Effects. Every change is put out as StorePeer, every removal as ErasePeer; `load` puts out nothing.
// Does not protect against a peer that names 100 dead addresses: they cost one dial each per back-off.
// Source:  stellar-core PeerManager, commit a9b8613; departures from it are marked "ours".
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <vector>

#include "core/clock.h"
#include "core/limits.h"
#include "core/metrics.h"
#include "core/outputs.h"
#include "core/random.h"
#include "core/wire/values.h"

namespace overlayd::book {

struct PeerManagerOptions {
  bool is_private_allowed = false;
  std::size_t known_max = limits::kKnownPeersMax;
  std::size_t inbound_per_ip_max = limits::kInboundRecordsPerIpMax;
  std::size_t hearsay_per_group_max = limits::kHearsayPerGroupMax;
  std::size_t hearsay_per_source_max = limits::kHearsayPerSourceMax;
};

enum class BackOff : std::uint8_t { kHardReset, kReset, kIncrease, kOurDoing, kUnwanted };

struct Observation {
  PeerType type = PeerType::kInbound;
  bool is_preferred_known = false;  // whether the peer's key has been seen, so that "not preferred" is certain
};

class PeerManager {
 public:
  using AddressPredicate = std::function<bool(const PeerAddress&)>;

  PeerManager(const PeerManagerOptions& options, Random& random, BookMetrics& metrics);
  PeerManager(const PeerManager&) = delete;
  PeerManager& operator=(const PeerManager&) = delete;

  // A stored record, at the start. False: no room.
  bool load(const PeerRecord& record);

  void ensure_exists(const PeerAddress& address, UnixTime now, Outputs& out);
  void update_type(const PeerAddress& address, const Observation& observed, UnixTime now, Outputs& out);
  void update_back_off(const PeerAddress& address, BackOff back_off, UnixTime now, Outputs& out);
  // The success was none: one failure more than the `failures` before it.
  void undo_success(const PeerAddress& address, std::uint32_t failures, UnixTime now, Outputs& out);
  // Both with one StorePeer.
  void update(const PeerAddress& address, const Observation& observed, BackOff back_off, UnixTime now, Outputs& out);
  // Rule 4: all hopeless records, and those of this IP.
  void forget_hopeless(Outputs& out);
  void forget_if_hopeless(const PeerAddress& address, Outputs& out);
  // The address is our own, or nobody's: it leaves the book.
  void forget(const PeerAddress& address, Outputs& out) { erase(address, &out); }
  // Rule 7. `source`: who sent it; `own`: our own addresses as far as they are known. Returns how many were new.
  std::size_t on_peers(std::span<const wire::WirePeerAddress> peers, const PeerAddress& source,
                       const std::set<PeerAddress>& own, UnixTime now, Outputs& out);

  // Rule 5; at most count_max and kConnectBatchMax, in random order. `is_wanted` is asked for each when it is drawn: what
  // it says yes to is chosen.
  [[nodiscard]] std::vector<PeerAddress> choose_to_dial(PeerType type, std::size_t count_max, UnixTime now,
                                                        const AddressPredicate& is_wanted);
  // Rule 6.
  [[nodiscard]] std::vector<PeerAddress> choose_to_send(const PeerAddress& recipient);

  [[nodiscard]] std::optional<PeerRecord> find(const PeerAddress& address) const;
  [[nodiscard]] std::vector<PeerRecord> list() const;  // ascending by address
  // Its hard reset came since the start.
  [[nodiscard]] bool is_configured(const PeerAddress& address) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  void check_invariants() const;

 private:
  // Where the caller of rule 8 is: an IPv4 address, or the first half of an IPv6 one.
  using Origin = std::array<std::uint8_t, 16>;
  // Worst last.
  using Rank = std::tuple<std::uint32_t, UnixTime, PeerAddress>;
  using Ranks = std::set<Rank>;
  using Group = PeerAddress;  // book::group_of
  struct Entry {
    PeerRecord record;
    bool is_configured = false;
    std::optional<Group> source{};  // who told of it; absent: loaded, or ours
  };

  [[nodiscard]] static Rank rank_of(const PeerRecord& record);
  [[nodiscard]] PeerRecord find_or_default(const PeerAddress& address, UnixTime now) const;
  void apply(PeerRecord& record, const Observation& observed) const;
  void apply(PeerRecord& record, BackOff back_off, UnixTime now);
  // False: no room.
  bool put(const PeerRecord& record, Outputs* out);
  bool put_hearsay(const PeerRecord& record, const std::optional<Group>& source, Outputs& out);
  void insert(Entry entry, Outputs* out);
  void observe(const PeerRecord& record, const Observation& observed, Outputs& out);
  void put_caller(const PeerRecord& record, Outputs& out);
  // Rule 9 and the limit: whose places one more would take; nothing if there is none for it.
  [[nodiscard]] std::optional<std::vector<PeerAddress>> places_for_hearsay(const PeerAddress& address,
                                                                           const std::optional<Group>& source) const;
  [[nodiscard]] static bool is_hearsay(const Entry& entry);
  // Whether hearsay may have its place.
  [[nodiscard]] static bool is_expendable(const Entry& entry);
  void add_ranks(const Entry& entry);
  void remove_ranks(const Entry& entry);
  void set_configured(const PeerAddress& address);
  void forget_caller(const PeerAddress& address);
  void erase(const PeerAddress& address, Outputs* out);
  // `from` ascending.
  void draw_by_group(std::span<const PeerAddress> from, std::size_t count_max, const AddressPredicate& is_wanted,
                     std::vector<PeerAddress>& to);

  PeerManagerOptions options_;
  Random& random_;
  BookMetrics& metrics_;
  std::map<PeerAddress, Entry> entries_;
  Ranks evictable_;                                     // of all that are not preferred
  Ranks expendable_;                                    // of those, what hearsay may replace
  std::map<Group, Ranks> hearsay_;                      // by group; never empty
  std::map<Group, Ranks> told_;                         // by source; never empty
  std::map<Origin, std::vector<PeerAddress>> callers_;  // rule 8; oldest first, never empty
};

}  // namespace overlayd::book
