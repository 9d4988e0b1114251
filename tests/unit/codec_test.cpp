#include "core/wire/codec.h"

#include <catch2/catch.hpp>

#include "core/random.h"

using namespace overlayd;
using wire::Frame;
using wire::FrameDecoder;

namespace {

constexpr std::size_t kBodyMin = wire::kFrameBodyDecodableMin;

Bytes mark(std::uint32_t length) {
  return {static_cast<std::uint8_t>(length >> 24), static_cast<std::uint8_t>(length >> 16),
          static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)};
}

// A frame with a body of `body_bytes`, whose bytes after the version count up from `seed`.
Bytes frame(std::size_t body_bytes, std::uint8_t seed = 0) {
  Bytes bytes = mark(0x80000000U | static_cast<std::uint32_t>(body_bytes));
  bytes.resize(4 + body_bytes);
  for (std::size_t i = 8; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(seed + i);
  return bytes;
}

// Everything the decoder gives for `stream` in pieces of `piece` bytes: bodies, and the fault if there is one.
struct Decoded {
  std::vector<Bytes> bodies;
  std::optional<DropReason> fault;
  std::size_t capacity_max = 0;
};
Decoded decode(FrameDecoder& decoder, ByteView stream, std::size_t piece) {
  Decoded decoded;
  while (!stream.empty() && !decoded.fault) {
    const std::size_t n = std::min(piece, stream.size());
    const ByteView left = decoder.feed(stream.first(n));
    stream = stream.subspan(n - left.size());
    decoded.capacity_max = std::max(decoded.capacity_max, decoder.capacity());
    for (;;) {
      const FrameDecoder::Next next = decoder.next();
      if (const auto* taken = std::get_if<Frame>(&next)) {
        decoded.bodies.emplace_back(taken->body().begin(), taken->body().end());
        continue;
      }
      if (const auto* fault = std::get_if<DropReason>(&next)) decoded.fault = *fault;
      break;
    }
  }
  return decoded;
}
Decoded decode(ByteView stream, bool is_authenticated = false, std::size_t piece = 100'000) {
  FrameDecoder decoder;
  if (is_authenticated) decoder.set_authenticated();
  return decode(decoder, stream, piece);
}

}  // namespace

TEST_CASE("a frame is told apart into sequence, message and MAC", "[codec]") {
  Bytes bytes = mark(0x80000000U | 60);
  const Bytes body = *from_hex(
      "00000000"
      "0102030405060708"
      "0000000b"
      "00112233445566778899aabb"
      "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf");
  REQUIRE(body.size() == 60);
  bytes.insert(bytes.end(), body.begin(), body.end());
  FrameDecoder decoder;
  CHECK(decoder.feed(bytes).empty());
  const FrameDecoder::Next next = decoder.next();
  const auto* taken = std::get_if<Frame>(&next);
  REQUIRE(taken != nullptr);
  CHECK(taken->sequence() == 0x0102030405060708);
  CHECK(taken->message_type() == 11);
  CHECK(to_hex(taken->message()) == "0000000b00112233445566778899aabb");
  CHECK(to_hex(taken->authenticated()) == "01020304050607080000000b00112233445566778899aabb");
  CHECK(to_hex(taken->mac()) == "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf");
  CHECK(std::holds_alternative<FrameDecoder::NeedMore>(decoder.next()));
}

TEST_CASE("a frame head says length, version and sequence", "[codec]") {
  CHECK(to_hex(wire::frame_head(4, 0)) == "80000030000000000000000000000000");
  CHECK(to_hex(wire::frame_head(300, 0x0102030405060708)) == "80000158000000000102030405060708");
  CHECK(to_hex(wire::frame_head(limits::kMessageBytesMax, ~0ULL)) == "8100000000000000ffffffffffffffff");
}

TEST_CASE("the top bit of a mark is ignored on receipt", "[codec]") {
  Bytes bytes = frame(kBodyMin);
  bytes[0] &= 0x7f;
  CHECK(decode(bytes).bodies.size() == 1);
}

TEST_CASE("frames come out whole, however the stream is cut", "[codec]") {
  Bytes stream;
  std::vector<Bytes> expected;
  for (std::size_t i = 0; i < 40; ++i) {
    const Bytes bytes = frame(kBodyMin + 4 * (i * i % 97), static_cast<std::uint8_t>(i));
    expected.emplace_back(bytes.begin() + 4, bytes.end());
    stream.insert(stream.end(), bytes.begin(), bytes.end());
  }
  for (std::size_t piece = 1; piece <= 400; ++piece) {
    const Decoded decoded = decode(stream, false, piece);
    REQUIRE(decoded.bodies == expected);
    REQUIRE_FALSE(decoded.fault.has_value());
  }
  REQUIRE(decode(stream, false, stream.size()).bodies == expected);
}

