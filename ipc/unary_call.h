// One unary call that waits for the overlay's answer to its request, or requests.
// Rule.    It is finished exactly once, by the first of: its answer, its failure, finish. After that nobody touches its
//          response. So subclasses write to the response only inside answer_with.
#pragma once
#include <grpcpp/grpcpp.h>

#include <mutex>

#include "ipc/overlay_port.h"
#include "ipc/pending_requests.h"

namespace overlayd::ipc {

// A call that ends before it was entered anywhere.
grpc::ServerUnaryReactor* finish_now(grpc::CallbackServerContext* context, const grpc::Status& status);

[[nodiscard]] grpc::Status stopping_status();
[[nodiscard]] grpc::Status busy_status();     // the overlay's queue is full
[[nodiscard]] grpc::Status crowded_status();  // the table of pending requests is full
[[nodiscard]] grpc::Status failure_status(RequestFailure failure);

class UnaryCall : public RequestWaiter {
 public:
  explicit UnaryCall(grpc::ServerUnaryReactor& reactor) : reactor_(reactor) {}
  void finish(const grpc::Status& status);
  void on_failure(std::uint64_t token, const MessagePtr& message, RequestFailure failure) override;

 protected:
  // Calls `fill` if the call is open still; the status that fill returns finishes it, nothing leaves it open.
  template <typename Fill>
  void answer_with(Fill fill) {
    std::optional<grpc::Status> end;
    {
      const std::lock_guard lock(mutex_);
      if (is_finished_) return;
      end = fill();
      is_finished_ = end.has_value();
    }
    if (end) reactor_.Finish(*end);
  }

 private:
  grpc::ServerUnaryReactor& reactor_;
  std::mutex mutex_;
  bool is_finished_ = false;
};

// A call with one request, whose response, if it has one, `fill` makes of the answer; fill returns the call's status.
template <typename Fill>
class SimpleCall final : public UnaryCall {
 public:
  SimpleCall(grpc::ServerUnaryReactor& reactor, Fill fill) : UnaryCall(reactor), fill_(std::move(fill)) {}
  void on_answer(std::uint64_t, const MessagePtr&, const RequestAnswer& answer) override {
    answer_with([&] { return fill_(answer); });
  }

 private:
  const Fill fill_;
};

template <typename Fill>
std::shared_ptr<UnaryCall> make_call(grpc::ServerUnaryReactor& reactor, Fill fill) {
  return std::make_shared<SimpleCall<Fill>>(reactor, std::move(fill));
}

// Enters `items` into the table. Nothing: there is no room, and the call is finished with RESOURCE_EXHAUSTED.
[[nodiscard]] std::optional<RequestId> enter_call(PendingRequests& pending, const std::shared_ptr<UnaryCall>& call,
                                                  const std::vector<PendingRequests::Item>& items);
// Takes them out again, for the overlay's queue was full, and finishes the call with RESOURCE_EXHAUSTED.
void withdraw_call(PendingRequests& pending, UnaryCall& call, RequestId first, std::size_t count);
// Enters `items` and hands `inputs` to the overlay, one for each, under the ids they were given. All or none.
void submit_call(PendingRequests& pending, OverlayPort& port, const std::shared_ptr<UnaryCall>& call,
                 const std::vector<PendingRequests::Item>& items, std::vector<Input> inputs);

}  // namespace overlayd::ipc
