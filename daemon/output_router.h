// Outputs to where they belong, in order per destination: links to their network thread (one post per thread and
// batch), events to the API, peers, bans, anchors and surveys to the storage thread, changes of
// peers and of the survey's phase to the log.
// Runs on the overlay thread; blocks nowhere. What a destination refuses: the storage thread counts it; a network thread
// counts sends beyond a link's backlog, and that link comes back to the overlay as LinkFaulted{kWriteQueueFull}.
#pragma once
#include "daemon/connection_pool.h"
#include "daemon/overlay_core.h"
#include "daemon/peer_log.h"
#include "daemon/storage_thread.h"
#include "daemon/survey_log.h"
#include "ipc/overlay_port.h"

namespace overlayd::daemon {

struct RouterDestinations {
  ConnectionPool& pool;
  ipc::OverlayEvents& events;
  StorageThread& storage;
};

class OutputRouter final : public OutputSink {
 public:
  explicit OutputRouter(const RouterDestinations& to);
  void route(Outputs& outputs, std::int64_t arrival_unix_nanos) override;
  void on_input_room() override { to_.pool.on_overlay_room(); }

 private:
  void post_links();

  RouterDestinations to_;
  PeerLog log_;
  SurveyLog survey_log_;
  std::vector<Outputs> by_thread_;
  std::size_t next_verifier_ = 0;
};

}  // namespace overlayd::daemon
