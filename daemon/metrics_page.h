// An overlay's counters as a Prometheus text page (exposition format 0.0.4). Pure: others serve it.
// Every metric is named overlayd_<what>[_total], has a help line, and no label but `reason` of drops (the labels of
// core/error.h), `queue` of flow control and `direction` of peers: no label comes from a peer, so the page has a fixed size.
#pragma once
#include <string>

#include "core/snapshots.h"

namespace overlayd::daemon {

// What the daemon counts around the core.
struct DaemonMetrics {
  std::uint64_t overlay_stalls = 0;
  std::uint64_t input_refused = 0;
  std::uint64_t sends_refused = 0;
  std::uint64_t accept_refused = 0;
  std::uint64_t accept_failed = 0;
  std::uint64_t storage_refused = 0;
  std::uint64_t ban_writes_failed = 0;  // StorageCounters::orders_failed
  std::uint64_t open_links = 0;         // now
};

[[nodiscard]] std::string render_metrics(const StatusSnapshot& status, const DaemonMetrics& daemon);

}  // namespace overlayd::daemon
