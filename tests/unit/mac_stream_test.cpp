#include "core/peer/mac_stream.h"

#include "tests/unit/handshake_vectors.h"

using namespace overlayd;
using peer::MacStream;
using wire::MessageType;

namespace {

const Bytes kHelloBytes{0, 0, 0, 13};
const Bytes kErrorBytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
const Bytes kAuthBytes{0, 0, 0, 2, 0, 0, 0, 200};

peer::LinkKeys keys(std::uint8_t send, std::uint8_t receive) {
  return {crypto::MacKey(Bytes(32, send)), crypto::MacKey(Bytes(32, receive))};
}

// head · message · mac, as it goes over the wire.
Bytes wire_bytes(const peer::SealedFrame& sealed, ByteView message) {
  Bytes bytes(sealed.head.begin(), sealed.head.end());
  bytes.insert(bytes.end(), message.begin(), message.end());
  bytes.insert(bytes.end(), sealed.mac.begin(), sealed.mac.end());
  return bytes;
}

Bytes seal(MacStream& stream, MessageType type, ByteView message) {
  return wire_bytes(stream.seal(type, message), message);
}

std::optional<DropReason> check(MacStream& stream, ByteView frame) {
  return stream.check(wire::Frame(frame.subspan(limits::kRecordMarkBytes)));
}

// Two ends of one connection with their keys.
struct Ends {
  MacStream a;
  MacStream b;
  Ends() {
    REQUIRE(a.set_keys(keys(1, 2)));
    REQUIRE(b.set_keys(keys(2, 1)));
  }
};

}  // namespace

TEST_CASE("every frame of the transcripts is reproduced and accepted, both roles", "[mac_stream]") {
  for (const auto& handshake : test::handshakes()) {
    const Bytes k_ab = test::hex(handshake["k_ab"]);
    const Bytes k_ba = test::hex(handshake["k_ba"]);
    MacStream initiator;
    MacStream responder;
    std::size_t hellos = 0;
    for (const auto& step : handshake["transcript"]) {
      const bool is_initiator = step["from"] == "initiator";
      MacStream& sender = is_initiator ? initiator : responder;
      MacStream& receiver = is_initiator ? responder : initiator;
      const Bytes expected = test::hex(step["frame"]);

      wire::FrameDecoder decoder;
      REQUIRE(decoder.feed(expected).empty());
      const auto next = decoder.next();
      const auto* frame = std::get_if<wire::Frame>(&next);
      REQUIRE(frame != nullptr);
      CHECK(frame->sequence() == step["sequence"].get<std::uint64_t>());
      const auto type = wire::to_message_type(frame->message_type());
      REQUIRE(type.has_value());

      INFO(step["message"].get<std::string>());
      CHECK(to_hex(seal(sender, *type, frame->message())) == step["frame"].get<std::string>());
      CHECK(receiver.check(*frame) == std::nullopt);
      if (*type == MessageType::kHello && ++hellos == 2) {
        REQUIRE(initiator.set_keys({crypto::MacKey(k_ab), crypto::MacKey(k_ba)}));
        REQUIRE(responder.set_keys({crypto::MacKey(k_ba), crypto::MacKey(k_ab)}));
      }
    }
  }
}

TEST_CASE("HELLO and ERROR_MSG go out with sequence 0 and no MAC, and do not advance the counter", "[mac_stream]") {
  Ends ends;
  for (int i = 0; i < 3; ++i) {
    CHECK(check(ends.b, seal(ends.a, MessageType::kAuth, kAuthBytes)) == std::nullopt);
    const auto hello = ends.a.seal(MessageType::kHello, kHelloBytes);
    const auto error = ends.a.seal(MessageType::kErrorMsg, kErrorBytes);
    CHECK(hello.head == wire::frame_head(kHelloBytes.size(), 0));
    CHECK(error.head == wire::frame_head(kErrorBytes.size(), 0));
    CHECK(hello.mac == crypto::Hash256{});
    CHECK(error.mac == crypto::Hash256{});
  }
  CHECK(ends.a.seal(MessageType::kAuth, kAuthBytes).head == wire::frame_head(kAuthBytes.size(), 3));
}

