// What `overlayctl generate` makes is valid, signed, unlike each other and repeatable.
#include "ipc/ctl/generate.h"

#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "core/crypto/keys.h"
#include "core/crypto/strkey.h"
#include "core/wire/hashes.h"
#include "core/wire/message.h"
#include "core/wire/values.h"
#include "core/xdr/reader.h"
#include "core/xdr/validate.h"
#include "ipc/ctl/xdr_input.h"

using namespace overlayd;
using namespace overlayd::ipc::ctl;

namespace {

const std::string kPassphrase = "a network for generated things";

NetworkId network() { return crypto::network_id(kPassphrase); }

std::string generated(GenerateOptions options) {
  options.network = kPassphrase;
  std::ostringstream out;
  REQUIRE(generate(options, out).ok());
  return out.str();
}

std::vector<nlohmann::json> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

Bytes envelope_of(const nlohmann::json& line) { return from_base64(line["envelope"].get<std::string>()).value(); }

// The last signature of an envelope: 4 bytes of hint, 4 of length, 64 of signature.
struct LastSignature {
  ByteView hint, signature;
};
LastSignature last_signature(const Bytes& envelope) {
  const ByteView tail = ByteView(envelope).last(72);
  return {tail.first(4), tail.last(64)};
}

}  // namespace

TEST_CASE("generated transactions are canonical XDR with the transaction hash beside them", "[generate]") {
  std::set<std::string> hashes;
  for (const auto& line : lines_of(generated({.count = 500, .seed = 11}))) {
    const Bytes envelope = envelope_of(line);
    INFO(line["kind"]);
    const auto validation = xdr::validate(xdr::Type::kTransactionEnvelope, envelope);
    INFO(validation.text());
    REQUIRE(validation.ok());
    REQUIRE(to_hex(wire::tx_hash(envelope, network()).view()) == line["hash"]);
    hashes.insert(line["hash"]);
  }
  REQUIRE(hashes.size() == 500);
}

TEST_CASE("generated transactions are signed over their hash by the source they begin with", "[generate]") {
  for (const auto& line : lines_of(generated({.count = 300, .seed = 12}))) {
    const Bytes envelope = envelope_of(line);
    INFO(line["kind"]);
    // Types 2 and 5 have a key type before the source's key, type 0 has not.
    const std::size_t at = xdr::Reader(envelope).u32() == 0 ? 4 : 8;
    NodeId source = NodeId::from(ByteView(envelope).subspan(at).first<32>());
    const auto hash = from_hex(line["hash"].get<std::string>()).value();
    const auto [hint, signature] = last_signature(envelope);
    // A transaction with operations of another source has that one's signature last: then the one before is the
    // source's.
    const bool is_last = std::equal(hint.begin(), hint.end(), source.bytes.end() - 4);
    const ByteView own = is_last ? signature : ByteView(envelope).last(72 * 2).first(72).last(64);
    REQUIRE(crypto::verify(source, hash, own));
    // The test can fail: another hash does not verify.
    REQUIRE_FALSE(crypto::verify(source, ByteView(envelope).first(32), own));
  }
}

TEST_CASE("generated transactions begin with one of each kind and span the promised sizes", "[generate]") {
  const auto lines = lines_of(generated({.count = 2000, .seed = 13}));
  std::map<std::string, std::size_t> counts;
  std::size_t smallest = SIZE_MAX;
  std::size_t largest = 0;
  for (const auto& line : lines) {
    ++counts[line["kind"]];
    smallest = std::min(smallest, envelope_of(line).size());
    largest = std::max(largest, envelope_of(line).size());
  }
  for (std::size_t i = 0; i < kTransactionKinds.size(); ++i) {
    REQUIRE(lines[i]["kind"] == kTransactionKinds[i].name);
    REQUIRE(counts[std::string(kTransactionKinds[i].name)] >= 10);
  }
  REQUIRE(smallest < 220);
  REQUIRE(largest > 15 * 1024);
  REQUIRE(largest <= 20 * 1024);
}

