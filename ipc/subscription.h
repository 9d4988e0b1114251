// One Subscribe stream: a reactor that pulls batches from the event log.
//
// States.  idle      nothing in flight; pump() may begin a write
//          writing   one response in flight; when it is done the next batch is pulled at once
//          finishing the status is on its way; nothing more is read from the log
//          done      the stream is gone; what is left is memory
// Rule 1.  The first response is sent by start(), without events: the client is attached from then on.
// Rule 2.  At most one write is in flight, so a client that does not read holds one batch and nothing else.
// Rule 3.  pump() does nothing unless idle. Whoever signals calls it from a thread that may build a batch: the
//          service's worker, never the overlay thread.
// Rule 4.  What a write in flight holds counts as taken. A client that has not taken its write for kTakerStallMax
//          counts as absent until it does. Rationale: one that hangs must not keep transactions from all others for
//          ever; what it then misses, it is told in a Gap.
// Life.    Held by a shared_ptr in the service's registry and let go by on_done, after the last reaction.
#pragma once
#include <grpcpp/grpcpp.h>
#include <overlay/v1/overlay.grpc.pb.h>

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>

#include "ipc/event_log.h"

namespace overlayd::ipc {

struct SubscriptionOptions {
  EventLog::Cursor cursor;
  std::uint64_t boot_id = 0;
  EventLog::ReadLimits batch;
  bool is_taking_transactions = false;  // has the topic and is no observer
};

class Subscription final : public grpc::ServerWriteReactor<::overlay::v1::SubscribeResponse> {
 public:
  Subscription(const EventLog& log, SubscriptionOptions options, std::function<void(Subscription*)> on_done);

  // Whether items are among its topics: then a batch may be many megabytes.
  [[nodiscard]] bool has_items() const { return has_items_; }
  void start();
  void pump();
  // Ends the stream with `status` as soon as no write is in flight.
  void finish(const grpc::Status& status);
  // How far a taker of transactions has come (EventLog::taken_bytes). Nothing: it takes none, or counts as absent.
  [[nodiscard]] std::optional<std::uint64_t> taken_transaction_bytes(std::chrono::steady_clock::time_point now) const;

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  enum class State : std::uint8_t { kIdle, kWriting, kFinishing, kDone };
  // With the lock held: fills response_. False: there is nothing to send.
  bool fill_response();

  const EventLog& log_;
  SubscriptionOptions options_;
  const bool has_items_;
  const std::function<void(Subscription*)> on_done_;
  mutable std::mutex mutex_;  // never held while gRPC is called
  std::chrono::steady_clock::time_point writing_since_;
  State state_ = State::kWriting;
  std::optional<grpc::Status> end_;
  ::overlay::v1::SubscribeResponse response_;
};

}  // namespace overlayd::ipc
