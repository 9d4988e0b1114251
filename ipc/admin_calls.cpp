#include "ipc/admin_calls.h"

#include "ipc/convert.h"
#include "ipc/unary_call.h"

namespace overlayd::ipc {
namespace {

using grpc::Status;
using grpc::StatusCode;

// What an answer means to one kind of call.
struct Meaning {
  const char* not_found = "";
  const char* not_stored = "";  // why follows
};

constexpr const char* kBanNotStored = "the ban holds, but is not on disk and may end with the process: ";

Status to_status(const RequestAnswer& answer, const Meaning& meaning) {
  switch (answer.status) {
    case RequestStatus::kAccepted:
      if (answer.why.empty()) return Status::OK;
      // With details, by which the client tells it from a daemon that is gone.
      return {StatusCode::UNAVAILABLE, meaning.not_stored + answer.why, "answered"};
    case RequestStatus::kDuplicate:
      return {StatusCode::ALREADY_EXISTS, "address: there is a link to it, or a dial under way"};
    case RequestStatus::kNotFound: return {StatusCode::NOT_FOUND, meaning.not_found};
    case RequestStatus::kRefused: break;
  }
  return {StatusCode::FAILED_PRECONDITION, answer.why};
}

}  // namespace

AdminCalls::AdminCalls(OverlayPort& port, Duration timeout)
    : port_(port),
      pending_({.count_max = kOperatorRequestsMax, .timeout = timeout, .first_id = kOperatorRequestBit + 1}) {}

void AdminCalls::connect(grpc::ServerUnaryReactor& reactor, const v1::ConnectRequest& request,
                         v1::ConnectResponse& /*response*/) {
  auto input = to_connect(request);
  if (!input) return reactor.Finish({StatusCode::INVALID_ARGUMENT, input.error()});
  const auto call = make_call(reactor, [](const RequestAnswer& answer) { return to_status(answer, {}); });
  submit_call(pending_, port_, call, {{.token = 0}}, {std::move(input).value()});
}

void AdminCalls::disconnect(grpc::ServerUnaryReactor& reactor, const v1::DisconnectRequest& request,
                            v1::DisconnectResponse& response) {
  auto input = to_disconnect(request);
  if (!input) return reactor.Finish({StatusCode::INVALID_ARGUMENT, input.error()});
  const Meaning meaning{
      .not_found = request.has_peer() ? "peer: no such peer is connected" : "node_id: no such peer is connected",
      .not_stored = kBanNotStored};
  const auto call = make_call(reactor, [&response, meaning](const RequestAnswer& answer) {
    response.set_links_dropped(answer.links_dropped);
    return to_status(answer, meaning);
  });
  submit_call(pending_, port_, call, {{.token = 0}}, {std::move(input).value()});
}

void AdminCalls::ban(grpc::ServerUnaryReactor& reactor, const v1::BanRequest& request, v1::BanResponse& response) {
  auto input = to_ban(request);
  if (!input) return reactor.Finish({StatusCode::INVALID_ARGUMENT, input.error()});
  const auto call = make_call(reactor, [&response](const RequestAnswer& answer) {
    response.set_links_dropped(answer.links_dropped);
    return to_status(answer, {.not_stored = kBanNotStored});
  });
  submit_call(pending_, port_, call, {{.token = 0}}, {std::move(input).value()});
}

void AdminCalls::unban(grpc::ServerUnaryReactor& reactor, const v1::UnbanRequest& request,
                       v1::UnbanResponse& /*response*/) {
  auto input = to_unban(request);
  if (!input) return reactor.Finish({StatusCode::INVALID_ARGUMENT, input.error()});
  const auto call = make_call(reactor, [](const RequestAnswer& answer) {
    return to_status(answer,
                     {.not_found = "subject: there is no ban of exactly this node or range",
                      .not_stored = "the ban is lifted, but that is not on disk and it may be back after a restart: "});
  });
  submit_call(pending_, port_, call, {{.token = 0}}, {std::move(input).value()});
}

}  // namespace overlayd::ipc
