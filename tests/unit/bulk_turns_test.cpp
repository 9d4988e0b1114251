#include "daemon/bulk_turns.h"

#include <catch2/catch.hpp>
#include <future>

#include "tests/support/messages.h"
#include "tests/unit/connection_fixture.h"

using namespace overlayd;
using namespace overlayd::daemon;
using namespace overlayd::daemon::test;
using wire::MessageType;

namespace {

constexpr int kReceiveBuffer = 64 << 10;
constexpr std::size_t kMoreThanSocketsHold = 15 << 20;

// A valid TX_SET of somewhat more than `bytes`, with a number one can read out of it.
MessagePtr tx_set(const Identity& id, std::uint8_t number, std::size_t bytes = 1 << 20) {
  Bytes previous_ledger(32);
  previous_ledger[0] = number;
  const Bytes count{0, 0, 0, 1};
  const MessagePtr upload = overlayd::test::make_upload(id.network, number, bytes);
  return id.message(wire::wrap(MessageType::kTxSet, concat({previous_ledger, count, upload->body()})));
}

// What came next: the number of a TX_SET, or the ledger of a GET_SCP_STATE as a negative number; 0 for anything else.
int read_number(RawPeer& raw) {
  const MessagePtr message = raw.read();
  if (message && message->type() == MessageType::kTxSet) return message->body()[0];
  if (message && message->type() == MessageType::kGetScpState)
    return -static_cast<int>(*wire::read_get_scp_state(message->xdr()));
  return 0;
}

// Keeps a network thread from doing anything; what is posted meanwhile comes in its order.
class Hold {
 public:
  explicit Hold(NetworkThread& thread) {
    asio::post(thread.context(),
               [released = std::make_shared<std::future<void>>(release_.get_future())] { released->wait(); });
  }
  void release() { release_.set_value(); }

 private:
  std::promise<void> release_;
};

// How many bulk messages were sealed or checked from each turn of the thread's loop to the next, beginning where it is
// posted: for at least `turns` turns, and until there were `messages`.
class TurnCounter {
 public:
  TurnCounter(NetworkThread& thread, std::size_t turns, std::uint64_t messages = 0)
      : counting_(std::make_shared<Counting>(thread, turns, messages)) {
    count_turn(counting_);
  }
  ~TurnCounter() { counting_->is_given_up = true; }
  TurnCounter(const TurnCounter&) = delete;
  TurnCounter& operator=(const TurnCounter&) = delete;
  std::vector<std::uint64_t> await() {
    auto done = counting_->done.get_future();
    REQUIRE(done.wait_for(kPatience) == std::future_status::ready);
    return counting_->counts;
  }

 private:
  struct Counting {
    Counting(NetworkThread& of, std::size_t at_least, std::uint64_t until)
        : thread(of), turns(at_least), messages(until), first(of.bulk_done_total()), last(first) {}
    NetworkThread& thread;
    const std::size_t turns;
    const std::uint64_t messages;
    const std::uint64_t first;
    std::uint64_t last;
    std::vector<std::uint64_t> counts;
    std::promise<void> done;
    std::atomic<bool> is_given_up{false};
  };
  static void count_turn(const std::shared_ptr<Counting>& counting) {
    asio::post(counting->thread.context(), [counting] {
      const std::uint64_t now = counting->thread.bulk_done_total();
      counting->counts.push_back(now - counting->last);
      counting->last = now;
      if (counting->counts.size() >= counting->turns && now - counting->first >= counting->messages)
        counting->done.set_value();
      else if (!counting->is_given_up)
        count_turn(counting);
    });
  }

  const std::shared_ptr<Counting> counting_;
};

// A node, `count` links to it besides its own, and their peers.
struct ManyLinks : Accepted {
  explicit ManyLinks(std::uint64_t count) {
    shake_hands();
    for (std::uint64_t i = 0; i < count; ++i) {
      others.push_back({kAcceptedPeerBit | (2 + i)});
      raws.push_back(std::make_unique<RawPeer>(acceptor.local_endpoint()));
      node.accept(acceptor, others.back());
      daemon::test::shake_hands(node, node.await<LinkOpened>(), *raws.back());
    }
  }
  std::vector<PeerId> others;
  std::vector<std::unique_ptr<RawPeer>> raws;
};

void check_one_a_turn(const std::vector<std::uint64_t>& counts, std::uint64_t total) {
  std::uint64_t counted = 0;
  for (const std::uint64_t of_turn : counts) {
    CHECK(of_turn <= 1);
    counted += of_turn;
  }
  CHECK(counted == total);
}

}  // namespace

