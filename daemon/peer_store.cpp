#include "daemon/peer_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "core/book/address.h"
#include "core/limits.h"
#include "daemon/address_columns.h"

namespace overlayd::daemon {
namespace {

constexpr int kBusyTimeoutMs = 2000;  // an operator's sqlite3 shell may hold the lock for a moment

constexpr int kSchemaWithoutBans = 1;
constexpr int kSchemaWithoutSurveys = 2;

constexpr const char* kCreateTables = R"(
CREATE TABLE peers (
  ip TEXT NOT NULL,
  port INT NOT NULL CHECK (port > 0 AND port <= 65535),
  nextattempt INT NOT NULL,
  numfailures INT NOT NULL DEFAULT 0 CHECK (numfailures >= 0),
  type INT NOT NULL,
  PRIMARY KEY (ip, port)
);
CREATE TABLE ban (nodeid TEXT NOT NULL PRIMARY KEY);
)";
constexpr const char* kStorePeer =
    "INSERT INTO peers (ip, port, nextattempt, numfailures, type) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (ip, port) DO UPDATE SET nextattempt = excluded.nextattempt, numfailures = excluded.numfailures, "
    "type = excluded.type";
constexpr const char* kErasePeer = "DELETE FROM peers WHERE ip = ? AND port = ?";
constexpr const char* kLoadPeers =
    "SELECT ip, port, nextattempt, numfailures, type FROM peers ORDER BY numfailures, nextattempt, ip, port";

bool is_corruption(int sqlite_code) {
  const int primary = sqlite_code & 0xff;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

// Columns as in kLoadPeers. The table's types are only a habit of SQLite's, so everything is checked.
std::optional<PeerRecord> parse_record(const SQLite::Statement& row) {
  const auto address = read_address(row.getColumn(0).getText(), row.getColumn(1).getInt64());
  const std::int64_t next_attempt = row.getColumn(2).getInt64();
  const std::int64_t failures = row.getColumn(3).getInt64();
  const std::int64_t type = row.getColumn(4).getInt64();
  if (!address || next_attempt < 0 || failures < 0 || failures > UINT32_MAX || type < 0 ||
      type > static_cast<std::int64_t>(PeerType::kPreferred)) {
    return std::nullopt;
  }
  return PeerRecord{*address, UnixTime{static_cast<std::uint64_t>(next_attempt)}, static_cast<std::uint32_t>(failures),
                    static_cast<PeerType>(type)};
}

// What an operator can do about a file that cannot be opened or written; may be empty.
std::string advice_for(const std::string& path, int sqlite_code) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return "; it is a folder: set storage.database to a file";
  switch (sqlite_code & 0xff) {
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM: return "; the file and its folder must be writable for the user that overlayd runs as";
    case SQLITE_BUSY: return "; another process holds it: is a second overlayd running?";
    default: return {};
  }
}

void set_version(SQLite::Database& database) {
  database.exec("PRAGMA user_version = " + std::to_string(PeerStore::kSchemaVersion));
}

void create_schema(SQLite::Database& database) {
  SQLite::Transaction transaction(database);
  database.exec(kCreateTables);
  BanStore::create_tables(database);
  SurveyStore::create_tables(database);
  set_version(database);
  transaction.commit();
}

// Adds what the schema `version`, an older one of ours, lacks.
void bring_up_to_date(SQLite::Database& database, int version) {
  SQLite::Transaction transaction(database);
  if (version <= kSchemaWithoutBans) BanStore::create_tables(database);
  if (version <= kSchemaWithoutSurveys) SurveyStore::create_tables(database);
  set_version(database);
  transaction.commit();
}

// Empty: the file is ours and sound. Throws SQLite::Exception.
std::string check_schema(SQLite::Database& database) {
  const int version = database.execAndGet("PRAGMA user_version").getInt();
  if (version > PeerStore::kSchemaVersion) {
    return "has schema version " + std::to_string(version) + ", made by a newer overlayd; this one knows " +
           std::to_string(PeerStore::kSchemaVersion) + ". Run the newer one, or set storage.database to another file";
  }
  if (version == PeerStore::kSchemaVersion) return {};
  if (version == kSchemaWithoutBans || version == kSchemaWithoutSurveys) {
    bring_up_to_date(database, version);
    return {};
  }
  if (version < 0 || database.execAndGet("SELECT count(*) FROM sqlite_master").getInt64() > 0) {
    return "is a database of another program; set storage.database to another file";
  }
  create_schema(database);
  return {};
}

// A name that no earlier accident has taken.
std::string free_corrupt_name(const std::string& path, UnixTime now) {
  std::error_code error;
  for (std::uint64_t time = now.seconds;; ++time) {
    std::string name = path + ".corrupt-" + std::to_string(time);
    if (!std::filesystem::exists(name, error)) return name;
  }
}

Result<Done> move_aside(const std::string& path, const std::string& target) {
  std::error_code error;
  std::filesystem::rename(path, target, error);
  if (error) return Failure{path + ": is corrupt and cannot be moved aside: " + error.message()};
  for (const char* suffix : {"-wal", "-shm"}) std::filesystem::rename(path + suffix, target + suffix, error);
  return Done{};
}

}  // namespace