TEST_CASE("large and small frames in random pieces come out whole", "[codec]") {
  Random random(7);
  Bytes stream;
  std::vector<Bytes> expected;
  for (std::size_t i = 0; i < 60; ++i) {
    const std::size_t words = random.below(4) == 0 ? random.below(60'000) : random.below(100);
    const Bytes bytes = frame(kBodyMin + 4 * words, static_cast<std::uint8_t>(i));
    expected.emplace_back(bytes.begin() + 4, bytes.end());
    stream.insert(stream.end(), bytes.begin(), bytes.end());
  }
  FrameDecoder decoder;
  decoder.set_authenticated();
  std::vector<Bytes> bodies;
  ByteView left = stream;
  while (!left.empty()) {
    const std::size_t n = std::min<std::size_t>(left.size(), 1 + random.below(30'000));
    Decoded decoded = decode(decoder, left.first(n), n);
    left = left.subspan(n);
    REQUIRE_FALSE(decoded.fault.has_value());
    for (Bytes& body : decoded.bodies) bodies.push_back(std::move(body));
  }
  CHECK(bodies == expected);
}

TEST_CASE("an empty frame is refused", "[codec]") {
  CHECK(decode(mark(0x80000000)).fault == DropReason::kFrameEmpty);
  CHECK(decode(mark(0)).fault == DropReason::kFrameEmpty);
  CHECK(decode(mark(0), true).fault == DropReason::kFrameEmpty);
}

TEST_CASE("before authentication a body may have 4,096 bytes and no more", "[codec]") {
  constexpr std::size_t kMax = limits::kFrameBodyUnauthenticatedMax;
  CHECK(decode(frame(kMax - 4)).bodies.size() == 1);
  CHECK(decode(frame(kMax)).bodies.size() == 1);
  CHECK(decode(mark(kMax + 1)).fault == DropReason::kFrameTooLarge);
  CHECK(decode(mark(kMax + 4)).fault == DropReason::kFrameTooLarge);
  CHECK(decode(mark(0x7fffffff)).fault == DropReason::kFrameTooLarge);
}

TEST_CASE("after authentication a body may have 16 MiB and no more", "[codec]") {
  constexpr std::size_t kMax = limits::kFrameBodyMax;
  CHECK(decode(frame(limits::kFrameBodyUnauthenticatedMax + 4), true).bodies.size() == 1);
  CHECK(decode(frame(kMax - 4), true).bodies.size() == 1);
  CHECK(decode(frame(kMax), true).bodies.size() == 1);
  CHECK(decode(mark(kMax + 1), true).fault == DropReason::kFrameTooLarge);
  CHECK(decode(mark(kMax + 4), true).fault == DropReason::kFrameTooLarge);
  CHECK(decode(mark(0xffffffff), true).fault == DropReason::kFrameTooLarge);
}

TEST_CASE("a body too short for a message, or no multiple of four, is malformed at its mark", "[codec]") {
  CHECK(decode(frame(kBodyMin)).bodies.size() == 1);
  for (std::size_t length = 1; length < kBodyMin; ++length)
    REQUIRE(decode(mark(static_cast<std::uint32_t>(length))).fault == DropReason::kFrameMalformed);
  for (const std::size_t extra : {1, 2, 3})
    CHECK(decode(mark(static_cast<std::uint32_t>(kBodyMin + extra))).fault == DropReason::kFrameMalformed);
}

TEST_CASE("a version other than 0 is malformed", "[codec]") {
  for (std::size_t i = 4; i < 8; ++i) {
    Bytes bytes = frame(kBodyMin);
    bytes[i] = 1;
    CHECK(decode(bytes).fault == DropReason::kFrameMalformed);
  }
}

TEST_CASE("a fault is final, and what follows is not kept", "[codec]") {
  FrameDecoder decoder;
  CHECK(decode(decoder, mark(0), 4).fault == DropReason::kFrameEmpty);
  for (int i = 0; i < 1000; ++i) {
    CHECK(decoder.feed(frame(kBodyMin)).empty());
    REQUIRE(std::get<DropReason>(decoder.next()) == DropReason::kFrameEmpty);
  }
  CHECK(decoder.capacity() == FrameDecoder::kBufferBytes);
}

TEST_CASE("frames before a fault still come out", "[codec]") {
  Bytes stream = frame(kBodyMin);
  const Bytes broken = mark(0);
  stream.insert(stream.end(), broken.begin(), broken.end());
  const Decoded decoded = decode(stream);
  CHECK(decoded.bodies.size() == 1);
  CHECK(decoded.fault == DropReason::kFrameEmpty);
}

TEST_CASE("an announced length takes no memory", "[codec]") {
  FrameDecoder decoder;
  decoder.set_authenticated();
  Bytes bytes = mark(0x80000000U | limits::kFrameBodyMax);
  bytes.resize(14);
  CHECK(decode(decoder, bytes, bytes.size()).bodies.empty());
  CHECK(decoder.capacity() == FrameDecoder::kBufferBytes);
  CHECK(decoder.writable().size() == FrameDecoder::kBufferBytes - bytes.size());
}

TEST_CASE("the buffer is never more than four times what has arrived, nor more than the frame", "[codec]") {
  FrameDecoder decoder;
  decoder.set_authenticated();
  const Bytes bytes = frame(3 << 20);
  std::size_t received = 0;
  ByteView left = bytes;
  while (!left.empty()) {
    const ByteView piece = left.first(std::min<std::size_t>(1448, left.size()));
    const std::size_t taken = piece.size() - decoder.feed(piece).size();
    received += taken;
    left = left.subspan(taken);
    REQUIRE(decoder.capacity() <= std::max(FrameDecoder::kBufferBytes, std::min(bytes.size(), 4 * received)));
    REQUIRE(std::holds_alternative<Frame>(decoder.next()) == left.empty());
  }
}

TEST_CASE("a grown buffer is given back once its frame was taken", "[codec]") {
  FrameDecoder decoder;
  decoder.set_authenticated();
  const Bytes large = frame(1 << 20);
  const Decoded decoded = decode(decoder, large, 50'000);
  CHECK(decoded.bodies.size() == 1);
  CHECK(decoded.capacity_max == large.size());
  CHECK(decoder.writable().size() == FrameDecoder::kBufferBytes);
  CHECK(decoder.capacity() == FrameDecoder::kBufferBytes);
}

TEST_CASE("a large frame can be kept without copying it, a small one shares the buffer", "[codec]") {
  FrameDecoder decoder;
  decoder.set_authenticated();
  Bytes stream = frame(1 << 20);
  ByteView rest = stream;
  while (!rest.empty()) {
    rest = decoder.feed(rest);
    if (!rest.empty()) REQUIRE(std::holds_alternative<FrameDecoder::NeedMore>(decoder.next()));
  }
  const auto next = decoder.next();
  const ByteView message = std::get<Frame>(next).message();
  const auto kept = decoder.take_buffer();
  REQUIRE(kept);
  CHECK(message.data() >= kept.get());
  CHECK(decoder.capacity() == FrameDecoder::kBufferBytes);
  const Bytes small = frame(400);
  REQUIRE(decoder.feed(small).empty());
  CHECK(std::holds_alternative<Frame>(decoder.next()));
  CHECK_FALSE(decoder.take_buffer());
  CHECK(std::equal(message.begin(), message.end(), stream.begin() + 16));  // the kept one is as it was
}

TEST_CASE("bytes can be received in place", "[codec]") {
  FrameDecoder decoder;
  const Bytes bytes = frame(kBodyMin, 3);
  for (const std::size_t half : {bytes.size() / 2, bytes.size() - bytes.size() / 2}) {
    const auto room = decoder.writable();
    REQUIRE(room.size() >= half);
    std::memcpy(room.data(), bytes.data() + decoder.buffered(), half);
    decoder.commit(half);
  }
  const FrameDecoder::Next next = decoder.next();
  const auto* taken = std::get_if<Frame>(&next);
  REQUIRE(taken != nullptr);
  CHECK(to_hex(taken->body()) == to_hex(ByteView(bytes).subspan(4)));
}

TEST_CASE("the limit rises only for marks that were not judged yet", "[codec]") {
  FrameDecoder decoder;
  const Bytes large = frame(8192);
  CHECK(decoder.feed(ByteView(large).first(3)).empty());
  CHECK(std::holds_alternative<FrameDecoder::NeedMore>(decoder.next()));
  decoder.set_authenticated();
  CHECK(decode(decoder, ByteView(large).subspan(3), 8192).bodies.size() == 1);

  FrameDecoder late;
  CHECK(late.feed(ByteView(large).first(4)).empty());
  CHECK(std::get<DropReason>(late.next()) == DropReason::kFrameTooLarge);
  late.set_authenticated();
  CHECK(std::get<DropReason>(late.next()) == DropReason::kFrameTooLarge);
}
