#include "core/peer/query_limiter.h"

namespace overlayd::peer {

bool QueryLimiter::take(std::optional<wire::QueryKind> kind, Instant now, Duration close_time) {
  if (!kind) return true;
  const auto length = std::max(seconds(1), std::chrono::duration_cast<seconds>(close_time * options_.window_slots));
  Window& window = windows_[static_cast<std::size_t>(*kind)];
  if (!window.start || now - *window.start >= length) window = Window{now, 0};
  const std::uint64_t answered_max = *kind == wire::QueryKind::kScpState
                                         ? options_.scp_state_queries_per_window
                                         : static_cast<std::uint64_t>(length.count()) * options_.queries_per_second;
  if (window.answered >= answered_max) return false;
  ++window.answered;
  return true;
}

}  // namespace overlayd::peer
