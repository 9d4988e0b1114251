// The result of a survey as table, CSV, GraphML, dot and HTML: each against one small result with hostile text in it.
#include "ipc/ctl/survey_render.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "ipc/ctl/survey_json.h"
#include "ipc/ctl/survey_output.h"
#include "survey_result_samples.h"
#include "tests/support/temp_directory.h"

using namespace overlayd;
using namespace overlayd::ipc::ctl;
using namespace overlayd::ipc::ctl::testing;
using Catch::Contains;
using test::TempDirectory;

namespace {

using Record = std::map<std::string, std::string>;

// A reader of RFC 4180, each line as its cells by the name of their column.
std::vector<Record> csv(const std::string& text) {
  std::vector<std::vector<std::string>> lines{{""}};
  bool is_quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_quoted) {
      const bool is_twice = c == '"' && i + 1 < text.size() && text[i + 1] == '"';
      if (c != '"' || is_twice) lines.back().back() += c;
      if (is_twice) ++i;
      is_quoted = c != '"' || is_twice;
    } else if (c == '"') {
      REQUIRE(lines.back().back().empty());
      is_quoted = true;
    } else if (c == ',') {
      lines.back().emplace_back();
    } else if (c == '\n') {
      lines.push_back({""});
    } else {
      lines.back().back() += c;
    }
  }
  REQUIRE_FALSE(is_quoted);
  REQUIRE(lines.back() == std::vector<std::string>{""});
  lines.pop_back();
  std::vector<Record> records;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    REQUIRE(lines[i].size() == lines[0].size());
    records.emplace_back();
    for (std::size_t k = 0; k < lines[i].size(); ++k) records.back()[lines[0][k]] = lines[i][k];
    REQUIRE(records.back().size() == lines[0].size());  // no column twice
  }
  return records;
}

// Every element closed in order, every attribute quoted, no bare '&' or '<': the names of the elements, and the texts.
struct Xml {
  std::vector<std::string> elements;
  std::vector<std::string> texts;
};

std::string unescaped(std::string text) {
  REQUIRE(text.find('<') == std::string::npos);
  static const std::vector<std::pair<std::string, std::string>> kEntities{
      {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}};
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '&') {
      out += text[at];
      continue;
    }
    const std::string entity = text.substr(at, text.find(';', at) - at + 1);
    std::string value = entity == "&amp;" ? "&" : "";
    for (const auto& [name, character] : kEntities)
      if (entity == name) value = character;
    INFO(entity);
    REQUIRE_FALSE(value.empty());
    out += value;
    at += entity.size() - 1;
  }
  return out;
}

Xml parsed_xml(const std::string& text) {
  Xml xml;
  std::vector<std::string> open;
  std::size_t at = text.find("?>") + 2;
  while (true) {
    const std::size_t tag = text.find('<', at);
    const std::string between = unescaped(text.substr(at, std::min(tag, text.size()) - at));
    if (between.find_first_not_of(" \n") != std::string::npos) xml.texts.push_back(between);
    if (tag == std::string::npos) break;
    const std::size_t end = text.find('>', tag);
    REQUIRE(end != std::string::npos);
    const std::string inner = text.substr(tag + 1, end - tag - 1);
    at = end + 1;
    const std::string name =
        inner.substr(inner[0] == '/' ? 1 : 0, inner.find_first_of(" /", 1) - (inner[0] == '/' ? 1 : 0));
    if (inner[0] == '/') {
      REQUIRE_FALSE(open.empty());
      CHECK(open.back() == name);
      open.pop_back();
      continue;
    }
    CHECK(std::ranges::count(inner, '"') % 2 == 0);
    xml.elements.push_back(name);
    if (inner.back() != '/') open.push_back(name);
  }
  CHECK(open.empty());
  return xml;
}

}  // namespace

TEST_CASE("a cell of csv is quoted as needed, and no formula", "[survey_render]") {
  CHECK(csv_cell("plain text") == "plain text");
  CHECK(csv_cell("") == "");
  CHECK(csv_cell("a,b") == "\"a,b\"");
  CHECK(csv_cell("say \"a\"") == "\"say \"\"a\"\"\"");
  for (const std::string begin : {"=", "+", "-", "@"}) CHECK(csv_cell(begin + "1") == "'" + begin + "1");
  CHECK(csv_cell("=1,2") == "\"'=1,2\"");
  CHECK(csv_cell("a=1") == "a=1");
  CHECK(csv_cell("a;b") == "\"a;b\"");
  CHECK(csv_cell("a;=1") == "\"a;'=1\"");
  CHECK(csv_cell("a; \t =1") == "\"a; \t '=1\"");
  CHECK(csv_cell(" =1") == " '=1");
}

