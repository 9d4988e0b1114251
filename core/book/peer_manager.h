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
//          Source: computeBackoff, PeerManager::update(BackOffUpdate).
// Rule 3.  An update of an address without a record makes one (inbound, no failures, due now).
// Rule 4.  A record with 120 failures or more is hopeless: it is erased at the start, and when a link to its IP ends.
//          Source: PeerManager::removePeersWithManyFailures, Config::REALLY_DEAD_NUM_FAILURES_CUTOFF.
// Rule 5.  Whom to dial: at random among the records of the type that are due and not hopeless and that the caller
//          wants, at most 50 at once. Source: RandomPeerSource::nextAttemptCutoff,
//          OverlayManagerImpl::getPeersToConnectTo.
// Rule 6.  Whom to name in PEERS: at random up to 50 shareable addresses with at most 10 failures and not the
//          recipient's; outbound and preferred ones first, then inbound ones. Source: PeerManager::getPeersToSend.
// Rule 7.  What PEERS tells us: only shareable addresses (address.h) with a port from 1 to 65535, not our own, are
//          entered, and with failures 0 whatever the message says. An address that is known changes nothing. Source:
//          Peer::recvPeers.
// Rule 8.  (ours) An address that a caller names in its HELLO, and that has no record, is hearsay as rule 7's are: who
//          calls may name any port. Of such records, while they are inbound and not configured, at most 8 are kept for an
//          IP (for IPv6 a /64); one more takes the place of the oldest of them. Loaded inbound records may be such, and
//          count as such: they are not erased for being many, but a further one does not make them more. Observing a
//          known address is not hearsay.
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
};

enum class BackOff : std::uint8_t { kHardReset, kReset, kIncrease };

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
  // Both with one StorePeer.
  void update(const PeerAddress& address, const Observation& observed, BackOff back_off, UnixTime now, Outputs& out);
  // Rule 4: all hopeless records, and those of this IP.
  void forget_hopeless(Outputs& out);
  void forget_if_hopeless(const PeerAddress& address, Outputs& out);
  // Rule 7. `self` is our own address as far as it is known. Returns how many were new.
  std::size_t on_peers(std::span<const wire::WirePeerAddress> peers, const std::optional<PeerAddress>& self,
                       UnixTime now, Outputs& out);

  // Rule 5; at most count_max and kConnectBatchMax, in random order.
  [[nodiscard]] std::vector<PeerAddress> choose_to_dial(PeerType type, std::size_t count_max, UnixTime now,
                                                        const AddressPredicate& is_wanted);
  // Rule 6.
  [[nodiscard]] std::vector<PeerAddress> choose_to_send(const PeerAddress& recipient);

  [[nodiscard]] std::optional<PeerRecord> find(const PeerAddress& address) const;
  [[nodiscard]] std::vector<PeerRecord> list() const;  // ascending by address
  [[nodiscard]] std::size_t size() const { return records_.size(); }
  void check_invariants() const;

 private:
  // Where the caller of rule 8 is: an IPv4 address, or the first half of an IPv6 one.
  using Origin = std::array<std::uint8_t, 16>;
  enum class Source : std::uint8_t { kOurs, kHearsay };
  // Worst last.
  using Rank = std::tuple<std::uint32_t, UnixTime, PeerAddress>;

  [[nodiscard]] static Rank rank_of(const PeerRecord& record);
  [[nodiscard]] PeerRecord find_or_default(const PeerAddress& address, UnixTime now) const;
  void apply(PeerRecord& record, const Observation& observed) const;
  void apply(PeerRecord& record, BackOff back_off, UnixTime now);
  // False: no room.
  bool put(const PeerRecord& record, Source source, Outputs* out);
  void observe(const PeerRecord& record, const Observation& observed, Outputs& out);
  void put_caller(const PeerRecord& record, Outputs& out);
  bool make_room(Source source, Outputs* out);
  // Whether hearsay may have its place.
  [[nodiscard]] bool is_expendable(const PeerRecord& record) const;
  void add_ranks(const PeerRecord& record);
  void remove_ranks(const PeerRecord& record);
  void set_configured(const PeerAddress& address);
  void forget_caller(const PeerAddress& address);
  void erase(const PeerAddress& address, Outputs* out);
  void take_random(std::vector<PeerAddress>& from, std::size_t count_max, std::vector<PeerAddress>& to);

  PeerManagerOptions options_;
  Random& random_;
  BookMetrics& metrics_;
  std::map<PeerAddress, PeerRecord> records_;
  std::set<Rank> evictable_;   // of all that are not preferred
  std::set<Rank> expendable_;  // of those, what hearsay may replace
  std::set<PeerAddress> configured_;
  std::map<Origin, std::vector<PeerAddress>> callers_;  // rule 8; oldest first, never empty
};

}  // namespace overlayd::book
