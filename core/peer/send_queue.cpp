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
    case MessageType::kFloodDemand: return push_hashes(FloodQueue::kDemand, std::move(entry), limits);
    case MessageType::kFloodAdvert: return push_hashes(FloodQueue::kAdvert, std::move(entry), limits);
    default: OVERLAYD_CHECK(!"a message that does not flood was queued");
  }
}

void SendQueue::push_scp(Entry entry, const SendQueueLimits& limits) {
  std::deque<Entry>& waiting = queue(FloodQueue::kScp);
  const auto envelope = xdr::read_scp_envelope(entry.message->body());
  OVERLAYD_CHECK(envelope.has_value());
  entry.slot = envelope->slot;
  entry.node = envelope->node;
  drop_stale_scp(limits);
  if (limits.is_stale(entry.slot) || replace_or_refuse_scp(entry)) {
    ++metrics_.of(FloodQueue::kScp).dropped;
  } else {
    scp_bytes_ += entry.message->size();
    scp_places_[scp_key(entry)].push_back(scp_popped_ + waiting.size());
    waiting.push_back(std::move(entry));
  }
  // What took another's place may be larger than that.
  while (scp_bytes_ > kScpQueueBytesMax) {
    pop_scp();
    ++metrics_.of(FloodQueue::kScp).dropped;
  }
}

void SendQueue::drop_stale_scp(const SendQueueLimits& limits) {
  if (limits.lowest_slot == stale_below_ && limits.checkpoint_slot == kept_slot_) return;
  stale_below_ = limits.lowest_slot;
  kept_slot_ = limits.checkpoint_slot;
  const auto is_stale = [&](const Entry& queued) {
    if (!limits.is_stale(queued.slot)) return false;
    scp_bytes_ -= queued.message->size();
    return true;
  };
  const std::size_t dropped = std::erase_if(queue(FloodQueue::kScp), is_stale);
  metrics_.of(FloodQueue::kScp).dropped += dropped;
  if (dropped > 0) index_scp();
}

std::size_t SendQueue::scp_key(const Entry& entry) {
  return std::hash<NodeId>{}(entry.node) ^ std::hash<std::uint64_t>{}(entry.slot * 0x9e3779b97f4a7c15);
}

void SendQueue::index_scp() {
  scp_places_.clear();
  std::uint64_t place = scp_popped_;
  for (const Entry& entry : queue(FloodQueue::kScp)) scp_places_[scp_key(entry)].push_back(place++);
}

void SendQueue::pop_scp() {
  const Entry& front = queue(FloodQueue::kScp).front();
  scp_bytes_ -= front.message->size();
  const auto places = scp_places_.find(scp_key(front));
  places->second.erase(places->second.begin());  // of its like it stood first
  if (places->second.empty()) scp_places_.erase(places);
  ++scp_popped_;
  queue(FloodQueue::kScp).pop_front();
}

bool SendQueue::replace_or_refuse_scp(Entry& entry) {
  const auto candidate = xdr::read_scp_envelope(entry.message->body());
  std::size_t alike = 0;
  const auto places = scp_places_.find(scp_key(entry));
  if (places == scp_places_.end()) return queue(FloodQueue::kScp).size() >= kScpQueueMax;
  for (const std::uint64_t place : places->second) {
    Entry& queued = queue(FloodQueue::kScp)[place - scp_popped_];
    if (queued.slot != entry.slot || queued.node != entry.node) continue;
    ++alike;
    if (!xdr::is_newer_statement(*xdr::read_scp_envelope(queued.message->body()), *candidate)) continue;
    scp_bytes_ += entry.message->size();
    scp_bytes_ -= queued.message->size();
    queued = std::move(entry);
    return true;
  }
  return alike >= kScpPerNodeAndSlotMax || queue(FloodQueue::kScp).size() >= kScpQueueMax;
}

