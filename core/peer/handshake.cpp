#include "core/peer/handshake.h"

namespace overlayd::peer {
namespace {

bool versions_overlap(const wire::Hello& hello, const LocalNode& local) {
  return hello.overlay_min_version <= hello.overlay_version && hello.overlay_version >= local.overlay_min_version &&
         hello.overlay_min_version <= local.overlay_version;
}

}  // namespace

HelloResult Handshake::on_hello(const wire::Hello& hello, const HelloFacts& facts, const LocalNode& local) {
  HelloResult result;
  const auto drop = [&result](DropReason reason) {
    result.drop = reason;
    return result;
  };
  if (state_ != HandshakeState::kConnected) return drop(DropReason::kHelloUnexpected);
  if (!facts.is_cert_valid) return drop(DropReason::kAuthCertInvalid);
  if (facts.is_banned) return drop(DropReason::kBanned);
  state_ = HandshakeState::kGotHello;
  result.sends_hello = direction_ == Direction::kInbound;
  if (!versions_overlap(hello, local)) return drop(DropReason::kWrongProtocolVersion);
  if (hello.peer_id == local.node_id) return drop(DropReason::kConnectingToSelf);
  if (hello.network_id != local.network_id) return drop(DropReason::kWrongNetwork);
  if (hello.listening_port <= 0 || hello.listening_port > 0xffff) return drop(DropReason::kBadAddress);
  result.is_address_good = true;
  if (facts.is_already_connected) return drop(DropReason::kAlreadyConnected);
  result.sends_auth = direction_ == Direction::kOutbound;
  return result;
}

AuthResult Handshake::on_auth(std::int32_t flags) {
  AuthResult result;
  if (state_ != HandshakeState::kGotHello) {
    result.drop = DropReason::kAuthOutOfOrder;
    return result;
  }
  state_ = HandshakeState::kGotAuth;
  result.sends_auth_and_peers = direction_ == Direction::kInbound;
  if (flags != static_cast<std::int32_t>(limits::kAuthFlags)) result.drop = DropReason::kFlowControlBytesDisabled;
  return result;
}

wire::Hello make_hello(const LocalNode& local, const AuthCert& cert, const std::array<std::uint8_t, 32>& nonce) {
  wire::Hello hello;
  hello.ledger_version = local.ledger_version;
  hello.overlay_version = local.overlay_version;
  hello.overlay_min_version = local.overlay_min_version;
  hello.network_id = local.network_id;
  hello.version_string = local.version_string.substr(0, limits::kVersionStringMax);
  hello.listening_port = local.listening_port;
  hello.peer_id = local.node_id;
  hello.cert = cert;
  hello.nonce = nonce;
  return hello;
}

}  // namespace overlayd::peer
