#include "daemon/bulk_turns.h"

namespace overlayd::daemon {

void BulkTurns::ask(Job job) {
  waiting_.push_back(std::move(job));
  if (!is_posted_) post();
}

void BulkTurns::post() {
  is_posted_ = true;
  asio::post(context_, [this] { take_turn(); });
}

void BulkTurns::take_turn() {
  bool is_done = false;
  while (!is_done && !waiting_.empty()) {
    const Job job = std::move(waiting_.front());
    waiting_.pop_front();
    is_done = job();
  }
  if (is_done) done_total_.fetch_add(1, std::memory_order_relaxed);
  is_posted_ = false;
  if (!waiting_.empty()) post();
}

}  // namespace overlayd::daemon
