#include "core/book/dial_plan.h"

#include <algorithm>

#include "core/book/address.h"

namespace overlayd::book {
namespace {

std::uint32_t less(std::uint32_t from, std::uint64_t by) {
  return by < from ? from - static_cast<std::uint32_t>(by) : 0;
}

}  // namespace

std::uint32_t slots_for_others(std::uint32_t target, std::uint32_t anchors_waiting) {
  return target - std::min(anchors_waiting, target / 2);
}

DialPlan::DialPlan(const DialState& state) : state_(state), pending_free_(state.pending_free) {
  const std::uint32_t target =
      state.is_called ? state.target_outbound : std::min(state.target_outbound, limits::kOutboundWithoutInbound);
  slots_free_ = less(target, state.authenticated);
  kept_ = target - slots_for_others(target, state.anchors_waiting);
}

void DialPlan::spend(std::size_t dialled) {
  pending_free_ = less(pending_free_, dialled);
  planned_ += static_cast<std::uint32_t>(dialled);
}

// What is left to anybody: not hoped for by a dial of this tick, not kept for an anchor.
std::uint32_t DialPlan::unplanned() const { return less(slots_free_, std::uint64_t{planned_} + kept_); }

std::size_t DialPlan::preferred_max() const {
  return std::min(pending_free_, slots_free_ + state_.authenticated_others);
}

void DialPlan::on_preferred(std::size_t dialled) { spend(dialled); }

std::size_t DialPlan::anchors_max() const {
  if (state_.is_preferred_only && !state_.has_preferred_keys) return 0;
  return std::min(pending_free_, less(slots_free_, planned_));
}

// Theirs are the slots kept.
void DialPlan::on_anchors(std::size_t dialled) { pending_free_ = less(pending_free_, dialled); }

std::size_t DialPlan::outbound_max() const {
  if (state_.is_preferred_only && !state_.has_preferred_keys) return 0;
  const std::uint32_t pending = pending_free_ > 1 ? pending_free_ - 1 : pending_free_;
  return std::min(pending, unplanned());
}

void DialPlan::on_outbound(std::size_t dialled) { spend(dialled); }

std::size_t DialPlan::inbound_max() const {
  if (state_.target_outbound == 0) return 0;
  if (state_.is_preferred_only && !state_.has_preferred_keys) return 0;
  const std::size_t tries = std::min<std::size_t>(limits::kConnectBatchMax, unplanned() * limits::kDialsPerSlot);
  return std::min<std::size_t>(pending_free_, std::max(tries, limits::kFeelersPerTick));
}

void GroupCounts::add(const PeerAddress& address) { ++counts_[group_of(address)]; }

bool GroupCounts::has_room_for(const PeerAddress& address) const {
  const auto found = counts_.find(group_of(address));
  return found == counts_.end() || found->second < per_group_max_;
}

}  // namespace overlayd::book
