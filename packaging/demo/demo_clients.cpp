// The three consensus clients of packaging/demo.sh, one process so that one clock times both ends.
//
//   overlayd_demo_clients DIR TRANSACTIONS SCP RATE
//
// DIR holds a/, b/ and c/ with overlayd.sock and admin.sock of three daemons in a line. TRANSACTIONS and SCP are JSON
// lines with "hash" and "envelope". A's client broadcasts all of both, RATE transactions a second (0: as fast as they
// are taken); B's and C's accept what comes. Success, status 0, only if C's client received each with its hash and
// nothing else.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/bytes.h"
#include "ipc/client/client.h"

namespace {

using namespace overlayd;
using namespace std::chrono_literals;
namespace pb = ::overlay::v1;
using Clock = std::chrono::steady_clock;

constexpr auto kConnectLimit = 20s;
constexpr auto kArrivalLimit = 30s;      // after the last broadcast
constexpr std::uint32_t kLedger = 1000;  // what the clients tell of the ledger; the SCP envelopes are for the next ones
// Room for the whole burst in every advert queue (protocol.md: queues over maxTxSetOps hashes are cleared).
constexpr std::uint32_t kMaxTxSetOps = 5000;

struct Item {
  std::string hash;  // raw bytes
  std::string envelope;
};

// Says why and ends the program, threads and all: there is nothing to clean up that the script does not.
[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "demo: %s\n", why.c_str());
  std::fflush(nullptr);
  std::_Exit(1);
}

template <typename T>
T must(Result<T> result, const std::string& what) {
  if (!result) fail(what + ": " + result.error());
  return std::move(result).value();
}

std::string raw(const std::optional<Bytes>& bytes, const std::string& file) {
  if (!bytes) fail(file + ": a line with a hash or envelope that cannot be read");
  return {bytes->begin(), bytes->end()};
}

std::vector<Item> read_items(const std::string& file) {
  std::ifstream in(file);
  if (!in) fail("cannot read " + file);
  std::vector<Item> items;
  for (std::string line; std::getline(in, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object()) fail(file + ": a line that is not JSON");
    items.push_back(
        {raw(from_hex(json.value("hash", "?")), file), raw(from_base64(json.value("envelope", "?")), file)});
  }
  return items;
}

struct Node {
  std::unique_ptr<ipc::Client> client;
  std::unique_ptr<ipc::AdminClient> admin;
};

Node connect(const std::string& dir) {
  const auto options = [&](const char* name) { return ipc::ClientOptions{.socket = dir + name}; };
  return {must(ipc::Client::connect(options("/overlayd.sock")), dir),
          must(ipc::AdminClient::connect(options("/admin.sock")), dir)};
}

void wait_until(const char* what, const std::function<bool()>& is_true) {
  const auto deadline = Clock::now() + kConnectLimit;
  while (!is_true()) {
    if (Clock::now() > deadline) fail(std::string("waited in vain until ") + what);
    std::this_thread::sleep_for(20ms);
  }
}

pb::GetStatusResponse status_of(Node& node) { return must(node.admin->get_status(), "status"); }

std::uint32_t peers_of(Node& node) {
  const pb::GetStatusResponse status = status_of(node);
  return status.peers_inbound() + status.peers_outbound();
}

void tell_ledger(Node& node) {
  pb::UpdateLedgerRequest request;
  request.set_sequence(kLedger);
  request.set_in_sync(true);
  request.set_max_tx_set_ops(kMaxTxSetOps);
  must(node.client->update_ledger(request), "UpdateLedger");
}

// A consensus process that accepts everything: takes events on a thread of its own until stopped, notes when each came.
class Taker {
 public:
  explicit Taker(Node& node) : node_(node) {
    pb::SubscribeRequest request;
    request.add_topics(pb::TOPIC_SCP);
    request.add_topics(pb::TOPIC_TRANSACTIONS);
    subscriber_ = node.client->subscribe(request);
    must(subscriber_->wait_attached(5s), "Subscribe");
    verdicts_ = node.client->verdicts();
    thread_ = std::thread([this] { run(); });
  }
  ~Taker() {
    is_stopping_ = true;
    thread_.join();
  }
  Taker(const Taker&) = delete;
  Taker& operator=(const Taker&) = delete;

  [[nodiscard]] std::map<std::string, Clock::time_point> arrivals() const {
    const std::lock_guard lock(mutex_);
    return arrivals_;
  }
  [[nodiscard]] std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return arrivals_.size();
  }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  void run() {
    while (!is_stopping_) {
      auto item = subscriber_->next(50ms);
      if (!item) continue;
      if (const auto* gap = std::get_if<pb::Gap>(&*item)) {
        lost_ += gap->count();
        continue;
      }
      const auto& event = std::get<pb::Event>(*item);
      verdicts_->add(event.flood_hash(), pb::VERDICT_ACCEPT);
      if (!subscriber_->has_next()) verdicts_->flush();
      const std::lock_guard lock(mutex_);
      arrivals_.emplace(event.hash(), Clock::now());
    }
  }

  Node& node_;
  std::unique_ptr<ipc::Subscriber> subscriber_;
  std::unique_ptr<ipc::VerdictWriter> verdicts_;
  mutable std::mutex mutex_;
  std::map<std::string, Clock::time_point> arrivals_;
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

