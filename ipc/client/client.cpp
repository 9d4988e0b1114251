#include "ipc/client/client.h"

#include <algorithm>

#include "core/limits.h"
#include "ipc/client/channel.h"

namespace overlayd::ipc {

namespace v1 = ::overlay::v1;

namespace {

constexpr std::uint32_t kApiMajor = 1;

void set_deadline(grpc::ClientContext& context, std::chrono::milliseconds timeout) {
  context.set_deadline(std::chrono::system_clock::now() + timeout);
}

template <typename Response>
Result<Response> to_result(const grpc::Status& status, Response response, const std::string& socket) {
  if (!status.ok()) return Failure{status_text(status, socket)};
  return response;
}

}  // namespace

Result<std::unique_ptr<Client>> Client::connect(const ClientOptions& options) {
  auto channel = open_channel(options.socket, options.connect_timeout);
  if (!channel) return Failure{channel.error()};
  std::unique_ptr<Client> client(new Client(options));
  client->channel_ = std::move(channel).value();
  client->stub_ = v1::Overlay::NewStub(client->channel_);
  grpc::ClientContext context;
  client->prepare(context);
  v1::GetInfoRequest request;
  request.set_api_major(kApiMajor);
  const grpc::Status status = client->stub_->GetInfo(&context, request, &client->info_);
  if (!status.ok()) return Failure{status_text(status, options.socket)};
  return client;
}

void Client::prepare(grpc::ClientContext& context) const { set_deadline(context, options_.call_timeout); }

template <typename Request, typename Response>
Result<Response> Client::call(grpc::Status (v1::Overlay::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                        Response*),
                              const Request& request) {
  grpc::ClientContext context;
  prepare(context);
  Response response;
  const grpc::Status status = (*stub_.*method)(&context, request, &response);
  return to_result(status, std::move(response), options_.socket);
}

Result<Done> Client::update_ledger(const v1::UpdateLedgerRequest& request) {
  const auto response = call(&v1::Overlay::Stub::UpdateLedger, request);
  if (!response) return Failure{response.error()};
  return Done{};
}

Result<v1::BroadcastResponse> Client::broadcast(const v1::BroadcastRequest& request) {
  return call(&v1::Overlay::Stub::Broadcast, request);
}

Result<v1::FetchResponse> Client::fetch(const v1::FetchRequest& request) {
  return call(&v1::Overlay::Stub::Fetch, request);
}

Result<v1::CancelFetchResponse> Client::cancel_fetch(const v1::CancelFetchRequest& request) {
  return call(&v1::Overlay::Stub::CancelFetch, request);
}

Result<v1::PutItemsResponse> Client::put_items(const v1::PutItemsRequest& request) {
  return call(&v1::Overlay::Stub::PutItems, request);
}

Result<v1::GetItemResponse> Client::get_item(const v1::GetItemRequest& request) {
  return call(&v1::Overlay::Stub::GetItem, request);
}

Result<v1::RequestScpStateResponse> Client::request_scp_state(const v1::RequestScpStateRequest& request) {
  return call(&v1::Overlay::Stub::RequestScpState, request);
}

Result<Done> Client::send_scp_state(const v1::SendScpStateRequest& request) {
  const auto response = call(&v1::Overlay::Stub::SendScpState, request);
  if (!response) return Failure{response.error()};
  return Done{};
}

std::unique_ptr<Broadcaster> Client::broadcaster(BroadcasterOptions options) {
  return std::make_unique<Broadcaster>(*stub_, std::move(options), options_.socket);
}

std::unique_ptr<Subscriber> Client::subscribe(const v1::SubscribeRequest& request) {
  // An item may be 16 MiB: on one connection an SCP envelope would wait until the most of it is through.
  std::shared_ptr<grpc::Channel> items_channel;
  if (std::ranges::find(request.topics(), static_cast<int>(v1::TOPIC_ITEMS)) != request.topics().end())
    if (auto opened = open_channel(options_.socket, options_.connect_timeout)) items_channel = opened.value();
  return std::make_unique<Subscriber>(*stub_, items_channel, request, options_.socket);
}

std::unique_ptr<VerdictWriter> Client::verdicts() { return std::make_unique<VerdictWriter>(*stub_, options_.socket); }

VerdictWriter::VerdictWriter(v1::Overlay::Stub& stub, std::string socket)
    : socket_(std::move(socket)), writer_(stub.Verdicts(&context_, &response_)) {}

VerdictWriter::~VerdictWriter() {
  if (is_finished_) return;
  context_.TryCancel();
  writer_->Finish();
}

bool VerdictWriter::add(const std::string& flood_hash, v1::Verdict verdict) {
  auto& item = *batch_.add_verdicts();
  item.set_flood_hash(flood_hash);
  item.set_verdict(verdict);
  return static_cast<std::size_t>(batch_.verdicts_size()) < limits::kVerdictBatchMax || flush();
}

bool VerdictWriter::flush() {
  if (batch_.verdicts().empty()) return true;
  const bool is_written = writer_->Write(batch_);
  batch_.Clear();
  return is_written;
}

Result<std::uint64_t> VerdictWriter::finish() {
  if (is_finished_) return Failure{"the verdicts are finished already"};
  is_finished_ = true;
  flush();
  writer_->WritesDone();
  const grpc::Status status = writer_->Finish();
  if (!status.ok()) return Failure{status_text(status, socket_)};
  return response_.taken();
}

Result<std::unique_ptr<AdminClient>> AdminClient::connect(const ClientOptions& options) {
  auto channel = open_channel(options.socket, options.connect_timeout);
  if (!channel) return Failure{channel.error()};
  std::unique_ptr<AdminClient> client(new AdminClient(options));
  client->channel_ = std::move(channel).value();
  client->stub_ = v1::Admin::NewStub(client->channel_);
  return client;
}

template <typename Request, typename Response>
Result<Response> AdminClient::call(grpc::Status (v1::Admin::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                           Response*),
                                   const Request& request) {
  grpc::ClientContext context;
  set_deadline(context, options_.call_timeout);
  Response response;
  const grpc::Status status = (*stub_.*method)(&context, request, &response);
  return to_result(status, std::move(response), options_.socket);
}

Result<v1::GetStatusResponse> AdminClient::get_status() {
  return call(&v1::Admin::Stub::GetStatus, v1::GetStatusRequest());
}

Result<v1::ListPeersResponse> AdminClient::list_peers() {
  return call(&v1::Admin::Stub::ListPeers, v1::ListPeersRequest());
}

Result<v1::ListClosedPeersResponse> AdminClient::list_closed_peers(std::uint32_t limit) {
  v1::ListClosedPeersRequest request;
  request.set_limit(limit);
  return call(&v1::Admin::Stub::ListClosedPeers, request);
}

Result<v1::ExplainPeerResponse> AdminClient::explain(const v1::PeerSelector& peer) {
  v1::ExplainPeerRequest request;
  *request.mutable_peer() = peer;
  return call(&v1::Admin::Stub::ExplainPeer, request);
}

Result<v1::ListKnownPeersResponse> AdminClient::list_known_peers() {
  return call(&v1::Admin::Stub::ListKnownPeers, v1::ListKnownPeersRequest());
}

Result<Done> AdminClient::connect_to(const std::string& address) {
  v1::ConnectRequest request;
  request.set_address(address);
  const auto response = call(&v1::Admin::Stub::Connect, request);
  if (!response) return Failure{response.error()};
  return Done{};
}

Result<Done> AdminClient::disconnect(const std::string& node_id_bytes) {
  v1::DisconnectRequest request;
  request.set_node_id(node_id_bytes);
  const auto response = disconnect(request);
  if (!response) return Failure{response.error()};
  return Done{};
}

Result<v1::DisconnectResponse> AdminClient::disconnect(const v1::DisconnectRequest& request) {
  return call(&v1::Admin::Stub::Disconnect, request);
}

Result<v1::BanResponse> AdminClient::ban(const v1::BanRequest& request) { return call(&v1::Admin::Stub::Ban, request); }

Result<Done> AdminClient::unban(const v1::UnbanRequest& request) {
  const auto response = call(&v1::Admin::Stub::Unban, request);
  if (!response) return Failure{response.error()};
  return Done{};
}

Result<v1::ListBansResponse> AdminClient::list_bans() {
  return call(&v1::Admin::Stub::ListBans, v1::ListBansRequest());
}

}  // namespace overlayd::ipc
