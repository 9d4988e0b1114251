// One Run or GetResult stream: a reactor that tells how far a run is and, once that is over, its result page by page.
//
// Rule 1.  Nothing is told before the overlay was asked for the result there is (take_result): what is published
//          before that may be of a run that is over.
// Rule 2.  Of statuses that come while a write is in flight only the latest is kept, and one that equals the one told
//          last is not told. So a client that does not read costs one status.
// Rule 3.  When the run is over the result is asked for, if it is not here, and goes out after the last status. A page
//          is built when the one before was written: one page is in memory, beside the nodes, which all share.
// Rule 4.  If another run has begun meanwhile the stream ends with ABORTED: its result is not this one's.
// Threads. take_result and on_status come from the overlay thread and only store; pump, which builds, comes from the
//          service's worker and from gRPC's threads.
// Life.    Held by a shared_ptr in the service's registry and let go by on_done, after the last reaction.
#pragma once
#include <grpcpp/grpcpp.h>
#include <overlay/v1/survey.grpc.pb.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "core/survey_values.h"
#include "ipc/pending_requests.h"

namespace overlayd::ipc {

inline constexpr std::size_t kSurveyPageBytesMax = 1 << 20;  // of nodes; one node alone is smaller

// A result, cut into pages.
class SurveyPages {
 public:
  explicit SurveyPages(SurveyResult result, std::size_t page_bytes_max = kSurveyPageBytesMax);
  // There is one at least, if only with the status.
  [[nodiscard]] bool has_next() const { return !is_over_; }
  void fill_next(::overlay::v1::SurveyResultPage& out);

 private:
  SurveyResult result_;
  const std::size_t page_bytes_max_;
  std::size_t next_ = 0;
  bool is_over_ = false;
};

// Whether a run is under way no more; not of kNone.
[[nodiscard]] bool is_over(SurveyRun run);

// What the overlay's refusal of a survey request means. `duplicate`, `not_found`: the texts for those.
struct SurveyMeaning {
  const char* duplicate = "";
  const char* not_found = "";
};
[[nodiscard]] grpc::Status to_status(const RequestAnswer& answer, const SurveyMeaning& meaning);

// Response: RunSurveyResponse or SurveyResultPage.
template <typename Response>
class SurveyStream final : public grpc::ServerWriteReactor<Response>,
                           public RequestWaiter,
                           public std::enable_shared_from_this<SurveyStream<Response>> {
 public:
  static constexpr std::uint64_t kRunToken = 0;     // the answer to RunSurvey
  static constexpr std::uint64_t kResultToken = 1;  // take_result was called
  struct Callbacks {
    std::function<void(const std::shared_ptr<SurveyStream>&)> ask_result;  // take_result, then the answer
    std::function<void()> wake;                                            // somebody shall call pump
    std::function<void(SurveyStream*)> on_done;
  };

  explicit SurveyStream(Callbacks callbacks) : callbacks_(std::move(callbacks)) {}

  void take_result(SurveyResult result);
  void on_status(const SurveyStatus& status);
  void pump();
  // Ends the stream with `status` as soon as no write is in flight.
  void finish(const grpc::Status& status);
  // The result could not be asked for. A run that has begun here goes on all the same: that is UNAVAILABLE, whatever the
  // reason.
  void fail_asking(const grpc::Status& why);

  void on_answer(std::uint64_t token, const MessagePtr& message, const RequestAnswer& answer) override;
  void on_failure(std::uint64_t token, const MessagePtr& message, RequestFailure failure) override;

  void OnWriteDone(bool ok) override;
  void OnCancel() override { finish(grpc::Status::CANCELLED); }
  void OnDone() override;

 private:
  static constexpr bool kIsRun = std::is_same_v<Response, ::overlay::v1::RunSurveyResponse>;
  enum class State : std::uint8_t { kIdle, kWriting, kFinishing, kDone };
  enum class Step : std::uint8_t { kNothing, kStatus, kPage, kAsk, kFinish };
  // All with the lock held.
  [[nodiscard]] Step next_step();
  void follow(const SurveyStatus& status);
  void end_with(const grpc::Status& status);

  const Callbacks callbacks_;
  std::mutex mutex_;  // never held while a page is built or gRPC is called: the overlay thread takes it
  State state_ = State::kIdle;
  std::optional<grpc::Status> end_;
  std::optional<UnixTime> run_began_;  // of the run that is followed
  std::optional<SurveyStatus> told_;   // the last that was to be told
  std::optional<SurveyStatus> next_;   // to be told
  bool has_begun_ = false;             // a run, with this call
  bool is_result_wanted_ = false;
  std::optional<SurveyPages> pages_;  // once it is set, of whoever is writing
  Response response_;
};

using RunStream = SurveyStream<::overlay::v1::RunSurveyResponse>;
using ResultStream = SurveyStream<::overlay::v1::SurveyResultPage>;

}  // namespace overlayd::ipc
