// One link from open to close: joins handshake, flow control, query limits, ping and timers, and counts what passed.
// Knows nothing of other peers: whoever owns it decides bans, duplicates and slots.
//
// Timers (Peer::recurrentTimerExpired, stellar-core commit a9b8613; protocol.md section 8):
//   not authenticated  2 s after opening, whatever was sent meanwhile: kAuthTimeout. Ours is a deadline; stellar-core
//                      looks every 5 s for 2 s of silence, which a slow drip of bytes holds open.
//   authenticated      looked at every 5 s: nothing read and nothing written for 30 s: kIdle; a message unwritten for
//                      120 s: kStraggling; no credit while some is needed for 60 s: kNoCredit. A ping goes out as well.
// Limits: those of FlowControl and QueryLimiter; nothing else grows.
#pragma once
#include <string>

#include "core/peer/flow_control.h"
#include "core/peer/handshake.h"
#include "core/peer/ping.h"
#include "core/peer/query_limiter.h"
#include "core/snapshots.h"
#include "core/wire/message_rules.h"

namespace overlayd::peer {

struct PeerOptions {
  InboundCreditOptions credit{};
  QueryLimiterOptions queries{};
};

class Peer {
 public:
  // `local` and `metrics` outlive the peer.
  Peer(const LinkOpened& link, Instant now, std::uint32_t max_tx_size, const PeerOptions& options,
       const LocalNode& local, OverlayMetrics& metrics);
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // What the initiator does first; the responder's HELLO goes out from on_hello.
  void start(Outputs& out);
  // The handshake's steps; each puts out what has to be sent and returns what has to happen next.
  [[nodiscard]] HelloResult on_hello(const wire::Hello& hello, const HelloFacts& facts, Outputs& out);
  [[nodiscard]] AuthResult on_auth(std::int32_t flags, Outputs& out);
  // The link got a slot: grants credit, asks for SCP state from `first_slot`, starts pinging.
  void on_accepted(Instant now, std::uint32_t first_slot, Random& random, Outputs& out);

  // Sends at once, or queues behind credit if it is a flood message.
  void send(MessagePtr message, Instant now, const SendQueueLimits& limits, Outputs& out);
  [[nodiscard]] std::optional<DropReason> on_grant(Credit credit, Instant now, Outputs& out);
  void on_max_tx_size(std::uint32_t max_tx_size, Outputs& out);

  // Around the processing of every message of this peer.
  [[nodiscard]] std::optional<DropReason> begin_message(const wire::Message& message, Instant now, Outputs& out);
  void end_message(const wire::Message& message, Instant now, Outputs& out);
  void on_progress(const LinkProgress& progress);

  // Whether a query of this kind is to be answered now.
  [[nodiscard]] bool allows_query(wire::MessageType type, Instant now, Duration close_time);
  // A DONT_HAVE or SCP_QUORUMSET named `hash`: the latency, if that answers our ping.
  std::optional<Duration> on_ping_answer(const ItemHash& hash, Instant now) { return ping_.on_answer(hash, now); }
  // PEERS came: false if it came before.
  [[nodiscard]] bool take_peers_once() { return !std::exchange(got_peers_, true); }

  // Our own process stood still for so long, up to now: the time does not count against the peer. Before `advance`.
  void forgive(Duration stalled, Instant now);
  // Everything due at or before `now`. A reason ends the link; the caller may put it off to the next look, 5 s later.
  [[nodiscard]] std::optional<DropReason> advance(Instant now, Random& random, Outputs& out);
  [[nodiscard]] Instant next_deadline() const;

  // The ERROR_MSG that goes with `reason`, or nothing where the drop is silent.
  [[nodiscard]] MessagePtr error_for(DropReason reason) const;

  [[nodiscard]] PeerId id() const { return id_; }
  [[nodiscard]] const NodeId& node() const { return node_; }  // zero before HELLO
  [[nodiscard]] Direction direction() const { return handshake_.direction(); }
  [[nodiscard]] HandshakeState state() const { return handshake_.state(); }
  [[nodiscard]] bool is_authenticated() const { return is_accepted_; }
  // Remote IP; the port is the one it named in HELLO, 0 before (the dialled port on outbound links).
  [[nodiscard]] const PeerAddress& address() const { return address_; }
  [[nodiscard]] Instant opened() const { return opened_; }
  [[nodiscard]] Instant accepted() const { return accepted_; }  // of an authenticated one
  [[nodiscard]] PeerSnapshot snapshot(Instant now) const;
  // A flood message of `bytes` that we did, or did not, hear from this peer first.
  void count_flood(bool is_unique, std::uint64_t bytes);
  // A transaction set or quorum set that was new to us, or not.
  void count_fetch(bool is_unique, std::uint64_t bytes);
  void check_invariants() const { flow_.check_invariants(); }

 private:
  void emit(Bytes xdr, Outputs& out);
  // Puts out a Send and counts it, with the frame around it.
  void put_out(MessagePtr message, Outputs& out);
  void flush_sendable(Instant now, Outputs& out);

  PeerId id_;
  PeerAddress address_;
  AuthCert local_cert_;
  std::array<std::uint8_t, 32> local_nonce_;
  const LocalNode& local_;
  OverlayMetrics& metrics_;
  Handshake handshake_;
  FlowControl flow_;
  QueryLimiter queries_;
  Ping ping_;

  NodeId node_;
  wire::Hello hello_;
  bool is_accepted_ = false;
  bool got_peers_ = false;
  Instant opened_;
  Instant accepted_;
  Instant next_check_;
  Instant last_read_;
  Instant last_write_;
  Instant oldest_unwritten_ = Instant::never();
  Instant last_stall_;  // when the last stall of ours ended: what was handed over before does not straggle since then
  std::uint64_t messages_read_ = 0;
  std::uint64_t messages_written_ = 0;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_written_ = 0;
  Credit unique_flood_;  // messages and bytes
  Credit duplicate_flood_;
  Credit unique_fetch_;
  Credit duplicate_fetch_;
  std::vector<MessagePtr> sendable_;  // scratch, kept for its capacity
};

}  // namespace overlayd::peer
