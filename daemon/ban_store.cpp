#include "daemon/ban_store.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <optional>

#include "core/book/address.h"
#include "core/book/ban_manager.h"
#include "core/crypto/strkey.h"
#include "core/limits.h"
#include "daemon/address_columns.h"

namespace overlayd::daemon {
namespace {

constexpr const char* kCreateTables = R"(
CREATE TABLE ban_details (
  subject TEXT NOT NULL PRIMARY KEY,
  reason TEXT NOT NULL DEFAULT '',
  set_by TEXT NOT NULL DEFAULT '',
  made INT NOT NULL DEFAULT 0,
  ends INT,
  hits INT NOT NULL DEFAULT 0,
  last_hit INT
);
CREATE TABLE anchors (
  ip TEXT NOT NULL,
  port INT NOT NULL CHECK (port > 0 AND port <= 65535),
  PRIMARY KEY (ip, port)
);
)";
// No range begins with a G, every strkey of a node does.
constexpr const char* kForgetLifted =
    "DELETE FROM ban_details WHERE subject GLOB 'G*' AND subject NOT IN (SELECT nodeid FROM ban)";
constexpr const char* kLoadBans =
    "SELECT nodeid AS subject, reason, set_by, ifnull(made, 0) AS made, ends, hits, last_hit "
    "FROM ban LEFT JOIN ban_details ON subject = nodeid "
    "UNION ALL SELECT subject, reason, set_by, made, ends, hits, last_hit FROM ban_details "
    "WHERE subject NOT GLOB 'G*' ORDER BY made DESC, subject";
constexpr const char* kStoreNode = "INSERT OR IGNORE INTO ban (nodeid) VALUES (?)";
constexpr const char* kStoreDetails =
    "INSERT OR REPLACE INTO ban_details (subject, reason, set_by, made, ends, hits, last_hit) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kEraseNode = "DELETE FROM ban WHERE nodeid = ?";
constexpr const char* kEraseDetails = "DELETE FROM ban_details WHERE subject = ?";
constexpr const char* kLoadAnchors = "SELECT ip, port FROM anchors ORDER BY rowid";
constexpr const char* kStoreAnchor = "INSERT OR IGNORE INTO anchors (ip, port) VALUES (?, ?)";

std::optional<BanSubject> read_subject(const std::string& text) {
  if (auto node = crypto::decode_node_id(text)) return BanSubject(node.value());
  if (auto subnet = book::parse_subnet(text)) return BanSubject(subnet.value());
  return std::nullopt;
}

// Like the API does: at most so much of it, and nothing that is not printable ASCII.
std::string read_text(const SQLite::Column& column, std::size_t bytes_max) {
  std::string text = column.getString();
  text.resize(std::min(text.size(), bytes_max));
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

std::uint64_t read_number(const SQLite::Column& column) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(column.getInt64(), 0));
}

std::optional<UnixTime> read_time(const SQLite::Column& column) {
  if (!column.isInteger()) return std::nullopt;
  return UnixTime{read_number(column)};
}

// Columns as in kLoadBans.
std::optional<Ban> read_ban(const SQLite::Statement& row) {
  const auto subject = read_subject(row.getColumn(0).getString());
  if (!subject) return std::nullopt;
  return Ban{.subject = *subject,
             .reason = read_text(row.getColumn(1), limits::kBanReasonBytesMax),
             .set_by = read_text(row.getColumn(2), limits::kBanSetByBytesMax),
             .made = UnixTime{read_number(row.getColumn(3))},
             .ends = read_time(row.getColumn(4)),
             .hits = read_number(row.getColumn(5)),
             .last_hit = read_time(row.getColumn(6))};
}

std::int64_t to_column(std::uint64_t number) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(number, INT64_MAX));
}

void bind_time(SQLite::Statement& statement, int index, const std::optional<UnixTime>& time) {
  if (time)
    statement.bind(index, to_column(time->seconds));
  else
    statement.bind(index);
}

void execute(SQLite::Statement& statement, const std::string& text) {
  statement.tryReset();  // not reset(): that throws again what the last execution threw
  statement.bind(1, text);
  statement.exec();
}

}  // namespace

struct BanStore::Statements {
  explicit Statements(SQLite::Database& database)
      : store_node(database, kStoreNode),
        store_details(database, kStoreDetails),
        erase_node(database, kEraseNode),
        erase_details(database, kEraseDetails),
        store_anchor(database, kStoreAnchor) {}
  SQLite::Statement store_node, store_details, erase_node, erase_details, store_anchor;
};

void BanStore::create_tables(SQLite::Database& database) { database.exec(kCreateTables); }

BanStore::BanStore(SQLite::Database& database)
    : database_(database), statements_(std::make_unique<Statements>(database)) {}
BanStore::~BanStore() = default;

LoadedBans BanStore::load() {
  database_.exec(kForgetLifted);
  LoadedBans loaded;
  SQLite::Statement row(database_, kLoadBans);
  while (row.executeStep()) {
    auto ban = read_ban(row);
    if (!ban) {
      ++loaded.skipped;
    } else if (loaded.bans.size() == limits::kBansMax) {
      ++loaded.left_behind;
    } else {
      loaded.bans.push_back(std::move(*ban));
    }
  }
  return loaded;
}

void BanStore::store(const Ban& ban) {
  const std::string subject = book::subject_text(ban.subject);
  if (std::holds_alternative<NodeId>(ban.subject)) execute(statements_->store_node, subject);
  SQLite::Statement& details = statements_->store_details;
  details.tryReset();
  details.bind(1, subject);
  details.bind(2, ban.reason);
  details.bind(3, ban.set_by);
  details.bind(4, to_column(ban.made.seconds));
  bind_time(details, 5, ban.ends);
  details.bind(6, to_column(ban.hits));
  bind_time(details, 7, ban.last_hit);
  details.exec();
}

void BanStore::erase(const BanSubject& subject) {
  const std::string text = book::subject_text(subject);
  if (std::holds_alternative<NodeId>(subject)) execute(statements_->erase_node, text);
  execute(statements_->erase_details, text);
}

std::vector<PeerAddress> BanStore::load_anchors() {
  std::vector<PeerAddress> anchors;
  SQLite::Statement row(database_, kLoadAnchors);
  while (anchors.size() < limits::kAnchorsMax && row.executeStep()) {
    if (const auto address = read_address(row.getColumn(0).getText(), row.getColumn(1).getInt64()))
      anchors.push_back(*address);
  }
  return anchors;
}

void BanStore::replace_anchors(std::span<const PeerAddress> anchors) {
  database_.exec("DELETE FROM anchors");  // the row ids begin anew, and with them the order
  SQLite::Statement& store = statements_->store_anchor;
  for (const PeerAddress& anchor : anchors) {
    store.tryReset();
    store.bind(1, book::ip_to_string(anchor));
    store.bind(2, static_cast<std::int32_t>(anchor.port));
    store.exec();
  }
}

}  // namespace overlayd::daemon
