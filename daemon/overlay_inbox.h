// The overlay thread's letter box: inputs, questions, and the order to stop. The API services see it as OverlayPort.
// What an operator orders (ConnectTo, Disconnect, BanPeers, Unban, ShutDown), what finishes it (BanStored) and the
// configured names (PeersResolved) have a queue of their own, which the overlay thread looks into before every slice:
// peers and clients that fill the other one must not keep the operator out. A submit that mixes them with other inputs
// keeps its order and goes to the common queue.
// Limits: kInputQueueMax inputs, kOperatorQueueMax of the operator, kQueryQueueMax questions; all refuse past that and
// count it.
#pragma once
#include <condition_variable>

#include "daemon/input_queue.h"
#include "daemon/overlay_core.h"
#include "ipc/overlay_port.h"

namespace overlayd::daemon {

inline constexpr std::size_t kOperatorQueueMax = 256;
inline constexpr std::size_t kQueryQueueMax = 256;

class OverlayInbox final : public ipc::OverlayPort {
 public:
  using Query = std::function<void(const OverlayCore&, const Now& now)>;

  OverlayInbox();

  // Any thread.
  [[nodiscard]] bool submit(std::vector<Input> inputs) override;
  [[nodiscard]] bool query_status(std::function<void(StatusSnapshot)> done) override;
  [[nodiscard]] bool query_peers(std::function<void(std::vector<PeerSnapshot>)> done) override;
  [[nodiscard]] bool query_closed(std::size_t limit, std::function<void(std::vector<ClosedLink>)> done) override;
  [[nodiscard]] bool query_explanation(const PeerSubject& peer, std::function<void(PeerExplanation)> done) override;
  [[nodiscard]] bool query_known_peers(std::function<void(std::vector<KnownPeerSnapshot>)> done) override;
  [[nodiscard]] bool query_bans(std::function<void(std::vector<Ban>)> done) override;
  [[nodiscard]] bool query_survey(std::function<void(SurveyResult)> done) override;
  [[nodiscard]] bool query_item(const ItemId& id, std::function<void(MessagePtr)> done) override;
  [[nodiscard]] InputQueue& inputs() { return inputs_; }
  void stop();
  [[nodiscard]] std::uint64_t refused_total() const {
    return inputs_.refused_total() + operator_inputs_.refused_total() + queries_.refused_total();
  }

  // The overlay thread. Waits for a letter, the order to stop, or the deadline. False: stop.
  [[nodiscard]] bool wait_until(Instant deadline);
  // All need an empty vector. take_inputs is true if a sender was refused since the last call.
  [[nodiscard]] bool take_inputs(std::vector<InputBatch>& out) { return inputs_.take_all(out); }
  void take_operator_inputs(std::vector<InputBatch>& out) { static_cast<void>(operator_inputs_.take_all(out)); }
  void take_queries(std::vector<Query>& out) { static_cast<void>(queries_.take_all(out)); }

 private:
  void wake();

  std::mutex mutex_;
  std::condition_variable changed_;
  bool has_letters_ = false;
  bool is_stopping_ = false;
  InputQueue inputs_;
  InputQueue operator_inputs_;
  BoundedQueue<Query> queries_;
};

}  // namespace overlayd::daemon
