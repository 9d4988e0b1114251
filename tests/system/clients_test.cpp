// Consensus processes that die, lag or crawl while two real daemons carry traffic for them.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>
#include <map>

#include "ipc/sequence.h"
#include "tests/daemons/traffic.h"

using namespace overlayd;
using namespace overlayd::daemons;
using namespace std::chrono_literals;
namespace pb = ::overlay::v1;

namespace {

constexpr const char* kPassphrase = "overlayd system test network";
constexpr std::uint32_t kLedger = 1000;
constexpr auto kPatience = 60s;                   // until an expected thing counts as missing
constexpr std::size_t kSmallLogBytes = 32 << 20;  // the least that ipc.event_log_bytes may be
constexpr auto kPace = 2ms;

std::string small_log() { return "ipc.event_log_bytes=" + std::to_string(kSmallLogBytes); }

// Transactions at a steady rate, and an SCP envelope every tenth part of a second, until stopped.
class Load {
 public:
  // `every_second`, if any, is called about once a second, from the thread that sends.
  Load(Node& to, Traffic& traffic, unsigned rate, std::function<void()> every_second = nullptr)
      : traffic_(traffic),
        transactions_(*to.client),
        scp_(*to.client),
        rate_(rate),
        every_second_(std::move(every_second)),
        thread_([this] { run(); }) {}
  ~Load() { stop(); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void stop() {
    is_stopping_ = true;
    if (!thread_.joinable()) return;
    thread_.join();
    transactions_.finish();
    scp_.finish();
  }
  [[nodiscard]] std::uint64_t accepted() const { return transactions_.accepted(); }
  [[nodiscard]] std::uint64_t scp_accepted() const { return scp_.accepted(); }

 private:
  void run() {
    const auto start = Clock::now();
    std::uint64_t sent = 0;
    std::uint64_t scp_sent = 0;
    double next_call = 1;
    while (!is_stopping_) {
      const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
      for (; static_cast<double>(sent) < rate_ * seconds; ++sent)
        transactions_.add_transaction(traffic_.leave_transaction());
      for (; static_cast<double>(scp_sent) < 10 * seconds; ++scp_sent) scp_.add_scp(traffic_.leave_scp());
      transactions_.flush();
      scp_.flush();
      if (every_second_ && seconds >= next_call) {
        every_second_();
        next_call = seconds + 1;
      }
      std::this_thread::sleep_for(kPace);
    }
  }

  Traffic& traffic_;
  Source transactions_, scp_;
  const double rate_;
  const std::function<void()> every_second_;
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

// What one client was told of one topic, over all its lives.
struct Account {
  std::uint64_t last = 0;  // ordinal it had or knows to be lost
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;
  bool is_contiguous = true;

  void on_event(std::uint64_t ordinal) {
    is_contiguous = is_contiguous && ordinal == last + 1;
    last = ordinal;
    ++delivered;
  }
  void on_gap(std::uint64_t from, std::uint64_t to) {
    is_contiguous = is_contiguous && from == last + 1;
    last = to;
    lost += to - from + 1;
  }
};
using Accounts = std::map<std::string, Account>;

// `overlayctl subscribe` as a process that can be killed. What it printed in whole lines is what the client had.
class CtlSubscriber {
 public:
  // Goes on after what `accounts` holds, if it holds anything.
  CtlSubscriber(const Node& node, std::uint64_t boot_id, Accounts& accounts) : accounts_(accounts) {
    std::vector<std::string> words{std::string(OVERLAYD_BIN) + "/overlayctl",
                                   "--socket",
                                   node.process.socket(),
                                   "--json",
                                   "subscribe",
                                   "--topics",
                                   "scp,transactions",
                                   "--accept"};
    if (!accounts.empty())
      words.insert(
          words.end(),
          {"--boot-id", std::to_string(boot_id), "--resume-after",
           std::to_string(ipc::kSequenceTopicFactor * pb::TOPIC_SCP + accounts["scp"].last) + "," +
               std::to_string(ipc::kSequenceTopicFactor * pb::TOPIC_TRANSACTIONS + accounts["transactions"].last)});
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) become(arguments, ends);
    close(ends[1]);
    output_ = fdopen(ends[0], "r");
    REQUIRE(output_ != nullptr);
    reader_ = std::thread([this] { read(); });
  }
  ~CtlSubscriber() { kill(); }
  CtlSubscriber(const CtlSubscriber&) = delete;
  CtlSubscriber& operator=(const CtlSubscriber&) = delete;

  // SIGKILL; afterwards the accounts hold what it had.
  void kill() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
    reader_.join();
    std::fclose(output_);
  }
  [[nodiscard]] Account account(const std::string& topic) const {
    const std::lock_guard lock(mutex_);
    const auto found = accounts_.find(topic);
    return found == accounts_.end() ? Account{} : found->second;
  }

