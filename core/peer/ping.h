// The latency of one peer, measured with a question that every node answers: GET_SCP_QUORUMSET of a hash that no quorum
// set has. The DONT_HAVE that names it comes back after one round trip and the peer's queues.
//
// Rule 1.  While no ping is outstanding one is due every 5 s, the first at once. Source: Peer::pingPeer,
//          RECURRENT_TIMER_PERIOD.
// Rule 2.  A DONT_HAVE or SCP_QUORUMSET that names the outstanding hash answers it; any other changes nothing.
//          Source: Peer::maybeProcessPingResponse.
// Rule 3.  A ping that is never answered stays outstanding: there is no second one and the last latency stays. A peer
//          that answers nothing else either is ended by its idle timer.
// Rule 4.  The hash is SHA-256 over 16 bytes of chance and the number of the ping (stellar-core hashes the time).
//          Rationale: a peer cannot answer before it was asked, and learns nothing of the generator's state.
// Limits.  The last kPingWindow latencies are kept for the percentiles; allocated with the first.
// Source:  stellar-core Peer, commit a9b8613.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "core/clock.h"
#include "core/ids.h"
#include "core/limits.h"
#include "core/random.h"

namespace overlayd::peer {

class Ping {
 public:
  // A hash to ask for now, with GET_SCP_QUORUMSET, if a ping is due.
  [[nodiscard]] std::optional<ItemHash> advance(Instant now, Random& random);
  // The latency, if `hash` is that of the outstanding ping, which then is outstanding no more.
  std::optional<Duration> on_answer(const ItemHash& hash, Instant now);
  // When the next ping is due; never while one is outstanding.
  [[nodiscard]] Instant next_deadline() const { return sent_ ? Instant::never() : next_due_; }

  [[nodiscard]] std::optional<Duration> last() const { return last_; }
  // Of the last kPingWindow answers, nearest rank; nothing before the first answer.
  [[nodiscard]] std::optional<Duration> median() const { return percentile(50); }
  [[nodiscard]] std::optional<Duration> p99() const { return percentile(99); }

 private:
  [[nodiscard]] std::optional<Duration> percentile(std::uint32_t percent) const;

  struct Sent {
    ItemHash hash;
    Instant at;
  };
  std::optional<Sent> sent_;
  Instant next_due_;
  std::optional<Duration> last_;
  std::vector<Duration> latencies_;  // a ring once it is full
  std::uint64_t answer_count_ = 0;
  std::uint64_t ping_count_ = 0;
};

}  // namespace overlayd::peer
