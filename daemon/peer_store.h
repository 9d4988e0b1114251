// The daemon's one SQLite file: what is known of peers, in stellar-core's table (protocol: PeerManager, commit a9b8613),
// so that an operator can move data over, and beside it bans and anchors (ban_store.h) and the last survey
// (survey_store.h):
//   peers(ip TEXT, port INT, nextattempt INT, numfailures INT, type INT, PRIMARY KEY(ip, port))   nextattempt: unix seconds
//
// Rules.   WAL mode; every apply() is one transaction, on disk when it returns.
//          A file that SQLite finds corrupt is moved aside (with its -wal and -shm) to PATH.corrupt-UNIXTIME, `warn`
//          says so, and a fresh one is begun. Rationale: all that is lost can be learned again; a daemon that is down
//          cannot. A file of a newer schema, or of another program, is refused untouched; one of an older schema is
//          brought up to date, in one transaction.
// Limits:  load_all returns the limits::kKnownPeersMax best records (fewest failures, then due first) and counts the
//          others; rows that are no peer (bad address, port, type) are skipped and counted. Bans: ban_store.h. Surveys: survey_store.h.
// Errors:  a sentence with the path. No exception leaves this class.
// Threads: one at a time; after opening, the storage thread's.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.h"
#include "daemon/ban_store.h"
#include "daemon/survey_store.h"

namespace overlayd::daemon {

using StorageChange =
    std::variant<StorePeer, ErasePeer, StoreBan, EraseBan, StoreAnchors, StoreSurvey, StoreSurveyNode>;
using Warn = std::function<void(std::string_view)>;

struct PeerStoreOptions {
  std::string path;  // storage.database
  UnixTime now;      // names the file moved aside
  Warn warn;         // called during open() only
};

struct Stored {
  std::vector<PeerRecord> records{};
  std::uint64_t skipped = 0;      // rows that are no peer
  std::uint64_t left_behind = 0;  // rows beyond the limit
  LoadedBans bans;
  std::vector<PeerAddress> anchors;
  LoadedSurvey survey;
};

class PeerStore final {
 public:
  static constexpr int kSchemaVersion = 3;  // 1 had no bans but stellar-core's, and no anchors; 2 no surveys

  [[nodiscard]] static Result<std::unique_ptr<PeerStore>> open(const PeerStoreOptions& options);
  ~PeerStore();
  PeerStore(const PeerStore&) = delete;
  PeerStore& operator=(const PeerStore&) = delete;

  [[nodiscard]] Result<Stored> load_all();
  // All of them, in their order, or none.
  [[nodiscard]] Result<Done> apply(std::span<const StorageChange> changes);

 private:
  struct Connection;
  explicit PeerStore(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

}  // namespace overlayd::daemon
