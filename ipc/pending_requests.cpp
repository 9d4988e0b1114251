#include "ipc/pending_requests.h"

#include "core/wire/message.h"

namespace overlayd::ipc {

std::size_t PendingRequests::Item::bytes() const { return other_bytes + (message ? message->size() : 0); }

std::optional<RequestId> PendingRequests::add(const std::shared_ptr<RequestWaiter>& waiter,
                                              const std::vector<Item>& items, Clock::time_point deadline) {
  std::size_t bytes = 0;
  for (const Item& item : items) bytes += item.bytes();
  const std::lock_guard lock(mutex_);
  if (waiting_.size() + items.size() > options_.count_max) return std::nullopt;
  if (bytes_ + bytes > options_.bytes_max) return std::nullopt;
  bytes_ += bytes;
  const RequestId first{next_id_};
  for (const Item& item : items)
    waiting_.emplace_hint(waiting_.end(), RequestId{next_id_++}, Waiting{waiter, item, deadline});
  return first;
}

PendingRequests::Waiting PendingRequests::take(std::map<RequestId, Waiting>::iterator at) {
  Waiting taken = std::move(at->second);
  waiting_.erase(at);
  bytes_ -= taken.item.bytes();
  return taken;
}

std::size_t PendingRequests::remove(RequestId first, std::size_t count) {
  const std::lock_guard lock(mutex_);
  const std::size_t before = waiting_.size();
  const auto end = waiting_.lower_bound(RequestId{first.value + count});
  for (auto at = waiting_.lower_bound(first); at != end;) take(at++);
  return before - waiting_.size();
}

void PendingRequests::answer(const RequestAnswer& answer) {
  std::optional<Waiting> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(answer.request);
    if (found == waiting_.end()) return;
    waiting = take(found);
  }
  waiting->waiter->on_answer(waiting->item.token, waiting->item.message, answer);
}

void PendingRequests::expire(Clock::time_point now) {
  std::vector<Waiting> failed;
  {
    const std::lock_guard lock(mutex_);
    while (!waiting_.empty() && waiting_.begin()->second.deadline <= now) failed.push_back(take(waiting_.begin()));
  }
  fail(failed, RequestFailure::kTimeout);
}

void PendingRequests::fail_all() {
  std::vector<Waiting> failed;
  {
    const std::lock_guard lock(mutex_);
    while (!waiting_.empty()) failed.push_back(take(waiting_.begin()));
  }
  fail(failed, RequestFailure::kStopping);
}

void PendingRequests::fail(std::vector<Waiting>& failed, RequestFailure failure) {
  for (Waiting& waiting : failed) waiting.waiter->on_failure(waiting.item.token, waiting.item.message, failure);
}

std::size_t PendingRequests::size() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

std::size_t PendingRequests::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace overlayd::ipc
