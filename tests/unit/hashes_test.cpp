#include "core/wire/hashes.h"

#include "core/crypto/hash.h"
#include "core/xdr/validate.h"
#include "core/xdr/writer.h"
#include "tests/unit/xdr_vectors.h"

using namespace overlayd;

namespace {

// Of the network that data/ comes from.
NetworkId data_network() {
  constexpr std::string_view kPassphrase = "(V) (;,,;) (V)";
  return {crypto::sha256({reinterpret_cast<const std::uint8_t*>(kPassphrase.data()), kPassphrase.size()})};
}

template <typename Id>
std::string hex_of(const Id& id) {
  return to_hex(id.bytes);
}

}  // namespace

TEST_CASE("the hash of every real transaction is the one its ledger recorded", "[hashes]") {
  const auto lines = test::load_lines(std::string(OVERLAYD_SHARED) + "/data/transactions.jsonl");
  for (const auto& line : lines) {
    const Bytes envelope = test::base64_of(line, "envelope");
    const auto validation = xdr::validate(xdr::Type::kTransactionEnvelope, envelope);
    INFO(validation.text());
    REQUIRE(validation.ok());
    CHECK(hex_of(wire::tx_hash(envelope, data_network())) == line.at("hash").get<std::string>());
  }
  CHECK((lines.empty() || lines.size() == 1024));
}

TEST_CASE("the hash of every real transaction set is the one its ledger header names", "[hashes]") {
  const auto lines = test::load_lines(std::string(OVERLAYD_SHARED) + "/data/tx_sets.jsonl");
  for (const auto& line : lines) {
    const Bytes tx_set = test::base64_of(line, "generalized_tx_set");
    REQUIRE(xdr::validate(xdr::Type::kGeneralizedTransactionSet, tx_set).ok());
    CHECK(hex_of(wire::generalized_tx_set_hash(tx_set)) == line.at("hash").get<std::string>());
  }
  CHECK((lines.empty() || lines.size() == 220));
}

TEST_CASE("flood and full hashes are those of the whole bytes", "[hashes]") {
  for (const auto& line : test::load_messages()) {
    const Bytes xdr = test::base64_of(line, "xdr");
    CHECK(hex_of(wire::flood_hash(xdr)) == line.at("blake2b_256").get<std::string>());
    CHECK(hex_of(wire::tx_full_hash(xdr)) == line.at("sha256").get<std::string>());
    CHECK(hex_of(wire::quorum_set_hash(xdr)) == line.at("sha256").get<std::string>());
  }
}

TEST_CASE("a v0 envelope is hashed as its v1 form, with and without time bounds", "[hashes]") {
  const Bytes key(32, 0x22);
  for (const bool has_time_bounds : {false, true}) {
    xdr::Writer rest;
    rest.u32(100).u64(7).u32(has_time_bounds ? 1 : 0);
    if (has_time_bounds) rest.u64(1).u64(2);
    rest.u32(1).text("hello").u32(1).u32(0).u32(9).u32(0);  // memo, one INFLATION, ext
    const Bytes v0 = xdr::Writer().u32(0).fixed(key).fixed(rest.bytes()).u32(0).take();
    const Bytes v1 = xdr::Writer().u32(2).u32(0).fixed(key).fixed(rest.bytes()).u32(0).take();
    REQUIRE(xdr::validate(xdr::Type::kTransactionEnvelope, v0).ok());
    REQUIRE(xdr::validate(xdr::Type::kTransactionEnvelope, v1).ok());
    CHECK(wire::tx_hash(v0, data_network()) == wire::tx_hash(v1, data_network()));
    CHECK(wire::tx_full_hash(v0) != wire::tx_full_hash(v1));
  }
}

TEST_CASE("signatures change the full hash and not the transaction's", "[hashes]") {
  xdr::Writer body;
  body.u32(2).u32(0).fixed(Bytes(32)).u32(100).u64(7).u32(0).u32(0).u32(0).u32(0);
  const Bytes unsigned_tx = xdr::Writer().fixed(body.bytes()).u32(0).take();
  const Bytes signed_tx = xdr::Writer().fixed(body.bytes()).u32(1).u32(5).variable(Bytes(64)).take();
  REQUIRE(xdr::validate(xdr::Type::kTransactionEnvelope, signed_tx).ok());
  CHECK(wire::tx_hash(unsigned_tx, data_network()) == wire::tx_hash(signed_tx, data_network()));
  CHECK(wire::tx_full_hash(unsigned_tx) != wire::tx_full_hash(signed_tx));
  CHECK(wire::tx_hash(unsigned_tx, data_network()) != wire::tx_hash(unsigned_tx, NetworkId{}));
}

TEST_CASE("a legacy tx set is hashed without the count of its envelopes", "[hashes]") {
  const Bytes transaction =
      xdr::Writer().u32(2).u32(0).fixed(Bytes(32)).u32(100).u64(7).u32(0).u32(0).u32(0).u32(0).u32(0).take();
  const Bytes previous(32, 0x33);
  const Bytes tx_set = xdr::Writer().fixed(previous).u32(2).fixed(transaction).fixed(transaction).take();
  REQUIRE(xdr::validate(xdr::Type::kTransactionSet, tx_set).ok());
  const Bytes hashed = xdr::Writer().fixed(previous).fixed(transaction).fixed(transaction).take();
  CHECK(wire::tx_set_hash(tx_set).bytes == crypto::sha256(hashed));
  const Bytes empty = xdr::Writer().fixed(previous).u32(0).take();
  CHECK(wire::tx_set_hash(empty).bytes == crypto::sha256(previous));
}
