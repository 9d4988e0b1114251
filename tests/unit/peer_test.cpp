#include "core/peer/peer.h"

#include <catch2/catch.hpp>

#include "tests/support/messages.h"

using namespace overlayd;
using namespace overlayd::peer;
using wire::MessageType;

namespace {

constexpr Instant kStart(seconds(10));

struct Fixture {
  LocalNode local;
  OverlayMetrics metrics;
  Random random{1};
  Outputs out;
  Peer peer;

  explicit Fixture(Direction direction = Direction::kInbound)
      : peer(link(direction), kStart, limits::kMaxClassicTxBytes, {}, local, metrics) {
    local.node_id = test::make_node(1);
  }
  static LinkOpened link(Direction direction) {
    return {PeerId{5}, PeerAddress::from_v4({1, 2, 3, 4}, 40'000), direction, {}, {}};
  }
  wire::Hello hello() const {
    wire::Hello hello = make_hello(local, {}, {});
    hello.peer_id = test::make_node(2);
    hello.listening_port = 11'625;
    return hello;
  }
  void authenticate() {
    REQUIRE_FALSE(peer.on_hello(hello(), {.is_cert_valid = true}, out).drop);
    REQUIRE_FALSE(peer.on_auth(200, out).drop);
    peer.on_accepted(kStart, 77, random, out);
  }
  std::vector<MessageType> sent() const {
    std::vector<MessageType> types;
    for (const Output& output : out)
      if (const auto* send = std::get_if<Send>(&output)) types.push_back(send->message->type());
    return types;
  }
};

}  // namespace

TEST_CASE("the initiator speaks first", "[peer]") {
  Fixture outbound(Direction::kOutbound);
  outbound.peer.start(outbound.out);
  CHECK(outbound.sent() == std::vector{MessageType::kHello});
  Fixture inbound;
  inbound.peer.start(inbound.out);
  CHECK(inbound.out.empty());
}

TEST_CASE("after acceptance credit is granted before SCP state is asked for", "[peer]") {
  Fixture f;
  f.authenticate();
  CHECK(f.sent() == std::vector{MessageType::kHello, MessageType::kAuth, MessageType::kSendMoreExtended,
                                MessageType::kGetScpState, MessageType::kGetScpQuorumset});
  for (const Output& output : f.out) {
    const auto* send = std::get_if<Send>(&output);
    if (send != nullptr && send->message->type() == MessageType::kSendMoreExtended) {
      const auto credit = wire::read_send_more_extended(send->message->xdr());
      CHECK(credit->messages == 200);
      CHECK(credit->bytes == 300'000);
    }
    if (send != nullptr && send->message->type() == MessageType::kGetScpState)
      CHECK(wire::read_get_scp_state(send->message->xdr()) == 77U);
  }
}

TEST_CASE("the address is the remote IP with the port that HELLO names", "[peer]") {
  Fixture f;
  CHECK(f.peer.address() == PeerAddress::from_v4({1, 2, 3, 4}, 0));
  f.authenticate();
  CHECK(f.peer.address() == PeerAddress::from_v4({1, 2, 3, 4}, 11'625));
}

TEST_CASE("a link that is not authenticated ends after 2 s, whatever it sends", "[peer]") {
  Fixture f;
  CHECK(f.peer.next_deadline() == kStart + seconds(2));
  f.peer.on_progress({f.peer.id(), kStart + milliseconds(1900), kStart, Instant::never()});
  CHECK_FALSE(f.peer.advance(kStart + milliseconds(1999), f.random, f.out));
  CHECK(f.peer.advance(kStart + seconds(2), f.random, f.out) == DropReason::kAuthTimeout);
}

TEST_CASE("an authenticated link ends after 30 s without reading or writing", "[peer]") {
  Fixture f;
  f.authenticate();
  REQUIRE_FALSE(f.peer.on_grant({1, 1}, kStart, f.out));
  const auto run_until = [&](Duration end) {
    std::optional<DropReason> reason;
    for (Instant at = kStart; at <= kStart + end && !reason; at = at + seconds(5))
      reason = f.peer.advance(at, f.random, f.out);
    return reason;
  };
  CHECK_FALSE(run_until(seconds(25)));
  CHECK(f.peer.advance(kStart + seconds(30), f.random, f.out) == DropReason::kIdle);
}

TEST_CASE("writing alone keeps a link alive", "[peer]") {
  Fixture f;
  f.authenticate();
  REQUIRE_FALSE(f.peer.on_grant({1, 1}, kStart, f.out));
  f.peer.on_progress({f.peer.id(), kStart, kStart + seconds(20), Instant::never()});
  CHECK_FALSE(f.peer.advance(kStart + seconds(30), f.random, f.out));
  CHECK(f.peer.advance(kStart + seconds(50), f.random, f.out) == DropReason::kIdle);
}

TEST_CASE("a message unwritten for 120 s is straggling", "[peer]") {
  Fixture f;
  f.authenticate();
  REQUIRE_FALSE(f.peer.on_grant({1, 1}, kStart, f.out));
  const auto progress_at = [&](Instant now) {
    f.peer.on_progress({f.peer.id(), now, now, kStart});
    return f.peer.advance(now, f.random, f.out);
  };
  CHECK_FALSE(progress_at(kStart + seconds(115)));
  CHECK(progress_at(kStart + seconds(120)) == DropReason::kStraggling);
}

TEST_CASE("a peer that grants no credit is dropped after 60 s", "[peer]") {
  Fixture f;
  f.authenticate();
  const auto alive_at = [&](Instant now) {
    f.peer.on_progress({f.peer.id(), now, now, Instant::never()});
    return f.peer.advance(now, f.random, f.out);
  };
  CHECK_FALSE(alive_at(kStart + seconds(55)));
  CHECK(alive_at(kStart + seconds(60)) == DropReason::kNoCredit);
}

TEST_CASE("flood messages wait for credit, others do not", "[peer]") {
  Fixture f;
  f.authenticate();
  f.out.clear();
  f.peer.send(test::make_transaction({}, 1), kStart, {}, f.out);
  f.peer.send(wire::Message::adopt(wire::write_get_tx_set({}), {}), kStart, {}, f.out);
  CHECK(f.sent() == std::vector{MessageType::kGetTxSet});
  REQUIRE_FALSE(f.peer.on_grant({1, 10'000}, kStart, f.out));
  CHECK(f.sent() == std::vector{MessageType::kGetTxSet, MessageType::kTransaction});
}

TEST_CASE("credit goes back after 40 flood messages", "[peer]") {
  Fixture f;
  f.authenticate();
  f.out.clear();
  const MessagePtr transaction = test::make_transaction({}, 1);
  for (int i = 0; i < 40; ++i) {
    REQUIRE_FALSE(f.peer.begin_message(*transaction, kStart, f.out));
    f.peer.end_message(*transaction, kStart, f.out);
  }
  REQUIRE(f.sent() == std::vector{MessageType::kSendMoreExtended});
  const auto credit = wire::read_send_more_extended(std::get<Send>(f.out.front()).message->xdr());
  CHECK(credit->messages == 40);
  CHECK(credit->bytes == 40 * transaction->size());
}

TEST_CASE("reading pauses when 201 messages are unprocessed", "[peer]") {
  Fixture f;
  f.authenticate();
  f.out.clear();
  const MessagePtr query = wire::Message::adopt(wire::write_get_tx_set({}), {});
  for (int i = 0; i < 201; ++i) REQUIRE_FALSE(f.peer.begin_message(*query, kStart, f.out));
  REQUIRE(f.out.size() == 1);
  CHECK(std::holds_alternative<PauseReading>(f.out[0]));
  f.peer.end_message(*query, kStart, f.out);
  REQUIRE(f.out.size() == 2);
  CHECK(std::holds_alternative<ResumeReading>(f.out[1]));
}

TEST_CASE("an error message is made only where the protocol has one", "[peer]") {
  Fixture f;
  f.authenticate();
  const MessagePtr error = f.peer.error_for(DropReason::kAlreadyConnected);
  REQUIRE(error);
  const auto read = wire::read_error(error->xdr());
  CHECK(read->code == 2);
  CHECK(read->text.starts_with("already-connected peer: G"));
  CHECK(read->text.size() == std::string("already-connected peer: ").size() + 5);
  CHECK_FALSE(f.peer.error_for(DropReason::kHelloUnexpected));
}

TEST_CASE("bytes are counted with the frame around each message", "[peer]") {
  Fixture f;
  f.authenticate();
  const PeerSnapshot before = f.peer.snapshot(kStart);
  const MessagePtr query = wire::Message::adopt(wire::write_get_tx_set({}), {});
  REQUIRE_FALSE(f.peer.begin_message(*query, kStart, f.out));
  f.peer.send(query, kStart, {}, f.out);
  const PeerSnapshot after = f.peer.snapshot(kStart);
  CHECK(after.bytes_read - before.bytes_read == 4 + 12 + 36 + 32);
  CHECK(after.bytes_written - before.bytes_written == 4 + 12 + 36 + 32);
  CHECK(after.messages_read - before.messages_read == 1);
}

TEST_CASE("PEERS may come once", "[peer]") {
  Fixture f;
  CHECK(f.peer.take_peers_once());
  CHECK_FALSE(f.peer.take_peers_once());
}

TEST_CASE("a larger maximal transaction is granted to accepted peers", "[peer]") {
  Fixture f;
  f.authenticate();
  f.out.clear();
  f.peer.on_max_tx_size(limits::kMaxClassicTxBytes + 500, f.out);
  REQUIRE(f.sent() == std::vector{MessageType::kSendMoreExtended});
  const auto credit = wire::read_send_more_extended(std::get<Send>(f.out.front()).message->xdr());
  CHECK(credit->messages == 0);
  CHECK(credit->bytes == 500);
}
