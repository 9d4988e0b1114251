#include "daemon/overlay_inbox.h"

#include <algorithm>

#include "daemon/clocks.h"

namespace overlayd::daemon {
namespace {

bool is_of_operator(const Input& input) {
  return std::visit(
      []<typename T>(const T&) {
        return std::is_same_v<T, ConnectTo> || std::is_same_v<T, Disconnect> || std::is_same_v<T, BanPeers> ||
               std::is_same_v<T, Unban> || std::is_same_v<T, BanStored> || std::is_same_v<T, ShutDown> ||
               std::is_same_v<T, PeersResolved>;
      },
      input);
}

}  // namespace

OverlayInbox::OverlayInbox()
    : inputs_(limits::kInputQueueMax, [this] { wake(); }),
      operator_inputs_(kOperatorQueueMax, [this] { wake(); }),
      queries_(kQueryQueueMax, [this] { wake(); }) {}

bool OverlayInbox::submit(std::vector<Input> inputs) {
  const std::size_t weight = inputs.size();
  InputBatch batch{.inputs = std::move(inputs), .bytes = 0, .gauge = nullptr};
  const bool is_operators = std::ranges::all_of(batch.inputs, is_of_operator);
  return (is_operators ? operator_inputs_ : inputs_).push(batch, weight);
}

bool OverlayInbox::query_status(std::function<void(StatusSnapshot)> done) {
  Query query = [done = std::move(done)](const OverlayCore& core, const Now& now) { done(core.status(now.instant)); };
  return queries_.push(query);
}

bool OverlayInbox::query_peers(std::function<void(std::vector<PeerSnapshot>)> done) {
  Query query = [done = std::move(done)](const OverlayCore& core, const Now& now) { done(core.peers(now.instant)); };
  return queries_.push(query);
}

bool OverlayInbox::query_closed(std::size_t limit, std::function<void(std::vector<ClosedLink>)> done) {
  Query query = [limit, done = std::move(done)](const OverlayCore& core, const Now&) {
    done(core.closed_links(limit));
  };
  return queries_.push(query);
}

bool OverlayInbox::query_explanation(const PeerSubject& peer, std::function<void(PeerExplanation)> done) {
  Query query = [peer, done = std::move(done)](const OverlayCore& core, const Now& now) {
    done(core.explain(peer, now));
  };
  return queries_.push(query);
}

bool OverlayInbox::query_known_peers(std::function<void(std::vector<KnownPeerSnapshot>)> done) {
  Query query = [done = std::move(done)](const OverlayCore& core, const Now& now) { done(core.known_peers(now)); };
  return queries_.push(query);
}

bool OverlayInbox::query_bans(std::function<void(std::vector<Ban>)> done) {
  Query query = [done = std::move(done)](const OverlayCore& core, const Now& now) { done(core.bans(now)); };
  return queries_.push(query);
}

bool OverlayInbox::query_survey(std::function<void(SurveyResult)> done) {
  Query query = [done = std::move(done)](const OverlayCore& core, const Now& now) { done(core.survey_result(now)); };
  return queries_.push(query);
}

bool OverlayInbox::query_item(const ItemId& id, std::function<void(MessagePtr)> done) {
  Query query = [id, done = std::move(done)](const OverlayCore& core, const Now&) { done(core.find_item(id)); };
  return queries_.push(query);
}

void OverlayInbox::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_one();
}

bool OverlayInbox::wait_until(Instant deadline) {
  std::unique_lock lock(mutex_);
  const auto is_due = [this] { return has_letters_ || is_stopping_; };
  if (deadline.is_never())
    changed_.wait(lock, is_due);
  else
    changed_.wait_until(lock, to_time_point(deadline), is_due);
  has_letters_ = false;
  return !is_stopping_;
}

void OverlayInbox::wake() {
  {
    const std::lock_guard lock(mutex_);
    has_letters_ = true;
  }
  changed_.notify_one();
}

}  // namespace overlayd::daemon
