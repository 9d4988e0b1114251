// What `overlayctl inspect` tells of any bytes.
#include "ipc/ctl/inspect.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/crypto/keys.h"
#include "core/limits.h"
#include "ipc/ctl/generate.h"

using namespace overlayd;
using namespace overlayd::ipc::ctl;

namespace {

struct Run {
  InspectTotals totals;
  std::vector<nlohmann::json> lines;
};

Run inspected(std::istream& in, InspectOptions options = {}, InputForm form = InputForm::kAuto) {
  options.is_json = true;
  XdrInput input(in, "test", form);
  std::ostringstream out;
  const auto totals = inspect(input, options, out);
  REQUIRE(totals.ok());
  Run run{totals.value(), {}};
  std::istringstream text(out.str());
  for (std::string line; std::getline(text, line);) run.lines.push_back(nlohmann::json::parse(line));
  REQUIRE(run.lines.size() == run.totals.items);
  return run;
}

Run inspected_text(const std::string& text, InspectOptions options = {}, InputForm form = InputForm::kAuto) {
  std::istringstream in(text);
  return inspected(in, options, form);
}

std::string generated(GenerateOptions options) {
  options.network = "net";
  std::ostringstream out;
  REQUIRE(generate(options, out).ok());
  return out.str();
}

std::vector<nlohmann::json> file_lines(const std::string& path) {
  std::ifstream in(path);
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

const std::string kGetScpState = "AAAADAAAAAc=";  // GET_SCP_STATE of ledger 7

}  // namespace

TEST_CASE("every reference message is valid with its size and hashes", "[inspect]") {
  const std::string path = OVERLAYD_TEST_DATA "/vectors/messages.jsonl";
  const auto expected = file_lines(path);
  REQUIRE(expected.size() == 626);
  std::ifstream in(path);
  const Run run = inspected(in);
  REQUIRE(run.totals.items == 626);
  REQUIRE(run.totals.invalid == 0);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO(run.lines[i].dump());
    REQUIRE(run.lines[i]["index"] == i);
    for (const char* field : {"size", "blake2b_256", "sha256"}) REQUIRE(run.lines[i][field] == expected[i][field]);
    REQUIRE_FALSE(run.lines[i].contains("error"));
  }
}

TEST_CASE("the type of a message is its protocol name", "[inspect]") {
  REQUIRE(inspected_text(kGetScpState).lines[0]["type"] == "GET_SCP_STATE");
  const auto envelopes = generated({.count = 1, .seed = 1});
  REQUIRE(inspected_text(envelopes, {.type = xdr::Type::kTransactionEnvelope}).lines[0]["type"] ==
          "TransactionEnvelope");
}

TEST_CASE("every malformed reference message has an error", "[inspect]") {
  std::ifstream in(OVERLAYD_TEST_DATA "/vectors/malformed.jsonl");
  const Run run = inspected(in);
  REQUIRE(run.totals.items == 863);
  REQUIRE(run.totals.invalid == 863);
  for (const auto& line : run.lines) REQUIRE_FALSE(line["error"].get<std::string>().empty());
}

TEST_CASE("an error names the byte and the field", "[inspect]") {
  const std::string error = inspected_text("AAAADAAAAAcAAAAA").lines[0]["error"];  // four bytes left over
  INFO(error);
  REQUIRE(error.find("byte 8") != std::string::npos);
  REQUIRE(error.find("StellarMessage") != std::string::npos);
}

TEST_CASE("the transaction hash is told for the network that is named, and only then", "[inspect]") {
  const std::string text = generated({.count = 40, .seed = 2});
  std::istringstream lines(text);
  const Run run = inspected_text(text, {.type = xdr::Type::kTransactionEnvelope, .network = crypto::network_id("net")});
  REQUIRE(run.totals.invalid == 0);
  std::size_t i = 0;
  for (std::string line; std::getline(lines, line); ++i)
    REQUIRE(run.lines[i]["tx_hash"] == nlohmann::json::parse(line)["hash"]);
  const Run without = inspected_text(text, {.type = xdr::Type::kTransactionEnvelope});
  REQUIRE_FALSE(without.lines[0].contains("tx_hash"));
}

TEST_CASE("a record-marked stream, base64 lines and JSON lines read alike", "[inspect]") {
  const InspectOptions options{.type = xdr::Type::kScpEnvelope};
  const Run json = inspected_text(generated({.is_scp = true, .count = 12, .seed = 2}), options);
  for (const OutputForm form : {OutputForm::kXdr, OutputForm::kBase64}) {
    const Run other = inspected_text(generated({.is_scp = true, .count = 12, .seed = 2, .form = form}), options);
    REQUIRE(other.lines == json.lines);
    REQUIRE(other.totals.invalid == 0);
  }
}

TEST_CASE("the option --decode adds the content of valid items", "[inspect]") {
  const Run run = inspected_text(kGetScpState + "\nAAAADA==\n", {.is_decoded = true});
  REQUIRE(run.lines[0].contains("content"));
  REQUIRE_FALSE(run.lines[1].contains("content"));
}

