// The transport from its first byte, before anybody is authenticated: frames in pieces of any size, judged as the daemon
// judges them. The first input byte says how large the pieces are.
#include "core/check.h"
#include "core/peer/handshake.h"
#include "core/peer/mac_stream.h"

using namespace overlayd;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::size_t{1} + data[0];
  ByteView rest(data + 1, size - 1);
  wire::FrameDecoder decoder;
  peer::MacStream macs;
  peer::Handshake handshake(Direction::kInbound);
  const LocalNode local;
  while (!rest.empty()) {
    const ByteView next = rest.first(std::min(piece, rest.size()));
    rest = rest.subspan(next.size() - decoder.feed(next).size());
    for (;;) {
      const auto frame = decoder.next();
      if (std::holds_alternative<DropReason>(frame)) return 0;
      if (std::holds_alternative<wire::FrameDecoder::NeedMore>(frame)) break;
      const wire::Frame& received = std::get<wire::Frame>(frame);
      if (macs.check(received)) return 0;
      const auto parsed = wire::Message::parse(received.message(), {}, decoder.take_buffer());
      if (!parsed.message) return 0;
      if (const auto hello = wire::read_hello(parsed.message->xdr()))
        static_cast<void>(handshake.on_hello(*hello, {.is_cert_valid = true}, local));
      if (const auto flags = wire::read_auth_flags(parsed.message->xdr())) static_cast<void>(handshake.on_auth(*flags));
    }
    OVERLAYD_CHECK(decoder.capacity() <= wire::FrameDecoder::kBufferBytes);
  }
  return 0;
}
