#include "ipc/client/subscriber.h"

#include "ipc/client/channel.h"

namespace overlayd::ipc {

Subscriber::Subscriber(::overlay::v1::Overlay::Stub& stub, const ::overlay::v1::SubscribeRequest& request,
                       std::string socket)
    : socket_(std::move(socket)), request_(request), reader_(stub.Subscribe(&context_, request_)) {
  thread_ = std::thread([this] { read(); });
}

Subscriber::~Subscriber() {
  cancel();
  if (thread_.joinable()) thread_.join();
}

void Subscriber::cancel() {
  {
    const std::lock_guard lock(mutex_);
    is_cancelled_ = true;
  }
  changed_.notify_all();
  context_.TryCancel();
}

void Subscriber::read() {
  ::overlay::v1::SubscribeResponse response;
  while (reader_->Read(&response)) {
    std::unique_lock lock(mutex_);
    boot_id_ = response.boot_id();
    if (!response.gaps().empty() || !response.events().empty()) {
      changed_.wait(lock, [this] { return is_cancelled_ || responses_.size() < kResponsesMax; });
      if (!is_cancelled_) responses_.push_back(std::move(response));
    }
    changed_.notify_all();
  }
  const grpc::Status status = reader_->Finish();
  {
    const std::lock_guard lock(mutex_);
    end_ = status;
  }
  changed_.notify_all();
}

Result<std::uint64_t> Subscriber::wait_attached(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [this] { return boot_id_ || end_; });
  if (boot_id_) return *boot_id_;
  if (end_) return Failure{status_text(*end_, socket_)};
  return Failure{"the daemon at " + socket_ + " did not answer the subscription in time"};
}

std::optional<Subscriber::Item> Subscriber::next(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [this] { return has_item() || end_ || is_cancelled_; });
  if (gaps_.empty() && events_.empty()) {
    if (responses_.empty()) return std::nullopt;
    auto& response = responses_.front();
    for (auto& gap : *response.mutable_gaps()) gaps_.push_back(std::move(gap));
    for (auto& event : *response.mutable_events()) events_.push_back(std::move(event));
    responses_.pop_front();
    changed_.notify_all();
  }
  Item item;
  if (!gaps_.empty()) {
    item = std::move(gaps_.front());
    gaps_.pop_front();
  } else {
    item = std::move(events_.front());
    events_.pop_front();
  }
  return item;
}

bool Subscriber::has_next() const {
  const std::lock_guard lock(mutex_);
  return has_item();
}

std::optional<Result<Done>> Subscriber::end() const {
  const std::lock_guard lock(mutex_);
  if (!end_) return std::nullopt;
  if (end_->ok() || (is_cancelled_ && end_->error_code() == grpc::StatusCode::CANCELLED)) return Result<Done>(Done{});
  return Result<Done>(Failure{status_text(*end_, socket_)});
}

}  // namespace overlayd::ipc
