#include "daemon/storage_thread.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "tests/unit/store_fixture.h"

namespace overlayd::daemon {
namespace {

using namespace test;

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

namespace {

// What was reported, in order. Outlives the thread that reports.
class Reports {
 public:
  [[nodiscard]] std::function<void(const BanStored&)> collector() {
    return [this](const BanStored& stored) {
      const std::lock_guard lock(mutex_);
      all_.push_back(stored);
      arrived_.notify_all();
    };
  }
  // Waits for the first `count`; fewer come back if they do not come.
  [[nodiscard]] std::vector<BanStored> wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, std::chrono::seconds(20), [&] { return all_.size() >= count; });
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<BanStored> all_;
};

StoreBan ban_of(std::uint32_t number, std::uint64_t hits = 0, std::uint64_t request = 0, std::uint32_t dropped = 0) {
  const Ban ban{.subject = node_of(number), .reason = "", .set_by = "", .made = UnixTime{1}, .hits = hits};
  return {.ban = ban, .request = RequestId{request}, .links_dropped = dropped};
}

EraseBan unban_of(std::uint32_t number, std::uint64_t request = 0) { return {node_of(number), RequestId{request}}; }

std::vector<Ban> load_bans(const std::string& path) { return open_store(path).store->load_all().value().bans.bans; }

StorageThreadOptions patient(Reports& reports) {
  StorageThreadOptions options;
  options.flush_period = kNeverByItself;
  options.on_ban_stored = reports.collector();
  return options;
}

}  // namespace

TEST_CASE("an order is on disk when it is reported, without waiting for the period", "[storage_thread]") {
  const Folder folder;
  Reports reports;
  const auto thread = start_thread(folder.database(), patient(reports));
  CHECK(thread->submit(store_of(1)));
  CHECK(thread->submit(ban_of(1, 0, 11, 3)));
  auto reported = reports.wait(1);
  REQUIRE(reported.size() == 1);
  CHECK(reported[0].request == RequestId{11});
  CHECK(reported[0].links_dropped == 3);
  CHECK(reported[0].why == "");
  CHECK(load_bans(folder.database()).size() == 1);
  CHECK(thread->submit(unban_of(1, 12)));
  reported = reports.wait(2);
  REQUIRE(reported.size() == 2);
  CHECK(reported[1].request == RequestId{12});
  CHECK(load_bans(folder.database()).empty());
}

TEST_CASE("hits and ended bans are written behind, the latest of each subject, and reported to nobody",
          "[storage_thread]") {
  const Folder folder;
  Reports reports;
  const auto thread = start_thread(folder.database(), patient(reports));
  for (std::uint64_t hits = 1; hits <= 50; ++hits) CHECK(thread->submit(ban_of(1, hits)));
  CHECK(thread->submit(ban_of(2, 1)));
  CHECK(thread->submit(unban_of(2)));
  CHECK(thread->submit(StoreAnchors{{address_of(1)}}));
  CHECK(thread->submit(StoreAnchors{{address_of(2), address_of(1)}}));
  CHECK(thread->counters().waiting == 3);
  CHECK(thread->flush());
  CHECK(thread->counters().written == 3);
  const Stored stored = open_store(folder.database()).store->load_all().value();
  REQUIRE(stored.bans.bans.size() == 1);
  CHECK(stored.bans.bans[0].hits == 50);
  CHECK(stored.anchors == std::vector{address_of(2), address_of(1)});
  CHECK(reports.wait(0).empty());
}

TEST_CASE("hits that waited cannot bring back a ban that was lifted", "[storage_thread]") {
  const Folder folder;
  Reports reports;
  const auto thread = start_thread(folder.database(), patient(reports));
  for (std::uint32_t i = 0; i < 200; ++i) {
    CHECK(thread->submit(ban_of(i, 0, 1)));
    CHECK(thread->submit(ban_of(i, 5)));
    CHECK(thread->submit(unban_of(i, 2)));
  }
  CHECK(reports.wait(400).size() == 400);
  CHECK(thread->flush());
  CHECK(load_bans(folder.database()).empty());
}

TEST_CASE("every order about one subject is reported, though only the last is written", "[storage_thread]") {
  const Folder folder;
  Reports reports;
  SQLite::Database blocker(folder.database(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  const auto thread = start_thread(folder.database(), patient(reports));
  {
    SQLite::Transaction held(blocker, SQLite::TransactionBehavior::IMMEDIATE);  // the thread waits for it
    CHECK(thread->submit(ban_of(9, 0, 1)));
    for (std::uint64_t request = 2; request <= 5; ++request) CHECK(thread->submit(ban_of(1, request, request)));
    CHECK(thread->submit(ban_of(1, 77)));
  }
  const auto reported = reports.wait(5);
  REQUIRE(reported.size() == 5);
  for (const BanStored& stored : reported) CHECK(stored.why == "");
  CHECK(thread->flush());
  const auto bans = load_bans(folder.database());
  REQUIRE(bans.size() == 2);
  CHECK(std::ranges::count(bans, 77U, &Ban::hits) == 1);
}

TEST_CASE("an order that cannot be written is reported with the reason and written once that is possible",
          "[storage_thread]") {
  const Folder folder;
  Reports reports;
  const auto thread = start_thread(folder.database(), patient(reports));
  SQLite::Database blocker(folder.database(), SQLite::OPEN_READWRITE);
  blocker.exec("CREATE TRIGGER refuse BEFORE INSERT ON ban BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  CHECK(thread->submit(ban_of(1, 0, 1)));
  CHECK(thread->submit(ban_of(2, 0, 2)));
  const auto reported = reports.wait(2);
  REQUIRE(reported.size() == 2);
  for (const BanStored& stored : reported) CHECK(stored.why.find("disk full") != std::string::npos);
  CHECK_FALSE(thread->flush());
  CHECK(thread->counters().orders_failed == 2);
  CHECK(thread->counters().waiting == 2);
  blocker.exec("DROP TRIGGER refuse");
  CHECK(thread->submit(unban_of(2)));
  CHECK(thread->flush());
  const auto bans = load_bans(folder.database());
  REQUIRE(bans.size() == 1);
  CHECK(bans[0].subject == BanSubject(node_of(1)));
  CHECK(reports.wait(0).size() == 2);
}

TEST_CASE("peers that cannot be written do not keep an order from the disk", "[storage_thread]") {
  const Folder folder;
  Reports reports;
  const auto thread = start_thread(folder.database(), patient(reports));
  SQLite::Database(folder.database(), SQLite::OPEN_READWRITE)
      .exec("CREATE TRIGGER refuse BEFORE INSERT ON peers BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  CHECK(thread->submit(store_of(1)));
  CHECK_FALSE(thread->flush());
  CHECK(thread->submit(ban_of(1, 0, 1)));
  const auto reported = reports.wait(1);
  REQUIRE(reported.size() == 1);
  CHECK(reported[0].why == "");
  CHECK(load_bans(folder.database()).size() == 1);
}

TEST_CASE("bans and orders past their limits are refused, counted, and the order reported", "[storage_thread]") {
  const Folder folder;
  Reports reports;
  StorageThreadOptions options = patient(reports);
  options.ban_queue_max = 2;
  options.order_max = 0;
  const auto thread = start_thread(folder.database(), std::move(options));
  CHECK(thread->submit(ban_of(1)));
  CHECK(thread->submit(ban_of(2)));
  CHECK_FALSE(thread->submit(ban_of(3)));
  CHECK(thread->submit(ban_of(2, 9)));
  CHECK(thread->submit(store_of(3)));  // addresses have a limit of their own
  CHECK_FALSE(thread->submit(ban_of(1, 0, 5)));
  const auto reported = reports.wait(1);
  REQUIRE(reported.size() == 1);
  CHECK(reported[0].request == RequestId{5});
  CHECK(reported[0].why != "");
  CHECK(thread->counters().refused == 2);
  CHECK(thread->counters().orders_failed == 1);
  thread->stop();
  CHECK_FALSE(thread->submit(unban_of(1, 6)));
  CHECK(reports.wait(2).size() == 2);
}

TEST_CASE("orders given before stop are written and reported by it", "[storage_thread]") {
  const Folder folder;
  Reports reports;
  auto thread = start_thread(folder.database(), patient(reports));
  for (std::uint32_t i = 0; i < 100; ++i) CHECK(thread->submit(ban_of(i, 0, i + 1)));
  thread->stop();
  CHECK(reports.wait(100).size() == 100);
  CHECK(load_bans(folder.database()).size() == 100);
}

TEST_CASE("orders from many threads are each reported once", "[storage_thread]") {
  const Folder folder;
  Reports reports;
  StorageThreadOptions options = patient(reports);
  options.batch_max = 7;
  const auto thread = start_thread(folder.database(), std::move(options));
  {
    std::vector<std::jthread> writers;
    for (std::uint32_t writer = 0; writer < 4; ++writer) {
      writers.emplace_back([&thread, writer] {
        for (std::uint32_t i = 0; i < 50; ++i) {
          thread->submit(ban_of(writer * 100 + i % 5, i, writer * 100 + i + 1));
          thread->submit(store_of(writer * 1000 + i));
        }
      });
    }
  }
  const auto reported = reports.wait(200);
  std::set<RequestId> requests;
  for (const BanStored& stored : reported) requests.insert(stored.request);
  CHECK(reported.size() == 200);
  CHECK(requests.size() == 200);
  thread->stop();
  CHECK(load_bans(folder.database()).size() == 20);
}

}  // namespace overlayd::daemon
