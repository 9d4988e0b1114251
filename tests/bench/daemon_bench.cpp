// From a client's broadcast on daemon A to the event at a client of daemon B: two real overlayd on loopback, one link.
//
//   daemon_bench [--bin DIR] [--seconds N] [--rate N] [--on-the-way N] [--idle-count N] [--ledger-seconds N]
//
// Idle.      One item at a time, each after the one before arrived and a pause longer than the advert period (100 ms):
//            a second transaction within it waits for its end, which "in a row" shows. Budget: p50 <= 5 ms, p99 <= 20
//            ms.
// Sustained. As fast as BroadcastStream takes them (or --rate), but at most --on-the-way transactions between A's
//            client and B's: what B asks for is bounded by the protocol, and beyond that only a backlog would be
//            measured, whose end is a full pool. SCP envelopes go beside them. B's client accepts everything, and both
//            are told of a closed ledger every --ledger-seconds, with what arrived as applied, so that pools stay small
//            as on a network. Budget: 10,000/s, none lost.
// Ends with status 0 unless it could not run or something was lost.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>

#include "tests/bench/daemon_sandbox.h"
#include "tests/bench/traffic.h"

namespace {

using namespace overlayd;
using namespace overlayd::bench;
using namespace std::chrono_literals;
namespace pb = ::overlay::v1;

constexpr const char* kPassphrase = "overlayd benchmark network";
constexpr std::uint32_t kLedger = 1000;
// Large enough that neither the size of adverts and demands nor the advert queues are bounded by the ledger.
constexpr std::uint32_t kMaxTxSetOps = 1'000'000;
constexpr std::size_t kAppliedMax = 100'000;  // overlay.proto: hashes in one UpdateLedger
constexpr auto kReadyLimit = 20s;
constexpr auto kArrivalLimit = 10s;  // without any arrival: then the rest counts as lost
constexpr auto kIdlePause = 120ms;
constexpr auto kPace = 1ms;       // with --rate: what is due goes as one batch
constexpr auto kScpPause = 10ms;  // between SCP envelopes beside the load

struct Options {
  std::string bin = OVERLAYD_BIN;
  unsigned seconds = 10;
  unsigned rate = 0;
  unsigned on_the_way = 20'000;
  unsigned idle_count = 200;
  unsigned ledger_seconds = 5;
};

struct Node {
  DaemonProcess process;
  std::unique_ptr<ipc::Client> client;
  std::unique_ptr<ipc::AdminClient> admin;

  pb::GetStatusResponse status() { return must(admin->get_status(), "GetStatus of " + process.name); }
};

void wait_until(const char* what, const std::function<bool()>& is_true) {
  const auto deadline = Clock::now() + kReadyLimit;
  while (!is_true()) {
    if (Clock::now() > deadline) throw BenchError(std::string("waited in vain until ") + what);
    std::this_thread::sleep_for(20ms);
  }
}

// By its log: the line comes once the port and both sockets are open.
bool is_started(const DaemonProcess& process) {
  std::ifstream log(process.log());
  const std::string text{std::istreambuf_iterator<char>(log), {}};
  return text.find(" started: node=") != std::string::npos;
}

Node attach(const DaemonProcess& process) {
  wait_until(("the daemon " + process.name + " has started").c_str(), [&] { return is_started(process); });
  return {process,
          must(ipc::Client::connect({.socket = process.socket(), .connect_timeout = kReadyLimit}), process.name),
          must(ipc::AdminClient::connect({.socket = process.admin_socket()}), process.name)};
}

// Sends to A and counts A's answers.
class Source {
 public:
  explicit Source(ipc::Client& client)
      : broadcaster_(client.broadcaster({.on_answer = [this](std::uint64_t, const pb::BroadcastResponse& answer) {
          if (answer.status() == pb::BROADCAST_STATUS_ACCEPTED)
            ++accepted_;
          else if (++refused_ == 1)
            std::fprintf(stderr, "bench: first item not accepted: %s\n", answer.why().c_str());
        }})) {}

