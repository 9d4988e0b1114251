// The messages the overlay itself reads and makes, as values. write_* gives a StellarMessage; read_* takes the XDR of a
// StellarMessage that xdr::validate accepted and returns nothing if it is of another type.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/inputs.h"
#include "core/wire/message.h"

namespace overlayd::wire {

struct Hello {
  std::uint32_t ledger_version = 0;
  std::uint32_t overlay_version = 0;
  std::uint32_t overlay_min_version = 0;
  NetworkId network_id;
  std::string version_string;       // at most 100 bytes
  std::int32_t listening_port = 0;  // as on the wire: any int32
  NodeId peer_id;
  AuthCert cert;
  std::array<std::uint8_t, 32> nonce{};
};
struct ErrorMessage {
  std::int32_t code = 0;
  std::string text;  // at most 100 bytes; raw, not sanitised
};
struct DontHave {
  MessageType type = MessageType::kTxSet;
  ItemHash hash;
};
// One entry of PEERS. IPv4 and IPv6 both land in PeerAddress; the wire's u32 port is kept, for it can be out of range.
struct WirePeerAddress {
  PeerAddress address;  // port is 0 when wire_port does not fit
  std::uint32_t wire_port = 0;
  std::uint32_t failures = 0;
};
struct SendMoreExtended {
  std::uint32_t messages = 0;
  std::uint32_t bytes = 0;
};

[[nodiscard]] Bytes write_hello(const Hello& hello);
[[nodiscard]] Bytes write_auth(std::int32_t flags);
[[nodiscard]] Bytes write_error(const ErrorMessage& error);
[[nodiscard]] Bytes write_dont_have(const DontHave& dont_have);
[[nodiscard]] Bytes write_peers(const std::vector<WirePeerAddress>& peers);  // at most 100
[[nodiscard]] Bytes write_get_tx_set(const ItemHash& hash);
[[nodiscard]] Bytes write_get_scp_quorumset(const ItemHash& hash);
[[nodiscard]] Bytes write_get_scp_state(std::uint32_t ledger_sequence);
[[nodiscard]] Bytes write_send_more_extended(SendMoreExtended credit);
[[nodiscard]] Bytes write_flood_advert(std::span<const TxFullHash> hashes);  // at most 1000
[[nodiscard]] Bytes write_flood_demand(std::span<const TxFullHash> hashes);  // at most 1000
// Prefixes an already encoded arm with its type: TRANSACTION from a TransactionEnvelope and so on.
[[nodiscard]] Bytes wrap(MessageType type, ByteView body);

[[nodiscard]] std::optional<Hello> read_hello(ByteView xdr);
[[nodiscard]] std::optional<std::int32_t> read_auth_flags(ByteView xdr);
[[nodiscard]] std::optional<ErrorMessage> read_error(ByteView xdr);
[[nodiscard]] std::optional<DontHave> read_dont_have(ByteView xdr);
[[nodiscard]] std::optional<std::vector<WirePeerAddress>> read_peers(ByteView xdr);
[[nodiscard]] std::optional<ItemHash> read_get_tx_set(ByteView xdr);
[[nodiscard]] std::optional<ItemHash> read_get_scp_quorumset(ByteView xdr);
[[nodiscard]] std::optional<std::uint32_t> read_get_scp_state(ByteView xdr);
[[nodiscard]] std::optional<SendMoreExtended> read_send_more_extended(ByteView xdr);
// Hashes of a FLOOD_ADVERT or FLOOD_DEMAND, in place: the view lives as long as `xdr`.
[[nodiscard]] std::optional<std::span<const TxFullHash>> read_tx_hashes(ByteView xdr);

}  // namespace overlayd::wire
