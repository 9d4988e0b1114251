// The API's two doors: two Unix sockets, each with a gRPC server of its own, so that the operator's calls never wait
// behind data streams. `socket` serves overlay.v1.Overlay and overlay.v1.Survey, `admin_socket` overlay.v1.Admin; both serve health checking
// (grpc.health.v1) and server reflection, and pass messages of up to limits::kApiMessageBytesMax.
//
// start()  Makes each socket: mode 0660 and the group asked for, before anybody but our own user could connect. A
//          socket file left behind by a process that is gone is removed; one that answers, or a file that is no
//          socket, is refused. Errors name the path and say what to do.
// stop()   Ends streams and pending calls with UNAVAILABLE, waits at most limits::kApiShutdownTimeout, cancels the rest
//          and removes the sockets. Calls that wait for a snapshot end when the port delivers it or destroys the
//          callback: stop the server while the overlay still runs, or drop its queue first.
//          False: limits::kApiCancelTimeout later gRPC is not done yet, for a client does not read what was written to
//          it. It may be called again. Called by the destructor too, which waits without bound.
// The port must outlive the server; events() may be called by the overlay thread from construction until destruction.
#pragma once
#include <memory>
#include <string>

#include "core/local_node.h"
#include "core/result.h"
#include "ipc/event_log.h"
#include "ipc/overlay_port.h"

namespace overlayd::ipc {

struct ServerOptions {
  std::string socket;
  std::string admin_socket;
  std::string socket_group;  // name of a group; empty: the process's own
  std::string admin_group;
  LocalNode local;
  std::uint64_t boot_id = 0;  // random, not 0, below 2^53
  EventLogOptions event_log;
  std::size_t requests_bytes_max = limits::kRequestsPendingBytesMax;  // of those not answered yet
  Duration requests_timeout = limits::kRequestAnswerTimeout;          // for the overlay to answer one
  std::size_t item_answers_bytes_max = limits::kItemAnswersBytesMax;  // of GetItem, until gRPC is done with them
};

class Server {
 public:
  Server(ServerOptions options, OverlayPort& port);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Result<Done> start();
  [[nodiscard]] bool stop();
  [[nodiscard]] OverlayEvents& events();
  [[nodiscard]] const EventLog& event_log() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace overlayd::ipc
