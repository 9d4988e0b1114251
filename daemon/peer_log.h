// The operator's lines about peers: who was authenticated, who was dropped, why (the label of log, metric and RPC) and
// what to do about it. Whoever connects makes such lines, so each reason is limited (log_limiter.h).
#pragma once
#include "core/outputs.h"
#include "daemon/log_limiter.h"

namespace overlayd::daemon {

class PeerLog {
 public:
  PeerLog();
  void on_peer(const PublishPeer& change);
  // Of what an operator asked for; what only changes a ban's hits is no news.
  void on_ban(const StoreBan& change);
  void on_unban(const EraseBan& change);

 private:
  LogLimiter limiter_;
};

// Text of a remote made fit for one log line: anything but printable ASCII becomes '?', at most 200 bytes.
[[nodiscard]] std::string to_log_text(std::string_view text);

}  // namespace overlayd::daemon