TEST_CASE("csv has each node once, with what it says and what is known of it", "[survey_render]") {
  const auto records = csv(survey_nodes_csv(sample()));
  REQUIRE(records.size() == 5);
  CHECK(records[0].at("nodeId") == strkey(1));
  CHECK(records[0].at("state") == "complete");
  CHECK(records[0].at("problem") == "none");
  CHECK(records[0].at("isValidator") == "true");
  CHECK(records[0].at("p75SCPSelfToOtherLatencyMs") == "104");
  CHECK(records[0].at("maxOutboundPeerCount") == "107");
  CHECK(records[0].at("inboundPeers") == "1");
  CHECK(records[0].at("outboundPeers") == "2");
  CHECK(records[2].at("nodeId") == strkey(3));
  CHECK(records[2].at("problem") == "silent");
  CHECK(records[2].at("version") == "'" + kHostile);
  CHECK(records[2].at("detail") == "'" + kHostile);
  CHECK(records[2].at("requests") == "3");
  CHECK(records[2].at("isValidator").empty());
  CHECK(records[2].at("inboundPeers").empty());
  CHECK(records[2].at("namedBy") == strkey(1) + " " + strkey(2));
}

TEST_CASE("csv has each link once, with every counter of both ends", "[survey_render]") {
  const auto records = csv(survey_links_csv(sample()));
  REQUIRE(records.size() == 5);
  CHECK(records[0].size() == 3 + 2 * 15);
  CHECK(records[0].at("dialler") == strkey(1));
  CHECK(records[0].at("acceptor") == strkey(2));
  CHECK(records[0].at("agreement") == "confirmed");
  CHECK(records[0].at("dialler_bytesWritten") == "2004");
  CHECK(records[0].at("acceptor_bytesRead") == "4003");
  CHECK(records[0].at("acceptor_averageLatencyMs") == "4014");
  CHECK(records[1].at("agreement") == "one_sided");
  CHECK(records[1].at("dialler_version") == "'" + kHostile);
  CHECK(records[1].at("acceptor_bytesRead").empty());
  CHECK(records[4].at("agreement") == "denied");
}

TEST_CASE("graphml is well-formed and has all nodes, links and their data", "[survey_render]") {
  const Xml xml = parsed_xml(survey_graphml(sample()));
  const auto count = [&xml](const char* name) { return std::ranges::count(xml.elements, name); };
  CHECK(count("graphml") == 1);
  CHECK(count("node") == 5);
  CHECK(count("edge") == 5);
  CHECK(count("key") == 6 + 10 + 3 + 1 + 2 * 15);
  CHECK(count("data") == 5 * 7 + 3 * 12 + 5 + 6 * 15);
  CHECK(std::ranges::count(xml.texts, kHostile) == 3);
  CHECK(std::ranges::count(xml.texts, "4003") == 1);
  SurveyNode liar = complete_node(1, {}, {link_to(2, 0)});
  liar.outbound[0].bytes_read = UINT64_MAX;
  const Xml clamped = parsed_xml(survey_graphml(make_result({}, {liar}).value()));
  CHECK(std::ranges::count(clamped.texts, std::to_string(INT64_MAX)) == 1);
  const auto unlisted = make_result({}, {complete_node(1, {link_to(9, 0)}, {})});
  const Xml with_ends = parsed_xml(survey_graphml(unlisted.value()));
  CHECK(std::ranges::count(with_ends.elements, "node") == 2);
}

TEST_CASE("dot quotes what strangers say", "[survey_render]") {
  CHECK(dot_text("a\"b\\") == "\"a\\\"b\\\\\"");
  const std::string dot = survey_dot(sample());
  CHECK_THAT(dot, Contains("\"" + strkey(1) + "\" -> \"" + strkey(2) + "\" [tooltip=") &&
                      Contains("\"" + strkey(1) + "\" -> \"" + strkey(3) + "\" [style=dashed, tooltip="));
  // Outside of quotes there is nothing but the language.
  std::string outside;
  bool is_quoted = false;
  for (std::size_t i = 0; i < dot.size(); ++i) {
    if (is_quoted && dot[i] == '\\')
      ++i;
    else if (dot[i] == '"')
      is_quoted = !is_quoted;
    else if (!is_quoted)
      outside += dot[i];
  }
  CHECK_FALSE(is_quoted);
  CHECK(outside.find_first_not_of("abcdefghijklmnopqrstuvwxyzC_=,;{}[]-> \n") == std::string::npos);
}

TEST_CASE("the page holds the result, and no text of strangers ends its element", "[survey_render]") {
  const SurveyResult result = sample();
  const std::string page = survey_html(result);
  const std::string begin = "<script id=\"survey-data\" type=\"application/json\">";
  const std::size_t at = page.find(begin);
  REQUIRE(at != std::string::npos);
  const std::size_t from = at + begin.size();
  const std::string data = page.substr(from, page.find("</script>", from) - from);
  CHECK(data.find('<') == std::string::npos);
  const auto read = survey_from_json(data, "page");
  INFO((read ? "" : read.error()));
  REQUIRE(read);
  CHECK(are_equal(read.value(), result));
  CHECK(page.find("__SURVEY_DATA__") == std::string::npos);
}

