#include "daemon/connection_pool.h"

namespace overlayd::daemon {

ConnectionPool::ConnectionPool(const ConnectionPoolOptions& options, InputQueue& inputs) : options_(options) {
  for (std::size_t i = 0; i < options_.threads; ++i)
    threads_.push_back(std::make_unique<NetworkThread>(i, options_.thread, inputs, open_links_));
}

ConnectionPool::~ConnectionPool() { stop(); }

void ConnectionPool::start() {
  for (const auto& thread : threads_) thread->start();
}

void ConnectionPool::stop() {
  for (const auto& thread : threads_) thread->stop();
}

std::size_t ConnectionPool::index_of(PeerId peer) const {
  return static_cast<std::size_t>((peer.value & ~kAcceptedPeerBit) % threads_.size());
}

void ConnectionPool::on_overlay_room() {
  for (const auto& thread : threads_) thread->on_overlay_room();
}

std::uint64_t ConnectionPool::sends_refused_total() const {
  std::uint64_t total = 0;
  for (const auto& thread : threads_) total += thread->backlog().refused_total();
  return total;
}

PeerId ConnectionPool::next_accepted() { return {kAcceptedPeerBit | ++last_accepted_}; }

}  // namespace overlayd::daemon
