// The network threads and which of them a link lives on.
// A PeerId names its thread: its number (without kAcceptedPeerBit) modulo the count of threads. So routing needs no
// table, and accepted links, which the pool numbers, spread evenly.
// Limits: links_max sockets at once, dialling and closing ones included; the listener asks has_room() before it
//         keeps one.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "daemon/network_thread.h"

namespace overlayd::daemon {

struct ConnectionPoolOptions {
  std::size_t threads = 1;
  std::size_t links_max = 1024;
  NetworkThreadOptions thread;
};

class ConnectionPool {
 public:
  // `inputs` must outlive it.
  ConnectionPool(const ConnectionPoolOptions& options, InputQueue& inputs);
  ~ConnectionPool();  // stops
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  void start();
  // Closes every socket without a word and joins. Links were closed politely before, by the overlay's Close.
  void stop();

  // Any thread.
  [[nodiscard]] std::size_t size() const { return threads_.size(); }
  [[nodiscard]] std::size_t index_of(PeerId peer) const;
  [[nodiscard]] NetworkThread& thread(std::size_t index) { return *threads_[index]; }
  [[nodiscard]] std::size_t open_links() const { return open_links_.load(); }
  [[nodiscard]] bool has_room() const { return open_links() < options_.links_max; }
  void on_overlay_room();
  // Sends left out because their link had too much waiting.
  [[nodiscard]] std::uint64_t sends_refused_total() const;

  // One caller (the listener): the number of the next accepted link.
  [[nodiscard]] PeerId next_accepted();

 private:
  const ConnectionPoolOptions options_;
  std::atomic<std::size_t> open_links_{0};
  std::uint64_t last_accepted_ = 0;
  std::vector<std::unique_ptr<NetworkThread>> threads_;
};

}  // namespace overlayd::daemon
