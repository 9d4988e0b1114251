#include "ipc/broadcast_stream.h"

#include "core/wire/message.h"
#include "ipc/convert.h"

namespace overlayd::ipc {

BroadcastStream::BroadcastStream(OverlayPort& port, PendingRequests& pending, const NetworkId& network,
                                 std::function<void(BroadcastStream*)> on_done)
    : port_(port), pending_(pending), network_(network), on_done_(std::move(on_done)) {}

void BroadcastStream::start() { StartRead(&request_); }

void BroadcastStream::OnReadDone(bool ok) {
  {
    const std::lock_guard lock(mutex_);
    reading_ = ok ? Reading::kSubmitting : Reading::kClosed;
  }
  if (ok && take_request()) {
    submit_batch();
  } else {
    if (ok) {
      const std::lock_guard lock(mutex_);
      reading_ = Reading::kClosed;
    }
    pump();
  }
}

bool BroadcastStream::take_request() {
  const auto count = static_cast<std::size_t>(request_.items_size());
  if (count > limits::kBroadcastBatchMax) {
    const std::lock_guard lock(mutex_);
    if (!end_) {
      end_ = grpc::Status(
          grpc::StatusCode::INVALID_ARGUMENT,
          "items: at most " + std::to_string(limits::kBroadcastBatchMax) + ", has " + std::to_string(count));
    }
    return false;
  }
  {
    const std::lock_guard lock(mutex_);
    unanswered_ += count;
  }
  batch_.clear();
  for (const auto& item : request_.items()) {
    auto message = to_message(item.broadcast(), network_);
    if (!message) {
      refuse(item.id(), nullptr, message.error());
    } else if (const auto checked = check_broadcastable(*message.value()); !checked) {
      refuse(item.id(), message.value(), checked.error());
    } else {
      batch_.push_back({.token = item.id(), .message = std::move(message).value()});
    }
  }
  request_.Clear();
  return true;
}

void BroadcastStream::submit_batch() {
  const auto self = shared_from_this();  // an alarm's call is no reaction: the stream may be done before it returns
  bool is_submitted = batch_.empty();
  if (!is_submitted) {
    if (const auto first = pending_.add(shared_from_this(), batch_, pending_.deadline())) {
      std::vector<Input> inputs;
      inputs.reserve(batch_.size());
      for (std::size_t i = 0; i < batch_.size(); ++i) {
        inputs.emplace_back(Broadcast{.request = RequestId{first->value + i}, .message = batch_[i].message});
      }
      is_submitted = port_.submit(std::move(inputs));
      // Removing nothing means that all were failed meanwhile, and so answered.
      if (!is_submitted) is_submitted = pending_.remove(*first, batch_.size()) == 0;
    }
  }
  bool is_over = is_submitted;
  {
    const std::lock_guard lock(mutex_);
    if (end_) is_over = true;
    if (is_over) reading_ = Reading::kPaused;
  }
  if (is_over) {
    retry_after_ = limits::kSubmitRetryMin;
    batch_.clear();
    pump();
    return;
  }
  // The stream cannot finish while reading_ is kSubmitting, so `this` outlives the alarm.
  retry_.Set(
      std::chrono::system_clock::now() + std::chrono::duration_cast<std::chrono::system_clock::duration>(retry_after_),
      [this](bool) {
        retry_after_ = std::min<Duration>(retry_after_ * 2, limits::kSubmitRetryMax);
        submit_batch();
      });
}

void BroadcastStream::refuse(std::uint64_t token, const MessagePtr& message, std::string why) {
  on_answer(token, message, {.request = {}, .status = RequestStatus::kRefused, .peers_told = 0, .why = std::move(why)});
}

void BroadcastStream::on_answer(std::uint64_t token, const MessagePtr& message, const RequestAnswer& answer) {
  const std::lock_guard lock(mutex_);
  --unanswered_;
  if (is_finished_) return;
  auto& out = *answers_.add_answers();
  out.set_id(token);
  to_proto(answer, message.get(), *out.mutable_response());
}

void BroadcastStream::on_failure(std::uint64_t token, const MessagePtr& message, RequestFailure failure) {
  const char* why =
      failure == RequestFailure::kTimeout ? "the overlay did not answer in time" : "the daemon is stopping";
  on_answer(token, message, {.request = {}, .status = RequestStatus::kRefused, .peers_told = 0, .why = why});
}

bool BroadcastStream::has_room() const {
  return unanswered_ + static_cast<std::size_t>(answers_.answers_size()) + limits::kBroadcastBatchMax <=
         limits::kBroadcastWindowMax;
}

bool BroadcastStream::is_over() const {
  if (is_writing_ || reading_ == Reading::kSubmitting) return false;
  if (end_) return true;
  return reading_ == Reading::kClosed && unanswered_ == 0 && answers_.answers().empty();
}

void BroadcastStream::pump() {
  bool is_to_write = false;
  std::optional<grpc::Status> end;
  {
    const std::lock_guard lock(mutex_);
    if (is_finished_) return;
    if (is_over()) {
      is_finished_ = true;
      end = end_.value_or(grpc::Status::OK);
    } else {
      is_to_write = !is_writing_ && !end_ && !answers_.answers().empty();
      if (is_to_write) {
        response_.Swap(&answers_);
        answers_.Clear();
        is_writing_ = true;
      }
      const bool is_to_read = reading_ == Reading::kPaused && !end_ && has_room();
      if (is_to_read) {
        reading_ = Reading::kInFlight;
        StartRead(&request_);  // under the lock: another thread must not finish the stream before it
      }
    }
  }
  if (end) Finish(*end);
  if (is_to_write) StartWrite(&response_);
}

void BroadcastStream::finish(const grpc::Status& status) {
  {
    const std::lock_guard lock(mutex_);
    if (!end_) end_ = status;
  }
  pump();
}

void BroadcastStream::OnWriteDone(bool ok) {
  {
    const std::lock_guard lock(mutex_);
    is_writing_ = false;
    if (!ok && !end_) end_ = grpc::Status::CANCELLED;
  }
  pump();
}

void BroadcastStream::OnCancel() { finish(grpc::Status::CANCELLED); }

void BroadcastStream::OnDone() { on_done_(this); }

}  // namespace overlayd::ipc