TEST_CASE("the same seed generates the same bytes, another seed or network others", "[generate]") {
  for (const bool is_scp : {false, true}) {
    const std::string first = generated({.is_scp = is_scp, .count = 30, .seed = 5});
    REQUIRE(first == generated({.is_scp = is_scp, .count = 30, .seed = 5}));
    REQUIRE(first != generated({.is_scp = is_scp, .count = 30, .seed = 6}));
    std::ostringstream other;
    REQUIRE(generate({.is_scp = is_scp, .count = 30, .seed = 5, .network = "another"}, other).ok());
    REQUIRE(first != other.str());
  }
}

TEST_CASE("a longer run begins with the shorter one", "[generate]") {
  const std::string small = generated({.count = 20, .seed = 5});
  REQUIRE(generated({.count = 40, .seed = 5}).substr(0, small.size()) == small);
}

TEST_CASE("generated SCP envelopes are canonical XDR signed over network id, type and statement", "[generate]") {
  const auto lines = lines_of(generated({.is_scp = true, .count = 200, .seed = 21, .first_slot = 900, .nodes = 8}));
  std::set<std::pair<std::uint64_t, std::string>> places;
  std::map<std::string, int> statements;
  for (const auto& line : lines) {
    const Bytes envelope = envelope_of(line);
    INFO(line["statement"]);
    REQUIRE(xdr::validate(xdr::Type::kScpEnvelope, envelope).ok());
    const NodeId node = NodeId::from(ByteView(envelope).subspan(4).first<32>());
    REQUIRE(crypto::encode_node_id(node) == line["node"]);
    const ByteView statement = ByteView(envelope).first(envelope.size() - 68);
    xdr::Writer to_sign;
    to_sign.fixed(network().view()).u32(1).fixed(statement);
    REQUIRE(crypto::verify(node, to_sign.bytes(), ByteView(envelope).last(64)));
    const Bytes message = wire::wrap(wire::MessageType::kScpMessage, envelope);
    REQUIRE(to_hex(wire::flood_hash(message).view()) == line["hash"]);
    ++statements[line["statement"]];
    places.insert({line["slot"].get<std::uint64_t>(), line["node"]});
  }
  REQUIRE(statements.size() == 4);
  REQUIRE(places.size() == lines.size());  // no envelope supersedes another
  REQUIRE(places.begin()->first == 900);
}

TEST_CASE("values in generated externalize statements are signed StellarValues", "[generate]") {
  for (const auto& line : lines_of(generated({.is_scp = true, .count = 64, .seed = 22}))) {
    if (line["statement"] != "externalize") continue;
    const Bytes envelope = envelope_of(line);
    const ByteView ballot = ByteView(envelope).subspan(4 + 32 + 8 + 4);
    const std::size_t value_bytes = xdr::Reader(ballot.subspan(4)).u32();
    const ByteView value = ballot.subspan(8, value_bytes);
    REQUIRE(xdr::validate(xdr::Type::kStellarValue, value).ok());
    const NodeId signer = NodeId::from(value.last(64 + 4 + 32).first<32>());
    xdr::Writer to_sign;
    to_sign.fixed(network().view()).u32(4).fixed(value.first(40));
    REQUIRE(crypto::verify(signer, to_sign.bytes(), value.last(64)));
  }
}

TEST_CASE("the three output forms carry the same envelopes", "[generate]") {
  const auto lines = lines_of(generated({.count = 25, .seed = 3}));
  for (const OutputForm form : {OutputForm::kBase64, OutputForm::kXdr}) {
    std::istringstream in(generated({.count = 25, .seed = 3, .form = form}));
    XdrInput input(in, "test");
    for (const auto& line : lines) {
      const auto item = input.next();
      REQUIRE(item.has_value());
      REQUIRE(item->bytes.value() == envelope_of(line));
    }
    REQUIRE_FALSE(input.next().has_value());
  }
}

TEST_CASE("generate refuses a number of nodes it cannot make", "[generate]") {
  std::ostringstream out;
  REQUIRE_FALSE(generate({.is_scp = true, .count = 1, .network = "n", .nodes = 0}, out).ok());
  REQUIRE_FALSE(generate({.is_scp = true, .count = 1, .network = "n", .nodes = kScpNodesMax + 1}, out).ok());
  REQUIRE_FALSE(generate({.count = kGenerateCountMax + 1, .network = "n"}, out).ok());
  REQUIRE(out.str().empty());
}
