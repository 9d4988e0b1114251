#include "core/peer/ping.h"

#include <algorithm>

#include "core/crypto/hash.h"

namespace overlayd::peer {

std::optional<ItemHash> Ping::advance(Instant now, Random& random) {
  if (sent_ || now < next_due_) return std::nullopt;
  const std::array<std::uint64_t, 3> seed{random.next(), random.next(), ++ping_count_};
  std::array<std::uint8_t, sizeof seed> bytes{};
  // Byte by byte, so that a run repeats on a machine of the other byte order.
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(seed[i / 8] >> (8 * (i % 8)));
  const ItemHash hash = ItemHash::from(crypto::sha256(bytes));
  sent_ = Sent{hash, now};
  next_due_ = now + limits::kPingPeriod;
  return hash;
}

std::optional<Duration> Ping::on_answer(const ItemHash& hash, Instant now) {
  if (!sent_ || sent_->hash != hash) return std::nullopt;
  last_ = now - sent_->at;
  sent_.reset();
  if (latencies_.size() < limits::kPingWindow) {
    latencies_.push_back(*last_);
  } else {
    latencies_[answer_count_ % limits::kPingWindow] = *last_;
  }
  ++answer_count_;
  return last_;
}

std::optional<Duration> Ping::percentile(std::uint32_t percent) const {
  if (latencies_.empty()) return std::nullopt;
  std::vector<Duration> sorted = latencies_;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t rank = (sorted.size() * percent + 99) / 100;
  return sorted[rank - 1];
}

}  // namespace overlayd::peer
