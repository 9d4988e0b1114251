// From a client's broadcast on daemon A to the event at a client of daemon B: two real overlayd on loopback, one link.
//
//   daemon_bench [--bin DIR] [--seconds N] [--rate N] [--on-the-way N] [--idle-count N] [--ledger-seconds N]
//
// Idle.      One item at a time, each after the one before arrived and a pause longer than the advert period (100 ms):
//            a second transaction within it waits for its end, which "in a row" shows. Budget: p50 <= 5 ms, p99 <= 20
//            ms.
// At 1,000/s for a third of --seconds, then sustained at --rate (0: as fast as they are taken) for --seconds, with at most
//            --on-the-way transactions between A's client and B's: beyond that only a backlog would be measured, whose
//            end is a full pool. SCP envelopes go beside them. B's client accepts everything, and both daemons are told
//            of a closed ledger every --ledger-seconds, with what arrived as applied, so that pools stay small as on a
//            network. Budgets: 10,000/s, none lost; SCP p99 <= 10 ms, here even from client to client, over two daemons.
// Ends with status 0 unless it could not run or something was lost.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "core/limits.h"
#include "tests/daemons/traffic.h"

namespace {

using namespace overlayd;
using namespace overlayd::daemons;
using namespace std::chrono_literals;
namespace pb = ::overlay::v1;

constexpr const char* kPassphrase = "overlayd benchmark network";
constexpr std::uint32_t kLedger = 1000;
constexpr auto kArrivalLimit = 10s;  // without any arrival: then the rest counts as lost
constexpr auto kIdlePause = 120ms;
constexpr auto kPace = 1ms;       // with --rate: what is due goes as one batch
constexpr auto kScpPause = 10ms;  // between SCP envelopes beside the load
constexpr unsigned kLowRate = 1'000;
constexpr double kRateBudget = 10'000;
// What one daemon may hold on to for clients and peers: ipc.event_log_bytes and flood.pool_bytes by default.
constexpr double kMemoryBudgetMib =
    static_cast<double>(limits::kEventLogTransactionsBytesMax + limits::kTxPoolBytesMax) / (1 << 20);

struct Options {
  std::string bin = OVERLAYD_BIN;
  unsigned seconds = 30;
  unsigned rate = 12'000;
  unsigned on_the_way = 20'000;
  unsigned idle_count = 200;
  unsigned ledger_seconds = 5;
};

struct Budget {
  double p50 = 0, p99 = 0;  // milliseconds; 0: none
};
constexpr Budget kIdleBudget{5, 20};
constexpr Budget kScpBudget{0, 10};

void print_ways(const char* what, Milliseconds ways, const Budget& budget) {
  const Percentiles p = percentiles(std::move(ways));
  std::printf("%-32s %8zu %9.2f %9.2f %9.2f   ", what, p.count, p.p50, p.p99, p.max);
  if (budget.p50 > 0) std::printf("p50 <= %g ms, ", budget.p50);
  if (budget.p99 > 0)
    std::printf("p99 <= %g ms: %s\n", budget.p99,
                (budget.p50 == 0 || p.p50 <= budget.p50) && p.p99 <= budget.p99 ? "met" : "MISSED");
  else
    std::printf("-\n");
  std::fflush(stdout);
}

class Bench {
 public:
  Bench(const Options& options, Node& a, Node& b) : options_(options), a_(a), b_(b) {}

  // How much was lost.
  std::uint64_t run() {
    taker_ = std::make_unique<Taker>(*b_.client, traffic_);
    wait_until("B asks for transactions", [&] { return b_.status().is_demanding_transactions(); });
    std::printf("%-32s %8s %9s %9s %9s   %s\n", "milliseconds", "items", "p50", "p99", "max", "budget");
    run_idle();
    run_under_load("at 1,000/s", kLowRate, std::max(1U, options_.seconds / 3));
    run_under_load("sustained", options_.rate, options_.seconds);
    print_counters();
    return lost();
  }

 private:
  void close_ledger(const std::vector<std::string>& applied) {
    ++ledger_;
    for (Node* node : {&a_, &b_}) node->update_ledger(ledger_, applied);
  }

