// Two FlowControls, the ends of one link, beside plain sums and lists.
#pragma once
#include "core/bytes.h"

namespace overlayd {

// Stops the process where the two differ.
void fuzz_flow_control(ByteView input);

}  // namespace overlayd
