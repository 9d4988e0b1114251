#include "daemon/connection.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/xdr/view.h"
#include "tests/support/messages.h"
#include "tests/unit/connection_fixture.h"

using namespace overlayd;
using namespace overlayd::daemon;
using namespace overlayd::daemon::test;
using wire::MessageType;

namespace {

Bytes first_hello_of_vectors() {
  std::ifstream file(OVERLAYD_TEST_DATA "/vectors/handshake.json");
  const auto handshakes = nlohmann::json::parse(file);
  return from_hex(handshakes.at(0).at("transcript").at(0).at("frame").get<std::string>()).value();
}

MessagePtr large_message(const Identity& id, std::size_t bytes) {
  Bytes xdr(bytes);
  xdr[3] = static_cast<std::uint8_t>(MessageType::kGeneralizedTxSet);
  return id.message(std::move(xdr));
}

// An SCP_MESSAGE of the vectors, signed anew by `id`.
MessagePtr signed_envelope(const Identity& id) {
  std::ifstream file(OVERLAYD_TEST_DATA "/vectors/messages.jsonl");
  for (std::string line; std::getline(file, line);) {
    const auto row = nlohmann::json::parse(line);
    const Bytes xdr = from_base64(row.at("xdr").get<std::string>()).value();
    if (xdr[3] != static_cast<std::uint8_t>(MessageType::kScpMessage)) continue;
    const auto view = xdr::read_scp_envelope(ByteView(xdr).subspan(4));
    REQUIRE(view);
    Bytes statement(view->statement.begin(), view->statement.end());
    std::copy(id.key->id().bytes.begin(), id.key->id().bytes.end(), statement.begin() + 4);
    const Bytes type{0, 0, 0, 1};
    const crypto::Signature signature = id.key->sign(concat({id.network.bytes, type, statement}));
    const Bytes length{0, 0, 0, 64};
    return id.message(wire::wrap(MessageType::kScpMessage, concat({statement, length, signature})));
  }
  FAIL("the vectors hold no SCP_MESSAGE");
  return nullptr;
}

}  // namespace

TEST_CASE("two connections shake hands and exchange authenticated messages", "[connection]") {
  asio::io_context context;
  tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  TestNode initiator;
  TestNode responder;
  const PeerId out{1};
  const PeerId in{kAcceptedPeerBit | 1};
  initiator.post({Dial{out, to_peer_address(acceptor.local_endpoint())}});
  responder.accept(acceptor, in);
  const auto opened_out = initiator.await<LinkOpened>();
  const auto opened_in = responder.await<LinkOpened>();
  CHECK(opened_out.direction == Direction::kOutbound);
  CHECK(opened_out.remote == to_peer_address(acceptor.local_endpoint()));
  CHECK(opened_in.direction == Direction::kInbound);
  CHECK(opened_in.local_nonce != opened_out.local_nonce);

  initiator.send(out, {initiator.id.hello(opened_out.local_cert, opened_out.local_nonce)});
  CHECK(responder.await<MessageReceived>().is_cert_valid);
  responder.send(in, {responder.id.hello(opened_in.local_cert, opened_in.local_nonce)});
  CHECK(initiator.await<MessageReceived>().is_cert_valid);
  initiator.send(out, {initiator.id.auth()});
  CHECK(responder.await<MessageReceived>().message->type() == MessageType::kAuth);
  responder.send(in, {responder.id.auth(), responder.id.get_scp_state(7)});
  CHECK(initiator.await<MessageReceived>().message->type() == MessageType::kAuth);
  const auto state = initiator.await<MessageReceived>();
  CHECK(wire::read_get_scp_state(state.message->xdr()) == 7);
  CHECK_FALSE(state.is_cert_valid);

  initiator.post({Close{out, DropReason::kOperator, nullptr}});
  CHECK(initiator.await<LinkClosed>().reason == DropReason::kOperator);
  CHECK(responder.await<LinkClosed>().reason == DropReason::kClosedByRemote);
}

