// The open streams of one kind: what keeps them alive from their call to their OnDone, and how a call ends that gets none.
// Limits. count_max at a time; a further one is refused with RESOURCE_EXHAUSTED and `crowded`.
// Stop.   Once `is_stopping` is set, the next copy() holds every stream there will be: enter refuses from then on.
// Threads. All from any thread.
#pragma once
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "ipc/unary_call.h"

namespace overlayd::ipc {

// A stream refused before it began. Base: its reactor class of gRPC.
template <typename Base>
class RefusedStream final : public Base {
 public:
  explicit RefusedStream(const grpc::Status& status) { this->Finish(status); }
  void OnDone() override { delete this; }
};

template <typename Stream>
class StreamRegistry {
 public:
  StreamRegistry(std::size_t count_max, std::string crowded, const std::atomic<bool>& is_stopping)
      : count_max_(count_max), crowded_(std::move(crowded)), is_stopping_(is_stopping) {}

  // OK: it is entered.
  [[nodiscard]] grpc::Status enter(const std::shared_ptr<Stream>& stream) {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return stopping_status();
    if (streams_.size() >= count_max_) return {grpc::StatusCode::RESOURCE_EXHAUSTED, crowded_};
    streams_.emplace(stream.get(), stream);
    return grpc::Status::OK;
  }
  // Ends the entry; null: there was none. The caller holds the answer until nothing of the stream is needed any more: a
  // function that the stream itself holds, its on_done, is gone with it.
  [[nodiscard]] std::shared_ptr<Stream> take(Stream* stream) {
    const std::lock_guard lock(mutex_);
    auto entry = streams_.extract(stream);
    return entry.empty() ? nullptr : std::move(entry.mapped());
  }
  [[nodiscard]] std::vector<std::shared_ptr<Stream>> copy() const {
    std::vector<std::shared_ptr<Stream>> streams;
    const std::lock_guard lock(mutex_);
    streams.reserve(streams_.size());
    for (const auto& [key, stream] : streams_) streams.push_back(stream);
    return streams;
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return streams_.size();
  }

 private:
  const std::size_t count_max_;
  const std::string crowded_;
  const std::atomic<bool>& is_stopping_;
  mutable std::mutex mutex_;  // the overlay thread takes it: never held while anything else is done
  std::unordered_map<Stream*, std::shared_ptr<Stream>> streams_;
};

}  // namespace overlayd::ipc
