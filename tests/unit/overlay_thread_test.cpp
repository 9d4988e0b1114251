#include "daemon/overlay_thread.h"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <semaphore>
#include <sstream>

#include "core/wire/message.h"
#include "daemon/clocks.h"
#include "daemon/watchdog.h"

using namespace overlayd;
using namespace overlayd::daemon;
using namespace std::chrono_literals;

namespace {

constexpr auto kPatience = 10s;  // how long an event may take before the test gives up

// What the thread did, in order, readable from the test.
class Journal {
 public:
  void add(std::string line) {
    {
      const std::lock_guard lock(mutex_);
      lines_.push_back(std::move(line));
    }
    changed_.notify_all();
  }
  // All lines, once there are `count`.
  std::vector<std::string> await(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return lines_.size() >= count; });
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

// Answers every Broadcast, and ScpVerified by its first byte, with a PauseReading of the same number, so that order can be seen.
class FakeCore final : public OverlayCore {
 public:
  explicit FakeCore(Journal& journal) : journal_(journal) {}
  void handle(const Input& input, const Now& now, Outputs& out) override {
    if (const auto* numbered = std::get_if<Broadcast>(&input))
      out.emplace_back(PauseReading{{numbered->request.value}});
    if (const auto* verified = std::get_if<ScpVerified>(&input))
      out.emplace_back(PauseReading{{1000U + verified->hash.bytes[0]}});
    if (const auto* order = std::get_if<ConnectTo>(&input))
      journal_.add("connects to port " + std::to_string(order->address.port));
    if (std::holds_alternative<LedgerUpdated>(input)) deadline_ = now.instant + milliseconds(20);
    if (std::holds_alternative<ShutDown>(input)) {
      journal_.add("blocked");
      gate_.acquire();
    }
  }
  void advance(const Now& now, Outputs&) override {
    journal_.add(now.instant >= deadline_ ? "advanced" : "advanced too early");
    deadline_ = Instant::never();
  }
  [[nodiscard]] Instant next_deadline() const override { return deadline_; }
  [[nodiscard]] StatusSnapshot status(Instant) const override {
    StatusSnapshot status;
    status.peers_inbound = 7;
    return status;
  }
  [[nodiscard]] SurveyResult survey_result(const Now&) const override {
    SurveyResult result;
    result.status.nonce = 8;
    return result;
  }
  [[nodiscard]] std::vector<PeerSnapshot> peers(Instant) const override { return std::vector<PeerSnapshot>(3); }
  [[nodiscard]] std::vector<ClosedLink> closed_links(std::size_t limit) const override {
    return std::vector<ClosedLink>(limit);
  }
  // Of an address the book has as many as its port; of a node none.
  [[nodiscard]] PeerExplanation explain(const PeerSubject& peer, const Now& now) const override {
    PeerExplanation explanation;
    const auto* address = std::get_if<PeerAddress>(&peer);
    explanation.known.resize(address == nullptr ? 0 : address->port);
    explanation.cools_down_for = seconds(now.unix_time.seconds);
    return explanation;
  }
  [[nodiscard]] std::vector<KnownPeerSnapshot> known_peers(const Now&) const override {
    return std::vector<KnownPeerSnapshot>(4);
  }
  [[nodiscard]] std::vector<Ban> bans(const Now& now) const override {
    return {{.subject = NodeId{}, .reason = "five", .set_by = "", .made = now.unix_time}};
  }
  // Holds one TX_SET, under the zero hash.
  [[nodiscard]] MessagePtr find_item(const ItemId& id) const override {
    static const Bytes empty_tx_set = [] {
      Bytes xdr(4 + 32 + 4);  // type, previous ledger, no transactions
      xdr[3] = 7;
      return xdr;
    }();
    return id == ItemId{} ? wire::Message::adopt(empty_tx_set, NetworkId{}) : nullptr;
  }
  void open_gate() { gate_.release(); }

 private:
  Journal& journal_;
  Instant deadline_ = Instant::never();
  std::binary_semaphore gate_{0};
};

class FakeSink final : public OutputSink {
 public:
  explicit FakeSink(Journal& journal) : journal_(journal) {}
  void route(Outputs& outputs, std::int64_t arrival_unix_nanos) override {
    if (outputs.empty()) return;
    REQUIRE(arrival_unix_nanos > 0);
    std::ostringstream line;
    line << "routed " << outputs.size() << " from " << std::get<PauseReading>(outputs.front()).peer.value;
    outputs.clear();
    journal_.add(line.str());
  }
  void on_input_room() override { journal_.add("room"); }