  void add_transaction(std::string envelope) { check(broadcaster_->add_transaction(0, std::move(envelope))); }
  void add_scp(std::string envelope) { check(broadcaster_->add_scp(0, std::move(envelope))); }
  void flush() { check(broadcaster_->flush()); }
  void finish() { must(broadcaster_->finish(), "BroadcastStream"); }
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  // A broken stream says why when it is finished.
  void check(bool is_sent) {
    if (!is_sent) finish();
  }

  std::atomic<std::uint64_t> accepted_{0}, refused_{0};
  std::unique_ptr<ipc::Broadcaster> broadcaster_;  // last: its callback uses the counts
};

struct Percentiles {
  std::size_t count = 0;
  double p50 = 0, p99 = 0, max = 0;
};

Percentiles percentiles(Milliseconds ways) {
  if (ways.empty()) return {};
  std::sort(ways.begin(), ways.end());
  const auto at = [&](double part) {
    return ways[static_cast<std::size_t>(part * static_cast<double>(ways.size() - 1))];
  };
  return {ways.size(), at(0.5), at(0.99), ways.back()};
}

void print_ways(const char* what, Milliseconds ways, bool has_budget) {
  const Percentiles p = percentiles(std::move(ways));
  const char* verdict = !has_budget                 ? "-"
                        : p.p50 <= 5 && p.p99 <= 20 ? "p50 <= 5 ms, p99 <= 20 ms: met"
                                                    : "p50 <= 5 ms, p99 <= 20 ms: MISSED";
  std::printf("%-32s %8zu %9.2f %9.2f %9.2f   %s\n", what, p.count, p.p50, p.p99, p.max, verdict);
  std::fflush(stdout);
}

class Bench {
 public:
  Bench(const Options& options, Node& a, Node& b) : options_(options), a_(a), b_(b) {}

  // How much was lost.
  std::uint64_t run() {
    tell_ledger({});
    wait_until("A and B are connected",
               [&] { return a_.status().peers_outbound() == 1 && b_.status().peers_inbound() == 1; });
    taker_ = std::make_unique<Taker>(*b_.client, traffic_);
    wait_until("B asks for transactions", [&] { return b_.status().is_demanding_transactions(); });
    std::printf("%-32s %8s %9s %9s %9s   %s\n", "milliseconds", "items", "p50", "p99", "max", "budget");
    run_idle();
    run_sustained();
    print_counters();
    return lost();
  }

 private:
  void tell_ledger(const std::vector<std::string>& applied) {
    for (std::size_t from = 0; from == 0 || from < applied.size(); from += kAppliedMax) {
      pb::UpdateLedgerRequest request;
      request.set_sequence(ledger_);
      request.set_in_sync(true);
      request.set_max_tx_set_ops(kMaxTxSetOps);
      for (std::size_t i = from; i < std::min(applied.size(), from + kAppliedMax); ++i)
        request.add_applied_tx_hashes(applied[i]);
      for (Node* node : {&a_, &b_}) must(node->client->update_ledger(request), "UpdateLedger");
    }
    ++ledger_;
  }

  void send_one_transaction(Source& source) {
    source.add_transaction(traffic_.leave_transaction());
    source.flush();
    if (!taker_->wait_transactions(traffic_.transactions(), Clock::now() + kArrivalLimit))
      throw BenchError("a transaction did not arrive");
  }
  void send_one_scp(Source& source) {
    source.add_scp(traffic_.leave_scp());
    source.flush();
    if (!taker_->wait_scp(traffic_.scp(), Clock::now() + kArrivalLimit))
      throw BenchError("an SCP envelope did not arrive");
  }
  void forget_ways() {
    (void)taker_->take_transaction_ways();
    (void)taker_->take_scp_ways();
  }

