// Why peers go: the last links that ended, and what each node's links came to in all.
//
// Rule 1.  Links that were authenticated and those that never were have a ring each. Rationale: a flood of strangers must
//          not wash out why a validator's peers left.
// Rule 2.  Totals are kept by node id, from its authenticated links and those refused after HELLO. A HELLO proves nothing:
//          a link that never was authenticated adds to a node's totals, but makes none and does not keep them alive.
// Limits.  links_max entries a ring, the oldest go; totals_max nodes, the one that went longest ago goes.
//          Texts are cut: error_text to 100 bytes, detail to 200.
#pragma once
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "core/limits.h"
#include "core/snapshots.h"

namespace overlayd::book {

struct LinkJournalOptions {
  std::size_t links_max = limits::kClosedLinksMax;
  std::size_t totals_max = limits::kPeerTotalsMax;
};

class LinkJournal {
 public:
  explicit LinkJournal(const LinkJournalOptions& options) : options_(options) {}

  void add(ClosedLink closed);

  // Of both rings, the latest first.
  [[nodiscard]] std::vector<ClosedLink> latest(std::size_t limit) const;
  // Those of the peer: its node id, or its address (port 0: any port).
  [[nodiscard]] std::vector<ClosedLink> latest_of(const PeerSubject& peer, std::size_t limit) const;
  // Of the node; of an address, of every node whose last link was there.
  [[nodiscard]] std::vector<PeerTotals> totals_of(const PeerSubject& peer) const;
  [[nodiscard]] std::size_t size() const { return authenticated_.size() + others_.size(); }
  void check_invariants() const;

 private:
  struct Entry {
    std::uint64_t number = 0;  // rises; orders the two rings
    ClosedLink link;
  };
  struct Totals {
    PeerTotals totals;
    std::uint64_t number = 0;  // of its last link
  };
  [[nodiscard]] std::vector<ClosedLink> collect(std::size_t limit,
                                                const std::function<bool(const ClosedLink&)>& is_wanted) const;
  void add_to_totals(const ClosedLink& closed, std::uint64_t number);

  LinkJournalOptions options_;
  std::deque<Entry> authenticated_;
  std::deque<Entry> others_;
  std::map<NodeId, Totals> totals_;
  std::map<std::uint64_t, NodeId> totals_order_;  // by number of the last link
  std::uint64_t next_number_ = 1;
};

// Whether this is the peer: its node, or its address, port 0 standing for any.
[[nodiscard]] bool is_peer(const PeerSubject& peer, const NodeId& node, const PeerAddress& address);

}  // namespace overlayd::book