 private:
  [[noreturn]] static void become(std::vector<char*>& arguments, const std::array<int, 2>& ends) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  static std::uint64_t number_after(const std::string& line, const std::string& key) {
    const auto at = line.find("\"" + key + "\":");
    return at == std::string::npos ? 0 : std::stoull(line.substr(at + key.size() + 3));
  }
  void read() {
    char* buffer = nullptr;
    std::size_t capacity = 0;
    for (ssize_t size = 0; (size = getline(&buffer, &capacity, output_)) > 0;) {
      const std::string line(buffer, static_cast<std::size_t>(size));
      if (line.back() != '\n') break;  // cut off by the kill
      const std::string topic = line.find("\"topic\":\"scp\"") != std::string::npos ? "scp" : "transactions";
      const std::lock_guard lock(mutex_);
      Account& account = accounts_[topic];
      if (line.find("\"gap\":true") != std::string::npos)
        account.on_gap(number_after(line, "from") % ipc::kSequenceTopicFactor,
                       number_after(line, "to") % ipc::kSequenceTopicFactor);
      else
        account.on_event(number_after(line, "seq") % ipc::kSequenceTopicFactor);
    }
    std::free(buffer);
  }

  Accounts& accounts_;
  mutable std::mutex mutex_;  // of accounts_, while the reader lives
  pid_t pid_ = -1;
  FILE* output_ = nullptr;
  std::thread reader_;
};

void check_adds_up(Node& node, const Accounts& accounts) {
  for (const auto& [name, topic] :
       {std::pair{"scp", pb::TOPIC_SCP}, std::pair{"transactions", pb::TOPIC_TRANSACTIONS}}) {
    INFO(name);
    const Account& account = accounts.at(name);
    CHECK(account.is_contiguous);
    CHECK(account.delivered + account.lost == node.topic(topic).published());
  }
}

}  // namespace

