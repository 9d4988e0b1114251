// Bans, anchors and the database of real daemons: what an operator orders, and what outlives a sudden end.
#include <SQLiteCpp/SQLiteCpp.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

#include "tests/daemons/traffic.h"

using namespace overlayd;
using namespace overlayd::daemons;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
namespace pb = ::overlay::v1;

namespace {

constexpr const char* kPassphrase = "overlayd system test network";
constexpr std::uint32_t kLedger = 1000;
constexpr auto kReconnectLimit = 10s;  // of the issue
constexpr auto kAnchorPatience = 40s;  // a link becomes an anchor after ten seconds and a tick

std::string address_of(const Node& node) { return "127.0.0.1:" + std::to_string(node.process.port); }
std::string database_of(const DaemonProcess& daemon) { return daemon.dir + "/overlayd.db"; }

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

pb::BanSubject by_node(const std::string& node_id) {
  pb::BanSubject subject;
  subject.set_node_id(node_id);
  return subject;
}

pb::BanSubject by_range(const std::string& range) {
  pb::BanSubject subject;
  subject.set_subnet(range);
  return subject;
}

std::uint32_t ban(Node& node, const pb::BanSubject& subject, const std::string& reason = "") {
  pb::BanRequest request;
  *request.mutable_subject() = subject;
  request.mutable_terms()->set_reason(reason);
  return must(node.admin->ban(request), "Ban").links_dropped();
}

void unban(Node& node, const pb::BanSubject& subject) {
  pb::UnbanRequest request;
  *request.mutable_subject() = subject;
  must(node.admin->unban(request), "Unban");
}

bool is_connected(Node& from, Node& to) {
  return from.status().peers_outbound() == 1 && to.status().peers_inbound() == 1;
}

// The number of the i-th ban in the i-th place of an id or of an address.
std::string node_id_of(std::uint32_t number) {
  std::string id(32, '\x5a');
  for (std::size_t i = 0; i < 4; ++i) id[i] = static_cast<char>(number >> (24 - 8 * i));
  return id;
}
std::string ip_of(std::uint32_t number) {
  return "198." + std::to_string(18 + (number >> 16)) + '.' + std::to_string(number >> 8 & 0xff) + '.' +
         std::to_string(number & 0xff);
}

std::set<std::string> banned_subjects(Node& node) {
  std::set<std::string> subjects;
  const pb::ListBansResponse listed = must(node.admin->list_bans(), "ListBans");
  for (const pb::BanEntry& entry : listed.bans())
    subjects.insert(entry.subject().has_node_id() ? entry.subject().node_id() : entry.subject().subnet());
  return subjects;
}

// Bans one subject after another on a thread, and has dials that fail written to the book, until the daemon ends.
class Banning {
 public:
  Banning(const DaemonProcess& process, std::uint32_t first)
      : admin_(must(ipc::AdminClient::connect({.socket = process.admin_socket()}), "admin")),
        next_(first),
        thread_([this] { run(); }) {}
  ~Banning() { join(); }
  Banning(const Banning&) = delete;
  Banning& operator=(const Banning&) = delete;

  void join() {
    is_stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] std::uint64_t done() const { return done_; }
  // Those whose call returned; after join().
  [[nodiscard]] const std::set<std::string>& subjects() const { return subjects_; }
  [[nodiscard]] std::uint32_t next() const { return next_; }

 private:
  void run() {
    while (!is_stopping_) {
      const std::uint32_t number = next_++;
      pb::BanRequest request;
      *request.mutable_subject() = number % 2 == 0 ? by_node(node_id_of(number)) : by_range(ip_of(number));
      request.mutable_terms()->set_reason("one of many");
      if (!admin_->ban(request)) return;
      subjects_.insert(number % 2 == 0 ? node_id_of(number) : ip_of(number));
      ++done_;
      static_cast<void>(admin_->connect_to("127.0.0.1:" + std::to_string(1 + number % 1000)));  // nobody listens
    }
  }

