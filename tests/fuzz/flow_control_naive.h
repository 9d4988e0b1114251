// The rules of flow_control.h, credit.h and send_queue.h in their dumbest form: sums of what is locked and granted, four
// lists.
#pragma once
#include "core/peer/flow_control.h"

namespace overlayd::fuzz {

enum class FloodKind : std::uint8_t { kScp, kTransaction, kDemand, kAdvert };
inline constexpr std::size_t kFloodKinds = 4;

// A flood message and what is known of it without reading it.
struct FloodItem {
  MessagePtr message;
  FloodKind kind = FloodKind::kScp;
  std::size_t bytes = 0;
  std::size_t hashes = 0;  // of a demand or advert
  // Of SCP: whose statement for which slot, and its place in the order of that node's statements for that slot.
  std::uint64_t node = 0;
  std::uint64_t slot = 0;
  std::uint64_t rank = 0;
};

class NaiveFlow {
 public:
  NaiveFlow(Instant now, std::uint32_t max_tx_size)
      : max_tx_size_(max_tx_size),
        window_{200, std::max<std::uint64_t>(300'000, std::uint64_t{max_tx_size} + 100'000)},
        waiting_since_(now) {}

  // In.
  std::optional<DropReason> begin(bool is_flood, std::uint64_t bytes);
  std::optional<peer::Credit> end(bool is_flood, std::uint64_t bytes);
  [[nodiscard]] bool can_read() const { return locked_.messages < 201 && locked_.bytes < (1 << 20); }
  [[nodiscard]] peer::Credit initial_grant() const { return window_; }
  std::optional<peer::Credit> on_max_tx_size(std::uint32_t max_tx_size);

  // Out.
  std::optional<DropReason> on_grant(peer::Credit grant);
  bool take_at_once(const FloodItem& item, const peer::SendQueueLimits& limits);
  void queue(FloodItem item, const peer::SendQueueLimits& limits);
  std::vector<FloodItem> take_sendable(Instant now);
  [[nodiscard]] peer::Credit outbound_left() const { return credit_; }
  [[nodiscard]] std::size_t queued() const;
  [[nodiscard]] Instant no_credit_deadline() const {
    return waiting_since_ ? *waiting_since_ + seconds(60) : Instant::never();
  }

  FlowControlMetrics metrics;

 private:
  using Queue = std::vector<FloodItem>;

  [[nodiscard]] bool has_credit(std::uint64_t bytes) const { return credit_.messages >= 1 && credit_.bytes >= bytes; }
  void spend(std::uint64_t bytes) { credit_ = {credit_.messages - 1, credit_.bytes - bytes}; }
  Queue& queue_of(FloodKind kind) { return queues_[static_cast<std::size_t>(kind)]; }
  void queue_scp(FloodItem item, const peer::SendQueueLimits& limits);
  // Puts the item in the place of the first statement it supersedes.
  bool replace_scp(const FloodItem& item);
  [[nodiscard]] static std::uint64_t bytes_of(const Queue& queue);
  [[nodiscard]] static std::uint64_t hashes_of(const Queue& queue);

  std::uint32_t max_tx_size_;
  peer::Credit window_;        // flood messages that may be in processing at a time
  peer::Credit flood_locked_;  // in processing
  peer::Credit locked_;        // the same of all messages
  peer::Credit released_;      // since the last grant
  peer::Credit credit_;
  std::array<Queue, kFloodKinds> queues_;
  std::optional<Instant> waiting_since_;
};

}  // namespace overlayd::fuzz
