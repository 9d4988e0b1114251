// Whom to dial next: the tick's decisions, as arithmetic over what is connected. Pure; the caller takes the addresses from
// the book and dials.
//
// Words.   A *slot* is one of the outbound target's; dials under way hold none. An address is *bound* by its group unless it
//          is preferred, configured or ordered by the operator.
// Rule 1.  The target is 3 while nobody calls us, else the configured one. Rationale: whoever cannot be called should not
//          take slots of those that can. Source: OverlayManagerImpl::availableOutboundAuthenticatedSlots.
// Rule 2.  Preferred peers come first, as many as slots are free or held by others. Source: OverlayManagerImpl::tick.
// Rule 3.  (ours) Then anchors (anchors.h) without a link. While one has none, a slot is kept for it, though not more than
//          half of the target: others get the free slots less those, and are not accepted into them (slots_for_others).
// Rule 4.  Then known outbound addresses, one pending slot kept for promotion unless it is the last; then addresses only
//          heard of, and those of inbound peers (promotion), as many as pending slots are left. Source:
//          OverlayManagerImpl::tick.
//          Ours: of the latter kDialsPerSlot for each slot that is still free, and kFeelersPerTick at least, so that the
//          book learns who can be reached without calling fifty peers that we then refuse. None with a target of 0.
// Rule 5.  (ours) Links and dials of bound addresses in one group (book/address.h) are at most per_group_max. Groups are
//          drawn first and addresses in them after. Rationale: an attacker has many addresses in few groups.
// Rule 6.  In preferred-only mode without preferred keys nobody else is dialled; with keys others are, for who has a key is
//          known only after HELLO. Source: the comment in OverlayManagerImpl::tick.
#pragma once
#include <map>

#include "core/ids.h"
#include "core/limits.h"

namespace overlayd::book {

struct DialState {
  std::uint32_t target_outbound = limits::kOutboundTarget;
  bool is_called = false;                  // an inbound peer is authenticated
  std::uint32_t authenticated = 0;         // outbound
  std::uint32_t authenticated_others = 0;  // of those, not preferred
  std::uint32_t pending_free = 0;          // outbound pending slots
  std::uint32_t anchors_waiting = 0;       // anchors without an authenticated link
  bool is_preferred_only = false;
  bool has_preferred_keys = false;
};

// Rule 3: of `target` slots, those that a peer which is no anchor and not preferred may be accepted into.
[[nodiscard]] std::uint32_t slots_for_others(std::uint32_t target, std::uint32_t anchors_waiting);

// What one tick may do, in this order; each step is told how many dials the ones before made.
class DialPlan {
 public:
  explicit DialPlan(const DialState& state);

  [[nodiscard]] std::size_t preferred_max() const;
  void on_preferred(std::size_t dialled);
  [[nodiscard]] std::size_t anchors_max() const;
  void on_anchors(std::size_t dialled);
  [[nodiscard]] std::size_t outbound_max() const;
  void on_outbound(std::size_t dialled);
  // An authenticated peer was dropped to make room for another.
  void on_dropped() { ++slots_free_; }
  [[nodiscard]] std::size_t inbound_max() const;

  // Slots no authenticated peer holds, of rule 1's target.
  [[nodiscard]] std::uint32_t slots_free() const { return slots_free_; }
  [[nodiscard]] std::uint32_t pending_free() const { return pending_free_; }

 private:
  [[nodiscard]] std::uint32_t unplanned() const;
  void spend(std::size_t dialled);

  DialState state_;
  std::uint32_t slots_free_ = 0;
  std::uint32_t pending_free_ = 0;
  std::uint32_t planned_ = 0;  // dials of this tick that hope for a slot not kept
  std::uint32_t kept_ = 0;     // slots kept for anchors
};

// Rule 5: how many links and dials each group has.
class GroupCounts {
 public:
  explicit GroupCounts(std::uint32_t per_group_max) : per_group_max_(per_group_max) {}
  void add(const PeerAddress& address);
  [[nodiscard]] bool has_room_for(const PeerAddress& address) const;

 private:
  std::uint32_t per_group_max_;
  std::map<PeerAddress, std::uint32_t> counts_;  // by group
};

}  // namespace overlayd::book
