#include "daemon/network_thread.h"

#include "core/wire/message.h"
#include "daemon/clocks.h"
#include "daemon/overloaded.h"
#include "daemon/scp_signature.h"
#include "daemon/thread_body.h"

namespace overlayd::daemon {
namespace {

constexpr auto kProgressPeriod = std::chrono::seconds(1);

}  // namespace

NetworkThread::NetworkThread(std::size_t index, const NetworkThreadOptions& options, InputQueue& inputs,
                             std::atomic<std::size_t>& open_links)
    : index_(index),
      options_(options),
      inputs_(inputs),
      open_links_(open_links),
      context_(1),
      work_(context_.get_executor()),
      progress_timer_(context_),
      auth_({.node_key = options.node_key, .pair = options.pair, .network = options.network}),
      services_{.context = context_,
                .inputs = inputs,
                .network = options_.network,
                .auth = auth_,
                .entropy = entropy_,
                .bulk_turns = bulk_turns_,
                .on_gone = [this](PeerId peer) { forget(peer); },
                .sets_left_out = [this] { backlog_.count_left_out(); }} {}

NetworkThread::~NetworkThread() { stop(); }

void NetworkThread::start() {
  arm_progress();
  thread_ = std::thread([this] { run_thread_body("net-" + std::to_string(index_), [this] { context_.run(); }); });
}

void NetworkThread::stop() {
  if (!thread_.joinable()) return;
  asio::post(context_, [this] {
    for (const auto& [peer, connection] : connections_) connection->abandon();
    open_links_ -= connections_.size();
    connections_.clear();
    context_.stop();
  });
  thread_.join();
}

void NetworkThread::post(Outputs outputs) {
  std::vector<PeerId> refused = backlog_.admit(outputs);
  asio::post(context_, [this, refused = std::move(refused), outputs = std::move(outputs)] {
    apply(outputs);
    backlog_.release(outputs);
    for (const PeerId peer : refused) refuse(peer);
  });
}

void NetworkThread::adopt(PeerId peer, asio::ip::tcp::socket socket, const PeerAddress& remote) {
  ++open_links_;
  asio::post(context_, [this, peer, remote, socket = std::move(socket)]() mutable {
    auto connection = std::make_shared<Connection>(services_, peer, Direction::kInbound, std::move(socket));
    connections_.emplace(peer, connection);
    connection->accept(remote);
  });
}

void NetworkThread::dial(const Dial& order) {
  ++open_links_;
  auto connection =
      std::make_shared<Connection>(services_, order.peer, Direction::kOutbound, asio::ip::tcp::socket(context_));
  connections_.emplace(order.peer, connection);
  connection->dial(order.address);
}

void NetworkThread::refuse(PeerId peer) {
  if (const auto connection = find(peer))
    connection->refuse_sends();
  else
    backlog_.forget(peer);  // it went while the batch was on its way
}

void NetworkThread::forget(PeerId peer) {
  backlog_.forget(peer);
  if (connections_.erase(peer) > 0) --open_links_;
}

std::shared_ptr<Connection> NetworkThread::find(PeerId peer) const {
  const auto found = connections_.find(peer);
  return found == connections_.end() ? nullptr : found->second;
}

void NetworkThread::apply(const Outputs& outputs) {
  std::unordered_set<PeerId> sent_to;
  const auto with = [this](PeerId peer, auto&& action) {
    if (const auto connection = find(peer)) action(*connection);
  };
  const Overloaded take{
      [&](const Dial& order) { dial(order); },
      [&](const Send& order) {
        with(order.peer, [&](Connection& to) { to.send(order.message); });
        sent_to.insert(order.peer);
      },
      [&](const LinkAuthenticated& order) { with(order.peer, [](Connection& of) { of.on_authenticated(); }); },
      [&](const Close& order) { with(order.peer, [&](Connection& of) { of.close(order); }); },
      [&](const PauseReading& order) { with(order.peer, [](Connection& of) { of.pause_reading(); }); },
      [&](const ResumeReading& order) { with(order.peer, [](Connection& of) { of.resume_reading(); }); },
      [&](const VerifyScp& order) { to_verify_.push_back(order.message); },
      [](const auto&) { OVERLAYD_CHECK(!"an output of another thread"); },
  };
  const bool was_verifying = !to_verify_.empty();
  for (const Output& output : outputs) std::visit(take, output);
  for (const PeerId peer : sent_to) with(peer, [](Connection& to) { to.flush(); });
  if (!was_verifying && !to_verify_.empty()) asio::post(context_, [this] { verify_some(); });
}

void NetworkThread::verify_some() {
  for (std::size_t i = 0; i < kVerifySliceMax && !to_verify_.empty(); ++i) {
    const MessagePtr message = std::move(to_verify_.front());
    to_verify_.pop_front();
    verified_.inputs.emplace_back(
        ScpVerified{.hash = message->flood_hash(), .is_valid = is_scp_signature_valid(*message, options_.network)});
  }
  hand_over_verified();
  if (!to_verify_.empty()) asio::post(context_, [this] { verify_some(); });
}

void NetworkThread::hand_over_verified() {
  const std::size_t count = verified_.inputs.size();
  if (count > 0 && inputs_.push(verified_, count)) verified_ = {};
}

void NetworkThread::on_overlay_room() {
  asio::post(context_, [this] {
    hand_over_verified();
    // A copy: connections that were only waiting to say that they are gone leave the map.
    const Connections connections = connections_;
    for (const auto& [peer, connection] : connections) connection->on_overlay_room();
  });
}

void NetworkThread::arm_progress() {
  progress_timer_.expires_after(kProgressPeriod);
  progress_timer_.async_wait([this](const asio::error_code& error) {
    if (error) return;
    report_progress();
    arm_progress();
  });
}

void NetworkThread::report_progress() {
  InputBatch batch;
  for (const auto& [peer, connection] : connections_)
    if (auto progress = connection->take_progress()) batch.inputs.emplace_back(*progress);
  const std::size_t count = batch.inputs.size();
  if (count > 0) static_cast<void>(inputs_.push(batch, count));
}

}  // namespace overlayd::daemon