TEST_CASE("one piece of work is done per turn; who asks again comes after the others", "[bulk_turns]") {
  asio::io_context context;
  BulkTurns turns(context);
  std::string order;
  const auto note = [&](char what) { return [&order, what] { return order += what, true; }; };
  turns.ask([&] {
    turns.ask(note('a'));
    return order += 'A', true;
  });
  turns.ask([] { return false; });  // does not use up a turn
  turns.ask(note('B'));
  const auto post_mark = [&] { asio::post(context, [&] { order += '.'; }); };
  post_mark();
  CHECK(context.run_one() == 1);  // A
  post_mark();
  context.run();
  CHECK(order == "A.B.a");
  CHECK(turns.done_total() == 3);
}

TEST_CASE("a message sent after bulk messages arrives before them; they keep their order", "[bulk_turns][connection]") {
  Accepted link;
  link.shake_hands();
  const Identity& id = link.node.id;
  Hold hold(link.node.thread());
  link.node.send(link.peer, {id.get_scp_state(1), tx_set(id, 1), tx_set(id, 2), id.get_scp_state(2), tx_set(id, 3)});
  link.node.send(link.peer, {id.get_scp_state(3)});
  hold.release();
  for (const int expected : {-1, -2, -3, 1, 2, 3}) CHECK(read_number(link.raw) == expected);
  REQUIRE(link.node.await_bulk_done(3));  // a piece counts when it is done, which its message may precede
  CHECK(link.node.thread().bulk_done_total() == 3);
}

TEST_CASE("to a slow reader one bulk message is sealed; what is sent meanwhile overtakes the others",
          "[bulk_turns][connection]") {
  Accepted link(limits::kInputQueueMax, kReceiveBuffer);
  link.shake_hands();
  const Identity& id = link.node.id;
  link.node.send(link.peer, {tx_set(id, 1, kMoreThanSocketsHold), tx_set(id, 2), tx_set(id, 3)});
  REQUIRE(link.node.await_bulk_done(1));
  CHECK(TurnCounter(link.node.thread(), 100).await() == std::vector<std::uint64_t>(100));
  SECTION("and are sealed when it reads") {
    link.node.send(link.peer, {id.get_scp_state(1)});
    for (const int expected : {1, -1, 2, 3}) CHECK(read_number(link.raw) == expected);
  }
  SECTION("and Close drops them, but neither what is sealed nor the error") {
    const MessagePtr error = id.message(wire::write_error({.code = 0, .text = "shutdown"}));
    link.node.post({Send{link.peer, id.get_scp_state(1)}, Close{link.peer, DropReason::kShutdown, error}});
    CHECK(read_number(link.raw) == 1);
    CHECK(read_number(link.raw) == -1);
    CHECK(link.raw.read()->type() == MessageType::kErrorMsg);
    CHECK(link.raw.read() == nullptr);
    link.raw.close();
    CHECK(link.node.await<LinkClosed>().reason == DropReason::kShutdown);
    CHECK(link.node.await_no_links());
  }
  SECTION("and sets that find no room, or wait there already, are left out") {
    const auto sets_from = [&](std::uint8_t first) {
      Outputs outputs;
      for (std::uint8_t i = 0; i < 5; ++i) outputs.emplace_back(Send{link.peer, tx_set(id, first + i, 8 << 20)});
      return outputs;
    };
    const Outputs sets = sets_from(4);
    link.node.post(sets);  // 57 MiB with those before, less what the sockets hold
    link.node.post(sets);
    static_cast<void>(TurnCounter(link.node.thread(), 1).await());  // taken by the connection: no longer backlog
    link.node.post(sets_from(9));
    static_cast<void>(TurnCounter(link.node.thread(), 1).await());
    CHECK(link.node.thread().backlog().refused_total() >= 9);
    for (const int expected : {1, 2, 3, 4, 5, 6, 7, 8}) CHECK(read_number(link.raw) == expected);
  }
}

