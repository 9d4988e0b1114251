// Sequence numbers and MACs of one connection, both directions. Belongs to the connection's thread.
//
// Rule 1.  Sending: sequence and MAC of HELLO and ERROR_MSG are zero and the counter stays; every other message carries
//          the counter, which then advances, and HMAC-SHA256(key, sequence · message). Both counters start at 0.
// Rule 2.  Receiving: until the keys are set nothing is checked and nothing counted (only HELLO and ERROR_MSG can make
//          sense then; the state machine refuses the rest). After that everything but ERROR_MSG is checked, in this
//          order: sequence equals the counter (kAuthSequence), key is not zero (kAuthKeyZero), MAC (kAuthMac); the
//          counter advances only if all hold. A second HELLO, unauthenticated as HELLOs are, therefore fails here.
// Rule 3.  Keys are set once. Rationale: a second HELLO must not reset the stream.
// Source:  stellar-core Hmac and Peer::recvAuthenticatedMessage, commit a9b8613.
#pragma once
#include <optional>

#include "core/crypto/mac.h"
#include "core/error.h"
#include "core/peer/auth.h"
#include "core/wire/codec.h"
#include "core/wire/message.h"

namespace overlayd::peer {

// What surrounds a message on the wire. head · message · mac is the complete frame: the message itself can be shared by
// any number of connections and goes out in one gathered write.
struct SealedFrame {
  std::array<std::uint8_t, wire::kSealedHeadBytes> head;
  std::array<std::uint8_t, limits::kMacBytes> mac;
};

class MacStream {
 public:
  MacStream() = default;
  MacStream(const MacStream&) = delete;
  MacStream& operator=(const MacStream&) = delete;

  // False, and nothing changes, if keys are set already.
  [[nodiscard]] bool set_keys(LinkKeys keys);
  [[nodiscard]] bool has_keys() const { return keys_.has_value(); }

  // Spends one sequence number: the frame must be written, and in the order of the calls. Anything but HELLO and
  // ERROR_MSG needs keys.
  [[nodiscard]] SealedFrame seal(const wire::Message& message) { return seal(message.type(), message.xdr()); }
  [[nodiscard]] SealedFrame seal(wire::MessageType type, ByteView message);

  // The first bytes, mark included, of a frame of `frame_bytes` that is still coming in: their share of the MAC is computed
  // now, so that check has less to do at once. Each call has at least the bytes of the one before. Without keys nothing
  // happens. Rationale: the MAC of 16 MiB takes milliseconds, in which every other message of the thread would wait.
  void absorb(ByteView partial, std::size_t frame_bytes);
  // Why the frame must end the connection, if it must; otherwise it is taken as received.
  [[nodiscard]] std::optional<DropReason> check(const wire::Frame& frame);

 private:
  struct Absorbed {
    crypto::RunningMac mac;
    std::size_t bytes = 0;  // of what is authenticated
    explicit Absorbed(const crypto::MacKey& key) : mac(key) {}
  };
  [[nodiscard]] std::optional<DropReason> judge(const wire::Frame& frame);
  [[nodiscard]] bool is_mac_good(const wire::Frame& frame);

  std::optional<LinkKeys> keys_;
  std::optional<Absorbed> absorbed_;  // of the frame that is coming in
  std::uint64_t send_sequence_ = 0;
  std::uint64_t receive_sequence_ = 0;
};

}  // namespace overlayd::peer
