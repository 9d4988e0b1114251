// Honest nodes and their traffic, with and without a hostile peer among them.
//
// Promise. Both runs of a seed have the same honest nodes, links, jitter and traffic: what differs is what the hostile
//          peer brought about.
// The honest nodes form a closed random graph; each has one inbound slot to spare. The hostile peer dials the first few
// of them a second before the traffic starts; what it is told of (Script::on_told) is every honest transaction, at the
// moment of its broadcast.
#pragma once
#include <optional>

#include "tests/sim/measure.h"
#include "tests/sim/scripted_peer.h"

namespace overlayd::sim {

struct Scene {
  std::uint64_t seed = 1;
  LinkModel link{.latency = milliseconds(50), .jitter = milliseconds(10)};
  std::size_t nodes = 10;
  std::size_t degree = 4;
  Load transactions{.count = 1'000, .per_second = 100};
  Load scp{.count = 50, .per_second = 5};
  Duration length = seconds(13);  // from the first message on
  std::size_t victims = 3;
  std::vector<MessagePtr> forged{};  // SCP messages whose signatures do not verify
};

// How a link to the hostile peer ended at a victim.
struct HostileDrop {
  Duration connected{};  // since the handshake
  DropReason reason = DropReason::kShutdown;
};

struct Outcome {
  Spread transactions;
  Spread scp;
  std::uint64_t duplicates = 0;                // transactions that honest nodes read again
  std::size_t forged = 0;                      // forged messages that a client was given
  std::vector<std::vector<Instant>> arrivals;  // of each transaction, by honest node
  std::vector<Sent> sent;
  // At victims.
  std::vector<HostileDrop> drops;
  std::size_t attached = 0;             // links to the hostile peer at the end
  std::uint64_t queued_max = 0;         // flood messages that waited for the hostile peer's credit
  std::uint64_t credit_max = 0;         // messages that the hostile peer let a victim send
  std::uint64_t records_max = 0;        // flood records
  std::vector<OverlayMetrics> metrics;  // of each, at the end
};

// Without a script there is no hostile peer. Other links than the hostile ones must not end: a CHECK.
[[nodiscard]] Outcome play(const Scene& scene, const std::optional<Script>& script);

}  // namespace overlayd::sim
