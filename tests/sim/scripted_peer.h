// A peer that is not an overlay: it completes the handshake with core's wire writers and then follows a script. So a
// test can do to a node what no OverlayManager would.
//
// Manners. Until its script says otherwise it behaves: it calls whom it is told to call (ConnectTo) and answers whoever
//          calls it; grants 200 messages and 300,000 bytes of credit once the handshake is complete and gives back what
//          it was sent, message by message; answers every query with DONT_HAVE; never sends a flood message itself.
// Hooks.   Each is called with a ScriptedLink, through which it sends. on_period is called every `period` for each link
//          that is ready, the first time one period after it became so. on_told is called for each link with a message
//          that the test hands to the peer (Broadcast).
#pragma once
#include <functional>
#include <map>

#include "core/local_node.h"
#include "core/peer/credit.h"
#include "core/wire/message.h"
#include "tests/sim/participant.h"

namespace overlayd::sim {

class ScriptedPeer;

// One link of a scripted peer, during one call.
class ScriptedLink {
 public:
  // Sends a StellarMessage, whatever the credit.
  void send(Bytes xdr);
  void send(MessagePtr message);
  // Sends a flood message if the remote's credit suffices.
  bool send_within_credit(Bytes xdr);
  [[nodiscard]] Direction direction() const { return direction_; }
  // That was dialled, or that it is called from.
  [[nodiscard]] const PeerAddress& remote() const { return address_; }
  [[nodiscard]] const peer::OutboundCredit& credit() const { return credit_; }
  [[nodiscard]] const NetworkId& network_id() const { return network_id_; }

 private:
  friend class ScriptedPeer;
  PeerId peer_;
  Direction direction_ = Direction::kInbound;
  PeerAddress address_;
  bool is_ready_ = false;
  Instant next_period_ = Instant::never();
  peer::OutboundCredit credit_;
  NetworkId network_id_;
  Outputs* out_ = nullptr;
};

struct Script {
  bool is_granting = true;
  bool is_giving_back = true;
  bool is_answering = true;
  bool is_reading = true;      // false: reads nothing once the handshake is complete
  bool is_redialling = false;  // a link that it dialled and that ended is dialled again at once
  Duration period{0};          // 0: on_period is never called
  std::function<void(ScriptedLink&)> on_ready{};
  std::function<void(ScriptedLink&)> on_period{};
  std::function<void(ScriptedLink&, const wire::Message&)> on_message{};  // any but those of the handshake
  std::function<void(ScriptedLink&, const MessagePtr&)> on_told{};
};

class ScriptedPeer final : public Participant {
 public:
  ScriptedPeer(const LocalNode& local, Script script) : local_(local), script_(std::move(script)) {}
  ScriptedPeer(const ScriptedPeer&) = delete;
  ScriptedPeer& operator=(const ScriptedPeer&) = delete;

  void handle(const Input& input, const Now& now, Outputs& out) override;
  void advance(const Now& now, Outputs& out) override;
  [[nodiscard]] Instant next_deadline() const override;

 private:
  void dial(const PeerAddress& address, Outputs& out);
  void on_opened(const LinkOpened& opened, Outputs& out);
  void on_closed(PeerId peer, Outputs& out);
  void on_message(ScriptedLink& link, const wire::Message& message, Instant now);
  void on_auth(ScriptedLink& link, Instant now);
  void behave(ScriptedLink& link, const wire::Message& message);
  void send_hello(ScriptedLink& link);

  LocalNode local_;
  Script script_;
  std::map<PeerId, ScriptedLink> links_;
  std::map<PeerId, PeerAddress> dialling_;
  std::uint64_t next_peer_ = 1;
};

}  // namespace overlayd::sim
