// One end of a link as the daemon reads it (daemon/secure_link), fed by a peer that knows its keys.
#pragma once
#include "core/bytes.h"

namespace overlayd {

// The first byte says what the others are:
//   even  the peer's bytes as they are, from the first one on; the second byte says how large the pieces are
//   odd   commands: the peer completes the handshake, then sends frames, good and bad, cut as the commands say
// Stops the process where the link does not do what a plain reading of the rules does.
void fuzz_link(ByteView input);

}  // namespace overlayd
