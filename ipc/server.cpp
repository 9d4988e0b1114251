#include "ipc/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <unistd.h>

#include "ipc/admin_service.h"
#include "ipc/convert.h"
#include "ipc/grpc_life.h"
#include "ipc/overlay_service.h"
#include "ipc/unix_socket.h"

namespace overlayd::ipc {
namespace {

// A gRPC server on one Unix socket.
class Door {
 public:
  Result<Done> open(const std::string& path, const std::string& group, grpc::Service& service,
                    const char* service_name) {
    if (auto cleared = clear_socket_path(path); !cleared) return cleared;
    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(static_cast<int>(limits::kApiMessageBytesMax));
    builder.SetMaxSendMessageSize(static_cast<int>(limits::kApiMessageBytesMax));
    builder.AddListeningPort("unix:" + path, grpc::InsecureServerCredentials());
    builder.RegisterService(&service);
    const PrivateUmask closed_until_set;
    server_ = builder.BuildAndStart();
    if (!server_) return Failure{"socket " + path + ": cannot listen; may this user write to its directory?"};
    path_ = path;
    if (auto access = set_socket_access(path, group); !access) return access;
    server_->GetHealthCheckService()->SetServingStatus(service_name, true);
    return Done{};
  }

  void close() {
    if (!server_) return;
    server_->GetHealthCheckService()->Shutdown();
    server_->Shutdown(std::chrono::system_clock::now() +
                      std::chrono::duration_cast<std::chrono::system_clock::duration>(limits::kApiShutdownTimeout));
    server_.reset();
    ::unlink(path_.c_str());
  }

 private:
  std::unique_ptr<grpc::Server> server_;
  std::string path_;
};

}  // namespace

struct Server::Parts {
  Parts(ServerOptions given, OverlayPort& port)
      : options(std::move(given)),
        overlay({.local = options.local,
                 .boot_id = options.boot_id,
                 .event_log = options.event_log,
                 .broadcasts_bytes_max = options.broadcasts_bytes_max},
                port),
        admin(port, overlay) {}

  ServerOptions options;
  OverlayService overlay;
  AdminService admin;
  Door overlay_door;
  Door admin_door;
};

Server::Server(ServerOptions options, OverlayPort& port) : parts_(std::make_unique<Parts>(std::move(options), port)) {}

Server::~Server() { stop(); }

Result<Done> Server::start() {
  const ServerOptions& options = parts_->options;
  if (options.socket == options.admin_socket) {
    return Failure{"socket " + options.socket + ": ipc.socket and ipc.admin_socket must differ"};
  }
  keep_grpc_initialised();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  auto opened = parts_->overlay_door.open(options.socket, options.socket_group, parts_->overlay,
                                          v1::Overlay::service_full_name());
  if (opened) {
    opened = parts_->admin_door.open(options.admin_socket, options.admin_group, parts_->admin,
                                     v1::Admin::service_full_name());
  }
  if (!opened) stop();
  return opened;
}

void Server::stop() {
  parts_->overlay.stop();
  parts_->admin.stop();
  parts_->overlay_door.close();
  parts_->admin_door.close();
}

OverlayEvents& Server::events() { return parts_->overlay; }

const EventLog& Server::event_log() const { return parts_->overlay.event_log(); }

}  // namespace overlayd::ipc
