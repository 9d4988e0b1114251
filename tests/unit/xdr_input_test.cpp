#include "ipc/ctl/xdr_input.h"

#include <catch2/catch.hpp>
#include <sstream>

using namespace overlayd;
using namespace overlayd::ipc::ctl;

namespace {

std::vector<XdrItem> read_all(const std::string& text) {
  std::istringstream stream(text);
  XdrInput input(stream, "file");
  std::vector<XdrItem> items;
  while (auto item = input.next()) items.push_back(std::move(*item));
  return items;
}

std::string record(const std::string& body) {
  std::string mark("\x80\0\0\0", 4);
  mark[3] = static_cast<char>(body.size());
  return mark + body;
}

const Bytes kAbc{'a', 'b', 'c'};  // base64 YWJj

}  // namespace

TEST_CASE("base64, JSON lines and record-marked XDR are told apart by their first byte", "[xdr_input]") {
  for (const std::string& text :
       {std::string("YWJj\nYWJj\n"), std::string("\n  YWJj\r\n\nYWJj"),
        std::string("{\"xdr\":\"YWJj\"}\n{\"hash\":\"\",\"envelope\":\"YWJj\"}\n"), record("abc") + record("abc")}) {
    INFO(text);
    const auto items = read_all(text);
    REQUIRE(items.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(items[i].index == i);
      REQUIRE(items[i].bytes.ok());
      CHECK(items[i].bytes.value() == kAbc);
    }
  }
  CHECK(read_all("").empty());
  CHECK(read_all("\n \n").empty());
}

TEST_CASE("a bad line is an item with its reason and line, and reading goes on", "[xdr_input]") {
  const auto items =
      read_all("{\"xdr\":\"YWJj\"}\nnonsense\n[]\n{\"xdr\":7}\n{\"xdr\":\"!\"}\n{}\n\n{\"xdr\":\"YWJj\"}\n");
  REQUIRE(items.size() == 7);
  CHECK(items[1].bytes.error() == "not JSON");
  CHECK(items[1].line == 2);
  CHECK(items[2].bytes.error() == "not a JSON object");
  CHECK(items[3].bytes.error() == "field \"xdr\" is not a string");
  CHECK(items[4].bytes.error() == "field \"xdr\": not base64");
  CHECK(items[5].bytes.error() == "neither a field \"xdr\" nor \"envelope\"");
  CHECK(items[6].bytes.ok());
  CHECK(items[6].line == 8);
  CHECK(items[6].index == 6);
}

TEST_CASE("a bad record ends the input", "[xdr_input]") {
  const auto cut = read_all(record("abc") + record("abcdef").substr(0, 7));
  REQUIRE(cut.size() == 2);
  CHECK(cut[0].bytes.ok());
  CHECK(cut[1].bytes.error() == "the input ends within a record: 3 bytes of 6");
  CHECK_THAT(read_all(record("abc") + "\x80").at(1).bytes.error(), Catch::Contains("within a record mark"));
  CHECK_THAT(read_all("\xff\xff\xff\xff").at(0).bytes.error(), Catch::Contains("longer than"));
}

TEST_CASE("the top bit of a record mark does not matter", "[xdr_input]") {
  const auto items = read_all(std::string("\0\0\0\3abc", 7) + record("abc"));
  REQUIRE(items.size() == 2);
  CHECK(items[0].bytes.value() == kAbc);
  CHECK(items[1].bytes.value() == kAbc);
}

TEST_CASE("an item is named by file, line and index", "[xdr_input]") {
  std::istringstream stream("");
  const XdrInput input(stream, "file");
  CHECK(input.where({.index = 4, .line = 9}) == "file:9 (item 4)");
  CHECK(input.where({.index = 4, .line = 0}) == "file: item 4");
}

TEST_CASE("a file that is not there is an error with its path", "[xdr_input]") {
  CHECK_THAT(XdrInput::open("/nonexistent/file").error(), Catch::StartsWith("/nonexistent/file: cannot be opened"));
}
