// FloodGate beside a list of records that each hold a list of nodes.
#pragma once
#include "core/bytes.h"

namespace overlayd {

// Stops the process where the two differ.
void fuzz_flood_gate(ByteView input);

}  // namespace overlayd
