// The handshake of one link as a pure state machine: which check fails first, what is sent when.
//
// connected --HELLO--> GOT_HELLO --AUTH--> GOT_AUTH. The initiator sends HELLO when the socket connects; the responder
// answers HELLO with HELLO *before* the checks that carry an ERROR_MSG, so that the remote can decode the error.
// Order of the checks (Peer::recvHello, Peer::recvAuth, stellar-core commit a9b8613; protocol.md section 3):
//   HELLO  second one · certificate · ban · [responder sends HELLO] · version ranges overlap · own id · network ·
//          listening port · [the peer record learns the address] · already connected · [initiator sends AUTH]
//   AUTH   only in GOT_HELLO · [responder sends AUTH, then PEERS] · flags
// Acceptance into a slot follows and is the caller's.
// It does not verify certificates or MACs: the transport does, and tells.
#pragma once
#include <optional>

#include "core/error.h"
#include "core/local_node.h"
#include "core/wire/values.h"

namespace overlayd::peer {

enum class HandshakeState : std::uint8_t { kConnected, kGotHello, kGotAuth };

struct HelloFacts {
  bool is_cert_valid = false;
  bool is_banned = false;
  bool is_already_connected = false;  // its id is among the authenticated or the other pending links
};

struct HelloResult {
  bool sends_hello = false;      // first
  bool is_address_good = false;  // remote IP and listening port may enter the peer book
  bool sends_auth = false;
  std::optional<DropReason> drop;  // after what is sent
};

struct AuthResult {
  bool sends_auth_and_peers = false;  // first
  std::optional<DropReason> drop;
};

class Handshake {
 public:
  explicit Handshake(Direction direction) : direction_(direction) {}

  [[nodiscard]] HelloResult on_hello(const wire::Hello& hello, const HelloFacts& facts, const LocalNode& local);
  [[nodiscard]] AuthResult on_auth(std::int32_t flags);
  [[nodiscard]] HandshakeState state() const { return state_; }
  [[nodiscard]] Direction direction() const { return direction_; }

 private:
  Direction direction_;
  HandshakeState state_ = HandshakeState::kConnected;
};

// The HELLO this node sends on a link.
[[nodiscard]] wire::Hello make_hello(const LocalNode& local, const AuthCert& cert,
                                     const std::array<std::uint8_t, 32>& nonce);

}  // namespace overlayd::peer
