// Bytes that repeat from run to run, and never within one.
#pragma once
#include "core/random.h"

namespace overlayd::test {

class CountingEntropy final : public Entropy {
 public:
  explicit CountingEntropy(std::uint64_t seed = 1) : random_(seed) {}
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(random_.next());
  }

 private:
  Random random_;
};

}  // namespace overlayd::test