  void run_idle() {
    Source source(*a_.client);
    send_one_transaction(source);  // connections, allocations
    send_one_scp(source);
    forget_ways();
    for (unsigned i = 0; i < options_.idle_count; ++i) {
      std::this_thread::sleep_for(kIdlePause);
      send_one_transaction(source);
    }
    print_ways("idle, transaction", taker_->take_transaction_ways(), true);
    for (unsigned i = 0; i < options_.idle_count; ++i) {
      std::this_thread::sleep_for(kScpPause);
      send_one_scp(source);
    }
    print_ways("idle, SCP envelope", taker_->take_scp_ways(), true);
    for (unsigned i = 0; i < options_.idle_count / 4; ++i) send_one_transaction(source);
    print_ways("in a row, transaction", taker_->take_transaction_ways(), false);
    source.finish();
  }

  // For the given time, or until nothing has arrived for kArrivalLimit.
  void send_transactions(Source& source) {
    const auto start = Clock::now();
    const auto end = start + std::chrono::seconds(options_.seconds);
    const std::uint64_t base = traffic_.transactions();
    auto last_room = start;
    for (auto now = start; now < end; now = Clock::now()) {
      if (traffic_.transactions() - taker_->transactions() >= options_.on_the_way) {
        if (now - last_room > kArrivalLimit) return;
        source.flush();
        std::this_thread::sleep_for(200us);
        continue;
      }
      last_room = now;
      if (options_.rate > 0 && static_cast<double>(traffic_.transactions() - base) >=
                                   options_.rate * std::chrono::duration<double>(now - start).count()) {
        source.flush();
        std::this_thread::sleep_for(kPace);
        continue;
      }
      source.add_transaction(traffic_.leave_transaction());
    }
  }

  // SCP envelopes and closed ledgers beside the transactions, until `is_done`.
  void run_beside(Source& source, const std::atomic<bool>& is_done) {
    auto next_ledger = Clock::now() + std::chrono::seconds(options_.ledger_seconds);
    while (!is_done) {
      source.add_scp(traffic_.leave_scp());
      source.flush();
      std::this_thread::sleep_for(kScpPause);
      if (options_.ledger_seconds == 0 || Clock::now() < next_ledger) continue;
      tell_ledger(taker_->take_hashes());
      next_ledger += std::chrono::seconds(options_.ledger_seconds);
    }
  }