TEST_CASE("a consensus process killed under load goes on where it was", "[clients]") {
  DaemonSandbox sandbox({.bin = OVERLAYD_BIN, .passphrase = kPassphrase, .limit = 150s});
  Pair pair = start_pair(sandbox, kLedger);
  const std::uint64_t boot_id = pair.b.status().boot_id();
  Traffic traffic(kPassphrase, kLedger + 1);
  Accounts accounts;
  auto client = std::make_unique<CtlSubscriber>(pair.b, boot_id, accounts);
  wait_until("the client is attached", [&] { return pair.b.status().subscribers() == 2; });  // a stream each
  Load load(pair.a, traffic, 2000);
  wait_until("the client has 4,000", [&] { return client->account("transactions").delivered >= 4000; });
  client->kill();
  client.reset();
  const std::uint64_t had = accounts["transactions"].delivered;
  const std::uint64_t at_kill = load.accepted();
  wait_until("five seconds' worth was sent", [&] { return load.accepted() >= at_kill + 10'000; });
  CHECK_FALSE(pair.b.status().is_demanding_transactions());

  client = std::make_unique<CtlSubscriber>(pair.b, boot_id, accounts);
  wait_until(
      "it has as many again", [&] { return client->account("transactions").delivered >= had + 12'000; }, kPatience);
  load.stop();
  wait_until(
      "all arrived",
      [&] {
        return client->account("transactions").delivered == load.accepted() &&
               client->account("scp").delivered == load.scp_accepted();
      },
      kPatience);
  client->kill();
  check_adds_up(pair.b, accounts);
  CHECK(accounts["transactions"].lost == 0);
  CHECK(accounts["scp"].lost == 0);
}

TEST_CASE("a consensus process that comes back too late is told exactly what it missed", "[clients]") {
  DaemonSandbox sandbox({.bin = OVERLAYD_BIN, .passphrase = kPassphrase, .limit = 150s});
  Pair pair = start_pair(sandbox, kLedger, {small_log()});
  const std::uint64_t boot_id = pair.b.status().boot_id();
  Traffic traffic(kPassphrase, kLedger + 1, 5'700);
  Taker other(*pair.b.client, traffic);  // keeps transactions coming
  Accounts accounts;
  auto client = std::make_unique<CtlSubscriber>(pair.b, boot_id, accounts);
  wait_until("both are attached", [&] { return pair.b.status().subscribers() == 4; });
  std::uint32_t sequence = kLedger;
  const auto close_ledger = [&] {  // or both pools fill up
    const auto applied = other.take_hashes();
    ++sequence;
    for (Node* node : {&pair.a, &pair.b}) node->update_ledger(sequence, applied);
  };
  Load load(pair.a, traffic, 1500, close_ledger);
  wait_until("the client has 1,000", [&] { return client->account("transactions").delivered >= 1000; });
  client->kill();
  client.reset();
  const std::uint64_t had = accounts["transactions"].last;
  wait_until(
      "the log lost some it did not have", [&] { return pair.b.topic(pb::TOPIC_TRANSACTIONS).evicted() > had + 500; },
      kPatience);

  client = std::make_unique<CtlSubscriber>(pair.b, boot_id, accounts);
  wait_until("it knows of the loss", [&] { return client->account("transactions").lost >= 500; });
  load.stop();
  wait_until(
      "all arrived or are known to be lost",
      [&] {
        const Account account = client->account("transactions");
        return account.delivered + account.lost == load.accepted() &&
               client->account("scp").delivered == load.scp_accepted();
      },
      kPatience);
  client->kill();
  check_adds_up(pair.b, accounts);
  CHECK(accounts["scp"].lost == 0);
  CHECK(other.transactions() == load.accepted());
  CHECK(other.wrong() == 0);
}

TEST_CASE("a daemon grants its peers what it is configured to", "[clients]") {
  DaemonSandbox sandbox({.bin = OVERLAYD_BIN, .passphrase = kPassphrase, .limit = 60s});
  Pair pair = start_pair(sandbox, kLedger,
                         {"flow_control.flood_capacity=300", "flow_control.reading_capacity=400",
                          "flow_control.flood_capacity_bytes=500000"});
  const auto peers = must(pair.a.admin->list_peers(), "ListPeers");
  REQUIRE(peers.peers_size() == 1);
  CHECK(peers.peers(0).outbound_credit_messages() == 300);
  CHECK(peers.peers(0).outbound_credit_bytes() == 500'000);
}

TEST_CASE("a client that reads one event a second slows the senders, not SCP, and recovers", "[clients]") {
  constexpr auto kCrawl = 60s;
  constexpr std::size_t kPoolBytes = 64 << 20;  // flood.pool_bytes, its default
  DaemonSandbox sandbox({.bin = OVERLAYD_BIN, .passphrase = kPassphrase, .limit = 240s});
  Pair pair = start_pair(sandbox, kLedger, {small_log()});
  Traffic traffic(kPassphrase, kLedger + 1);
  pb::SubscribeRequest request;
  request.add_topics(pb::TOPIC_SCP);
  request.add_topics(pb::TOPIC_TRANSACTIONS);
  const auto subscriber = pair.b.client->subscribe(request);
  must(subscriber->wait_attached(kReadyLimit), "Subscribe");
  wait_until("B demands", [&] { return pair.b.status().is_demanding_transactions(); });
  const double rss_before = DaemonSandbox::usage(pair.b.process).rss_mib;
  Load load(pair.a, traffic, 5000);

  std::uint64_t taken = 0;
  Milliseconds scp_ways;
  const auto take = [&](const ipc::Subscriber::Item& item) {
    const auto* event = std::get_if<pb::Event>(&item);
    REQUIRE(event != nullptr);  // a gap: something was lost
    if (event->topic() == pb::TOPIC_TRANSACTIONS) {
      ++taken;
      REQUIRE(event->sequence() % ipc::kSequenceTopicFactor == taken);
      return;
    }
    const auto left = traffic.scp_left_at(event->hash());
    REQUIRE(left.has_value());
    scp_ways.push_back(std::chrono::duration<double, std::milli>(Clock::now() - *left).count());
  };
  double rss_max = 0;
  std::uint64_t received_late = 0;  // by B, in the second half
  for (auto next = Clock::now(), end = next + kCrawl; next < end; next += 1s) {
    while (Clock::now() < next) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
      if (const auto item = subscriber->next_but_transactions(left)) take(*item);
    }
    if (const auto item = subscriber->next(0ms)) take(*item);
    rss_max = std::max(rss_max, DaemonSandbox::usage(pair.b.process).rss_mib);
    if (received_late == 0 && end - next < kCrawl / 2) received_late = pair.b.counter("tx_received");
  }
  const std::uint64_t received = pair.b.counter("tx_received");
  const Percentiles scp = percentiles(std::exchange(scp_ways, {}));
  std::printf(
      "crawling client: SCP p50 %.2f ms, p99 %.2f ms, max %.2f ms of %zu; memory %.0f MiB (%.0f before); "
      "%llu transactions received, %llu sent\n",
      scp.p50, scp.p99, scp.max, scp.count, rss_max, rss_before, static_cast<unsigned long long>(received),
      static_cast<unsigned long long>(load.accepted()));
  CHECK(scp.count > 500);
  CHECK(scp.p99 <= 50);
  CHECK(rss_max - rss_before <= static_cast<double>(kSmallLogBytes + kPoolBytes) / (1 << 20));
  CHECK(received == received_late);  // what was not asked for was not sent
  CHECK(received * 444 <= kSmallLogBytes);
  CHECK_FALSE(pair.b.status().is_demanding_transactions());

  // Read on as fast as they come: what waited, and what B then asks for.
  const auto deadline = Clock::now() + kPatience;
  while (taken < received + 50'000 && Clock::now() < deadline)
    if (const auto item = subscriber->next(100ms)) take(*item);
  CHECK(taken >= received + 50'000);
  load.stop();
}
