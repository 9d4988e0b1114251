#include "core/flood/tx_intake.h"

#include <algorithm>

#include "core/limits.h"
#include "core/wire/message.h"

namespace overlayd::flood {

bool TxIntake::publish_if_room(const MessagePtr& message) {
  const std::uint64_t bytes = message->size() + limits::kEventOverheadBytes;
  const bool has_room = !window_.published_bytes_max || published_bytes_ + bytes <= *window_.published_bytes_max;
  if (has_room) published_bytes_ += bytes;
  return has_room;
}

bool TxIntake::admit(const Waiting& transaction) {
  if (waiting_.empty() && publish_if_room(transaction.message)) return true;
  waiting_.push_back(transaction);
  ++metrics_.transactions_waited;
  return false;
}

std::optional<TxIntake::Waiting> TxIntake::take_ready() {
  if (waiting_.empty() || !publish_if_room(waiting_.front().message)) return std::nullopt;
  Waiting ready = std::move(waiting_.front());
  waiting_.pop_front();
  return ready;
}

std::vector<MessagePtr> TxIntake::on_peer_gone(PeerId peer) {
  std::vector<MessagePtr> gone;
  std::erase_if(waiting_, [&](Waiting& waiting) {
    if (waiting.peer != peer) return false;
    gone.push_back(std::move(waiting.message));
    return true;
  });
  metrics_.transactions_unwaited += gone.size();
  return gone;
}

bool TxIntake::is_short() const {
  return window_.published_bytes_max && published_bytes_ + window_.reserve_bytes > *window_.published_bytes_max;
}

}  // namespace overlayd::flood
