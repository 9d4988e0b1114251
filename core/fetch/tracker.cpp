#include "core/fetch/tracker.h"

#include <algorithm>
#include <tuple>
#include <vector>

namespace overlayd::fetch {

bool Tracker::may_ask(const Candidate& candidate) const {
  const auto asked = asked_.find(candidate.peer);
  return asked == asked_.end() || (candidate.is_sender && !asked->second);
}

std::optional<PeerId> Tracker::next(std::span<const Candidate> candidates, Random& random, Instant now) {
  awaited_.reset();
  std::vector<const Candidate*> best;
  bool has_more = candidates.empty();
  for (const Candidate& candidate : candidates) {
    if (!may_ask(candidate)) continue;
    if (candidate.is_spent) {
      has_more |= !candidate.is_mute || !has_asked_mute_;
      continue;
    }
    const auto order = [](const Candidate& of) { return std::make_tuple(of.is_mute, !of.is_sender, of.band); };
    if (!best.empty() && order(*best.front()) < order(candidate)) continue;
    if (!best.empty() && order(candidate) < order(*best.front())) best.clear();
    best.push_back(&candidate);
  }
  const bool are_others = std::ranges::any_of(candidates, [](const Candidate& of) { return !of.is_mute; });
  if (!best.empty() && best.front()->is_mute && has_asked_mute_ && are_others) best.clear();
  is_put_off_ = best.empty() && has_more;
  if (is_put_off_) {
    due_ = now + limits::kFetchReplyTimeout;
    return std::nullopt;
  }
  if (best.empty()) {
    ++rounds_;
    asked_.clear();
    has_asked_mute_ = false;
    due_ = now + limits::kFetchReplyTimeout * std::min(limits::kFetchRoundsMax, rounds_);
    return std::nullopt;
  }
  const Candidate& chosen = *best[random.below(best.size())];
  asked_[chosen.peer] = chosen.is_sender;
  has_asked_mute_ |= chosen.is_mute;
  awaited_ = chosen.peer;
  ++asked_count_;
  due_ = now + limits::kFetchReplyTimeout;
  return chosen.peer;
}

void Tracker::try_again(Instant now) {
  if (is_put_off_) due_ = now;
}

bool Tracker::on_dont_have(PeerId peer, Instant now) {
  if (awaited_ != peer) return false;
  awaited_.reset();
  due_ = now;
  return true;
}

bool Tracker::on_peer_gone(PeerId peer, Instant now) {
  asked_.erase(peer);
  return on_dont_have(peer, now);
}

}  // namespace overlayd::fetch
