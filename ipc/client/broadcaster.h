// A BroadcastStream with a window: add() any number of items, answers come to a callback.
//
// Rule 1.  Items are sent in batches: when batch_max are waiting, at flush(), and before add() waits.
// Rule 2.  At most `window` items are without an answer; add() waits for room.
// Rule 3.  Every item added is answered once, unless the stream breaks; then add() and finish() fail.
#pragma once
#include <grpcpp/grpcpp.h>
#include <overlay/v1/overlay.grpc.pb.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/result.h"

namespace overlayd::ipc {

struct BroadcasterOptions {
  std::size_t window = 4000;
  std::size_t batch_max = 200;  // at most what the daemon's limits allow
  // From the reader thread. `id` is what add() was given.
  std::function<void(std::uint64_t id, const ::overlay::v1::BroadcastResponse& response)> on_answer;
};

class Broadcaster {
 public:
  Broadcaster(::overlay::v1::Overlay::Stub& stub, BroadcasterOptions options, std::string socket);
  ~Broadcaster();  // cancels unless finished
  Broadcaster(const Broadcaster&) = delete;
  Broadcaster& operator=(const Broadcaster&) = delete;

  // False: the stream is broken; finish() says why.
  bool add_transaction(std::uint64_t id, std::string envelope);
  bool add_scp(std::uint64_t id, std::string envelope);
  bool flush();
  // Waits for the last answer.
  Result<Done> finish();
  [[nodiscard]] std::size_t unanswered() const;

 private:
  bool add(::overlay::v1::BroadcastStreamRequest::Item item);
  void read_answers();

  const BroadcasterOptions options_;
  const std::string socket_;
  grpc::ClientContext context_;
  std::unique_ptr<
      grpc::ClientReaderWriter<::overlay::v1::BroadcastStreamRequest, ::overlay::v1::BroadcastStreamResponse>>
      stream_;
  ::overlay::v1::BroadcastStreamRequest batch_;
  bool is_finished_ = false;

  mutable std::mutex mutex_;
  std::condition_variable answered_;
  std::size_t unanswered_ = 0;  // added, in batch_ or on the way
  bool is_broken_ = false;
  std::thread reader_;
};

}  // namespace overlayd::ipc
