// Keeps the gRPC library initialised until the process ends.
// Rationale: when its last object goes, gRPC 1.51 joins its own threads, and one of them may sit in a poll of 10 s: a
// daemon that stops, or a short overlayctl, would wait for it. Nothing of ours needs the library to be shut down.
#pragma once
#include <grpc/grpc.h>

namespace overlayd::ipc {

inline void keep_grpc_initialised() {
  static const bool is_done = (grpc_init(), true);
  static_cast<void>(is_done);
}

}  // namespace overlayd::ipc
