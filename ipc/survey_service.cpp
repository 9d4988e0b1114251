#include "ipc/survey_service.h"

#include "core/crypto/keys.h"
#include "ipc/convert.h"
#include "ipc/unary_call.h"

namespace overlayd::ipc {
namespace {

using grpc::Status;
using grpc::StatusCode;

constexpr std::chrono::milliseconds kIdlePeriod{1000};  // it is woken when there is something to do

const std::string too_many_streams =
    "too many streams of surveys are open, " + std::to_string(kSurveyStreamsMax) + "; end one";

std::uint32_t draw_nonce() {
  std::uint32_t nonce = 0;
  while (nonce == 0) {
    std::array<std::uint8_t, sizeof(nonce)> bytes{};
    crypto::SystemEntropy().fill(bytes);
    nonce = std::bit_cast<std::uint32_t>(bytes);
  }
  return nonce;
}

// GetStatus: the status comes from the overlay thread before the answer is delivered.
class StatusCall final : public UnaryCall {
 public:
  StatusCall(grpc::ServerUnaryReactor& reactor, v1::SurveyStatus& response) : UnaryCall(reactor), response_(response) {}
  void set_status(SurveyStatus status) {
    const std::lock_guard lock(status_mutex_);
    status_ = std::move(status);
  }
  void on_answer(std::uint64_t, const MessagePtr&, const RequestAnswer&) override {
    answer_with([&] {
      const std::lock_guard lock(status_mutex_);
      to_proto(status_, response_);
      return Status::OK;
    });
  }

