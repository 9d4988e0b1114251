// Accepts TCP connections and gives each to its network thread. Whether a link may stay is the overlay's decision
// (slots); here is only the guard before it: a socket beyond the pool's room is closed at once and counted.
//
// Rule 1. SO_REUSEADDR, backlog kListenBacklog. An IPv6 any-address takes IPv4 too.
// Rule 2. A failing accept (no file descriptors, no memory) waits kAcceptBackoff before the next. Rationale: the
//         connection stays in the kernel's queue, so retrying at once would spin.
// Runs on the control thread (the io_context it is given).
#pragma once
#include "core/result.h"
#include "daemon/connection_pool.h"

namespace overlayd::daemon {

inline constexpr int kListenBacklog = 100;                     // Source: PeerDoor, stellar-core
inline constexpr Duration kAcceptBackoff = milliseconds(100);  // ours

class Listener {
 public:
  // `pool` must outlive it.
  Listener(asio::io_context& context, ConnectionPool& pool);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // `address` is an IPv4 or IPv6 literal; port 0 lets the system choose. A refusal names the address and what to do.
  [[nodiscard]] Result<Done> listen(const std::string& address, std::uint16_t port);
  void stop();

  [[nodiscard]] PeerAddress local() const;  // of a listening one
  [[nodiscard]] std::uint64_t refused_total() const { return refused_total_; }
  [[nodiscard]] std::uint64_t failed_total() const { return failed_total_; }

 private:
  void accept();
  void on_accept(const asio::error_code& error, PeerId peer, asio::ip::tcp::socket socket);

  ConnectionPool& pool_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer backoff_;
  std::uint64_t refused_total_ = 0;  // no room
  std::uint64_t failed_total_ = 0;   // accept failed
};

}  // namespace overlayd::daemon
