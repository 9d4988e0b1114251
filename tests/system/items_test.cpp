// Transaction sets of 10 MiB on real daemons: they arrive whole, nobody copies them for each peer, and SCP does not wait.
#include <catch2/catch.hpp>
#include <cstdio>

#include "tests/daemons/traffic.h"
#include "tests/support/messages.h"

using namespace overlayd;
using namespace overlayd::daemons;
using namespace std::chrono_literals;
namespace pb = ::overlay::v1;

namespace {

constexpr const char* kPassphrase = "overlayd system test network";
constexpr std::uint32_t kLedger = 1000;
constexpr auto kPatience = 30s;  // until an expected thing counts as missing
constexpr std::size_t kSetBytes = 10 << 20;
constexpr double kSetMib = 10;
constexpr auto kScpPause = 5ms;

std::string text_of(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// Gives `node` the set and returns its hash.
std::string put(Node& node, const MessagePtr& set) {
  pb::PutItemsRequest request;
  request.add_items()->set_generalized_tx_set(text_of(set->body()));
  const auto answer = must(node.client->put_items(request), "PutItems");
  REQUIRE(answer.results(0).status() == pb::PUT_ITEM_STATUS_TAKEN);
  REQUIRE(answer.results(0).hash() == text_of(set->item_hash().view()));
  return answer.results(0).hash();
}

std::unique_ptr<ipc::Subscriber> subscribe_items(Node& node) {
  pb::SubscribeRequest request;
  request.add_topics(pb::TOPIC_ITEMS);
  auto subscriber = node.client->subscribe(request);
  must(subscriber->wait_attached(kReadyLimit), "Subscribe");
  return subscriber;
}

void fetch(Node& node, const std::string& hash) {
  pb::FetchRequest request;
  request.set_kind(pb::ITEM_KIND_TX_SET);
  request.set_hash(hash);
  REQUIRE(must(node.client->fetch(request), "Fetch").status() == pb::FETCH_STATUS_FETCHING);
}

// Passes over other items, such as those that the generated SCP envelopes name and nobody has.
void await_set(ipc::Subscriber& subscriber, const MessagePtr& set) {
  const std::string hash = text_of(set->item_hash().view());
  while (true) {
    const auto item = subscriber.next(kPatience);
    REQUIRE(item.has_value());
    const auto* event = std::get_if<pb::Event>(&*item);
    REQUIRE(event != nullptr);
    if (event->hash() != hash) continue;
    REQUIRE(event->item().change() == pb::ItemEvent::CHANGE_ARRIVED);
    CHECK((event->xdr() == text_of(set->body())));
    return;
  }
}

// SCP envelopes into `a` at a steady pace, on a thread of its own, until destroyed.
class ScpLoad {
 public:
  ScpLoad(Node& a, Traffic& traffic) : source_(*a.client), thread_([this, &traffic] { run(traffic); }) {}
  ~ScpLoad() {
    is_stopping_ = true;
    thread_.join();
  }
  ScpLoad(const ScpLoad&) = delete;
  ScpLoad& operator=(const ScpLoad&) = delete;

 private:
  void run(Traffic& traffic) {
    for (auto next = Clock::now(); !is_stopping_; next += kScpPause) {
      std::this_thread::sleep_until(next);
      source_.add_scp(traffic.leave_scp());
      source_.flush();
    }
    source_.finish();
  }
  Source source_;
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

}  // namespace

TEST_CASE("sets of 10 MiB pass between two daemons and into the client, and SCP is late on no other link", "[items]") {
  DaemonSandbox sandbox({.bin = OVERLAYD_BIN, .passphrase = kPassphrase, .limit = 120s});
  Pair pair = start_pair(sandbox, kLedger);
  Node other = attach(sandbox.start("c", "127.0.0.1:" + std::to_string(pair.b.process.port)));
  other.update_ledger(kLedger);
  wait_until("B has two peers", [&] { return pair.b.status().peers_inbound() == 2; });
  Traffic traffic(kPassphrase, kLedger + 1);
  Taker taker(*other.client, traffic);
  const auto items = subscribe_items(pair.b);
  // From B to C, while B receives the sets from A.
  const ScpLoad load(pair.b, traffic);
  REQUIRE(taker.wait_scp(200, Clock::now() + kPatience));
  const Percentiles quiet = percentiles(taker.take_scp_ways());
  for (std::uint64_t number = 1; number <= 10; ++number) {
    const MessagePtr set = test::make_tx_set(number, kSetBytes);
    const std::string hash = put(pair.a, set);
    fetch(pair.b, hash);
    await_set(*items, set);
  }
  REQUIRE(taker.wait_scp(traffic.scp(), Clock::now() + kPatience));
  const Percentiles busy = percentiles(taker.take_scp_ways());
  std::printf("SCP beside sets of 10 MiB: p50 %.2f ms, p99 %.2f ms, max %.2f ms of %zu; without: %.2f, %.2f, %.2f\n",
              busy.p50, busy.p99, busy.max, busy.count, quiet.p50, quiet.p99, quiet.max);
  CHECK(busy.count > 50);
  CHECK(busy.p99 - quiet.p99 <= 20);
  CHECK(taker.wrong() == 0);
}

TEST_CASE("a set of 10 MiB that eight peers ask for at once is held once", "[items]") {
  constexpr std::size_t kPeers = 8;
  DaemonSandbox sandbox({.bin = OVERLAYD_BIN, .passphrase = kPassphrase, .limit = 120s});
  Node hub = attach(sandbox.start("hub", ""));
  hub.update_ledger(kLedger);
  std::vector<Node> peers;
  std::vector<std::unique_ptr<ipc::Subscriber>> items;
  for (std::size_t i = 0; i < kPeers; ++i) {
    peers.push_back(attach(sandbox.start("peer" + std::to_string(i), "127.0.0.1:" + std::to_string(hub.process.port))));
    peers.back().update_ledger(kLedger);
    items.push_back(subscribe_items(peers.back()));
  }
  wait_until("all are connected", [&] { return hub.status().peers_inbound() == kPeers; });
  const MessagePtr set = test::make_tx_set(1, kSetBytes);
  const std::string hash = put(hub, set);
  const double before = DaemonSandbox::usage(hub.process).peak_rss_mib;
  for (Node& peer : peers) fetch(peer, hash);
  for (const auto& subscriber : items) await_set(*subscriber, set);
  const double after = DaemonSandbox::usage(hub.process).peak_rss_mib;
  std::printf("a set of 10 MiB for eight peers: %.1f MiB more than with the set alone (%.1f)\n", after - before,
              before);
  CHECK(after - before <= kSetMib);
}
