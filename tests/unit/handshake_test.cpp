#include "core/peer/handshake.h"

#include <catch2/catch.hpp>

#include "tests/support/messages.h"

using namespace overlayd;
using namespace overlayd::peer;

namespace {

LocalNode local_node() {
  LocalNode local;
  local.node_id = test::make_node(1);
  local.network_id.bytes.fill(9);
  local.overlay_version = 42;
  local.overlay_min_version = 38;
  return local;
}

wire::Hello good_hello() {
  wire::Hello hello = make_hello(local_node(), {}, {});
  hello.peer_id = test::make_node(2);
  return hello;
}

constexpr HelloFacts kGood{.is_cert_valid = true};

}  // namespace

TEST_CASE("the responder answers HELLO with HELLO, the initiator with AUTH", "[handshake]") {
  Handshake responder(Direction::kInbound);
  const HelloResult answer = responder.on_hello(good_hello(), kGood, local_node());
  CHECK(answer.sends_hello);
  CHECK_FALSE(answer.sends_auth);
  CHECK(answer.is_address_good);
  CHECK_FALSE(answer.drop);
  CHECK(responder.state() == HandshakeState::kGotHello);

  Handshake initiator(Direction::kOutbound);
  const HelloResult next = initiator.on_hello(good_hello(), kGood, local_node());
  CHECK_FALSE(next.sends_hello);
  CHECK(next.sends_auth);
  CHECK_FALSE(next.drop);
}

TEST_CASE("a second HELLO ends the link", "[handshake]") {
  Handshake handshake(Direction::kInbound);
  static_cast<void>(handshake.on_hello(good_hello(), kGood, local_node()));
  CHECK(handshake.on_hello(good_hello(), kGood, local_node()).drop == DropReason::kHelloUnexpected);
}

TEST_CASE("a bad certificate or a ban is answered with silence", "[handshake]") {
  Handshake handshake(Direction::kInbound);
  HelloResult result = handshake.on_hello(good_hello(), {.is_cert_valid = false}, local_node());
  CHECK(result.drop == DropReason::kAuthCertInvalid);
  CHECK_FALSE(result.sends_hello);
  CHECK(handshake.state() == HandshakeState::kConnected);

  result = handshake.on_hello(good_hello(), {.is_cert_valid = true, .is_banned = true}, local_node());
  CHECK(result.drop == DropReason::kBanned);
  CHECK_FALSE(result.sends_hello);
}

TEST_CASE("the responder sends HELLO before it refuses, so that the error can be read", "[handshake]") {
  wire::Hello hello = good_hello();
  hello.network_id.bytes.fill(1);
  Handshake handshake(Direction::kInbound);
  const HelloResult result = handshake.on_hello(hello, kGood, local_node());
  CHECK(result.sends_hello);
  CHECK(result.drop == DropReason::kWrongNetwork);
}

TEST_CASE("version ranges must overlap", "[handshake]") {
  const auto drop_for = [](std::uint32_t min, std::uint32_t version) {
    wire::Hello hello = good_hello();
    hello.overlay_min_version = min;
    hello.overlay_version = version;
    return Handshake(Direction::kInbound).on_hello(hello, kGood, local_node()).drop;
  };
  CHECK_FALSE(drop_for(38, 38));
  CHECK_FALSE(drop_for(42, 50));
  CHECK(drop_for(30, 37) == DropReason::kWrongProtocolVersion);
  CHECK(drop_for(43, 50) == DropReason::kWrongProtocolVersion);
  CHECK(drop_for(42, 41) == DropReason::kWrongProtocolVersion);
}

TEST_CASE("the checks of HELLO come in the protocol's order", "[handshake]") {
  wire::Hello hello = good_hello();
  HelloFacts facts{.is_cert_valid = true, .is_banned = false, .is_already_connected = true};
  const auto drop = [&] { return Handshake(Direction::kInbound).on_hello(hello, facts, local_node()).drop; };
  hello.listening_port = 0;
  hello.network_id.bytes.fill(1);
  hello.peer_id = local_node().node_id;
  hello.overlay_version = 1;
  hello.overlay_min_version = 1;
  facts.is_banned = true;
  facts.is_cert_valid = false;
  CHECK(drop() == DropReason::kAuthCertInvalid);
  facts.is_cert_valid = true;
  CHECK(drop() == DropReason::kBanned);
  facts.is_banned = false;
  CHECK(drop() == DropReason::kWrongProtocolVersion);
  hello.overlay_version = 42;
  hello.overlay_min_version = 41;
  CHECK(drop() == DropReason::kConnectingToSelf);
  hello.peer_id = test::make_node(2);
  CHECK(drop() == DropReason::kWrongNetwork);
  hello.network_id = local_node().network_id;
  CHECK(drop() == DropReason::kBadAddress);
  hello.listening_port = 65'535;
  CHECK(drop() == DropReason::kAlreadyConnected);
  facts.is_already_connected = false;
  CHECK_FALSE(drop());
}

TEST_CASE("the listening port must be 1 to 65535", "[handshake]") {
  for (const auto& [port, is_good] : std::initializer_list<std::pair<std::int32_t, bool>>{
           {-1, false}, {0, false}, {1, true}, {65'535, true}, {65'536, false}}) {
    wire::Hello hello = good_hello();
    hello.listening_port = port;
    const HelloResult result = Handshake(Direction::kInbound).on_hello(hello, kGood, local_node());
    CHECK(result.drop.has_value() != is_good);
    CHECK(result.is_address_good == is_good);
  }
}

TEST_CASE("an address learnt from a second link of a node is still good", "[handshake]") {
  const HelloResult result =
      Handshake(Direction::kInbound)
          .on_hello(good_hello(), {.is_cert_valid = true, .is_already_connected = true}, local_node());
  CHECK(result.is_address_good);
  CHECK(result.drop == DropReason::kAlreadyConnected);
}

TEST_CASE("AUTH before HELLO and a second AUTH are out of order", "[handshake]") {
  Handshake handshake(Direction::kInbound);
  CHECK(handshake.on_auth(200).drop == DropReason::kAuthOutOfOrder);
  static_cast<void>(handshake.on_hello(good_hello(), kGood, local_node()));
  CHECK_FALSE(handshake.on_auth(200).drop);
  CHECK(handshake.on_auth(200).drop == DropReason::kAuthOutOfOrder);
}

TEST_CASE("the responder sends AUTH and PEERS even before it refuses the flags", "[handshake]") {
  Handshake handshake(Direction::kInbound);
  static_cast<void>(handshake.on_hello(good_hello(), kGood, local_node()));
  const AuthResult result = handshake.on_auth(100);
  CHECK(result.sends_auth_and_peers);
  CHECK(result.drop == DropReason::kFlowControlBytesDisabled);
}

TEST_CASE("a version string of over 100 bytes is cut, not refused", "[handshake]") {
  LocalNode local = local_node();
  local.version_string = std::string(101, 'v');
  CHECK(make_hello(local, {}, {}).version_string.size() == 100);
}
