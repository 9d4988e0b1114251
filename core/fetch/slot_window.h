// Which slots matter: from `lowest` to `highest`, and the latest checkpoint.
#pragma once
#include <cstdint>

namespace overlayd::fetch {

struct SlotWindow {
  std::uint64_t lowest = 0;
  std::uint64_t highest = UINT64_MAX;
  std::uint64_t kept = 0;  // the checkpoint; 0: none

  [[nodiscard]] bool contains(std::uint64_t slot) const {
    return (slot >= lowest && slot <= highest) || (slot == kept && kept != 0);
  }
};

}  // namespace overlayd::fetch
