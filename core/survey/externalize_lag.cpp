#include "core/survey/externalize_lag.h"

#include "core/limits.h"

namespace overlayd::survey {

ExternalizeLag::Slot* ExternalizeLag::slot_of(std::uint64_t slot, Instant now) {
  if (const auto found = slots_.find(slot); found != slots_.end()) return &found->second;
  if (slots_.size() >= limits::kSurveySlotsMax) {
    if (slot < slots_.begin()->first) return nullptr;
    slots_.erase(slots_.begin());
  }
  Slot& made = slots_[slot];
  made.first = now;
  return &made;
}

std::optional<Duration> ExternalizeLag::on_self(std::uint64_t slot, Instant now) {
  Slot* at = slot_of(slot, now);
  if (at == nullptr || at->has_self) return std::nullopt;
  at->has_self = true;
  return now - at->first;
}

std::optional<Duration> ExternalizeLag::on_other(std::uint64_t slot, const NodeId& node, Instant now) {
  Slot* at = slot_of(slot, now);
  if (at == nullptr || !at->has_self || at->others.size() >= limits::kQuorumNodesMax) return std::nullopt;
  if (!at->others.insert(node).second) return std::nullopt;
  return now - at->first;
}

}  // namespace overlayd::survey
