#include "core/peer/send_queue.h"

#include <algorithm>

#include "core/check.h"
#include "core/wire/message.h"
#include "core/wire/values.h"
#include "core/xdr/view.h"

namespace overlayd::peer {
namespace {

using wire::MessageType;

std::size_t count_hashes(const wire::Message& message) {
  const auto hashes = wire::read_tx_hashes(message.xdr());
  OVERLAYD_CHECK(hashes.has_value());
  return hashes->size();
}

}  // namespace

void SendQueue::push(MessagePtr message, Instant now, const SendQueueLimits& limits) {
  Entry entry{std::move(message), now, 0, {}, 0};
  switch (entry.message->type()) {
    case MessageType::kScpMessage: return push_scp(std::move(entry), limits);
    case MessageType::kTransaction: return push_transaction(std::move(entry), limits);
    case MessageType::kFloodDemand: return push_hashes(kDemand, std::move(entry), limits);
    case MessageType::kFloodAdvert: return push_hashes(kAdvert, std::move(entry), limits);
    default: OVERLAYD_CHECK(!"a message that does not flood was queued");
  }
}

void SendQueue::push_scp(Entry entry, const SendQueueLimits& limits) {
  std::deque<Entry>& queue = queues_[kScp];
  const auto envelope = xdr::read_scp_envelope(entry.message->body());
  OVERLAYD_CHECK(envelope.has_value());
  entry.slot = envelope->slot;
  entry.node = envelope->node;
  drop_stale_scp(limits);
  const bool is_stale = entry.slot < limits.lowest_slot && entry.slot != limits.checkpoint_slot;
  if (is_stale || replace_or_refuse_scp(entry)) {
    ++metrics_.dropped_scp;
  } else {
    scp_bytes_ += entry.message->size();
    queue.push_back(std::move(entry));
  }
  // What took another's place may be larger than that.
  while (scp_bytes_ > kScpQueueBytesMax) {
    scp_bytes_ -= queue.front().message->size();
    queue.pop_front();
    ++metrics_.dropped_scp;
  }
}

void SendQueue::drop_stale_scp(const SendQueueLimits& limits) {
  if (limits.lowest_slot == stale_below_ && limits.checkpoint_slot == kept_slot_) return;
  stale_below_ = limits.lowest_slot;
  kept_slot_ = limits.checkpoint_slot;
  const auto is_stale = [&](const Entry& queued) {
    if (queued.slot >= limits.lowest_slot || queued.slot == limits.checkpoint_slot) return false;
    scp_bytes_ -= queued.message->size();
    return true;
  };
  metrics_.dropped_scp += std::erase_if(queues_[kScp], is_stale);
}

bool SendQueue::replace_or_refuse_scp(Entry& entry) {
  const auto candidate = xdr::read_scp_envelope(entry.message->body());
  std::size_t alike = 0;
  for (Entry& queued : queues_[kScp]) {
    if (queued.slot != entry.slot || queued.node != entry.node) continue;
    ++alike;
    if (!xdr::is_newer_statement(*xdr::read_scp_envelope(queued.message->body()), *candidate)) continue;
    scp_bytes_ += entry.message->size();
    scp_bytes_ -= queued.message->size();
    queued = std::move(entry);
    return true;
  }
  return alike >= kScpPerNodeAndSlotMax || queues_[kScp].size() >= kScpQueueMax;
}

void SendQueue::push_transaction(Entry entry, const SendQueueLimits& limits) {
  std::deque<Entry>& queue = queues_[kTransaction];
  if (entry.message->size() > limits.max_tx_size) {
    ++metrics_.oversized_transactions;
    return;
  }
  transaction_bytes_ += entry.message->size();
  queue.push_back(std::move(entry));
  if (queue.size() <= limits.max_tx_set_ops && transaction_bytes_ <= limits::kTxQueueBytesMax) return;
  metrics_.dropped_transactions += queue.size();
  transaction_bytes_ = 0;
  queue.clear();
}

void SendQueue::push_hashes(Queue kind, Entry entry, const SendQueueLimits& limits) {
  std::deque<Entry>& queue = queues_[kind];
  entry.hash_count = count_hashes(*entry.message);
  hash_counts_[kind] += entry.hash_count;
  queue.push_back(std::move(entry));
  if (hash_counts_[kind] <= limits.max_tx_set_ops) return;
  (kind == kDemand ? metrics_.dropped_demands : metrics_.dropped_adverts) += hash_counts_[kind];
  hash_counts_[kind] = 0;
  queue.clear();
}

bool SendQueue::take(OutboundCredit& credit, std::vector<MessagePtr>& out) {
  bool is_blocked = false;
  for (std::size_t kind = 0; kind < kQueues; ++kind) {
    std::deque<Entry>& queue = queues_[kind];
    while (!queue.empty()) {
      Entry& front = queue.front();
      const std::size_t bytes = front.message->size();
      if (!credit.has_for(bytes)) {
        is_blocked = true;
        break;
      }
      credit.spend(bytes);
      if (kind == kTransaction) transaction_bytes_ -= bytes;
      if (kind == kScp) scp_bytes_ -= bytes;
      hash_counts_[kind] -= front.hash_count;
      out.push_back(std::move(front.message));
      queue.pop_front();
    }
  }
  return is_blocked;
}

std::size_t SendQueue::size() const {
  std::size_t total = 0;
  for (const auto& queue : queues_) total += queue.size();
  return total;
}

void SendQueue::check_invariants() const {
  std::uint64_t bytes = 0;
  for (const Entry& entry : queues_[kTransaction]) bytes += entry.message->size();
  OVERLAYD_CHECK(bytes == transaction_bytes_);
  for (const Queue kind : {kDemand, kAdvert}) {
    std::size_t hashes = 0;
    for (const Entry& entry : queues_[kind]) hashes += entry.hash_count;
    OVERLAYD_CHECK(hashes == hash_counts_[kind]);
  }
  std::uint64_t scp_bytes = 0;
  for (const Entry& entry : queues_[kScp]) scp_bytes += entry.message->size();
  OVERLAYD_CHECK(scp_bytes == scp_bytes_ && scp_bytes <= kScpQueueBytesMax);
  OVERLAYD_CHECK(queues_[kScp].size() <= kScpQueueMax);
}

}  // namespace overlayd::peer
