#include "ipc/admin_service.h"

#include <memory>

#include "ipc/convert.h"
#include "ipc/unary_call.h"

namespace overlayd::ipc {
namespace {

using grpc::Status;
using grpc::StatusCode;

constexpr std::uint32_t kClosedDefault = 100;
constexpr std::uint32_t kClosedMax = 2 * limits::kClosedLinksMax;

// Finishes a call exactly once: by finish, or with UNAVAILABLE when the last holder lets go of it.
class Call {
 public:
  explicit Call(grpc::ServerUnaryReactor& reactor) : reactor_(reactor) {}
  ~Call() { finish(stopping_status()); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  void finish(const Status& status) {
    if (is_finished_) return;
    is_finished_ = true;
    reactor_.Finish(status);
  }

 private:
  grpc::ServerUnaryReactor& reactor_;
  bool is_finished_ = false;
};

void add_topics(const EventLog& log, v1::GetStatusResponse& out) {
  for (std::size_t index = 0; index < kTopicCount; ++index) {
    const TopicCounts counts = log.counts(topic_at(index));
    v1::TopicStatus& topic = *out.add_topics();
    topic.set_topic(static_cast<v1::Topic>(topic_at(index)));
    topic.set_published(counts.published);
    topic.set_evicted(counts.evicted);
    topic.set_held_bytes(counts.held_bytes);
  }
}

}  // namespace

AdminService::AdminService(OverlayPort& port, const OverlayService& overlay, Duration requests_timeout)
    : port_(port),
      overlay_(overlay),
      calls_(port, requests_timeout),
      worker_(std::chrono::milliseconds(100), [this] { work(); }) {}

AdminService::~AdminService() { stop(); }

void AdminService::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  worker_.stop();
}

void AdminService::on_request_answer(const RequestAnswer& answer) {
  post([this, answer] { calls_.answer(answer); });
}

void AdminService::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_stopped_) tasks_.push_back(std::exchange(task, nullptr));
  }
  if (task) {
    task();
  } else {
    worker_.wake();
  }
}

void AdminService::work() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (const auto& task : tasks) task();
  calls_.expire();
  if (is_stopped_) calls_.fail_all();
}

