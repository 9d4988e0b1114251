#include "core/xdr/schema.h"

#include <catch2/catch.hpp>
#include <set>

#include "core/xdr/json.h"
#include "core/xdr/program.h"

using namespace overlayd;
using namespace overlayd::xdr;

TEST_CASE("the roots carry the names of Stellar's files", "[xdr_schema]") {
  CHECK(type_name(Type::kStellarMessage) == "StellarMessage");
  CHECK(type_name(Type::kAuthenticatedMessage) == "AuthenticatedMessage");
  CHECK(type_name(Type::kScpQuorumSet) == "SCPQuorumSet");
  CHECK(type_name(Type::kTopologyResponseBodyV2) == "TopologyResponseBodyV2");
  CHECK(type_name(Type::kMuxedAccount) == "MuxedAccount");
  CHECK(find_type("SCVal").has_value());
  CHECK_FALSE(find_type("ScVal").has_value());
}

TEST_CASE("a message has 21 types, an operation 27, a value of a contract 22", "[xdr_schema]") {
  const Schema& schema = Schema::get();
  CHECK(schema.info(Type::kStellarMessage).cases.size() == 21);
  CHECK(schema.info(*find_type("Operation.body")).cases.size() == 27);
  CHECK(schema.info(*find_type("SCVal")).cases.size() == 22);
  CHECK(schema.info(*find_type("StellarValue.ext")).cases.size() == 3);
}

TEST_CASE("every discriminant of a union is an enumerator of its enum, once", "[xdr_schema]") {
  const Schema& schema = Schema::get();
  for (std::size_t i = 0; i < schema.size(); ++i) {
    const TypeInfo& info = schema.info(static_cast<Type>(i));
    if (info.kind != Kind::kUnion) continue;
    const TypeInfo& discriminant = schema.info(info.element);
    std::set<std::int32_t> seen;
    for (const UnionCase& c : info.cases) {
      INFO(info.name << " case " << c.value);
      CHECK(seen.insert(c.value).second);
      CHECK(c.arm < info.fields.size());
      if (discriminant.kind == Kind::kEnum) CHECK_FALSE(json_name(info.element, c.value).empty());
    }
  }
}

TEST_CASE("bounds are those of the protocol", "[xdr_schema]") {
  const Schema& schema = Schema::get();
  const auto size = [&](std::string_view name) {
    const auto type = find_type(name);
    REQUIRE(type.has_value());
    const TypeInfo& info = schema.info(*type);
    return info.kind == Kind::kNewtype ? schema.info(info.element).size : info.size;
  };
  CHECK(size("Hello.versionStr") == 100);
  CHECK(size("Error.msg") == 100);
  CHECK(size("StellarMessage.peers") == 100);
  CHECK(size("TxAdvertVector") == 1000);
  CHECK(size("TxDemandVector") == 1000);
  CHECK(size("EncryptedBody") == 64000);
  CHECK(size("SCSymbol") == 32);
  CHECK(size("string64") == 64);
  CHECK(size("Signature") == 64);
  CHECK(size("UpgradeType") == 128);
  CHECK(size("Transaction.operations") == 100);
  CHECK(size("TransactionV1Envelope.signatures") == 20);
  CHECK(size("DependentTxCluster") == 0xffffffff);
}

TEST_CASE("every nested type has the path of its field for a name", "[xdr_schema]") {
  const Schema& schema = Schema::get();
  for (std::size_t i = 0; i < schema.size(); ++i) {
    const std::string& name = schema.info(static_cast<Type>(i)).name;
    INFO(name);
    CHECK(name.find("..") == std::string::npos);
    CHECK_FALSE(name.ends_with('.'));
    CHECK_FALSE(name.starts_with('.'));
  }
  CHECK(find_type("SCPStatement.pledges.prepare").has_value());
}

TEST_CASE("a run of plain fields is one step of the program", "[xdr_schema]") {
  // TimeBounds is two integers: nothing but its end, 16 bytes on.
  const Program& program = Program::get();
  const Instruction& first = program.code()[program.entry(Type::kTimeBounds).code];
  CHECK(first.op == Op::kReturn);
  CHECK(first.skip == 16);
}
