#include "daemon/output_router.h"

#include "daemon/overloaded.h"

namespace overlayd::daemon {
namespace {

template <typename T>
concept ForLink = std::same_as<T, Dial> || std::same_as<T, Send> || std::same_as<T, LinkAuthenticated> ||
    std::same_as<T, Close> || std::same_as<T, PauseReading> || std::same_as<T, ResumeReading>;

template <typename T>
concept ForStorage = std::same_as<T, StorePeer> || std::same_as<T, ErasePeer> || std::same_as<T, StoreBan> ||
    std::same_as<T, EraseBan> || std::same_as<T, StoreAnchors> || std::same_as<T, StoreSurvey> ||
    std::same_as<T, StoreSurveyNode>;

}  // namespace

OutputRouter::OutputRouter(const RouterDestinations& to) : to_(to), by_thread_(to.pool.size()) {}

void OutputRouter::route(Outputs& outputs, std::int64_t arrival_unix_nanos) {
  bool has_events = false;
  const Overloaded take{
      [&]<ForLink T>(T& order) { by_thread_[to_.pool.index_of(order.peer)].emplace_back(std::move(order)); },
      // Not to the sender's own thread: a peer that floods envelopes must not keep its thread busy alone.
      [&](VerifyScp& order) { by_thread_[next_verifier_++ % by_thread_.size()].emplace_back(std::move(order)); },
      [&](const PublishMessage& published) {
        to_.events.on_message(published, arrival_unix_nanos);
        has_events = true;
      },
      [&](const PublishPeer& published) {
        log_.on_peer(published);
        to_.events.on_peer(published, arrival_unix_nanos);
        has_events = true;
      },
      [&](const PublishItem& published) {
        to_.events.on_item(published, arrival_unix_nanos);
        has_events = true;
      },
      [&](const PublishScpStateRequest& published) {
        to_.events.on_scp_state_request(published, arrival_unix_nanos);
        has_events = true;
      },
      [&](const PublishSurvey& published) {
        survey_log_.on_survey(published.status);
        to_.events.on_survey(published, arrival_unix_nanos);
        has_events = true;
      },
      [&](const RequestAnswer& answer) {
        to_.events.on_request_answer(answer);
        has_events = true;
      },
      [&]<ForStorage T>(T& change) {
        if constexpr (std::same_as<T, StoreBan>) log_.on_ban(change);
        if constexpr (std::same_as<T, EraseBan>) log_.on_unban(change);
        static_cast<void>(to_.storage.submit(std::move(change)));
      },
  };
  for (Output& output : outputs) std::visit(take, output);
  outputs.clear();
  post_links();
  if (has_events) to_.events.flush();
}

void OutputRouter::post_links() {
  for (std::size_t i = 0; i < by_thread_.size(); ++i) {
    if (by_thread_[i].empty()) continue;
    to_.pool.thread(i).post(std::exchange(by_thread_[i], {}));
  }
}

}  // namespace overlayd::daemon