template <typename Snapshot, typename Query, typename Fill>
grpc::ServerUnaryReactor* AdminService::answer_from(grpc::CallbackServerContext* context, Query query, Fill fill) {
  auto* reactor = context->DefaultReactor();
  const auto call = std::make_shared<Call>(*reactor);
  const bool is_asked = query([this, call, fill](Snapshot snapshot) {
    post([call, fill, snapshot = std::move(snapshot)]() mutable {
      fill(std::move(snapshot));
      call->finish(Status::OK);
    });
  });
  if (!is_asked) call->finish(busy_status());
  return reactor;
}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* AdminService::begin(grpc::CallbackServerContext* context,
                                              void (AdminCalls::*call)(grpc::ServerUnaryReactor&, const Request&,
                                                                       Response&),
                                              const Request& request, Response& response) {
  auto* reactor = context->DefaultReactor();
  if (is_stopped_) {
    reactor->Finish(stopping_status());
    return reactor;
  }
  (calls_.*call)(*reactor, request, response);
  if (is_stopped_) calls_.fail_all();  // the worker may have failed all that was pending before it
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::GetStatus(grpc::CallbackServerContext* context, const v1::GetStatusRequest*,
                                                  v1::GetStatusResponse* response) {
  return answer_from<StatusSnapshot>(
      context, [this](auto done) { return port_.query_status(std::move(done)); },
      [this, response](const StatusSnapshot& status) {
        to_proto(status, *response);
        response->set_boot_id(overlay_.boot_id());
        response->set_subscribers(static_cast<std::uint32_t>(overlay_.subscribers()));
        add_topics(overlay_.event_log(), *response);
      });
}

grpc::ServerUnaryReactor* AdminService::ListPeers(grpc::CallbackServerContext* context, const v1::ListPeersRequest*,
                                                  v1::ListPeersResponse* response) {
  return answer_from<std::vector<PeerSnapshot>>(
      context, [this](auto done) { return port_.query_peers(std::move(done)); },
      [response](std::vector<PeerSnapshot> peers) { to_proto(std::move(peers), *response); });
}

grpc::ServerUnaryReactor* AdminService::ListClosedPeers(grpc::CallbackServerContext* context,
                                                        const v1::ListClosedPeersRequest* request,
                                                        v1::ListClosedPeersResponse* response) {
  if (request->limit() > kClosedMax) {
    auto* reactor = context->DefaultReactor();
    reactor->Finish({StatusCode::INVALID_ARGUMENT,
                     "limit: at most " + std::to_string(kClosedMax) + ", is " + std::to_string(request->limit())});
    return reactor;
  }
  const std::size_t limit = request->limit() == 0 ? kClosedDefault : request->limit();
  return answer_from<std::vector<ClosedLink>>(
      context, [this, limit](auto done) { return port_.query_closed(limit, std::move(done)); },
      [response](const std::vector<ClosedLink>& closed) {
        for (const ClosedLink& link : closed) to_proto(link, *response->add_closed());
      });
}

grpc::ServerUnaryReactor* AdminService::ExplainPeer(grpc::CallbackServerContext* context,
                                                    const v1::ExplainPeerRequest* request,
                                                    v1::ExplainPeerResponse* response) {
  const auto peer = to_peer_subject(request->peer(), "peer");
  if (!peer) {
    auto* reactor = context->DefaultReactor();
    reactor->Finish({StatusCode::INVALID_ARGUMENT, peer.error()});
    return reactor;
  }
  return answer_from<PeerExplanation>(
      context, [this, &peer](auto done) { return port_.query_explanation(peer.value(), std::move(done)); },
      [response](const PeerExplanation& explanation) { to_proto(explanation, *response); });
}

grpc::ServerUnaryReactor* AdminService::ListKnownPeers(grpc::CallbackServerContext* context,
                                                       const v1::ListKnownPeersRequest*,
                                                       v1::ListKnownPeersResponse* response) {
  return answer_from<std::vector<KnownPeerSnapshot>>(
      context, [this](auto done) { return port_.query_known_peers(std::move(done)); },
      [response](std::vector<KnownPeerSnapshot> peers) { to_proto(std::move(peers), *response); });
}

grpc::ServerUnaryReactor* AdminService::Connect(grpc::CallbackServerContext* context, const v1::ConnectRequest* request,
                                                v1::ConnectResponse* response) {
  return begin(context, &AdminCalls::connect, *request, *response);
}

grpc::ServerUnaryReactor* AdminService::Disconnect(grpc::CallbackServerContext* context,
                                                   const v1::DisconnectRequest* request,
                                                   v1::DisconnectResponse* response) {
  return begin(context, &AdminCalls::disconnect, *request, *response);
}

grpc::ServerUnaryReactor* AdminService::Ban(grpc::CallbackServerContext* context, const v1::BanRequest* request,
                                            v1::BanResponse* response) {
  return begin(context, &AdminCalls::ban, *request, *response);
}

grpc::ServerUnaryReactor* AdminService::Unban(grpc::CallbackServerContext* context, const v1::UnbanRequest* request,
                                              v1::UnbanResponse* response) {
  return begin(context, &AdminCalls::unban, *request, *response);
}

grpc::ServerUnaryReactor* AdminService::ListBans(grpc::CallbackServerContext* context, const v1::ListBansRequest*,
                                                 v1::ListBansResponse* response) {
  return answer_from<std::vector<overlayd::Ban>>(
      context, [this](auto done) { return port_.query_bans(std::move(done)); },
      [response](std::vector<overlayd::Ban> bans) { to_proto(std::move(bans), *response); });
}

}  // namespace overlayd::ipc
