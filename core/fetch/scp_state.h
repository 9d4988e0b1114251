// The latest SCP envelopes of every node in every remembered slot: the answer to GET_SCP_STATE.
//
// Words.   Each node says two kinds of things in a slot, nominations and ballot statements; of each kind the latest by the
//          protocol's order (xdr::is_newer_statement) stands for all before it.
// Rule 1.  remember keeps an envelope if it is the first of its node, slot and kind, or newer than the one held.
// Rule 2.  from and of give a slot's nominations first, then its ballot statements, each in the order of node ids; from
//          gives the slots in ascending order. Source: HerderImpl::sendSCPStateToPeer, Slot::processCurrentState.
// Rule 3.  forget_outside ends slots below `lowest` (the latest checkpoint stays, if there is one: not 0) and above
//          `highest`.
// Limits (ours). kScpStateSlotsMax slots; past it, of all but the new one, the one goes of which the fewest envelopes are
//          held; of equals, the one whose last envelope came longest ago. Rationale: out of sync any slot is plausible, and
//          one who signs for slots of his own must not push out those that a quorum speaks of.
//          bytes_max over all, and kScpStateNodeShare of it for one node; each envelope counts with kScpStateOverheadBytes.
//          Past either the envelope is not remembered, and counted. Rationale: where the quorum is not known anybody may
//          sign envelopes; one who does cannot take the room of others.
// Not here: whether a signature is good, whether node and slot are plausible: the caller has checked.
// Source:  stellar-core, commit a9b8613; departures from it are marked "ours".
#pragma once
#include <map>
#include <unordered_map>
#include <vector>

#include "core/fetch/slot_window.h"
#include "core/ids.h"
#include "core/inputs.h"
#include "core/limits.h"
#include "core/metrics.h"
#include "core/xdr/view.h"

namespace overlayd::fetch {

inline constexpr std::size_t kScpStateSlotsMax = 256;  // the window in sync, checkpoint and some
inline constexpr std::size_t kScpStateOverheadBytes = 256;
inline constexpr std::size_t kScpStateNodeShare = 64;
static_assert(kScpStateSlotsMax > limits::kSlotsToRememberMax + limits::kLedgerValidityBracket + 1);

struct ScpStateOptions {
  std::size_t bytes_max = limits::kScpStateBytesMax;
};

class ScpState {
 public:
  ScpState(const ScpStateOptions& options, FetchMetrics& metrics);
  ScpState(const ScpState&) = delete;
  ScpState& operator=(const ScpState&) = delete;

  // `envelope` is a view of `message`, an SCP_MESSAGE. True: it is held now.
  bool remember(const MessagePtr& message, const xdr::ScpEnvelopeView& envelope);
  // If it is still the latest; the one it replaced is gone.
  void forget(const FloodHash& hash);
  void forget_outside(const SlotWindow& window);

  // Of at most `slots_max` slots from `first` on, `left_out` not among them.
  [[nodiscard]] std::vector<MessagePtr> from(std::uint64_t first, std::size_t slots_max, std::uint64_t left_out) const;
  [[nodiscard]] std::vector<MessagePtr> of(std::uint64_t slot) const;
  // Whether it is what its node said last.
  [[nodiscard]] bool holds(const FloodHash& hash) const { return places_.contains(hash); }

  [[nodiscard]] std::size_t slots() const { return slots_.size(); }
  [[nodiscard]] std::size_t size() const { return places_.size(); }  // envelopes
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  void check_invariants() const;

 private:
  using Latest = std::map<NodeId, MessagePtr>;
  struct Slot {
    Latest nominations;
    Latest ballots;
    std::uint64_t touched = 0;  // ordinal of its last envelope
  };
  struct Place {
    std::uint64_t slot = 0;
    bool is_nomination = false;
    NodeId node;
  };
  using Slots = std::map<std::uint64_t, Slot>;

  void erase_slot(Slots::iterator at);
  void release(const NodeId& node, const MessagePtr& message);
  [[nodiscard]] bool has_room(const NodeId& node, std::size_t cost, std::size_t freed) const;
  void bound_slots(std::uint64_t spared);
  static void append(const Slot& slot, std::vector<MessagePtr>& out);

  const ScpStateOptions options_;
  FetchMetrics& metrics_;
  Slots slots_;
  std::unordered_map<FloodHash, Place> places_;
  std::unordered_map<NodeId, std::size_t> node_bytes_;
  std::size_t bytes_ = 0;
  std::uint64_t next_ordinal_ = 1;
};

}  // namespace overlayd::fetch
