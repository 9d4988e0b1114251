// What Subscribe gives, taken one event or gap at a time; SCP events first.
//
// Rule 1.  Up to three streams, as far as their topics are asked for: what is urgent (SCP, peers, requests for SCP
//          state), items, transactions. Rationale: what a stream holds already is read in its order; so in one stream
//          an SCP envelope would wait behind a transaction set of many megabytes, or behind the transactions that the
//          caller is slow to take.
// Rule 2.  Each stream has a reader thread that holds at most kResponsesMax responses ahead of the caller; further ones
//          wait at the daemon, which slows the peers that send transactions, or whose log decides what is lost.
// Rule 3.  A caller that asks for the next gets one of the first stream that has any, in the order of rule 1. Within a
//          topic the order is the daemon's.
// Errors.  When one stream ends, all do; end() is the first one's.
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
#include <vector>

#include "core/result.h"

namespace overlayd::ipc {

class Subscriber {
 public:
  using Item = std::variant<::overlay::v1::Event, ::overlay::v1::Gap>;
  static constexpr std::size_t kResponsesMax = 8;

  // `items_channel`: a connection of its own for the topic items (rule 1); null: over `stub` as well.
  Subscriber(::overlay::v1::Overlay::Stub& stub, std::shared_ptr<grpc::Channel> items_channel,
             const ::overlay::v1::SubscribeRequest& request, std::string socket);
  ~Subscriber();  // cancels
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  // Until the daemon says that we are attached: what happens from then on is not missed. The boot id.
  Result<std::uint64_t> wait_attached(std::chrono::milliseconds timeout);
  // The next event or gap. Nothing: none came in time, or the subscription has ended.
  std::optional<Item> next(std::chrono::milliseconds timeout);
  // The same, but transactions, and gaps among them, are left where they are.
  std::optional<Item> next_but_transactions(std::chrono::milliseconds timeout);
  // The same, but items too are left.
  std::optional<Item> next_urgent(std::chrono::milliseconds timeout);
  // Whether one can be had without waiting.
  [[nodiscard]] bool has_next() const;
  // Absent while the subscription is open. An end that cancel() asked for is Done.
  [[nodiscard]] std::optional<Result<Done>> end() const;
  void cancel();

 private:
  struct Stream {
    ::overlay::v1::SubscribeRequest request;
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<::overlay::v1::SubscribeResponse>> reader;
    std::deque<::overlay::v1::SubscribeResponse> responses;
    std::deque<Item> items;  // of the response being taken, gaps first
    std::optional<std::uint64_t> boot_id;
    std::optional<grpc::Status> end;
    std::thread thread;
    [[nodiscard]] bool has_item() const { return !items.empty() || !responses.empty(); }
  };

  void add_stream(::overlay::v1::Overlay::Stub& stub, const ::overlay::v1::SubscribeRequest& request);
  void read(Stream& stream);
  std::optional<Item> next_of(std::size_t stream_count, std::chrono::milliseconds timeout);
  void cancel_streams();
  // With the lock held.
  [[nodiscard]] bool has_item(std::size_t stream_count) const;
  [[nodiscard]] bool has_ended() const;
  static Item take_item(Stream& stream);

  const std::string socket_;
  const std::unique_ptr<::overlay::v1::Overlay::Stub> items_stub_;
  std::vector<std::unique_ptr<Stream>> streams_;  // in the order in which they are taken from
  bool has_urgent_stream_ = false;                // then it is the first
  bool has_transaction_stream_ = false;           // then it is the last

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<grpc::Status> end_;  // of the stream that ended first
  bool is_cancelled_ = false;
};

}  // namespace overlayd::ipc
