// From (peer state, message type) to the component that handles it. No state of its own: the row of message_rules
// decides whether a message is refused, ignored or handled, and the switch names the handler.
//
// Order (Peer::recvRawMessage, stellar-core commit a9b8613):
//   before the handshake is complete only HELLO, AUTH and ERROR_MSG, anything else ends the link (kBeforeHandshake);
//   PEERS from one who called us ends it (kPeersUnexpected); SEND_MORE ends it (kSendMoreUnexpected);
//   while not in sync TRANSACTION, FLOOD_ADVERT and FLOOD_DEMAND are ignored and counted.
#pragma once
#include "core/outputs.h"
#include "core/peer/peer.h"

namespace overlayd {

// One received message and where its effects go.
struct Received {
  peer::Peer& peer;
  const MessagePtr& message;
  bool is_cert_valid;
  const Now& now;
  Outputs& out;
  bool& is_held;        // set by a handler that is not done with the message: its credit returns later
  std::string& detail;  // a handler that drops the peer may say more here, for the log and the journal
};

// What a handler returns: a reason if the peer is to be dropped for this message.
using HandlerResult = std::optional<DropReason>;

class MessageHandlers {
 public:
  virtual ~MessageHandlers() = default;
  virtual HandlerResult on_error(const Received& received) = 0;
  virtual HandlerResult on_hello(const Received& received) = 0;
  virtual HandlerResult on_auth(const Received& received) = 0;
  virtual HandlerResult on_peers(const Received& received) = 0;
  virtual HandlerResult on_dont_have(const Received& received) = 0;
  virtual HandlerResult on_get_tx_set(const Received& received) = 0;
  virtual HandlerResult on_get_scp_quorumset(const Received& received) = 0;
  virtual HandlerResult on_get_scp_state(const Received& received) = 0;
  virtual HandlerResult on_tx_set(const Received& received) = 0;  // TX_SET and GENERALIZED_TX_SET
  virtual HandlerResult on_scp_quorumset(const Received& received) = 0;
  virtual HandlerResult on_scp_message(const Received& received) = 0;
  virtual HandlerResult on_transaction(const Received& received) = 0;
  virtual HandlerResult on_flood_advert(const Received& received) = 0;
  virtual HandlerResult on_flood_demand(const Received& received) = 0;
  virtual HandlerResult on_send_more_extended(const Received& received) = 0;
  virtual HandlerResult on_survey(const Received& received) = 0;  // the four survey messages
};

class MessageDispatcher {
 public:
  MessageDispatcher(MessageHandlers& handlers, OverlayMetrics& metrics) : handlers_(handlers), metrics_(metrics) {}
  [[nodiscard]] HandlerResult dispatch(const Received& received, bool is_in_sync);

 private:
  [[nodiscard]] HandlerResult handle(const Received& received);

  MessageHandlers& handlers_;
  OverlayMetrics& metrics_;
};

}  // namespace overlayd
