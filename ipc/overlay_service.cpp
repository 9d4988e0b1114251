#include "ipc/overlay_service.h"

#include <algorithm>

#include "core/wire/message.h"
#include "ipc/convert.h"

namespace overlayd::ipc {
namespace {

constexpr std::uint32_t kApiMajor = 1;
constexpr std::uint32_t kApiMinor = 1;
constexpr std::chrono::milliseconds kWorkPeriod{100};
constexpr std::uint64_t kReserveShare = 4;  // of the log: what was demanded of all peers comes to less
constexpr std::uint64_t kWindowSteps = 64;  // the overlay is told of each such part of the log, not of every event
constexpr const char* kBusy = "the overlay is busy: its queue is full; try again";

using grpc::Status;
using grpc::StatusCode;

Status stopping_status() { return {StatusCode::UNAVAILABLE, "the daemon is stopping"}; }

grpc::ServerUnaryReactor* finish_now(grpc::CallbackServerContext* context, const Status& status) {
  auto* reactor = context->DefaultReactor();
  reactor->Finish(status);
  return reactor;
}

// A stream refused before it began.
template <typename Base>
class RefusedStream final : public Base {
 public:
  explicit RefusedStream(const Status& status) { this->Finish(status); }
  void OnDone() override { delete this; }
};

// Answers one unary Broadcast. The reactor and the response live until Finish.
class UnaryBroadcast final : public BroadcastWaiter {
 public:
  UnaryBroadcast(grpc::ServerUnaryReactor& reactor, v1::BroadcastResponse& response)
      : reactor_(reactor), response_(response) {}
  void on_answer(std::uint64_t, const MessagePtr& message, const BroadcastAnswer& answer) override {
    to_proto(answer, message.get(), response_);
    reactor_.Finish(Status::OK);
  }
  void on_failure(std::uint64_t, const MessagePtr&, BroadcastFailure failure) override {
    reactor_.Finish(failure == BroadcastFailure::kTimeout
                        ? Status(StatusCode::DEADLINE_EXCEEDED, "the overlay did not answer in time")
                        : stopping_status());
  }

