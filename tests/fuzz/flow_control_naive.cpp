#include "tests/fuzz/flow_control_naive.h"

#include <algorithm>

namespace overlayd::fuzz {

using peer::Credit;
using peer::SendQueueLimits;

std::optional<DropReason> NaiveFlow::begin(bool is_flood, std::uint64_t bytes) {
  const bool has_window =
      flood_locked_.messages + 1 <= window_.messages && flood_locked_.bytes + bytes <= window_.bytes;
  const bool has_room = locked_.messages + 1 <= 201 && locked_.bytes + bytes <= (16 << 20) + 4 + (1 << 20);
  if ((is_flood && !has_window) || !has_room) return DropReason::kOverCapacity;
  locked_ = {locked_.messages + 1, locked_.bytes + bytes};
  if (is_flood) flood_locked_ = {flood_locked_.messages + 1, flood_locked_.bytes + bytes};
  return std::nullopt;
}

std::optional<Credit> NaiveFlow::end(bool is_flood, std::uint64_t bytes) {
  locked_ = {locked_.messages - 1, locked_.bytes - bytes};
  if (!is_flood) return std::nullopt;
  flood_locked_ = {flood_locked_.messages - 1, flood_locked_.bytes - bytes};
  released_ = {released_.messages + 1, released_.bytes + bytes};
  if (released_.messages < 40 && released_.bytes < 100'000) return std::nullopt;
  return std::exchange(released_, {});
}

std::optional<Credit> NaiveFlow::on_max_tx_size(std::uint32_t max_tx_size) {
  if (max_tx_size <= max_tx_size_) return std::nullopt;
  const std::uint64_t growth = max_tx_size - max_tx_size_;
  window_.bytes += growth;
  max_tx_size_ = max_tx_size;
  return Credit{0, growth};
}

std::optional<DropReason> NaiveFlow::on_grant(Credit grant) {
  if (grant.bytes == 0) return DropReason::kSendMoreInvalid;
  const Credit sum{credit_.messages + grant.messages, credit_.bytes + grant.bytes};
  if (sum.messages < credit_.messages || sum.bytes < credit_.bytes) return DropReason::kCapacityOverflow;
  credit_ = sum;
  if (queued() == 0) waiting_since_.reset();
  return std::nullopt;
}

bool NaiveFlow::take_at_once(const FloodItem& item, const SendQueueLimits& limits) {
  if (item.kind == FloodKind::kScp || queued() > 0 || !has_credit(item.bytes)) return false;
  if (item.kind == FloodKind::kTransaction && item.bytes > limits.max_tx_size) return false;
  spend(item.bytes);
  waiting_since_.reset();
  return true;
}

void NaiveFlow::queue(FloodItem item, const SendQueueLimits& limits) {
  Queue& queue = queue_of(item.kind);
  switch (item.kind) {
    case FloodKind::kScp: return queue_scp(std::move(item), limits);
    case FloodKind::kTransaction:
      if (item.bytes > limits.max_tx_size) {
        ++metrics.oversized_transactions;
        return;
      }
      queue.push_back(std::move(item));
      if (queue.size() <= limits.max_tx_set_ops && bytes_of(queue) <= (3 << 20)) return;
      metrics.of(FloodQueue::kTransaction).dropped += queue.size();
      return queue.clear();
    case FloodKind::kDemand:
    case FloodKind::kAdvert:
      auto& dropped = metrics.of(item.kind == FloodKind::kDemand ? FloodQueue::kDemand : FloodQueue::kAdvert).dropped;
      queue.push_back(std::move(item));
      if (hashes_of(queue) <= limits.max_tx_set_ops) return;
      dropped += hashes_of(queue);
      return queue.clear();
  }
}

void NaiveFlow::queue_scp(FloodItem item, const SendQueueLimits& limits) {
  Queue& queue = queue_of(FloodKind::kScp);
  const auto is_stale = [&](const FloodItem& one) {
    return one.slot < limits.lowest_slot && one.slot != limits.checkpoint_slot;
  };
  const auto is_alike = [&](const FloodItem& one) { return one.node == item.node && one.slot == item.slot; };
  metrics.of(FloodQueue::kScp).dropped += std::erase_if(queue, is_stale);
  if (is_stale(item)) {
    ++metrics.of(FloodQueue::kScp).dropped;
    return;
  }
  if (replace_scp(item)) {
    ++metrics.of(FloodQueue::kScp).dropped;
  } else if (std::count_if(queue.begin(), queue.end(), is_alike) >= 8 || queue.size() >= 10'000) {
    ++metrics.of(FloodQueue::kScp).dropped;
  } else {
    queue.push_back(std::move(item));
  }
  for (; bytes_of(queue) > (16 << 20); ++metrics.of(FloodQueue::kScp).dropped) queue.erase(queue.begin());
}

bool NaiveFlow::replace_scp(const FloodItem& item) {
  for (FloodItem& old : queue_of(FloodKind::kScp)) {
    if (old.node != item.node || old.slot != item.slot || old.rank >= item.rank) continue;
    old = item;
    return true;
  }
  return false;
}

std::vector<FloodItem> NaiveFlow::take_sendable(Instant now) {
  std::vector<FloodItem> taken;
  for (Queue& queue : queues_) {
    while (!queue.empty() && has_credit(queue.front().bytes)) {
      spend(queue.front().bytes);
      taken.push_back(std::move(queue.front()));
      queue.erase(queue.begin());
    }
  }
  // The clock runs from when something had to wait, and anew from each time something left while the rest had to.
  const bool is_blocked = queued() > 0;
  if (!taken.empty()) waiting_since_.reset();
  if (is_blocked && !waiting_since_) waiting_since_ = now;
  return taken;
}

std::size_t NaiveFlow::queued() const {
  std::size_t count = 0;
  for (const Queue& queue : queues_) count += queue.size();
  return count;
}

std::uint64_t NaiveFlow::bytes_of(const Queue& queue) {
  std::uint64_t bytes = 0;
  for (const FloodItem& item : queue) bytes += item.bytes;
  return bytes;
}

std::uint64_t NaiveFlow::hashes_of(const Queue& queue) {
  std::uint64_t hashes = 0;
  for (const FloodItem& item : queue) hashes += item.hashes;
  return hashes;
}

}  // namespace overlayd::fuzz
