#include "core/xdr/json.h"

#include <algorithm>

#include "core/xdr/validate.h"
#include "core/xdr/writer.h"
#include "tests/unit/xdr_vectors.h"

using namespace overlayd;
using namespace overlayd::xdr;

namespace {

std::string json_of(std::string_view type, const Bytes& bytes) { return to_json(*find_type(type), bytes); }

}  // namespace

TEST_CASE("messages have the JSON shape of stellar-xdr", "[xdr_json]") {
  CHECK(to_json(Type::kStellarMessage, Writer().u32(0).u32(4).text("a\"b\\c\n\x01").take()) ==
        R"({"error_msg":{"code":"load","msg":"a\"b\\\\c\\n\\x01"}})");
  CHECK(to_json(Type::kStellarMessage, Writer().u32(2).i32(-200).take()) == R"({"auth":{"flags":-200}})");
  CHECK(to_json(Type::kStellarMessage, Writer().u32(12).u32(9).take()) == R"({"get_scp_state":9})");
  CHECK(
      to_json(Type::kStellarMessage, Writer().u32(3).u32(11).fixed(std::array<std::uint8_t, 32>{0xab}).take()) ==
      R"({"dont_have":{"type_":"scp_message","req_hash":"ab00000000000000000000000000000000000000000000000000000000000000"}})");
  CHECK(
      to_json(Type::kStellarMessage, Writer().u32(5).u32(1).u32(0).fixed(Bytes{1, 2, 3, 4}).u32(11625).u32(0).take()) ==
      R"({"peers":[{"ip":{"i_pv4":[1,2,3,4]},"port":11625,"num_failures":0}]})");
}

TEST_CASE("64-bit integers are decimal strings, absent values null, void arms their names", "[xdr_json]") {
  CHECK(json_of("SCVal", Writer().u32(5).u64(~std::uint64_t{0}).take()) == R"({"u64":"18446744073709551615"})");
  CHECK(json_of("SCVal", Writer().u32(6).u64(~std::uint64_t{0}).take()) == R"({"i64":"-1"})");
  CHECK(json_of("SCVal", Writer().u32(1).take()) == R"("void")");
  CHECK(json_of("SCVal", Writer().u32(16).u32(0).take()) == R"({"vec":null})");
  CHECK(json_of("SCVal", Writer().u32(16).u32(1).u32(2).u32(0).u32(1).u32(1).take()) ==
        R"({"vec":[{"bool":true},"void"]})");
  CHECK(json_of("SCVal", Writer().u32(13).variable(Bytes{1, 0xff}).take()) == R"({"bytes":"01ff"})");
  CHECK(
      json_of("GeneralizedTransactionSet", Writer().u32(1).fixed(Bytes(32)).u32(0).take()) ==
      R"({"v1":{"previous_ledger_hash":"0000000000000000000000000000000000000000000000000000000000000000","phases":[]}})");
}

TEST_CASE("keys are what the caller makes of them, asset codes are text", "[xdr_json]") {
  const Bytes account = Writer().u32(0).fixed(Bytes(32, 0x11)).take();
  CHECK(json_of("AccountID", account) == R"("1111111111111111111111111111111111111111111111111111111111111111")");
  const JsonOptions options{.key_text = [](ByteView key) { return std::string(key.size() == 32 ? "G..." : ""); }};
  CHECK(to_json(*find_type("AccountID"), account, options) == R"("G...")");
  CHECK(json_of("AssetCode", Writer().u32(1).fixed(Bytes{'U', 'S', 'D', 0}).take()) == R"("USD")");
  CHECK(json_of("AssetCode12", Bytes{'A', 'B', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) == R"("AB\\0\\0\\0")");
}

TEST_CASE("enumerators lose the words they share", "[xdr_json]") {
  const auto name = [](std::string_view type, std::int32_t value) { return json_name(*find_type(type), value); };
  CHECK(name("AssetType", 2) == "credit_alphanum12");
  CHECK(name("MessageType", 17) == "generalized_tx_set");
  CHECK(name("ConfigSettingID", 7) == "contract_cost_params_memory_bytes");
  CHECK(name("ClaimantType", 0) == "claimant_type_v0");
  CHECK(name("CryptoKeyType", 256) == "muxed_ed25519");
  CHECK(name("TransactionPhase", 1) == "v1");
  CHECK(name("TransactionPhase", 2).empty());
  CHECK(name("AssetType", 9).empty());
}

TEST_CASE("every reference message becomes JSON that names its type", "[xdr_json]") {
  for (const auto& line : test::load_messages()) {
    const std::string text = to_json(Type::kStellarMessage, test::base64_of(line, "xdr"));
    const auto json = nlohmann::json::parse(text);
    REQUIRE(json.is_object());
    CHECK(json.begin().key() == line.at("type").get<std::string>());
  }
}

TEST_CASE("what is not valid has no JSON", "[xdr_json]") {
  CHECK(to_json(Type::kStellarMessage, {}).empty());
  CHECK(to_json(Type::kStellarMessage, Bytes{0, 0, 0, 12, 0, 0}).empty());
}

TEST_CASE("the deepest valid value becomes JSON", "[xdr_json]") {
  Writer writer;
  for (int i = 0; i < 124; ++i) writer.u32(16).u32(1).u32(1);
  const std::string text = json_of("SCVal", writer.u32(1).take());
  CHECK(std::count(text.begin(), text.end(), '[') == 124);
}

TEST_CASE("the dictionary and the list of types cover the schema", "[xdr_json]") {
  const auto names = type_names();
  CHECK(std::find(names.begin(), names.end(), "SCPNomination") != names.end());
  CHECK(std::find(names.begin(), names.end(), "ParallelTxsComponent") != names.end());
  const std::string dictionary = fuzz_dictionary();
  CHECK(dictionary.find("SCV_MAP=\"\\x00\\x00\\x00\\x11\"\n") != std::string::npos);
  CHECK(dictionary.find("over_1000=\"\\x00\\x00\\x03\\xe9\"\n") != std::string::npos);
}
