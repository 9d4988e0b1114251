// The daemon as a whole: what its configuration says, wired once, in the order of the data.
//
// run() starts everything, tells systemd when it listens and both API sockets serve, and returns when it has stopped.
// Stop. SIGTERM or SIGINT: no new links; every peer is told ERR_MISC "shutdown" and its link flushed, at most
//       limits::kDropFlushTimeout in all; then the API ends, then what is to be stored is stored. A second signal
//       ends the process at once.
// Errors: a sentence with the key or address and what to do, before anything of ours is visible to the network.
#pragma once
#include <memory>
#include <string>

#include "config/load.h"
#include "core/crypto/keys.h"
#include "core/result.h"

namespace overlayd::daemon {

// What every process of ours must do first: SIGPIPE is ignored, and no secret can land in a core dump.
void harden_process();
// As many open files as the system lets us have: each peer is one.
void raise_file_limit();

// The configuration in effect, for people. Names the node, never its seed.
[[nodiscard]] std::string describe(const config::LoadOutcome& loaded, const NodeId& node);

class Daemon {
 public:
  Daemon(const config::LoadOutcome& loaded, crypto::NodeKey node_key, const std::string& version);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Once. Blocks until a signal ended it.
  [[nodiscard]] Result<Done> run();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace overlayd::daemon
