#include "daemon/survey_store.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "core/crypto/strkey.h"
#include "daemon/storage_thread.h"
#include "tests/unit/store_fixture.h"

namespace overlayd::daemon {
namespace {

using namespace test;

constexpr std::chrono::hours kNeverByItself{1};

void apply_to(const std::string& path, const std::vector<StorageChange>& changes) {
  const auto applied = open_store(path).store->apply(changes);
  INFO((applied ? std::string() : applied.error()));
  REQUIRE(applied.ok());
}

LoadedSurvey load(const std::string& path) { return open_store(path).store->load_all().value().survey; }

void execute(const std::string& path, const std::string& statement) {
  SQLite::Database(path, SQLite::OPEN_READWRITE).exec(statement);
}

StoreSurveyNode node_record(std::uint32_t number, std::uint8_t byte) { return {node_of(number), Bytes(3, byte)}; }

std::vector<std::uint8_t> first_bytes(const LoadedSurvey& survey) {
  std::vector<std::uint8_t> bytes;
  for (const StoreSurveyNode& node : survey.nodes) bytes.push_back(node.record.at(0));
  return bytes;
}

std::unique_ptr<StorageThread> start_thread(const std::string& path, StorageThreadOptions options) {
  return std::make_unique<StorageThread>(std::move(open_store(path).store), std::move(options));
}

}  // namespace

TEST_CASE("a survey and its nodes are loaded again by the next process", "[survey_store]") {
  const Folder folder;
  const LoadedSurvey none = load(folder.database());
  CHECK(none.record.empty());
  CHECK(none.nodes.empty());
  apply_to(folder.database(), {StoreSurvey{.record = {0, 1, 2}, .is_new = true}, node_record(1, 7), node_record(2, 8)});
  apply_to(folder.database(), {StoreSurvey{.record = {9}}, node_record(2, 6)});
  const LoadedSurvey loaded = load(folder.database());
  CHECK(loaded.record == Bytes{9});
  REQUIRE(loaded.nodes.size() == 2);
  CHECK(loaded.nodes[0].node == node_of(1));
  CHECK(loaded.nodes[0].record == Bytes(3, 7));
  CHECK(loaded.nodes[1].record == Bytes(3, 6));
  CHECK(loaded.skipped + loaded.left_behind == 0);
}

TEST_CASE("a new survey deletes the nodes of the one before, or changes nothing", "[survey_store]") {
  const Folder folder;
  apply_to(folder.database(), {StoreSurvey{{1}, true}, node_record(1, 1), node_record(2, 1)});
  execute(folder.database(),
          "CREATE TRIGGER refuse BEFORE INSERT ON survey_node BEGIN SELECT RAISE(ABORT, 'full'); END");
  const std::vector<StorageChange> changes{StoreSurvey{{2}, true}, node_record(3, 2)};
  CHECK_FALSE(open_store(folder.database()).store->apply(changes).ok());
  CHECK(load(folder.database()).record == Bytes{1});
  CHECK(load(folder.database()).nodes.size() == 2);
  execute(folder.database(), "DROP TRIGGER refuse");
  apply_to(folder.database(), changes);
  CHECK(load(folder.database()).record == Bytes{2});
  CHECK(first_bytes(load(folder.database())) == std::vector<std::uint8_t>{2});
}

TEST_CASE("rows that are no record are passed over and counted", "[survey_store]") {
  const Folder folder;
  apply_to(folder.database(), {StoreSurvey{{1}, true}, node_record(1, 1)});
  const std::string strkey = crypto::encode_node_id(node_of(2));
  execute(folder.database(), "INSERT INTO survey_node VALUES ('Gxyz', x'00')");
  execute(folder.database(), "INSERT INTO survey_node VALUES ('" + strkey + "', 'text')");
  execute(folder.database(), "INSERT INTO survey_node VALUES ('" + crypto::encode_node_id(node_of(3)) + "', zeroblob(" +
                                 std::to_string(kSurveyRecordBytesMax + 1) + "))");
  execute(folder.database(), "INSERT INTO survey_node VALUES ('" + crypto::encode_node_id(node_of(4)) + "', zeroblob(" +
                                 std::to_string(kSurveyRecordBytesMax) + "))");
  const LoadedSurvey loaded = load(folder.database());
  CHECK(loaded.nodes.size() == 2);
  CHECK(loaded.skipped == 3);
  execute(folder.database(), "UPDATE survey SET record = 5");
  CHECK(load(folder.database()).record.empty());
  CHECK(load(folder.database()).skipped == 4);
}

TEST_CASE("no more nodes are loaded than a result holds", "[survey_store]") {
  const Folder folder;
  std::vector<StorageChange> changes{StoreSurvey{{1}, true}};
  for (std::uint32_t i = 0; i < limits::kSurveyNodesMax; ++i) changes.emplace_back(node_record(i, 1));
  apply_to(folder.database(), changes);
  CHECK(load(folder.database()).nodes.size() == limits::kSurveyNodesMax);
  CHECK(load(folder.database()).left_behind == 0);
  apply_to(folder.database(), {node_record(limits::kSurveyNodesMax, 1)});
  CHECK(load(folder.database()).nodes.size() == limits::kSurveyNodesMax);
  CHECK(load(folder.database()).left_behind == 1);
}

TEST_CASE("a file of the second schema is brought up to date with all that is in it", "[survey_store]") {
  const Folder folder;
  const Ban ban{.subject = node_of(1), .reason = "spam", .set_by = "op", .made = UnixTime{5}};
  apply_to(folder.database(), {store_of(1, 3), StoreBan{ban}, StoreAnchors{{address_of(2)}}});
  execute(folder.database(), "DROP TABLE survey");
  execute(folder.database(), "DROP TABLE survey_node");
  execute(folder.database(), "PRAGMA user_version = 2");
  for (int opening = 0; opening < 2; ++opening) {
    const Opened opened = open_store(folder.database());
    REQUIRE(opened.error == "");
    CHECK(opened.warnings.empty());
    const Stored stored = opened.store->load_all().value();
    CHECK(stored.records.size() == 1);
    CHECK(stored.bans.bans == std::vector<Ban>{ban});
    CHECK(stored.anchors == std::vector<PeerAddress>{address_of(2)});
    CHECK(stored.survey.record.empty());
  }
  CHECK(SQLite::Database(folder.database()).execAndGet("PRAGMA user_version").getInt() == PeerStore::kSchemaVersion);
  apply_to(folder.database(), {StoreSurvey{{1}, true}, node_record(1, 1)});
  CHECK(load(folder.database()).nodes.size() == 1);
}

TEST_CASE("a new survey takes the place of what waits of the one before, in whatever batches", "[survey_store]") {
  const Folder folder;
  const auto thread = start_thread(folder.database(), {.batch_max = 2, .flush_period = kNeverByItself});
  CHECK(thread->submit(StoreSurvey{{1}, true}));
  CHECK(thread->submit(node_record(1, 1)));
  CHECK(thread->flush());
  CHECK(thread->submit(node_record(2, 1)));
  CHECK(thread->submit(StoreSurvey{{2}, true}));
  for (std::uint32_t i = 3; i < 8; ++i) CHECK(thread->submit(node_record(i, 2)));
  CHECK(thread->submit(StoreSurvey{{3}, false}));  // it is a new one still
  CHECK(thread->flush());
  CHECK(load(folder.database()).record == Bytes{3});
  CHECK(first_bytes(load(folder.database())) == std::vector<std::uint8_t>{2, 2, 2, 2, 2});
}

TEST_CASE("a survey that could not be written is written later without a node of the one before", "[survey_store]") {
  const Folder folder;
  apply_to(folder.database(), {StoreSurvey{{1}, true}, node_record(1, 1)});
  const auto thread = start_thread(folder.database(), {.flush_period = kNeverByItself});
  const std::string refuse = "CREATE TRIGGER refuse BEFORE INSERT ON survey BEGIN SELECT RAISE(ABORT, 'full'); END";
  execute(folder.database(), refuse);
  CHECK(thread->submit(StoreSurvey{{2}, true}));
  CHECK(thread->submit(node_record(2, 2)));
  CHECK_FALSE(thread->flush());
  SECTION("the same survey went on meanwhile") {
    CHECK(thread->submit(StoreSurvey{{3}, false}));
    CHECK_FALSE(thread->flush());
    execute(folder.database(), "DROP TRIGGER refuse");
    CHECK(thread->flush());
    CHECK(load(folder.database()).record == Bytes{3});
    CHECK(first_bytes(load(folder.database())) == std::vector<std::uint8_t>{2});
  }
  SECTION("another one began meanwhile") {
    CHECK(thread->submit(StoreSurvey{{4}, true}));
    CHECK(thread->submit(node_record(4, 4)));
    CHECK_FALSE(thread->flush());
    execute(folder.database(), "DROP TRIGGER refuse");
    CHECK(thread->flush());
    CHECK(load(folder.database()).record == Bytes{4});
    CHECK(first_bytes(load(folder.database())) == std::vector<std::uint8_t>{4});
  }
}

TEST_CASE("what comes of a survey while another change is written wins over what cannot be written", "[survey_store]") {
  const Folder folder;
  apply_to(folder.database(), {StoreSurvey{{1}, true}, node_record(1, 1)});
  execute(folder.database(), "CREATE TRIGGER refuse BEFORE INSERT ON survey BEGIN SELECT RAISE(ABORT, 'full'); END");
  // The ban is written first; its report comes while the survey waits to be written in the same round.
  std::unique_ptr<StorageThread> thread;
  std::function<void()> meanwhile;
  StorageThreadOptions options{.flush_period = kNeverByItself};
  options.on_ban_stored = [&](const BanStored&) { meanwhile(); };
  thread = start_thread(folder.database(), options);
  const auto write_both = [&] {
    CHECK(thread->submit(StoreSurvey{{2}, true}));
    CHECK(thread->submit(node_record(2, 2)));
    CHECK(thread->submit(StoreBan{.ban = {.subject = node_of(1)}, .request = RequestId{1}}));
    CHECK_FALSE(thread->flush());
    execute(folder.database(), "DROP TRIGGER refuse");
    CHECK(thread->flush());
  };
  SECTION("the same survey went on") {
    meanwhile = [&] { static_cast<void>(thread->submit(StoreSurvey{{3}, false})); };
    write_both();
    CHECK(load(folder.database()).record == Bytes{3});
    CHECK(first_bytes(load(folder.database())) == std::vector<std::uint8_t>{2});
  }
  SECTION("another one began") {
    meanwhile = [&] {
      static_cast<void>(thread->submit(StoreSurvey{{4}, true}));
      static_cast<void>(thread->submit(node_record(4, 4)));
    };
    write_both();
    CHECK(load(folder.database()).record == Bytes{4});
    CHECK(first_bytes(load(folder.database())) == std::vector<std::uint8_t>{4});
  }
}

TEST_CASE("nodes past the queue are refused and counted, and take no room from peers", "[survey_store]") {
  const Folder folder;
  const auto thread =
      start_thread(folder.database(), {.queue_max = 1, .survey_queue_max = 3, .flush_period = kNeverByItself});
  CHECK(thread->submit(node_record(1, 1)));
  CHECK(thread->submit(node_record(2, 1)));
  CHECK(thread->submit(StoreSurvey{{1}, false}));
  CHECK_FALSE(thread->submit(node_record(3, 1)));
  CHECK(thread->submit(node_record(2, 2)));
  CHECK(thread->submit(store_of(1)));
  CHECK_FALSE(thread->submit(store_of(2)));
  CHECK(thread->counters().refused == 2);
  CHECK(thread->submit(StoreSurvey{{2}, true}));
  for (std::uint32_t i = 5; i < 7; ++i) CHECK(thread->submit(node_record(i, 2)));
  thread->stop();
  CHECK(load(folder.database()).nodes.size() == 2);
  CHECK(thread->counters().lost == 0);
}

}  // namespace overlayd::daemon
