#include "ipc/pending_broadcasts.h"

#include "core/wire/message.h"

namespace overlayd::ipc {

std::optional<RequestId> PendingBroadcasts::add(const std::shared_ptr<BroadcastWaiter>& waiter,
                                                const std::vector<Item>& items, Clock::time_point deadline) {
  std::size_t bytes = 0;
  for (const Item& item : items) bytes += item.message->size();
  const std::lock_guard lock(mutex_);
  if (waiting_.size() + items.size() > limits::kBroadcastsPendingMax) return std::nullopt;
  if (bytes_ + bytes > bytes_max_) return std::nullopt;
  bytes_ += bytes;
  const RequestId first{next_id_};
  for (const Item& item : items)
    waiting_.emplace_hint(waiting_.end(), RequestId{next_id_++}, Waiting{waiter, item, deadline});
  return first;
}

PendingBroadcasts::Waiting PendingBroadcasts::take(std::map<RequestId, Waiting>::iterator at) {
  Waiting taken = std::move(at->second);
  waiting_.erase(at);
  bytes_ -= taken.item.message->size();
  return taken;
}

std::size_t PendingBroadcasts::remove(RequestId first, std::size_t count) {
  const std::lock_guard lock(mutex_);
  const std::size_t before = waiting_.size();
  const auto end = waiting_.lower_bound(RequestId{first.value + count});
  for (auto at = waiting_.lower_bound(first); at != end;) take(at++);
  return before - waiting_.size();
}

void PendingBroadcasts::answer(const BroadcastAnswer& answer) {
  std::optional<Waiting> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(answer.request);
    if (found == waiting_.end()) return;
    waiting = take(found);
  }
  waiting->waiter->on_answer(waiting->item.token, waiting->item.message, answer);
}

void PendingBroadcasts::expire(Clock::time_point now) {
  std::vector<Waiting> failed;
  {
    const std::lock_guard lock(mutex_);
    while (!waiting_.empty() && waiting_.begin()->second.deadline <= now) failed.push_back(take(waiting_.begin()));
  }
  fail(failed, BroadcastFailure::kTimeout);
}

void PendingBroadcasts::fail_all() {
  std::vector<Waiting> failed;
  {
    const std::lock_guard lock(mutex_);
    while (!waiting_.empty()) failed.push_back(take(waiting_.begin()));
  }
  fail(failed, BroadcastFailure::kStopping);
}

void PendingBroadcasts::fail(std::vector<Waiting>& failed, BroadcastFailure failure) {
  for (Waiting& waiting : failed) waiting.waiter->on_failure(waiting.item.token, waiting.item.message, failure);
}

std::size_t PendingBroadcasts::size() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

std::size_t PendingBroadcasts::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace overlayd::ipc
