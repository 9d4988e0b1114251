#include "ipc/survey_stream.h"

#include "ipc/convert.h"
#include "ipc/unary_call.h"

namespace overlayd::ipc {
namespace {

using grpc::Status;
using grpc::StatusCode;

constexpr std::size_t kNodeOverheadBytes = 6;  // its tag and its length

constexpr const char* kNoRun = "attach: there was no run; begin one: call without attach";
constexpr const char* kNoResult = "this node has not surveyed yet; begin with Run or Start";
constexpr const char* kOtherRun = "another run has begun: attach to follow it";
constexpr const char* kQueueFullPrefix = "queue:";

}  // namespace

SurveyPages::SurveyPages(SurveyResult result, std::size_t page_bytes_max)
    : result_(std::move(result)), page_bytes_max_(page_bytes_max) {}

void SurveyPages::fill_next(v1::SurveyResultPage& out) {
  if (next_ == 0) to_proto(result_.status, *out.mutable_status());
  std::size_t bytes = 0;
  for (; next_ < result_.nodes.size(); ++next_) {
    to_proto(*result_.nodes[next_], *out.add_nodes());
    bytes += out.nodes(out.nodes_size() - 1).ByteSizeLong() + kNodeOverheadBytes;
    if (bytes <= page_bytes_max_ || out.nodes_size() == 1) continue;
    out.mutable_nodes()->RemoveLast();
    return;
  }
  out.set_is_last(true);
  is_over_ = true;
}

bool is_over(SurveyRun run) { return run == SurveyRun::kDone || run == SurveyRun::kEnded; }

Status to_status(const RequestAnswer& answer, const SurveyMeaning& meaning) {
  switch (answer.status) {
    case RequestStatus::kAccepted: return Status::OK;
    case RequestStatus::kDuplicate: return {StatusCode::ALREADY_EXISTS, meaning.duplicate};
    case RequestStatus::kNotFound: return {StatusCode::NOT_FOUND, meaning.not_found};
    case RequestStatus::kRefused: break;
  }
  const bool is_full = answer.why.starts_with(kQueueFullPrefix);
  return {is_full ? StatusCode::RESOURCE_EXHAUSTED : StatusCode::FAILED_PRECONDITION, answer.why};
}

// --- from the overlay thread --------------------------------------------------------------------------------------

template <typename Response>
void SurveyStream<Response>::take_result(SurveyResult result) {
  const std::lock_guard lock(mutex_);
  if (end_ || pages_) return;
  if constexpr (kIsRun) {
    if (result.status.run == SurveyRun::kNone) return end_with({StatusCode::NOT_FOUND, kNoRun});
    if (!run_began_) run_began_ = result.status.run_began;
    follow(result.status);
    if (end_ || !is_over(result.status.run)) return;
  } else if (!result.status.has_result) {
    return end_with({StatusCode::NOT_FOUND, kNoResult});
  }
  is_result_wanted_ = false;
  pages_.emplace(std::move(result));
}

template <typename Response>
void SurveyStream<Response>::on_status(const SurveyStatus& status) {
  const std::lock_guard lock(mutex_);
  if (end_ || pages_ || !run_began_) return;
  follow(status);
  if (is_over(status.run) && !end_) is_result_wanted_ = true;
}

template <typename Response>
void SurveyStream<Response>::follow(const SurveyStatus& status) {
  if (status.run_began != *run_began_) return end_with({StatusCode::ABORTED, kOtherRun});
  if (told_ == status) return;
  told_ = status;
  next_ = status;
}

template <typename Response>
void SurveyStream<Response>::end_with(const Status& status) {
  if (!end_) end_ = status;
}

// --- from the worker and gRPC -------------------------------------------------------------------------------------

template <typename Response>
void SurveyStream<Response>::on_answer(std::uint64_t token, const MessagePtr&, const RequestAnswer& answer) {
  if (token == kResultToken) return callbacks_.wake();
  const Status status =
      to_status(answer, {.duplicate = "a run is under way; follow it with attach, or end it with End"});
  if (status.ok()) {
    {
      const std::lock_guard lock(mutex_);
      has_begun_ = true;
    }
    callbacks_.ask_result(this->shared_from_this());
  } else {
    finish(status);
  }
}

template <typename Response>
void SurveyStream<Response>::on_failure(std::uint64_t, const MessagePtr&, RequestFailure failure) {
  finish(failure_status(failure));
}

template <typename Response>
typename SurveyStream<Response>::Step SurveyStream<Response>::next_step() {
  if (state_ != State::kIdle) return Step::kNothing;
  if (end_) {
    state_ = State::kFinishing;
    return Step::kFinish;
  }
  if (next_) {
    state_ = State::kWriting;
    return Step::kStatus;
  }
  if (pages_ && pages_->has_next()) {
    state_ = State::kWriting;
    return Step::kPage;
  }
  if (pages_) {
    end_ = Status::OK;
    state_ = State::kFinishing;
    return Step::kFinish;
  }
  return std::exchange(is_result_wanted_, false) ? Step::kAsk : Step::kNothing;
}

template <typename Response>
void SurveyStream<Response>::pump() {
  Status end;
  SurveyStatus status;
  Step step = Step::kNothing;
  {
    const std::lock_guard lock(mutex_);
    step = next_step();
    if (step == Step::kFinish) end = *end_;
    if (step == Step::kStatus) status = *std::exchange(next_, std::nullopt);
  }
  // Whoever made the state kWriting or kFinishing is alone here.
  switch (step) {
    case Step::kNothing: return;
    case Step::kAsk: return callbacks_.ask_result(this->shared_from_this());
    case Step::kFinish: return this->Finish(end);
    case Step::kStatus:
    case Step::kPage: break;
  }
  response_.Clear();
  if constexpr (kIsRun) {
    if (step == Step::kStatus)
      to_proto(status, *response_.mutable_status());
    else
      pages_->fill_next(*response_.mutable_result());
  } else {
    pages_->fill_next(response_);
  }
  this->StartWrite(&response_);
}

template <typename Response>
void SurveyStream<Response>::finish(const Status& status) {
  {
    const std::lock_guard lock(mutex_);
    end_with(status);
  }
  pump();
}

template <typename Response>
void SurveyStream<Response>::fail_asking(const Status& why) {
  Status status = why;
  {
    const std::lock_guard lock(mutex_);
    if (has_begun_)
      status = {StatusCode::UNAVAILABLE, why.error_message() + "; the run has begun: attach to follow it"};
  }
  finish(status);
}

template <typename Response>
void SurveyStream<Response>::OnWriteDone(bool ok) {
  {
    const std::lock_guard lock(mutex_);
    state_ = State::kIdle;
    if (!ok) end_with(Status::CANCELLED);
  }
  pump();
}

template <typename Response>
void SurveyStream<Response>::OnDone() {
  {
    const std::lock_guard lock(mutex_);
    state_ = State::kDone;
  }
  callbacks_.on_done(this);
}

template class SurveyStream<v1::RunSurveyResponse>;
template class SurveyStream<v1::SurveyResultPage>;

}  // namespace overlayd::ipc
