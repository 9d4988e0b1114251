// Flow-control arithmetic, nothing else: what each side may still send. No queues, no messages, no time.
//
// Words.  Flood messages (SCP_MESSAGE, TRANSACTION, FLOOD_DEMAND, FLOOD_ADVERT) spend credit on two axes, messages and
//         bytes (the XDR size of the StellarMessage); both must suffice. Other messages spend none.
// Rule 1. OutboundCredit starts at nothing and grows by what SEND_MORE_EXTENDED says. Zero bytes in it is invalid, zero
//         messages is not; a sum past 2^64 - 1 is refused.
//         Source: FlowControl::isSendMoreValid, maybeReleaseCapacity.
// Rule 2. InboundCredit locks on receipt and releases after processing. A flood message for which either axis lacks
//         room ends the connection. Every 40 messages or 100,000 bytes released, the sum is granted back.
//         Rationale: one grant per message would double the packets. Source: FlowControl::beginMessageProcessing,
//         endMessageProcessing.
// Rule 3. All messages, flood or not, also lock reading capacity (201 messages; 1 MiB beyond a floor of 16 MiB + 4, so
//         that a message of the largest size always fits). At or below it, can_read() is false until some is released.
//         Source: FlowControlCapacity::canRead, BYTE_CAPACITY_READ_FLOOR.
// All symbols of stellar-core at commit a9b8613.
#pragma once
#include <cstdint>
#include <optional>

#include "core/error.h"
#include "core/limits.h"

namespace overlayd::peer {

struct Credit {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  bool operator==(const Credit&) const = default;
};

class OutboundCredit {
 public:
  [[nodiscard]] bool has_for(std::uint64_t bytes) const { return left_.messages > 0 && left_.bytes >= bytes; }
  // CHECKs that has_for(bytes).
  void spend(std::uint64_t bytes);
  // What the peer granted. Nothing changes when a reason is returned: kSendMoreInvalid or kCapacityOverflow.
  [[nodiscard]] std::optional<DropReason> grant(Credit credit);
  [[nodiscard]] Credit left() const { return left_; }

 private:
  Credit left_;
};

struct InboundCreditOptions {
  Credit flood{limits::kFloodCapacityMessages, limits::kFloodCapacityBytes};
  Credit reading{limits::kReadingCapacityMessages, limits::kReadingFloorBytes + limits::kReadingCapacityBytes};
  Credit batch{limits::kSendMoreBatchMessages, limits::kSendMoreBatchBytes};
};

class InboundCredit {
 public:
  explicit InboundCredit(InboundCreditOptions options = {});
  // kOverCapacity if the peer sent what it had no credit for; nothing is locked then.
  [[nodiscard]] std::optional<DropReason> lock(bool is_flood, std::uint64_t bytes);
  // Must match a former lock. Returns what to grant when a batch is complete.
  [[nodiscard]] std::optional<Credit> release(bool is_flood, std::uint64_t bytes);
  [[nodiscard]] bool can_read() const;
  // The maximal transaction grew: the window grows with it (FlowControl::handleTxSizeIncrease).
  void grow(std::uint64_t bytes);
  [[nodiscard]] Credit initial_grant() const { return capacity_.flood; }
  [[nodiscard]] Credit flood_left() const { return flood_left_; }

 private:
  InboundCreditOptions capacity_;
  Credit flood_left_;
  Credit reading_left_;
  Credit processed_;
};

// Bytes granted at start: options.flood.bytes (300,000), or max tx size + options.batch.bytes (100,000) where the
// difference would leave less than a full-size transaction beside an unacknowledged batch
// (OverlayManagerImpl::getFlowControlFloodByteCapacity).
[[nodiscard]] std::uint64_t initial_flood_bytes(std::uint32_t max_tx_size, const InboundCreditOptions& options = {});

}  // namespace overlayd::peer