 private:
  v1::SurveyStatus& response_;
  std::mutex status_mutex_;
  SurveyStatus status_;
};

}  // namespace

SurveyService::SurveyService(OverlayPort& port, OverlayService& overlay)
    : port_(port),
      overlay_(overlay),
      pending_(overlay.requests()),
      runs_(kSurveyStreamsMax, too_many_streams, is_stopping_),
      results_(kSurveyStreamsMax, too_many_streams, is_stopping_),
      worker_(kIdlePeriod, [this] { work(); }) {}

SurveyService::~SurveyService() { stop(); }

void SurveyService::stop() {
  is_stopping_ = true;
  worker_.stop();  // runs work() a last time, which now ends everything
}

void SurveyService::work() {
  if (is_stopping_) pending_.fail_all();
  const auto feed = [this](const auto& streams) {
    for (const auto& stream : streams) {
      stream->pump();
      if (is_stopping_) stream->finish(stopping_status());
    }
  };
  feed(runs_.copy());
  feed(results_.copy());
}

void SurveyService::fail_if_stopping() {
  if (is_stopping_) pending_.fail_all();
}

// --- from the overlay thread --------------------------------------------------------------------------------------

void SurveyService::on_survey(const PublishSurvey& published) {
  for (const auto& stream : runs_.copy()) {
    stream->on_status(published.status);
    has_news_ = true;
  }
}

void SurveyService::flush() {
  if (has_news_.exchange(false)) worker_.wake();
}

// --- streams ------------------------------------------------------------------------------------------------------

template <typename Stream>
std::shared_ptr<Stream> SurveyService::open(StreamRegistry<Stream>& registry, Status& refused) {
  auto stream = std::make_shared<Stream>(
      typename Stream::Callbacks{.ask_result = [this](const std::shared_ptr<Stream>& asking) { ask_result(asking); },
                                 .wake = [this] { worker_.wake(); },
                                 .on_done = [&registry](Stream* done) { const auto last = registry.take(done); }});
  refused = registry.enter(stream);
  return refused.ok() ? stream : nullptr;
}

template <typename Stream>
void SurveyService::ask_result(const std::shared_ptr<Stream>& stream) {
  const auto id = pending_.add(stream, {{.token = Stream::kResultToken}}, pending_.deadline());
  if (!id) return stream->fail_asking(crowded_status());
  const bool is_asked = port_.query_survey([this, stream, id = *id](SurveyResult result) {
    stream->take_result(std::move(result));
    overlay_.on_request_answer({.request = id});
    overlay_.flush();
  });
  if (!is_asked) {
    pending_.remove(*id, 1);
    stream->fail_asking(busy_status());
  }
  fail_if_stopping();
}

void SurveyService::submit_run(const std::shared_ptr<RunStream>& stream, RunSurvey run) {
  const auto id = pending_.add(stream, {{.token = RunStream::kRunToken}}, pending_.deadline());
  if (!id) return stream->finish(crowded_status());
  run.request = *id;
  if (!port_.submit({run})) {
    pending_.remove(*id, 1);
    stream->finish(busy_status());
  }
  fail_if_stopping();
}

grpc::ServerWriteReactor<v1::SurveyResultPage>* SurveyService::GetResult(grpc::CallbackServerContext*,
                                                                         const v1::GetSurveyResultRequest*) {
  Status refused;
  const auto stream = open(results_, refused);
  if (!stream) return new RefusedStream<grpc::ServerWriteReactor<v1::SurveyResultPage>>(refused);
  ask_result(stream);
  return stream.get();
}

grpc::ServerWriteReactor<v1::RunSurveyResponse>* SurveyService::Run(grpc::CallbackServerContext*,
                                                                    const v1::RunSurveyRequest* request) {
  using Refused = RefusedStream<grpc::ServerWriteReactor<v1::RunSurveyResponse>>;
  RunSurvey run;
  if (!request->attach()) {
    const auto checked = to_run_survey(*request);
    if (!checked) return new Refused({StatusCode::INVALID_ARGUMENT, checked.error()});
    run = checked.value();
  }
  Status refused;
  const auto stream = open(runs_, refused);
  if (!stream) return new Refused(refused);
  if (request->attach()) {
    ask_result(stream);
  } else {
    submit_run(stream, run);
  }
  return stream.get();
}

// --- unary calls --------------------------------------------------------------------------------------------------

template <typename Fill>
grpc::ServerUnaryReactor* SurveyService::order(grpc::CallbackServerContext* context, Input input, Fill fill) {
  if (is_stopping_) return finish_now(context, stopping_status());
  auto* reactor = context->DefaultReactor();
  submit_call(pending_, port_, make_call(*reactor, std::move(fill)), {{.token = 0}}, {std::move(input)});
  fail_if_stopping();
  return reactor;
}

grpc::ServerUnaryReactor* SurveyService::Start(grpc::CallbackServerContext* context,
                                               const v1::StartSurveyRequest* request,
                                               v1::StartSurveyResponse* response) {
  // Drawn here, so that it is known without asking the overlay afterwards.
  const std::uint32_t nonce = request->nonce() != 0 ? request->nonce() : draw_nonce();
  return order(context, StartSurvey{.request = {}, .nonce = nonce}, [response, nonce](const RequestAnswer& answer) {
    response->set_nonce(nonce);
    return to_status(answer, SurveyMeaning{});
  });
}

grpc::ServerUnaryReactor* SurveyService::Stop(grpc::CallbackServerContext* context, const v1::StopSurveyRequest*,
                                              v1::StopSurveyResponse*) {
  return order(context, StopSurvey{}, [](const RequestAnswer& answer) {
    return to_status(answer, {.not_found = "no survey of this node is collecting; begin one with Start or Run"});
  });
}

grpc::ServerUnaryReactor* SurveyService::Request(grpc::CallbackServerContext* context,
                                                 const v1::RequestSurveyRequest* request, v1::RequestSurveyResponse*) {
  const auto wanted = to_survey_request(*request);
  if (!wanted) return finish_now(context, {StatusCode::INVALID_ARGUMENT, wanted.error()});
  return order(context, wanted.value(), [](const RequestAnswer& answer) -> Status {
    if (answer.status == RequestStatus::kNotFound)
      return {StatusCode::FAILED_PRECONDITION,
              "no survey of this node is in its reporting phase; begin one with Start, and Stop it"};
    return to_status(answer, {.duplicate = "node_id: a request to that node waits or is under way"});
  });
}

grpc::ServerUnaryReactor* SurveyService::End(grpc::CallbackServerContext* context, const v1::EndSurveyRequest*,
                                             v1::EndSurveyResponse*) {
  return order(context, EndSurvey{}, [](const RequestAnswer& answer) {
    return to_status(answer, {.not_found = "nobody is being asked: there is nothing to end"});
  });
}

grpc::ServerUnaryReactor* SurveyService::GetStatus(grpc::CallbackServerContext* context,
                                                   const v1::GetSurveyStatusRequest*, v1::SurveyStatus* response) {
  if (is_stopping_) return finish_now(context, stopping_status());
  auto* reactor = context->DefaultReactor();
  const auto call = std::make_shared<StatusCall>(*reactor, *response);
  const auto id = enter_call(pending_, call, {{.token = 0}});
  if (!id) return reactor;
  const bool is_asked = port_.query_survey([this, call, id = *id](SurveyResult result) {
    call->set_status(std::move(result.status));
    overlay_.on_request_answer({.request = id});
    overlay_.flush();
  });
  if (!is_asked) withdraw_call(pending_, *call, *id, 1);
  fail_if_stopping();
  return reactor;
}

}  // namespace overlayd::ipc
