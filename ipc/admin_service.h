// The service Admin: what the operator asks and orders, over the port to the overlay thread.
// Served by a gRPC server of its own; nothing here waits for a data stream. Answers are built and sent by a worker
// thread, not by the overlay thread that took the snapshot or answered the order. A snapshot that the overlay never
// delivers (the daemon is stopping) ends its call with UNAVAILABLE.
#pragma once
#include <grpcpp/grpcpp.h>
#include <overlay/v1/admin.grpc.pb.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

#include "ipc/admin_calls.h"
#include "ipc/overlay_port.h"
#include "ipc/overlay_service.h"
#include "ipc/worker.h"

namespace overlayd::ipc {

class AdminService final : public ::overlay::v1::Admin::CallbackService {
 public:
  // `overlay` tells of subscribers and the event log. `requests_timeout`: for the overlay to answer an order.
  AdminService(OverlayPort& port, const OverlayService& overlay,
               Duration requests_timeout = limits::kRequestAnswerTimeout);
  ~AdminService() override;
  AdminService(const AdminService&) = delete;
  AdminService& operator=(const AdminService&) = delete;

  // Sends the answers that are ready and ends the orders that wait with UNAVAILABLE; later snapshots are sent by the
  // thread that delivers them. Before the gRPC server stops.
  void stop();

  // From the overlay thread: an answer whose id is_of_operator.
  void on_request_answer(const RequestAnswer& answer);

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const ::overlay::v1::GetStatusRequest* request,
                                      ::overlay::v1::GetStatusResponse* response) override;
  grpc::ServerUnaryReactor* ListPeers(grpc::CallbackServerContext* context,
                                      const ::overlay::v1::ListPeersRequest* request,
                                      ::overlay::v1::ListPeersResponse* response) override;
  grpc::ServerUnaryReactor* ListClosedPeers(grpc::CallbackServerContext* context,
                                            const ::overlay::v1::ListClosedPeersRequest* request,
                                            ::overlay::v1::ListClosedPeersResponse* response) override;
  grpc::ServerUnaryReactor* ExplainPeer(grpc::CallbackServerContext* context,
                                        const ::overlay::v1::ExplainPeerRequest* request,
                                        ::overlay::v1::ExplainPeerResponse* response) override;
  grpc::ServerUnaryReactor* ListKnownPeers(grpc::CallbackServerContext* context,
                                           const ::overlay::v1::ListKnownPeersRequest* request,
                                           ::overlay::v1::ListKnownPeersResponse* response) override;
  grpc::ServerUnaryReactor* Connect(grpc::CallbackServerContext* context, const ::overlay::v1::ConnectRequest* request,
                                    ::overlay::v1::ConnectResponse* response) override;
  grpc::ServerUnaryReactor* Disconnect(grpc::CallbackServerContext* context,
                                       const ::overlay::v1::DisconnectRequest* request,
                                       ::overlay::v1::DisconnectResponse* response) override;
  grpc::ServerUnaryReactor* Ban(grpc::CallbackServerContext* context, const ::overlay::v1::BanRequest* request,
                                ::overlay::v1::BanResponse* response) override;
  grpc::ServerUnaryReactor* Unban(grpc::CallbackServerContext* context, const ::overlay::v1::UnbanRequest* request,
                                  ::overlay::v1::UnbanResponse* response) override;
  grpc::ServerUnaryReactor* ListBans(grpc::CallbackServerContext* context,
                                     const ::overlay::v1::ListBansRequest* request,
                                     ::overlay::v1::ListBansResponse* response) override;

 private:
  // Answers with what `fill` makes of a snapshot, which `query` asks the port for; query is given the port's callback.
  template <typename Snapshot, typename Query, typename Fill>
  grpc::ServerUnaryReactor* answer_from(grpc::CallbackServerContext* context, Query query, Fill fill);
  // Starts one of the calls that change something.
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* begin(grpc::CallbackServerContext* context,
                                  void (AdminCalls::*call)(grpc::ServerUnaryReactor&, const Request&, Response&),
                                  const Request& request, Response& response);
  void post(std::function<void()> task);
  void work();

  OverlayPort& port_;
  const OverlayService& overlay_;
  AdminCalls calls_;
  std::mutex mutex_;
  std::atomic<bool> is_stopped_ = false;      // set with the mutex held
  std::vector<std::function<void()>> tasks_;  // bounded by the calls in flight
  Worker worker_;
};

}  // namespace overlayd::ipc
