#include "daemon/ban_store.h"

#include "core/book/address.h"
#include "core/crypto/strkey.h"
#include "core/limits.h"
#include "tests/unit/store_fixture.h"

namespace overlayd::daemon {
namespace {

using namespace test;

Subnet subnet_of(const char* text) { return book::parse_subnet(text).value(); }

Ban full_ban(BanSubject subject) {
  return {.subject = subject,
          .reason = "floods; it's \"slow\"",
          .set_by = "ops",
          .made = UnixTime{1'700'000'000},
          .ends = UnixTime{1'800'000'000},
          .hits = 7,
          .last_hit = UnixTime{1'700'000'100}};
}

Ban plain_ban(BanSubject subject, std::uint64_t made = 5) {
  return {.subject = subject, .reason = "", .set_by = "", .made = UnixTime{made}};
}

void apply_to(const std::string& path, const std::vector<StorageChange>& changes) {
  const Opened opened = open_store(path);
  REQUIRE(opened.error == "");
  REQUIRE(opened.store->apply(changes).ok());
}

Stored load(const std::string& path) {
  const Opened opened = open_store(path);
  REQUIRE(opened.error == "");
  return opened.store->load_all().value();
}

void execute(const std::string& path, const std::string& sql) {
  SQLite::Database(path, SQLite::OPEN_READWRITE).exec(sql);
}

std::int64_t count(const std::string& path, const std::string& table) {
  return SQLite::Database(path).execAndGet("SELECT count(*) FROM " + table).getInt64();
}

// As the first schema left it.
void make_version_1(const std::string& path) {
  SQLite::Database database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  database.exec(
      "CREATE TABLE peers (ip TEXT NOT NULL, port INT NOT NULL CHECK (port > 0 AND port <= 65535), nextattempt INT NOT "
      "NULL, numfailures INT NOT NULL DEFAULT 0 CHECK (numfailures >= 0), type INT NOT NULL, PRIMARY KEY (ip, port))");
  database.exec("CREATE TABLE ban (nodeid TEXT NOT NULL PRIMARY KEY)");
  database.exec("PRAGMA user_version = 1");
}

}  // namespace

TEST_CASE("bans stored are loaded again as they were, the latest made first", "[ban_store]") {
  const Folder folder;
  const std::vector<Ban> bans = {full_ban(node_of(1)), full_ban(subnet_of("192.0.2.0/24")), plain_ban(node_of(2), 9),
                                 plain_ban(subnet_of("2001:db8::/32"), 8), plain_ban(subnet_of("198.51.100.7"), 7)};
  std::vector<StorageChange> changes;
  for (const Ban& ban : bans) changes.emplace_back(StoreBan{ban});
  apply_to(folder.database(), changes);
  const LoadedBans loaded = load(folder.database()).bans;
  CHECK(loaded.skipped == 0);
  REQUIRE(loaded.bans.size() == bans.size());
  CHECK(std::is_permutation(bans.begin(), bans.begin() + 2, loaded.bans.begin()));
  CHECK(std::equal(bans.begin() + 2, bans.end(), loaded.bans.begin() + 2));
}

TEST_CASE("a node's ban is in stellar-core's table, a range's is not", "[ban_store]") {
  const Folder folder;
  apply_to(folder.database(), {StoreBan{full_ban(node_of(1))}, StoreBan{full_ban(subnet_of("192.0.2.0/24"))}});
  SQLite::Database database(folder.database());
  CHECK(database.execAndGet("SELECT group_concat(nodeid) FROM ban").getString() == crypto::encode_node_id(node_of(1)));
}

TEST_CASE("a further ban of a subject takes the place of the first, and lifting one leaves the others", "[ban_store]") {
  const Folder folder;
  for (const BanSubject& subject : {BanSubject(node_of(1)), BanSubject(subnet_of("192.0.2.0/24"))}) {
    apply_to(folder.database(), {StoreBan{full_ban(subject)}, StoreBan{plain_ban(subject)}});
    CHECK(load(folder.database()).bans.bans == std::vector<Ban>{plain_ban(subject)});
    apply_to(folder.database(), {StoreBan{plain_ban(node_of(9))}, EraseBan{subject}, EraseBan{node_of(3)}});
    CHECK(load(folder.database()).bans.bans == std::vector<Ban>{plain_ban(node_of(9))});
    apply_to(folder.database(), {EraseBan{node_of(9)}});
    CHECK(count(folder.database(), "ban") == 0);
    CHECK(count(folder.database(), "ban_details") == 0);
  }
}

TEST_CASE("a node that another program banned is banned without details", "[ban_store]") {
  const Folder folder;
  apply_to(folder.database(), {});
  execute(folder.database(), "INSERT INTO ban VALUES ('" + crypto::encode_node_id(node_of(1)) + "')");
  CHECK(load(folder.database()).bans.bans == std::vector<Ban>{plain_ban(node_of(1), 0)});
}

TEST_CASE("a ban lifted in stellar-core's table is gone, and its details do not come back", "[ban_store]") {
  const Folder folder;
  apply_to(folder.database(), {StoreBan{full_ban(node_of(1))}, StoreBan{full_ban(subnet_of("192.0.2.0/24"))}});
  execute(folder.database(), "DELETE FROM ban");
  CHECK(load(folder.database()).bans.bans == std::vector<Ban>{full_ban(subnet_of("192.0.2.0/24"))});
  execute(folder.database(), "INSERT INTO ban VALUES ('" + crypto::encode_node_id(node_of(1)) + "')");
  const auto bans = load(folder.database()).bans.bans;
  REQUIRE(bans.size() == 2);
  CHECK(bans[1] == plain_ban(node_of(1), 0));
}

TEST_CASE("rows that are no ban are counted, and a ban with senseless details holds", "[ban_store]") {
  const Folder folder;
  apply_to(folder.database(), {StoreBan{full_ban(node_of(1))}});
  execute(folder.database(), "INSERT INTO ban VALUES ('GARBAGE')");
  execute(folder.database(), "INSERT INTO ban_details (subject) VALUES ('192.0.2.1/24'), ('example.org')");
  execute(folder.database(),
          "UPDATE ban_details SET reason = char(27) || 'é' || hex(zeroblob(200)), made = -1, "
          "ends = 'soon', hits = -5, last_hit = 'x' WHERE subject GLOB 'G*'");
  const LoadedBans loaded = load(folder.database()).bans;
  CHECK(loaded.skipped == 3);
  REQUIRE(loaded.bans.size() == 1);
  const Ban& ban = loaded.bans[0];
  CHECK(ban.reason == "???" + std::string(limits::kBanReasonBytesMax - 3, '0'));
  CHECK(ban.made == UnixTime{0});
  CHECK_FALSE(ban.ends.has_value());
  CHECK(ban.hits == 0);
  CHECK_FALSE(ban.last_hit.has_value());
}

TEST_CASE("no more bans are loaded than core holds, those made last", "[ban_store]") {
  const Folder folder;
  std::vector<StorageChange> changes;
  for (std::uint32_t i = 0; i <= limits::kBansMax; ++i) changes.emplace_back(StoreBan{plain_ban(node_of(i), i)});
  apply_to(folder.database(), changes);
  const LoadedBans loaded = load(folder.database()).bans;
  REQUIRE(loaded.bans.size() == limits::kBansMax);
  CHECK(loaded.left_behind == 1);
  CHECK(loaded.bans.front() == plain_ban(node_of(limits::kBansMax), limits::kBansMax));
  CHECK(loaded.bans.back() == plain_ban(node_of(1), 1));
}

TEST_CASE("anchors keep their order and replace the former ones", "[ban_store]") {
  const Folder folder;
  apply_to(folder.database(), {StoreAnchors{{address_of(9), address_of(1)}}});
  CHECK(load(folder.database()).anchors == std::vector{address_of(9), address_of(1)});
  apply_to(folder.database(), {StoreAnchors{{address_of(1), address_of(4)}}});
  CHECK(load(folder.database()).anchors == std::vector{address_of(1), address_of(4)});
  execute(folder.database(), "UPDATE anchors SET ip = 'example.org' WHERE ip = '10.0.0.1'");
  execute(folder.database(), "INSERT INTO anchors VALUES ('10.0.0.5', 1), ('10.0.0.6', 1)");
  const auto anchors = load(folder.database()).anchors;
  CHECK(anchors.size() == limits::kAnchorsMax);
  CHECK(anchors.front() == address_of(4));
  apply_to(folder.database(), {StoreAnchors{}});
  CHECK(load(folder.database()).anchors.empty());
}

TEST_CASE("a file of the first schema is brought up to date with all that is in it", "[ban_store]") {
  const Folder folder;
  make_version_1(folder.database());
  execute(folder.database(), "INSERT INTO peers VALUES ('10.0.0.1', 11625, 101, 3, 2)");
  execute(folder.database(), "INSERT INTO ban VALUES ('" + crypto::encode_node_id(node_of(1)) + "')");
  for (int opening = 0; opening < 2; ++opening) {
    const Opened opened = open_store(folder.database());
    REQUIRE(opened.error == "");
    CHECK(opened.warnings.empty());
    const Stored stored = opened.store->load_all().value();
    REQUIRE(stored.records.size() == 1);
    CHECK(stored.records[0].address == address_of(1));
    CHECK(stored.records[0].failures == 3);
    CHECK(stored.bans.bans == std::vector<Ban>{plain_ban(node_of(1), 0)});
  }
  CHECK(SQLite::Database(folder.database()).execAndGet("PRAGMA user_version").getInt() == PeerStore::kSchemaVersion);
  apply_to(folder.database(), {StoreBan{full_ban(node_of(1))}, StoreAnchors{{address_of(1)}}});
  CHECK(load(folder.database()).bans.bans == std::vector<Ban>{full_ban(node_of(1))});
}

}  // namespace overlayd::daemon
