// An attacker with many addresses in few groups, who wants to be all that honest nodes are connected to.
//
// Honest.   `honest` nodes with default slots know one seed, the first of them. A third are there from the beginning, a
//           third start fresh when the attack has lasted a minute, and the last third, there from the beginning as well, are
//           killed half a minute later and come back after ten seconds with what is on their disks.
// Attacker. `attackers` participants, each with a node id and an address of its own, spread over `groups` IPv4 /16 and over
//           as many /24 as there are. They accept every call; whoever calls is told 100 addresses: attackers', or with
//           is_naming_dead made-up ones in 1,024 groups in which nobody answers. Every second each honest node is called by
//           calls_per_second of them, and they let go of nothing.
// Watched.  At every second, of every honest node that is alive.
#pragma once
#include "tests/sim/sim_network.h"

namespace overlayd::sim {

struct EclipseScene {
  std::uint64_t seed = 1;
  std::size_t honest = 18;
  std::size_t attackers = 1'000;
  std::size_t groups = 4;
  bool is_naming_dead = false;
  std::size_t calls_per_second = 3;
  std::uint32_t max_outbound_per_group = limits::kOutboundPerGroupMax;
  Duration length = seconds(160);
};

struct EclipseOutcome {
  std::size_t attacker_outbound_max = 0;  // outbound slots of one honest node that attackers held at one time
  std::size_t attacker_inbound_max = 0;   // the same of inbound slots
  std::size_t looks = 0;                  // nodes times seconds
  // Looks at a node that was up for half a minute and had no honest peer; the first, second and last third.
  std::array<std::size_t, 3> alone{};
  // At the end.
  std::size_t honest_outbound_min = 0;
  std::size_t honest_links_min = 0;
  std::size_t anchors_kept = 0;  // outbound links of the killed third to whom their disks named as anchors
  std::size_t anchors = 0;       // that their disks named when they were killed
};

[[nodiscard]] EclipseOutcome play(const EclipseScene& scene);

}  // namespace overlayd::sim
