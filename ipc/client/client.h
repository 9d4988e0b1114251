// The other end of the API, for overlayctl, the demo, tests and benchmarks: blocking calls over one Unix socket.
//
// Errors. Every failure is a sentence; if nobody answers at the socket it names the socket and says what to do.
// Threads. A Client may be shared by threads. A Broadcaster, Subscriber or VerdictWriter belongs to the thread that
//          made it (its callbacks come from its reader thread); each has one reader thread or none.
#pragma once
#include <grpcpp/grpcpp.h>
#include <overlay/v1/admin.grpc.pb.h>
#include <overlay/v1/overlay.grpc.pb.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "ipc/client/broadcaster.h"
#include "ipc/client/subscriber.h"

namespace overlayd::ipc {

struct ClientOptions {
  std::string socket;                               // path; relative ones are taken from the working directory
  std::chrono::milliseconds connect_timeout{5000};  // until somebody answers at the socket
  std::chrono::milliseconds call_timeout{15'000};   // of a unary call
};

// Judgements in batches. Nothing is sent before flush() or a full batch.
class VerdictWriter {
 public:
  explicit VerdictWriter(::overlay::v1::Overlay::Stub& stub, std::string socket);
  ~VerdictWriter();  // cancels unless finished
  VerdictWriter(const VerdictWriter&) = delete;
  VerdictWriter& operator=(const VerdictWriter&) = delete;

  // By the event's flood hash. False: the stream is broken; finish() says why.
  bool add(const std::string& flood_hash, ::overlay::v1::Verdict verdict);
  bool flush();
  // How many the daemon took.
  Result<std::uint64_t> finish();

 private:
  const std::string socket_;
  grpc::ClientContext context_;
  ::overlay::v1::VerdictsResponse response_;
  std::unique_ptr<grpc::ClientWriter<::overlay::v1::VerdictsRequest>> writer_;
  ::overlay::v1::VerdictsRequest batch_;
  bool is_finished_ = false;
};

class Client {
 public:
  // Connects to ipc.socket and checks with GetInfo that the daemon speaks this client's major version.
  static Result<std::unique_ptr<Client>> connect(const ClientOptions& options);

  // As it was told at connect.
  [[nodiscard]] const ::overlay::v1::GetInfoResponse& info() const { return info_; }
  Result<Done> update_ledger(const ::overlay::v1::UpdateLedgerRequest& request);
  Result<::overlay::v1::BroadcastResponse> broadcast(const ::overlay::v1::BroadcastRequest& request);
  Result<::overlay::v1::FetchResponse> fetch(const ::overlay::v1::FetchRequest& request);
  Result<::overlay::v1::CancelFetchResponse> cancel_fetch(const ::overlay::v1::CancelFetchRequest& request);
  Result<::overlay::v1::PutItemsResponse> put_items(const ::overlay::v1::PutItemsRequest& request);
  Result<::overlay::v1::GetItemResponse> get_item(const ::overlay::v1::GetItemRequest& request);
  Result<::overlay::v1::RequestScpStateResponse> request_scp_state(
      const ::overlay::v1::RequestScpStateRequest& request);
  Result<Done> send_scp_state(const ::overlay::v1::SendScpStateRequest& request);
  [[nodiscard]] std::unique_ptr<Broadcaster> broadcaster(BroadcasterOptions options);
  [[nodiscard]] std::unique_ptr<Subscriber> subscribe(const ::overlay::v1::SubscribeRequest& request);
  [[nodiscard]] std::unique_ptr<VerdictWriter> verdicts();
  [[nodiscard]] ::overlay::v1::Overlay::Stub& stub() { return *stub_; }

 private:
  explicit Client(ClientOptions options) : options_(std::move(options)) {}
  void prepare(grpc::ClientContext& context) const;
  template <typename Request, typename Response>
  Result<Response> call(grpc::Status (::overlay::v1::Overlay::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                             Response*),
                        const Request& request);

  ClientOptions options_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<::overlay::v1::Overlay::Stub> stub_;
  ::overlay::v1::GetInfoResponse info_;
};

class AdminClient {
 public:
  // Connects to ipc.admin_socket.
  static Result<std::unique_ptr<AdminClient>> connect(const ClientOptions& options);

  Result<::overlay::v1::GetStatusResponse> get_status();
  Result<::overlay::v1::ListPeersResponse> list_peers();
  Result<::overlay::v1::ListClosedPeersResponse> list_closed_peers(std::uint32_t limit);
  Result<::overlay::v1::ExplainPeerResponse> explain(const ::overlay::v1::PeerSelector& peer);
  Result<::overlay::v1::ListKnownPeersResponse> list_known_peers();
  Result<Done> connect_to(const std::string& address);
  Result<Done> disconnect(const std::string& node_id_bytes);
  Result<::overlay::v1::DisconnectResponse> disconnect(const ::overlay::v1::DisconnectRequest& request);
  Result<::overlay::v1::BanResponse> ban(const ::overlay::v1::BanRequest& request);
  Result<Done> unban(const ::overlay::v1::UnbanRequest& request);
  Result<::overlay::v1::ListBansResponse> list_bans();

 private:
  explicit AdminClient(ClientOptions options) : options_(std::move(options)) {}
  template <typename Request, typename Response>
  Result<Response> call(grpc::Status (::overlay::v1::Admin::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                           Response*),
                        const Request& request);

  ClientOptions options_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<::overlay::v1::Admin::Stub> stub_;
};

}  // namespace overlayd::ipc