  void run_sustained() {
    forget_ways();
    (void)taker_->take_hashes();
    const Usage a_before = DaemonSandbox::usage(a_.process);
    const Usage b_before = DaemonSandbox::usage(b_.process);
    const std::uint64_t received_before = taker_->transactions();
    Source transactions(*a_.client);
    Source scp(*a_.client);
    std::atomic<bool> is_done{false};
    std::string beside_error;
    std::thread beside([&] {
      try {
        run_beside(scp, is_done);
      } catch (const std::exception& error) {
        beside_error = error.what();
      }
    });
    const auto start = Clock::now();
    std::string error;
    try {
      send_transactions(transactions);
    } catch (const std::exception& failure) {
      error = failure.what();
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const std::uint64_t received = taker_->transactions() - received_before;
    is_done = true;
    beside.join();
    for (const std::string& why : {error, beside_error})
      if (!why.empty()) throw BenchError(why);
    transactions.finish();
    scp.finish();
    refused_ = transactions.refused() + scp.refused();
    wait_for_the_rest();
    const std::uint64_t all = taker_->transactions() - received_before;

    print_ways("under load, SCP envelope", taker_->take_scp_ways(), false);
    print_ways("under load, transaction", taker_->take_transaction_ways(), false);
    const double rate = static_cast<double>(received) / seconds;
    std::printf(
        "\nsustained, %.0f s: accepted %.0f/s, received %.0f/s (%llu accepted, %llu received)   budget 10,000/s: %s\n",
        seconds, static_cast<double>(transactions.accepted()) / seconds, rate,
        static_cast<unsigned long long>(transactions.accepted()), static_cast<unsigned long long>(all),
        rate >= 10'000                                 ? "met"
        : options_.rate > 0 && options_.rate <= 10'000 ? "not tried"
                                                       : "MISSED");
    std::printf("lost %llu, refused by A %llu, twice or unknown or in gaps %llu   budget 0: %s\n",
                static_cast<unsigned long long>(lost()), static_cast<unsigned long long>(refused_),
                static_cast<unsigned long long>(taker_->wrong()), lost() + taker_->wrong() == 0 ? "met" : "MISSED");
    print_usage(a_, a_before, all);
    print_usage(b_, b_before, all);
  }

  void wait_for_the_rest() {
    for (;;) {
      const std::uint64_t before = taker_->transactions() + taker_->scp();
      if (taker_->wait_transactions(traffic_.transactions() - refused_, Clock::now() + kArrivalLimit / 4) &&
          taker_->wait_scp(traffic_.scp(), Clock::now() + kArrivalLimit / 4))
        return;
      if (taker_->transactions() + taker_->scp() == before) return;
    }
  }

  [[nodiscard]] std::uint64_t lost() const {
    return traffic_.transactions() - taker_->transactions() + traffic_.scp() - taker_->scp() + taker_->wrong();
  }

  static void print_usage(const Node& node, const Usage& before, std::uint64_t messages) {
    const Usage after = DaemonSandbox::usage(node.process);
    const double seconds = after.cpu_seconds - before.cpu_seconds;
    std::printf("%s: CPU %.2f s, %.1f us a transaction; memory %.0f MiB (%.0f before)\n", node.process.name.c_str(),
                seconds, 1e6 * seconds / static_cast<double>(std::max<std::uint64_t>(messages, 1)), after.rss_mib,
                before.rss_mib);
  }

  void print_counters() {
    std::printf("\ncounters above zero:\n");
    for (Node* node : {&a_, &b_}) {
      std::printf("%s:", node->process.name.c_str());
      const pb::GetStatusResponse status = node->status();
      for (const pb::Counter& counter : status.counters())
        if (counter.value() > 0)
          std::printf(" %s %llu", counter.name().c_str(), static_cast<unsigned long long>(counter.value()));
      std::printf("\n");
    }
  }

  const Options& options_;
  Node& a_;
  Node& b_;
  Traffic traffic_{kPassphrase, kLedger + 1};
  std::unique_ptr<Taker> taker_;
  std::uint32_t ledger_ = kLedger;
  std::uint64_t refused_ = 0;
};

int run_daemons(const Options& options) {
  const auto idle = std::chrono::duration_cast<std::chrono::seconds>(2 * options.idle_count * kIdlePause);
  DaemonSandbox sandbox(
      {.bin = options.bin, .passphrase = kPassphrase, .limit = 90s + idle + 2 * std::chrono::seconds(options.seconds)});
  const DaemonProcess process_b = sandbox.start("b", "");
  Node b = attach(process_b);  // before A starts: a dial in vain is not repeated soon
  Node a = attach(sandbox.start("a", "127.0.0.1:" + std::to_string(process_b.port)));
  return Bench(options, a, b).run() == 0 ? 0 : 1;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app{"Latency and throughput between clients of two daemons on loopback"};
  app.add_option("--bin", options.bin, "Folder of overlayd")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Length of the sustained part")
      ->check(CLI::Range(1U, 3600U))
      ->capture_default_str();
  app.add_option("--rate", options.rate, "Transactions a second; 0: as fast as they are taken")->capture_default_str();
  app.add_option("--on-the-way", options.on_the_way, "Transactions sent and not yet received, at most")
      ->check(CLI::Range(1U, static_cast<unsigned>(kOnTheWayMax - 1)))
      ->capture_default_str();
  app.add_option("--idle-count", options.idle_count, "Items of each idle part")
      ->check(CLI::Range(1U, 10'000U))
      ->capture_default_str();
  app.add_option("--ledger-seconds", options.ledger_seconds, "Seconds between ledgers; 0: none closes")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return run_daemons(options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench: %s\n", error.what());
    return 1;
  }
}