 private:
  grpc::ServerUnaryReactor& reactor_;
  v1::BroadcastResponse& response_;
};

// The topics asked for, or why not.
Status to_topics(const v1::SubscribeRequest& request, std::vector<Topic>& topics) {
  for (const int number : request.topics()) {
    if (number < 1 || number > static_cast<int>(kTopicCount)) {
      return {StatusCode::UNIMPLEMENTED, "topics: this daemon has no topic " + std::to_string(number)};
    }
    const Topic topic = static_cast<Topic>(number);
    if (std::find(topics.begin(), topics.end(), topic) == topics.end()) topics.push_back(topic);
  }
  if (topics.empty()) return {StatusCode::INVALID_ARGUMENT, "topics: at least one is required"};
  return Status::OK;
}

}  // namespace

OverlayService::OverlayService(const OverlayServiceOptions& options, OverlayPort& port)
    : options_(options),
      port_(port),
      log_(options.event_log),
      pending_(options.broadcasts_bytes_max),
      worker_(kWorkPeriod, [this] { work(); }) {}

OverlayService::~OverlayService() { stop(); }

void OverlayService::stop() {
  is_stopping_ = true;
  worker_.stop();  // runs work() a last time, which now ends everything
}

std::size_t OverlayService::subscribers() const {
  const std::lock_guard lock(streams_mutex_);
  return subscriptions_.size();
}

// --- from the overlay thread --------------------------------------------------------------------------------------

void OverlayService::on_message(const PublishMessage& published, std::int64_t arrival_unix_nanos) {
  const bool is_transaction = published.message->type() == wire::MessageType::kTransaction;
  log_.append_message(is_transaction ? Topic::kTransactions : Topic::kScp, arrival_unix_nanos, published.from,
                      published.message);
}

void OverlayService::on_peer(const PublishPeer& published, std::int64_t arrival_unix_nanos) {
  log_.append_peer(arrival_unix_nanos, published);
}

void OverlayService::on_broadcast_answer(const BroadcastAnswer& answer) {
  const std::lock_guard lock(answers_mutex_);
  answers_.push_back(answer);
}

void OverlayService::flush() { worker_.wake(); }

// --- worker -------------------------------------------------------------------------------------------------------

void OverlayService::work() {
  std::vector<BroadcastAnswer> answers;
  {
    const std::lock_guard lock(answers_mutex_);
    answers.swap(answers_);
  }
  for (const BroadcastAnswer& answer : answers) pending_.answer(answer);
  pending_.expire(PendingBroadcasts::Clock::now());
  if (is_stopping_) pending_.fail_all();
  tell_takers();
  for (const auto& stream : copy_of(broadcast_streams_)) {
    stream->pump();
    if (is_stopping_) stream->finish(stopping_status());
  }
  for (const auto& subscription : copy_of(subscriptions_)) {
    subscription->pump();
    if (is_stopping_) subscription->finish(stopping_status());
  }
  if (!is_stopping_) return;
  for (const auto& stream : copy_of(verdict_streams_)) stream->stop();
}

TransactionTakers OverlayService::takers() const {
  TransactionTakers takers;
  std::optional<std::uint64_t> slowest;
  const auto now = std::chrono::steady_clock::now();
  for (const auto& subscription : copy_of(subscriptions_)) {
    const auto taken = subscription->taken_transaction_bytes(now);
    if (taken) slowest = std::min(*taken, slowest.value_or(*taken));
  }
  takers.is_attached = slowest.has_value();
  if (!slowest) return takers;
  const std::uint64_t log_bytes = log_.bytes_max(Topic::kTransactions);
  takers.window = {.published_bytes_max = *slowest + log_bytes, .reserve_bytes = log_bytes / kReserveShare};
  return takers;
}

void OverlayService::tell_takers() {
  TransactionTakers now = takers();
  const auto is_worth_telling = [&] {
    if (now.is_attached != told_.is_attached) return true;
    if (!now.window.published_bytes_max) return false;
    const std::uint64_t before = *told_.window.published_bytes_max;
    const std::uint64_t after = *now.window.published_bytes_max;
    return after < before || after - before >= log_.bytes_max(Topic::kTransactions) / kWindowSteps;
  };
  if (is_worth_telling() && port_.submit({now})) told_ = now;
}

template <typename Stream>
std::vector<std::shared_ptr<Stream>> OverlayService::copy_of(const Registry<Stream>& registry) const {
  std::vector<std::shared_ptr<Stream>> streams;
  const std::lock_guard lock(streams_mutex_);
  streams.reserve(registry.size());
  for (const auto& [key, stream] : registry) streams.push_back(stream);
  return streams;
}

template <typename Stream>
void OverlayService::forget(Registry<Stream>& registry, Stream* stream) {
  std::shared_ptr<Stream> last;  // may be the last reference: freed after the lock
  {
    const std::lock_guard lock(streams_mutex_);
    const auto found = registry.find(stream);
    if (found == registry.end()) return;
    last = std::move(found->second);
    registry.erase(found);
  }
  worker_.wake();
}

// --- from clients -------------------------------------------------------------------------------------------------

grpc::ServerUnaryReactor* OverlayService::GetInfo(grpc::CallbackServerContext* context,
                                                  const v1::GetInfoRequest* request, v1::GetInfoResponse* response) {
  if (request->has_api_major() && request->api_major() != kApiMajor) {
    return finish_now(context, {StatusCode::FAILED_PRECONDITION,
                                "api_major: this daemon speaks major version " + std::to_string(kApiMajor) +
                                    " of the API, the client " + std::to_string(request->api_major())});
  }
  const LocalNode& local = options_.local;
  response->set_api_major(kApiMajor);
  response->set_api_minor(kApiMinor);
  response->set_daemon_version(printable(local.version_string));
  response->set_node_id(local.node_id.bytes.data(), local.node_id.bytes.size());
  response->set_network_id(local.network_id.bytes.data(), local.network_id.bytes.size());
  response->set_overlay_version(local.overlay_version);
  response->set_overlay_min_version(local.overlay_min_version);
  response->set_ledger_version(local.ledger_version);
  response->set_boot_id(options_.boot_id);
  v1::Limits& bounds = *response->mutable_limits();
  bounds.set_message_bytes_max(limits::kApiMessageBytesMax);
  bounds.set_broadcast_batch_max(limits::kBroadcastBatchMax);
  bounds.set_broadcast_window_max(limits::kBroadcastWindowMax);
  bounds.set_verdict_batch_max(limits::kVerdictBatchMax);
  bounds.set_event_log_scp_bytes_max(log_.bytes_max(Topic::kScp));
  bounds.set_event_log_transactions_bytes_max(log_.bytes_max(Topic::kTransactions));
  bounds.set_event_log_peers_bytes_max(log_.bytes_max(Topic::kPeers));
  bounds.set_ledger_hashes_max(limits::kLedgerHashesMax);
  for (const char* name : {"topic.scp", "topic.transactions", "topic.peers", "resume", "backpressure"})
    response->add_capabilities(name);
  return finish_now(context, Status::OK);
}

grpc::ServerUnaryReactor* OverlayService::UpdateLedger(grpc::CallbackServerContext* context,
                                                       const v1::UpdateLedgerRequest* request,
                                                       v1::UpdateLedgerResponse* /*response*/) {
  if (is_stopping_) return finish_now(context, stopping_status());
  Status status = Status::OK;
  {
    const std::lock_guard lock(ledger_mutex_);
    auto update = to_ledger_update(*request, ledger_);
    if (!update) {
      status = {StatusCode::INVALID_ARGUMENT, update.error()};
    } else {
      LedgerView view = update.value().view;
      if (port_.submit({std::move(update).value()})) {
        ledger_ = std::move(view);
      } else {
        status = {StatusCode::RESOURCE_EXHAUSTED, kBusy};
      }
    }
  }
  return finish_now(context, status);
}

grpc::ServerUnaryReactor* OverlayService::Broadcast(grpc::CallbackServerContext* context,
                                                    const v1::BroadcastRequest* request,
                                                    v1::BroadcastResponse* response) {
  if (is_stopping_) return finish_now(context, stopping_status());
  auto message = to_message(*request, options_.local.network_id);
  if (!message) return finish_now(context, {StatusCode::INVALID_ARGUMENT, message.error()});
  if (const auto checked = check_broadcastable(*message.value()); !checked) {
    to_proto({.request = {}, .status = BroadcastStatus::kRefused, .peers_told = 0, .why = checked.error()},
             message.value().get(), *response);
    return finish_now(context, Status::OK);
  }
  auto* reactor = context->DefaultReactor();
  const auto waiter = std::make_shared<UnaryBroadcast>(*reactor, *response);
  const auto id = pending_.add(waiter, {{.token = 0, .message = message.value()}},
                               PendingBroadcasts::Clock::now() + limits::kBroadcastAnswerTimeout);
  if (!id) {
    reactor->Finish(
        {StatusCode::RESOURCE_EXHAUSTED, "too many broadcasts, or too large ones, wait for an answer; try again"});
  } else if (!port_.submit({overlayd::Broadcast{.request = *id, .message = message.value()}})) {
    // Removing nothing means that it was failed meanwhile, for the daemon is stopping.
    if (pending_.remove(*id, 1) == 1) reactor->Finish({StatusCode::RESOURCE_EXHAUSTED, kBusy});
  } else if (is_stopping_) {
    pending_.fail_all();  // the worker may have done so before this one was added
  }
  return reactor;
}

grpc::ServerBidiReactor<v1::BroadcastStreamRequest, v1::BroadcastStreamResponse>* OverlayService::BroadcastStream(
    grpc::CallbackServerContext* /*context*/) {
  using Refused = RefusedStream<grpc::ServerBidiReactor<v1::BroadcastStreamRequest, v1::BroadcastStreamResponse>>;
  auto stream =
      std::make_shared<ipc::BroadcastStream>(port_, pending_, options_.local.network_id,
                                             [this](ipc::BroadcastStream* done) { forget(broadcast_streams_, done); });
  {
    const std::lock_guard lock(streams_mutex_);
    if (is_stopping_) return new Refused(stopping_status());
    if (broadcast_streams_.size() >= limits::kBroadcastStreamsMax) {
      return new Refused({StatusCode::RESOURCE_EXHAUSTED, "too many broadcast streams are open"});
    }
    broadcast_streams_.emplace(stream.get(), stream);
  }
  stream->start();
  return stream.get();
}

grpc::ServerWriteReactor<v1::SubscribeResponse>* OverlayService::Subscribe(grpc::CallbackServerContext* /*context*/,
                                                                           const v1::SubscribeRequest* request) {
  using Refused = RefusedStream<grpc::ServerWriteReactor<v1::SubscribeResponse>>;
  std::vector<Topic> topics;
  if (const Status status = to_topics(*request, topics); !status.ok()) return new Refused(status);
  std::vector<std::uint64_t> resume_after(request->resume_after().begin(), request->resume_after().end());
  if (!resume_after.empty() && request->boot_id() == 0) {
    return new Refused({StatusCode::INVALID_ARGUMENT, "boot_id: required with resume_after"});
  }
  if (request->boot_id() != options_.boot_id) {
    // Numbers of another life of the daemon: those topics start with the first event of this one.
    for (std::uint64_t& sequence : resume_after) sequence -= sequence % kSequenceTopicFactor;
  }
  auto cursor = log_.attach(topics, resume_after);
  if (!cursor) return new Refused({StatusCode::INVALID_ARGUMENT, cursor.error()});
  const bool has_transactions = std::find(topics.begin(), topics.end(), Topic::kTransactions) != topics.end();
  auto subscription = std::make_shared<Subscription>(
      log_,
      SubscriptionOptions{.cursor = cursor.value(),
                          .boot_id = options_.boot_id,
                          .batch = {},
                          .is_taking_transactions = has_transactions && !request->observer_only()},
      [this](Subscription* done) { forget(subscriptions_, done); });
  {
    const std::lock_guard lock(streams_mutex_);
    if (is_stopping_) return new Refused(stopping_status());
    if (subscriptions_.size() >= limits::kSubscribersMax) {
      return new Refused({StatusCode::RESOURCE_EXHAUSTED, "too many subscribers are attached"});
    }
    subscriptions_.emplace(subscription.get(), subscription);
  }
  subscription->start();
  worker_.wake();
  return subscription.get();
}

grpc::ServerReadReactor<v1::VerdictsRequest>* OverlayService::Verdicts(grpc::CallbackServerContext* /*context*/,
                                                                       v1::VerdictsResponse* response) {
  using Refused = RefusedStream<grpc::ServerReadReactor<v1::VerdictsRequest>>;
  auto stream = std::make_shared<VerdictStream>(port_, *response,
                                                [this](VerdictStream* done) { forget(verdict_streams_, done); });
  {
    const std::lock_guard lock(streams_mutex_);
    if (is_stopping_) return new Refused(stopping_status());
    if (verdict_streams_.size() >= limits::kBroadcastStreamsMax) {
      return new Refused({StatusCode::RESOURCE_EXHAUSTED, "too many verdict streams are open"});
    }
    verdict_streams_.emplace(stream.get(), stream);
  }
  stream->start();
  return stream.get();
}

}  // namespace overlayd::ipc
