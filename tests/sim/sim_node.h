// One node of a simulation: an overlay and the consensus process that sits on it, or a scripted peer.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/crypto/keys.h"
#include "core/overlay_manager.h"
#include "tests/sim/participant.h"

namespace overlayd::sim {

// Chance that repeats, for keys and nonces.
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) : random_(seed) {}
  void fill(std::span<std::uint8_t> out) override;

 private:
  Random random_;
};

// Signatures that some node has verified: what one finds a thousand others need not find again.
class SignatureMemory {
 public:
  [[nodiscard]] bool verify(const NodeId& signer, ByteView message, ByteView signature);

 private:
  std::unordered_map<std::string, bool> found_;  // by all three
};

// What the storage thread would have written: all that a process leaves to the next one.
struct SimDisk {
  std::map<PeerAddress, PeerRecord> peers{};
  std::vector<PeerAddress> anchors{};
  std::map<BanSubject, Ban> bans{};
  Bytes survey{};
  std::map<NodeId, Bytes> survey_nodes{};
};

struct NodeOptions {
  RelayMode relay_mode = RelayMode::kConsensus;
  bool is_flood_immediate = true;
  std::uint32_t target_outbound = limits::kOutboundTarget;
  std::uint32_t max_inbound = limits::kInboundMax;
  bool has_client = true;              // a consensus process takes transactions and judges them
  Verdict verdict = Verdict::kAccept;  // what it says of each transaction
  Duration verdict_delay{0};
  std::optional<PeerAddress> address{};  // absent: one that SimNetwork chooses
  std::size_t tx_pool_bytes_max = limits::kTxPoolBytesMax;
  std::uint32_t max_pending = limits::kPendingMax;
  std::uint32_t max_outbound_per_group = limits::kOutboundPerGroupMax;
  std::uint32_t max_inbound_per_ip = limits::kInboundPerIpMax;
  std::uint32_t max_inbound_per_subnet = limits::kInboundPerSubnetMax;
  std::uint32_t slow_drops_per_tick = limits::kSlowDropsPerTick;
  bool is_preferred_only = false;
  bool is_private_allowed = false;
  std::set<NodeId> preferred_keys{};
  bool is_answering_surveys = true;  // false: it has no key to sign with, but relays
  std::set<NodeId> surveyor_keys{};  // empty: the quorum that its client tells it
  SimDisk disk{};                    // what former processes left
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

struct SurveyEvent {
  Instant at;
  SurveyStatus status;
};

struct DialEvent {
  Instant at;
  PeerAddress to;
};

class SimNode {
 public:
  using Key = std::shared_ptr<const crypto::NodeKey>;
  SimNode(std::size_t index, const LocalNode& local, Key key, const PeerAddress& address);

  [[nodiscard]] std::size_t index() const { return index_; }
  [[nodiscard]] const NodeId& id() const { return local_.node_id; }
  // Whose id is the node's.
  [[nodiscard]] const Key& key() const { return key_; }
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
  [[nodiscard]] const std::vector<DialEvent>& dials() const { return dials_; }
  // What was published of surveys, in order; the latest is what a client knows.
  [[nodiscard]] const std::vector<SurveyEvent>& survey_events() const { return survey_events_; }
  [[nodiscard]] const SurveyStatus& survey_status() const;
  // Peers that completed the handshake and are still there.
  [[nodiscard]] std::size_t authenticated() const { return authenticated_.size(); }
  [[nodiscard]] std::size_t authenticated(Direction direction) const;
  [[nodiscard]] const std::map<PeerId, PublishPeer>& authenticated_peers() const { return authenticated_; }
  [[nodiscard]] bool is_connected_to(const NodeId& node) const;
  // Links that ended after they had been authenticated, those of former processes included.
  [[nodiscard]] std::size_t lost_links() const { return lost_links_; }
  [[nodiscard]] bool is_alive() const { return is_alive_; }
  [[nodiscard]] const SimDisk& disk() const { return options_.disk; }
  // Of the book as it is on disk; absent: it has none.
  [[nodiscard]] std::optional<PeerRecord> stored_record(const PeerAddress& address) const;
  [[nodiscard]] std::uint64_t drops(DropReason reason) const;

 private:
  friend class SimNetwork;
  // Of a process whose keys and nonces are drawn from `entropy`.
  [[nodiscard]] OverlayOptions overlay_options(std::shared_ptr<Entropy> entropy,
                                               const std::shared_ptr<SignatureMemory>& signatures) const;
  void on_peer(const PublishPeer& event, Instant now);
  // False: it is nothing to store.
  bool store(const Output& output);
  bool store_survey(const Output& output);

  std::size_t index_;
  LocalNode local_;
  Key key_;
  PeerAddress address_;
  NodeOptions options_;
  std::unique_ptr<Participant> participant_;
  OverlayManager* overlay_ = nullptr;  // what the participant is, if it is one
  std::vector<Arrival> arrivals_;
  std::vector<PeerEvent> peer_events_;
  std::vector<ItemEvent> item_events_;
  std::vector<RequestAnswer> answers_;
  std::vector<DialEvent> dials_;
  std::vector<SurveyEvent> survey_events_;
  std::map<PeerId, PublishPeer> authenticated_;
  std::size_t lost_links_ = 0;
  std::set<PeerId> dialling_;              // no link yet
  std::optional<PeersResolved> resolved_;  // what the configured names stand for
  // Of arrivals_, as far as has_received was asked.
  mutable std::unordered_set<FloodHash> received_;
  mutable std::size_t received_count_ = 0;
  Instant wake_at_ = Instant::never();
  std::uint64_t next_accepted_ = 1;
  std::uint32_t life_ = 0;  // processes that died before this one
  bool is_alive_ = true;
};

}  // namespace overlayd::sim
