// EventLog beside a list of everything ever published.
#pragma once
#include "core/bytes.h"

namespace overlayd {

// Stops the process where the two differ.
void fuzz_event_log(ByteView input);

}  // namespace overlayd
