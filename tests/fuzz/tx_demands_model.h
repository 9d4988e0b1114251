// TxDemands, on a real TxAdverts, beside a list of records.
#pragma once
#include "core/bytes.h"

namespace overlayd {

// Stops the process where the two differ.
void fuzz_tx_demands(ByteView input);

}  // namespace overlayd
