// The flood messages that wait for one peer's credit: four queues in strict priority, each with its shedding rule.
//
// Order.  SCP_MESSAGE, TRANSACTION, FLOOD_DEMAND, FLOOD_ADVERT. A queue whose first message lacks credit stops; the
//         next queue is still tried (FlowControl::getNextBatchToSend).
// Rule 1. TRANSACTION: one over max_tx_size is never queued. Past tx_queue_bytes_max (3 MiB) or max_tx_set_ops messages
//         the whole queue goes. Rationale: we are so far behind that what waits is stale; peers ask elsewhere.
// Rule 2. FLOOD_DEMAND, FLOOD_ADVERT: past max_tx_set_ops hashes the whole queue goes.
// Rule 3. SCP_MESSAGE: never shed as a whole. When one is queued, those whose slot is below lowest_slot go (the latest
//         checkpoint's stay), and the first older statement of the same node and slot that the new one supersedes is
//         replaced by it, in its place.
// Limits (ours) of the SCP queue, which valid statements of one quorum never reach: kScpQueueMax messages, past which a
//         further one is refused; kScpQueueBytesMax bytes, past which the oldest go; kScpPerNodeAndSlotMax messages of
//         one node and slot, past which a further one is refused. Rationale: where the quorum is not known anybody can
//         sign statements, and a peer that grants no credit must not make them pile up or be searched at length.
// Source: FlowControl::addMsgAndMaybeTrimQueue, stellar-core commit a9b8613.
// Not here: credit (credit.h), the socket.
#pragma once
#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/inputs.h"
#include "core/metrics.h"
#include "core/peer/credit.h"

namespace overlayd::peer {

inline constexpr std::size_t kScpQueueMax = 10'000;
inline constexpr std::size_t kScpQueueBytesMax = 16 << 20;
inline constexpr std::size_t kScpPerNodeAndSlotMax = 8;

struct SendQueueLimits {
  std::uint32_t max_tx_size = limits::kMaxClassicTxBytes;  // bytes of the StellarMessage
  std::uint64_t tx_queue_bytes_max = limits::kTxQueueBytesMax;
  std::uint32_t max_tx_set_ops = 1000;
  std::uint32_t lowest_slot = 0;
  std::uint32_t checkpoint_slot = 0;

  // Rule 3: an SCP_MESSAGE of this slot is worth sending no more.
  [[nodiscard]] bool is_stale(std::uint64_t slot) const { return slot < lowest_slot && slot != checkpoint_slot; }
};

class SendQueue {
 public:
  explicit SendQueue(FlowControlMetrics& metrics) : metrics_(metrics) {}
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;

  // `message` must be a flood message.
  void push(MessagePtr message, Instant now, const SendQueueLimits& limits);
  // Moves what credit allows to `out`, spending it. True if something had to stay for lack of credit.
  // Measures, per queue, how long each message waited and for how long the first one lacked credit.
  bool take(OutboundCredit& credit, Instant now, std::vector<MessagePtr>& out);
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] bool empty() const {
    return std::all_of(queues_.begin(), queues_.end(), [](const auto& queue) { return queue.empty(); });
  }
  // How long the last message that left the queue had waited in it; 0 before the first.
  [[nodiscard]] const std::array<Duration, kFloodQueueCount>& last_delays() const { return last_delays_; }
  // A message left without having waited.
  void note_undelayed(FloodQueue kind);
  [[nodiscard]] std::uint64_t transaction_bytes() const { return transaction_bytes_; }
  [[nodiscard]] std::uint64_t scp_bytes() const { return scp_bytes_; }
  void check_invariants() const;

 private:
  struct Entry {
    MessagePtr message;
    Instant queued;
    std::uint64_t slot = 0;      // kScp
    NodeId node;                 // kScp
    std::size_t hash_count = 0;  // kDemand, kAdvert
  };
  // A statement's node and slot, as one number: two that share it by chance are told apart when they are looked at.
  [[nodiscard]] static std::size_t scp_key(const Entry& entry);
  void push_scp(Entry entry, const SendQueueLimits& limits);
  void drop_stale_scp(const SendQueueLimits& limits);
  // Puts the entry in the place of an older statement, or tells that there is no room beside its like.
  [[nodiscard]] bool replace_or_refuse_scp(Entry& entry);
  void index_scp();
  void pop_scp();
  void push_transaction(Entry entry, const SendQueueLimits& limits);
  void push_hashes(FloodQueue kind, Entry entry, const SendQueueLimits& limits);
  void take_front(FloodQueue kind, Instant now, std::vector<MessagePtr>& out);
  void note_blocked(FloodQueue kind, bool is_blocked, Instant now);
  [[nodiscard]] static std::size_t at(FloodQueue kind) { return static_cast<std::size_t>(kind); }
  [[nodiscard]] std::deque<Entry>& queue(FloodQueue kind) { return queues_[at(kind)]; }
  [[nodiscard]] const std::deque<Entry>& queue(FloodQueue kind) const { return queues_[at(kind)]; }

  FlowControlMetrics& metrics_;
  std::array<std::deque<Entry>, kFloodQueueCount> queues_;
  std::array<std::optional<Instant>, kFloodQueueCount> blocked_since_;
  std::array<Duration, kFloodQueueCount> last_delays_{};
  // Where the SCP messages of a node and slot stand, as places since the start: minus scp_popped_, in the queue. So a push
  // looks at its like only, however many wait.
  std::unordered_map<std::size_t, std::vector<std::uint64_t>> scp_places_;
  std::uint64_t scp_popped_ = 0;
  std::uint64_t transaction_bytes_ = 0;
  std::uint64_t scp_bytes_ = 0;
  std::uint32_t stale_below_ = 0;  // SCP slots below this were dropped already,
  std::uint32_t kept_slot_ = 0;    // except this one
  std::array<std::size_t, kFloodQueueCount> hash_counts_{};
};

}  // namespace overlayd::peer
