// How many questions of one peer we answer: GET_TX_SET, GET_SCP_QUORUMSET, GET_SCP_STATE, each counted for itself.
//
// Rule 1.  Time is cut into windows of window_slots × close time (12 × 5 s: 60 s), in whole seconds, at least one. A
//          window begins with the first question at or after the end of the last one. Cost: twice the limit can fall into
//          one window's length.
// Rule 2.  In a window 5 questions per second of its length are answered (300 at 60 s); of GET_SCP_STATE 10 in all,
//          for one answer may be hundreds of messages. More are ignored in silence and do not count.
// Rule 3.  The length is that of the close time given with the question: a change takes effect at once.
// Limits.  Three counters. One limiter per peer; it goes with the peer.
// Does not protect against many peers asking at once: the number of slots does.
// Source:  stellar-core Peer::process, QUERY_RESPONSE_MULTIPLIER, GET_SCP_STATE_MAX_RATE, commit a9b8613.
#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "core/clock.h"
#include "core/limits.h"
#include "core/wire/message_rules.h"

namespace overlayd::peer {

struct QueryLimiterOptions {
  std::uint32_t queries_per_second = limits::kQueriesPerSecond;
  std::uint32_t scp_state_queries_per_window = limits::kScpStateQueriesPerWindow;
  std::uint32_t window_slots = limits::kSlotsToRemember;  // a window's length, in close times
};

class QueryLimiter {
 public:
  QueryLimiter() = default;
  explicit QueryLimiter(const QueryLimiterOptions& options) : options_(options) {}

  // Whether this question is to be answered; if so it is counted. What is no query is always answered.
  [[nodiscard]] bool take(std::optional<wire::QueryKind> kind, Instant now, Duration close_time);

 private:
  struct Window {
    std::optional<Instant> start;
    std::uint64_t answered = 0;
  };
  QueryLimiterOptions options_;
  std::array<Window, wire::kQueryKindCount> windows_;
};

}  // namespace overlayd::peer
