#include "daemon/send_backlog.h"

#include "core/check.h"
#include "core/limits.h"
#include "core/wire/message.h"
#include "daemon/write_queue.h"

namespace overlayd::daemon {
namespace {

constexpr std::size_t kFrameBytes = limits::kRecordMarkBytes + limits::kAuthHeadBytes + limits::kMacBytes;
static_assert(limits::kMessageBytesMax + kFrameBytes <= limits::kWriteQueueBytesMax,
              "the largest message must find room when it is alone");

std::size_t weight_of(const Send& send) { return send.message->size() + kFrameBytes; }

}  // namespace

std::vector<PeerId> SendBacklog::admit(Outputs& outputs) {
  std::vector<PeerId> refused;
  const std::lock_guard lock(mutex_);
  std::erase_if(outputs, [&](const Output& output) {
    const auto* send = std::get_if<Send>(&output);
    if (!send) return false;
    Entry& link = links_[send->peer];
    const std::size_t weight = weight_of(*send);
    if (!link.is_refused && weight > link_bytes_max_ - link.bytes && is_transaction_set(*send->message)) {
      count_left_out();
      return true;
    }
    if (!link.is_refused && weight > link_bytes_max_ - link.bytes) {
      link.is_refused = true;
      refused.push_back(send->peer);
    }
    if (link.is_refused)
      refused_total_.fetch_add(1, std::memory_order_relaxed);
    else
      link.bytes += weight;
    return link.is_refused;
  });
  return refused;
}

void SendBacklog::release(const Outputs& outputs) {
  const std::lock_guard lock(mutex_);
  for (const Output& output : outputs) {
    const auto* send = std::get_if<Send>(&output);
    if (!send) continue;
    const auto found = links_.find(send->peer);
    OVERLAYD_CHECK(found != links_.end() && found->second.bytes >= weight_of(*send));
    found->second.bytes -= weight_of(*send);
    if (found->second.bytes == 0 && !found->second.is_refused) links_.erase(found);
  }
}

void SendBacklog::forget(PeerId peer) {
  const std::lock_guard lock(mutex_);
  const auto found = links_.find(peer);
  if (found == links_.end()) return;
  found->second.is_refused = false;
  if (found->second.bytes == 0) links_.erase(found);
}

std::size_t SendBacklog::size() const {
  const std::lock_guard lock(mutex_);
  return links_.size();
}

}  // namespace overlayd::daemon
