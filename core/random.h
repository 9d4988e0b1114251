// Two sources of chance with different rights.
//   Random   policy choices (which peer next, jitter). Seeded; a run repeats exactly from its seed.
//   Entropy  keys and nonces. Cannot be seeded in the daemon; tests hand in fixed bytes.
// A metric or a log line draws from neither.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace overlayd {

class Random {
 public:
  explicit Random(std::uint64_t seed);
  // Uniform over all 64-bit values (xoshiro256**).
  [[nodiscard]] std::uint64_t next();
  // Uniform in [0, bound); bound must be positive. Unbiased.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  // Uniform in [low, high], both included.
  [[nodiscard]] std::uint64_t between(std::uint64_t low, std::uint64_t high);
  // Uniform in [0, 1).
  [[nodiscard]] double unit();
  template <typename T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::uint64_t state_[4];
};

class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;
};

}  // namespace overlayd
