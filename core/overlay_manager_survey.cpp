// Surveys: what the survey room is told of links and messages, and where its messages go.
#include "core/overlay_manager.h"

namespace overlayd {

HandlerResult OverlayManager::on_survey(const Received& received) {
  const wire::Message& message = *received.message;
  const bool is_new = survey_gate_.on_received(message.flood_hash(), received.peer.node(), ledger_.sequence);
  received.peer.count_flood(is_new, message.size());
  // One that is known goes there too: it may have come before its phase.
  return survey_.on_message(received.message, received.now, {survey_broadcasts_, received.out});
}

void OverlayManager::on(const StartSurvey& start, const Now& now, Outputs& out) {
  survey_.on(start, now, {survey_broadcasts_, out});
}
void OverlayManager::on(const StopSurvey& stop, const Now& now, Outputs& out) {
  survey_.on(stop, now, {survey_broadcasts_, out});
}
void OverlayManager::on(const RequestSurvey& request, const Now& now, Outputs& out) {
  survey_.on(request, now, {survey_broadcasts_, out});
}
void OverlayManager::on(const RunSurvey& run, const Now& now, Outputs& out) {
  survey_.on(run, now, {survey_broadcasts_, out});
}
void OverlayManager::on(const EndSurvey& end, const Now& now, Outputs& out) {
  survey_.on(end, now, {survey_broadcasts_, out});
}

void OverlayManager::on_latency(const peer::Peer& peer, Duration latency) {
  fetcher_.on_latency(peer.id(), latency);
  survey_.on_latency(peer.node(), latency);
}

std::vector<PeerSnapshot> OverlayManager::authenticated_links(Instant now) const {
  std::vector<PeerSnapshot> links;
  for (const auto& [node, id] : by_node_) links.push_back(find(id)->snapshot(now));
  return links;
}

std::vector<NodeId> OverlayManager::authenticated_nodes() const {
  std::vector<NodeId> nodes;
  for (const auto& [node, id] : by_node_) nodes.push_back(node);
  return nodes;
}

void OverlayManager::flush_survey(Instant now, Outputs& out) {
  for (const MessagePtr& message : survey_broadcasts_) {
    const std::vector<peer::Peer*>& untold = tell_peers(survey_gate_, message->flood_hash());
    for (peer::Peer* peer : untold) peer->send(message, now, send_limits_, out);
    metrics_.survey.relayed += untold.size();
  }
  survey_broadcasts_.clear();
  if (survey_.take_changed()) out.emplace_back(PublishSurvey{survey_.status(now)});
}

}  // namespace overlayd
