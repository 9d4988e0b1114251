// The service Survey: what clients order and ask of network surveys. Served on the same socket as Overlay.
//
// Requests wait for the overlay's answer in the table of OverlayService, whose worker hands the answers out; questions
// for the result wait there as well, so that each call ends with an answer, after limits::kRequestAnswerTimeout, or when
// the daemon stops. Streams are fed by a worker of this service. Rationale: to build a page takes milliseconds, in which
// no SCP event would be handed out.
// Errors.  INVALID_ARGUMENT names the field. What the overlay refuses is FAILED_PRECONDITION with its reason, a full
//          queue RESOURCE_EXHAUSTED.
// Limits.  kSurveyStreamsMax Run streams, and as many GetResult; RESOURCE_EXHAUSTED beyond.
// Stop.    stop() refuses new calls, answers pending ones with UNAVAILABLE and ends the streams. It must come before the
//          gRPC server is shut down, which waits for them. A run goes on whoever leaves.
#pragma once
#include <grpcpp/grpcpp.h>
#include <overlay/v1/survey.grpc.pb.h>

#include <atomic>
#include <memory>

#include "ipc/overlay_port.h"
#include "ipc/overlay_service.h"
#include "ipc/stream_registry.h"
#include "ipc/survey_stream.h"
#include "ipc/worker.h"

namespace overlayd::ipc {

inline constexpr std::size_t kSurveyStreamsMax = 16;

class SurveyService final : public ::overlay::v1::Survey::CallbackService {
 public:
  // Both must outlive it.
  SurveyService(OverlayPort& port, OverlayService& overlay);
  ~SurveyService() override;
  SurveyService(const SurveyService&) = delete;
  SurveyService& operator=(const SurveyService&) = delete;

  void stop();

  // From the overlay thread.
  void on_survey(const PublishSurvey& published);
  void flush();

  grpc::ServerUnaryReactor* Start(grpc::CallbackServerContext* context,
                                  const ::overlay::v1::StartSurveyRequest* request,
                                  ::overlay::v1::StartSurveyResponse* response) override;
  grpc::ServerUnaryReactor* Stop(grpc::CallbackServerContext* context, const ::overlay::v1::StopSurveyRequest* request,
                                 ::overlay::v1::StopSurveyResponse* response) override;
  grpc::ServerUnaryReactor* Request(grpc::CallbackServerContext* context,
                                    const ::overlay::v1::RequestSurveyRequest* request,
                                    ::overlay::v1::RequestSurveyResponse* response) override;
  grpc::ServerUnaryReactor* End(grpc::CallbackServerContext* context, const ::overlay::v1::EndSurveyRequest* request,
                                ::overlay::v1::EndSurveyResponse* response) override;
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const ::overlay::v1::GetSurveyStatusRequest* request,
                                      ::overlay::v1::SurveyStatus* response) override;
  grpc::ServerWriteReactor<::overlay::v1::SurveyResultPage>* GetResult(
      grpc::CallbackServerContext* context, const ::overlay::v1::GetSurveyResultRequest* request) override;
  grpc::ServerWriteReactor<::overlay::v1::RunSurveyResponse>* Run(
      grpc::CallbackServerContext* context, const ::overlay::v1::RunSurveyRequest* request) override;

 private:
  // Hands `input` to the overlay; `fill` makes the call's status of the answer.
  template <typename Fill>
  grpc::ServerUnaryReactor* order(grpc::CallbackServerContext* context, Input input, Fill fill);
  void fail_if_stopping();
  void work();
  // A stream in the registry; null: there is no room, or the daemon is stopping, and `refused` says which.
  template <typename Stream>
  std::shared_ptr<Stream> open(StreamRegistry<Stream>& registry, grpc::Status& refused);
  // Asks the overlay for the result, for the stream.
  template <typename Stream>
  void ask_result(const std::shared_ptr<Stream>& stream);
  void submit_run(const std::shared_ptr<RunStream>& stream, RunSurvey run);

  OverlayPort& port_;
  OverlayService& overlay_;
  PendingRequests& pending_;
  std::atomic<bool> is_stopping_ = false;
  std::atomic<bool> has_news_ = false;  // published since the last flush, with somebody who follows

  StreamRegistry<RunStream> runs_;
  StreamRegistry<ResultStream> results_;

  Worker worker_;  // last: its thread uses all of the above
};

}  // namespace overlayd::ipc
