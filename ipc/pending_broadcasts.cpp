#include "ipc/pending_broadcasts.h"

namespace overlayd::ipc {

std::optional<RequestId> PendingBroadcasts::add(const std::shared_ptr<BroadcastWaiter>& waiter,
                                                const std::vector<Item>& items, Clock::time_point deadline) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() + items.size() > limits::kBroadcastsPendingMax) return std::nullopt;
  const RequestId first{next_id_};
  for (const Item& item : items)
    waiting_.emplace_hint(waiting_.end(), RequestId{next_id_++}, Waiting{waiter, item, deadline});
  return first;
}

std::size_t PendingBroadcasts::remove(RequestId first, std::size_t count) {
  const std::lock_guard lock(mutex_);
  const std::size_t before = waiting_.size();
  waiting_.erase(waiting_.lower_bound(first), waiting_.lower_bound(RequestId{first.value + count}));
  return before - waiting_.size();
}

void PendingBroadcasts::answer(const BroadcastAnswer& answer) {
  std::optional<Waiting> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(answer.request);
    if (found == waiting_.end()) return;
    waiting = std::move(found->second);
    waiting_.erase(found);
  }
  waiting->waiter->on_answer(waiting->item.token, waiting->item.message, answer);
}

void PendingBroadcasts::expire(Clock::time_point now) {
  std::vector<Waiting> failed;
  {
    const std::lock_guard lock(mutex_);
    while (!waiting_.empty() && waiting_.begin()->second.deadline <= now) {
      failed.push_back(std::move(waiting_.begin()->second));
      waiting_.erase(waiting_.begin());
    }
  }
  fail(failed, BroadcastFailure::kTimeout);
}

void PendingBroadcasts::fail_all() {
  std::vector<Waiting> failed;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, waiting] : waiting_) failed.push_back(std::move(waiting));
    waiting_.clear();
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

}  // namespace overlayd::ipc
