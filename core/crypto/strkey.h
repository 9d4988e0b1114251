// Strkey (SEP-23): the text form of keys. 56 characters of upper-case base32 without padding over
// version byte (1) · key (32) · CRC16-XMODEM of those 33 bytes, low byte first (2). 56 characters are exactly 35 bytes,
// so a key has one text and a text one key.
// Decoding is strict: any other length, character, version or checksum is refused. No message ever contains the text
// that was refused: it may be a seed.
#pragma once
#include "core/crypto/secret.h"
#include "core/ids.h"
#include "core/result.h"

namespace overlayd::crypto {

inline constexpr std::size_t kStrkeyLength = 56;

[[nodiscard]] std::string encode_node_id(const NodeId& node);  // "G…"
[[nodiscard]] Result<NodeId> decode_node_id(std::string_view text);
// The first five characters of the strkey: how logs and ERROR_MSG texts name a node (KeyUtils::toShortString).
[[nodiscard]] std::string short_node_id(const NodeId& node);

// The caller is answerable for the text it gets: it is the secret.
[[nodiscard]] std::string encode_seed(const Secret<32>& seed);  // "S…"
[[nodiscard]] Result<Secret<32>> decode_seed(std::string_view text);

}  // namespace overlayd::crypto
