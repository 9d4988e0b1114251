#include "ipc/worker.h"

namespace overlayd::ipc {

Worker::Worker(std::chrono::milliseconds period, std::function<void()> work)
    : period_(period), work_(std::move(work)), thread_([this] { run(); }) {}

Worker::~Worker() { stop(); }

void Worker::wake() {
  {
    const std::lock_guard lock(mutex_);
    if (is_woken_) return;
    is_woken_ = true;
  }
  condition_.notify_one();
}

void Worker::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  condition_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Worker::run() {
  bool is_last = false;
  while (!is_last) {
    {
      std::unique_lock lock(mutex_);
      condition_.wait_for(lock, period_, [this] { return is_woken_ || is_stopping_; });
      is_woken_ = false;
      is_last = is_stopping_;
    }
    work_();
  }
}

}  // namespace overlayd::ipc
