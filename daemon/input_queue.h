// The queue every other thread has to the overlay thread.
#pragma once
#include <memory>
#include <vector>

#include "core/inputs.h"
#include "daemon/bounded_queue.h"
#include "daemon/read_gauge.h"

namespace overlayd::daemon {

// What one read of one connection, or one call of a client, brought. Weighs as many as it has inputs.
struct InputBatch {
  std::vector<Input> inputs;
  std::uint64_t bytes = 0;           // of the messages in it
  std::shared_ptr<ReadGauge> gauge;  // released after handling; null: nobody counts
};

using InputQueue = BoundedQueue<InputBatch>;

}  // namespace overlayd::daemon
