// A gRPC channel over a Unix socket, and its errors as sentences.
#pragma once
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>

#include "core/result.h"

namespace overlayd::ipc {

// Waits until somebody answers at the socket.
Result<std::shared_ptr<grpc::Channel>> open_channel(const std::string& socket, std::chrono::milliseconds timeout);
// "INVALID_ARGUMENT: transaction_envelope: …"; for UNAVAILABLE also the socket and what to do.
[[nodiscard]] std::string status_text(const grpc::Status& status, const std::string& socket);

}  // namespace overlayd::ipc
