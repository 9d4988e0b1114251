// Writes peers, bans, anchors and surveys behind the overlay's back: nothing above ever waits for a disk.
//
// Words.   A *subject* is what a change is about: an address, a banned node or range, the survey, one of its nodes, or the
//          anchors as a whole. An *order* is a StoreBan or EraseBan with a request: somebody waits until it is on disk.
// Rules.   Of several changes to one subject only the last is written: what is about a ban that has since been lifted can
//          never overtake that. A change waits at most flush_period, or until batch_max of them wait; an order ends the
//          wait at once, and what it is about is written before all else, in transactions of its own. It is reported once
//          its subject has been written or could not be; what could not be stays queued (newer changes win over it) and is
//          tried again after flush_period. A new survey ends the wait too; it takes the place of all that waits of
//          the one before, and is written before its nodes. `warn` hears of the first failure of a row and of its end.
//          stop() writes what is left, once, and reports its orders.
// Limits:  queue_max addresses, ban_queue_max bans and survey_queue_max nodes wait, and order_max orders; a further one is
//          refused and counted. The loss of an address costs little: PEERS will bring it again. A refused order is reported.
// Errors:  counters, and the report of an order; no exception leaves the thread.
// Threads: submit, flush and counters from any thread; stop and destruction from the owner's.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/limits.h"
#include "daemon/peer_store.h"

namespace overlayd::daemon {

struct StorageThreadOptions {
  std::size_t queue_max = limits::kKnownPeersMax;              // core knows no more addresses than that
  std::size_t batch_max = 500;                                 // one transaction of these is a few milliseconds
  std::size_t ban_queue_max = 2 * limits::kBansMax;            // all that core holds, and as many lifted ones
  std::size_t survey_queue_max = 2 * limits::kSurveyNodesMax;  // a whole result, while another is written
  std::size_t order_max = limits::kRequestsPendingMax;
  std::chrono::milliseconds flush_period{1000};
  Warn warn{};  // called on the storage thread
  std::function<void(const BanStored&)>
      on_ban_stored{};  // on the storage thread; within submit for an order it refuses
};

struct StorageCounters {
  std::uint64_t submitted = 0;
  std::uint64_t written = 0;  // fewer than submitted where changes replaced each other
  std::uint64_t refused = 0;
  std::uint64_t orders_failed = 0;  // reported with the reason
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
  bool submit(StorageChange change);
  // Waits until everything submitted before was tried once more; true if it is on disk. False after stop().
  [[nodiscard]] bool flush();
  // Idempotent. Returns when the thread has ended.
  void stop();
  [[nodiscard]] StorageCounters counters() const;

 private:
  // The survey as a whole, or one of its nodes. The survey comes first, for what makes it new deletes all nodes.
  struct SurveySubject {
    std::optional<NodeId> node;
    auto operator<=>(const SurveySubject&) const = default;
  };
  // Of a subject: the anchors as a whole, an address, a node or a range, a survey or a node of it.
  using Subject = std::variant<std::monostate, PeerAddress, BanSubject, SurveySubject>;
  struct Waiting {
    StorageChange change;
    std::vector<BanStored> orders;  // about it, `why` not known yet
  };
  using Pending = std::map<Subject, Waiting>;

  static Subject subject_of(const StorageChange& change);
  static bool is_ban(const Subject& subject);
  static bool is_survey(const Subject& subject);
  // Puts `change` in the place of an older one about the same survey, as new as either of them.
  static void replace_survey(StorageChange& older, StoreSurvey change);
  static void forget_survey(Pending& pending);
  // What could not be written, and is older than what waits.
  void take_back(Pending& batch);
  [[nodiscard]] bool has_room_for(const Subject& subject, bool is_order) const;

  void run(const std::stop_token& stop);
  void wait_for_work(std::unique_lock<std::mutex>& lock, const std::stop_token& stop);
  void write_pending(std::unique_lock<std::mutex>& lock);
  // Takes what it wrote out of `batch`, those with orders first; no order is left in it. Empty, or why something is left.
  std::string write_batch(Pending& batch);
  struct Which {
    bool has_orders;
  };
  std::string write_some(Pending& batch, Which which);
  void report_orders(Waiting& waiting, const std::string& why);
  void report(const BanStored& stored) const;
  void note_result(const std::string& why);

  const StorageThreadOptions options_;
  const std::unique_ptr<PeerStore> store_;  // the thread's own once it runs
  bool is_failing_ = false;                 // the thread's own
  std::size_t failed_orders_ = 0;           // the thread's own: of the batch it writes

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;  // work, flush or stop
  std::condition_variable_any done_;  // a flush was served, or the thread ended
  Pending pending_;
  std::size_t bans_pending_ = 0;  // of those, the bans
  std::size_t surveys_pending_ = 0;
  std::size_t orders_pending_ = 0;  // of those that wait in pending_
  bool is_urgent_ = false;          // a survey began: a process that dies now is to leave it to the next
  std::size_t writing_ = 0;         // taken out of pending_, not yet on disk
  std::size_t bans_writing_ = 0;
  std::size_t surveys_writing_ = 0;
  std::uint64_t flushes_wanted_ = 0;
  std::uint64_t flushes_served_ = 0;
  bool is_last_write_good_ = true;
  bool is_ended_ = false;
  StorageCounters counters_;

  std::jthread thread_;  // last: it uses everything above
};

}  // namespace overlayd::daemon
