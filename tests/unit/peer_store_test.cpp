#include "daemon/peer_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/limits.h"
#include "daemon/storage_thread.h"

namespace overlayd::daemon {
namespace {

namespace fs = std::filesystem;

struct Folder {
  std::string path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "overlayd-store-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string database() const { return path + "/overlayd.db"; }
};

struct Opened {
  std::unique_ptr<PeerStore> store;
  std::string error;
  std::vector<std::string> warnings;
};

Opened open_store(const std::string& path) {
  Opened opened;
  auto store =
      PeerStore::open({path, UnixTime{1000}, [&](std::string_view text) { opened.warnings.emplace_back(text); }});
  if (store.ok()) {
    opened.store = std::move(store).value();
  } else {
    opened.error = store.error();
  }
  return opened;
}

PeerAddress address_of(std::uint32_t number) {
  return PeerAddress::from_v4({10, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8),
                               static_cast<std::uint8_t>(number)},
                              11625);
}

StorePeer store_of(std::uint32_t number, std::uint32_t failures = 0, PeerType type = PeerType::kOutbound) {
  return {{address_of(number), UnixTime{100 + number}, failures, type}};
}

std::vector<PeerRecord> load_records(const std::string& path) {
  const Opened opened = open_store(path);
  REQUIRE(opened.error == "");
  return opened.store->load_all().value().records;
}

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
  SQLite::Database(folder.database(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 2");
  CHECK(open_store(folder.database()).error.starts_with(folder.database() + ": has schema version 2, made by a newer"));
  SQLite::Database(folder.database(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 0");
  CHECK(open_store(folder.database()).error.starts_with(folder.database() + ": is a database of another program"));
  SQLite::Database(folder.database(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 1");
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

namespace {

constexpr std::chrono::hours kNeverByItself{1};

std::unique_ptr<StorageThread> start_thread(const std::string& path, StorageThreadOptions options) {
  return std::make_unique<StorageThread>(std::move(open_store(path).store), std::move(options));
}

}  // namespace

TEST_CASE("what was submitted is on disk after flush, and after stop without one", "[storage_thread]") {
  const Folder folder;
  const auto thread = start_thread(folder.database(), {.flush_period = kNeverByItself, .warn = {}});
  CHECK(thread->submit(store_of(1)));
  CHECK(thread->submit(store_of(2)));
  CHECK(thread->counters().waiting == 2);
  CHECK(thread->flush());
  CHECK(thread->counters().waiting == 0);
  CHECK(load_records(folder.database()).size() == 2);
  CHECK(thread->submit(ErasePeer{address_of(1)}));
  thread->stop();
  CHECK(load_records(folder.database()).size() == 1);
  CHECK(thread->counters().written == 3);
  CHECK(thread->counters().lost == 0);
}

TEST_CASE("changes to one address replace each other while they wait", "[storage_thread]") {
  const Folder folder;
  const auto thread = start_thread(folder.database(), {.flush_period = kNeverByItself, .warn = {}});
  for (std::uint32_t failures = 0; failures < 100; ++failures) CHECK(thread->submit(store_of(1, failures)));
  CHECK(thread->counters().waiting == 1);
  CHECK(thread->flush());
  CHECK(thread->counters().written == 1);
  CHECK(thread->counters().submitted == 100);
  CHECK(load_records(folder.database()).front().failures == 99);
}

TEST_CASE("a full queue refuses new addresses, counts them, and still takes changes to waiting ones",
          "[storage_thread]") {
  const Folder folder;
  const auto thread = start_thread(folder.database(), {.queue_max = 2, .flush_period = kNeverByItself, .warn = {}});
  CHECK(thread->submit(store_of(1)));
  CHECK(thread->submit(store_of(2)));
  CHECK(!thread->submit(store_of(3)));
  CHECK(thread->submit(store_of(2, 8)));
  CHECK(thread->counters().refused == 1);
  CHECK(thread->flush());
  CHECK(thread->submit(store_of(3)));
}

TEST_CASE("a full batch is written before its period ends", "[storage_thread]") {
  const Folder folder;
  const auto thread = start_thread(folder.database(), {.batch_max = 3, .flush_period = kNeverByItself, .warn = {}});
  for (std::uint32_t i = 0; i < 3; ++i) CHECK(thread->submit(store_of(i)));
  while (thread->counters().written < 3) std::this_thread::yield();
  CHECK(thread->counters().waiting == 0);
}

TEST_CASE("a lone change is written when its period ends", "[storage_thread]") {
  const Folder folder;
  const auto thread = start_thread(folder.database(), {.flush_period = std::chrono::milliseconds(1), .warn = {}});
  CHECK(thread->submit(store_of(1)));
  while (thread->counters().written < 1) std::this_thread::yield();
}

TEST_CASE("a batch that fails waits, is written once that is possible, and both are told once", "[storage_thread]") {
  const Folder folder;
  std::atomic<int> warnings = 0;
  const auto thread = start_thread(
      folder.database(), {.flush_period = kNeverByItself, .warn = [&](std::string_view) { warnings.fetch_add(1); }});
  SQLite::Database blocker(folder.database(), SQLite::OPEN_READWRITE);
  blocker.exec("CREATE TRIGGER refuse BEFORE INSERT ON peers BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  CHECK(thread->submit(store_of(1)));
  CHECK(!thread->flush());
  CHECK(!thread->flush());
  CHECK(thread->counters().failed_batches == 2);
  CHECK(thread->counters().waiting == 1);
  CHECK(warnings.load() == 1);
  CHECK(thread->submit(store_of(1, 4)));
  blocker.exec("DROP TRIGGER refuse");
  CHECK(thread->flush());
  CHECK(warnings.load() == 2);
  CHECK(load_records(folder.database()).front().failures == 4);
}

TEST_CASE("what cannot be written at stop is counted as lost, and later submissions are refused", "[storage_thread]") {
  const Folder folder;
  const auto thread = start_thread(folder.database(), {.flush_period = kNeverByItself, .warn = {}});
  SQLite::Database(folder.database(), SQLite::OPEN_READWRITE)
      .exec("CREATE TRIGGER refuse BEFORE INSERT ON peers BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  CHECK(thread->submit(store_of(1)));
  thread->stop();
  thread->stop();
  CHECK(thread->counters().lost == 1);
  CHECK(!thread->submit(store_of(2)));
  CHECK(!thread->flush());
}

TEST_CASE("many threads may submit and flush at once", "[storage_thread]") {
  const Folder folder;
  const auto thread = start_thread(folder.database(), {.batch_max = 7, .warn = {}});
  {
    std::vector<std::jthread> writers;
    for (std::uint32_t writer = 0; writer < 4; ++writer) {
      writers.emplace_back([&thread, writer] {
        for (std::uint32_t i = 0; i < 200; ++i) {
          thread->submit(store_of(writer * 1000 + i));
          if (i % 50 == 49) static_cast<void>(thread->flush());
        }
      });
    }
  }
  CHECK(thread->flush());
  thread->stop();
  CHECK(load_records(folder.database()).size() == 800);
}

}  // namespace overlayd::daemon
