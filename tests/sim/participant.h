// Whatever can sit at the end of a simulated link: an OverlayManager, or a peer that follows a script.
// The contract is that of OverlayManager: inputs and time go in, outputs come out, and next_deadline says when advance
// is wanted.
#pragma once
#include "core/outputs.h"

namespace overlayd::sim {

class Participant {
 public:
  virtual ~Participant() = default;
  virtual void handle(const Input& input, const Now& now, Outputs& out) = 0;
  virtual void advance(const Now& now, Outputs& out) = 0;
  [[nodiscard]] virtual Instant next_deadline() const = 0;
};

}  // namespace overlayd::sim