 private:
  Journal& journal_;
};

struct Fixture {
  Journal journal;
  FakeCore core{journal};
  FakeSink sink{journal};
  OverlayInbox inbox;
  OverlayThread thread{inbox, core, sink};
};

Input numbered(std::size_t number) { return Broadcast{.request = {number}, .message = nullptr}; }

Input connect_to(std::uint16_t port) { return ConnectTo{.address = PeerAddress::from_v4({127, 0, 0, 1}, port)}; }

std::vector<Input> numbered_to(std::size_t count) {
  std::vector<Input> inputs;
  for (std::size_t i = 0; i < count; ++i) inputs.push_back(numbered(i));
  return inputs;
}

}  // namespace

TEST_CASE("inputs are handled in order and their outputs leave after each slice", "[overlay_thread]") {
  Fixture f;
  REQUIRE(f.inbox.submit(numbered_to(kSliceInputsMax)));
  REQUIRE(f.inbox.submit(numbered_to(kSliceInputsMax + 1)));
  f.thread.start();
  CHECK(f.journal.await(3) == std::vector<std::string>{"routed 256 from 0", "routed 256 from 0", "routed 1 from 256"});
}

TEST_CASE("the core is advanced when its deadline comes, without any input", "[overlay_thread]") {
  Fixture f;
  f.thread.start();
  REQUIRE(f.inbox.submit({LedgerUpdated{}}));
  CHECK(f.journal.await(1) == std::vector<std::string>{"advanced"});
}

TEST_CASE("questions are answered on the overlay thread, between slices", "[overlay_thread]") {
  Fixture f;
  f.thread.start();
  REQUIRE(f.inbox.query_status([&](const StatusSnapshot& s) { f.journal.add(std::to_string(s.peers_inbound)); }));
  CHECK(f.journal.await(1) == std::vector<std::string>{"7"});
  REQUIRE(f.inbox.query_peers([&](const auto& peers) { f.journal.add(std::to_string(peers.size())); }));
  CHECK(f.journal.await(2).back() == "3");
  const auto tell = [&](const MessagePtr& item) { f.journal.add(item ? "held" : "not held"); };
  REQUIRE(f.inbox.query_item({}, tell));
  CHECK(f.journal.await(3).back() == "held");
  REQUIRE(f.inbox.query_item({.kind = ItemKind::kQuorumSet, .hash = {}}, tell));
  CHECK(f.journal.await(4).back() == "not held");
}

