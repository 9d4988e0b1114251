// An ItemFetcher beside the rules of its header as plain lists.
#pragma once
#include "core/bytes.h"

namespace overlayd {

// With this first byte the run begins with so many searches that there is room for few more.
inline constexpr std::uint8_t kCrowdedFetchRun = 0xfe;

// Stops the process where the two differ.
void fuzz_item_fetcher(ByteView input);

}  // namespace overlayd
