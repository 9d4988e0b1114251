#include "daemon/survey_store.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>

#include "core/crypto/strkey.h"
#include "core/limits.h"

namespace overlayd::daemon {
namespace {

constexpr const char* kCreateTables = R"(
CREATE TABLE survey (
  id INT NOT NULL PRIMARY KEY CHECK (id = 0),
  record BLOB NOT NULL
);
CREATE TABLE survey_node (
  node TEXT NOT NULL PRIMARY KEY,
  record BLOB NOT NULL
);
)";
constexpr const char* kStoreSurvey = "INSERT OR REPLACE INTO survey (id, record) VALUES (0, ?)";
constexpr const char* kStoreNode = "INSERT OR REPLACE INTO survey_node (node, record) VALUES (?, ?)";
constexpr const char* kForgetNodes = "DELETE FROM survey_node";
constexpr const char* kLoadSurvey = "SELECT record FROM survey";
constexpr const char* kLoadNodes = "SELECT node, record FROM survey_node ORDER BY node";

// An operator may have written anything.
std::optional<Bytes> read_record(const SQLite::Column& column) {
  if (!column.isBlob()) return std::nullopt;
  const auto size = static_cast<std::size_t>(column.getBytes());
  if (size == 0 || size > kSurveyRecordBytesMax) return std::nullopt;
  const auto* bytes = static_cast<const std::uint8_t*>(column.getBlob());
  return Bytes(bytes, bytes + size);
}

void bind_record(SQLite::Statement& statement, int index, const Bytes& record) {
  statement.bindNoCopy(index, record.data(), static_cast<int>(record.size()));
}

}  // namespace

struct SurveyStore::Statements {
  explicit Statements(SQLite::Database& database)
      : store_survey(database, kStoreSurvey), store_node(database, kStoreNode) {}
  SQLite::Statement store_survey, store_node;
};

void SurveyStore::create_tables(SQLite::Database& database) { database.exec(kCreateTables); }

SurveyStore::SurveyStore(SQLite::Database& database)
    : database_(database), statements_(std::make_unique<Statements>(database)) {}
SurveyStore::~SurveyStore() = default;

LoadedSurvey SurveyStore::load() {
  LoadedSurvey loaded;
  SQLite::Statement survey(database_, kLoadSurvey);
  if (survey.executeStep()) {
    if (auto record = read_record(survey.getColumn(0)))
      loaded.record = std::move(*record);
    else
      ++loaded.skipped;
  }
  SQLite::Statement row(database_, kLoadNodes);
  while (row.executeStep()) {
    const auto node = crypto::decode_node_id(row.getColumn(0).getString());
    auto record = read_record(row.getColumn(1));
    if (!node || !record) {
      ++loaded.skipped;
    } else if (loaded.nodes.size() == limits::kSurveyNodesMax) {
      ++loaded.left_behind;
    } else {
      loaded.nodes.push_back({node.value(), std::move(*record)});
    }
  }
  return loaded;
}

void SurveyStore::store(const StoreSurvey& survey) {
  if (survey.is_new) database_.exec(kForgetNodes);
  SQLite::Statement& store = statements_->store_survey;
  store.tryReset();  // not reset(): that throws again what the last execution threw
  bind_record(store, 1, survey.record);
  store.exec();
}

void SurveyStore::store(const StoreSurveyNode& node) {
  SQLite::Statement& store = statements_->store_node;
  store.tryReset();
  store.bind(1, crypto::encode_node_id(node.node));
  bind_record(store, 2, node.record);
  store.exec();
}

}  // namespace overlayd::daemon
