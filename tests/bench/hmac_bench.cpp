// HMAC-SHA256 as crypto::MacKey does it beside libsodium's crypto_auth_hmacsha256, over the sizes that matter: a
// control message, an ordinary transaction, a large transaction set. Ends with the ratio of the rates, size by size:
// the reason why the MAC is libcrypto's.
#include <benchmark/benchmark.h>
#include <sodium.h>

#include <cstdio>
#include <map>
#include <string>

#include "core/crypto/keys.h"
#include "core/crypto/mac.h"

namespace {

using overlayd::Bytes;
using overlayd::ByteView;

constexpr std::array<std::uint8_t, 8> kSequence{0, 0, 0, 0, 0, 0, 0, 1};

void mac_key(benchmark::State& state) {
  const overlayd::crypto::MacKey key(Bytes(32, 7));
  const Bytes message(static_cast<std::size_t>(state.range(0)), 9);
  for (auto _ : state) benchmark::DoNotOptimize(key.mac({kSequence, message}));
  state.SetItemsProcessed(state.iterations());
}

void libsodium(benchmark::State& state) {
  const Bytes key(32, 7);
  Bytes message(kSequence.begin(), kSequence.end());
  message.resize(message.size() + static_cast<std::size_t>(state.range(0)), 9);
  std::array<std::uint8_t, 32> mac;
  for (auto _ : state) {
    crypto_auth_hmacsha256(mac.data(), message.data(), message.size(), key.data());
    benchmark::DoNotOptimize(mac);
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(mac_key)->Arg(40)->Arg(300)->Arg(1 << 20);
BENCHMARK(libsodium)->Arg(40)->Arg(300)->Arg(1 << 20);

// Prints as usual and keeps the rates.
class RatioReporter final : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs)
      if (const auto rate = run.counters.find("items_per_second"); rate != run.counters.end())
        rates_[run.run_name.function_name][run.run_name.args] = rate->second;
    ConsoleReporter::ReportRuns(runs);
  }

  void print_ratios() {
    for (const auto& [bytes, rate] : rates_["mac_key"])
      if (const double other = rates_["libsodium"][bytes]; other > 0)
        std::printf("hmac_sha256 %s bytes: mac_key / libsodium = %.2f\n", bytes.c_str(), rate / other);
  }

 private:
  std::map<std::string, std::map<std::string, double>> rates_;
};

}  // namespace

int main(int argc, char** argv) {
  overlayd::crypto::init();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  RatioReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  reporter.print_ratios();
  benchmark::Shutdown();
  return 0;
}
