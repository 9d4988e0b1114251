// Questions of peers for items that we are waiting for ourselves: answered when the item comes, or with DONT_HAVE after
// kHeldQuestionMax.
//
// Rationale (ours). We relay an envelope as soon as its signature is good, not when all it refers to is here, so the next
// hop asks us for an item that is still on its way. An immediate DONT_HAVE would send it round all its peers, which
// are no further, and then into a pause of 1.5 s; every hop would pay that. A peer awaits an answer for 1.5 s, so one that
// comes within a third of that costs nothing it had not reckoned with.
// Rule.    One question of a peer for an item is held at a time; further ones are the same question.
// Limits.  kHeldQuestionsMax in all; past it hold refuses and the caller answers at once.
#pragma once
#include <deque>
#include <map>
#include <vector>

#include "core/inputs.h"
#include "core/limits.h"

namespace overlayd::fetch {

class HeldQuestions {
 public:
  struct Question {
    PeerId peer;
    ItemId item;
  };

  // False: there are too many.
  bool hold(const Question& question, Instant now);
  // Those who asked for it, in the order in which they did; they are held no longer.
  [[nodiscard]] std::vector<PeerId> take(const ItemId& item);
  // Appends what is due, in the order in which it was asked.
  void advance(Instant now, std::vector<Question>& due);
  [[nodiscard]] Instant next_deadline() const { return queue_.empty() ? Instant::never() : queue_.front().due; }
  [[nodiscard]] std::size_t size() const { return queue_.size(); }

 private:
  struct Entry {
    Question question;
    Instant due;
  };
  struct Asker {
    PeerId peer;
    Instant due;  // tells its question from one that was taken before
  };
  std::deque<Entry> queue_;  // dues rise; taken ones leave when their time comes
  std::map<ItemId, std::vector<Asker>> by_item_;
};

}  // namespace overlayd::fetch