TEST_CASE("a message that arrives byte by byte is given out once, whole", "[connection]") {
  Accepted link;
  const Bytes hello = link.raw.frame(link.raw.hello());
  for (const std::uint8_t byte : hello) link.raw.write({&byte, 1});
  CHECK(link.node.await<MessageReceived>().is_cert_valid);
}

TEST_CASE("all messages of one read go to the overlay in one batch, in order", "[connection]") {
  Accepted link;
  link.shake_hands();
  link.node.batch_sizes.clear();
  Bytes frames;
  for (std::uint32_t i = 0; i < 100; ++i) {
    frames = concat({frames, link.raw.frame(link.raw.id.get_scp_state(i))});
  }
  link.raw.write(frames);
  for (std::uint32_t i = 0; i < 100; ++i)
    CHECK(wire::read_get_scp_state(link.node.await<MessageReceived>().message->xdr()) == i);
  CHECK(link.node.batch_sizes.size() < 10);  // how the kernel cuts the stream is not ours to say
}

TEST_CASE("the HELLO of a reference peer is read; its certificate does not count on another network", "[connection]") {
  Accepted link;
  link.raw.write(first_hello_of_vectors());
  const auto hello = link.node.await<MessageReceived>();
  CHECK(wire::read_hello(hello.message->xdr())->version_string == "vector overlay");
  CHECK_FALSE(hello.is_cert_valid);  // its signature covers the network id
}

TEST_CASE("a frame over 4,096 bytes before authentication is a fault, and the link waits for Close", "[connection]") {
  Accepted link;
  link.raw.write(Bytes{0x80, 0, 0x10, 0x04});
  const auto faulted = link.node.await<LinkFaulted>();
  CHECK(faulted.reason == DropReason::kFrameTooLarge);
  link.raw.send(link.raw.hello());  // no longer read
  link.node.post({Close{link.peer, faulted.reason, nullptr}});
  CHECK(link.node.await<LinkClosed>().reason == DropReason::kFrameTooLarge);
  CHECK(link.node.await_no_links());
}

TEST_CASE("a large message is taken once the peer has proved its key", "[connection]") {
  Accepted link;
  link.shake_hands();
  std::vector<TxFullHash> hashes(limits::kAdvertMax);
  link.raw.send(link.raw.id.message(wire::write_flood_advert(hashes)));
  CHECK(link.node.await<MessageReceived>().message->size() > limits::kFrameBodyUnauthenticatedMax);
}

TEST_CASE("empty, undecodable, replayed and wrongly authenticated frames are faults of their own kind",
          "[connection]") {
  Accepted link;
  SECTION("empty") {
    link.raw.write(Bytes{0x80, 0, 0, 0});
    CHECK(link.node.await<LinkFaulted>().reason == DropReason::kFrameEmpty);
  }
  SECTION("undecodable, with the place where decoding failed") {
    Bytes hello = link.raw.frame(link.raw.hello());
    hello[4 + 12 + 4 + 4 * 3 + 32] = 0xff;  // the length of version_string
    link.raw.write(hello);
    const auto faulted = link.node.await<LinkFaulted>();
    CHECK(faulted.reason == DropReason::kFrameMalformed);
    CHECK(faulted.detail.find("byte") != std::string::npos);
  }
  SECTION("replayed") {
    link.shake_hands();
    const Bytes frame = link.raw.frame(link.raw.id.get_scp_state(1));
    link.raw.write(frame);
    link.raw.write(frame);
    CHECK(link.node.await<MessageReceived>().message->type() == MessageType::kGetScpState);
    CHECK(link.node.await<LinkFaulted>().reason == DropReason::kAuthSequence);
  }
  SECTION("wrong MAC") {
    link.shake_hands();
    Bytes frame = link.raw.frame(link.raw.id.get_scp_state(1));
    frame.back() ^= 1;
    link.raw.write(frame);
    CHECK(link.node.await<LinkFaulted>().reason == DropReason::kAuthMac);
  }
}

