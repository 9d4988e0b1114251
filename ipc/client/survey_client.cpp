#include "ipc/client/survey_client.h"

#include "ipc/client/channel.h"

namespace overlayd::ipc {

namespace v1 = ::overlay::v1;

namespace {

using grpc::Status;
using grpc::StatusCode;

constexpr std::chrono::milliseconds kRetryPeriod{200};
constexpr std::chrono::milliseconds kConnectTimeout{2000};  // of one attempt while the daemon is away

constexpr const char* kCancelled = "cancelled";

// Ends of a stream behind which there may be a daemon that is gone, or is starting. What it says of itself to a client
// that comes too early or too often is among them.
bool may_pass(StatusCode code) {
  switch (code) {
    case StatusCode::UNAVAILABLE:
    case StatusCode::UNKNOWN:
    case StatusCode::INTERNAL:
    case StatusCode::CANCELLED:
    case StatusCode::DEADLINE_EXCEEDED:
    case StatusCode::RESOURCE_EXHAUSTED: return true;
    default: return false;
  }
}

void add_page(v1::SurveyResultPage& page, CollectedSurvey& collected) {
  if (page.has_status()) collected.status = std::move(*page.mutable_status());
  for (v1::SurveyNode& node : *page.mutable_nodes()) collected.nodes.push_back(std::move(node));
}

}  // namespace

struct SurveyClient::RunState {
  bool is_attaching = false;
  bool is_known = false;         // a status came: the daemon has our run
  bool is_repeated = false;      // asked again after the daemon went away
  std::uint64_t began_unix = 0;  // of the run that is followed
  std::optional<std::string> error;
  std::optional<CollectedSurvey> collected;  // once pages came
  bool is_complete = false;
  // When a stream that told something ended, or run() began.
  std::chrono::steady_clock::time_point heard = std::chrono::steady_clock::now();
  Status last;
};

Result<std::unique_ptr<SurveyClient>> SurveyClient::connect(const ClientOptions& options) {
  std::unique_ptr<SurveyClient> client(new SurveyClient(options));
  if (auto opened = client->open(options.connect_timeout); !opened) return Failure{opened.error()};
  return client;
}

Result<Done> SurveyClient::open(std::chrono::milliseconds timeout) {
  auto channel = open_channel(options_.socket, timeout);
  if (!channel) return Failure{channel.error()};
  const std::lock_guard lock(mutex_);
  stub_ = v1::Survey::NewStub(channel.value());
  return Done{};
}

std::shared_ptr<v1::Survey::Stub> SurveyClient::stub() {
  const std::lock_guard lock(mutex_);
  return stub_;
}

template <typename Request, typename Response>
Result<Response> SurveyClient::call(Status (v1::Survey::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                    const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + options_.call_timeout);
  Response response;
  const Status status = (*stub().*method)(&context, request, &response);
  if (!status.ok()) return Failure{status_text(status, options_.socket)};
  return response;
}

Result<std::uint32_t> SurveyClient::start(std::uint32_t nonce) {
  v1::StartSurveyRequest request;
  request.set_nonce(nonce);
  const auto response = call(&v1::Survey::Stub::Start, request);
  if (!response) return Failure{response.error()};
  return response.value().nonce();
}

Result<Done> SurveyClient::stop() {
  const auto response = call(&v1::Survey::Stub::Stop, v1::StopSurveyRequest());
  if (!response) return Failure{response.error()};
  return Done{};
}

Result<Done> SurveyClient::request(const v1::RequestSurveyRequest& request) {
  const auto response = call(&v1::Survey::Stub::Request, request);
  if (!response) return Failure{response.error()};
  return Done{};
}

Result<Done> SurveyClient::end() {
  const auto response = call(&v1::Survey::Stub::End, v1::EndSurveyRequest());
  if (!response) return Failure{response.error()};
  return Done{};
}

Result<v1::SurveyStatus> SurveyClient::status() {
  return call(&v1::Survey::Stub::GetStatus, v1::GetSurveyStatusRequest());
}

Result<CollectedSurvey> SurveyClient::result() {
  grpc::ClientContext context;
  if (!begin_stream(context)) return Failure{kCancelled};
  const auto reader = stub()->GetResult(&context, v1::GetSurveyResultRequest());
  CollectedSurvey collected;
  v1::SurveyResultPage page;
  bool is_complete = false;
  while (reader->Read(&page)) {
    is_complete = page.is_last();
    add_page(page, collected);
  }
  const Status status = reader->Finish();
  if (end_stream()) return Failure{kCancelled};
  if (!status.ok()) return Failure{status_text(status, options_.socket)};
  if (!is_complete) return Failure{"the daemon ended the result before its last page"};
  return collected;
}

Result<CollectedSurvey> SurveyClient::run(const RunSurveyOptions& options) {
  RunState state;
  state.is_attaching = options.is_attaching;
  std::string why;
  while (true) {
    const auto end = follow(options, state);
    if (end) return *end;
    if (state.last.error_code() == StatusCode::ALREADY_EXISTS) continue;  // it is there: followed now
    if (options.on_away) options.on_away(status_text(state.last, options_.socket));
    if (!come_back(options, state, why)) return Failure{why};
  }
}

std::optional<Result<CollectedSurvey>> SurveyClient::follow(const RunSurveyOptions& options, RunState& state) {
  grpc::ClientContext context;
  if (!begin_stream(context)) return Failure{kCancelled};
  v1::RunSurveyRequest request;
  request.set_attach(state.is_attaching);
  if (!state.is_attaching) request.set_collect_ms(static_cast<std::uint64_t>(options.collect.count()));
  const auto reader = stub()->Run(&context, request);
  state.collected.reset();
  v1::RunSurveyResponse response;
  bool has_heard = false;
  while (!state.error && reader->Read(&response)) {
    has_heard = true;
    take(options, response, state);
  }
  if (state.error) context.TryCancel();
  state.last = reader->Finish();
  if (has_heard) state.heard = std::chrono::steady_clock::now();  // the stream's end: it is silent while all collect
  if (end_stream()) return Failure{kCancelled};
  return judge(state);
}

void SurveyClient::take(const RunSurveyOptions& options, v1::RunSurveyResponse& response, RunState& state) {
  if (response.has_result()) {
    if (!state.collected) state.collected.emplace();
    state.is_complete = response.result().is_last();
    add_page(*response.mutable_result(), *state.collected);
    return;
  }
  const v1::SurveyStatus& status = response.status();
  if (state.is_known && status.run_began_unix() != state.began_unix) {
    state.error = "the daemon conducts another run now; the one begun here is lost";
    return;
  }
  state.is_known = true;
  state.is_attaching = true;
  state.began_unix = status.run_began_unix();
  if (options.on_status) options.on_status(status);
}

std::optional<Result<CollectedSurvey>> SurveyClient::judge(RunState& state) const {
  if (state.error) return Failure{*state.error};
  const Status& status = state.last;
  if (status.ok() && state.is_complete && state.collected) return std::move(*state.collected);
  if (status.ok()) return Failure{"the daemon ended the run before the last page of its result"};
  if (state.is_known && status.error_code() == StatusCode::NOT_FOUND)
    return Failure{"the daemon has forgotten the run; begin it anew"};
  // It is the one we asked for before the daemon went away.
  if (state.is_repeated && !state.is_attaching && status.error_code() == StatusCode::ALREADY_EXISTS) {
    state.is_attaching = true;
    return std::nullopt;
  }
  // RESOURCE_EXHAUSTED is said of a request that was not taken.
  const bool may_have_begun =
      state.is_known || state.is_repeated || status.error_code() != StatusCode::RESOURCE_EXHAUSTED;
  if (may_have_begun && may_pass(status.error_code())) return std::nullopt;
  return Failure{status_text(status, options_.socket)};
}

bool SurveyClient::come_back(const RunSurveyOptions& options, RunState& state, std::string& why) {
  state.is_repeated = true;
  const auto give_up = state.heard + options.away_max;
  why = status_text(state.last, options_.socket);
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (cancelled_.wait_for(lock, kRetryPeriod, [this] { return is_cancelled_; })) {
        why = kCancelled;
        return false;
      }
    }
    auto opened = open(kConnectTimeout);
    if (opened && std::chrono::steady_clock::now() < give_up) return true;
    if (!opened) why = opened.error();
    if (std::chrono::steady_clock::now() < give_up) continue;
    why += "; gave up waiting for it. The daemon goes on with its run: attach later";
    return false;
  }
}

void SurveyClient::cancel() {
  const std::lock_guard lock(mutex_);
  is_cancelled_ = true;
  if (stream_ != nullptr) stream_->TryCancel();
  cancelled_.notify_all();
}

bool SurveyClient::begin_stream(grpc::ClientContext& context) {
  const std::lock_guard lock(mutex_);
  if (is_cancelled_) return false;
  stream_ = &context;
  return true;
}

bool SurveyClient::end_stream() {
  const std::lock_guard lock(mutex_);
  stream_ = nullptr;
  return is_cancelled_;
}

}  // namespace overlayd::ipc