struct PeerStore::Connection {
  explicit Connection(const std::string& path)
      : database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyTimeoutMs) {}

  SQLite::Database database;
  std::optional<SQLite::Statement> store;
  std::optional<SQLite::Statement> erase;
  std::optional<BanStore> bans;
  std::optional<SurveyStore> surveys;

  // Empty, or why the file is refused. Throws SQLite::Exception, corruption included.
  std::string prepare() {
    if (auto why = check_schema(database); !why.empty()) return why;
    database.exec("PRAGMA journal_mode = WAL");
    // FULL: a ban must survive a power failure. One sync a second is nothing.
    database.exec("PRAGMA synchronous = FULL");
    const std::string verdict = database.execAndGet("PRAGMA quick_check(1)").getString();
    if (verdict != "ok") throw SQLite::Exception(verdict, SQLITE_CORRUPT);
    store.emplace(database, kStorePeer);
    erase.emplace(database, kErasePeer);
    bans.emplace(database);
    surveys.emplace(database);
    return {};
  }

  void apply_one(const StorePeer& change) {
    const PeerRecord& record = change.record;
    store->tryReset();  // not reset(): that throws again what the last execution threw
    store->bind(1, book::ip_to_string(record.address));
    store->bind(2, static_cast<std::int32_t>(record.address.port));
    store->bind(3, static_cast<std::int64_t>(std::min<std::uint64_t>(record.next_attempt.seconds, INT64_MAX)));
    store->bind(4, static_cast<std::int64_t>(record.failures));
    store->bind(5, static_cast<std::int32_t>(record.type));
    store->exec();
  }

  void apply_one(const ErasePeer& change) {
    erase->tryReset();
    erase->bind(1, book::ip_to_string(change.address));
    erase->bind(2, static_cast<std::int32_t>(change.address.port));
    erase->exec();
  }

  void apply_one(const StoreBan& change) { bans->store(change.ban); }
  void apply_one(const EraseBan& change) { bans->erase(change.subject); }
  void apply_one(const StoreAnchors& change) { bans->replace_anchors(change.addresses); }
  void apply_one(const StoreSurvey& change) { surveys->store(change); }
  void apply_one(const StoreSurveyNode& change) { surveys->store(change); }

  struct Attempt {
    std::unique_ptr<Connection> connection;
    std::string why;
    bool is_corrupt = false;
  };
  static Attempt attempt(const std::string& path) {
    Attempt result;
    try {
      auto connection = std::make_unique<Connection>(path);
      result.why = connection->prepare();
      if (result.why.empty()) result.connection = std::move(connection);
    } catch (const SQLite::Exception& error) {
      result.why = error.what() + advice_for(path, error.getErrorCode());
      result.is_corrupt = is_corruption(error.getErrorCode());
    } catch (const std::exception& error) {
      result.why = error.what();
    }
    return result;
  }
};

PeerStore::PeerStore(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
PeerStore::~PeerStore() = default;

Result<std::unique_ptr<PeerStore>> PeerStore::open(const PeerStoreOptions& options) {
  auto attempt = Connection::attempt(options.path);
  if (attempt.is_corrupt) {
    const std::string target = free_corrupt_name(options.path, options.now);
    if (auto moved = move_aside(options.path, target); !moved) return Failure{moved.error()};
    if (options.warn) {
      options.warn(options.path + " is corrupt (" + attempt.why + "); it was moved to " + target +
                   ". Known peers, bans and the last survey start empty: ban again whom you had banned.");
    }
    attempt = Connection::attempt(options.path);
  }
  if (attempt.connection == nullptr) return Failure{options.path + ": " + attempt.why};
  return std::unique_ptr<PeerStore>(new PeerStore(std::move(attempt.connection)));
}

Result<Stored> PeerStore::load_all() {
  try {
    Stored loaded{.bans = connection_->bans->load(),
                  .anchors = connection_->bans->load_anchors(),
                  .survey = connection_->surveys->load()};
    SQLite::Statement row(connection_->database, kLoadPeers);
    while (row.executeStep()) {
      const auto record = parse_record(row);
      if (!record) {
        ++loaded.skipped;
      } else if (loaded.records.size() == limits::kKnownPeersMax) {
        ++loaded.left_behind;
      } else {
        loaded.records.push_back(*record);
      }
    }
    return loaded;
  } catch (const std::exception& error) {
    return Failure{connection_->database.getFilename() + ": cannot be read: " + error.what()};
  }
}

Result<Done> PeerStore::apply(std::span<const StorageChange> changes) {
  try {
    SQLite::Transaction transaction(connection_->database);
    for (const StorageChange& change : changes) {
      std::visit([this](const auto& one) { connection_->apply_one(one); }, change);
    }
    transaction.commit();
    return Done{};
  } catch (const std::exception& error) {
    return Failure{connection_->database.getFilename() + ": cannot be written: " + error.what()};
  }
}

}  // namespace overlayd::daemon
