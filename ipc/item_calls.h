// The unary calls about items and SCP state: each checks its request, hands it to the overlay, and is finished by the
// overlay's answer, by limits::kRequestAnswerTimeout, or by the table's fail_all.
// A call that the overlay refuses, and whose response has no status for that, is FAILED_PRECONDITION with the reason.
// The reactors and responses given live until they are finished. All may be called from any thread.
// Answers of get_item on their way are bounded by an AnswerBudget; past it the call ends with RESOURCE_EXHAUSTED.
#pragma once
#include <grpcpp/grpcpp.h>
#include <overlay/v1/overlay.pb.h>

#include <functional>

#include "ipc/answer_budget.h"
#include "ipc/overlay_port.h"
#include "ipc/pending_requests.h"

namespace overlayd::ipc {

class ItemCalls {
 public:
  // `deliver` takes answers to what the overlay was asked without an input; called on the overlay's thread.
  ItemCalls(OverlayPort& port, PendingRequests& pending, const NetworkId& network, std::size_t answers_bytes_max,
            std::function<void(const RequestAnswer&)> deliver);

  void fetch(grpc::ServerUnaryReactor& reactor, const ::overlay::v1::FetchRequest& request,
             ::overlay::v1::FetchResponse& response);
  void cancel_fetch(grpc::ServerUnaryReactor& reactor, const ::overlay::v1::CancelFetchRequest& request,
                    ::overlay::v1::CancelFetchResponse& response);
  void put_items(grpc::ServerUnaryReactor& reactor, const ::overlay::v1::PutItemsRequest& request,
                 ::overlay::v1::PutItemsResponse& response);
  // Makes its own reactor: only that learns when gRPC is done with the answer. It must not outlive this.
  grpc::ServerUnaryReactor* get_item(const ::overlay::v1::GetItemRequest& request,
                                     ::overlay::v1::GetItemResponse& response);
  void request_scp_state(grpc::ServerUnaryReactor& reactor, const ::overlay::v1::RequestScpStateRequest& request,
                         ::overlay::v1::RequestScpStateResponse& response);
  void send_scp_state(grpc::ServerUnaryReactor& reactor, const ::overlay::v1::SendScpStateRequest& request,
                      ::overlay::v1::SendScpStateResponse& response);

 private:
  OverlayPort& port_;
  PendingRequests& pending_;
  const NetworkId network_;
  AnswerBudget answers_;
  const std::function<void(const RequestAnswer&)> deliver_;
};

}  // namespace overlayd::ipc