TEST_CASE("questions about peers, the book, bans and surveys are answered with what they ask for", "[overlay_thread]") {
  Fixture f;
  REQUIRE(f.inbox.query_closed(6, [&](const auto& closed) { f.journal.add(std::to_string(closed.size())); }));
  const auto explained = [&](const PeerExplanation& explanation) {
    const bool is_now = explanation.cools_down_for > seconds(1'700'000'000);
    f.journal.add(std::to_string(explanation.known.size()) + (is_now ? " now" : " then"));
  };
  REQUIRE(f.inbox.query_explanation(PeerAddress{.ip = {}, .port = 5}, explained));
  REQUIRE(f.inbox.query_explanation(NodeId{}, explained));
  REQUIRE(f.inbox.query_known_peers([&](const auto& known) { f.journal.add(std::to_string(known.size())); }));
  REQUIRE(f.inbox.query_bans([&](const auto& bans) { f.journal.add(bans.at(0).reason); }));
  REQUIRE(f.inbox.query_survey([&](const auto& survey) { f.journal.add(std::to_string(survey.status.nonce)); }));
  f.thread.start();
  CHECK(f.journal.await(6) == std::vector<std::string>{"6", "5 now", "0 now", "4", "five", "8"});
}

TEST_CASE("a full inbox refuses inputs and questions, and the refused hear when there is room", "[overlay_thread]") {
  Fixture f;
  REQUIRE(f.inbox.submit(std::vector<Input>(limits::kInputQueueMax, TransactionTakers{})));
  CHECK_FALSE(f.inbox.submit({TransactionTakers{}}));
  for (std::size_t i = 0; i < kQueryQueueMax; ++i) REQUIRE(f.inbox.query_status([](const StatusSnapshot&) {}));
  CHECK_FALSE(f.inbox.query_status([](const StatusSnapshot&) {}));
  CHECK(f.inbox.refused_total() == 2);
  f.thread.start();
  CHECK(f.journal.await(1) == std::vector<std::string>{"room"});
  CHECK(f.inbox.submit({TransactionTakers{}}));
}

TEST_CASE("the operator is heard while the inbox is full of others' inputs, and before them", "[overlay_thread]") {
  Fixture f;
  REQUIRE(f.inbox.submit(std::vector<Input>(limits::kInputQueueMax, TransactionTakers{})));
  CHECK_FALSE(f.inbox.submit({numbered(1)}));
  REQUIRE(f.inbox.submit({connect_to(1), Disconnect{}, BanPeers{}, Unban{}, BanStored{}}));
  for (std::size_t i = 5; i < kOperatorQueueMax; ++i) REQUIRE(f.inbox.submit({PeersResolved{}}));
  CHECK_FALSE(f.inbox.submit({connect_to(2)}));
  CHECK(f.inbox.refused_total() == 2);
  f.thread.start();
  CHECK(f.journal.await(2) == std::vector<std::string>{"connects to port 1", "room"});
  CHECK(f.inbox.submit({connect_to(2)}));
  CHECK(f.journal.await(3).back() == "connects to port 2");
}

TEST_CASE("the operator waits for one slice at most, not for all that was queued before", "[overlay_thread]") {
  Fixture f;
  std::vector<Input> inputs = numbered_to(3 * kSliceInputsMax);
  inputs.front() = ShutDown{};  // mixed with others: keeps its place among them
  REQUIRE(f.inbox.submit(std::move(inputs)));
  f.thread.start();
  REQUIRE(f.journal.await(1) == std::vector<std::string>{"blocked"});
  REQUIRE(f.inbox.submit({connect_to(1)}));
  f.core.open_gate();
  CHECK(f.journal.await(5) == std::vector<std::string>{"blocked", "routed 255 from 1", "connects to port 1",
                                                       "routed 256 from 256", "routed 256 from 512"});
}

TEST_CASE("SCP overtakes what was queued before it, in its own batch as well", "[overlay_thread]") {
  Fixture f;
  const auto verified = [](std::uint8_t number) {
    ScpVerified input{{}, true};
    input.hash.bytes[0] = number;
    return input;
  };
  REQUIRE(f.inbox.submit(numbered_to(10)));
  std::vector<Input> mixed = numbered_to(5);
  mixed.push_back(verified(7));
  mixed.push_back(verified(8));
  REQUIRE(f.inbox.submit(std::move(mixed)));
  REQUIRE(f.inbox.submit({Input(verified(9))}));
  f.thread.start();
  CHECK(f.journal.await(1) == std::vector<std::string>{"routed 18 from 1007"});
}

TEST_CASE("SCP that comes while a long queue is worked off waits for one slice at most", "[overlay_thread]") {
  Fixture f;
  std::vector<Input> inputs = numbered_to(3 * kSliceInputsMax);
  inputs.front() = ShutDown{};
  REQUIRE(f.inbox.submit(std::move(inputs)));
  f.thread.start();
  REQUIRE(f.journal.await(1) == std::vector<std::string>{"blocked"});
  REQUIRE(f.inbox.submit({Input(ScpVerified{{}, true})}));
  f.core.open_gate();
  CHECK(f.journal.await(5) == std::vector<std::string>{"blocked", "routed 255 from 1", "routed 256 from 1000",
                                                       "routed 256 from 511", "routed 1 from 767"});
}

TEST_CASE("a connection's gauge is released when its batch was handled", "[overlay_thread]") {
  Fixture f;
  InputBatch batch{.inputs = numbered_to(300), .bytes = 5000, .gauge = nullptr};
  batch.gauge = std::make_shared<ReadGauge>([&] { f.journal.add("resume"); });
  batch.gauge->add(300, 5000);
  REQUIRE(batch.gauge->must_wait());
  REQUIRE(f.inbox.inputs().push(batch, 300));
  f.thread.start();
  CHECK(f.journal.await(3) == std::vector<std::string>{"routed 256 from 0", "resume", "routed 44 from 256"});
}

TEST_CASE("a thread at work says since when, an idle one does not", "[overlay_thread]") {
  Fixture f;
  CHECK(f.thread.busy_since().is_never());
  f.thread.start();
  const Instant before = instant_now();
  REQUIRE(f.inbox.submit({ShutDown{}}));
  REQUIRE(f.journal.await(1) == std::vector<std::string>{"blocked"});
  CHECK(f.thread.busy_since() >= before);
  CHECK(f.thread.busy_since() <= instant_now());
  f.core.open_gate();
  f.thread.stop();
  CHECK(f.thread.busy_since().is_never());
}

TEST_CASE("a stall is counted once and stops the signs of life", "[overlay_thread]") {
  asio::io_context context;
  Instant busy_since = Instant::never();
  int signs = 0;
  Watchdog watchdog(context, [&] { return busy_since; },
                    {.keep_alive_period = seconds(1), .keep_alive = [&] { ++signs; }});
  const auto at = [](int ms) { return Instant(seconds(100) + milliseconds(ms)); };
  watchdog.look(at(0));
  watchdog.look(at(999));
  CHECK(signs == 1);
  watchdog.look(at(1000));
  CHECK(signs == 2);

  busy_since = at(1900);
  watchdog.look(at(1900) + kStallLimit);
  CHECK(watchdog.stalls_total() == 0);
  watchdog.look(at(2200));
  watchdog.look(at(2300));
  CHECK(watchdog.stalls_total() == 1);
  CHECK(signs == 3);  // before the limit was passed

  busy_since = at(3000);
  watchdog.look(at(3100));
  CHECK(signs == 3);
  watchdog.look(at(3200));
  CHECK(signs == 4);
  watchdog.look(at(3300));
  CHECK(watchdog.stalls_total() == 2);
}
