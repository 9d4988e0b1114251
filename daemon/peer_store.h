// The daemon's one SQLite file: what is known of peers, and the bans, in stellar-core's tables (protocol: PeerManager
// and BanManagerImpl, commit a9b8613), so that an operator can move data over:
//   peers(ip TEXT, port INT, nextattempt INT, numfailures INT, type INT, PRIMARY KEY(ip, port))   nextattempt: unix
//   seconds ban(nodeid TEXT PRIMARY KEY)                                                                  strkeys
//
// Rules.   WAL mode; every apply() is one transaction, on disk when it returns.
//          A file that SQLite finds corrupt is moved aside (with its -wal and -shm) to PATH.corrupt-UNIXTIME, `warn`
//          says so, and a fresh one is begun. Rationale: all that is lost can be learned again; a daemon that is down
//          cannot. A file of a newer schema, or of another program, is refused untouched.
// Limits:  load_all returns the limits::kKnownPeersMax best records (fewest failures, then due first) and counts the
//          others; rows that are no peer (bad address, port, type) are skipped and counted.
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

#include "core/outputs.h"
#include "core/result.h"

namespace overlayd::daemon {

using StorageChange = std::variant<StorePeer, ErasePeer>;
using Warn = std::function<void(std::string_view)>;

struct PeerStoreOptions {
  std::string path;  // storage.database
  UnixTime now;      // names the file moved aside
  Warn warn;         // called during open() only
};

struct StoredPeers {
  std::vector<PeerRecord> records;
  std::uint64_t skipped = 0;      // rows that are no peer
  std::uint64_t left_behind = 0;  // rows beyond the limit
};

class PeerStore final {
 public:
  static constexpr int kSchemaVersion = 1;

  [[nodiscard]] static Result<std::unique_ptr<PeerStore>> open(const PeerStoreOptions& options);
  ~PeerStore();
  PeerStore(const PeerStore&) = delete;
  PeerStore& operator=(const PeerStore&) = delete;

  [[nodiscard]] Result<StoredPeers> load_all();
  // All of them, in their order, or none.
  [[nodiscard]] Result<Done> apply(std::span<const StorageChange> changes);

 private:
  struct Connection;
  explicit PeerStore(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

}  // namespace overlayd::daemon