TEST_CASE("a HELLO with an expired certificate is given out as such, and nothing after it is read", "[connection]") {
  Accepted link;
  link.raw.send(link.raw.id.hello(link.raw.auth.certificate({1000}), link.raw.link.local_nonce()));
  CHECK_FALSE(link.node.await<MessageReceived>().is_cert_valid);
  link.raw.write(Bytes(64));
  link.node.post({Close{link.peer, DropReason::kAuthCertInvalid, nullptr}});
  CHECK(link.node.await<LinkClosed>().reason == DropReason::kAuthCertInvalid);
  CHECK(link.node.take_batches() == 0);
}

TEST_CASE("Close writes what is queued and the error, and the remote gets both before the end", "[connection]") {
  Accepted link;
  link.shake_hands();
  // Unread bytes at our end: closing at once would reset the connection and could destroy the error on its way.
  link.node.post({PauseReading{link.peer}});
  for (std::uint32_t i = 0; i < 50; ++i) link.raw.send(link.raw.id.get_scp_state(i));
  const MessagePtr error = link.node.id.message(wire::write_error({.code = 0, .text = "shutdown"}));
  link.node.post({Send{link.peer, link.node.id.get_scp_state(9)}, Close{link.peer, DropReason::kShutdown, error}});
  CHECK(link.raw.read()->type() == MessageType::kGetScpState);
  const MessagePtr last = link.raw.read();
  REQUIRE(last);
  CHECK(wire::read_error(last->xdr())->text == "shutdown");
  CHECK(link.raw.read() == nullptr);
  link.raw.close();
  Input input = link.node.await_any();
  while (std::holds_alternative<MessageReceived>(input)) input = link.node.await_any();
  CHECK(std::get<LinkClosed>(input).reason == DropReason::kShutdown);
}

TEST_CASE("Close does not wait for a remote that reads nothing", "[connection]") {
  Accepted link;
  link.shake_hands();
  const MessagePtr large = large_message(link.node.id, 12 << 20);
  link.node.send(link.peer, {large});
  REQUIRE(link.node.await_bulk_done(1));  // from then on it is written or waited for
  link.node.post({Close{link.peer, DropReason::kOperator, nullptr}});
  const auto start = instant_now();
  CHECK(link.node.await<LinkClosed>().reason == DropReason::kOperator);
  CHECK(instant_now() - start >= limits::kDropFlushTimeout - milliseconds(100));
}

TEST_CASE("a remote that hangs up ends the link, and so does a dial that nobody answers", "[connection]") {
  Accepted link;
  link.raw.close();
  CHECK(link.node.await<LinkClosed>().reason == DropReason::kClosedByRemote);
  const auto nobody = to_peer_address(link.acceptor.local_endpoint());
  link.acceptor.close();
  link.node.post({Dial{PeerId{2}, nobody}});
  const auto closed = link.node.await<LinkClosed>();
  CHECK(closed.reason == DropReason::kDialFailed);
  CHECK(closed.peer == PeerId{2});
  CHECK_FALSE(closed.detail.empty());
  CHECK(link.node.await_no_links());
}

TEST_CASE("a link whose messages are not handled stops reading and goes on when they are", "[connection]") {
  Accepted link;
  link.shake_hands();
  link.node.is_releasing = false;
  Bytes frames;
  constexpr std::uint32_t kMessages = 1000;
  for (std::uint32_t i = 0; i < kMessages; ++i) {
    frames = concat({frames, link.raw.frame(link.raw.id.get_scp_state(i))});
  }
  link.raw.write(frames);
  REQUIRE(link.node.await_count(limits::kReadingCapacityMessages));
  // The thread has had its turn when it answers something posted after it stopped.
  link.node.post({Dial{PeerId{2}, PeerAddress::from_v4({127, 0, 0, 1}, 1)}});
  REQUIRE(link.node.await_count(limits::kReadingCapacityMessages + 1));
  CHECK(link.node.take_batches() == limits::kReadingCapacityMessages + 1);
  link.node.is_releasing = true;
  CHECK(link.node.await_count(kMessages + 1));
}

