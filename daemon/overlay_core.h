// What the overlay thread drives. core/overlay_manager.h is the one that ships (daemon.cpp joins the two); tests of the
// thread bring their own. Every call comes from the overlay thread.
#pragma once
#include <vector>

#include "core/inputs.h"
#include "core/outputs.h"
#include "core/snapshots.h"

namespace overlayd::daemon {

class OverlayCore {
 public:
  virtual ~OverlayCore() = default;
  virtual void handle(const Input& input, const Now& now, Outputs& out) = 0;
  virtual void advance(const Now& now, Outputs& out) = 0;
  [[nodiscard]] virtual Instant next_deadline() const = 0;
  [[nodiscard]] virtual StatusSnapshot status(Instant now) const = 0;
  [[nodiscard]] virtual std::vector<PeerSnapshot> peers(Instant now) const = 0;
  [[nodiscard]] virtual std::vector<ClosedLink> closed_links(std::size_t limit) const = 0;
  [[nodiscard]] virtual PeerExplanation explain(const PeerSubject& peer, const Now& now) const = 0;
  [[nodiscard]] virtual std::vector<KnownPeerSnapshot> known_peers(const Now& now) const = 0;
  [[nodiscard]] virtual std::vector<Ban> bans(const Now& now) const = 0;
  [[nodiscard]] virtual SurveyResult survey_result(const Now& now) const = 0;
  [[nodiscard]] virtual MessagePtr find_item(const ItemId& id) const = 0;  // null: not held
};

// Where its outputs go. Called on the overlay thread; must not block.
class OutputSink {
 public:
  virtual ~OutputSink() = default;
  // Takes every element of `outputs` in order and leaves it empty. `arrival_unix_nanos`: when the slice began.
  virtual void route(Outputs& outputs, std::int64_t arrival_unix_nanos) = 0;
  // The input queue refused somebody and has room again.
  virtual void on_input_room() = 0;
};

}  // namespace overlayd::daemon
