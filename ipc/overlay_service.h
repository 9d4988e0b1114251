// The service Overlay: what the consensus process calls, over a port to the overlay thread; and what the overlay thread
// tells, kept in the event log and in the table of pending requests until it is taken.
//
// Threads. Methods of the service come from gRPC's threads. Events (on_*, flush; see OverlayEvents) come from the overlay
//          thread and do no more than store and wake. One worker thread hands out answers, feeds subscribers and repeats what could not be
//          submitted; a second one feeds the subscribers to items. Rationale: to make a message of a set of many
//          megabytes takes milliseconds, in which no SCP event would be handed out.
// Takers.  While a subscriber to transactions that is no observer is attached, the overlay is told so
//          (TransactionTakers), and how far the slowest of them has come: it may publish up to the log's size beyond
//          that and keeps a quarter of the log in reserve. Told again when that has moved by 1/64 of the log, and as
//          soon as the overlay's queue has room.
// Stop.    stop() refuses new calls, answers pending ones with UNAVAILABLE and ends the streams. It must come before
//          the gRPC server is shut down, which waits for them.
#pragma once
#include <grpcpp/grpcpp.h>
#include <overlay/v1/overlay.grpc.pb.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "core/local_node.h"
#include "ipc/broadcast_stream.h"
#include "ipc/event_log.h"
#include "ipc/item_calls.h"
#include "ipc/overlay_port.h"
#include "ipc/pending_requests.h"
#include "ipc/stream_registry.h"
#include "ipc/subscription.h"
#include "ipc/verdict_stream.h"
#include "ipc/worker.h"

namespace overlayd::ipc {

struct OverlayServiceOptions {
  LocalNode local;
  std::uint64_t boot_id = 0;  // below 2^53
  EventLogOptions event_log;
  std::size_t requests_bytes_max = limits::kRequestsPendingBytesMax;  // of those not answered yet
  Duration requests_timeout = limits::kRequestAnswerTimeout;          // for the overlay to answer one
  std::size_t item_answers_bytes_max = limits::kItemAnswersBytesMax;  // of GetItem, until gRPC is done with them
};

class OverlayService final : public ::overlay::v1::Overlay::CallbackService {
 public:
  OverlayService(const OverlayServiceOptions& options, OverlayPort& port);
  ~OverlayService() override;
  OverlayService(const OverlayService&) = delete;
  OverlayService& operator=(const OverlayService&) = delete;

  void stop();
  [[nodiscard]] const EventLog& event_log() const { return log_; }
  [[nodiscard]] std::uint64_t boot_id() const { return options_.boot_id; }
  [[nodiscard]] std::size_t subscribers() const;
  // Of every service on this socket: answers that on_request_answer is given are handed out from it.
  [[nodiscard]] PendingRequests& requests() { return pending_; }

  void on_message(const PublishMessage& published, std::int64_t arrival_unix_nanos);
  void on_peer(const PublishPeer& published, std::int64_t arrival_unix_nanos);
  void on_item(const PublishItem& published, std::int64_t arrival_unix_nanos);
  void on_scp_state_request(const PublishScpStateRequest& published, std::int64_t arrival_unix_nanos);
  void on_survey(const PublishSurvey& published, std::int64_t arrival_unix_nanos);
  void on_request_answer(const RequestAnswer& answer);
  void flush();

  grpc::ServerUnaryReactor* GetInfo(grpc::CallbackServerContext* context, const ::overlay::v1::GetInfoRequest* request,
                                    ::overlay::v1::GetInfoResponse* response) override;
  grpc::ServerUnaryReactor* UpdateLedger(grpc::CallbackServerContext* context,
                                         const ::overlay::v1::UpdateLedgerRequest* request,
                                         ::overlay::v1::UpdateLedgerResponse* response) override;
  grpc::ServerUnaryReactor* Broadcast(grpc::CallbackServerContext* context,
                                      const ::overlay::v1::BroadcastRequest* request,
                                      ::overlay::v1::BroadcastResponse* response) override;
  grpc::ServerBidiReactor<::overlay::v1::BroadcastStreamRequest, ::overlay::v1::BroadcastStreamResponse>*
  BroadcastStream(grpc::CallbackServerContext* context) override;
  grpc::ServerWriteReactor<::overlay::v1::SubscribeResponse>* Subscribe(
      grpc::CallbackServerContext* context, const ::overlay::v1::SubscribeRequest* request) override;
  grpc::ServerReadReactor<::overlay::v1::VerdictsRequest>* Verdicts(grpc::CallbackServerContext* context,
                                                                    ::overlay::v1::VerdictsResponse* response) override;
  grpc::ServerUnaryReactor* Fetch(grpc::CallbackServerContext* context, const ::overlay::v1::FetchRequest* request,
                                  ::overlay::v1::FetchResponse* response) override;
  grpc::ServerUnaryReactor* CancelFetch(grpc::CallbackServerContext* context,
                                        const ::overlay::v1::CancelFetchRequest* request,
                                        ::overlay::v1::CancelFetchResponse* response) override;
  grpc::ServerUnaryReactor* PutItems(grpc::CallbackServerContext* context,
                                     const ::overlay::v1::PutItemsRequest* request,
                                     ::overlay::v1::PutItemsResponse* response) override;
  grpc::ServerUnaryReactor* GetItem(grpc::CallbackServerContext* context, const ::overlay::v1::GetItemRequest* request,
                                    ::overlay::v1::GetItemResponse* response) override;
  grpc::ServerUnaryReactor* RequestScpState(grpc::CallbackServerContext* context,
                                            const ::overlay::v1::RequestScpStateRequest* request,
                                            ::overlay::v1::RequestScpStateResponse* response) override;
  grpc::ServerUnaryReactor* SendScpState(grpc::CallbackServerContext* context,
                                         const ::overlay::v1::SendScpStateRequest* request,
                                         ::overlay::v1::SendScpStateResponse* response) override;

 private:
  // Starts one of the calls about items and SCP state.
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* begin(grpc::CallbackServerContext* context,
                                  void (ItemCalls::*call)(grpc::ServerUnaryReactor&, const Request&, Response&),
                                  const Request& request, Response& response);
  // After a call was entered: the worker may have failed all that was pending before it.
  void fail_if_stopping();
  void work();
  void work_on_items();
  void tell_takers();
  [[nodiscard]] TransactionTakers takers() const;

  const OverlayServiceOptions options_;
  OverlayPort& port_;
  EventLog log_;
  PendingRequests pending_;
  ItemCalls item_calls_;
  std::atomic<bool> is_stopping_ = false;
  std::atomic<bool> has_items_ = false;  // published since the last flush

  std::mutex ledger_mutex_;  // held while an update is submitted, so that updates arrive in the order of ledger_
  LedgerView ledger_;

  std::mutex answers_mutex_;
  std::vector<RequestAnswer> answers_;  // from the overlay, for the worker; bounded by what is pending

  StreamRegistry<Subscription> subscriptions_{limits::kSubscribersMax, "too many subscribers are attached",
                                              is_stopping_};
  StreamRegistry<ipc::BroadcastStream> broadcast_streams_{limits::kBroadcastStreamsMax,
                                                          "too many broadcast streams are open", is_stopping_};
  StreamRegistry<VerdictStream> verdict_streams_{limits::kBroadcastStreamsMax, "too many verdict streams are open",
                                                 is_stopping_};

  SurveyStatus surveyed_;   // of the last event of topic survey; overlay thread only
  TransactionTakers told_;  // worker only
  Worker worker_;           // last, with the next: their threads use all of the above
  Worker items_worker_;
};

}  // namespace overlayd::ipc