TEST_CASE("inputs that a full queue refused arrive in order when there is room", "[connection]") {
  Accepted link;
  link.shake_hands();
  link.node.take_batches();
  link.node.fill_queue();
  link.raw.send(link.raw.id.get_scp_state(5));
  REQUIRE(link.node.await_refusal(1));
  link.raw.send(link.raw.id.get_scp_state(6));
  CHECK(wire::read_get_scp_state(link.node.await<MessageReceived>().message->xdr()) == 5);
  CHECK(wire::read_get_scp_state(link.node.await<MessageReceived>().message->xdr()) == 6);

  link.node.take_batches();
  link.node.fill_queue();
  link.raw.close();
  REQUIRE(link.node.await_refusal(2));
  CHECK(link.node.await<LinkClosed>().reason == DropReason::kClosedByRemote);
}

TEST_CASE("a remote that reads nothing is reported before its write queue outgrows its bound", "[connection]") {
  Accepted link;
  link.shake_hands();
  const MessagePtr large =
      overlayd::test::make_upload(link.node.id.network, 1, 1 << 20);  // is not left out, as sets are
  for (std::size_t bytes = 0; bytes < limits::kWriteQueueBytesMax + (16 << 20); bytes += large->size())
    link.node.send(link.peer, {large});
  CHECK(link.node.await<LinkFaulted>().reason == DropReason::kWriteQueueFull);
}

TEST_CASE("a link with more posted to it than its bound is reported once; others of the batch get what is theirs",
          "[connection]") {
  Accepted greedy;
  greedy.shake_hands();
  const PeerId quiet_peer{kAcceptedPeerBit | 2};
  RawPeer quiet(greedy.acceptor.local_endpoint());
  greedy.node.accept(greedy.acceptor, quiet_peer);
  shake_hands(greedy.node, greedy.node.await<LinkOpened>(), quiet);

  const MessagePtr large = overlayd::test::make_upload(greedy.node.id.network, 1, 1 << 20);
  Outputs outputs{Send{quiet_peer, greedy.node.id.get_scp_state(1)}};
  for (int i = 0; i < 300; ++i) outputs.emplace_back(Send{greedy.peer, large});
  outputs.emplace_back(Send{quiet_peer, greedy.node.id.get_scp_state(2)});
  greedy.node.post(std::move(outputs));
  greedy.node.post({Send{greedy.peer, large}, Send{quiet_peer, greedy.node.id.get_scp_state(3)}});
  for (std::uint32_t ledger = 1; ledger <= 3; ++ledger) CHECK(wire::read_get_scp_state(quiet.read()->xdr()) == ledger);
  const auto faulted = greedy.node.await<LinkFaulted>();
  CHECK(faulted.peer == greedy.peer);
  CHECK(faulted.reason == DropReason::kWriteQueueFull);
  CHECK(greedy.node.thread().backlog().refused_total() == 300 + 1 - 63);  // 64 would leave no room for their heads

  // Neither is anything else reported, nor is the greedy link remembered once it is gone.
  greedy.raw.close();
  greedy.node.post({Close{greedy.peer, faulted.reason, nullptr}});
  const auto closed = greedy.node.await<LinkClosed>();
  CHECK(closed.peer == greedy.peer);
  greedy.node.post({Send{quiet_peer, greedy.node.id.get_scp_state(4)}});
  CHECK(wire::read_get_scp_state(quiet.read()->xdr()) == 4);
  quiet.close();
  CHECK(greedy.node.await<LinkClosed>().peer == quiet_peer);
  CHECK(greedy.node.await_no_links());
  CHECK(greedy.node.thread().backlog().size() == 0);
}

TEST_CASE("an SCP envelope's signature is checked against the node it names and the network", "[connection]") {
  TestNode node;
  const MessagePtr good = signed_envelope(node.id);
  Bytes tampered(good->xdr().begin(), good->xdr().end());
  tampered[4 + 4 + 32 + 7] ^= 1;  // the slot
  Identity elsewhere;
  elsewhere.network = crypto::network_id("another network");
  for (const auto& [message, is_valid] :
       {std::pair(good, true), {node.id.message(tampered), false}, {signed_envelope(elsewhere), false}}) {
    node.post({VerifyScp{PeerId{1}, message}});
    const auto verified = node.await<ScpVerified>();
    CHECK(verified.hash == message->flood_hash());
    CHECK(verified.is_valid == is_valid);
  }
}
