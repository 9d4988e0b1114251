#include "core/wire/values.h"

#include <map>

#include "core/xdr/validate.h"
#include "tests/unit/xdr_vectors.h"

using namespace overlayd;
using namespace overlayd::wire;

namespace {

Bytes valid(Bytes xdr) {
  const auto validation = xdr::validate(xdr::Type::kStellarMessage, xdr);
  INFO(validation.text());
  REQUIRE(validation.ok());
  return xdr;
}

// Reads a message of a type we have a value for and writes it again.
std::optional<Bytes> rewrite(const std::string& type, ByteView xdr) {
  if (type == "hello") return write_hello(read_hello(xdr).value());
  if (type == "auth") return write_auth(read_auth_flags(xdr).value());
  if (type == "error_msg") return write_error(read_error(xdr).value());
  if (type == "dont_have") return write_dont_have(read_dont_have(xdr).value());
  if (type == "peers") return write_peers(read_peers(xdr).value());
  if (type == "get_tx_set") return write_get_tx_set(read_get_tx_set(xdr).value());
  if (type == "get_scp_quorumset") return write_get_scp_quorumset(read_get_scp_quorumset(xdr).value());
  if (type == "get_scp_state") return write_get_scp_state(read_get_scp_state(xdr).value());
  if (type == "send_more_extended") return write_send_more_extended(read_send_more_extended(xdr).value());
  if (type == "flood_advert") return write_flood_advert(read_tx_hashes(xdr).value());
  if (type == "flood_demand") return write_flood_demand(read_tx_hashes(xdr).value());
  return std::nullopt;
}

}  // namespace

TEST_CASE("reference messages are read and written back to the same bytes", "[values]") {
  std::map<std::string, int> rewritten;
  const auto lines = test::load_messages();
  for (const auto& line : lines) {
    const auto type = line.at("type").get<std::string>();
    const Bytes xdr = test::base64_of(line, "xdr");
    INFO(type);
    if (const auto again = rewrite(type, xdr)) {
      ++rewritten[type];
      CHECK(*again == xdr);
    }
    const auto number = static_cast<MessageType>((xdr[0] << 24) | (xdr[1] << 16) | (xdr[2] << 8) | xdr[3]);
    CHECK(wrap(number, ByteView(xdr).subspan(4)) == xdr);
  }
  CHECK((lines.empty() || rewritten.size() == 11));
}

TEST_CASE("every writer gives a valid message that reads back the same", "[values]") {
  Hello hello;
  hello.ledger_version = 28;
  hello.overlay_version = 42;
  hello.overlay_min_version = 38;
  hello.network_id.bytes[0] = 1;
  hello.version_string = std::string(100, 'v');
  hello.listening_port = -1;
  hello.peer_id.bytes[0] = 2;
  hello.cert = {{3}, UnixTime{1'900'000'000}, Bytes(64, 4)};
  hello.nonce[0] = 5;
  const auto read = read_hello(valid(write_hello(hello)));
  REQUIRE(read.has_value());
  CHECK(read->version_string == hello.version_string);
  CHECK(read->listening_port == -1);
  CHECK(read->peer_id == hello.peer_id);
  CHECK(read->cert.expiration == hello.cert.expiration);
  CHECK(read->cert.signature == hello.cert.signature);
  CHECK(read->nonce == hello.nonce);

  CHECK(read_auth_flags(valid(write_auth(200))) == 200);
  CHECK(read_error(valid(write_error({3, "unexpected MAC"})))->text == "unexpected MAC");
  CHECK(read_dont_have(valid(write_dont_have({MessageType::kScpQuorumset, {}})))->type == MessageType::kScpQuorumset);
  CHECK(read_get_scp_state(valid(write_get_scp_state(9))) == 9);
  const auto credit = read_send_more_extended(valid(write_send_more_extended({40, 100'000})));
  CHECK(credit->messages == 40);
  CHECK(credit->bytes == 100'000);
  ItemHash hash;
  hash.bytes[31] = 1;
  CHECK(read_get_tx_set(valid(write_get_tx_set(hash))) == hash);
  CHECK(read_get_scp_quorumset(valid(write_get_scp_quorumset(hash))) == hash);
}

TEST_CASE("hashes of adverts and demands are read in place", "[values]") {
  std::vector<TxFullHash> hashes(1000);
  hashes[999].bytes[0] = 7;
  for (const Bytes& xdr : {valid(write_flood_advert(hashes)), valid(write_flood_demand(hashes))}) {
    const auto read = read_tx_hashes(xdr);
    REQUIRE(read.has_value());
    CHECK(std::equal(read->begin(), read->end(), hashes.begin(), hashes.end()));
    CHECK(reinterpret_cast<const std::uint8_t*>(read->data()) == xdr.data() + 8);
  }
  CHECK(read_tx_hashes(valid(write_flood_advert({})))->empty());
}

TEST_CASE("a peer's address keeps its family and a port out of range", "[values]") {
  PeerAddress v6;
  v6.ip[0] = 0x20;
  v6.port = 11625;
  const std::vector<WirePeerAddress> peers{{PeerAddress::from_v4({1, 2, 3, 4}, 11625), 11625, 3},
                                           {v6, 11625, 0},
                                           {PeerAddress::from_v4({5, 6, 7, 8}, 0), 65536, 0}};
  const auto read = read_peers(valid(write_peers(peers)));
  REQUIRE(read.has_value());
  REQUIRE(read->size() == 3);
  CHECK(read->at(0).address == peers[0].address);
  CHECK(read->at(0).failures == 3);
  CHECK(read->at(1).address == v6);
  CHECK(read->at(2).address.port == 0);
  CHECK(read->at(2).wire_port == 65536);
}

TEST_CASE("a message is not read as one of another type, nor a cut one at all", "[values]") {
  const Bytes xdr = write_get_tx_set({});
  CHECK_FALSE(read_get_scp_quorumset(xdr).has_value());
  CHECK_FALSE(read_hello(xdr).has_value());
  CHECK_FALSE(read_tx_hashes(xdr).has_value());
  CHECK_FALSE(read_get_tx_set(ByteView(xdr).first(35)).has_value());
  CHECK_FALSE(read_auth_flags({}).has_value());
}
