#include "ipc/overlay_service.h"

#include <algorithm>
#include <tuple>

#include "core/wire/message.h"
#include "ipc/convert.h"
#include "ipc/unary_call.h"

namespace overlayd::ipc {
namespace {

constexpr std::uint32_t kApiMajor = 1;
constexpr std::uint32_t kApiMinor = 4;
constexpr std::chrono::milliseconds kWorkPeriod{100};
constexpr std::uint64_t kReserveShare = 4;  // of the log: what was demanded of all peers comes to less
constexpr std::uint64_t kWindowSteps = 64;  // the overlay is told of each such part of the log, not of every event

using grpc::Status;
using grpc::StatusCode;

class UnaryBroadcast final : public UnaryCall {
 public:
  UnaryBroadcast(grpc::ServerUnaryReactor& reactor, v1::BroadcastResponse& response)
      : UnaryCall(reactor), response_(response) {}
  void on_answer(std::uint64_t, const MessagePtr& message, const RequestAnswer& answer) override {
    answer_with([&] {
      to_proto(answer, message.get(), response_);
      return Status::OK;
    });
  }

 private:
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
      pending_({.bytes_max = options.requests_bytes_max, .timeout = options.requests_timeout}),
      item_calls_(port, pending_, options.local.network_id, options.item_answers_bytes_max,
                  [this](const RequestAnswer& answer) {
                    on_request_answer(answer);
                    flush();
                  }),
      worker_(kWorkPeriod, [this] { work(); }),
      items_worker_(kWorkPeriod, [this] { work_on_items(); }) {}

OverlayService::~OverlayService() { stop(); }

void OverlayService::stop() {
  is_stopping_ = true;
  worker_.stop();  // runs work() a last time, which now ends everything
  items_worker_.stop();
}

std::size_t OverlayService::subscribers() const { return subscriptions_.size(); }

// --- from the overlay thread --------------------------------------------------------------------------------------

void OverlayService::on_message(const PublishMessage& published, std::int64_t arrival_unix_nanos) {
  const bool is_transaction = published.message->type() == wire::MessageType::kTransaction;
  log_.append_message(is_transaction ? Topic::kTransactions : Topic::kScp, arrival_unix_nanos, published.from,
                      published.message);
}

void OverlayService::on_peer(const PublishPeer& published, std::int64_t arrival_unix_nanos) {
  log_.append_peer(arrival_unix_nanos, published);
}

void OverlayService::on_item(const PublishItem& published, std::int64_t arrival_unix_nanos) {
  log_.append_item(arrival_unix_nanos, published);
  has_items_ = true;
}

void OverlayService::on_scp_state_request(const PublishScpStateRequest& published, std::int64_t arrival_unix_nanos) {
  log_.append_scp_state_request(arrival_unix_nanos, published);
}

void OverlayService::on_survey(const PublishSurvey& published, std::int64_t arrival_unix_nanos) {
  const auto turns = [](const SurveyStatus& status) {
    return std::tie(status.phase, status.surveyor, status.nonce, status.run, status.run_began, status.rival);
  };
  if (turns(published.status) == turns(surveyed_)) return;
  surveyed_ = published.status;
  log_.append_survey(arrival_unix_nanos, published.status);
}

void OverlayService::on_request_answer(const RequestAnswer& answer) {
  const std::lock_guard lock(answers_mutex_);
  answers_.push_back(answer);
}

void OverlayService::flush() {
  worker_.wake();
  if (has_items_.exchange(false)) items_worker_.wake();
}

// --- worker -------------------------------------------------------------------------------------------------------

void OverlayService::work() {
  std::vector<RequestAnswer> answers;
  {
    const std::lock_guard lock(answers_mutex_);
    answers.swap(answers_);
  }
  for (const RequestAnswer& answer : answers) pending_.answer(answer);
  pending_.expire(PendingRequests::Clock::now());
  if (is_stopping_) pending_.fail_all();
  tell_takers();
  for (const auto& stream : broadcast_streams_.copy()) {
    stream->pump();
    if (is_stopping_) stream->finish(stopping_status());
  }
  for (const auto& subscription : subscriptions_.copy()) {
    if (!subscription->has_items()) subscription->pump();
    if (is_stopping_) subscription->finish(stopping_status());
  }
  if (!is_stopping_) return;
  for (const auto& stream : verdict_streams_.copy()) stream->stop();
}

void OverlayService::work_on_items() {
  for (const auto& subscription : subscriptions_.copy())
    if (subscription->has_items()) subscription->pump();
}

TransactionTakers OverlayService::takers() const {
  TransactionTakers takers;
  std::optional<std::uint64_t> slowest;
  const auto now = std::chrono::steady_clock::now();
  for (const auto& subscription : subscriptions_.copy()) {
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
  bounds.set_event_log_items_bytes_max(log_.bytes_max(Topic::kItems));
  bounds.set_event_log_scp_state_requests_bytes_max(log_.bytes_max(Topic::kScpStateRequests));
  bounds.set_event_log_survey_bytes_max(log_.bytes_max(Topic::kSurvey));
  bounds.set_item_batch_max(limits::kItemBatchMax);
  bounds.set_fetches_max(limits::kClientFetchesMax);
  for (const char* name :
       {"topic.scp", "topic.transactions", "topic.peers", "resume", "backpressure", "topic.items",
        "topic.scp_state_requests", "items", "scp_state", "bans", "peer_book", "survey", "topic.survey"})
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
        status = busy_status();
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
    to_proto({.request = {}, .status = RequestStatus::kRefused, .peers_told = 0, .why = checked.error()},
             message.value().get(), *response);
    return finish_now(context, Status::OK);
  }
  auto* reactor = context->DefaultReactor();
  submit_call(pending_, port_, std::make_shared<UnaryBroadcast>(*reactor, *response),
              {{.token = 0, .message = message.value()}},
              {overlayd::Broadcast{.request = {}, .message = message.value()}});
  fail_if_stopping();
  return reactor;
}

void OverlayService::fail_if_stopping() {
  if (is_stopping_) pending_.fail_all();
}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* OverlayService::begin(grpc::CallbackServerContext* context,
                                                void (ItemCalls::*call)(grpc::ServerUnaryReactor&, const Request&,
                                                                        Response&),
                                                const Request& request, Response& response) {
  if (is_stopping_) return finish_now(context, stopping_status());
  auto* reactor = context->DefaultReactor();
  (item_calls_.*call)(*reactor, request, response);
  fail_if_stopping();
  return reactor;
}

grpc::ServerUnaryReactor* OverlayService::Fetch(grpc::CallbackServerContext* context, const v1::FetchRequest* request,
                                                v1::FetchResponse* response) {
  return begin(context, &ItemCalls::fetch, *request, *response);
}

grpc::ServerUnaryReactor* OverlayService::CancelFetch(grpc::CallbackServerContext* context,
                                                      const v1::CancelFetchRequest* request,
                                                      v1::CancelFetchResponse* response) {
  return begin(context, &ItemCalls::cancel_fetch, *request, *response);
}

grpc::ServerUnaryReactor* OverlayService::PutItems(grpc::CallbackServerContext* context,
                                                   const v1::PutItemsRequest* request, v1::PutItemsResponse* response) {
  return begin(context, &ItemCalls::put_items, *request, *response);
}

grpc::ServerUnaryReactor* OverlayService::GetItem(grpc::CallbackServerContext* context,
                                                  const v1::GetItemRequest* request, v1::GetItemResponse* response) {
  if (is_stopping_) return finish_now(context, stopping_status());
  auto* reactor = item_calls_.get_item(*request, *response);
  fail_if_stopping();
  return reactor;
}

grpc::ServerUnaryReactor* OverlayService::RequestScpState(grpc::CallbackServerContext* context,
                                                          const v1::RequestScpStateRequest* request,
                                                          v1::RequestScpStateResponse* response) {
  return begin(context, &ItemCalls::request_scp_state, *request, *response);
}

grpc::ServerUnaryReactor* OverlayService::SendScpState(grpc::CallbackServerContext* context,
                                                       const v1::SendScpStateRequest* request,
                                                       v1::SendScpStateResponse* response) {
  return begin(context, &ItemCalls::send_scp_state, *request, *response);
}

grpc::ServerBidiReactor<v1::BroadcastStreamRequest, v1::BroadcastStreamResponse>* OverlayService::BroadcastStream(
    grpc::CallbackServerContext* /*context*/) {
  using Refused = RefusedStream<grpc::ServerBidiReactor<v1::BroadcastStreamRequest, v1::BroadcastStreamResponse>>;
  auto stream = std::make_shared<ipc::BroadcastStream>(port_, pending_, options_.local.network_id,
                                                       [this](ipc::BroadcastStream* done) {
                                                         const auto last = broadcast_streams_.take(done);
                                                         worker_.wake();
                                                       });
  if (const Status entered = broadcast_streams_.enter(stream); !entered.ok()) return new Refused(entered);
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
      [this](Subscription* done) {
        const auto last = subscriptions_.take(done);
        worker_.wake();
      });
  if (const Status entered = subscriptions_.enter(subscription); !entered.ok()) return new Refused(entered);
  subscription->start();
  worker_.wake();
  items_worker_.wake();
  return subscription.get();
}

grpc::ServerReadReactor<v1::VerdictsRequest>* OverlayService::Verdicts(grpc::CallbackServerContext* /*context*/,
                                                                       v1::VerdictsResponse* response) {
  using Refused = RefusedStream<grpc::ServerReadReactor<v1::VerdictsRequest>>;
  auto stream = std::make_shared<VerdictStream>(port_, *response, [this](VerdictStream* done) {
    const auto last = verdict_streams_.take(done);
    worker_.wake();
  });
  if (const Status entered = verdict_streams_.enter(stream); !entered.ok()) return new Refused(entered);
  stream->start();
  return stream.get();
}

}  // namespace overlayd::ipc
