// The seam between the API and the daemon: what the services may ask of the overlay thread, and what they are told.
// Implemented by the daemon; tests implement it with a fake.
#pragma once
#include <functional>
#include <vector>

#include "core/inputs.h"
#include "core/outputs.h"
#include "core/snapshots.h"

namespace overlayd::ipc {

// Thread-safe. Nothing here blocks.
class OverlayPort {
 public:
  virtual ~OverlayPort() = default;
  // Queues inputs, all or none, in order. False: the queue is full, nothing was taken; the caller answers
  // RESOURCE_EXHAUSTED or waits.
  [[nodiscard]] virtual bool submit(std::vector<Input> inputs) = 0;
  // Calls back on the overlay thread with a copy; false: the queue is full, there will be no call.
  [[nodiscard]] virtual bool query_status(std::function<void(StatusSnapshot)> done) = 0;
  [[nodiscard]] virtual bool query_peers(std::function<void(std::vector<PeerSnapshot>)> done) = 0;
  // At most `limit`, the latest first.
  [[nodiscard]] virtual bool query_closed(std::size_t limit, std::function<void(std::vector<ClosedLink>)> done) = 0;
  [[nodiscard]] virtual bool query_explanation(const PeerSubject& peer, std::function<void(PeerExplanation)> done) = 0;
  [[nodiscard]] virtual bool query_known_peers(std::function<void(std::vector<KnownPeerSnapshot>)> done) = 0;
  [[nodiscard]] virtual bool query_bans(std::function<void(std::vector<Ban>)> done) = 0;
  [[nodiscard]] virtual bool query_survey(std::function<void(SurveyResult)> done) = 0;
  // Null: the item is not held.
  [[nodiscard]] virtual bool query_item(const ItemId& id, std::function<void(MessagePtr)> done) = 0;
};

// Called on the overlay thread, one batch of outputs after another. Must be quick and never block.
class OverlayEvents {
 public:
  virtual ~OverlayEvents() = default;
  virtual void on_message(const PublishMessage& published, std::int64_t arrival_unix_nanos) = 0;
  virtual void on_peer(const PublishPeer& published, std::int64_t arrival_unix_nanos) = 0;
  virtual void on_item(const PublishItem& published, std::int64_t arrival_unix_nanos) = 0;
  virtual void on_scp_state_request(const PublishScpStateRequest& published, std::int64_t arrival_unix_nanos) = 0;
  // The status of surveys has changed; only the latest counts.
  virtual void on_survey(const PublishSurvey& published, std::int64_t arrival_unix_nanos) = 0;
  virtual void on_request_answer(const RequestAnswer& answer) = 0;
  // The batch is complete: wake the subscribers.
  virtual void flush() = 0;
};

}  // namespace overlayd::ipc
