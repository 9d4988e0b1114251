#include "core/xdr/view.h"

#include <set>

#include "core/xdr/validate.h"
#include "core/xdr/writer.h"
#include "tests/unit/xdr_vectors.h"

using namespace overlayd;
using namespace overlayd::xdr;

namespace {

constexpr std::array<std::uint8_t, 32> kZeros{};

struct Ballot {
  std::uint32_t counter = 0;
  std::string value;
};

Writer start(std::uint32_t type, std::uint64_t slot = 7, std::uint8_t node = 1) {
  Writer writer;
  std::array<std::uint8_t, 32> key{};
  key[0] = node;
  writer.public_key(key).u64(slot).u32(type);
  return writer;
}

Bytes sign(Writer writer) {
  writer.variable(Bytes(64, 5));
  Bytes envelope = writer.take();
  REQUIRE(validate(Type::kScpEnvelope, envelope).ok());
  return envelope;
}

void put(Writer& writer, const Ballot& ballot) { writer.u32(ballot.counter).text(ballot.value); }

void put(Writer& writer, const std::optional<Ballot>& ballot) {
  writer.u32(ballot ? 1 : 0);
  if (ballot) put(writer, *ballot);
}

Bytes prepare(const Ballot& ballot, const std::optional<Ballot>& prepared = {}, const std::optional<Ballot>& prime = {},
              std::uint32_t high = 0) {
  Writer writer = start(0);
  writer.fixed(kZeros);
  put(writer, ballot);
  put(writer, prepared);
  put(writer, prime);
  writer.u32(11).u32(high);
  return sign(std::move(writer));
}

Bytes confirm(const Ballot& ballot, std::uint32_t prepared, std::uint32_t high) {
  Writer writer = start(1);
  put(writer, ballot);
  writer.u32(prepared).u32(12).u32(high).fixed(kZeros);
  return sign(std::move(writer));
}

Bytes externalize(const Ballot& commit, std::uint32_t high) {
  Writer writer = start(2);
  put(writer, commit);
  writer.u32(high).fixed(kZeros);
  return sign(std::move(writer));
}

Bytes nominate(const std::vector<std::string>& votes, const std::vector<std::string>& accepted, std::uint64_t slot = 7,
               std::uint8_t node = 1) {
  Writer writer = start(3, slot, node);
  writer.fixed(kZeros);
  for (const auto* list : {&votes, &accepted}) {
    writer.u32(static_cast<std::uint32_t>(list->size()));
    for (const std::string& value : *list) writer.text(value);
  }
  return sign(std::move(writer));
}

// The bytes must outlive the comparison.
bool supersedes(const Bytes& candidate, const Bytes& old) {
  const auto a = read_scp_envelope(old);
  const auto b = read_scp_envelope(candidate);
  REQUIRE((a.has_value() && b.has_value()));
  return is_newer_statement(*a, *b);
}

std::vector<std::string> values_of(const Bytes& envelope) {
  const auto view = read_scp_envelope(envelope);
  REQUIRE(view.has_value());
  std::vector<std::string> values;
  view->for_each_value([&](ByteView value) { values.emplace_back(value.begin(), value.end()); });
  return values;
}

}  // namespace

TEST_CASE("an envelope's view names node, slot, type, quorum set and what is signed", "[xdr_view]") {
  const Bytes bytes = externalize({3, "value"}, 4);
  const auto view = read_scp_envelope(bytes);
  REQUIRE(view.has_value());
  CHECK(view->node.bytes[0] == 1);
  CHECK(view->slot == 7);
  CHECK(view->type == ScpStatementType::kExternalize);
  CHECK(view->ballot.counter == 3);
  CHECK(view->high_counter == 4);
  CHECK(view->quorum_set_hash.is_zero());
  CHECK(view->signature.size() == 64);
  CHECK(skip(Type::kScpStatement, bytes) == view->statement.size());
}