void SendQueue::push_transaction(Entry entry, const SendQueueLimits& limits) {
  std::deque<Entry>& waiting = queue(FloodQueue::kTransaction);
  if (entry.message->size() > limits.max_tx_size) {
    ++metrics_.oversized_transactions;
    return;
  }
  transaction_bytes_ += entry.message->size();
  waiting.push_back(std::move(entry));
  if (waiting.size() <= limits.max_tx_set_ops && transaction_bytes_ <= limits.tx_queue_bytes_max) return;
  metrics_.of(FloodQueue::kTransaction).dropped += waiting.size();
  transaction_bytes_ = 0;
  waiting.clear();
}

void SendQueue::push_hashes(FloodQueue kind, Entry entry, const SendQueueLimits& limits) {
  std::deque<Entry>& waiting = queue(kind);
  std::size_t& hash_count = hash_counts_[at(kind)];
  entry.hash_count = count_hashes(*entry.message);
  hash_count += entry.hash_count;
  waiting.push_back(std::move(entry));
  if (hash_count <= limits.max_tx_set_ops) return;
  metrics_.of(kind).dropped += hash_count;
  hash_count = 0;
  waiting.clear();
}

bool SendQueue::take(OutboundCredit& credit, Instant now, std::vector<MessagePtr>& out) {
  bool is_any_blocked = false;
  for (std::size_t i = 0; i < kFloodQueueCount; ++i) {
    const FloodQueue kind{static_cast<std::uint8_t>(i)};
    const std::deque<Entry>& waiting = queue(kind);
    while (!waiting.empty() && credit.has_for(waiting.front().message->size())) {
      credit.spend(waiting.front().message->size());
      take_front(kind, now, out);
    }
    note_blocked(kind, !waiting.empty(), now);
    is_any_blocked = is_any_blocked || !waiting.empty();
  }
  return is_any_blocked;
}

void SendQueue::take_front(FloodQueue kind, Instant now, std::vector<MessagePtr>& out) {
  Entry& front = queue(kind).front();
  if (kind == FloodQueue::kTransaction) transaction_bytes_ -= front.message->size();
  hash_counts_[at(kind)] -= front.hash_count;
  last_delays_[at(kind)] = now - front.queued;
  metrics_.of(kind).delay.observe(now - front.queued);
  out.push_back(front.message);
  if (kind == FloodQueue::kScp)
    pop_scp();
  else
    queue(kind).pop_front();
}

void SendQueue::note_undelayed(FloodQueue kind) {
  last_delays_[at(kind)] = Duration(0);
  metrics_.of(kind).delay.observe(Duration(0));
}

void SendQueue::note_blocked(FloodQueue kind, bool is_blocked, Instant now) {
  std::optional<Instant>& since = blocked_since_[at(kind)];
  if (is_blocked) {
    if (!since) since = now;
  } else if (since) {
    metrics_.of(kind).throttled += now - *since;
    since.reset();
  }
}

std::size_t SendQueue::size() const {
  std::size_t total = 0;
  for (const auto& queue : queues_) total += queue.size();
  return total;
}

void SendQueue::check_invariants() const {
  std::uint64_t bytes = 0;
  for (const Entry& entry : queue(FloodQueue::kTransaction)) bytes += entry.message->size();
  OVERLAYD_CHECK(bytes == transaction_bytes_);
  for (const FloodQueue kind : {FloodQueue::kDemand, FloodQueue::kAdvert}) {
    std::size_t hashes = 0;
    for (const Entry& entry : queue(kind)) hashes += entry.hash_count;
    OVERLAYD_CHECK(hashes == hash_counts_[at(kind)]);
  }
  std::uint64_t scp_bytes = 0;
  for (const Entry& entry : queue(FloodQueue::kScp)) scp_bytes += entry.message->size();
  OVERLAYD_CHECK(scp_bytes == scp_bytes_ && scp_bytes <= kScpQueueBytesMax);
  OVERLAYD_CHECK(queue(FloodQueue::kScp).size() <= kScpQueueMax);
  std::size_t places_count = 0;
  for (const auto& [key, places] : scp_places_) {
    places_count += places.size();
    for (const std::uint64_t place : places)
      OVERLAYD_CHECK(scp_key(queue(FloodQueue::kScp).at(place - scp_popped_)) == key);
  }
  OVERLAYD_CHECK(places_count == queue(FloodQueue::kScp).size());
}

}  // namespace overlayd::peer
