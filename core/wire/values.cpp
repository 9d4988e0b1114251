#include "core/wire/values.h"

#include "core/check.h"
#include "core/limits.h"
#include "core/xdr/reader.h"
#include "core/xdr/writer.h"

namespace overlayd::wire {

namespace {

constexpr std::size_t kSignatureBytesMax = 64;
constexpr std::size_t kErrorTextBytesMax = 100;
constexpr std::uint32_t kIpv4 = 0;
constexpr std::uint32_t kIpv6 = 1;

xdr::Writer start(MessageType type, std::size_t body_bytes_expected) {
  xdr::Writer writer(4 + body_bytes_expected);
  writer.i32(static_cast<std::int32_t>(type));
  return writer;
}

// A reader behind the type, or a failed one if the message is of another type.
xdr::Reader open(ByteView xdr, MessageType type) {
  xdr::Reader reader(xdr);
  if (reader.i32() != static_cast<std::int32_t>(type)) reader.fail();
  return reader;
}

Bytes write_hash(MessageType type, const ItemHash& hash) { return start(type, 32).fixed(hash.bytes).take(); }

std::optional<ItemHash> read_hash(ByteView xdr, MessageType type) {
  xdr::Reader reader = open(xdr, type);
  const auto hash = reader.id<ItemHash>();
  if (!reader.at_end()) return std::nullopt;
  return hash;
}

Bytes write_hashes(MessageType type, std::span<const TxFullHash> hashes) {
  static_assert(sizeof(TxFullHash) == 32 && alignof(TxFullHash) == 1);
  static_assert(limits::kAdvertMax == limits::kDemandMax);
  OVERLAYD_CHECK(hashes.size() <= limits::kAdvertMax);
  xdr::Writer writer = start(type, 4 + 32 * hashes.size());
  writer.u32(static_cast<std::uint32_t>(hashes.size()));
  for (const TxFullHash& hash : hashes) writer.fixed(hash.bytes);
  return writer.take();
}

std::string to_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

WirePeerAddress read_peer_address(xdr::Reader& reader) {
  WirePeerAddress peer;
  const std::uint32_t family = reader.u32();
  if (family == kIpv4) {
    peer.address = PeerAddress::from_v4(reader.array<4>(), 0);
  } else {
    if (family != kIpv6) reader.fail();
    peer.address.ip = reader.array<16>();
  }
  peer.wire_port = reader.u32();
  if (peer.wire_port <= 0xffff) peer.address.port = static_cast<std::uint16_t>(peer.wire_port);
  peer.failures = reader.u32();
  return peer;
}

}  // namespace

Bytes write_hello(const Hello& hello) {
  OVERLAYD_CHECK(hello.version_string.size() <= limits::kVersionStringMax);
  OVERLAYD_CHECK(hello.cert.signature.size() <= kSignatureBytesMax);
  xdr::Writer writer = start(MessageType::kHello, 360);
  writer.u32(hello.ledger_version).u32(hello.overlay_version).u32(hello.overlay_min_version);
  writer.fixed(hello.network_id.bytes).text(hello.version_string).i32(hello.listening_port);
  writer.public_key(hello.peer_id.bytes);
  writer.fixed(hello.cert.public_key).u64(hello.cert.expiration.seconds).variable(hello.cert.signature);
  writer.fixed(hello.nonce);
  return writer.take();
}

Bytes write_auth(std::int32_t flags) { return start(MessageType::kAuth, 4).i32(flags).take(); }

Bytes write_error(const ErrorMessage& error) {
  OVERLAYD_CHECK(error.text.size() <= kErrorTextBytesMax);
  return start(MessageType::kErrorMsg, 8 + 100).i32(error.code).text(error.text).take();
}

Bytes write_dont_have(const DontHave& dont_have) {
  return start(MessageType::kDontHave, 36)
      .i32(static_cast<std::int32_t>(dont_have.type))
      .fixed(dont_have.hash.bytes)
      .take();
}

Bytes write_peers(const std::vector<WirePeerAddress>& peers) {
  OVERLAYD_CHECK(peers.size() <= limits::kPeersWireMax);
  xdr::Writer writer = start(MessageType::kPeers, 4 + 28 * peers.size());
  writer.u32(static_cast<std::uint32_t>(peers.size()));
  for (const WirePeerAddress& peer : peers) {
    if (peer.address.is_v4()) {
      writer.u32(kIpv4).fixed(peer.address.v4());
    } else {
      writer.u32(kIpv6).fixed(peer.address.ip);
    }
    writer.u32(peer.wire_port).u32(peer.failures);
  }
  return writer.take();
}

Bytes write_get_tx_set(const ItemHash& hash) { return write_hash(MessageType::kGetTxSet, hash); }

Bytes write_get_scp_quorumset(const ItemHash& hash) { return write_hash(MessageType::kGetScpQuorumset, hash); }

Bytes write_get_scp_state(std::uint32_t ledger_sequence) {
  return start(MessageType::kGetScpState, 4).u32(ledger_sequence).take();
}

Bytes write_send_more_extended(SendMoreExtended credit) {
  return start(MessageType::kSendMoreExtended, 8).u32(credit.messages).u32(credit.bytes).take();
}

Bytes write_flood_advert(std::span<const TxFullHash> hashes) { return write_hashes(MessageType::kFloodAdvert, hashes); }

Bytes write_flood_demand(std::span<const TxFullHash> hashes) { return write_hashes(MessageType::kFloodDemand, hashes); }

Bytes wrap(MessageType type, ByteView body) { return start(type, body.size()).fixed(body).take(); }

std::optional<Hello> read_hello(ByteView xdr) {
  xdr::Reader reader = open(xdr, MessageType::kHello);
  Hello hello;
  hello.ledger_version = reader.u32();
  hello.overlay_version = reader.u32();
  hello.overlay_min_version = reader.u32();
  hello.network_id = reader.id<NetworkId>();
  hello.version_string = to_text(reader.variable(limits::kVersionStringMax));
  hello.listening_port = reader.i32();
  hello.peer_id = reader.public_key<NodeId>();
  hello.cert.public_key = reader.array<32>();
  hello.cert.expiration = UnixTime{reader.u64()};
  const ByteView signature = reader.variable(kSignatureBytesMax);
  hello.cert.signature.assign(signature.begin(), signature.end());
  hello.nonce = reader.array<32>();
  if (!reader.at_end()) return std::nullopt;
  return hello;
}

std::optional<std::int32_t> read_auth_flags(ByteView xdr) {
  xdr::Reader reader = open(xdr, MessageType::kAuth);
  const std::int32_t flags = reader.i32();
  if (!reader.at_end()) return std::nullopt;
  return flags;
}

std::optional<ErrorMessage> read_error(ByteView xdr) {
  xdr::Reader reader = open(xdr, MessageType::kErrorMsg);
  ErrorMessage error;
  error.code = reader.i32();
  error.text = to_text(reader.variable(kErrorTextBytesMax));
  if (!reader.at_end()) return std::nullopt;
  return error;
}

std::optional<DontHave> read_dont_have(ByteView xdr) {
  xdr::Reader reader = open(xdr, MessageType::kDontHave);
  const auto type = to_message_type(reader.i32());
  const auto hash = reader.id<ItemHash>();
  if (!type || !reader.at_end()) return std::nullopt;
  return DontHave{*type, hash};
}

std::optional<std::vector<WirePeerAddress>> read_peers(ByteView xdr) {
  xdr::Reader reader = open(xdr, MessageType::kPeers);
  const std::uint32_t count = reader.count(limits::kPeersWireMax, 16);
  std::vector<WirePeerAddress> peers;
  peers.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) peers.push_back(read_peer_address(reader));
  if (!reader.at_end()) return std::nullopt;
  return peers;
}

