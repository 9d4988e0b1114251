// Anchors: addresses that have been outbound peers for long, remembered over a restart. Rationale: whoever fills our book
// while we are down, or the tables of all others, cannot take the place of peers that have proved themselves.
//
// Rule 1.  The anchors are the outbound links that are authenticated the longest, for kAnchorAgeMin at least, of different
//          groups (book/address.h). Preferred and configured peers are none: they are dialled anyway.
// Rule 2.  An anchor whose link has ended stays one until kAnchorFailuresMax dials in a row came to nothing or to a link
//          shorter than kAnchorAgeMin, or it is given up by the caller (banned, or configured by now); then the next link
//          of rule 1 takes its place. Rationale: an attacker who can end our links for a moment must not change whom we
//          trust; a peer that has no room for us any more must not keep a slot empty.
// Rule 3.  While an anchor has no link, a slot is kept for it (dial_plan.h).
// Limits.  kAnchorsMax addresses.
// Source:  ours; stellar-core has none.
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "core/clock.h"
#include "core/outputs.h"

namespace overlayd::book {

// An authenticated outbound link that may become an anchor.
struct AnchorCandidate {
  PeerAddress address;
  Instant since;
};

class Anchors {
 public:
  // As stored; those past the limit are left out.
  explicit Anchors(std::span<const PeerAddress> stored);

  // A dial of the address, or the link it led to, has ended after so long: 0 if it was never authenticated.
  void on_link_ended(const PeerAddress& address, Duration authenticated_for);
  // Looks again at who is one. `is_given_up`: rule 2. Puts out StoreAnchors if they have changed.
  void refresh(std::span<const AnchorCandidate> candidates, Instant now,
               const std::function<bool(const PeerAddress&)>& is_given_up, Outputs& out);
  [[nodiscard]] bool contains(const PeerAddress& address) const;
  // In the order in which they became anchors.
  [[nodiscard]] std::vector<PeerAddress> list() const;

 private:
  struct Anchor {
    PeerAddress address;
    std::uint32_t failures = 0;
  };
  std::vector<Anchor> anchors_;
};

}  // namespace overlayd::book
