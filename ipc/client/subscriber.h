// A Subscribe stream, taken one event or gap at a time.
// A reader thread holds at most kResponsesMax responses ahead of the caller; further ones wait at the daemon, whose log
// decides what is lost.
#pragma once
#include <grpcpp/grpcpp.h>
#include <overlay/v1/overlay.grpc.pb.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>

#include "core/result.h"

namespace overlayd::ipc {

class Subscriber {
 public:
  using Item = std::variant<::overlay::v1::Event, ::overlay::v1::Gap>;
  static constexpr std::size_t kResponsesMax = 8;

  Subscriber(::overlay::v1::Overlay::Stub& stub, const ::overlay::v1::SubscribeRequest& request, std::string socket);
  ~Subscriber();  // cancels
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  // Until the daemon says that we are attached: what happens from then on is not missed. The boot id.
  Result<std::uint64_t> wait_attached(std::chrono::milliseconds timeout);
  // The next event or gap, in the daemon's order. Nothing: none came in time, or the stream has ended.
  std::optional<Item> next(std::chrono::milliseconds timeout);
  // Whether one can be had without waiting.
  [[nodiscard]] bool has_next() const;
  // Absent while the stream is open. An end that cancel() asked for is Done.
  [[nodiscard]] std::optional<Result<Done>> end() const;
  void cancel();

 private:
  void read();
  // With the lock held.
  [[nodiscard]] bool has_item() const { return !gaps_.empty() || !events_.empty() || !responses_.empty(); }

  const std::string socket_;
  const ::overlay::v1::SubscribeRequest request_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<::overlay::v1::SubscribeResponse>> reader_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<::overlay::v1::SubscribeResponse> responses_;
  std::deque<::overlay::v1::Gap> gaps_;      // of the response being taken
  std::deque<::overlay::v1::Event> events_;  // of the response being taken
  std::optional<std::uint64_t> boot_id_;
  std::optional<grpc::Status> end_;
  bool is_cancelled_ = false;
  std::thread thread_;
};

}  // namespace overlayd::ipc
