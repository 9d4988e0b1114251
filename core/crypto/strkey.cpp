#include "core/crypto/strkey.h"

namespace overlayd::crypto {
namespace {

constexpr std::string_view kBase32Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t kStrkeyBytes = 35;
static_assert(kStrkeyBytes * 8 == kStrkeyLength * 5, "no spare bits: the text is canonical by itself");

// The version byte decides the first letter of the text.
enum class Version : std::uint8_t { kNodeId = 6 << 3, kSeed = 18 << 3 };

std::uint16_t crc16_xmodem(ByteView bytes) {
  std::uint16_t crc = 0;
  for (const std::uint8_t b : bytes) {
    crc = static_cast<std::uint16_t>(crc ^ b << 8);
    for (int bit = 0; bit < 8; ++bit) {
      const bool carry = (crc & 0x8000) != 0;
      crc = static_cast<std::uint16_t>(crc << 1);
      if (carry) crc ^= 0x1021;
    }
  }
  return crc;
}

int base32_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= '2' && c <= '7') return c - '2' + 26;
  return -1;
}

std::string encode(Version version, std::span<const std::uint8_t, 32> key) {
  Secret<kStrkeyBytes> raw;
  const auto bytes = raw.writable();
  bytes[0] = static_cast<std::uint8_t>(version);
  std::memcpy(bytes.data() + 1, key.data(), key.size());
  const std::uint16_t crc = crc16_xmodem(bytes.first(33));
  bytes[33] = static_cast<std::uint8_t>(crc);
  bytes[34] = static_cast<std::uint8_t>(crc >> 8);

  std::string text;
  text.reserve(kStrkeyLength);
  std::uint32_t pending = 0;
  int pending_bits = 0;
  for (const std::uint8_t b : bytes) {
    pending = pending << 8 | b;
    for (pending_bits += 8; pending_bits >= 5; pending_bits -= 5)
      text.push_back(kBase32Digits[pending >> (pending_bits - 5) & 31]);
  }
  return text;
}

Result<Secret<32>> decode(Version version, std::string_view text, std::string_view what) {
  const auto fail = [what](std::string_view why) { return Failure{std::string(what) + ' ' + std::string(why)}; };
  if (text.size() != kStrkeyLength) return fail("must have 56 characters, but has " + std::to_string(text.size()));
  Secret<kStrkeyBytes> raw;
  const auto bytes = raw.writable();
  std::uint32_t pending = 0;
  int pending_bits = 0;
  std::size_t filled = 0;
  for (const char c : text) {
    const int value = base32_value(c);
    if (value < 0) return fail("may only contain the characters A-Z and 2-7");
    pending = pending << 5 | static_cast<std::uint32_t>(value);
    pending_bits += 5;
    if (pending_bits < 8) continue;
    pending_bits -= 8;
    bytes[filled++] = static_cast<std::uint8_t>(pending >> pending_bits);
  }
  if (bytes[0] != static_cast<std::uint8_t>(version))
    return fail(version == Version::kSeed ? "must begin with S: this is the text of another kind of key"
                                          : "must begin with G: this is the text of another kind of key");
  const std::uint16_t crc = crc16_xmodem(bytes.first(33));
  if (bytes[33] != static_cast<std::uint8_t>(crc) || bytes[34] != static_cast<std::uint8_t>(crc >> 8))
    return fail("has a wrong checksum: a character was mistyped or lost");
  return Secret<32>(std::span<const std::uint8_t, kStrkeyBytes>(bytes).subspan<1, 32>());
}

}  // namespace

std::string encode_node_id(const NodeId& node) { return encode(Version::kNodeId, node.view()); }

Result<NodeId> decode_node_id(std::string_view text) {
  const auto key = decode(Version::kNodeId, text, "a node id");
  if (!key) return Failure{key.error()};
  return NodeId::from(key.value().view());
}

std::string short_node_id(const NodeId& node) { return encode_node_id(node).substr(0, 5); }

std::string encode_seed(const Secret<32>& seed) { return encode(Version::kSeed, seed.view()); }

Result<Secret<32>> decode_seed(std::string_view text) { return decode(Version::kSeed, text, "a seed"); }

}  // namespace overlayd::crypto
