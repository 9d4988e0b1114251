// What a run came to: how messages spread, and what it cost on the wire.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "tests/sim/traffic.h"

namespace overlayd::sim {

// How messages spread over the nodes below `nodes`. A *delivery* is one message given to the client of one node other
// than its origin.
struct Spread {
  std::size_t expected = 0;     // deliveries
  std::size_t delivered = 0;    // of those
  std::size_t repeated = 0;     // given to a client again
  std::vector<Duration> times;  // from sending to delivery, ascending
  std::vector<std::string>
      lost;  // what did not arrive, at most ten of it: "message 3 of node 1, sent at 2 s, to node 7"
  // Nearest rank; of at least one delivery.
  [[nodiscard]] Duration percentile(double percent) const;
};
[[nodiscard]] Spread measure_spread(const SimNetwork& network, std::span<const Sent> sent, std::size_t nodes);

// When each message was first given to the client of `node`; Instant::never() if it was not.
[[nodiscard]] std::vector<Instant> first_arrivals(const SimNode& node, std::span<const Sent> sent);

// What the nodes below `nodes` read from the wire since the meter was made, with frames: each byte is counted once, where
// it is read.
class WireMeter {
 public:
  WireMeter(const SimNetwork& network, std::size_t nodes);
  [[nodiscard]] WireCounts read(std::size_t node) const;
  [[nodiscard]] WireCounts read() const;  // of all of them
  [[nodiscard]] std::size_t nodes() const { return start_.size(); }

 private:
  const SimNetwork& network_;
  std::vector<WireCounts> start_;
};

}  // namespace overlayd::sim
