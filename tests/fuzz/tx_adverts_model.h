// TxAdverts beside plain lists per peer.
#pragma once
#include "core/bytes.h"

namespace overlayd {

// Stops the process where the two differ.
void fuzz_tx_adverts(ByteView input);

}  // namespace overlayd
