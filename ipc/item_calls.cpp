#include "ipc/item_calls.h"

#include <mutex>

#include "core/wire/message.h"
#include "ipc/convert.h"
#include "ipc/unary_call.h"

namespace overlayd::ipc {
namespace {

using grpc::Status;
using grpc::StatusCode;

// What the answer means to a call whose response has no status of its own.
Status to_status(const RequestAnswer& answer, const char* not_found) {
  switch (answer.status) {
    case RequestStatus::kAccepted:
    case RequestStatus::kDuplicate: return Status::OK;
    case RequestStatus::kNotFound: return {StatusCode::NOT_FOUND, not_found};
    case RequestStatus::kRefused: break;
  }
  return {StatusCode::FAILED_PRECONDITION, answer.why};
}

// Finished when each of its items has its result; `token` is an item's index.
class PutCall final : public UnaryCall {
 public:
  PutCall(grpc::ServerUnaryReactor& reactor, v1::PutItemsResponse& response, std::size_t unanswered)
      : UnaryCall(reactor), response_(response), unanswered_(unanswered) {}
  void on_answer(std::uint64_t token, const MessagePtr&, const RequestAnswer& answer) override {
    answer_with([&]() -> std::optional<Status> {
      to_proto(answer, *response_.mutable_results(static_cast<int>(token)));
      if (--unanswered_ > 0) return std::nullopt;
      return Status::OK;
    });
  }

 private:
  v1::PutItemsResponse& response_;
  std::size_t unanswered_;
};

// Holds a share of the budget until gRPC is done with the answer.
class GetReactor final : public grpc::ServerUnaryReactor {
 public:
  explicit GetReactor(AnswerBudget& budget) : budget_(budget) {}
  // At most once, and before Finish.
  [[nodiscard]] bool take(std::size_t bytes) {
    if (!budget_.take(bytes)) return false;
    taken_ = bytes;
    return true;
  }
  void OnDone() override {
    budget_.give_back(taken_);
    delete this;
  }

 private:
  AnswerBudget& budget_;
  std::size_t taken_ = 0;
};

class GetCall final : public UnaryCall {
 public:
  GetCall(GetReactor& reactor, v1::GetItemResponse& response)
      : UnaryCall(reactor), reactor_(reactor), response_(response) {}
  // On the overlay's thread, before the answer is delivered: the bytes are copied on the thread that takes the answer.
  void set_found(MessagePtr item) {
    const std::lock_guard lock(found_mutex_);
    found_ = std::move(item);
  }
  void on_answer(std::uint64_t, const MessagePtr&, const RequestAnswer&) override {
    MessagePtr found;
    {
      const std::lock_guard lock(found_mutex_);
      found = std::move(found_);
    }
    answer_with([&]() -> std::optional<Status> {
      if (!found) return Status(StatusCode::NOT_FOUND, "hash: no such item is held");
      if (!reactor_.take(found->size()))
        return Status(StatusCode::RESOURCE_EXHAUSTED,
                      "too many bytes of items wait for clients to read them; try again");
      to_proto(*found, response_);
      return Status::OK;
    });
  }

