// One link's bytes ↔ messages, without a socket: framing, keys, sequence numbers, MACs, validation, hashes.
// Everything a received message goes through before another thread sees it, and everything a sent one needs but the
// system call.
//
// In, per frame: length against the limit · MAC and sequence, once keys are set · XDR validated in place · hashes.
// Rule 1. The first HELLO sets the keys if its certificate verifies; the next frame is checked with them. If it does
//         not verify, the HELLO is still given out (is_cert_valid false) and the link reads no more.
// Rule 2. Frames may hold 4,096 bytes until the peer has proved its key with a MACed message, or the overlay has said
//         that the handshake is complete; then 16 MiB. Rationale: the overlay's word may come after the bytes it
//         allows.
// Rule 3. After a fault nothing more is read.
// Out: HELLO and ERROR_MSG carry sequence 0 and no MAC, all others both, in the order of seal().
#pragma once
#include <optional>

#include "core/peer/auth.h"
#include "core/peer/mac_stream.h"
#include "core/wire/codec.h"
#include "core/wire/message.h"
#include "core/wire/values.h"
#include "daemon/write_queue.h"

namespace overlayd::daemon {

struct LinkFault {
  DropReason reason = DropReason::kFrameMalformed;
  std::string detail;
};
// A transaction set of kBulkBytesMin or more whose XDR is valid, and whose hash is still to be computed: that takes
// milliseconds, and what came after it need not wait for them.
struct UnhashedItem {
  std::unique_ptr<std::uint8_t[]> buffer;
  ByteView xdr;  // of the StellarMessage, in `buffer`

  // The message with its hash. Once.
  [[nodiscard]] MessagePtr make(const NetworkId& network) {
    return wire::Message::adopt(std::move(buffer), xdr, network);
  }
};
// What the next frame was: a message, an item, a fault, or nothing yet.
struct LinkRead {
  MessagePtr message;
  std::optional<UnhashedItem> item{};
  bool is_cert_valid = false;
  std::optional<LinkFault> fault;
};

class SecureLink {
 public:
  // Draws the nonce. `auth` and `network` belong to the thread and outlive the link.
  SecureLink(Direction direction, const NetworkId& network, peer::PeerAuth& auth, Entropy& entropy);

  // Where the next bytes of the socket go; never empty. Only after read_next gave nothing. `commit` says how many came.
  [[nodiscard]] std::span<std::uint8_t> space() { return decoder_.writable(); }
  void commit(std::size_t bytes);
  [[nodiscard]] LinkRead read_next(UnixTime now);
  // Whether read_next may have to check a frame of kBulkBytesMin bytes or more, which takes milliseconds. (It may also
  // find it incomplete, a few times per frame.)
  [[nodiscard]] bool is_bulk_next() const {
    // Such a frame has a buffer to itself and fills it.
    return decoder_.buffered() >= kBulkBytesMin && decoder_.buffered() == decoder_.capacity();
  }
  // Whether read_next will never give anything again.
  [[nodiscard]] bool has_ended() const { return has_ended_; }

  void on_authenticated() { decoder_.set_authenticated(); }
  // Nothing if the message needs a MAC and there are no keys.
  [[nodiscard]] std::optional<QueuedFrame> seal(MessagePtr message, Instant now);
  [[nodiscard]] const std::array<std::uint8_t, 32>& local_nonce() const { return local_nonce_; }

 private:
  LinkRead fail(DropReason reason, std::string detail = {});
  [[nodiscard]] static bool is_bulk_item(const wire::Frame& frame);
  LinkRead read_item(const wire::Frame& frame);
  [[nodiscard]] bool take_keys(const wire::Hello& hello, UnixTime now);

  const Direction direction_;
  const NetworkId& network_;
  peer::PeerAuth& auth_;
  bool has_read_hello_ = false;
  std::array<std::uint8_t, 32> local_nonce_{};
  wire::FrameDecoder decoder_;
  peer::MacStream macs_;
  bool has_ended_ = false;
};

}  // namespace overlayd::daemon