TEST_CASE("a statement names all its values", "[xdr_view]") {
  CHECK(values_of(nominate({"a", "bcdef"}, {"", "b"})) == std::vector<std::string>{"a", "bcdef", "", "b"});
  CHECK(values_of(prepare({1, "x"})) == std::vector<std::string>{"x"});
  CHECK(values_of(prepare({1, "x"}, Ballot{1, "y"}, Ballot{1, "z"})) == std::vector<std::string>{"x", "y", "z"});
  CHECK(values_of(confirm({1, "x"}, 1, 1)) == std::vector<std::string>{"x"});
  CHECK(values_of(externalize({1, "x"}, 1)) == std::vector<std::string>{"x"});
}

TEST_CASE("every reference envelope has a view, and no cut one", "[xdr_view]") {
  std::size_t envelopes = 0;
  for (const auto& line : test::load_messages()) {
    if (line.at("type") != "scp_message") continue;
    ++envelopes;
    const Bytes message = test::base64_of(line, "xdr");
    const ByteView envelope = ByteView(message).subspan(4);
    const auto view = read_scp_envelope(envelope);
    REQUIRE(view.has_value());
    CHECK(skip(Type::kScpStatement, envelope) == view->statement.size());
    for (std::size_t size = 0; size < envelope.size(); ++size) CHECK_FALSE(read_scp_envelope(envelope.first(size)));
  }
  CHECK(envelopes > 0);
}

TEST_CASE("statements of other nodes, slots or protocols never supersede", "[xdr_view]") {
  const Bytes old = nominate({"a"}, {});
  CHECK(supersedes(nominate({"a", "b"}, {}), old));
  CHECK_FALSE(supersedes(nominate({"a", "b"}, {}, 8), old));
  CHECK_FALSE(supersedes(nominate({"a", "b"}, {}, 7, 2), old));
  CHECK_FALSE(supersedes(prepare({1, "a"}), old));
  CHECK_FALSE(supersedes(old, prepare({1, "a"})));
}

TEST_CASE("a nomination supersedes if it lost nothing and grew", "[xdr_view]") {
  const Bytes old = nominate({"a", "c"}, {"c"});
  CHECK(supersedes(nominate({"a", "b", "c"}, {"c"}), old));
  CHECK(supersedes(nominate({"a", "c"}, {"b", "c"}), old));
  CHECK_FALSE(supersedes(old, old));
  CHECK_FALSE(supersedes(nominate({"a", "b"}, {"c"}), old));
  CHECK_FALSE(supersedes(nominate({"a", "b", "d"}, {"c"}), old));
  CHECK_FALSE(supersedes(nominate({"a", "b", "c"}, {}), old));
  CHECK_FALSE(supersedes(nominate({"a"}, {"c"}), old));
}

TEST_CASE("ballot statements are ordered by type first", "[xdr_view]") {
  CHECK(supersedes(confirm({1, "a"}, 0, 0), prepare({9, "z"})));
  CHECK(supersedes(externalize({1, "a"}, 0), confirm({9, "z"}, 9, 9)));
  CHECK_FALSE(supersedes(prepare({9, "z"}), confirm({1, "a"}, 0, 0)));
  CHECK_FALSE(supersedes(externalize({9, "z"}, 9), externalize({1, "a"}, 1)));
}

TEST_CASE("PREPAREs are ordered by ballot, prepared, preparedPrime and nH", "[xdr_view]") {
  const Bytes old = prepare({2, "m"}, Ballot{1, "m"}, Ballot{1, "c"}, 5);
  CHECK(supersedes(prepare({3, "a"}), old));
  CHECK(supersedes(prepare({2, "n"}), old));
  CHECK(supersedes(prepare({2, "ma"}), old));
  CHECK_FALSE(supersedes(prepare({2, "l"}, Ballot{9, "z"}), old));
  CHECK(supersedes(prepare({2, "m"}, Ballot{2, "a"}), old));
  CHECK_FALSE(supersedes(prepare({2, "m"}), old));
  CHECK(supersedes(prepare({2, "m"}, Ballot{1, "m"}, Ballot{1, "d"}), old));
  CHECK_FALSE(supersedes(prepare({2, "m"}, Ballot{1, "m"}), old));
  CHECK(supersedes(prepare({2, "m"}, Ballot{1, "m"}, Ballot{1, "c"}, 6), old));
  CHECK_FALSE(supersedes(old, old));
}

