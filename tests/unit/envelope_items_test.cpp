#include "core/fetch/envelope_items.h"

#include <nlohmann/json.hpp>
#include <set>

#include "core/wire/message.h"
#include "core/xdr/writer.h"
#include "tests/support/messages.h"
#include "tests/unit/xdr_vectors.h"

namespace overlayd::fetch {
namespace {

constexpr std::uint64_t kQuorumSet = 500;

ItemHash hash(std::uint64_t number) { return {test::make_full_hash(number).bytes}; }

// A StellarValue of any of its three forms.
Bytes value(std::uint64_t tx_set, std::uint32_t form = 0) {
  xdr::Writer writer;
  writer.fixed(hash(tx_set).bytes).u64(9).u32(0).u32(form);
  if (form == 2) writer.fixed(hash(tx_set + 1).bytes).fixed(hash(1).bytes).u32(28);
  if (form != 0) writer.public_key(test::make_node(1).bytes).variable(Bytes(64));
  return writer.take();
}

struct Statement {
  xdr::ScpStatementType type;
  std::vector<Bytes> values;         // of NOMINATE: the votes
  std::vector<Bytes> accepted = {};  // of NOMINATE
};

Bytes envelope_of(const Statement& statement) {
  const ItemHash named = hash(kQuorumSet);
  const Bytes quorum_set(named.bytes.begin(), named.bytes.end());
  xdr::Writer writer;
  writer.public_key(test::make_node(1).bytes).u64(7).u32(static_cast<std::uint32_t>(statement.type));
  switch (statement.type) {
    case xdr::ScpStatementType::kPrepare:
      writer.fixed(hash(kQuorumSet).bytes).u32(3).variable(statement.values[0]);
      for (std::size_t i = 1; i < 3; ++i) {
        writer.u32(i < statement.values.size() ? 1 : 0);
        if (i < statement.values.size()) writer.u32(2).variable(statement.values[i]);
      }
      writer.u32(0).u32(0);
      break;
    case xdr::ScpStatementType::kConfirm:
      writer.u32(3).variable(statement.values[0]).u32(1).u32(1).u32(1).fixed(hash(kQuorumSet).bytes);
      break;
    case xdr::ScpStatementType::kExternalize:
      writer.u32(3).variable(statement.values[0]).u32(1).fixed(hash(kQuorumSet).bytes);
      break;
    case xdr::ScpStatementType::kNominate:
      writer.fixed(hash(kQuorumSet).bytes);
      for (const auto* list : {&statement.values, &statement.accepted}) {
        writer.u32(static_cast<std::uint32_t>(list->size()));
        for (const Bytes& one : *list) writer.variable(one);
      }
      break;
  }
  return writer.variable(Bytes(64)).take();
}

std::optional<std::vector<ItemId>> items(const Statement& statement) {
  const Bytes bytes = envelope_of(statement);
  const auto envelope = xdr::read_scp_envelope(bytes);
  REQUIRE(envelope.has_value());
  return items_of(*envelope);
}

// The quorum set and these.
std::vector<ItemId> expected(const std::vector<std::uint64_t>& tx_sets) {
  std::vector<ItemId> ids{{ItemKind::kQuorumSet, hash(kQuorumSet)}};
  for (const std::uint64_t number : tx_sets) ids.push_back({ItemKind::kTxSet, hash(number)});
  return ids;
}

using Type = xdr::ScpStatementType;

TEST_CASE("every statement names its quorum set and the transaction sets of its values", "[envelope_items]") {
  CHECK(items({Type::kPrepare, {value(1)}}) == expected({1}));
  CHECK(items({Type::kPrepare, {value(1), value(2)}}) == expected({1, 2}));
  CHECK(items({Type::kPrepare, {value(3), value(2), value(1)}}) == expected({3, 2, 1}));
  CHECK(items({Type::kConfirm, {value(4)}}) == expected({4}));
  CHECK(items({Type::kExternalize, {value(5)}}) == expected({5}));
  CHECK(items({Type::kNominate, {value(2), value(1)}, {value(3)}}) == expected({2, 1, 3}));
  CHECK(items({Type::kNominate, {}, {}}) == expected({}));
}

TEST_CASE("a value for an empty transaction set needs none, the other two forms do", "[envelope_items]") {
  CHECK(items({Type::kExternalize, {value(1, 0)}}) == expected({1}));
  CHECK(items({Type::kExternalize, {value(1, 1)}}) == expected({1}));
  CHECK(items({Type::kExternalize, {value(1, 2)}}) == expected({}));
  CHECK(items({Type::kNominate, {value(1, 2), value(2, 1)}, {value(3, 2)}}) == expected({2}));
}

TEST_CASE("what is named twice is listed once", "[envelope_items]") {
  CHECK(items({Type::kPrepare, {value(1), value(1), value(1, 1)}}) == expected({1}));
  CHECK(items({Type::kNominate, {value(1), value(2), value(1)}, {value(2), value(3)}}) == expected({1, 2, 3}));
}

TEST_CASE("a value that does not decode makes the envelope useless, wherever it stands", "[envelope_items]") {
  const Bytes garbage(12);
  Bytes longer = value(1);
  longer.resize(longer.size() + 4);
  Bytes unknown = value(1);
  unknown.back() = 3;
  for (const Bytes& bad : {garbage, longer, unknown, Bytes{}}) {
    CHECK_FALSE(items({Type::kPrepare, {bad}}));
    CHECK_FALSE(items({Type::kPrepare, {value(1), bad}}));
    CHECK_FALSE(items({Type::kPrepare, {value(1), value(2), bad}}));
    CHECK_FALSE(items({Type::kConfirm, {bad}}));
    CHECK_FALSE(items({Type::kExternalize, {bad}}));
    CHECK_FALSE(items({Type::kNominate, {bad, value(1)}, {}}));
    CHECK_FALSE(items({Type::kNominate, {value(1)}, {value(2), bad}}));
  }
}

TEST_CASE("an envelope that names thousands of sets gives each, however their hashes are chosen", "[envelope_items]") {
  std::vector<Bytes> votes;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    Bytes vote = value(1);
    std::fill_n(vote.begin(), 32, std::uint8_t{9});
    vote[0] = static_cast<std::uint8_t>(i >> 8);
    vote[1] = static_cast<std::uint8_t>(i);
    votes.push_back(std::move(vote));
  }
  const auto named = items({Type::kNominate, votes, votes});
  REQUIRE(named.has_value());
  CHECK(named->size() == 4001);
  CHECK(std::set<ItemId>(named->begin(), named->end()).size() == 4001);
}

// The reference envelopes' values are random bytes: all but a few are garbage, and must be told so.
TEST_CASE("the reference envelopes give what their bytes say", "[envelope_items]") {
  std::size_t seen = 0;
  for (const auto& line : test::load_messages()) {
    if (line.at("type") != "scp_message") continue;
    const Bytes bytes = test::base64_of(line, "xdr");
    const auto envelope = xdr::read_scp_envelope(ByteView(bytes).subspan(4));
    REQUIRE(envelope.has_value());
    ++seen;
    std::vector<ItemId> wanted{{ItemKind::kQuorumSet, envelope->quorum_set_hash}};
    bool is_good = true;
    envelope->for_each_value([&](ByteView one) {
      const auto read = xdr::read_stellar_value(one);
      is_good = is_good && read.has_value();
      if (read && read->needs_tx_set()) wanted.push_back({ItemKind::kTxSet, read->tx_set_hash});
    });
    const auto found = items_of(*envelope);
    CHECK(found.has_value() == is_good);
    if (found) CHECK(*found == wanted);
  }
  CHECK(seen > 0);
}

}  // namespace
}  // namespace overlayd::fetch
