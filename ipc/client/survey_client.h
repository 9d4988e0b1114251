// The service Survey, for overlayctl and tests: blocking calls over ipc.socket, and a run that outlives the daemon.
//
// Errors.  Every failure is a sentence, as of Client.
// Threads. May be shared by threads; cancel() ends what another one waits for. At most one run() or result() at a time.
// Rule 1.  run() follows one run until its result is here. When the daemon goes away it connects again and attaches,
//          until away_max has passed without an answer. Rationale: the daemon goes on with its run after a restart.
// Rule 2.  Until the first status came it is not known whether the daemon took the request. Then it is repeated, and if
//          a run is under way, that one is followed.
// Rule 3.  A run that the daemon forgot, or another one in its place, is an error, never taken for the one begun.
#pragma once
#include <grpcpp/grpcpp.h>
#include <overlay/v1/survey.grpc.pb.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "ipc/client/client.h"

namespace overlayd::ipc {

// All pages of a result.
struct CollectedSurvey {
  ::overlay::v1::SurveyStatus status;
  std::vector<::overlay::v1::SurveyNode> nodes;  // ascending by node id
};

struct RunSurveyOptions {
  std::chrono::milliseconds collect{300'000};  // 1 s to 30 min
  bool is_attaching = false;                   // follow the run there is, under way or over; `collect` is not used
  // How long the daemon may be away at a time before run() gives up.
  std::chrono::milliseconds away_max{600'000};
  // Called on the thread that called run(): for each status, and with the reason when the daemon went away.
  std::function<void(const ::overlay::v1::SurveyStatus& status)> on_status{};
  std::function<void(const std::string& why)> on_away{};
};

class SurveyClient {
 public:
  // Connects to ipc.socket.
  static Result<std::unique_ptr<SurveyClient>> connect(const ClientOptions& options);

  // The survey's nonce; `nonce` 0: the daemon draws one.
  Result<std::uint32_t> start(std::uint32_t nonce = 0);
  Result<Done> stop();
  Result<Done> request(const ::overlay::v1::RequestSurveyRequest& request);
  Result<Done> end();
  Result<::overlay::v1::SurveyStatus> status();
  Result<CollectedSurvey> result();
  Result<CollectedSurvey> run(const RunSurveyOptions& options);
  // run() and result() that are under way fail at once, and so do later ones. The daemon goes on with its run.
  void cancel();

 private:
  explicit SurveyClient(ClientOptions options) : options_(std::move(options)) {}
  Result<Done> open(std::chrono::milliseconds timeout);
  template <typename Request, typename Response>
  Result<Response> call(grpc::Status (::overlay::v1::Survey::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                            Response*),
                        const Request& request);

  [[nodiscard]] std::shared_ptr<::overlay::v1::Survey::Stub> stub();

  struct RunState;
  // One Run stream from begin to end; a result or an error. Nothing: try again.
  std::optional<Result<CollectedSurvey>> follow(const RunSurveyOptions& options, RunState& state);
  static void take(const RunSurveyOptions& options, ::overlay::v1::RunSurveyResponse& response, RunState& state);
  std::optional<Result<CollectedSurvey>> judge(RunState& state) const;
  // Waits a little, and connects. False: cancelled, or too long away; `why` says which.
  bool come_back(const RunSurveyOptions& options, RunState& state, std::string& why);
  // For cancel(). begin_stream is false, end_stream true if it was called.
  [[nodiscard]] bool begin_stream(grpc::ClientContext& context);
  [[nodiscard]] bool end_stream();

  const ClientOptions options_;
  std::mutex mutex_;
  std::condition_variable cancelled_;
  bool is_cancelled_ = false;
  grpc::ClientContext* stream_ = nullptr;  // of the one under way
  std::shared_ptr<::overlay::v1::Survey::Stub> stub_;
};

}  // namespace overlayd::ipc
