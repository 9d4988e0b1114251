// One node of a simulation: an overlay and the consensus process that sits on it, or a scripted peer.
#pragma once
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/overlay_manager.h"
#include "tests/sim/participant.h"

namespace overlayd::sim {

struct NodeOptions {
  RelayMode relay_mode = RelayMode::kConsensus;
  bool is_flood_immediate = true;
  std::uint32_t target_outbound = limits::kOutboundTarget;
  std::uint32_t max_inbound = limits::kInboundMax;
  bool has_client = true;              // a consensus process takes transactions and judges them
  Verdict verdict = Verdict::kAccept;  // what it says of each transaction
  Duration verdict_delay{0};
};

// A message that the client was given.
struct Arrival {
  Instant at;
  NodeId from;
  MessagePtr message;
};
struct PeerEvent {
  Instant at;
  PublishPeer what;
};

struct ItemEvent {
  Instant at;
  PublishItem what;
};

class SimNode {
 public:
  SimNode(std::size_t index, const LocalNode& local, const PeerAddress& address);

  [[nodiscard]] std::size_t index() const { return index_; }
  [[nodiscard]] const NodeId& id() const { return local_.node_id; }
  [[nodiscard]] const PeerAddress& address() const { return address_; }
  // Only of a node that has one.
  [[nodiscard]] OverlayManager& overlay() const;
  [[nodiscard]] bool is_overlay() const { return overlay_ != nullptr; }
  // What the client was given, in order.
  [[nodiscard]] const std::vector<Arrival>& arrivals() const { return arrivals_; }
  [[nodiscard]] bool has_received(const MessagePtr& message) const;
  [[nodiscard]] const std::vector<PeerEvent>& peer_events() const { return peer_events_; }
  [[nodiscard]] const std::vector<ItemEvent>& item_events() const { return item_events_; }
  [[nodiscard]] const std::vector<RequestAnswer>& answers() const { return answers_; }
  // Peers that completed the handshake and are still there.
  [[nodiscard]] std::size_t authenticated() const { return authenticated_.size(); }
  [[nodiscard]] std::uint64_t drops(DropReason reason) const;

 private:
  friend class SimNetwork;
  void on_peer(const PublishPeer& event, Instant now);

  std::size_t index_;
  LocalNode local_;
  PeerAddress address_;
  NodeOptions options_;
  std::unique_ptr<Participant> participant_;
  OverlayManager* overlay_ = nullptr;  // what the participant is, if it is one
  std::vector<Arrival> arrivals_;
  std::vector<PeerEvent> peer_events_;
  std::vector<ItemEvent> item_events_;
  std::vector<RequestAnswer> answers_;
  std::unordered_set<PeerId> authenticated_;
  // Of arrivals_, as far as has_received was asked.
  mutable std::unordered_set<FloodHash> received_;
  mutable std::size_t received_count_ = 0;
  Instant wake_at_ = Instant::never();
  std::uint64_t next_accepted_ = 1;
  bool is_alive_ = true;
};

}  // namespace overlayd::sim
