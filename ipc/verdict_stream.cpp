#include "ipc/verdict_stream.h"

#include "ipc/convert.h"

namespace overlayd::ipc {

VerdictStream::VerdictStream(OverlayPort& port, ::overlay::v1::VerdictsResponse& response,
                             std::function<void(VerdictStream*)> on_done)
    : port_(port), response_(response), on_done_(std::move(on_done)) {}

void VerdictStream::start() { read_on(); }

void VerdictStream::read_on() {
  const std::lock_guard lock(mutex_);
  if (is_finished_) return;
  if (is_stopping_) {
    is_finished_ = true;
    Finish({grpc::StatusCode::UNAVAILABLE, "the daemon is stopping"});
    return;
  }
  is_reading_ = true;
  StartRead(&request_);
}

void VerdictStream::finish(const grpc::Status& status) {
  const std::lock_guard lock(mutex_);
  if (is_finished_) return;
  is_finished_ = true;
  Finish(status);
}

void VerdictStream::stop() {
  bool is_idle = false;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    is_idle = is_reading_;
  }
  if (is_idle) finish({grpc::StatusCode::UNAVAILABLE, "the daemon is stopping"});
}

void VerdictStream::OnReadDone(bool ok) {
  {
    const std::lock_guard lock(mutex_);
    is_reading_ = false;
  }
  if (!ok) {
    response_.set_taken(taken_);
    finish(grpc::Status::OK);
  } else if (const auto fault = take_request()) {
    finish({grpc::StatusCode::INVALID_ARGUMENT, *fault});
  } else {
    submit_batch();
  }
}

std::optional<std::string> VerdictStream::take_request() {
  const auto count = static_cast<std::size_t>(request_.verdicts_size());
  if (count > limits::kVerdictBatchMax) {
    return "verdicts: at most " + std::to_string(limits::kVerdictBatchMax) + ", has " + std::to_string(count);
  }
  batch_.clear();
  for (const auto& item : request_.verdicts()) {
    auto verdict = to_verdict(item);
    if (!verdict) return "verdicts[" + std::to_string(batch_.size()) + "]." + verdict.error();
    batch_.emplace_back(verdict.value());
  }
  return std::nullopt;
}

void VerdictStream::submit_batch() {
  const auto self = shared_from_this();  // an alarm's call is no reaction: the stream may be done before it returns
  bool is_over = batch_.empty() || port_.submit(batch_);
  if (is_over) {
    taken_ += batch_.size();
    retry_after_ = limits::kSubmitRetryMin;
  } else {
    const std::lock_guard lock(mutex_);
    is_over = is_stopping_ || is_finished_;
  }
  if (is_over) {
    read_on();
    return;
  }
  // Without a read in flight only read_on ends the stream, so `this` outlives the alarm.
  retry_.Set(
      std::chrono::system_clock::now() + std::chrono::duration_cast<std::chrono::system_clock::duration>(retry_after_),
      [this](bool) {
        retry_after_ = std::min<Duration>(retry_after_ * 2, limits::kSubmitRetryMax);
        submit_batch();
      });
}

void VerdictStream::OnDone() { on_done_(this); }

}  // namespace overlayd::ipc
