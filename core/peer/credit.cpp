#include "core/peer/credit.h"

#include <limits>

#include "core/check.h"

namespace overlayd::peer {

void OutboundCredit::spend(std::uint64_t bytes) {
  OVERLAYD_CHECK(has_for(bytes));
  left_.messages -= 1;
  left_.bytes -= bytes;
}

std::optional<DropReason> OutboundCredit::grant(Credit credit) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  if (credit.bytes == 0) return DropReason::kSendMoreInvalid;
  if (credit.messages > kMax - left_.messages || credit.bytes > kMax - left_.bytes)
    return DropReason::kCapacityOverflow;
  left_.messages += credit.messages;
  left_.bytes += credit.bytes;
  return std::nullopt;
}

InboundCredit::InboundCredit(InboundCreditOptions options)
    : capacity_(options), flood_left_(options.flood), reading_left_(options.reading) {
  OVERLAYD_CHECK(options.flood.messages >= options.batch.messages && options.flood.bytes >= options.batch.bytes);
}

std::optional<DropReason> InboundCredit::lock(bool is_flood, std::uint64_t bytes) {
  if (is_flood && (flood_left_.messages < 1 || flood_left_.bytes < bytes)) return DropReason::kOverCapacity;
  if (reading_left_.messages < 1 || reading_left_.bytes < bytes) return DropReason::kOverCapacity;
  reading_left_.messages -= 1;
  reading_left_.bytes -= bytes;
  if (is_flood) {
    flood_left_.messages -= 1;
    flood_left_.bytes -= bytes;
  }
  return std::nullopt;
}

std::optional<Credit> InboundCredit::release(bool is_flood, std::uint64_t bytes) {
  reading_left_.messages += 1;
  reading_left_.bytes += bytes;
  OVERLAYD_CHECK(reading_left_.messages <= capacity_.reading.messages &&
                 reading_left_.bytes <= capacity_.reading.bytes);
  if (!is_flood) return std::nullopt;
  flood_left_.messages += 1;
  flood_left_.bytes += bytes;
  OVERLAYD_CHECK(flood_left_.messages <= capacity_.flood.messages && flood_left_.bytes <= capacity_.flood.bytes);
  processed_.messages += 1;
  processed_.bytes += bytes;
  if (processed_.messages < capacity_.batch.messages && processed_.bytes < capacity_.batch.bytes) return std::nullopt;
  const Credit grant = processed_;
  processed_ = {};
  return grant;
}

bool InboundCredit::can_read() const {
  return reading_left_.messages > 0 && reading_left_.bytes > limits::kReadingFloorBytes;
}

void InboundCredit::grow(std::uint64_t bytes) {
  capacity_.flood.bytes += bytes;
  flood_left_.bytes += bytes;
}

std::uint64_t initial_flood_bytes(std::uint32_t max_tx_size, const InboundCreditOptions& options) {
  if (options.flood.bytes >= options.batch.bytes + max_tx_size) return options.flood.bytes;
  return std::uint64_t{max_tx_size} + options.batch.bytes;
}

}  // namespace overlayd::peer
