// When a slot's EXTERNALIZE was first heard of, when it was our own, and how late the others were.
//
// Rule 1.  The first EXTERNALIZE of a slot, whosever it is, starts its clock. Source:
//          HerderSCPDriver::recordSCPExternalizeEvent.
// Rule 2.  Our own is the first of: an EXTERNALIZE envelope that our consensus process broadcasts, and its UpdateLedger
//          with that ledger. It gives one sample of first-to-self, once a slot. Rationale: one that is no
//          validator sends no envelope, but says what it closed (stellar-core: valueExternalized).
// Rule 3.  Another node's EXTERNALIZE after our own gives one sample of self-to-other, counted from the slot's first, as
//          stellar-core counts it (commit a9b8613). A node's first counts; stellar-core counts each statement.
// Limits.  The limits::kSurveySlotsMax latest slots, limits::kQuorumNodesMax nodes of each.
#pragma once
#include <map>
#include <optional>
#include <set>

#include "core/clock.h"
#include "core/ids.h"

namespace overlayd::survey {

class ExternalizeLag {
 public:
  // Each returns the sample it gives.
  std::optional<Duration> on_self(std::uint64_t slot, Instant now);
  std::optional<Duration> on_other(std::uint64_t slot, const NodeId& node, Instant now);
  // Later slots are not to be timed: where the ledger is thought to be has changed.
  void forget_after(std::uint64_t slot) { slots_.erase(slots_.upper_bound(slot), slots_.end()); }
  [[nodiscard]] std::size_t slots() const { return slots_.size(); }

 private:
  struct Slot {
    Instant first;
    bool has_self = false;
    std::set<NodeId> others;  // that gave a sample
  };
  // Null: older than all that are kept.
  Slot* slot_of(std::uint64_t slot, Instant now);
  std::map<std::uint64_t, Slot> slots_;
};

}  // namespace overlayd::survey
