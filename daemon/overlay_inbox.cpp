#include "daemon/overlay_inbox.h"

#include <algorithm>

#include "daemon/clocks.h"

namespace overlayd::daemon {
namespace {

bool is_of_operator(const Input& input) {
  return std::holds_alternative<ConnectTo>(input) || std::holds_alternative<Disconnect>(input) ||
         std::holds_alternative<ShutDown>(input) || std::holds_alternative<PeersResolved>(input);
}

}  // namespace

OverlayInbox::OverlayInbox()
    : inputs_(limits::kInputQueueMax, [this] { wake(); }),
      operator_inputs_(kOperatorQueueMax, [this] { wake(); }),
      queries_(kQueryQueueMax, [this] { wake(); }) {}

bool OverlayInbox::submit(std::vector<Input> inputs) {
  const std::size_t weight = inputs.size();
  InputBatch batch{.inputs = std::move(inputs), .bytes = 0, .gauge = nullptr};
  const bool is_operators = std::ranges::all_of(batch.inputs, is_of_operator);
  return (is_operators ? operator_inputs_ : inputs_).push(batch, weight);
}

bool OverlayInbox::query_status(std::function<void(StatusSnapshot)> done) {
  Query query = [done = std::move(done)](const OverlayCore& core, Instant now) { done(core.status(now)); };
  return queries_.push(query);
}

bool OverlayInbox::query_peers(std::function<void(std::vector<PeerSnapshot>)> done) {
  Query query = [done = std::move(done)](const OverlayCore& core, Instant now) { done(core.peers(now)); };
  return queries_.push(query);
}

bool OverlayInbox::query_item(const ItemId& id, std::function<void(MessagePtr)> done) {
  Query query = [id, done = std::move(done)](const OverlayCore& core, Instant) { done(core.find_item(id)); };
  return queries_.push(query);
}

void OverlayInbox::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_one();
}

bool OverlayInbox::wait_until(Instant deadline) {
  std::unique_lock lock(mutex_);
  const auto is_due = [this] { return has_letters_ || is_stopping_; };
  if (deadline.is_never())
    changed_.wait(lock, is_due);
  else
    changed_.wait_until(lock, to_time_point(deadline), is_due);
  has_letters_ = false;
  return !is_stopping_;
}

void OverlayInbox::wake() {
  {
    const std::lock_guard lock(mutex_);
    has_letters_ = true;
  }
  changed_.notify_one();
}

}  // namespace overlayd::daemon
