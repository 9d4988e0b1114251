#include "daemon/peer_store.h"

#include <fstream>

#include "core/limits.h"
#include "tests/unit/store_fixture.h"

namespace overlayd::daemon {
namespace {

using namespace test;

void fill(const std::string& path, std::uint32_t count) {
  const Opened opened = open_store(path);
  REQUIRE(opened.error == "");
  std::vector<StorageChange> changes;
  for (std::uint32_t i = 0; i < count; ++i) changes.emplace_back(store_of(i));
  REQUIRE(opened.store->apply(changes).ok());
}

}  // namespace

TEST_CASE("records stored are loaded again by the next process, IPv6 among them", "[peer_store]") {
  const Folder folder;
  PeerAddress v6;
  v6.ip[0] = 0x20;
  v6.ip[15] = 1;
  v6.port = 65535;
  {
    const Opened opened = open_store(folder.database());
    REQUIRE(opened.error == "");
    CHECK(opened.warnings.empty());
    const std::vector<StorageChange> changes = {store_of(1, 3, PeerType::kPreferred),
                                                StorePeer{{v6, UnixTime{5}, 9, PeerType::kInbound}}};
    REQUIRE(opened.store->apply(changes).ok());
  }
  const auto records = load_records(folder.database());
  REQUIRE(records.size() == 2);
  CHECK(records[0].address == address_of(1));
  CHECK(records[0].next_attempt == UnixTime{101});
  CHECK(records[0].failures == 3);
  CHECK(records[0].type == PeerType::kPreferred);
  CHECK(records[1].address == v6);
  CHECK(records[1].failures == 9);
  CHECK(records[1].type == PeerType::kInbound);
}

TEST_CASE("changes apply in their order: a later one to the same address wins", "[peer_store]") {
  const Folder folder;
  const Opened opened = open_store(folder.database());
  const std::vector<StorageChange> changes = {store_of(1), store_of(1, 7), store_of(2), ErasePeer{address_of(2)},
                                              ErasePeer{address_of(3)}};
  REQUIRE(opened.store->apply(changes).ok());
  const auto loaded = opened.store->load_all().value();
  REQUIRE(loaded.records.size() == 1);
  CHECK(loaded.records[0].failures == 7);
}

TEST_CASE("the tables are those of the protocol's reference node, with the schema version stated", "[peer_store]") {
  const Folder folder;
  fill(folder.database(), 1);
  SQLite::Database database(folder.database(), SQLite::OPEN_READWRITE);
  CHECK(database.execAndGet("PRAGMA user_version").getInt() == PeerStore::kSchemaVersion);
  CHECK(database.execAndGet("PRAGMA journal_mode").getString() == "wal");
  CHECK(
      database
          .execAndGet("SELECT ip || ' ' || port || ' ' || nextattempt || ' ' || numfailures || ' ' || type FROM peers")
          .getString() == "10.0.0.0 11625 100 0 1");
  CHECK(database.exec("INSERT INTO ban (nodeid) VALUES ('G')") == 1);
}

TEST_CASE("rows that are no peer are skipped and counted", "[peer_store]") {
  const Folder folder;
  fill(folder.database(), 1);
  {
    SQLite::Database database(folder.database(), SQLite::OPEN_READWRITE);
    database.exec("INSERT INTO peers VALUES ('example.org', 1, 0, 0, 0)");
    database.exec("INSERT INTO peers VALUES ('1.2.3.4', 1, 0, 0, 3)");
    database.exec("INSERT INTO peers VALUES ('1.2.3.5', 1, -1, 0, 0)");
    database.exec("INSERT INTO peers VALUES ('1.2.3.6', 1, 0, 4294967296, 0)");
  }
  const Opened opened = open_store(folder.database());
  const auto loaded = opened.store->load_all().value();
  CHECK(loaded.records.size() == 1);
  CHECK(loaded.skipped == 4);
}

TEST_CASE("no more records are loaded than the book holds, and the best come first", "[peer_store]") {
  const Folder folder;
  fill(folder.database(), limits::kKnownPeersMax + 1);
  const Opened opened = open_store(folder.database());
  const std::vector<StorageChange> worse = {store_of(0, 5)};
  REQUIRE(opened.store->apply(worse).ok());
  const auto loaded = opened.store->load_all().value();
  REQUIRE(loaded.records.size() == limits::kKnownPeersMax);
  CHECK(loaded.left_behind == 1);
  CHECK(loaded.records.front().address == address_of(1));
  CHECK(loaded.records.back().failures == 0);
}

TEST_CASE("a corrupt or truncated file is moved aside with a warning, and a fresh one works", "[peer_store]") {
  const std::vector<std::function<void(const std::string&)>> damages = {
      [](const std::string& path) { std::ofstream(path, std::ios::binary) << std::string(5000, 'x'); },
      [](const std::string& path) { fs::resize_file(path, fs::file_size(path) / 2); },
      [](const std::string& path) { fs::resize_file(path, 50); },
      [](const std::string& path) {
        std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(4096);
        file << std::string(8192, '\xff');
      },
  };
  for (std::size_t i = 0; i < damages.size(); ++i) {
    INFO("damage " << i);
    const Folder folder;
    fill(folder.database(), 2000);
    damages[i](folder.database());
    const Opened opened = open_store(folder.database());
    REQUIRE(opened.error == "");
    REQUIRE(opened.warnings.size() == 1);
    CHECK(opened.warnings[0].find(folder.database() + ".corrupt-1000") != std::string::npos);
    CHECK(fs::exists(folder.database() + ".corrupt-1000"));
    CHECK(opened.store->load_all().value().records.empty());
    const std::vector<StorageChange> changes = {store_of(1)};
    CHECK(opened.store->apply(changes).ok());
  }
}

TEST_CASE("a second corrupt file does not replace the first one moved aside", "[peer_store]") {
  const Folder folder;
  for (const char* name : {".corrupt-1000", ".corrupt-1001"}) {
    std::ofstream(folder.database(), std::ios::binary) << std::string(5000, 'x');
    REQUIRE(open_store(folder.database()).error == "");
    CHECK(fs::exists(folder.database() + name));
    fs::remove(folder.database());
  }
}

TEST_CASE("a newer schema and another program's database are refused and left alone", "[peer_store]") {
  const Folder folder;
  fill(folder.database(), 1);
  SQLite::Database(folder.database(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 4");
  CHECK(open_store(folder.database()).error.starts_with(folder.database() + ": has schema version 4, made by a newer"));
  SQLite::Database(folder.database(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 0");
  CHECK(open_store(folder.database()).error.starts_with(folder.database() + ": is a database of another program"));
  SQLite::Database(folder.database(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 3");
  CHECK(load_records(folder.database()).size() == 1);
}

TEST_CASE("a path where no file can be is a failure with the path", "[peer_store]") {
  CHECK(open_store("/nonexistent/overlayd.db").error.starts_with("/nonexistent/overlayd.db: "));
}

TEST_CASE("a batch that fails half way changes nothing", "[peer_store]") {
  const Folder folder;
  const Opened opened = open_store(folder.database());
  StorePeer bad = store_of(2);
  bad.record.address.port = 0;  // the table refuses it
  const std::vector<StorageChange> changes = {store_of(1), bad};
  CHECK(!opened.store->apply(changes).ok());
  CHECK(opened.store->load_all().value().records.empty());
  const std::vector<StorageChange> good = {store_of(1)};
  CHECK(opened.store->apply(good).ok());
}

}  // namespace overlayd::daemon
