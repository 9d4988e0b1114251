#include "core/message_dispatcher.h"

#include <catch2/catch.hpp>
#include <map>

#include "tests/support/messages.h"

using namespace overlayd;
using wire::MessageType;

namespace {

// Writes down which handler was called.
class Recorder final : public MessageHandlers {
 public:
  std::string called;

#define RECORD(name)                             \
  HandlerResult name(const Received&) override { \
    called = #name;                              \
    return std::nullopt;                         \
  }
  RECORD(on_error)
  RECORD(on_hello)
  RECORD(on_auth)
  RECORD(on_peers)
  RECORD(on_dont_have)
  RECORD(on_get_tx_set)
  RECORD(on_get_scp_quorumset)
  RECORD(on_get_scp_state)
  RECORD(on_tx_set)
  RECORD(on_scp_quorumset)
  RECORD(on_scp_message)
  RECORD(on_transaction)
  RECORD(on_flood_advert)
  RECORD(on_flood_demand)
  RECORD(on_send_more_extended)
  RECORD(on_survey)
#undef RECORD
};

struct Fixture {
  LocalNode local;
  OverlayMetrics metrics;
  Random random{1};
  Recorder handlers;
  MessageDispatcher dispatcher{handlers, metrics};
  peer::Peer peer;
  Outputs out;

  explicit Fixture(Direction direction = Direction::kInbound)
      : peer({PeerId{1}, {}, direction, {}, {}}, Instant(), limits::kMaxClassicTxBytes, {}, local, metrics) {}

  void authenticate() {
    wire::Hello hello = peer::make_hello(local, {}, {});
    hello.peer_id = test::make_node(2);
    REQUIRE_FALSE(peer.on_hello(hello, {.is_cert_valid = true}, out).drop);
    REQUIRE_FALSE(peer.on_auth(200, out).drop);
    peer.on_accepted(Instant(), 0, random, out);
  }
  HandlerResult dispatch(std::int32_t type, bool is_in_sync = true) {
    handlers.called.clear();
    Bytes xdr{0, 0, 0, static_cast<std::uint8_t>(type)};
    xdr.resize(204);
    const MessagePtr message = wire::to_message_type(type) == MessageType::kTransaction
                                   ? test::make_transaction({}, 1)
                                   : wire::Message::adopt(std::move(xdr), {});
    const Now now;
    std::string detail;
    bool is_held = false;
    return dispatcher.dispatch({peer, message, false, now, out, is_held, detail}, is_in_sync);
  }
};

constexpr std::array<std::int32_t, 21> kTypes{0,  2,  3,  5,  6,  7,  8,  9,  10, 11, 12,
                                              13, 16, 17, 18, 19, 20, 21, 22, 23, 24};

}  // namespace

TEST_CASE("before the handshake only HELLO, AUTH and ERROR_MSG are handled", "[message_dispatcher]") {
  Fixture f;
  for (const std::int32_t type : kTypes) {
    const HandlerResult result = f.dispatch(type);
    if (type == 0 || type == 2 || type == 13) {
      CHECK_FALSE(result);
      CHECK_FALSE(f.handlers.called.empty());
    } else {
      CHECK(result == DropReason::kBeforeHandshake);
      CHECK(f.handlers.called.empty());
    }
  }
}

TEST_CASE("PEERS is taken from those we called only", "[message_dispatcher]") {
  Fixture inbound;
  inbound.authenticate();
  CHECK(inbound.dispatch(5) == DropReason::kPeersUnexpected);
  Fixture outbound(Direction::kOutbound);
  outbound.authenticate();
  CHECK_FALSE(outbound.dispatch(5));
  CHECK(outbound.handlers.called == "on_peers");
}

TEST_CASE("SEND_MORE ends the link", "[message_dispatcher]") {
  Fixture f;
  f.authenticate();
  CHECK(f.dispatch(16) == DropReason::kSendMoreUnexpected);
}

TEST_CASE("out of sync, transactions and their adverts and demands are ignored, SCP is not", "[message_dispatcher]") {
  Fixture f;
  f.authenticate();
  for (const std::int32_t type : {8, 18, 19}) {
    CHECK_FALSE(f.dispatch(type, false));
    CHECK(f.handlers.called.empty());
    CHECK_FALSE(f.dispatch(type, true));
    CHECK_FALSE(f.handlers.called.empty());
  }
  CHECK(f.metrics.ignored_out_of_sync == 3);
  CHECK_FALSE(f.dispatch(11, false));
  CHECK(f.handlers.called == "on_scp_message");
}

TEST_CASE("every message type has its handler", "[message_dispatcher]") {
  Fixture f(Direction::kOutbound);
  f.authenticate();
  const std::map<std::int32_t, std::string> expected{
      {0, "on_error"},          {2, "on_auth"},          {3, "on_dont_have"},      {5, "on_peers"},
      {6, "on_get_tx_set"},     {7, "on_tx_set"},        {8, "on_transaction"},    {9, "on_get_scp_quorumset"},
      {10, "on_scp_quorumset"}, {11, "on_scp_message"},  {12, "on_get_scp_state"}, {13, "on_hello"},
      {17, "on_tx_set"},        {18, "on_flood_advert"}, {19, "on_flood_demand"},  {20, "on_send_more_extended"},
      {21, "on_survey"},        {22, "on_survey"},       {23, "on_survey"},        {24, "on_survey"}};
  for (const auto& [type, handler] : expected) {
    CHECK_FALSE(f.dispatch(type));
    CHECK(f.handlers.called == handler);
  }
}