TEST_CASE("the table says who is there, and who did not answer and why", "[survey_render]") {
  const std::string table = survey_table(sample(), false);
  CHECK_THAT(table, Contains("5 found, 3 told of all their links; 2 more than there is room for") &&
                        Contains("5, 1 named by both ends, 1 denied by one") && Contains("ended: a client ended it") &&
                        Contains(strkey(3) + "  silent") && Contains(strkey(4) + "  not asked") && Contains("1/106") &&
                        Contains(strkey(8)));
  CHECK_THAT(table, !Contains("was called"));
  CHECK_THAT(survey_table(sample(), true), Contains("was called") && Contains("denied"));
  const std::string summary = survey_summary(sample());
  CHECK_THAT(summary, Contains("silent") && !Contains("first to self"));
  const auto whole = make_result(status_of(SurveyRun::kDone), {complete_node(1, {}, {})});
  CHECK_THAT(survey_summary(whole.value()), !Contains("no full answer"));
}

TEST_CASE("csv goes to two files, or one table where it is asked for", "[survey_render]") {
  const TempDirectory directory;
  SurveyOutputOptions options{.format = "csv", .output = directory.file("")};
  REQUIRE(check_output({}, options));
  REQUIRE(write_survey(sample(), options));
  CHECK(directory.names() == std::set<std::string>{"nodes.csv", "links.csv"});
  CHECK(directory.text("links.csv") == survey_links_csv(sample()));
  options.output = directory.file("today.csv");
  REQUIRE(write_survey(sample(), options));
  CHECK(directory.text("today-nodes.csv") == survey_nodes_csv(sample()));
  CHECK(directory.text("today-links.csv") == survey_links_csv(sample()));
  options.csv = "links";
  REQUIRE(write_survey(sample(), options));
  CHECK(directory.text("today.csv") == survey_links_csv(sample()));
}

TEST_CASE("a link to a file stays one, and the file behind it is replaced when the new one is complete",
          "[survey_render]") {
  const TempDirectory directory;
  std::ofstream(directory.file("old.json")) << "old";
  std::filesystem::create_symlink("old.json", directory.file("latest.json"));
  SurveyOutputOptions options{.format = "json", .output = directory.file("latest.json")};
  SECTION("written") {
    REQUIRE(check_output({}, options));
    REQUIRE(write_survey(sample(), options));
    CHECK(std::filesystem::is_symlink(directory.file("latest.json")));
    CHECK(directory.text("old.json") == survey_json(sample()) + "\n");
    CHECK(directory.names() == std::set<std::string>{"latest.json", "old.json"});
  }
  SECTION("to what is not there yet") {
    std::filesystem::remove(directory.file("old.json"));
    REQUIRE(check_output({}, options));
    REQUIRE(write_survey(sample(), options));
    CHECK(std::filesystem::is_symlink(directory.file("latest.json")));
    CHECK(directory.names() == std::set<std::string>{"latest.json", "old.json"});
  }
  SECTION("in a circle") {
    std::filesystem::remove(directory.file("old.json"));
    std::filesystem::create_symlink("latest.json", directory.file("old.json"));
    CHECK_THAT(check_output({}, options).error(), Contains("circle"));
  }
  SECTION("in vain") {
    std::filesystem::create_directory(directory.file("old.json.part"));  // where it would be written
    CHECK_THAT(write_survey(sample(), options).error(), Contains("latest.json cannot be written"));
    CHECK(directory.text("old.json") == "old");
  }
}

TEST_CASE("of two files of csv both are new or none", "[survey_render]") {
  const TempDirectory directory;
  std::ofstream(directory.file("nodes.csv")) << "old";
  std::filesystem::create_directory(directory.file("links.csv.part"));
  const auto written = write_survey(sample(), {.format = "csv", .output = directory.file("")});
  REQUIRE_FALSE(written);
  CHECK_THAT(written.error(), Contains("links.csv cannot be written"));
  CHECK(directory.text("nodes.csv") == "old");
  CHECK(directory.names() == std::set<std::string>{"nodes.csv", "links.csv.part"});
}

TEST_CASE("outputs that do not go together are refused before anything is done", "[survey_render]") {
  const auto refusal = [](Context context, SurveyOutputOptions options) {
    const auto checked = check_output(context, options);
    return checked ? "as " + options.format : checked.error();
  };
  Context json;
  json.is_json = true;
  CHECK(refusal({}, {}) == "as table");
  CHECK(refusal(json, {}) == "as json");
  CHECK(refusal(json, {.format = "json"}) == "as json");
  CHECK(refusal({}, {.csv = "nodes"}) == "as csv");
  CHECK_THAT(refusal(json, {.format = "csv"}), Contains("--json and --format csv exclude"));
  CHECK_THAT(refusal({}, {.format = "csv"}), Contains("--csv nodes"));
  CHECK_THAT(refusal({}, {.format = "html", .csv = "nodes"}), Contains("--csv needs"));
  CHECK_THAT(refusal({}, {.format = "html", .has_links = true}), Contains("--links needs"));
  CHECK_THAT(refusal({}, {.format = "html", .output = "/"}), Contains("/ is a directory"));
  CHECK_THAT(refusal({}, {.format = "html", .output = "/nonexistent/a"}), Contains("no directory /nonexistent"));
  CHECK_THAT(refusal({}, {.format = "csv", .output = "/nonexistent/a"}), Contains("no directory /nonexistent"));
}
