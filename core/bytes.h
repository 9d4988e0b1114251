// Byte views and fixed-size byte values. Everything here is a value type.
#pragma once
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace overlayd {

using ByteView = std::span<const std::uint8_t>;
using Bytes = std::vector<std::uint8_t>;

// A 32-byte value with a meaning: the tag makes a node id and a transaction hash different types.
template <typename Tag>
struct Id32 {
  std::array<std::uint8_t, 32> bytes{};

  static Id32 from(std::span<const std::uint8_t, 32> view) {
    Id32 id;
    std::memcpy(id.bytes.data(), view.data(), 32);
    return id;
  }
  [[nodiscard]] std::span<const std::uint8_t, 32> view() const { return bytes; }
  [[nodiscard]] bool is_zero() const { return bytes == std::array<std::uint8_t, 32>{}; }
  auto operator<=>(const Id32&) const = default;
};

// Lower-case hexadecimal of any length.
[[nodiscard]] std::string to_hex(ByteView bytes);
// The inverse; nothing for an odd length or a character that is not a hexadecimal digit.
[[nodiscard]] std::optional<Bytes> from_hex(std::string_view text);
// Standard base64 with padding. Decoding refuses white space, wrong length, wrong padding and non-zero spare bits.
[[nodiscard]] std::string to_base64(ByteView bytes);
[[nodiscard]] std::optional<Bytes> from_base64(std::string_view text);

}  // namespace overlayd

// Ids that come from hash functions are uniform: eight of their bytes are a good enough hash, and a peer that
// grinds collisions in 64 bits only slows a bounded map.
template <typename Tag>
struct std::hash<overlayd::Id32<Tag>> {
  std::size_t operator()(const overlayd::Id32<Tag>& id) const noexcept {
    std::size_t value;
    std::memcpy(&value, id.bytes.data() + 8, sizeof value);
    return value;
  }
};
