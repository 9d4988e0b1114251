// Who may not be our peer: the operator's bans, by node id or by range of addresses; and cool-downs, which end soon and
// are not remembered over a restart.
//
// Words.   *Banned*: a node is refused once its HELLO has named it, an address when it calls and before it is dialled, until
//          the ban ends or is lifted. Nothing is banned automatically, and bans are told to nobody.
//          *Cooling down*: the same for a node or an address that was dropped a short time ago.
//          A *hit* is a link that was refused or dropped for a ban.
// Rule 1.  One ban for a subject: a further one replaces reason, author and end; when it was made becomes now; hits stay.
// Rule 2.  A ban whose end has come holds no more at that very second; `expire` removes it.
// Rule 3.  Hits and removals are put out as StoreBan and EraseBan without a request; what an operator asked for is put
//          out by the caller, who knows the request. Hits are collected and put out by put_out_hits, each ban once.
// Limits.  bans_max bans; a further one is refused (the operator is told) rather than another one lifted.
//          cool_downs_max cool-downs; one more takes the place of the one that ends first.
// Does not protect against a node that makes itself a new key: a node id costs nothing.
// Source:  stellar-core BanManager, commit a9b8613: by node id, without end. Ranges, terms, hits and cool-downs are ours.
#pragma once
#include <map>
#include <set>
#include <span>
#include <vector>

#include "core/ban.h"
#include "core/limits.h"
#include "core/metrics.h"
#include "core/outputs.h"

namespace overlayd::book {

// A strkey, or a range as address.h writes it.
[[nodiscard]] std::string subject_text(const BanSubject& subject);

struct BanManagerOptions {
  std::size_t bans_max = limits::kBansMax;
  std::size_t cool_downs_max = limits::kCoolDownsMax;
};

class BanManager {
 public:
  BanManager(const BanManagerOptions& options, BookMetrics& metrics) : options_(options), metrics_(metrics) {}
  BanManager(const BanManager&) = delete;
  BanManager& operator=(const BanManager&) = delete;

  // A stored ban, at the start. False: no room.
  bool load(const Ban& ban);
  // Null: the list is full and does not hold the subject.
  const Ban* ban(const BanSubject& subject, const BanTerms& terms, UnixTime now);
  // False: there is no ban of exactly this subject.
  bool unban(const BanSubject& subject);

  // The ban that keeps it out; null: none. A zero node stands for none that is known.
  [[nodiscard]] const Ban* find(const NodeId& node, UnixTime now) const;
  [[nodiscard]] const Ban* find(const PeerAddress& address, UnixTime now) const;
  // All that keep the node or the address out, nodes first.
  [[nodiscard]] std::vector<Ban> matching(const NodeId& node, const PeerAddress& address, UnixTime now) const;
  // Counts a hit of a ban that find returned.
  void hit(const BanSubject& subject, UnixTime now);

  // Until `until` at least.
  void cool_down(const NodeId& node, Instant until);
  void cool_down(const PeerAddress& address, Instant until);
  // How much longer; 0: it does not. An address with port 0 matches every port of its IP, and is matched by them.
  [[nodiscard]] Duration cools_down_for(const NodeId& node, Instant now) const;
  [[nodiscard]] Duration cools_down_for(const PeerAddress& address, Instant now) const;

  // Removes what has ended.
  void expire(const Now& now, Outputs& out);
  void put_out_hits(Outputs& out);

  // Nodes first, then ranges, each ascending; those that have ended left out.
  [[nodiscard]] std::vector<Ban> list(UnixTime now) const;
  [[nodiscard]] std::size_t size() const { return bans_.size(); }
  void check_invariants() const;

 private:
  // Whom a cool-down keeps away.
  using Cooling = std::variant<NodeId, PeerAddress>;

  [[nodiscard]] const Ban* find(const BanSubject& subject, UnixTime now) const;
  void add_prefix(const BanSubject& subject);
  void remove_prefix(const BanSubject& subject);
  void cool(const Cooling& whom, Instant until);
  [[nodiscard]] Duration cools_for(const Cooling& whom, Instant now) const;

  BanManagerOptions options_;
  BookMetrics& metrics_;
  std::map<BanSubject, Ban> bans_;
  std::map<std::uint8_t, std::size_t> prefixes_;  // lengths that ranges have, and how many
  std::set<BanSubject> hit_;                      // not put out yet
  std::map<Cooling, Instant> cooling_;
};

}  // namespace overlayd::book
