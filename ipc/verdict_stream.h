// One Verdicts stream: batches of judgements, one response at the end.
// While the overlay's queue is full the batch is kept and tried again after a back-off, and the stream is not read.
#pragma once
#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>
#include <overlay/v1/overlay.grpc.pb.h>

#include <functional>
#include <memory>
#include <mutex>

#include "core/limits.h"
#include "ipc/overlay_port.h"

namespace overlayd::ipc {

class VerdictStream final : public grpc::ServerReadReactor<::overlay::v1::VerdictsRequest>,
                            public std::enable_shared_from_this<VerdictStream> {
 public:
  VerdictStream(OverlayPort& port, ::overlay::v1::VerdictsResponse& response,
                std::function<void(VerdictStream*)> on_done);

  void start();
  // Ends the stream: at once, or as soon as the batch in hand is dealt with.
  void stop();

  void OnReadDone(bool ok) override;
  void OnDone() override;

 private:
  // The sentence for the client, if the request is not acceptable.
  [[nodiscard]] std::optional<std::string> take_request();
  void submit_batch();
  void read_on();
  void finish(const grpc::Status& status);

  OverlayPort& port_;
  ::overlay::v1::VerdictsResponse& response_;
  const std::function<void(VerdictStream*)> on_done_;
  ::overlay::v1::VerdictsRequest request_;
  std::vector<Input> batch_;
  grpc::Alarm retry_;
  Duration retry_after_ = limits::kSubmitRetryMin;
  std::uint64_t taken_ = 0;

  std::mutex mutex_;  // held while a read or the end is begun, so that neither overtakes the other
  bool is_reading_ = false;
  bool is_stopping_ = false;
  bool is_finished_ = false;
};

}  // namespace overlayd::ipc
