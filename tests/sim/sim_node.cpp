#include "tests/sim/sim_node.h"

#include <algorithm>

#include "core/check.h"
#include "core/wire/message.h"

namespace overlayd::sim {

void SeededEntropy::fill(std::span<std::uint8_t> out) {
  for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(random_.next());
}

bool SignatureMemory::verify(const NodeId& signer, ByteView message, ByteView signature) {
  std::string key(signer.bytes.begin(), signer.bytes.end());
  key.append(signature.begin(), signature.end());
  key.append(message.begin(), message.end());
  const auto [at, is_new] = found_.try_emplace(std::move(key), false);
  if (is_new) at->second = crypto::verify(signer, message, signature);
  return at->second;
}

SimNode::SimNode(std::size_t index, const LocalNode& local, Key key, const PeerAddress& address)
    : index_(index), local_(local), key_(std::move(key)), address_(address) {}

OverlayManager& SimNode::overlay() const {
  OVERLAYD_CHECK(overlay_ != nullptr);
  return *overlay_;
}

bool SimNode::has_received(const MessagePtr& message) const {
  for (; received_count_ < arrivals_.size(); ++received_count_)
    received_.insert(arrivals_[received_count_].message->flood_hash());
  return received_.contains(message->flood_hash());
}

std::uint64_t SimNode::drops(DropReason reason) const {
  return overlay().metrics().link.drops[static_cast<std::size_t>(reason)];
}

std::size_t SimNode::authenticated(Direction direction) const {
  return static_cast<std::size_t>(
      std::count_if(authenticated_.begin(), authenticated_.end(),
                    [direction](const auto& entry) { return entry.second.direction == direction; }));
}

bool SimNode::is_connected_to(const NodeId& node) const {
  return std::any_of(authenticated_.begin(), authenticated_.end(),
                     [&node](const auto& entry) { return entry.second.node == node; });
}

const SurveyStatus& SimNode::survey_status() const {
  static const SurveyStatus kNone;
  return survey_events_.empty() ? kNone : survey_events_.back().status;
}

std::optional<PeerRecord> SimNode::stored_record(const PeerAddress& address) const {
  const auto found = options_.disk.peers.find(address);
  return found == options_.disk.peers.end() ? std::nullopt : std::optional(found->second);
}

OverlayOptions SimNode::overlay_options(std::shared_ptr<Entropy> entropy,
                                        const std::shared_ptr<SignatureMemory>& signatures) const {
  OverlayOptions overlay;
  overlay.local = local_;
  overlay.relay_mode = options_.relay_mode;
  overlay.is_flood_immediate = options_.is_flood_immediate;
  overlay.target_outbound = options_.target_outbound;
  overlay.max_inbound = options_.max_inbound;
  overlay.tx_pool_bytes_max = options_.tx_pool_bytes_max;
  overlay.max_pending = options_.max_pending;
  overlay.max_outbound_per_group = options_.max_outbound_per_group;
  overlay.max_inbound_per_ip = options_.max_inbound_per_ip;
  overlay.max_inbound_per_subnet = options_.max_inbound_per_subnet;
  overlay.slow_drops_per_tick = options_.slow_drops_per_tick;
  overlay.is_preferred_only = options_.is_preferred_only;
  overlay.is_private_allowed = options_.is_private_allowed;
  overlay.preferred_keys = options_.preferred_keys;
  if (options_.is_answering_surveys) {
    overlay.survey.key = key_;
    overlay.survey.entropy = std::move(entropy);
  }
  overlay.survey.surveyor_keys = options_.surveyor_keys;
  overlay.survey.verify = [signatures](const NodeId& signer, ByteView message, ByteView signature) {
    return signatures->verify(signer, message, signature);
  };
  overlay.survey.stored = options_.disk.survey;
  for (const auto& [node, record] : options_.disk.survey_nodes) overlay.survey.stored_nodes.push_back({node, record});
  for (const auto& [address, record] : options_.disk.peers) overlay.stored_peers.push_back(record);
  overlay.stored_anchors = options_.disk.anchors;
  for (const auto& [subject, ban] : options_.disk.bans) overlay.stored_bans.push_back(ban);
  return overlay;
}

bool SimNode::store(const Output& output) {
  SimDisk& disk = options_.disk;
  if (const auto* peer = std::get_if<StorePeer>(&output))
    disk.peers.insert_or_assign(peer->record.address, peer->record);
  else if (const auto* gone = std::get_if<ErasePeer>(&output))
    disk.peers.erase(gone->address);
  else if (const auto* anchors = std::get_if<StoreAnchors>(&output))
    disk.anchors = anchors->addresses;
  else if (const auto* banned = std::get_if<StoreBan>(&output))
    disk.bans.insert_or_assign(banned->ban.subject, banned->ban);
  else if (const auto* unbanned = std::get_if<EraseBan>(&output))
    disk.bans.erase(unbanned->subject);
  else
    return store_survey(output);
  return true;
}

bool SimNode::store_survey(const Output& output) {
  SimDisk& disk = options_.disk;
  if (const auto* survey = std::get_if<StoreSurvey>(&output)) {
    if (survey->is_new) disk.survey_nodes.clear();
    disk.survey = survey->record;
  } else if (const auto* surveyed = std::get_if<StoreSurveyNode>(&output)) {
    disk.survey_nodes.insert_or_assign(surveyed->node, surveyed->record);
  } else {
    return false;
  }
  return true;
}

void SimNode::on_peer(const PublishPeer& event, Instant now) {
  switch (event.change) {
    case PeerChange::kAuthenticated: authenticated_.emplace(event.peer, event); break;
    case PeerChange::kDropped: lost_links_ += authenticated_.erase(event.peer); break;
  }
  peer_events_.push_back({now, event});
}

}  // namespace overlayd::sim
