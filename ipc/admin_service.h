// The service Admin: status, peers, connect and disconnect, over the port to the overlay thread.
// Served by a gRPC server of its own; nothing here waits for a data stream. Answers are built and sent by a worker
// thread, not by the overlay thread that took the snapshot. A snapshot that the overlay never delivers (the daemon is
// stopping) ends its call with UNAVAILABLE.
#pragma once
#include <grpcpp/grpcpp.h>
#include <overlay/v1/admin.grpc.pb.h>

#include <functional>
#include <mutex>
#include <vector>

#include "ipc/overlay_port.h"
#include "ipc/overlay_service.h"
#include "ipc/worker.h"

namespace overlayd::ipc {

class AdminService final : public ::overlay::v1::Admin::CallbackService {
 public:
  // `overlay` tells of subscribers and the event log.
  AdminService(OverlayPort& port, const OverlayService& overlay);
  ~AdminService() override;
  AdminService(const AdminService&) = delete;
  AdminService& operator=(const AdminService&) = delete;

  // Sends the answers that are ready; later ones are sent by the thread that delivers them. Before the gRPC server
  // stops.
  void stop();

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const ::overlay::v1::GetStatusRequest* request,
                                      ::overlay::v1::GetStatusResponse* response) override;
  grpc::ServerUnaryReactor* ListPeers(grpc::CallbackServerContext* context,
                                      const ::overlay::v1::ListPeersRequest* request,
                                      ::overlay::v1::ListPeersResponse* response) override;
  grpc::ServerUnaryReactor* Connect(grpc::CallbackServerContext* context, const ::overlay::v1::ConnectRequest* request,
                                    ::overlay::v1::ConnectResponse* response) override;
  grpc::ServerUnaryReactor* Disconnect(grpc::CallbackServerContext* context,
                                       const ::overlay::v1::DisconnectRequest* request,
                                       ::overlay::v1::DisconnectResponse* response) override;

 private:
  void post(std::function<void()> task);
  void work();

  OverlayPort& port_;
  const OverlayService& overlay_;
  std::mutex mutex_;
  bool is_stopped_ = false;
  std::vector<std::function<void()>> tasks_;  // bounded by the calls in flight
  Worker worker_;
};

}  // namespace overlayd::ipc