struct Sent {
  std::map<std::string, Clock::time_point> at;
  std::atomic<std::uint64_t> accepted{0}, refused{0};
};

void broadcast(Node& node, const std::vector<Item>& transactions, const std::vector<Item>& scp, double rate,
               Sent& sent) {
  auto broadcaster = node.client->broadcaster({.on_answer = [&](std::uint64_t, const pb::BroadcastResponse& answer) {
    if (answer.status() == pb::BROADCAST_STATUS_ACCEPTED)
      ++sent.accepted;
    else if (++sent.refused == 1)
      std::fprintf(stderr, "demo: first item not accepted: %s\n", answer.why().c_str());
  }});
  const auto start = Clock::now();
  const std::size_t every = scp.empty() ? 0 : std::max<std::size_t>(1, transactions.size() / scp.size());
  std::uint64_t id = 0;
  std::size_t scp_sent = 0;
  const auto send_scp = [&] {
    const Item& item = scp[scp_sent++];
    sent.at[item.hash] = Clock::now();
    broadcaster->add_scp(id++, item.envelope);
  };
  for (std::size_t i = 0; i < transactions.size(); ++i) {
    if (rate > 0) {
      broadcaster->flush();
      std::this_thread::sleep_until(start + std::chrono::duration_cast<Clock::duration>(
                                                std::chrono::duration<double>(static_cast<double>(i) / rate)));
    }
    if (every != 0 && i % every == 0 && scp_sent < scp.size()) send_scp();
    sent.at[transactions[i].hash] = Clock::now();
    broadcaster->add_transaction(id++, transactions[i].envelope);
  }
  while (scp_sent < scp.size()) send_scp();
  must(broadcaster->finish(), "BroadcastStream");
}

void print_latencies(const char* what, std::vector<double> milliseconds) {
  if (milliseconds.empty()) return;
  std::sort(milliseconds.begin(), milliseconds.end());
  const auto at = [&](double part) {
    return milliseconds[static_cast<std::size_t>(part * static_cast<double>(milliseconds.size() - 1))];
  };
  std::printf("  %-14s p50 %8.2f ms   p99 %8.2f ms   max %8.2f ms\n", what, at(0.5), at(0.99), milliseconds.back());
}

// Prints how one kind fared; returns how many are missing.
std::size_t report(const char* what, const std::vector<Item>& items, const Sent& sent,
                   const std::map<std::string, Clock::time_point>& arrivals) {
  std::vector<double> latencies;
  std::size_t missing = 0;
  for (const Item& item : items) {
    const auto arrival = arrivals.find(item.hash);
    if (arrival == arrivals.end())
      ++missing;
    else
      latencies.push_back(std::chrono::duration<double, std::milli>(arrival->second - sent.at.at(item.hash)).count());
  }
  std::printf("  %-14s broadcast %zu, received %zu, missing %zu\n", what, items.size(), items.size() - missing,
              missing);
  print_latencies("", std::move(latencies));
  return missing;
}

int run(const std::string& dir, const std::string& transactions_file, const std::string& scp_file, double rate) {
  const std::vector<Item> transactions = read_items(transactions_file);
  const std::vector<Item> scp = read_items(scp_file);
  Node a = connect(dir + "/a");
  Node b = connect(dir + "/b");
  Node c = connect(dir + "/c");
  const auto is_line = [&] { return peers_of(a) == 1 && peers_of(b) == 2 && peers_of(c) == 1; };
  wait_until("A and C are connected to B, and to nobody else", is_line);
  for (Node* node : {&a, &b, &c}) tell_ledger(*node);
  const Taker at_b(b);
  const Taker at_c(c);
  wait_until("B and C ask their peers for transactions",
             [&] { return status_of(b).is_demanding_transactions() && status_of(c).is_demanding_transactions(); });

  Sent sent;
  const auto start = Clock::now();
  broadcast(a, transactions, scp, rate, sent);
  const auto deadline = Clock::now() + kArrivalLimit;
  while (at_c.count() < sent.at.size() && Clock::now() < deadline) std::this_thread::sleep_for(10ms);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();

  const auto arrivals = at_c.arrivals();
  std::printf("\nFrom A's client to C's client, relayed by B, in %.1f s (%llu accepted by A, %llu not):\n", seconds,
              static_cast<unsigned long long>(sent.accepted), static_cast<unsigned long long>(sent.refused));
  std::size_t wrong = report("transactions", transactions, sent, arrivals);
  wrong += report("SCP envelopes", scp, sent, arrivals);
  for (const auto& [hash, when] : arrivals)
    if (!sent.at.contains(hash)) ++wrong;
  std::printf("  B's client received %zu, events lost at C %llu, wrong or missing in all: %zu\n", at_b.count(),
              static_cast<unsigned long long>(at_c.lost()), wrong);
  if (!is_line()) fail("A, B and C did not stay a line");
  return wrong == 0 && at_c.lost() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: overlayd_demo_clients DIR TRANSACTIONS SCP RATE\n");
    return 2;
  }
  try {
    return run(argv[1], argv[2], argv[3], std::strtod(argv[4], nullptr));
  } catch (const std::exception& error) {
    fail(error.what());
  }
}