std::optional<ItemHash> read_get_tx_set(ByteView xdr) { return read_hash(xdr, MessageType::kGetTxSet); }

std::optional<ItemHash> read_get_scp_quorumset(ByteView xdr) { return read_hash(xdr, MessageType::kGetScpQuorumset); }

std::optional<std::uint32_t> read_get_scp_state(ByteView xdr) {
  xdr::Reader reader = open(xdr, MessageType::kGetScpState);
  const std::uint32_t sequence = reader.u32();
  if (!reader.at_end()) return std::nullopt;
  return sequence;
}

std::optional<SendMoreExtended> read_send_more_extended(ByteView xdr) {
  xdr::Reader reader = open(xdr, MessageType::kSendMoreExtended);
  SendMoreExtended credit;
  credit.messages = reader.u32();
  credit.bytes = reader.u32();
  if (!reader.at_end()) return std::nullopt;
  return credit;
}

std::optional<std::span<const TxFullHash>> read_tx_hashes(ByteView xdr) {
  xdr::Reader reader(xdr);
  const auto type = to_message_type(reader.i32());
  if (type != MessageType::kFloodAdvert && type != MessageType::kFloodDemand) return std::nullopt;
  const std::size_t count = reader.count(limits::kAdvertMax, 32);
  const ByteView hashes = reader.fixed(32 * count);
  if (!reader.at_end()) return std::nullopt;
  return std::span(reinterpret_cast<const TxFullHash*>(hashes.data()), count);
}

}  // namespace overlayd::wire
