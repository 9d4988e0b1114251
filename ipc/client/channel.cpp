#include "ipc/client/channel.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "core/limits.h"
#include "ipc/grpc_life.h"

namespace overlayd::ipc {
namespace {

const char* code_name(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::OK: return "OK";
    case grpc::StatusCode::CANCELLED: return "CANCELLED";
    case grpc::StatusCode::UNKNOWN: return "UNKNOWN";
    case grpc::StatusCode::INVALID_ARGUMENT: return "INVALID_ARGUMENT";
    case grpc::StatusCode::DEADLINE_EXCEEDED: return "DEADLINE_EXCEEDED";
    case grpc::StatusCode::NOT_FOUND: return "NOT_FOUND";
    case grpc::StatusCode::ALREADY_EXISTS: return "ALREADY_EXISTS";
    case grpc::StatusCode::PERMISSION_DENIED: return "PERMISSION_DENIED";
    case grpc::StatusCode::UNAUTHENTICATED: return "UNAUTHENTICATED";
    case grpc::StatusCode::RESOURCE_EXHAUSTED: return "RESOURCE_EXHAUSTED";
    case grpc::StatusCode::FAILED_PRECONDITION: return "FAILED_PRECONDITION";
    case grpc::StatusCode::ABORTED: return "ABORTED";
    case grpc::StatusCode::OUT_OF_RANGE: return "OUT_OF_RANGE";
    case grpc::StatusCode::UNIMPLEMENTED: return "UNIMPLEMENTED";
    case grpc::StatusCode::INTERNAL: return "INTERNAL";
    case grpc::StatusCode::UNAVAILABLE: return "UNAVAILABLE";
    case grpc::StatusCode::DATA_LOSS: return "DATA_LOSS";
    case grpc::StatusCode::DO_NOT_USE: break;
  }
  return "UNKNOWN";
}

// Why nobody could be reached, as far as the file tells.
std::string unreachable_text(const std::string& socket) {
  struct stat status {};
  if (::stat(socket.c_str(), &status) != 0) {
    return "the daemon cannot be reached: there is no socket " + socket + " (" +
           std::generic_category().message(errno) +
           "); is overlayd running, and is this the path in its configuration?";
  }
  if (::access(socket.c_str(), W_OK) != 0) {
    return "the daemon cannot be reached: this user may not open the socket " + socket +
           "; join the group that owns it, or run as a user who may";
  }
  return "the daemon cannot be reached: nobody answers at the socket " + socket + "; is overlayd running?";
}

}  // namespace

Result<std::shared_ptr<grpc::Channel>> open_channel(const std::string& socket, std::chrono::milliseconds timeout) {
  if (socket.empty()) return Failure{"the path of the daemon's socket is empty"};
  std::error_code error;
  const std::string path = std::filesystem::absolute(socket, error).string();
  struct stat status {};
  // A missing file will not begin to answer: say so at once.
  if (::stat(path.c_str(), &status) != 0 || ::access(path.c_str(), W_OK) != 0) return Failure{unreachable_text(path)};
  keep_grpc_initialised();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(limits::kApiMessageBytesMax));
  arguments.SetMaxSendMessageSize(static_cast<int>(limits::kApiMessageBytesMax));
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own for every client
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  auto channel = grpc::CreateCustomChannel("unix:" + path, grpc::InsecureChannelCredentials(), arguments);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + timeout)) return Failure{unreachable_text(path)};
  return channel;
}

std::string status_text(const grpc::Status& status, const std::string& socket) {
  std::string text = std::string(code_name(status.error_code())) + ": " + status.error_message();
  // With details it is a daemon that answers and goes on.
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && status.error_details().empty())
    text += " (socket " + socket + "; is overlayd still running?)";
  return text;
}

}  // namespace overlayd::ipc