 private:
  GetReactor& reactor_;
  v1::GetItemResponse& response_;
  std::mutex found_mutex_;
  MessagePtr found_;
};

}  // namespace

ItemCalls::ItemCalls(OverlayPort& port, PendingRequests& pending, const NetworkId& network,
                     std::size_t answers_bytes_max, std::function<void(const RequestAnswer&)> deliver)
    : port_(port), pending_(pending), network_(network), answers_(answers_bytes_max), deliver_(std::move(deliver)) {}

void ItemCalls::fetch(grpc::ServerUnaryReactor& reactor, const v1::FetchRequest& request, v1::FetchResponse& response) {
  auto wanted = to_fetch(request);
  if (!wanted) return reactor.Finish({StatusCode::INVALID_ARGUMENT, wanted.error()});
  const auto call = make_call(reactor, [&response](const RequestAnswer& answer) {
    to_proto(answer, response);
    return Status::OK;
  });
  submit_call(pending_, port_, call, {{.token = 0}}, {std::move(wanted).value()});
}

void ItemCalls::cancel_fetch(grpc::ServerUnaryReactor& reactor, const v1::CancelFetchRequest& request,
                             v1::CancelFetchResponse& response) {
  const auto id = to_item_id(request.kind(), request.hash());
  if (!id) return reactor.Finish({StatusCode::INVALID_ARGUMENT, id.error()});
  const auto call = make_call(reactor, [&response](const RequestAnswer& answer) {
    response.set_stopped(answer.status == RequestStatus::kAccepted);
    return answer.status == RequestStatus::kRefused ? to_status(answer, "") : Status::OK;
  });
  submit_call(pending_, port_, call, {{.token = 0}}, {CancelFetch{.request = {}, .item = id.value()}});
}

void ItemCalls::put_items(grpc::ServerUnaryReactor& reactor, const v1::PutItemsRequest& request,
                          v1::PutItemsResponse& response) {
  const auto count = static_cast<std::size_t>(request.items_size());
  if (count > limits::kItemBatchMax) {
    return reactor.Finish({StatusCode::INVALID_ARGUMENT, "items: at most " + std::to_string(limits::kItemBatchMax) +
                                                             ", has " + std::to_string(count)});
  }
  std::vector<PendingRequests::Item> items;
  std::vector<Input> inputs;
  for (std::size_t i = 0; i < count; ++i) {
    v1::PutItemsResponse::Result& result = *response.add_results();
    auto message = to_message(request.items(static_cast<int>(i)), "items[" + std::to_string(i) + "]", network_);
    if (!message) {
      result.set_status(v1::PUT_ITEM_STATUS_REFUSED);
      result.set_why(message.error());
      continue;
    }
    const ItemHash& hash = message.value()->item_hash();
    result.set_hash(hash.bytes.data(), hash.bytes.size());
    items.push_back({.token = i, .message = message.value()});
    inputs.emplace_back(PutItem{.request = {}, .message = std::move(message).value()});
  }
  if (items.empty()) return reactor.Finish(Status::OK);
  submit_call(pending_, port_, std::make_shared<PutCall>(reactor, response, items.size()), items, std::move(inputs));
}

grpc::ServerUnaryReactor* ItemCalls::get_item(const v1::GetItemRequest& request, v1::GetItemResponse& response) {
  auto* reactor = new GetReactor(answers_);  // deletes itself when it is done
  const auto item = to_item_id(request.kind(), request.hash());
  if (!item) {
    reactor->Finish({StatusCode::INVALID_ARGUMENT, item.error()});
    return reactor;
  }
  const auto call = std::make_shared<GetCall>(*reactor, response);
  const auto id = enter_call(pending_, call, {{.token = 0}});
  if (!id) return reactor;
  const auto on_found = [this, call, id = *id](MessagePtr found) {
    const RequestStatus status = found ? RequestStatus::kAccepted : RequestStatus::kNotFound;
    call->set_found(std::move(found));
    deliver_({.request = id, .status = status});
  };
  if (!port_.query_item(item.value(), on_found)) withdraw_call(pending_, *call, *id, 1);
  return reactor;
}

void ItemCalls::request_scp_state(grpc::ServerUnaryReactor& reactor, const v1::RequestScpStateRequest& request,
                                  v1::RequestScpStateResponse& response) {
  auto asked = to_scp_state_request(request);
  if (!asked) return reactor.Finish({StatusCode::INVALID_ARGUMENT, asked.error()});
  const char* not_found =
      asked.value().node ? "node_id: no such peer is connected" : "no peer is connected that could be asked";
  const auto call = make_call(reactor, [&response, not_found](const RequestAnswer& answer) {
    for (const NodeId& node : answer.nodes) response.add_node_ids(node.bytes.data(), node.bytes.size());
    return to_status(answer, not_found);
  });
  submit_call(pending_, port_, call, {{.token = 0}}, {std::move(asked).value()});
}

void ItemCalls::send_scp_state(grpc::ServerUnaryReactor& reactor, const v1::SendScpStateRequest& request,
                               v1::SendScpStateResponse& /*response*/) {
  auto state = to_scp_state(request, network_);
  if (!state) return reactor.Finish({StatusCode::INVALID_ARGUMENT, state.error()});
  std::size_t bytes = 0;
  for (const MessagePtr& envelope : state.value().envelopes) bytes += envelope->size();
  const auto call = make_call(
      reactor, [](const RequestAnswer& answer) { return to_status(answer, "node_id: no such peer is connected"); });
  submit_call(pending_, port_, call, {{.token = 0, .other_bytes = bytes}}, {std::move(state).value()});
}

}  // namespace overlayd::ipc
