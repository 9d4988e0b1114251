#include "ipc/client/broadcaster.h"

#include "ipc/client/channel.h"

namespace overlayd::ipc {

Broadcaster::Broadcaster(::overlay::v1::Overlay::Stub& stub, BroadcasterOptions options, std::string socket)
    : options_(std::move(options)), socket_(std::move(socket)), stream_(stub.BroadcastStream(&context_)) {
  reader_ = std::thread([this] { read_answers(); });
}

Broadcaster::~Broadcaster() {
  if (is_finished_) return;
  context_.TryCancel();
  if (reader_.joinable()) reader_.join();
  stream_->Finish();
}

bool Broadcaster::add_transaction(std::uint64_t id, std::string envelope) {
  ::overlay::v1::BroadcastStreamRequest::Item item;
  item.set_id(id);
  item.mutable_broadcast()->set_transaction_envelope(std::move(envelope));
  return add(std::move(item));
}

bool Broadcaster::add_scp(std::uint64_t id, std::string envelope) {
  ::overlay::v1::BroadcastStreamRequest::Item item;
  item.set_id(id);
  item.mutable_broadcast()->set_scp_envelope(std::move(envelope));
  return add(std::move(item));
}

bool Broadcaster::add(::overlay::v1::BroadcastStreamRequest::Item item) {
  // Bounded in bytes as well, so that a batch of the largest transactions still passes.
  static constexpr std::size_t kBatchBytesMax = 1 << 20;
  const auto bytes = static_cast<std::size_t>(item.ByteSizeLong());
  const bool is_full = static_cast<std::size_t>(batch_.items_size()) >= options_.batch_max ||
                       (batch_.items_size() > 0 && batch_.ByteSizeLong() + bytes > kBatchBytesMax);
  if (is_full && !flush()) return false;
  bool has_room = true;
  {
    const std::lock_guard lock(mutex_);
    if (is_broken_) return false;
    has_room = unanswered_ < options_.window;
  }
  if (!has_room && !flush()) return false;
  {
    std::unique_lock lock(mutex_);
    answered_.wait(lock, [this] { return is_broken_ || unanswered_ < options_.window; });
    if (is_broken_) return false;
    ++unanswered_;
  }
  *batch_.add_items() = std::move(item);
  return static_cast<std::size_t>(batch_.items_size()) < options_.batch_max || flush();
}

bool Broadcaster::flush() {
  if (batch_.items().empty()) return true;
  const bool is_written = stream_->Write(batch_);
  batch_.Clear();
  return is_written;
}

Result<Done> Broadcaster::finish() {
  if (is_finished_) return Failure{"the broadcaster is finished already"};
  is_finished_ = true;
  flush();
  stream_->WritesDone();
  reader_.join();
  const grpc::Status status = stream_->Finish();
  if (!status.ok()) return Failure{status_text(status, socket_)};
  if (unanswered() != 0) return Failure{"the daemon left " + std::to_string(unanswered()) + " items without an answer"};
  return Done{};
}

std::size_t Broadcaster::unanswered() const {
  const std::lock_guard lock(mutex_);
  return unanswered_;
}

void Broadcaster::read_answers() {
  ::overlay::v1::BroadcastStreamResponse response;
  while (stream_->Read(&response)) {
    for (const auto& answer : response.answers()) {
      if (options_.on_answer) options_.on_answer(answer.id(), answer.response());
    }
    {
      const std::lock_guard lock(mutex_);
      unanswered_ -= std::min(unanswered_, static_cast<std::size_t>(response.answers_size()));
    }
    answered_.notify_all();
  }
  {
    const std::lock_guard lock(mutex_);
    is_broken_ = true;
  }
  answered_.notify_all();
}

}  // namespace overlayd::ipc
