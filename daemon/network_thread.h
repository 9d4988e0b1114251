// One thread, one io_context, the connections that live on it, and the SCP signatures it checks.
//
// In from the overlay: post(), one per batch of outputs. Sends of a batch are sealed and queued first and then flushed
//   once per link, so that a batch costs one system call per link. Bulk messages are sealed later, one per turn of the
//   loop, in between the batches: what many peers ask for at once delays an SCP message by about one sealing. Bulk
//   frames that arrive are checked in the same turns.
// Signatures: checked kVerifySliceMax at a time, sockets get their turn in between: one check takes some 80 µs. Results
//   that the overlay's queue refuses wait here; the overlay bounds how many it asks for (kScpVerifyPendingMax).
// Progress: once a second, for links with activity. A refused one is dropped: the next carries totals.
// Limits: kWriteQueueBytesMax bytes per link posted and not yet taken by its connection (SendBacklog), which counts them
//   in its write queue from then on, sealed or not. Past it the sends to that link are left out and it alone is faulted
//   (kWriteQueueFull), once what was posted before is done.
#pragma once
#include <atomic>
#include <deque>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "core/crypto/keys.h"
#include "core/outputs.h"
#include "daemon/connection.h"
#include "daemon/send_backlog.h"

namespace overlayd::daemon {

inline constexpr std::size_t kVerifySliceMax = 16;

struct NetworkThreadOptions {
  NetworkId network;
  std::shared_ptr<const crypto::NodeKey> node_key;
  std::shared_ptr<const crypto::EcdhKeyPair> pair;
};

class NetworkThread {
 public:
  // `inputs` and `open_links` must outlive it; the latter counts the sockets of all threads.
  NetworkThread(std::size_t index, const NetworkThreadOptions& options, InputQueue& inputs,
                std::atomic<std::size_t>& open_links);
  ~NetworkThread();  // stops
  NetworkThread(const NetworkThread&) = delete;
  NetworkThread& operator=(const NetworkThread&) = delete;

  void start();
  void stop();

  // Any thread. `outputs`: Dial, Send, LinkAuthenticated, Close, PauseReading, ResumeReading and VerifyScp only.
  void post(Outputs outputs);
  void adopt(PeerId peer, asio::ip::tcp::socket socket, const PeerAddress& remote);
  void on_overlay_room();
  // A socket accepted into it lives on this thread.
  [[nodiscard]] asio::io_context& context() { return context_; }
  // Any thread: sends left out, and links the backlog still knows.
  [[nodiscard]] const SendBacklog& backlog() const { return backlog_; }
  // Any thread: bulk messages sealed or checked since the start.
  [[nodiscard]] std::uint64_t bulk_done_total() const { return bulk_turns_.done_total(); }

 private:
  using Connections = std::unordered_map<PeerId, std::shared_ptr<Connection>>;

  void apply(const Outputs& outputs);
  void dial(const Dial& order);
  void refuse(PeerId peer);
  void forget(PeerId peer);
  // Shared: what is done to a connection may make it leave the map.
  [[nodiscard]] std::shared_ptr<Connection> find(PeerId peer) const;
  void verify_some();
  void hand_over_verified();
  void arm_progress();
  void report_progress();

  const std::size_t index_;
  const NetworkThreadOptions options_;
  InputQueue& inputs_;
  std::atomic<std::size_t>& open_links_;
  SendBacklog backlog_{limits::kWriteQueueBytesMax};
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer progress_timer_;
  BulkTurns bulk_turns_{context_};
  crypto::SystemEntropy entropy_;
  peer::PeerAuth auth_;
  LinkServices services_;
  Connections connections_;
  std::deque<MessagePtr> to_verify_;
  InputBatch verified_;
  std::thread thread_;
};

}  // namespace overlayd::daemon
