// What a start and a ban cost on disk: opening the daemon's database and loading what the book and the bans need, and an
// order of an operator until it is reported. The database is in the folder for temporary files: name another one with
// TMPDIR to measure another disk.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <latch>
#include <optional>
#include <string>

#include "daemon/storage_thread.h"

namespace {

using namespace overlayd;
using namespace overlayd::daemon;

struct Folder {
  std::string path = (std::filesystem::temp_directory_path() / "overlayd-bench-XXXXXX").string();
  Folder() {
    if (::mkdtemp(path.data()) == nullptr) std::abort();
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

std::unique_ptr<PeerStore> open_store(const Folder& folder) {
  auto store = PeerStore::open({folder.path + "/overlayd.db", UnixTime{1000}, nullptr});
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().c_str());
    std::exit(1);
  }
  return std::move(store).value();
}

NodeId node_of(std::uint32_t number) {
  NodeId node;
  for (std::size_t i = 0; i < 4; ++i) node.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return node;
}

Ban ban_of(std::uint32_t number) {
  return {.subject = node_of(number), .reason = "floods", .set_by = "operator", .made = UnixTime{number}};
}

// Peers in random order, with failures and times as a book has them.
void fill(PeerStore& store, std::uint32_t peers, std::uint32_t bans) {
  std::vector<StorageChange> changes;
  for (std::uint32_t i = 0; i < peers; ++i) {
    const std::uint32_t mixed = i * 2'654'435'761U;
    const auto address =
        PeerAddress::from_v4({static_cast<std::uint8_t>(mixed >> 24), static_cast<std::uint8_t>(i >> 8),
                              static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(mixed >> 8)},
                             11625);
    changes.emplace_back(
        StorePeer{{address, UnixTime{1'700'000'000 + mixed % 10'000}, mixed % 12, PeerType::kOutbound}});
  }
  for (std::uint32_t i = 0; i < bans; ++i) changes.emplace_back(StoreBan{ban_of(i)});
  if (!store.apply(changes)) std::exit(1);
}

void open_and_load(benchmark::State& state) {
  const Folder folder;
  fill(*open_store(folder), static_cast<std::uint32_t>(state.range(0)), static_cast<std::uint32_t>(state.range(1)));
  for (auto _ : state) {
    const auto store = open_store(folder);
    auto stored = store->load_all();
    if (!stored || stored.value().records.size() != static_cast<std::size_t>(state.range(0)))
      state.SkipWithError("not loaded");
    benchmark::DoNotOptimize(stored);
  }
}

void ban_until_reported(benchmark::State& state) {
  const Folder folder;
  std::optional<std::latch> reported;
  StorageThreadOptions options;
  options.on_ban_stored = [&](const BanStored&) { reported->count_down(); };
  StorageThread thread(open_store(folder), options);
  std::uint32_t number = 0;
  for (auto _ : state) {
    reported.emplace(1);
    thread.submit(StoreBan{ban_of(++number), RequestId{number}});
    reported->wait();
  }
}

BENCHMARK(open_and_load)
    ->ArgNames({"peers", "bans"})
    ->Args({10'000, 0})
    ->Args({10'000, 10'000})
    ->Args({20'000, 10'000})
    ->Unit(benchmark::kMillisecond);
BENCHMARK(ban_until_reported)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
