#include "ipc/admin_service.h"

#include <algorithm>
#include <memory>

#include "ipc/convert.h"

namespace overlayd::ipc {
namespace {

using grpc::Status;
using grpc::StatusCode;

const Status kBusy{StatusCode::RESOURCE_EXHAUSTED, "the overlay is busy: its queue is full; try again"};

// Finishes a call exactly once: by finish, or with UNAVAILABLE when the last holder lets go of it.
class Call {
 public:
  explicit Call(grpc::ServerUnaryReactor& reactor) : reactor_(reactor) {}
  ~Call() { finish({StatusCode::UNAVAILABLE, "the daemon is stopping"}); }
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

AdminService::AdminService(OverlayPort& port, const OverlayService& overlay)
    : port_(port), overlay_(overlay), worker_(std::chrono::seconds(1), [this] { work(); }) {}

AdminService::~AdminService() { stop(); }

void AdminService::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  worker_.stop();
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
}

grpc::ServerUnaryReactor* AdminService::GetStatus(grpc::CallbackServerContext* context, const v1::GetStatusRequest*,
                                                  v1::GetStatusResponse* response) {
  auto* reactor = context->DefaultReactor();
  const auto call = std::make_shared<Call>(*reactor);
  const bool is_asked = port_.query_status([this, call, response](StatusSnapshot status) {
    post([this, call, response, status = std::move(status)] {
      to_proto(status, *response);
      response->set_boot_id(overlay_.boot_id());
      response->set_subscribers(static_cast<std::uint32_t>(overlay_.subscribers()));
      add_topics(overlay_.event_log(), *response);
      call->finish(Status::OK);
    });
  });
  if (!is_asked) call->finish(kBusy);
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::ListPeers(grpc::CallbackServerContext* context, const v1::ListPeersRequest*,
                                                  v1::ListPeersResponse* response) {
  auto* reactor = context->DefaultReactor();
  const auto call = std::make_shared<Call>(*reactor);
  const bool is_asked = port_.query_peers([this, call, response](std::vector<PeerSnapshot> peers) {
    post([call, response, peers = std::move(peers)] {
      to_proto(peers, *response);
      call->finish(Status::OK);
    });
  });
  if (!is_asked) call->finish(kBusy);
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::Connect(grpc::CallbackServerContext* context, const v1::ConnectRequest* request,
                                                v1::ConnectResponse* /*response*/) {
  auto* reactor = context->DefaultReactor();
  const auto address = parse_address(request->address());
  if (!address) {
    reactor->Finish({StatusCode::INVALID_ARGUMENT, address.error()});
  } else {
    reactor->Finish(port_.submit({ConnectTo{.address = address.value()}}) ? Status::OK : kBusy);
  }
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::Disconnect(grpc::CallbackServerContext* context,
                                                   const v1::DisconnectRequest* request,
                                                   v1::DisconnectResponse* /*response*/) {
  auto* reactor = context->DefaultReactor();
  const auto node = to_node_id(request->node_id(), "node_id");
  if (!node) {
    reactor->Finish({StatusCode::INVALID_ARGUMENT, node.error()});
    return reactor;
  }
  const auto call = std::make_shared<Call>(*reactor);
  const bool is_asked = port_.query_peers([this, call, id = node.value()](const std::vector<PeerSnapshot>& peers) {
    const bool is_connected =
        std::any_of(peers.begin(), peers.end(), [&](const PeerSnapshot& peer) { return peer.node == id; });
    post([this, call, id, is_connected] {
      if (!is_connected) {
        call->finish({StatusCode::NOT_FOUND, "node_id: no such peer is connected"});
      } else {
        call->finish(port_.submit({overlayd::Disconnect{.node = id}}) ? Status::OK : kBusy);
      }
    });
  });
  if (!is_asked) call->finish(kBusy);
  return reactor;
}

}  // namespace overlayd::ipc
