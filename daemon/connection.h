// One TCP socket from dial or accept to close, on one network thread for life. Everything below runs on that thread.
//
// In.   Large reads straight into the decoder; all complete frames of a read become one batch and one push to the
//       overlay's queue. Reading stops on PauseReading, while the overlay thread has too much of this link unhandled
//       (ReadGauge), while its queue is full, and for good after a fault. A read takes at most kReadBytesMax, and a
//       frame of kBulkBytesMin or more has its MAC computed as it comes in. Its XDR is checked once the thread's turn
//       comes to this link (BulkTurns), which reads nothing until then; the hash of a set is computed in a turn after
//       that, and messages that came behind the set may be handed over before it. Many peers may send 16 MiB at once.
// Out.  Sends are sealed in order and queue; flush() writes what is queued with as few system calls as possible.
//       Bulk messages (WriteQueue) wait unsealed until little else does and the thread's turn comes to this link
//       (BulkTurns): sealing 10 MiB takes some 6 ms, and many peers may ask for the same set at once. What is sent
//       later is sealed before them meanwhile.
// Inputs: LinkOpened first (for a dial that fails, only LinkClosed), LinkFaulted at most once, LinkClosed last. None is
//       lost when the queue is full: the connection keeps them until on_overlay_room().
// Close drops the bulk messages not sealed yet: the link goes, and the peer asks another for the set. It writes what is
//       sealed and the error, at most kDropFlushTimeout, then shuts down. With an error it reads on until the remote
//       has closed or kLingerTimeout has passed. Rationale: closing a socket with unread bytes sends a reset, and the
//       reset can overtake the error.
// Limits: kWriteQueueBytesMax queued bytes, then LinkFaulted{kWriteQueueFull} and further sends are dropped; a transaction
//       set that finds no room, or waits there already, is left out and counted instead. kDialTimeout to connect.
//       The same for what the overlay posted and this thread has not taken yet: refuse_sends().
//       After either, and once a write has failed, bulk messages not sealed yet are dropped; after a fault of the
//       remote's they are sealed no more and wait for Close.
// A broken socket ends in LinkClosed whatever the overlay does. A fault does not: the overlay decides what the peer is
// told and puts out Close.
#pragma once
#include <asio.hpp>
#include <functional>
#include <memory>

#include "core/outputs.h"
#include "daemon/bulk_turns.h"
#include "daemon/input_queue.h"
#include "daemon/secure_link.h"

namespace overlayd::daemon {

inline constexpr Duration kDialTimeout = seconds(5);    // ours; covers three lost SYNs' first two retries
inline constexpr Duration kLingerTimeout = seconds(1);  // ours
inline constexpr std::size_t kReadBytesMax = 1 << 20;   // ours; as kGatherBytesMax

// What a connection borrows from its thread.
struct LinkServices {
  asio::io_context& context;
  InputQueue& inputs;
  const NetworkId& network;
  peer::PeerAuth& auth;
  Entropy& entropy;
  BulkTurns& bulk_turns;
  std::function<void(PeerId)> on_gone;  // LinkClosed was handed over: forget the connection
  std::function<void()> sets_left_out;  // counts a transaction set that was not sent
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(LinkServices& services, PeerId peer, Direction direction, asio::ip::tcp::socket socket);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Exactly one of the two, once.
  void accept(const PeerAddress& remote);
  void dial(const PeerAddress& remote);

  void send(MessagePtr message);
  // Sends were left out: reports kWriteQueueFull; what is sealed still goes out, nothing after it does.
  void refuse_sends();
  // Writes what was sent since the last flush. The caller calls it once per batch of outputs.
  void flush();
  void on_authenticated() { link_.on_authenticated(); }
  void close(const Close& order);
  void pause_reading() { is_paused_ = true; }
  void resume_reading();
  void on_overlay_room();
  // What changed since the last call, if anything.
  [[nodiscard]] std::optional<LinkProgress> take_progress();
  // Closes the socket without another word; no input follows. For the end of the process.
  void abandon();

 private:
  enum class State : std::uint8_t { kDialling, kOpen, kClosing, kLingering, kGone };

  void open();
  [[nodiscard]] bool may_read() const;
  void read();
  void on_read(const asio::error_code& error, std::size_t bytes);
  void process();
  [[nodiscard]] bool process_bulk();
  [[nodiscard]] bool decode();
  void defer_item(UnhashedItem item);
  [[nodiscard]] bool take_item(UnhashedItem& item);
  [[nodiscard]] bool hand_over();
  void fault(DropReason reason, std::string detail);
  void seal(MessagePtr message, Instant queued);
  [[nodiscard]] bool may_seal_bulk() const;
  void ask_bulk_turn();
  [[nodiscard]] bool seal_bulk();
  void break_writes();
  void break_full();
  void write();
  void on_write_error(const std::string& what);
  void on_flushed();
  void arm_timer(Duration after, void (Connection::*on_due)());
  void on_dial_timeout();
  void on_close_timeout();
  void finish(DropReason reason, std::string detail);
  void close_socket();

  LinkServices& services_;
  const PeerId peer_;
  const Direction direction_;
  PeerAddress remote_;
  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;
  SecureLink link_;
  std::shared_ptr<ReadGauge> gauge_;
  State state_ = State::kOpen;

  InputBatch pending_;       // not handed over yet
  bool is_reading_ = false;  // a read is in flight
  bool is_paused_ = false;   // by the overlay
  bool is_waiting_for_gauge_ = false;
  bool is_queue_full_ = false;
  bool is_faulted_ = false;
  bool is_waiting_for_turn_ = false;  // to check a bulk frame
  bool has_turn_ = false;             // for one

  WriteQueue writes_;
  bool is_writing_ = false;  // waiting for the socket to take more
  bool is_write_broken_ = false;
  bool is_turn_asked_ = false;  // to seal a bulk message
  DropReason close_reason_ = DropReason::kOperator;
  bool has_close_error_ = false;

  std::array<std::uint8_t, 512> discarded_;  // what the remote still says while we linger

  LinkProgress progress_;
  bool has_progressed_ = false;
};

}  // namespace overlayd::daemon