  std::unique_ptr<ipc::AdminClient> admin_;
  std::uint32_t next_;
  std::set<std::string> subjects_;
  std::atomic<std::uint64_t> done_{0};
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

// Sends transactions and SCP envelopes as fast as they are taken, until the daemon ends.
class Sending {
 public:
  Sending(Node& to, Traffic& traffic) : traffic_(traffic), source_(*to.client), thread_([this] { run(); }) {}
  ~Sending() {
    is_stopping_ = true;
    thread_.join();
  }
  Sending(const Sending&) = delete;
  Sending& operator=(const Sending&) = delete;

 private:
  void run() {
    try {
      for (; !is_stopping_; std::this_thread::sleep_for(1ms)) {
        source_.add_transaction(traffic_.leave_transaction());
        source_.flush();
      }
      source_.finish();
    } catch (const SandboxError&) {
      // The daemon was killed: what this is for.
    }
  }

  Traffic& traffic_;
  Source source_;
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

}  // namespace

TEST_CASE("a ban ends a live link at once and keeps the peer out until it is lifted", "[book]") {
  DaemonSandbox sandbox({.bin = OVERLAYD_BIN, .passphrase = kPassphrase, .limit = 120s});
  Pair pair = start_pair(sandbox, kLedger);
  auto& [a, b] = pair;
  for (const pb::BanSubject& subject : {by_node(a.status().node_id()), by_range("127.0.0.0/8")}) {
    INFO(subject.ShortDebugString());
    CHECK(ban(b, subject, "for this test") == 1);
    wait_until(
        "the link has ended", [&] { return a.status().peers_outbound() == 0; }, 2s);
    CHECK(b.status().peers_inbound() == 0);
    wait_until("A was refused three times", [&] {
      static_cast<void>(a.admin->connect_to(address_of(b)));              // unless it is calling already
      return must(b.admin->list_bans(), "ListBans").bans(0).hits() >= 4;  // the link that ended counts
    });
    CHECK(b.status().peers_inbound() == 0);
    unban(b, subject);
    CHECK(must(b.admin->list_bans(), "ListBans").bans_size() == 0);
    wait_until("A is back", [&] {
      static_cast<void>(a.admin->connect_to(address_of(b)));
      return is_connected(a, b);
    });
  }
}

TEST_CASE("bans that were answered outlive a kill under load, and no database is corrupt", "[book]") {
  DaemonSandbox sandbox({.bin = OVERLAYD_BIN, .passphrase = kPassphrase, .limit = 200s});
  Pair pair = start_pair(sandbox, kLedger);
  Node& b = pair.b;
  Traffic traffic(kPassphrase, kLedger + 1);
  std::set<std::string> answered;
  std::uint32_t first = 0;
  for (int life = 0; life < 3; ++life) {
    {
      Sending sending(pair.a, traffic);
      Taker taker(*b.client, traffic);
      Banning banning(b.process, first);
      wait_until("bans and traffic flow", [&] { return banning.done() >= 200 && taker.transactions() >= 200; });
      sandbox.kill(b.process);
      banning.join();
      answered.insert(banning.subjects().begin(), banning.subjects().end());
      first = banning.next();
    }
    {
      SQLite::Database database(database_of(b.process), SQLite::OPEN_READWRITE);
      CHECK(database.execAndGet("PRAGMA integrity_check").getString() == "ok");
    }
    b = attach(sandbox.restart(b.process));
    CHECK(text_of(b.process.log()).find("corrupt") == std::string::npos);
    const std::set<std::string> kept = banned_subjects(b);
    CHECK(std::ranges::includes(kept, answered));
    // The ban under way at the kill may be on disk although its answer never came.
    CHECK(kept.size() <= answered.size() + static_cast<std::size_t>(life) + 1);
    CHECK(b.status().known_peers() > 0);
    b.update_ledger(kLedger);
    wait_until("A is back", [&] {
      static_cast<void>(pair.a.admin->connect_to(address_of(b)));
      return b.status().peers_inbound() == 1;
    });
  }
  std::printf("killed under load: %zu bans answered, all kept\n", answered.size());
}

TEST_CASE("a daemon that was killed calls its anchors again", "[book]") {
  DaemonSandbox sandbox({.bin = OVERLAYD_BIN, .passphrase = kPassphrase, .limit = 150s});
  Node x = attach(sandbox.start("x", ""));
  Node y = attach(sandbox.start("y", ""));
  Node a = attach(sandbox.start("a", "", {"peers.target_outbound=8"}));
  for (Node* other : {&x, &y}) must(a.admin->connect_to(address_of(*other)), "Connect");
  const auto stored_anchors = [&] {
    return SQLite::Database(database_of(a.process)).execAndGet("SELECT count(*) FROM anchors").getInt();
  };
  wait_until(
      "both are stored as anchors", [&] { return stored_anchors() == 2; }, kAnchorPatience);
  sandbox.kill(a.process);
  // Only as anchors are they known now.
  SQLite::Database(database_of(a.process), SQLite::OPEN_READWRITE).exec("DELETE FROM peers");
  const auto start = Clock::now();
  a = attach(sandbox.restart(a.process, {"peers.target_outbound=8"}));
  wait_until(
      "it has both peers again", [&] { return a.status().peers_outbound() == 2; }, kReconnectLimit);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::printf("anchors reconnected %.2f s after the start of the daemon\n", seconds);
  CHECK(seconds < std::chrono::duration<double>(kReconnectLimit).count());
}

TEST_CASE("a truncated or overwritten database is moved aside with a warning, and the daemon starts", "[book]") {
  const std::vector<std::function<void(const std::string&)>> damages = {
      [](const std::string& path) { fs::resize_file(path, fs::file_size(path) / 2); },
      [](const std::string& path) { std::ofstream(path, std::ios::binary) << std::string(50'000, 'x'); },
  };
  DaemonSandbox sandbox({.bin = OVERLAYD_BIN, .passphrase = kPassphrase, .limit = 120s});
  for (std::size_t i = 0; i < damages.size(); ++i) {
    INFO("damage " << i);
    Node node = attach(sandbox.start("damaged" + std::to_string(i), ""));
    for (std::uint32_t number = 0; number < 50; ++number) ban(node, by_node(node_id_of(number)), std::string(150, 'r'));
    sandbox.kill(node.process);
    const std::string database = database_of(node.process);
    SQLite::Database(database, SQLite::OPEN_READWRITE).exec("PRAGMA wal_checkpoint(TRUNCATE)");
    damages[i](database);

    node = attach(sandbox.restart(node.process));
    const std::string log = text_of(node.process.log());
    CHECK(log.find(database + " is corrupt") != std::string::npos);
    CHECK(log.find("ban again whom you had banned") != std::string::npos);
    const auto is_moved = [](const fs::directory_entry& file) {
      return file.path().filename().string().starts_with("overlayd.db.corrupt-");
    };
    CHECK(std::ranges::any_of(fs::directory_iterator(node.process.dir), is_moved));
    CHECK(banned_subjects(node).empty());
    ban(node, by_node(node_id_of(1)));
    CHECK(banned_subjects(node).size() == 1);
  }
}

TEST_CASE("a database that cannot be one ends the daemon with what to do about it", "[book]") {
  DaemonSandbox sandbox({.bin = OVERLAYD_BIN, .passphrase = kPassphrase, .limit = 60s});
  struct Case {
    std::string name, database, expected;
  };
  for (const Case& one : {Case{"folder", "/tmp", "set storage.database to a file"},
                          Case{"read-only", "/proc/overlayd.db", "must be writable for the user"}}) {
    INFO(one.name);
    const DaemonProcess daemon = sandbox.start(one.name, "", {"storage.database=" + one.database});
    CHECK(sandbox.wait_ended(daemon, kReadyLimit) == 1);
    const std::string log = text_of(daemon.log());
    INFO(log);
    CHECK(log.find("storage.database") != std::string::npos);
    CHECK(log.find(one.database) != std::string::npos);
    CHECK(log.find(one.expected) != std::string::npos);
  }
}
