#include "ipc/unary_call.h"

namespace overlayd::ipc {
namespace {

using grpc::Status;
using grpc::StatusCode;

void set_request(Input& input, RequestId id) {
  const auto set = [id]<typename T>(T& value) {
    if constexpr (requires { value.request = id; }) value.request = id;
  };
  std::visit(set, input);
}

}  // namespace

grpc::ServerUnaryReactor* finish_now(grpc::CallbackServerContext* context, const Status& status) {
  auto* reactor = context->DefaultReactor();
  reactor->Finish(status);
  return reactor;
}

Status stopping_status() { return {StatusCode::UNAVAILABLE, "the daemon is stopping"}; }

Status busy_status() { return {StatusCode::RESOURCE_EXHAUSTED, "the overlay is busy: its queue is full; try again"}; }

Status crowded_status() {
  return {StatusCode::RESOURCE_EXHAUSTED, "too many requests, or too large ones, wait for an answer; try again"};
}

Status failure_status(RequestFailure failure) {
  if (failure == RequestFailure::kStopping) return stopping_status();
  return {StatusCode::DEADLINE_EXCEEDED, "the overlay did not answer in time"};
}

void UnaryCall::finish(const Status& status) {
  answer_with([&] { return status; });
}

void UnaryCall::on_failure(std::uint64_t, const MessagePtr&, RequestFailure failure) {
  finish(failure_status(failure));
}

std::optional<RequestId> enter_call(PendingRequests& pending, const std::shared_ptr<UnaryCall>& call,
                                    const std::vector<PendingRequests::Item>& items) {
  const auto first = pending.add(call, items, pending.deadline());
  if (!first) call->finish(crowded_status());
  return first;
}

void withdraw_call(PendingRequests& pending, UnaryCall& call, RequestId first, std::size_t count) {
  pending.remove(first, count);
  call.finish(busy_status());
}

void submit_call(PendingRequests& pending, OverlayPort& port, const std::shared_ptr<UnaryCall>& call,
                 const std::vector<PendingRequests::Item>& items, std::vector<Input> inputs) {
  const auto first = enter_call(pending, call, items);
  if (!first) return;
  for (std::size_t i = 0; i < inputs.size(); ++i) set_request(inputs[i], RequestId{first->value + i});
  if (!port.submit(std::move(inputs))) withdraw_call(pending, *call, *first, items.size());
}

}  // namespace overlayd::ipc
