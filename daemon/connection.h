// One TCP socket from dial or accept to close, on one network thread for life. Everything below runs on that thread.
//
// In.   Large reads straight into the decoder; all complete frames of a read become one batch and one push to the
//       overlay's queue. Reading stops on PauseReading, while the overlay thread has too much of this link unhandled
//       (ReadGauge), while its queue is full, and for good after a fault.
// Out.  Sends are sealed in order and queue; flush() writes what is queued with as few system calls as possible.
// Inputs: LinkOpened first (for a dial that fails, only LinkClosed), LinkFaulted at most once, LinkClosed last. None is
//       lost when the queue is full: the connection keeps them until on_overlay_room().
// Close writes what is queued and the error, at most kDropFlushTimeout, then shuts down. With an error it reads on
//       until the remote has closed or kLingerTimeout has passed. Rationale: closing a socket with unread bytes
//       sends a reset, and the reset can overtake the error.
// Limits: kWriteQueueBytesMax queued bytes, then LinkFaulted{kWriteQueueFull} and further sends are dropped;
//       kDialTimeout to connect.
//       The same for what the overlay posted and this thread has not sealed yet: refuse_sends().
// A broken socket ends in LinkClosed whatever the overlay does. A fault does not: the overlay decides what the peer is
// told and puts out Close.
#pragma once
#include <asio.hpp>
#include <functional>
#include <memory>

#include "core/outputs.h"
#include "daemon/input_queue.h"
#include "daemon/secure_link.h"

namespace overlayd::daemon {

inline constexpr Duration kDialTimeout = seconds(5);    // ours; covers three lost SYNs' first two retries
inline constexpr Duration kLingerTimeout = seconds(1);  // ours

// What a connection borrows from its thread.
struct LinkServices {
  asio::io_context& context;
  InputQueue& inputs;
  const NetworkId& network;
  peer::PeerAuth& auth;
  Entropy& entropy;
  std::function<void(PeerId)> on_gone;  // LinkClosed was handed over: forget the connection
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
  // Sends were left out: reports kWriteQueueFull; what is queued still goes out, nothing after it does.
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
  void read();
  void on_read(const asio::error_code& error, std::size_t bytes);
  void process();
  [[nodiscard]] bool decode();
  [[nodiscard]] bool hand_over();
  void fault(DropReason reason, std::string detail);
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

  WriteQueue writes_;
  bool is_writing_ = false;  // waiting for the socket to take more
  bool is_write_broken_ = false;
  DropReason close_reason_ = DropReason::kOperator;
  bool has_close_error_ = false;

  std::array<std::uint8_t, 512> discarded_;  // what the remote still says while we linger

  LinkProgress progress_;
  bool has_progressed_ = false;
};

}  // namespace overlayd::daemon
