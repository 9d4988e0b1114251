// Writes peer records behind the overlay's back: nothing above ever waits for a disk.
//
// Rules.   Of several changes to one address only the last is written. A change waits at most flush_period, or until
//          batch_max of them wait. A batch that fails stays queued (newer changes win over it) and is tried again after
//          flush_period; `warn` hears of the first failure of a row and of its end. stop() writes what is left, once.
// Limits:  queue_max addresses wait; a further one is refused and counted. Its loss costs an address that PEERS will
//          bring again.
// Errors:  none to the caller but counters; no exception leaves the thread.
// Threads: submit, flush and counters from any thread; stop and destruction from the owner's.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "core/limits.h"
#include "daemon/peer_store.h"

namespace overlayd::daemon {

struct StorageThreadOptions {
  std::size_t queue_max = limits::kKnownPeersMax;  // core knows no more addresses than that
  std::size_t batch_max = 500;                     // one transaction of these is a few milliseconds
  std::chrono::milliseconds flush_period{1000};
  Warn warn;  // called on the storage thread
};

struct StorageCounters {
  std::uint64_t submitted = 0;
  std::uint64_t written = 0;  // fewer than submitted where changes replaced each other
  std::uint64_t refused = 0;
  std::uint64_t failed_batches = 0;
  std::uint64_t lost = 0;  // still unwritten at stop()
  std::uint64_t waiting = 0;
};

class StorageThread final {
 public:
  StorageThread(std::unique_ptr<PeerStore> store, StorageThreadOptions options);
  ~StorageThread();
  StorageThread(const StorageThread&) = delete;
  StorageThread& operator=(const StorageThread&) = delete;

  // False: refused.
  bool submit(const StorageChange& change);
  // Waits until everything submitted before was tried once more; true if it is on disk. False after stop().
  [[nodiscard]] bool flush();
  // Idempotent. Returns when the thread has ended.
  void stop();
  [[nodiscard]] StorageCounters counters() const;

 private:
  using Pending = std::map<PeerAddress, StorageChange>;

  void run(const std::stop_token& stop);
  void wait_for_work(std::unique_lock<std::mutex>& lock, const std::stop_token& stop);
  void write_pending(std::unique_lock<std::mutex>& lock);
  // Takes what it wrote out of `batch`; true if nothing is left.
  bool write_batch(Pending& batch, std::string& why);
  void note_result(bool is_written, const std::string& why);

  const StorageThreadOptions options_;
  const std::unique_ptr<PeerStore> store_;  // the thread's own once it runs
  bool is_failing_ = false;                 // the thread's own

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;  // work, flush or stop
  std::condition_variable_any done_;  // a flush was served, or the thread ended
  Pending pending_;
  std::size_t writing_ = 0;  // taken out of pending_, not yet on disk
  std::uint64_t flushes_wanted_ = 0;
  std::uint64_t flushes_served_ = 0;
  bool is_last_write_good_ = true;
  bool is_ended_ = false;
  StorageCounters counters_;

  std::jthread thread_;  // last: it uses everything above
};

}  // namespace overlayd::daemon
