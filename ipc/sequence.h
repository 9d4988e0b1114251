// How events are numbered in the public contract (overlay.proto, Event.sequence): topic × 10^15 + ordinal, so that a number
// tells its topic and JSON readers hold it. For the daemon, its clients and tests alike.
#pragma once
#include <cstdint>

namespace overlayd::ipc {

inline constexpr std::uint64_t kSequenceTopicFactor = 1'000'000'000'000'000;

}  // namespace overlayd::ipc
