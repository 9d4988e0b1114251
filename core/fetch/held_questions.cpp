#include "core/fetch/held_questions.h"

#include <algorithm>

namespace overlayd::fetch {

bool HeldQuestions::hold(const Question& question, Instant now) {
  const auto found = by_item_.find(question.item);
  if (found != by_item_.end() && std::ranges::find(found->second, question.peer, &Asker::peer) != found->second.end())
    return true;
  if (queue_.size() >= limits::kHeldQuestionsMax) return false;
  const Instant due = now + limits::kHeldQuestionMax;
  by_item_[question.item].push_back({question.peer, due});
  queue_.push_back({question, due});
  return true;
}

std::vector<PeerId> HeldQuestions::take(const ItemId& item) {
  const auto node = by_item_.extract(item);
  std::vector<PeerId> peers;
  if (node.empty()) return peers;
  for (const Asker& asker : node.mapped()) peers.push_back(asker.peer);
  return peers;
}

void HeldQuestions::advance(Instant now, std::vector<Question>& due) {
  for (; !queue_.empty() && queue_.front().due <= now; queue_.pop_front()) {
    const Entry& entry = queue_.front();
    const auto found = by_item_.find(entry.question.item);
    if (found == by_item_.end()) continue;  // taken meanwhile
    const auto is_this = [&](const Asker& asker) {
      return asker.peer == entry.question.peer && asker.due == entry.due;
    };
    if (std::erase_if(found->second, is_this) == 0) continue;
    if (found->second.empty()) by_item_.erase(found);
    due.push_back(entry.question);
  }
}

}  // namespace overlayd::fetch
