// Secret<N>: N bytes that must not spread. Wiped when destroyed or moved from, compared in constant time, never printed
// (there is no operator<< on purpose); a copy has to be asked for by name. A default Secret is all zero.
#pragma once
#include <sodium.h>

#include "core/bytes.h"

namespace overlayd::crypto {

template <std::size_t N>
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::span<const std::uint8_t, N> bytes) { std::memcpy(bytes_.data(), bytes.data(), N); }
  ~Secret() { wipe(); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& from) noexcept : bytes_(from.bytes_) { from.wipe(); }
  Secret& operator=(Secret&& from) noexcept {
    if (this != &from) {
      bytes_ = from.bytes_;
      from.wipe();
    }
    return *this;
  }

  [[nodiscard]] Secret clone() const { return Secret(view()); }
  [[nodiscard]] std::span<const std::uint8_t, N> view() const { return bytes_; }
  [[nodiscard]] std::span<std::uint8_t, N> writable() { return bytes_; }
  [[nodiscard]] bool is_zero() const { return sodium_is_zero(bytes_.data(), N) != 0; }
  void wipe() { sodium_memzero(bytes_.data(), N); }
  friend bool operator==(const Secret& a, const Secret& b) {
    return sodium_memcmp(a.bytes_.data(), b.bytes_.data(), N) == 0;
  }

 private:
  std::array<std::uint8_t, N> bytes_{};
};

}  // namespace overlayd::crypto
