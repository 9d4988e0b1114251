// The operator's calls that change something: each checks its request, hands it to the overlay, and is finished by the
// overlay's answer, by the timeout, or by fail_all.
// Table.   They have a table of pending requests of their own, whose ids carry kOperatorRequestBit, of at most
//          kOperatorRequestsMax: clients of the other socket cannot fill it.
// Errors.  INVALID_ARGUMENT names the field. What the overlay refuses is FAILED_PRECONDITION with its reason; a ban that
//          could not be written is UNAVAILABLE and says what holds.
// The reactors and responses given live until they are finished. All may be called from any thread.
#pragma once
#include <grpcpp/grpcpp.h>
#include <overlay/v1/admin.pb.h>

#include "ipc/overlay_port.h"
#include "ipc/pending_requests.h"

namespace overlayd::ipc {

inline constexpr std::size_t kOperatorRequestsMax = 128;

class AdminCalls {
 public:
  AdminCalls(OverlayPort& port, Duration timeout);

  void connect(grpc::ServerUnaryReactor& reactor, const ::overlay::v1::ConnectRequest& request,
               ::overlay::v1::ConnectResponse& response);
  void disconnect(grpc::ServerUnaryReactor& reactor, const ::overlay::v1::DisconnectRequest& request,
                  ::overlay::v1::DisconnectResponse& response);
  void ban(grpc::ServerUnaryReactor& reactor, const ::overlay::v1::BanRequest& request,
           ::overlay::v1::BanResponse& response);
  void unban(grpc::ServerUnaryReactor& reactor, const ::overlay::v1::UnbanRequest& request,
             ::overlay::v1::UnbanResponse& response);

  void answer(const RequestAnswer& answer) { pending_.answer(answer); }
  void expire() { pending_.expire(PendingRequests::Clock::now()); }
  void fail_all() { pending_.fail_all(); }

 private:
  OverlayPort& port_;
  PendingRequests pending_;
};

}  // namespace overlayd::ipc