TEST_CASE("Close makes room for its error when deferred messages fill the queue", "[bulk_turns][connection]") {
  constexpr std::size_t kFrameBytes = wire::kSealedHeadBytes + limits::kMacBytes;
  constexpr std::size_t kLarge = 15 << 20;
  Accepted link;
  link.shake_hands();
  const MessagePtr large = tx_set(link.node.id, 1, kLarge);
  const std::size_t rest = limits::kWriteQueueBytesMax - 4 * (large->size() + kFrameBytes);
  const MessagePtr last = tx_set(link.node.id, 5, rest - kFrameBytes - (large->size() - kLarge));
  REQUIRE(last->size() + kFrameBytes == rest);
  const MessagePtr error = link.node.id.message(wire::write_error({.code = 0, .text = "shutdown"}));
  Outputs outputs;
  outputs.emplace_back(Send{link.peer, large});
  for (std::uint8_t i = 2; i < 5; ++i) outputs.emplace_back(Send{link.peer, tx_set(link.node.id, i, kLarge)});
  outputs.emplace_back(Send{link.peer, last});
  outputs.emplace_back(Close{link.peer, DropReason::kShutdown, error});
  link.node.post(std::move(outputs));
  const MessagePtr only = link.raw.read();
  REQUIRE(only);
  CHECK(only->type() == MessageType::kErrorMsg);
  CHECK(link.raw.read() == nullptr);
}

TEST_CASE("many links that get bulk messages keep no other message waiting for more than one of them",
          "[bulk_turns][connection]") {
  ManyLinks links(8);
  Outputs sets;
  Outputs small{Send{links.peer, links.node.id.get_scp_state(1)}};
  const MessagePtr first = tx_set(links.node.id, 1, 2 * kBulkBytesMin);  // each fits into a socket
  const MessagePtr second = tx_set(links.node.id, 2, 2 * kBulkBytesMin);
  for (const PeerId peer : links.others) {
    for (const MessagePtr& set : {first, second}) sets.emplace_back(Send{peer, set});
    small.emplace_back(Send{peer, links.node.id.get_scp_state(2)});
  }
  Hold hold(links.node.thread());
  links.node.post(sets);
  links.node.post(small);
  TurnCounter counter(links.node.thread(), 1, 16);
  hold.release();
  CHECK(read_number(links.raw) == -1);
  for (const auto& raw : links.raws)
    for (const int expected : {-2, 1, 2}) CHECK(read_number(*raw) == expected);
  check_one_a_turn(counter.await(), 16);
}

TEST_CASE(
    "bulk frames that many links send are checked and hashed one per turn; what comes behind does not wait for hashes",
    "[bulk_turns][connection]") {
  ManyLinks links(8);
  TurnCounter counter(links.node.thread(), 1, 32);
  for (const auto& raw : links.raws) {
    const MessagePtr set = tx_set(raw->id, 1, 100 << 10);
    raw->write(concat({raw->frame(raw->id.get_scp_state(1)), raw->frame(set), raw->frame(set),
                       raw->frame(raw->id.get_scp_state(2))}));
  }
  std::map<PeerId, std::vector<MessageType>> received;
  for (std::size_t i = 0; i < 4 * links.raws.size(); ++i) {
    const auto next = links.node.await<MessageReceived>();
    received[next.peer].push_back(next.message->type());
  }
  for (const auto& [peer, types] : received)
    CHECK(types ==
          std::vector{MessageType::kGetScpState, MessageType::kTxSet, MessageType::kGetScpState, MessageType::kTxSet});
  check_one_a_turn(counter.await(), 32);
}

TEST_CASE("a link that is paused while a bulk frame of it waits for its turn gives it out when it is resumed",
          "[bulk_turns][connection]") {
  Accepted link;
  link.shake_hands();
  link.node.post({PauseReading{link.peer}});
  link.raw.send(tx_set(link.raw.id, 1));
  CHECK(TurnCounter(link.node.thread(), 100).await() == std::vector<std::uint64_t>(100));
  CHECK(link.node.take_batches() == 0);
  link.node.post({ResumeReading{link.peer}});
  CHECK(link.node.await<MessageReceived>().message->type() == MessageType::kTxSet);
  SECTION("and its fault, if that is what it is") {
    Bytes frame = link.raw.frame(tx_set(link.raw.id, 2));
    frame.back() ^= 1;
    link.raw.write(frame);
    CHECK(link.node.await<LinkFaulted>().reason == DropReason::kAuthMac);
    REQUIRE(link.node.await_bulk_done(3));  // the first was checked and hashed
    CHECK(link.node.thread().bulk_done_total() == 3);
  }
}
