// What the model-based fuzzers share: bytes read as commands and arguments, times and ids from small spaces.
//
// A model-based fuzzer drives a real object and a deliberately naive model of its header's rules with the same
// commands, and compares every answer and every counter. Small spaces of ids make collisions, and limits that the first
// bytes choose small are reached all the time.
#pragma once
#include <algorithm>
#include <array>

#include "core/bytes.h"
#include "core/check.h"
#include "core/clock.h"

namespace overlayd::fuzz {

// Any bytes are a valid run: what is not there reads as 0, what is too large wraps.
class Commands {
 public:
  explicit Commands(ByteView bytes) : bytes_(bytes) {}

  [[nodiscard]] bool is_over() const { return bytes_.empty(); }
  std::uint8_t take_byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }
  // Fewer at the end.
  Bytes take_bytes(std::size_t count) {
    const ByteView taken = bytes_.first(std::min(count, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return {taken.begin(), taken.end()};
  }
  bool take_flag() { return (take_byte() & 1) != 0; }
  // In [0, bound); bound is at most 256.
  std::size_t take_below(std::size_t bound) { return take_byte() % bound; }
  template <typename T, std::size_t kCount>
  const T& take_one_of(const std::array<T, kCount>& choices) {
    return choices[take_below(kCount)];
  }
  // Spread exponentially, with the periods of the protocol and their neighbours among them.
  Duration take_duration();

 private:
  ByteView bytes_;
};

inline Duration Commands::take_duration() {
  static constexpr std::array<Duration, 24> kSteps{
      Duration(0),       Duration(1),          Duration(1'000),    milliseconds(1),   milliseconds(10),
      milliseconds(50),  milliseconds(99),     milliseconds(100),  milliseconds(101), milliseconds(199),
      milliseconds(200), milliseconds(201),    milliseconds(300),  milliseconds(499), milliseconds(500),
      milliseconds(700), seconds(1),           milliseconds(1500), seconds(2),        seconds(5),
      seconds(20),       milliseconds(59'999), seconds(60),        seconds(61)};
  return take_one_of(kSteps);
}

inline constexpr Instant kFuzzStart{seconds(100)};

// Distinct ids by number, ordered as their numbers.
template <typename Id>
Id numbered_id(std::size_t number) {
  Id id;
  id.bytes[0] = 0x5a;
  for (std::size_t i = 0; i < 8; ++i)
    id.bytes[15 - i] = id.bytes[31 - i] = static_cast<std::uint8_t>(std::uint64_t{number} >> (8 * i));
  return id;
}

// The ledgers of a run in which records are cleared below a ledger. Nothing is seen at a ledger below one that was
// cleared, as in the daemon. If `is_orderly` they only grow and a clearing leaves nothing: so whatever a bounded table
// evicts, it evicts the same whether what was cleared left its memory at once or later.
class Ledgers {
 public:
  explicit Ledgers(bool is_orderly) : is_orderly_(is_orderly) {}

  // At which something is seen now.
  [[nodiscard]] std::uint32_t take_seen(Commands& commands) {
    if (is_orderly_) return current_;
    return std::max(cleared_, current_ - static_cast<std::uint32_t>(commands.take_below(4)));
  }
  void close() { ++current_; }
  // What to clear below.
  [[nodiscard]] std::uint32_t take_cleared(Commands& commands) {
    if (is_orderly_) return cleared_ = ++current_;
    const std::uint32_t ledger = current_ + 1 - static_cast<std::uint32_t>(commands.take_below(6));
    cleared_ = std::max(cleared_, ledger);
    current_ = std::max(current_, cleared_);
    return ledger;
  }

 private:
  bool is_orderly_;
  std::uint32_t current_ = 10;
  std::uint32_t cleared_ = 0;
};

}  // namespace overlayd::fuzz
