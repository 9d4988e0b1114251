#include "ipc/subscription.h"

#include "ipc/convert.h"

namespace overlayd::ipc {

Subscription::Subscription(const EventLog& log, SubscriptionOptions options, std::function<void(Subscription*)> on_done)
    : log_(log),
      options_(options),
      has_items_(options.cursor.next[topic_index(Topic::kItems)].has_value()),
      on_done_(std::move(on_done)) {}

void Subscription::start() {
  writing_since_ = std::chrono::steady_clock::now();
  response_.set_boot_id(options_.boot_id);
  StartWrite(&response_);
}

void Subscription::pump() {
  std::optional<grpc::Status> end;
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::kIdle) return;
    if (end_) {
      end = end_;
      state_ = State::kFinishing;
    } else {
      if (!fill_response()) return;
      state_ = State::kWriting;
      writing_since_ = std::chrono::steady_clock::now();
    }
  }
  if (end) {
    Finish(*end);
  } else {
    StartWrite(&response_);
  }
}

std::optional<std::uint64_t> Subscription::taken_transaction_bytes(std::chrono::steady_clock::time_point now) const {
  if (!options_.is_taking_transactions) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const bool is_stalled = state_ == State::kWriting && now - writing_since_ >= limits::kTakerStallMax;
  if (is_stalled || state_ == State::kFinishing || state_ == State::kDone) return std::nullopt;
  return log_.taken_bytes(options_.cursor, Topic::kTransactions);
}

bool Subscription::fill_response() {
  const EventLog::Batch batch = log_.read(options_.cursor, options_.batch);
  if (batch.is_empty()) return false;
  response_.Clear();
  response_.set_boot_id(options_.boot_id);
  for (const LoggedGap& gap : batch.gaps) to_proto(gap, *response_.add_gaps());
  for (const LoggedEvent& event : batch.events) to_proto(event, *response_.add_events());
  return true;
}

void Subscription::finish(const grpc::Status& status) {
  {
    const std::lock_guard lock(mutex_);
    if (!end_) end_ = status;
  }
  pump();
}

void Subscription::OnWriteDone(bool ok) {
  {
    const std::lock_guard lock(mutex_);
    state_ = State::kIdle;
    if (!ok && !end_) end_ = grpc::Status::CANCELLED;
  }
  pump();
}

void Subscription::OnCancel() { finish(grpc::Status::CANCELLED); }

void Subscription::OnDone() {
  {
    const std::lock_guard lock(mutex_);
    state_ = State::kDone;
  }
  on_done_(this);
}

}  // namespace overlayd::ipc
