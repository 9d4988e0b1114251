// Bans and anchors in the daemon's SQLite file (peer_store.h): stellar-core's table of banned nodes, and two of ours.
//   ban(nodeid TEXT PRIMARY KEY)                                                                        strkeys
//   ban_details(subject TEXT PRIMARY KEY, reason TEXT, set_by TEXT, made INT, ends INT NULL, hits INT, last_hit INT NULL)
//                                                                   a strkey, or a range as book/address.h writes it
//   anchors(ip TEXT, port INT, PRIMARY KEY(ip, port))                             in the order in which they were stored
//
// Rule 1. Which nodes are banned is said by `ban` alone. A row there without details is a ban without reason or end,
//         made at 0: an operator moved it over. Details of a node without such a row are deleted when they are loaded:
//         somebody lifted the ban there, and a later one must not come back with the old one's end.
// Rule 2. Ranges are in ban_details alone.
// Rule 3. Of a row whose subject can be read, details that cannot be are passed over, for it is a ban all the same.
// Limits. load returns the limits::kBansMax bans made last, and counts the others; rows that are no ban are counted too.
// Errors. Throws SQLite::Exception; PeerStore, its one user, lets none out.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "core/outputs.h"

namespace SQLite {
class Database;
}

namespace overlayd::daemon {

struct LoadedBans {
  std::vector<Ban> bans;
  std::uint64_t skipped = 0;      // rows that are no ban
  std::uint64_t left_behind = 0;  // rows beyond the limit
};

class BanStore final {
 public:
  // Both tables of ours.
  static void create_tables(SQLite::Database& database);

  // The tables must be there. `database` must outlive it.
  explicit BanStore(SQLite::Database& database);
  ~BanStore();
  BanStore(const BanStore&) = delete;
  BanStore& operator=(const BanStore&) = delete;

  [[nodiscard]] LoadedBans load();
  void store(const Ban& ban);
  void erase(const BanSubject& subject);

  // Rows that are no address are left out, and what is beyond limits::kAnchorsMax.
  [[nodiscard]] std::vector<PeerAddress> load_anchors();
  void replace_anchors(std::span<const PeerAddress> anchors);

 private:
  struct Statements;
  SQLite::Database& database_;
  std::unique_ptr<Statements> statements_;
};

}  // namespace overlayd::daemon
