// The search for one item: whom to ask next, and when.
//
// Rule 1.  One peer is asked at a time. First those that sent an envelope which waits for the item (a *sender*) and were
//          not asked, or only before they had sent one; when there is none, any peer not asked. Of these, those of the
//          lowest latency band (kLatencyBand wide), and among them one at random. Before all that (ours): those that answer
//          questions before those that are *mute*, and while there are some that answer, one mute peer a round. Rationale:
//          each mute peer costs kFetchReplyTimeout, for every item anew; one is asked, for it may have found its tongue.
// Rule 2.  The next peer's turn comes when the one asked has none (on_dont_have), is gone (on_peer_gone), or has not
//          answered for kFetchReplyTimeout.
// Rule 3.  When nobody is left a *round* is over: who was asked is forgotten, and the next round begins after
//          kFetchReplyTimeout × min(kFetchRoundsMax, rounds so far). A peer that appears during the pause is asked after
//          it. While some who were not asked are spent, or there are no peers at all, the round is not over: it is
//          looked at again after kFetchReplyTimeout.
// Limits.  As many entries as there were peers in one round.
// Not here: what waits for the item (item_fetcher), the message that asks.
// Source:  stellar-core Tracker::tryNextPeer, Tracker::doesntHave, commit a9b8613.
#pragma once
#include <optional>
#include <span>
#include <unordered_map>

#include "core/clock.h"
#include "core/ids.h"
#include "core/limits.h"
#include "core/random.h"

namespace overlayd::fetch {

// A peer that could be asked.
struct Candidate {
  PeerId peer;
  std::uint32_t band = 0;  // of its latency
  bool is_sender = false;
  bool is_mute = false;   // left its last questions unanswered
  bool is_spent = false;  // may not be asked now, but later
};

class Tracker {
 public:
  explicit Tracker(Instant now) : started_(now), due_(now) {}

  // Whom to ask now. Nobody: the round is over (then rounds() has grown) and the pause has begun, or who is left is
  // spent. `candidates` are in an order that repeats.
  [[nodiscard]] std::optional<PeerId> next(std::span<const Candidate> candidates, Random& random, Instant now);
  // Whether `peer` is the one whose answer is awaited; then it is no more, and next is due.
  bool on_dont_have(PeerId peer, Instant now);
  // The same for one that went. Who comes back under another id may be asked again.
  bool on_peer_gone(PeerId peer, Instant now);

  // Those who could not be asked perhaps can now: not a pause between rounds, which stays.
  void try_again(Instant now);

  [[nodiscard]] Instant due() const { return due_; }
  // Whose answer is awaited.
  [[nodiscard]] std::optional<PeerId> awaited() const { return awaited_; }
  [[nodiscard]] Instant started() const { return started_; }
  [[nodiscard]] std::uint32_t asked_count() const { return asked_count_; }  // over all rounds
  [[nodiscard]] std::uint32_t rounds() const { return rounds_; }

 private:
  [[nodiscard]] bool may_ask(const Candidate& candidate) const;

  Instant started_;
  Instant due_;
  std::unordered_map<PeerId, bool> asked_;  // in this round; whether it was a sender then
  bool has_asked_mute_ = false;             // in this round
  bool is_put_off_ = false;                 // some could not be asked yet
  std::optional<PeerId> awaited_;
  std::uint32_t asked_count_ = 0;
  std::uint32_t rounds_ = 0;
};

}  // namespace overlayd::fetch