TEST_CASE("both directions count on their own", "[mac_stream]") {
  Ends ends;
  for (int i = 0; i < 5; ++i) {
    REQUIRE(check(ends.b, seal(ends.a, MessageType::kAuth, kAuthBytes)) == std::nullopt);
    REQUIRE(check(ends.b, seal(ends.a, MessageType::kPeers, kAuthBytes)) == std::nullopt);
    REQUIRE(check(ends.a, seal(ends.b, MessageType::kAuth, kAuthBytes)) == std::nullopt);
  }
}

TEST_CASE("before the keys nothing is checked or counted", "[mac_stream]") {
  Ends ends;
  MacStream fresh;
  for (int i = 0; i < 3; ++i) CHECK(check(fresh, seal(ends.a, MessageType::kAuth, kAuthBytes)) == std::nullopt);
  MacStream sender;
  REQUIRE(sender.set_keys(keys(1, 2)));
  REQUIRE(fresh.set_keys(keys(2, 1)));
  CHECK(check(fresh, seal(sender, MessageType::kAuth, kAuthBytes)) == std::nullopt);
}

TEST_CASE("a replayed, skipped or early frame has the wrong sequence", "[mac_stream]") {
  Ends ends;
  const Bytes first = seal(ends.a, MessageType::kAuth, kAuthBytes);
  const Bytes second = seal(ends.a, MessageType::kAuth, kAuthBytes);
  CHECK(check(ends.b, second) == DropReason::kAuthSequence);
  CHECK(check(ends.b, first) == std::nullopt);
  CHECK(check(ends.b, first) == DropReason::kAuthSequence);
  CHECK(check(ends.b, second) == std::nullopt);
}

TEST_CASE("a frame changed anywhere is refused and not counted", "[mac_stream]") {
  Ends ends;
  const Bytes good = seal(ends.a, MessageType::kAuth, kAuthBytes);
  for (std::size_t i = 8; i < good.size(); ++i) {
    Bytes changed = good;
    changed[i] ^= 0x80;
    REQUIRE(check(ends.b, changed) == (i < wire::kSealedHeadBytes ? DropReason::kAuthSequence : DropReason::kAuthMac));
  }
  CHECK(check(ends.b, good) == std::nullopt);
}

TEST_CASE("a second HELLO fails its MAC, later its sequence", "[mac_stream]") {
  Ends ends;
  CHECK(check(ends.b, seal(ends.a, MessageType::kHello, kHelloBytes)) == DropReason::kAuthMac);
  CHECK(check(ends.b, seal(ends.a, MessageType::kAuth, kAuthBytes)) == std::nullopt);
  CHECK(check(ends.b, seal(ends.a, MessageType::kHello, kHelloBytes)) == DropReason::kAuthSequence);
}

TEST_CASE("ERROR_MSG is never checked and never counted", "[mac_stream]") {
  Ends ends;
  Bytes error = seal(ends.a, MessageType::kErrorMsg, kErrorBytes);
  error[15] = 77;    // sequence
  error.back() = 1;  // MAC
  CHECK(check(ends.b, error) == std::nullopt);
  CHECK(check(ends.b, seal(ends.a, MessageType::kAuth, kAuthBytes)) == std::nullopt);
}

TEST_CASE("a zero receiving key is refused after the sequence and before the MAC", "[mac_stream]") {
  MacStream sender;
  MacStream receiver;
  REQUIRE(sender.set_keys(keys(0, 1)));
  REQUIRE(receiver.set_keys(keys(1, 0)));
  const Bytes first = seal(sender, MessageType::kAuth, kAuthBytes);
  const Bytes second = seal(sender, MessageType::kAuth, kAuthBytes);
  CHECK(check(receiver, second) == DropReason::kAuthSequence);
  CHECK(check(receiver, first) == DropReason::kAuthKeyZero);
}

TEST_CASE("keys are set once", "[mac_stream]") {
  Ends ends;
  CHECK(ends.b.has_keys());
  CHECK_FALSE(ends.b.set_keys(keys(9, 9)));
  CHECK(check(ends.b, seal(ends.a, MessageType::kAuth, kAuthBytes)) == std::nullopt);
}
