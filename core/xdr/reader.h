// A cursor over XDR bytes, big-endian. Never throws and never allocates. A read past the end, a length over its bound
// or padding that is not zero makes the reader fail, and a failed reader stays so: every later read gives zero or
// nothing. So a caller reads a whole value and asks ok() once.
#pragma once
#include "core/bytes.h"

namespace overlayd::xdr {

class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}

  [[nodiscard]] std::uint32_t u32() {
    const ByteView b = take(4);
    if (b.empty()) return 0;
    return (std::uint32_t{b[0]} << 24) | (std::uint32_t{b[1]} << 16) | (std::uint32_t{b[2]} << 8) | b[3];
  }
  [[nodiscard]] std::int32_t i32() { return static_cast<std::int32_t>(u32()); }
  [[nodiscard]] std::uint64_t u64() {
    const std::uint64_t high = u32();
    return (high << 32) | u32();
  }
  // opaque[size]; size must be a multiple of 4.
  [[nodiscard]] ByteView fixed(std::size_t size) { return take(size); }
  // opaque<bytes_max> or string<bytes_max>, in place, without its padding.
  [[nodiscard]] ByteView variable(std::size_t bytes_max) {
    const std::size_t length = u32();
    if (length > bytes_max) fail();
    const ByteView padded = take((length + 3) & ~std::size_t{3});
    if (!ok_) return {};
    for (std::size_t i = length; i < padded.size(); ++i) {
      if (padded[i] != 0) fail();
    }
    return ok_ ? padded.first(length) : ByteView{};
  }
  // The count of T<items_max>; each item has at least item_bytes_min bytes.
  [[nodiscard]] std::uint32_t count(std::uint32_t items_max, std::size_t item_bytes_min) {
    const std::uint32_t items = u32();
    if (items > items_max || items > remaining() / item_bytes_min) fail();
    return ok_ ? items : 0;
  }
  // The flag of T*.
  [[nodiscard]] bool optional() {
    const std::uint32_t flag = u32();
    if (flag > 1) fail();
    return ok_ && flag == 1;
  }
  template <std::size_t N>
  [[nodiscard]] std::array<std::uint8_t, N> array() {
    static_assert(N % 4 == 0);
    std::array<std::uint8_t, N> out{};
    const ByteView b = take(N);
    if (!b.empty()) std::memcpy(out.data(), b.data(), N);
    return out;
  }
  template <typename Id>
  [[nodiscard]] Id id() {
    return Id{array<32>()};
  }
  // PublicKey, of which there is one type.
  template <typename Id>
  [[nodiscard]] Id public_key() {
    if (u32() != 0) fail();
    return id<Id>();
  }

  void fail() { ok_ = false; }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return ok_ && offset_ == bytes_.size(); }
  [[nodiscard]] std::size_t offset() const { return offset_; }
  [[nodiscard]] std::size_t remaining() const { return ok_ ? bytes_.size() - offset_ : 0; }

 private:
  ByteView take(std::size_t size) {
    if (size > remaining()) {
      fail();
      return {};
    }
    const ByteView taken = bytes_.subspan(offset_, size);
    offset_ += size;
    return taken;
  }

  ByteView bytes_;
  std::size_t offset_ = 0;
  bool ok_ = true;
};

}  // namespace overlayd::xdr
