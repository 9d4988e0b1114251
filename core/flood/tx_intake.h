// How many transactions the clients can take, and the transactions that wait until they can take more.
//
// Words.   The *event log* holds transaction events until the clients that judge them have taken them; its *window* is the
//          total, since the start, that may be published without pushing out one they did not take yet. Each transaction
//          counts with its size and kEventOverheadBytes, as in the log. *Room* is what the window leaves.
// Rule 1.  A transaction is published if there is room and none waits; otherwise it waits, in the order of arrival, and
//          the caller keeps its credit until take_ready gives it out. Rationale: credit is the only thing that slows a
//          peer without losing what it sent (design.md, section 5).
// Rule 2.  While less than the reserve is left no transaction is to be demanded (is_short). Rationale: what was demanded
//          already still comes and finds room in the reserve. Credit that is held is missing to the same peer's SCP
//          messages; so holding it is what stops those who send unasked, and honest peers hardly meet it.
// Rule 3.  What waits from a peer goes with the peer: on_peer_gone gives it back, to be forgotten, so that another peer's
//          copy is taken. Rationale: reconnecting must not buy a second window.
// Rule 4.  A window that is not bounded (nobody judges, standalone mode) always has room.
// Limits.  What waits is bounded by the credit of the connected peers, 200 messages and 300,000 bytes each.
//          transactions_waited counts what had to wait, transactions_unwaited what went with its peer.
#pragma once
#include <deque>
#include <optional>
#include <vector>

#include "core/ids.h"
#include "core/inputs.h"
#include "core/metrics.h"

namespace overlayd::flood {

class TxIntake {
 public:
  struct Waiting {
    PeerId peer;
    NodeId from;
    MessagePtr message;
  };

  explicit TxIntake(TxFloodMetrics& metrics) : metrics_(metrics) {}
  TxIntake(const TxIntake&) = delete;
  TxIntake& operator=(const TxIntake&) = delete;

  // The newest word of the clients; the window may also become smaller.
  void set_window(const TransactionWindow& window) { window_ = window; }
  // True: to be published now, it counts as published. False: it waits.
  [[nodiscard]] bool admit(const Waiting& transaction);
  // The next that waited and has room now; counts as published.
  [[nodiscard]] std::optional<Waiting> take_ready();
  // The transactions that waited from this peer, oldest first.
  std::vector<MessagePtr> on_peer_gone(PeerId peer);

  [[nodiscard]] bool is_short() const;
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }
  // Since the start; what the window is compared with.
  [[nodiscard]] std::uint64_t published_bytes() const { return published_bytes_; }

 private:
  [[nodiscard]] bool publish_if_room(const MessagePtr& message);

  TxFloodMetrics& metrics_;
  TransactionWindow window_;
  std::uint64_t published_bytes_ = 0;
  std::deque<Waiting> waiting_;
};

}  // namespace overlayd::flood
