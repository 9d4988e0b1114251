#include "daemon/resolver.h"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <deque>
#include <latch>
#include <map>
#include <mutex>

#include "core/book/address.h"

namespace overlayd::daemon {
namespace {

using Addresses = std::vector<asio::ip::address>;
constexpr std::chrono::seconds kPatience{20};

// Answers as it is told to; a name without an answer has none. Shared with the lookups, which may outlive all else.
struct Names {
  std::mutex mutex;
  std::map<std::string, std::deque<Addresses>> answers;  // the last one stays
  std::vector<std::string> asked;

  Result<Addresses> answer(const std::string& host) {
    const std::lock_guard lock(mutex);
    asked.push_back(host);
    const auto found = answers.find(host);
    if (found == answers.end()) return Failure{"no such name"};
    Addresses addresses = found->second.front();
    if (found->second.size() > 1) found->second.pop_front();
    if (addresses.empty()) return Failure{"no answer"};
    return addresses;
  }
};

Addresses addresses(std::initializer_list<const char*> texts) {
  Addresses all;
  for (const char* text : texts) all.push_back(asio::ip::make_address(text));
  return all;
}

std::vector<std::string> texts(const std::vector<PeerAddress>& list) {
  std::vector<std::string> all;
  for (const PeerAddress& address : list) all.push_back(book::to_string(address));
  return all;
}

// A resolver on a context that runs until as many submissions came as the test waits for.
struct Bench {
  std::shared_ptr<Names> names = std::make_shared<Names>();
  asio::io_context context;
  asio::executor_work_guard<asio::io_context::executor_type> open{context.get_executor()};  // as a daemon's listener is
  std::vector<PeersResolved> found;
  std::size_t wanted = 0;
  bool has_room = true;

  [[nodiscard]] ResolverOptions options(Duration period, Duration retry) {
    return {.lookup = [names = names](const std::string& host) { return names->answer(host); },
            .period = period,
            .retry = retry};
  }
  [[nodiscard]] Resolver::Submit submit() {
    return [this](PeersResolved resolved) {
      found.push_back(std::move(resolved));
      if (found.size() >= wanted) context.stop();
      return has_room;
    };
  }
  // False: they did not come.
  [[nodiscard]] bool run_until(std::size_t count) {
    wanted = count;
    context.restart();
    if (found.size() < count) context.run_for(kPatience);
    return found.size() >= count;
  }
};

constexpr Duration kNotInThisTest = std::chrono::hours(1);

}  // namespace

TEST_CASE("all addresses of all names come in one list of their kind", "[resolver]") {
  Bench bench;
  bench.names->answers["a.example"] = {addresses({"192.0.2.1", "2001:db8::1"})};
  bench.names->answers["b.example"] = {addresses({"192.0.2.2"})};
  Resolver resolver(bench.context, {{"a.example", 11625, false}, {"b.example", 7, true}, {"192.0.2.3", 8, false}},
                    bench.submit(), bench.options(kNotInThisTest, kNotInThisTest));
  resolver.start();
  REQUIRE(bench.run_until(3));
  CHECK(texts(bench.found[2].known) ==
        std::vector<std::string>{"192.0.2.1:11625", "[2001:db8::1]:11625", "192.0.2.3:8"});
  CHECK(texts(bench.found[2].preferred) == std::vector<std::string>{"192.0.2.2:7"});
}

TEST_CASE("no more addresses of one name are taken than the limit", "[resolver]") {
  Bench bench;
  Addresses many(kAddressesPerNameMax + 1, asio::ip::make_address("192.0.2.1"));
  bench.names->answers["a.example"] = {many};
  Resolver resolver(bench.context, {{"a.example", 1, false}}, bench.submit(),
                    bench.options(kNotInThisTest, kNotInThisTest));
  resolver.start();
  REQUIRE(bench.run_until(1));
  CHECK(bench.found[0].known.size() == kAddressesPerNameMax);
}

TEST_CASE("a name that cannot be resolved is tried again soon, and keeps the addresses it had", "[resolver]") {
  Bench bench;
  bench.names->answers["a.example"] = {addresses({"192.0.2.1"}), {}, addresses({"192.0.2.9"})};
  bench.names->answers["b.example"] = {addresses({"192.0.2.2"})};
  Resolver resolver(bench.context, {{"a.example", 1, true}, {"b.example", 1, false}}, bench.submit(),
                    bench.options(milliseconds(2), milliseconds(1)));
  resolver.start();
  REQUIRE(bench.run_until(4));
  CHECK(texts(bench.found[1].preferred) == std::vector<std::string>{"192.0.2.1:1"});
  CHECK(texts(bench.found[2].preferred) == std::vector<std::string>{"192.0.2.1:1"});
  CHECK(texts(bench.found[3].preferred) == std::vector<std::string>{"192.0.2.9:1"});
}

TEST_CASE("a failed round is repeated after the retry time, a good one only after the period", "[resolver]") {
  Bench bench;
  bench.names->answers["a.example"] = {{}, {}, addresses({"192.0.2.1"})};
  Resolver resolver(bench.context, {{"a.example", 1, false}}, bench.submit(),
                    bench.options(kNotInThisTest, milliseconds(1)));
  resolver.start();
  REQUIRE(bench.run_until(1));
  CHECK(bench.names->asked.size() == 3);
  CHECK(bench.context.poll() == 0);  // nothing is due before the period ends
}

TEST_CASE("what the overlay had no room for is submitted again", "[resolver]") {
  Bench bench;
  bench.has_room = false;
  Resolver resolver(bench.context, {{"192.0.2.3", 8, false}}, bench.submit(),
                    bench.options(kNotInThisTest, milliseconds(1)));
  resolver.start();
  REQUIRE(bench.run_until(3));
  CHECK(texts(bench.found[2].known) == std::vector<std::string>{"192.0.2.3:8"});
}

TEST_CASE("a name server that does not answer holds up neither literal addresses nor the end", "[resolver]") {
  struct Hanging {
    std::latch asked{1}, released{1}, gone{1};
  };
  const auto hanging = std::make_shared<Hanging>();
  // Goes with the last copy of the lookup, which is the one of its thread: that has left its answer by then.
  auto last = std::shared_ptr<void>(nullptr, [hanging](void*) { hanging->gone.count_down(); });
  const auto context = std::make_unique<asio::io_context>();
  std::vector<PeersResolved> found;
  {
    ResolverOptions options;
    options.lookup = [hanging, last = std::move(last)](const std::string&) -> Result<Addresses> {
      hanging->asked.count_down();
      hanging->released.wait();
      return Failure{"too late"};
    };
    Resolver resolver(
        *context, {{"a.example", 1, false}, {"192.0.2.3", 8, true}},
        [&](PeersResolved resolved) {
          found.push_back(std::move(resolved));
          return true;
        },
        std::move(options));
    resolver.start();
    hanging->asked.wait();
    REQUIRE(found.size() == 1);
    CHECK(texts(found[0].preferred) == std::vector<std::string>{"192.0.2.3:8"});
    CHECK(context->poll() == 0);
    resolver.stop();
  }
  hanging->released.count_down();  // only now: everything before came without its answer
  hanging->gone.wait();
  context->restart();
  CHECK(context->poll() == 0);  // nobody is there to take it
}

TEST_CASE("the system knows its own name for loopback", "[resolver]") {
  const auto found = look_up_name("localhost");
  REQUIRE(found.ok());
  CHECK(std::ranges::all_of(found.value(), [](const asio::ip::address& address) { return address.is_loopback(); }));
  CHECK_FALSE(found.value().empty());
}

}  // namespace overlayd::daemon
