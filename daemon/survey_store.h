// The last survey of this node, in the daemon's SQLite file (peer_store.h): records whose form is core's own.
//   survey(id INT PRIMARY KEY CHECK (id = 0), record BLOB)       what the next process needs to go on with it
//   survey_node(node TEXT PRIMARY KEY, record BLOB)              a strkey, and what was found of that node
//
// Rule 1. Storing a new survey deletes the nodes of the one before in the same transaction (PeerStore::apply is one), so
//         that a result never mixes two surveys.
// Limits. load returns at most limits::kSurveyNodesMax nodes and counts the others; rows without a strkey or with a
//         record over kSurveyRecordBytesMax are passed over and counted.
// Errors. Throws SQLite::Exception; PeerStore, its one user, lets none out.
#pragma once
#include <memory>
#include <vector>

#include "core/outputs.h"

namespace SQLite {
class Database;
}

namespace overlayd::daemon {

inline constexpr std::size_t kSurveyRecordBytesMax = 4 << 20;  // core's are far smaller

struct LoadedSurvey {
  Bytes record;  // empty: there was no survey
  std::vector<StoreSurveyNode> nodes;
  std::uint64_t skipped = 0;      // rows that are no record
  std::uint64_t left_behind = 0;  // rows beyond the limit
};

class SurveyStore final {
 public:
  static void create_tables(SQLite::Database& database);

  // The tables must be there. `database` must outlive it.
  explicit SurveyStore(SQLite::Database& database);
  ~SurveyStore();
  SurveyStore(const SurveyStore&) = delete;
  SurveyStore& operator=(const SurveyStore&) = delete;

  [[nodiscard]] LoadedSurvey load();
  void store(const StoreSurvey& survey);
  void store(const StoreSurveyNode& node);

 private:
  struct Statements;
  SQLite::Database& database_;
  std::unique_ptr<Statements> statements_;
};

}  // namespace overlayd::daemon
