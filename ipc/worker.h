// One thread that does what must not be done on the overlay thread: it is woken, and calls one function; without being
// woken it calls it at least once a period.
// Waking is cheap, never blocks and may be done from any thread; wakes that come while the function runs make it run
// once more, however many there were.
#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace overlayd::ipc {

class Worker {
 public:
  Worker(std::chrono::milliseconds period, std::function<void()> work);
  ~Worker();  // as stop()
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void wake();
  // Runs the function a last time and joins the thread. Not from within the function.
  void stop();

 private:
  void run();

  const std::chrono::milliseconds period_;
  const std::function<void()> work_;
  std::mutex mutex_;
  std::condition_variable condition_;
  bool is_woken_ = false;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace overlayd::ipc