  void send_one_transaction(Source& source) {
    source.add_transaction(traffic_.leave_transaction());
    source.flush();
    if (!taker_->wait_transactions(traffic_.transactions(), Clock::now() + kArrivalLimit))
      throw SandboxError("a transaction did not arrive");
  }
  void send_one_scp(Source& source) {
    source.add_scp(traffic_.leave_scp());
    source.flush();
    if (!taker_->wait_scp(traffic_.scp(), Clock::now() + kArrivalLimit))
      throw SandboxError("an SCP envelope did not arrive");
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
    print_ways("idle, transaction", taker_->take_transaction_ways(), kIdleBudget);
    for (unsigned i = 0; i < options_.idle_count; ++i) {
      std::this_thread::sleep_for(kScpPause);
      send_one_scp(source);
    }
    print_ways("idle, SCP envelope", taker_->take_scp_ways(), kIdleBudget);
    for (unsigned i = 0; i < options_.idle_count / 4; ++i) send_one_transaction(source);
    print_ways("in a row, transaction", taker_->take_transaction_ways(), {});
    source.finish();
  }

  // For the given time, or until nothing has arrived for kArrivalLimit.
  void send_transactions(Source& source, unsigned rate, unsigned seconds) {
    const auto start = Clock::now();
    const auto end = start + std::chrono::seconds(seconds);
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
      if (rate > 0 && static_cast<double>(traffic_.transactions() - base) >=
                          rate * std::chrono::duration<double>(now - start).count()) {
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
      close_ledger(taker_->take_hashes());
      next_ledger += std::chrono::seconds(options_.ledger_seconds);
    }
  }

  void run_under_load(const std::string& what, unsigned rate, unsigned length) {
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
      send_transactions(transactions, rate, length);
    } catch (const std::exception& failure) {
      error = failure.what();
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const std::uint64_t received = taker_->transactions() - received_before;
    is_done = true;
    beside.join();
    for (const std::string& why : {error, beside_error})
      if (!why.empty()) throw SandboxError(why);
    transactions.finish();
    scp.finish();
    refused_ += transactions.refused() + scp.refused();
    wait_for_the_rest();
    const std::uint64_t all = taker_->transactions() - received_before;

    print_ways((what + ", SCP envelope").c_str(), taker_->take_scp_ways(), kScpBudget);
    print_ways((what + ", transaction").c_str(), taker_->take_transaction_ways(), {});
    print_rate(rate, static_cast<double>(received) / seconds, seconds);
    print_usage(a_, a_before, all);
    print_usage(b_, b_before, all);
  }

  void print_rate(unsigned tried, double rate, double seconds) const {
    const char* verdict = rate >= kRateBudget ? "met" : tried > 0 && tried < kRateBudget ? "not tried" : "MISSED";
    std::printf("  %.0f s, received %.0f/s   budget 10,000/s: %s\n", seconds, rate, verdict);
    std::printf("  lost %llu, refused by A %llu, twice or unknown or in gaps %llu   budget 0: %s\n",
                static_cast<unsigned long long>(lost()), static_cast<unsigned long long>(refused_),
                static_cast<unsigned long long>(taker_->wrong()), lost() + taker_->wrong() == 0 ? "met" : "MISSED");
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

  void print_usage(Node& node, const Usage& before, std::uint64_t messages) const {
    const Usage after = DaemonSandbox::usage(node.process);
    const double seconds = after.cpu_seconds - before.cpu_seconds;
    const double grown = after.rss_mib - before.rss_mib;
    std::printf(
        "  %s: CPU %.2f s, %.1f us a transaction; memory %.0f MiB, grown by %.0f   budget %.0f (log and pool): %s\n",
        node.process.name.c_str(), seconds, 1e6 * seconds / static_cast<double>(std::max<std::uint64_t>(messages, 1)),
        after.rss_mib, grown, kMemoryBudgetMib, grown <= kMemoryBudgetMib ? "met" : "MISSED");
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
  Pair pair = start_pair(sandbox, kLedger);
  return Bench(options, pair.a, pair.b).run() == 0 ? 0 : 1;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app{"Latency and throughput between clients of two daemons on loopback"};
  app.add_option("--bin", options.bin, "Folder of overlayd")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Length of the sustained part")
      ->check(CLI::Range(1U, 3600U))
      ->capture_default_str();
  app.add_option("--rate", options.rate, "Transactions a second, sustained; 0: as fast as they are taken")
      ->capture_default_str();
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
