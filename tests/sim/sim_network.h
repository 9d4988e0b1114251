// Many overlays in one thread on virtual time. Links carry whole messages with latency, bandwidth and cuts; nothing is
// framed or authenticated here (the transport's tests do that). Every run repeats exactly from its seed.
//
// Events are ordered by (time, sequence): two at the same time fire in the order in which they were scheduled.
// A node's clock is read once per event, as the daemon reads it once per batch.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "core/overlay_manager.h"

namespace overlayd::sim {

struct LinkModel {
  Duration latency = milliseconds(50);  // one way
  Duration jitter{0};                   // uniform in [0, jitter], added; order within a link is kept
  std::uint64_t bytes_per_second = 0;   // each way; 0: no limit
};

struct SimOptions {
  std::uint64_t seed = 1;
  LinkModel link{};
  bool are_signatures_checked = false;  // false: every SCP envelope counts as correctly signed
};

struct NodeOptions {
  RelayMode relay_mode = RelayMode::kConsensus;
  bool is_flood_immediate = true;
  std::uint32_t target_outbound = limits::kOutboundTarget;
  std::uint32_t max_inbound = limits::kInboundMax;
  bool has_client = true;              // a consensus process takes transactions and judges them
  Verdict verdict = Verdict::kAccept;  // what it says of each transaction
  Duration verdict_delay{0};
};

struct Arrival {
  Instant at;
  NodeId from;
  MessagePtr message;
};

class SimNetwork;

// One overlay and the consensus process that sits on it.
class SimNode {
 public:
  SimNode(SimNetwork& network, std::size_t index, const NodeOptions& options);

  [[nodiscard]] OverlayManager& overlay() { return *overlay_; }
  [[nodiscard]] const NodeId& id() const { return id_; }
  [[nodiscard]] const PeerAddress& address() const { return address_; }
  [[nodiscard]] std::size_t index() const { return index_; }
  // What the client was given, in order.
  [[nodiscard]] const std::vector<Arrival>& arrivals() const { return arrivals_; }
  [[nodiscard]] bool has_received(const MessagePtr& message) const;
  [[nodiscard]] const std::vector<PublishPeer>& peer_events() const { return peer_events_; }
  [[nodiscard]] const std::vector<BroadcastAnswer>& answers() const { return answers_; }
  [[nodiscard]] std::size_t authenticated() const;
  // Bytes of messages put on the wire, by type.
  [[nodiscard]] std::uint64_t bytes_sent(wire::MessageType type) const;

 private:
  friend class SimNetwork;
  SimNetwork& network_;
  std::size_t index_;
  NodeOptions options_;
  NodeId id_;
  PeerAddress address_;
  Random random_;
  std::unique_ptr<OverlayManager> overlay_;
  std::vector<Arrival> arrivals_;
  std::map<FloodHash, Instant> received_;
  std::vector<PublishPeer> peer_events_;
  std::vector<BroadcastAnswer> answers_;
  std::map<wire::MessageType, std::uint64_t> bytes_sent_;
  Instant wake_at_ = Instant::never();
  std::uint64_t next_accepted_ = 1;
  bool is_alive_ = true;
};

class SimNetwork {
 public:
  explicit SimNetwork(const SimOptions& options);

  std::size_t add_node(const NodeOptions& options = {});
  [[nodiscard]] SimNode& node(std::size_t index) { return *nodes_.at(index); }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] const NetworkId& network_id() const { return network_id_; }
  [[nodiscard]] Random& random() { return random_; }

  // `from` dials `to`.
  void connect(std::size_t from, std::size_t to);
  // A connected random graph in which each node dials `degree / 2` others.
  void connect_randomly(std::size_t degree);
  // Hands an input to a node now.
  void give(std::size_t node, Input input);
  void broadcast(std::size_t node, MessagePtr message);
  // Ends a random open link as a broken cable would; false if there is none.
  bool cut_random_link();
  // The process dies: its links break, nothing more reaches it.
  void kill(std::size_t node);

  void run_for(Duration duration);
  // False if `limit` passed first.
  [[nodiscard]] bool run_until(const std::function<bool()>& condition, Duration limit);
  void check_invariants() const;

 private:
  struct Event {
    Instant at;
    std::uint64_t sequence;
    std::function<void()> fire;
    bool operator>(const Event& other) const { return at != other.at ? at > other.at : sequence > other.sequence; }
  };
  // One end of a link: where its messages go, and when the wire is free again.
  struct End {
    std::size_t other_node = 0;
    PeerId other_peer;
    Instant free_at;
    Instant last_delivery;
  };

  void schedule(Instant at, std::function<void()> fire);
  bool step(Instant until);
  void carry_out(std::size_t node, const Outputs& outputs);
  void carry_out(std::size_t node, const Output& output);
  void open_link(std::size_t from, PeerId from_peer, const PeerAddress& address);
  void deliver(std::size_t node, PeerId peer, const MessagePtr& message);
  void close_link(std::size_t node, PeerId peer, const Close& close);
  void break_end(std::size_t node, PeerId peer, DropReason reason, Instant at);
  void rearm(std::size_t node);
  void wake(std::size_t node, Instant at);
  [[nodiscard]] Now clock() const;

  SimOptions options_;
  Random random_;
  NetworkId network_id_;
  Instant now_;
  std::uint64_t next_sequence_ = 0;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::map<PeerAddress, std::size_t> by_address_;
  std::map<std::pair<std::size_t, PeerId>, End> ends_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;

  friend class SimNode;
};

}  // namespace overlayd::sim
