// One BroadcastStream: batches in, batches of answers out.
//
// Rule 1.  Every item gets exactly one answer. A malformed one is answered at once and harms no other.
// Rule 2.  While the overlay's queue or the table of pending broadcasts is full the batch is kept and tried again after
//          a back-off (kSubmitRetryMin, doubled up to kSubmitRetryMax); meanwhile the stream is not read, so the client
//          waits. Nothing is dropped.
// Rule 3.  With kBroadcastWindowMax items unanswered or answered and not written, the stream is not read either.
// Rule 4.  After the client closed its side and the last answer was written, the stream ends with OK. A client that
//          went away ends it at once; what was submitted stays submitted.
// Calls of pump come from the service's worker, the reactions from gRPC's threads.
#pragma once
#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>
#include <overlay/v1/overlay.grpc.pb.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "ipc/overlay_port.h"
#include "ipc/pending_requests.h"

namespace overlayd::ipc {

class BroadcastStream final
    : public grpc::ServerBidiReactor<::overlay::v1::BroadcastStreamRequest, ::overlay::v1::BroadcastStreamResponse>,
      public RequestWaiter,
      public std::enable_shared_from_this<BroadcastStream> {
 public:
  BroadcastStream(OverlayPort& port, PendingRequests& pending, const NetworkId& network,
                  std::function<void(BroadcastStream*)> on_done);

  void start();
  // Writes the answers that came, reads on if there is room again, ends if there is nothing left to do.
  void pump();
  // Ends the stream as soon as nothing of it is in flight.
  void finish(const grpc::Status& status);

  void on_answer(std::uint64_t token, const MessagePtr& message, const RequestAnswer& answer) override;
  void on_failure(std::uint64_t token, const MessagePtr& message, RequestFailure failure) override;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  enum class Reading : std::uint8_t { kInFlight, kSubmitting, kPaused, kClosed };
  // Refuses malformed and too large items and keeps the others in batch_. False: the request itself is not acceptable.
  bool take_request();
  void submit_batch();
  void refuse(std::uint64_t token, const MessagePtr& message, std::string why);
  // With the lock held.
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] bool is_over() const;

  OverlayPort& port_;
  PendingRequests& pending_;
  const NetworkId network_;
  const std::function<void(BroadcastStream*)> on_done_;

  // Of the reading side, one reaction at a time.
  ::overlay::v1::BroadcastStreamRequest request_;
  std::vector<PendingRequests::Item> batch_;
  grpc::Alarm retry_;
  Duration retry_after_ = limits::kSubmitRetryMin;

  std::mutex mutex_;  // never held while the port or the pending table is called; of gRPC, only while a read is begun
  Reading reading_ = Reading::kInFlight;
  bool is_writing_ = false;
  bool is_finished_ = false;
  std::size_t unanswered_ = 0;
  std::optional<grpc::Status> end_;
  ::overlay::v1::BroadcastStreamResponse answers_;   // waiting to be written
  ::overlay::v1::BroadcastStreamResponse response_;  // being written
};

}  // namespace overlayd::ipc
