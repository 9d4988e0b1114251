#include "core/fetch/scp_state.h"

#include <algorithm>

#include "core/check.h"
#include "core/wire/message.h"

namespace overlayd::fetch {
namespace {

std::size_t cost_of(const MessagePtr& message) { return message->size() + kScpStateOverheadBytes; }

bool is_newer(const MessagePtr& held, const xdr::ScpEnvelopeView& candidate) {
  const auto former = xdr::read_scp_envelope(held->body());
  return !former || xdr::is_newer_statement(*former, candidate);
}

}  // namespace

ScpState::ScpState(const ScpStateOptions& options, FetchMetrics& metrics) : options_(options), metrics_(metrics) {}

bool ScpState::remember(const MessagePtr& message, const xdr::ScpEnvelopeView& envelope) {
  const bool is_nomination = envelope.type == xdr::ScpStatementType::kNominate;
  const auto slot = slots_.find(envelope.slot);
  const MessagePtr* former = nullptr;
  if (slot != slots_.end()) {
    Latest& latest = is_nomination ? slot->second.nominations : slot->second.ballots;
    const auto held = latest.find(envelope.node);
    if (held != latest.end()) former = &held->second;
  }
  if (former != nullptr && !is_newer(*former, envelope)) return false;
  if (!has_room(envelope.node, cost_of(message), former == nullptr ? 0 : cost_of(*former))) {
    ++metrics_.scp_state_refused;
    return false;
  }
  if (former != nullptr) release(envelope.node, *former);
  Slot& target = slots_[envelope.slot];
  target.touched = next_ordinal_++;
  (is_nomination ? target.nominations : target.ballots)[envelope.node] = message;
  places_.emplace(message->flood_hash(), Place{envelope.slot, is_nomination, envelope.node});
  node_bytes_[envelope.node] += cost_of(message);
  bytes_ += cost_of(message);
  bound_slots(envelope.slot);
  return true;
}

bool ScpState::has_room(const NodeId& node, std::size_t cost, std::size_t freed) const {
  const auto of_node = node_bytes_.find(node);
  const std::size_t held = of_node == node_bytes_.end() ? 0 : of_node->second;
  return bytes_ - freed + cost <= options_.bytes_max && held - freed + cost <= options_.bytes_max / kScpStateNodeShare;
}

void ScpState::release(const NodeId& node, const MessagePtr& message) {
  places_.erase(message->flood_hash());
  bytes_ -= cost_of(message);
  const auto of_node = node_bytes_.find(node);
  of_node->second -= cost_of(message);
  if (of_node->second == 0) node_bytes_.erase(of_node);
}

void ScpState::forget(const FloodHash& hash) {
  const auto found = places_.find(hash);
  if (found == places_.end()) return;
  const Place place = found->second;
  const auto slot = slots_.find(place.slot);
  Latest& latest = place.is_nomination ? slot->second.nominations : slot->second.ballots;
  const auto held = latest.find(place.node);
  release(place.node, held->second);
  latest.erase(held);
  if (slot->second.nominations.empty() && slot->second.ballots.empty()) slots_.erase(slot);
}

void ScpState::forget_outside(const SlotWindow& window) {
  for (auto at = slots_.begin(); at != slots_.end();) {
    const auto next = std::next(at);
    if (!window.contains(at->first)) erase_slot(at);
    at = next;
  }
}

void ScpState::erase_slot(Slots::iterator at) {
  for (const Latest* latest : {&at->second.nominations, &at->second.ballots})
    for (const auto& [node, message] : *latest) release(node, message);
  slots_.erase(at);
}

void ScpState::bound_slots(std::uint64_t spared) {
  if (slots_.size() <= kScpStateSlotsMax) return;
  const auto rank = [spared](const Slots::value_type& of) {
    const auto& [number, slot] = of;
    return std::make_tuple(number == spared, slot.nominations.size() + slot.ballots.size(), slot.touched);
  };
  erase_slot(std::ranges::min_element(slots_, {}, rank));
}

void ScpState::append(const Slot& slot, std::vector<MessagePtr>& out) {
  for (const Latest* latest : {&slot.nominations, &slot.ballots})
    for (const auto& [node, message] : *latest) out.push_back(message);
}

std::vector<MessagePtr> ScpState::from(std::uint64_t first, std::size_t slots_max, std::uint64_t left_out) const {
  std::vector<MessagePtr> messages;
  for (auto at = slots_.lower_bound(first); at != slots_.end() && slots_max > 0; ++at) {
    if (at->first == left_out) continue;
    append(at->second, messages);
    --slots_max;
  }
  return messages;
}

std::vector<MessagePtr> ScpState::of(std::uint64_t slot) const {
  std::vector<MessagePtr> messages;
  if (const auto found = slots_.find(slot); found != slots_.end()) append(found->second, messages);
  return messages;
}

void ScpState::check_invariants() const {
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (const auto& [number, slot] : slots_) {
    OVERLAYD_CHECK(!slot.nominations.empty() || !slot.ballots.empty());
    for (const Latest* latest : {&slot.nominations, &slot.ballots})
      for (const auto& [node, message] : *latest) {
        const auto place = places_.find(message->flood_hash());
        OVERLAYD_CHECK(place != places_.end() && place->second.slot == number && place->second.node == node);
        bytes += cost_of(message);
        ++count;
      }
  }
  OVERLAYD_CHECK(bytes == bytes_ && count == places_.size());
  OVERLAYD_CHECK(bytes_ <= options_.bytes_max && slots_.size() <= kScpStateSlotsMax);
}

}  // namespace overlayd::fetch
