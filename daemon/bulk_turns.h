// Work of one network thread that takes milliseconds, one piece per turn of its loop: whatever was posted to the thread
// and whatever its sockets have to say in the meantime comes before the next piece.
//
// Rule 1. First asked, first served. Who has more to do asks again and comes after the others.
// Rule 2. A job that finds nothing left to do does not use up the turn.
// Limits. One entry per job that waits. A link has at most one job to seal and one to check, and asks again only once that
//         has run; a job to hash what was checked is asked for before the next check, and so comes before it.
// Everything but done_total() runs on the thread.
#pragma once
#include <asio.hpp>
#include <atomic>
#include <deque>
#include <functional>

namespace overlayd::daemon {

class BulkTurns {
 public:
  // Says whether it did a piece of work. May ask for another turn.
  using Job = std::function<bool()>;

  explicit BulkTurns(asio::io_context& context) : context_(context) {}
  BulkTurns(const BulkTurns&) = delete;
  BulkTurns& operator=(const BulkTurns&) = delete;

  void ask(Job job);
  // Any thread: pieces of work done since the start.
  [[nodiscard]] std::uint64_t done_total() const { return done_total_.load(std::memory_order_relaxed); }

 private:
  void post();
  void take_turn();

  asio::io_context& context_;
  std::deque<Job> waiting_;
  bool is_posted_ = false;
  std::atomic<std::uint64_t> done_total_{0};
};

}  // namespace overlayd::daemon
