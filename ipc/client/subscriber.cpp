#include "ipc/client/subscriber.h"

#include <algorithm>

#include "ipc/client/channel.h"
#include "ipc/sequence.h"

namespace overlayd::ipc {
namespace {

namespace v1 = ::overlay::v1;

// The streams, in the order in which they are taken from.
enum class Lane : std::uint8_t { kUrgent, kItems, kTransactions };

Lane lane_of(std::uint64_t topic) {
  if (topic == v1::TOPIC_TRANSACTIONS) return Lane::kTransactions;
  return topic == v1::TOPIC_ITEMS ? Lane::kItems : Lane::kUrgent;
}

// The request with nothing but what is of `lane`.
v1::SubscribeRequest part_of(const v1::SubscribeRequest& request, Lane lane) {
  v1::SubscribeRequest part = request;
  part.clear_topics();
  part.clear_resume_after();
  for (const int topic : request.topics())
    if (lane_of(static_cast<std::uint64_t>(topic)) == lane) part.add_topics(static_cast<v1::Topic>(topic));
  for (const std::uint64_t sequence : request.resume_after())
    if (lane_of(sequence / kSequenceTopicFactor) == lane) part.add_resume_after(sequence);
  return part;
}

}  // namespace

Subscriber::Subscriber(v1::Overlay::Stub& stub, std::shared_ptr<grpc::Channel> items_channel,
                       const v1::SubscribeRequest& request, std::string socket)
    : socket_(std::move(socket)), items_stub_(items_channel ? v1::Overlay::NewStub(items_channel) : nullptr) {
  std::vector<v1::SubscribeRequest> parts;
  int resumed = 0;
  for (const Lane lane : {Lane::kUrgent, Lane::kItems, Lane::kTransactions}) {
    v1::SubscribeRequest part = part_of(request, lane);
    if (part.topics().empty()) continue;
    resumed += part.resume_after_size();
    has_urgent_stream_ = has_urgent_stream_ || lane == Lane::kUrgent;
    has_transaction_stream_ = lane == Lane::kTransactions;
    parts.push_back(std::move(part));
  }
  // A number of no topic asked for, or no topic at all, is the daemon's to refuse.
  if (resumed < request.resume_after_size() || parts.empty()) parts.assign(1, request);
  for (const v1::SubscribeRequest& part : parts) {
    const bool is_of_items = !part.topics().empty() && part.topics(0) == v1::TOPIC_ITEMS;
    add_stream(is_of_items && items_stub_ ? *items_stub_ : stub, part);
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

std::optional<Subscriber::Item> Subscriber::next_urgent(std::chrono::milliseconds timeout) {
  return next_of(has_urgent_stream_ ? 1 : 0, timeout);
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
