// Appends XDR to a byte vector. What it writes is canonical: padding is zero, flags are 0 or 1. Bounds of strings and
// arrays are the caller's to keep; every message writer's output is checked against xdr::validate in its tests.
#pragma once
#include "core/bytes.h"

namespace overlayd::xdr {

class Writer {
 public:
  explicit Writer(std::size_t bytes_expected = 0) { out_.reserve(bytes_expected); }

  Writer& u32(std::uint32_t value) {
    const std::uint8_t bytes[4] = {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
                                   static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
    return fixed(bytes);
  }
  Writer& i32(std::int32_t value) { return u32(static_cast<std::uint32_t>(value)); }
  Writer& u64(std::uint64_t value) {
    return u32(static_cast<std::uint32_t>(value >> 32)).u32(static_cast<std::uint32_t>(value));
  }
  // opaque[n]; the size must be a multiple of 4. Not inlined: GCC 12 sees overflows in inlined growth that are not
  // there.
  [[gnu::noinline]] Writer& fixed(ByteView bytes) {
    const std::size_t at = out_.size();
    out_.resize(at + bytes.size());
    if (!bytes.empty()) std::memcpy(out_.data() + at, bytes.data(), bytes.size());
    return *this;
  }
  // opaque<>
  Writer& variable(ByteView bytes) {
    u32(static_cast<std::uint32_t>(bytes.size())).fixed(bytes);
    out_.resize((out_.size() + 3) & ~std::size_t{3});
    return *this;
  }
  // string<>
  Writer& text(std::string_view text) {
    return variable({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
  // PublicKey, of which there is one type.
  Writer& public_key(ByteView key) { return u32(0).fixed(key); }

  [[nodiscard]] const Bytes& bytes() const { return out_; }
  [[nodiscard]] Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
};

}  // namespace overlayd::xdr
