#include "daemon/bounded_queue.h"

#include <catch2/catch.hpp>
#include <memory>
#include <numeric>
#include <thread>

#include "daemon/read_gauge.h"

using overlayd::daemon::BoundedQueue;
using overlayd::daemon::ReadGauge;
namespace limits = overlayd::limits;

TEST_CASE("items are taken in the order they were pushed, all at once", "[bounded_queue]") {
  BoundedQueue<int> queue(10, [] {});
  for (int item : {1, 2, 3}) REQUIRE(queue.push(item));
  std::vector<int> taken;
  CHECK_FALSE(queue.take_all(taken));
  CHECK(taken == std::vector{1, 2, 3});
  taken.clear();
  CHECK_FALSE(queue.take_all(taken));
  CHECK(taken.empty());
}

TEST_CASE("a push past the bound is refused, counted, and leaves the item with the caller", "[bounded_queue]") {
  BoundedQueue<std::unique_ptr<int>> queue(10, [] {});
  auto nine = std::make_unique<int>(9);
  auto one = std::make_unique<int>(1);
  auto extra = std::make_unique<int>(7);
  REQUIRE(queue.push(nine, 9));
  REQUIRE(queue.push(one, 1));
  CHECK_FALSE(queue.push(extra, 1));
  REQUIRE(extra != nullptr);
  CHECK(*extra == 7);
  CHECK(queue.refused_total() == 1);

  std::vector<std::unique_ptr<int>> taken;
  CHECK(queue.take_all(taken));  // somebody was refused
  CHECK(taken.size() == 2);
  taken.clear();
  CHECK(queue.push(extra, 10));
  CHECK_FALSE(queue.take_all(taken));  // nobody since
}

TEST_CASE("an item heavier than the whole queue is always refused", "[bounded_queue]") {
  BoundedQueue<int> queue(10, [] {});
  int item = 0;
  CHECK_FALSE(queue.push(item, 11));
  CHECK_FALSE(queue.push(item, SIZE_MAX));
  CHECK(queue.push(item, 10));
}

TEST_CASE("the reader is woken once per take, not once per item", "[bounded_queue]") {
  int woken = 0;
  BoundedQueue<int> queue(10, [&] { ++woken; });
  int item = 0;
  for (int i = 0; i < 3; ++i) REQUIRE(queue.push(item));
  CHECK(woken == 1);
  std::vector<int> taken;
  static_cast<void>(queue.take_all(taken));
  REQUIRE(queue.push(item));
  CHECK(woken == 2);
}

TEST_CASE("pushes of many threads all arrive, each thread's in its order", "[bounded_queue]") {
  constexpr int kThreads = 4;
  constexpr int kItems = 5000;
  std::atomic<int> woken{0};
  BoundedQueue<int> queue(64, [&] {
    ++woken;
    woken.notify_one();
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&queue, t] {
      for (int i = 0; i < kItems; ++i) {
        int item = t * kItems + i;
        while (!queue.push(item)) std::this_thread::yield();
      }
    });
  }
  std::vector<int> next(kThreads);
  std::iota(next.begin(), next.end(), 0);
  for (int t = 0; t < kThreads; ++t) next[t] = t * kItems;
  std::vector<int> taken;
  for (int received = 0; received < kThreads * kItems;) {
    const int seen = woken.load();
    taken.clear();
    static_cast<void>(queue.take_all(taken));
    if (taken.empty()) woken.wait(seen);
    for (int item : taken) REQUIRE(item == next[item / kItems]++);
    received += static_cast<int>(taken.size());
  }
  for (auto& thread : threads) thread.join();
}

TEST_CASE("reading stops at the reading capacity and resumes once when half of it is handled", "[bounded_queue]") {
  int resumed = 0;
  ReadGauge gauge([&] { ++resumed; });
  CHECK_FALSE(gauge.is_over(limits::kReadingCapacityMessages - 1, 0));
  CHECK(gauge.is_over(limits::kReadingCapacityMessages, 0));
  CHECK_FALSE(gauge.is_over(1, limits::kReadingCapacityBytes));
  CHECK(gauge.is_over(1, limits::kReadingCapacityBytes + 1));

  gauge.add(limits::kReadingCapacityMessages, 1000);
  REQUIRE(gauge.must_wait());
  for (std::uint64_t i = 0; i < limits::kReadingCapacityMessages / 2; ++i) gauge.release(1, 0);
  CHECK(resumed == 0);
  gauge.release(1, 0);
  CHECK(resumed == 1);
  gauge.release(50, 0);
  CHECK(resumed == 1);
}

TEST_CASE("a connection does not wait for what was handled before it could say so", "[bounded_queue]") {
  int resumed = 0;
  ReadGauge gauge([&] { ++resumed; });
  gauge.add(limits::kReadingCapacityMessages, 0);
  gauge.release(limits::kReadingCapacityMessages, 0);
  CHECK_FALSE(gauge.must_wait());
  CHECK(resumed == 0);
}
