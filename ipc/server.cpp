#include "ipc/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <unistd.h>

#include <future>

#include "ipc/admin_service.h"
#include "ipc/convert.h"
#include "ipc/grpc_life.h"
#include "ipc/overlay_service.h"
#include "ipc/survey_service.h"
#include "ipc/unix_socket.h"

namespace overlayd::ipc {
namespace {

// A gRPC server on one Unix socket.
class Door {
 public:
  struct Offer {
    grpc::Service& service;
    const char* name;
  };
  Result<Done> open(const std::string& path, const std::string& group, const std::vector<Offer>& offers) {
    if (auto cleared = clear_socket_path(path); !cleared) return cleared;
    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(static_cast<int>(limits::kApiMessageBytesMax));
    builder.SetMaxSendMessageSize(static_cast<int>(limits::kApiMessageBytesMax));
    builder.AddListeningPort("unix:" + path, grpc::InsecureServerCredentials());
    for (const Offer& offer : offers) builder.RegisterService(&offer.service);
    const PrivateUmask closed_until_set;
    server_ = builder.BuildAndStart();
    if (!server_) return Failure{"socket " + path + ": cannot listen; may this user write to its directory?"};
    path_ = path;
    if (auto access = set_socket_access(path, group); !access) return access;
    for (const Offer& offer : offers) server_->GetHealthCheckService()->SetServingStatus(offer.name, true);
    return Done{};
  }

  // On a thread of its own: gRPC waits without bound for a client that does not read its answer.
  void begin_close() {
    if (!server_ || closing_.valid()) return;
    server_->GetHealthCheckService()->Shutdown();
    closing_ = std::async(std::launch::async, [this] {
      server_->Shutdown(std::chrono::system_clock::now() +
                        std::chrono::duration_cast<std::chrono::system_clock::duration>(limits::kApiShutdownTimeout));
      server_.reset();
    });
  }
  // Whether it is closed. The socket is gone in any case.
  bool wait_closed(std::chrono::steady_clock::time_point deadline) {
    if (!closing_.valid()) return true;
    const bool is_closed = closing_.wait_until(deadline) == std::future_status::ready;
    if (is_closed) closing_.get();
    ::unlink(path_.c_str());
    return is_closed;
  }

 private:
  std::unique_ptr<grpc::Server> server_;
  std::string path_;
  std::future<void> closing_;  // last: its destructor waits for the thread
};

// Sends each answer to the service whose request it was.
class Events final : public OverlayEvents {
 public:
  Events(OverlayService& overlay, AdminService& admin, SurveyService& survey)
      : overlay_(overlay), admin_(admin), survey_(survey) {}
  void on_message(const PublishMessage& published, std::int64_t arrival_unix_nanos) override {
    overlay_.on_message(published, arrival_unix_nanos);
  }
  void on_peer(const PublishPeer& published, std::int64_t arrival_unix_nanos) override {
    overlay_.on_peer(published, arrival_unix_nanos);
  }
  void on_item(const PublishItem& published, std::int64_t arrival_unix_nanos) override {
    overlay_.on_item(published, arrival_unix_nanos);
  }
  void on_scp_state_request(const PublishScpStateRequest& published, std::int64_t arrival_unix_nanos) override {
    overlay_.on_scp_state_request(published, arrival_unix_nanos);
  }
  void on_survey(const PublishSurvey& published, std::int64_t arrival_unix_nanos) override {
    overlay_.on_survey(published, arrival_unix_nanos);
    survey_.on_survey(published);
  }
  void on_request_answer(const RequestAnswer& answer) override {
    if (is_of_operator(answer.request))
      admin_.on_request_answer(answer);
    else
      overlay_.on_request_answer(answer);
  }
  void flush() override {
    overlay_.flush();
    survey_.flush();
  }

 private:
  OverlayService& overlay_;
  AdminService& admin_;
  SurveyService& survey_;
};

}  // namespace

struct Server::Parts {
  Parts(ServerOptions given, OverlayPort& port)
      : options(std::move(given)),
        overlay({.local = options.local,
                 .boot_id = options.boot_id,
                 .event_log = options.event_log,
                 .requests_bytes_max = options.requests_bytes_max,
                 .requests_timeout = options.requests_timeout,
                 .item_answers_bytes_max = options.item_answers_bytes_max},
                port),
        admin(port, overlay, options.requests_timeout),
        survey(port, overlay),
        events(overlay, admin, survey) {}

  ServerOptions options;
  OverlayService overlay;
  AdminService admin;
  SurveyService survey;
  Events events;
  Door overlay_door;
  Door admin_door;
};

Server::Server(ServerOptions options, OverlayPort& port) : parts_(std::make_unique<Parts>(std::move(options), port)) {}

Server::~Server() { static_cast<void>(stop()); }

Result<Done> Server::start() {
  const ServerOptions& options = parts_->options;
  if (options.socket == options.admin_socket) {
    return Failure{"socket " + options.socket + ": ipc.socket and ipc.admin_socket must differ"};
  }
  keep_grpc_initialised();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  auto opened = parts_->overlay_door.open(
      options.socket, options.socket_group,
      {{parts_->overlay, v1::Overlay::service_full_name()}, {parts_->survey, v1::Survey::service_full_name()}});
  if (opened) {
    opened = parts_->admin_door.open(options.admin_socket, options.admin_group,
                                     {{parts_->admin, v1::Admin::service_full_name()}});
  }
  if (!opened) static_cast<void>(stop());
  return opened;
}

bool Server::stop() {
  parts_->overlay.stop();
  parts_->survey.stop();
  parts_->admin.stop();
  parts_->overlay_door.begin_close();
  parts_->admin_door.begin_close();
  const auto deadline = std::chrono::steady_clock::now() + limits::kApiShutdownTimeout + limits::kApiCancelTimeout;
  const bool is_overlay_closed = parts_->overlay_door.wait_closed(deadline);
  return parts_->admin_door.wait_closed(deadline) && is_overlay_closed;
}

OverlayEvents& Server::events() { return parts_->events; }

const EventLog& Server::event_log() const { return parts_->overlay.event_log(); }

}  // namespace overlayd::ipc
