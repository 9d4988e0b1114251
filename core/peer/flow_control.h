// Both directions of one link's flow control: credit arithmetic, the queues that wait for credit, and the clock that
// ends a link whose peer grants none.
//
// Rule 1. Nothing flooding leaves before the peer's first SEND_MORE_EXTENDED.
// Rule 2. When a flood message had to wait, a timer runs until one can leave again; 60 s end the link (kNoCredit). It also
//         runs from the start, until the first grant. Source: FlowControl::noOutboundCapacityTimeout. Ours: only credit
//         that lets something leave stops the timer, and a second blocked message does not restart it. In stellar-core
//         any grant stops it and every blocked message restarts it, so that one byte a minute, or a busy queue, keeps
//         a link that carries nothing.
// Rule 3. When the maximal transaction grows by N bytes, our window grows by N and the peer is told with
//         SEND_MORE_EXTENDED(0, N) (Peer::handleMaxTxSizeIncrease).
// Measured, in FlowControlMetrics: per queue how long messages waited, what was shed and for how long the first one lacked
//         credit; how often and for how long reading had to stop for the total reading capacity.
// Limits: those of SendQueue.
#pragma once
#include "core/outputs.h"
#include "core/peer/credit.h"
#include "core/peer/send_queue.h"

namespace overlayd::peer {

class FlowControl {
 public:
  // `now`: when the link was authenticated; `max_tx_size` as of then. `credit` is what we grant at most; its window grows
  // with the maximal transaction (initial_flood_bytes).
  FlowControl(Instant now, std::uint32_t max_tx_size, const InboundCreditOptions& credit, FlowControlMetrics& metrics);

  // Before and after the processing of each received message.
  [[nodiscard]] std::optional<DropReason> begin(bool is_flood, std::uint64_t bytes);
  [[nodiscard]] std::optional<Credit> end(bool is_flood, std::uint64_t bytes);
  // True if reading must stop now: it was not stopped before and the reading capacity is used up.
  [[nodiscard]] bool take_pause(Instant now);
  // True if reading may go on: it was stopped and there is capacity again.
  [[nodiscard]] bool take_resume(Instant now);

  // SEND_MORE_EXTENDED arrived.
  [[nodiscard]] std::optional<DropReason> on_grant(Credit credit);
  // True if the message may leave at once: nothing waits before it and there is credit, which is spent. What the queue
  // would refuse for its size may not.
  [[nodiscard]] bool take_at_once(const wire::Message& message, const SendQueueLimits& limits);
  void queue(MessagePtr message, Instant now, const SendQueueLimits& limits);
  // What may leave now, in order.
  void take_sendable(Instant now, std::vector<MessagePtr>& out);

  // The grant to send when the maximal transaction size changed; nothing if it did not grow.
  [[nodiscard]] std::optional<Credit> on_max_tx_size(std::uint32_t max_tx_size);
  [[nodiscard]] Credit initial_grant() const { return inbound_.initial_grant(); }
  // never() while the peer has granted what we need.
  [[nodiscard]] Instant no_credit_deadline() const;
  // Since when flood messages have waited for credit; nothing if none does.
  [[nodiscard]] std::optional<Instant> blocked_since() const { return blocked_since_; }
  // We did nothing for so long: the time does not count against the peer.
  void forgive(Duration stalled) {
    if (blocked_since_) *blocked_since_ = *blocked_since_ + stalled;
  }
  [[nodiscard]] const std::array<Duration, kFloodQueueCount>& last_delays() const { return queue_.last_delays(); }
  [[nodiscard]] Credit outbound_left() const { return outbound_.left(); }
  [[nodiscard]] std::size_t queued() const { return queue_.size(); }
  void check_invariants() const { queue_.check_invariants(); }

 private:
  InboundCredit inbound_;
  OutboundCredit outbound_;
  SendQueue queue_;
  FlowControlMetrics& metrics_;
  std::optional<Instant> blocked_since_;
  std::optional<Instant> paused_since_;
  std::uint32_t max_tx_size_;
};

}  // namespace overlayd::peer