TEST_CASE("an empty input has no items", "[inspect]") {
  REQUIRE(inspected_text("").totals.items == 0);
  REQUIRE(inspected_text("\n \n\r\n").totals.items == 0);
}

TEST_CASE("bad lines are items with errors and do not end the reading", "[inspect]") {
  const Run run = inspected_text("{%%%\n{\"xdr\":\"" + kGetScpState +
                                 "\"}\n{\"xdr\":1}\n{\"xdr\"\n{\"other\":\"x\"}\n {\"xdr\":\"" + kGetScpState +
                                 "\"}\n{\"a\":{\"xdr\":\"AAAA\"},\"envelope\":\"" + kGetScpState + "\"}");
  REQUIRE(run.totals.items == 7);
  REQUIRE(run.totals.invalid == 4);
  for (const std::size_t valid : {1, 5, 6}) REQUIRE_FALSE(run.lines[valid].contains("error"));
  REQUIRE_FALSE(run.lines[0].contains("size"));
}

TEST_CASE("a forced form is kept to", "[inspect]") {
  REQUIRE(inspected_text("{\"xdr\":\"" + kGetScpState + "\"}", {}, InputForm::kBase64).totals.invalid == 1);
  REQUIRE(inspected_text(kGetScpState, {}, InputForm::kJson).totals.invalid == 1);
  REQUIRE(inspected_text(std::string("\0\0\0\x08\0\0\0\x0c\0\0\0\x07", 12), {}, InputForm::kRaw).totals.invalid == 0);
}

TEST_CASE("a record without the mark's top bit is read like one with it", "[inspect]") {
  const std::string body("\0\0\0\x0c\0\0\0\x07", 8);
  const Run run = inspected_text(std::string("\0\0\0\x08", 4) + body + std::string("\x80\0\0\x08", 4) + body);
  REQUIRE(run.totals.items == 2);
  REQUIRE(run.totals.invalid == 0);
}

TEST_CASE("records that are cut short or too long end the reading with an error", "[inspect]") {
  for (const std::string& text : {std::string("\x80\0\0", 3), std::string("\x80\0\0\x08zzz", 7),
                                  std::string("\xff\xff\xff\xff", 4), std::string("\x82\0\0\x01", 4)}) {
    const Run run = inspected_text(text);
    REQUIRE(run.totals.items == 1);
    REQUIRE(run.totals.invalid == 1);
  }
  REQUIRE(inspected_text(std::string("\x80\0\0\0", 4)).totals.invalid == 1);  // an empty record
}

TEST_CASE("a line at the limit is read, one beyond it is refused, and the next one is read", "[inspect]") {
  const std::string padding(2 * limits::kApiMessageBytesMax - kGetScpState.size(), ' ');
  const Run run = inspected_text(kGetScpState + padding + "\n" + kGetScpState + padding + " \n" + kGetScpState + "\n");
  REQUIRE(run.totals.items == 3);
  REQUIRE(run.totals.invalid == 1);
  REQUIRE(run.lines[1].contains("error"));
}

TEST_CASE("a JSON line of nothing but brackets costs no document", "[inspect]") {
  REQUIRE(inspected_text("{\"a\":" + std::string(4'000'000, '[')).totals.invalid == 1);
}

TEST_CASE("arbitrary bytes of every type end in errors, not in the end of the program", "[inspect]") {
  Random random(99);
  for (const char* name : {"StellarMessage", "AuthenticatedMessage", "TransactionEnvelope", "GeneralizedTransactionSet",
                           "TransactionSet", "SCPEnvelope", "SCPQuorumSet"}) {
    const auto type = to_inspectable(name);
    REQUIRE(type.ok());
    for (int round = 0; round < 200; ++round) {
      std::string text(random.below(120), '\0');
      for (char& byte : text) byte = static_cast<char>(random.below(random.below(2) == 0 ? 4 : 256));
      const InputForm form = round % 2 == 0 ? InputForm::kAuto : InputForm::kRaw;
      const InspectOptions options{.type = type.value(), .network = crypto::network_id("net"), .is_decoded = true};
      REQUIRE(inspected_text(text, options, form).totals.invalid <= 121);
    }
  }
}

TEST_CASE("a type that cannot be inspected is refused with those that can", "[inspect]") {
  const auto refused = to_inspectable("Hello");
  REQUIRE_FALSE(refused.ok());
  REQUIRE(refused.error().find("SCPQuorumSet") != std::string::npos);
}

TEST_CASE("recorded transaction sets have the hash their ledgers name", "[inspect]") {
  const std::string path = OVERLAYD_SHARED "/data/tx_sets.jsonl";
  if (!std::filesystem::exists(path)) {
    std::puts("SKIPPED: the recorded transaction sets are not here");
    return;
  }
  const auto expected = file_lines(path);
  std::string text;
  for (const auto& line : expected) text += line["generalized_tx_set"].get<std::string>() + "\n";
  const Run run = inspected_text(text, {.type = xdr::Type::kGeneralizedTransactionSet});
  REQUIRE(run.totals.items == expected.size());
  REQUIRE(run.totals.invalid == 0);
  for (std::size_t i = 0; i < expected.size(); ++i) REQUIRE(run.lines[i]["hash"] == expected[i]["hash"]);
}