TEST_CASE("CONFIRMs are ordered by ballot, nPrepared and nH", "[xdr_view]") {
  const Bytes old = confirm({2, "m"}, 3, 3);
  CHECK(supersedes(confirm({3, "a"}, 0, 0), old));
  CHECK(supersedes(confirm({2, "m"}, 4, 0), old));
  CHECK(supersedes(confirm({2, "m"}, 3, 4), old));
  CHECK_FALSE(supersedes(confirm({2, "m"}, 2, 9), old));
  CHECK_FALSE(supersedes(old, old));
}

TEST_CASE("a value names its tx set unless that is empty by CAP-0083", "[xdr_view]") {
  const auto value = [](std::uint32_t kind) {
    Writer writer;
    writer.fixed(std::array<std::uint8_t, 32>{7}).u64(1234).u32(2).text("upgrade").text("u").u32(kind);
    if (kind == 2) writer.fixed(kZeros).fixed(kZeros).u32(28);
    if (kind >= 1) writer.public_key(kZeros).variable(Bytes(64));
    return writer.take();
  };
  for (const std::uint32_t kind : {0U, 1U, 2U}) {
    const auto view = read_stellar_value(value(kind));
    REQUIRE(view.has_value());
    CHECK(view->tx_set_hash.bytes[0] == 7);
    CHECK(view->close_time == 1234);
    CHECK(static_cast<std::uint32_t>(view->kind) == kind);
    CHECK(view->needs_tx_set() == (kind != 2));
  }
  CHECK_FALSE(read_stellar_value(value(3)));
  Bytes longer = value(0);
  longer.resize(longer.size() + 4);
  CHECK_FALSE(read_stellar_value(longer));
  CHECK_FALSE(read_stellar_value({}));
}

TEST_CASE("a transaction envelope's view splits it into type, transaction and signatures", "[xdr_view]") {
  std::set<EnvelopeKind> kinds;
  for (const auto& line : test::load_messages()) {
    if (line.at("type") != "transaction") continue;
    const Bytes message = test::base64_of(line, "xdr");
    const ByteView envelope = ByteView(message).subspan(4);
    const auto view = read_transaction_envelope(envelope);
    REQUIRE(view.has_value());
    kinds.insert(view->kind);
    CHECK(4 + view->transaction.size() + view->signatures.size() == envelope.size());
    CHECK(view->operation_count() <= 100);
    CHECK_FALSE(read_transaction_envelope(envelope.first(envelope.size() - 4)));
    CHECK_FALSE(read_transaction_envelope(envelope.subspan(8)));
  }
  CHECK(kinds.size() == 3);
}

TEST_CASE("operations are counted in each kind of envelope", "[xdr_view]") {
  const auto inflation = [](Writer& writer) { writer.u32(2).u32(0).u32(9).u32(0).u32(9); };
  Writer v0;
  v0.u32(0).fixed(kZeros).u32(100).u64(1).u32(1).u64(0).u64(0).u32(1).text("memo");
  inflation(v0);
  v0.u32(0).u32(0);
  const Bytes v0_bytes = v0.take();
  REQUIRE(validate(Type::kTransactionEnvelope, v0_bytes).ok());
  CHECK(read_transaction_envelope(v0_bytes)->operation_count() == 2);

  Writer v1;
  v1.u32(2).u32(0x100).u64(5).fixed(kZeros).u32(100).u64(1).u32(0).u32(0);
  inflation(v1);
  v1.u32(0).u32(0);
  const Bytes v1_bytes = v1.take();
  REQUIRE(validate(Type::kTransactionEnvelope, v1_bytes).ok());
  CHECK(read_transaction_envelope(v1_bytes)->operation_count() == 2);

  const Bytes bump = Writer().u32(5).u32(0).fixed(kZeros).u64(200).fixed(v1_bytes).u32(0).u32(0).take();
  REQUIRE(validate(Type::kTransactionEnvelope, bump).ok());
  const auto view = read_transaction_envelope(bump);
  CHECK(view->kind == EnvelopeKind::kFeeBump);
  CHECK(view->operation_count() == 2);
  CHECK(view->signature_count == 0);
}
