// The service Overlay: what the consensus process calls, over a port to the overlay thread; and what the overlay thread
// tells, kept in the event log and in the table of pending broadcasts until it is taken.
//
// Threads. Methods of the service come from gRPC's threads. OverlayEvents come from the overlay thread and do no more
//          than store and wake. One worker thread hands out answers, feeds subscribers and repeats what could not be
//          submitted.
// Takers.  While a subscriber to transactions that is no observer is attached, the overlay is told so
//          (TransactionTakers), and how far the slowest of them has come: it may publish up to the log's size beyond that
//          and keeps a quarter of the log in reserve. Told again when that has moved by 1/64 of the log, and as soon as
//          the overlay's queue has room.
// Stop.    stop() refuses new calls, answers pending ones with UNAVAILABLE and ends the streams. It must come before
//          the gRPC server is shut down, which waits for them.
#pragma once
#include <grpcpp/grpcpp.h>
#include <overlay/v1/overlay.grpc.pb.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "core/local_node.h"
#include "ipc/broadcast_stream.h"
#include "ipc/event_log.h"
#include "ipc/overlay_port.h"
#include "ipc/pending_broadcasts.h"
#include "ipc/subscription.h"
#include "ipc/verdict_stream.h"
#include "ipc/worker.h"

namespace overlayd::ipc {

struct OverlayServiceOptions {
  LocalNode local;
  std::uint64_t boot_id = 0;  // below 2^53
  EventLogOptions event_log;
  std::size_t broadcasts_bytes_max = limits::kBroadcastsPendingBytesMax;  // of those not answered yet
};

class OverlayService final : public ::overlay::v1::Overlay::CallbackService, public OverlayEvents {
 public:
  OverlayService(const OverlayServiceOptions& options, OverlayPort& port);
  ~OverlayService() override;
  OverlayService(const OverlayService&) = delete;
  OverlayService& operator=(const OverlayService&) = delete;

  void stop();
  [[nodiscard]] const EventLog& event_log() const { return log_; }
  [[nodiscard]] std::uint64_t boot_id() const { return options_.boot_id; }
  [[nodiscard]] std::size_t subscribers() const;

  void on_message(const PublishMessage& published, std::int64_t arrival_unix_nanos) override;
  void on_peer(const PublishPeer& published, std::int64_t arrival_unix_nanos) override;
  void on_broadcast_answer(const BroadcastAnswer& answer) override;
  void flush() override;

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

 private:
  template <typename Stream>
  using Registry = std::unordered_map<Stream*, std::shared_ptr<Stream>>;

  void work();
  void tell_takers();
  [[nodiscard]] TransactionTakers takers() const;
  template <typename Stream>
  std::vector<std::shared_ptr<Stream>> copy_of(const Registry<Stream>& registry) const;
  template <typename Stream>
  void forget(Registry<Stream>& registry, Stream* stream);

  const OverlayServiceOptions options_;
  OverlayPort& port_;
  EventLog log_;
  PendingBroadcasts pending_;
  std::atomic<bool> is_stopping_ = false;

  std::mutex ledger_mutex_;  // held while an update is submitted, so that updates arrive in the order of ledger_
  LedgerView ledger_;

  std::mutex answers_mutex_;
  std::vector<BroadcastAnswer> answers_;  // from the overlay, for the worker; bounded by what is pending

  mutable std::mutex streams_mutex_;
  Registry<Subscription> subscriptions_;
  Registry<ipc::BroadcastStream> broadcast_streams_;
  Registry<VerdictStream> verdict_streams_;

  TransactionTakers told_;  // worker only
  Worker worker_;           // last: its thread uses all of the above
};

}  // namespace overlayd::ipc
