// What is to happen in a simulation, in the order of (time, sequence): of two events at the same time the one pushed
// first comes first, so that a run repeats exactly.
#pragma once
#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <variant>
#include <vector>

#include "core/inputs.h"

namespace overlayd::sim {

using EndIndex = std::uint32_t;  // of SimLinks

// A node's deadline is reached.
struct Wake {
  std::size_t node = 0;
};
// A message reaches the far end of a link.
struct Delivery {
  EndIndex end = 0;
  MessagePtr message;
};
using Task = std::function<void()>;
using Action = std::variant<Task, Wake, Delivery>;

class EventQueue {
 public:
  void push(Instant at, Action action) {
    std::uint32_t slot = static_cast<std::uint32_t>(actions_.size());
    if (free_.empty()) {
      actions_.push_back(std::move(action));
    } else {
      slot = free_.back();
      free_.pop_back();
      actions_[slot] = std::move(action);
    }
    keys_.push({at, next_sequence_++, slot});
  }
  [[nodiscard]] bool empty() const { return keys_.empty(); }
  // Of a queue that is not empty.
  [[nodiscard]] Instant next_at() const { return keys_.top().at; }
  [[nodiscard]] Action take() {
    const std::uint32_t slot = keys_.top().slot;
    keys_.pop();
    free_.push_back(slot);
    return std::exchange(actions_[slot], Wake{});
  }

 private:
  // Small, because the heap moves it about; what is to be done stays where it is.
  struct Key {
    Instant at;
    std::uint64_t sequence;
    std::uint32_t slot;
    bool operator>(const Key& other) const { return at != other.at ? at > other.at : sequence > other.sequence; }
  };

  std::priority_queue<Key, std::vector<Key>, std::greater<>> keys_;
  std::vector<Action> actions_;
  std::vector<std::uint32_t> free_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace overlayd::sim
