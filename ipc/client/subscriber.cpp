#include "ipc/client/subscriber.h"

#include <algorithm>

#include "ipc/client/channel.h"
#include "ipc/sequence.h"

namespace overlayd::ipc {
namespace {

namespace v1 = ::overlay::v1;

bool is_of_transactions(std::uint64_t sequence) {
  return sequence / kSequenceTopicFactor == static_cast<std::uint64_t>(v1::TOPIC_TRANSACTIONS);
}

// The request without, or with nothing but, transactions.
v1::SubscribeRequest part_of(const v1::SubscribeRequest& request, bool are_transactions) {
  v1::SubscribeRequest part = request;
  part.clear_topics();
  part.clear_resume_after();
  for (const int topic : request.topics())
    if ((topic == v1::TOPIC_TRANSACTIONS) == are_transactions) part.add_topics(static_cast<v1::Topic>(topic));
  for (const std::uint64_t sequence : request.resume_after())
    if (is_of_transactions(sequence) == are_transactions) part.add_resume_after(sequence);
  return part;
}

}  // namespace

Subscriber::Subscriber(v1::Overlay::Stub& stub, const v1::SubscribeRequest& request, std::string socket)
    : socket_(std::move(socket)) {
  const auto transactions = std::count(request.topics().begin(), request.topics().end(), v1::TOPIC_TRANSACTIONS);
  has_transaction_stream_ = transactions > 0;
  if (transactions > 0 && transactions < request.topics_size()) {
    add_stream(stub, part_of(request, false));
    add_stream(stub, part_of(request, true));
  } else {
    add_stream(stub, request);
  }
  for (const auto& stream : streams_) stream->thread = std::thread([this, &stream = *stream] { read(stream); });
}

Subscriber::~Subscriber() {
  cancel();
  for (const auto& stream : streams_) stream->thread.join();
}

void Subscriber::add_stream(v1::Overlay::Stub& stub, const v1::SubscribeRequest& request) {
  auto& stream = *streams_.emplace_back(std::make_unique<Stream>());
  stream.request = request;
  stream.reader = stub.Subscribe(&stream.context, stream.request);
}

void Subscriber::cancel() {
  {
    const std::lock_guard lock(mutex_);
    is_cancelled_ = true;
  }
  cancel_streams();
}

void Subscriber::cancel_streams() {
  changed_.notify_all();
  for (const auto& stream : streams_) stream->context.TryCancel();
}

void Subscriber::read(Stream& stream) {
  v1::SubscribeResponse response;
  while (stream.reader->Read(&response)) {
    std::unique_lock lock(mutex_);
    stream.boot_id = response.boot_id();
    if (!response.gaps().empty() || !response.events().empty()) {
      changed_.wait(lock, [&] { return is_cancelled_ || end_ || stream.responses.size() < kResponsesMax; });
      if (!is_cancelled_) stream.responses.push_back(std::move(response));
    }
    changed_.notify_all();
  }
  const grpc::Status status = stream.reader->Finish();
  {
    const std::lock_guard lock(mutex_);
    stream.end = status;
    if (!end_) end_ = status;
  }
  cancel_streams();
}

Result<std::uint64_t> Subscriber::wait_attached(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const auto is_attached = [this] {
    return std::all_of(streams_.begin(), streams_.end(), [](const auto& stream) { return stream->boot_id; });
  };
  changed_.wait_for(lock, timeout, [&] { return is_attached() || end_; });
  if (is_attached()) return *streams_.front()->boot_id;
  if (end_) return Failure{status_text(*end_, socket_)};
  return Failure{"the daemon at " + socket_ + " did not answer the subscription in time"};
}

std::optional<Subscriber::Item> Subscriber::next(std::chrono::milliseconds timeout) {
  return next_of(streams_.size(), timeout);
}

std::optional<Subscriber::Item> Subscriber::next_but_transactions(std::chrono::milliseconds timeout) {
  return next_of(streams_.size() - (has_transaction_stream_ ? 1 : 0), timeout);
}

std::optional<Subscriber::Item> Subscriber::next_of(std::size_t stream_count, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return has_item(stream_count) || has_ended() || is_cancelled_; });
  for (std::size_t i = 0; i < stream_count; ++i) {
    Stream& stream = *streams_[i];
    if (!stream.has_item()) continue;
    if (stream.items.empty()) changed_.notify_all();  // a response leaves the queue: the reader has room
    return take_item(stream);
  }
  return std::nullopt;
}

Subscriber::Item Subscriber::take_item(Stream& stream) {
  if (stream.items.empty()) {
    auto& response = stream.responses.front();
    for (auto& gap : *response.mutable_gaps()) stream.items.emplace_back(std::move(gap));
    for (auto& event : *response.mutable_events()) stream.items.emplace_back(std::move(event));
    stream.responses.pop_front();
  }
  Item item = std::move(stream.items.front());
  stream.items.pop_front();
  return item;
}

bool Subscriber::has_item(std::size_t stream_count) const {
  return std::any_of(streams_.begin(), streams_.begin() + static_cast<std::ptrdiff_t>(stream_count),
                     [](const auto& stream) { return stream->has_item(); });
}

bool Subscriber::has_ended() const {
  return std::all_of(streams_.begin(), streams_.end(), [](const auto& stream) { return stream->end; });
}

bool Subscriber::has_next() const {
  const std::lock_guard lock(mutex_);
  return has_item(streams_.size());
}

std::optional<Result<Done>> Subscriber::end() const {
  const std::lock_guard lock(mutex_);
  if (!has_ended()) return std::nullopt;
  if (end_->ok() || (is_cancelled_ && end_->error_code() == grpc::StatusCode::CANCELLED)) return Result<Done>(Done{});
  return Result<Done>(Failure{status_text(*end_, socket_)});
}

}  // namespace overlayd::ipc
