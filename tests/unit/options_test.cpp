// What the command line of overlayctl takes and refuses.
#include "ipc/ctl/options.h"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace overlayd::ipc::ctl;

namespace {

std::string refusal(const CLI::Validator& validator, std::string text) { return validator(text); }

// A program with subcommands; what it says to these words.
std::string error_of(std::vector<std::string> words) {
  CLI::App app("", "program");
  bool is_flag = false;
  std::uint64_t count = 0;
  std::string name;
  app.add_flag("--json", is_flag);
  app.fallthrough();
  app.require_subcommand(1);
  app.add_subcommand("status", "");
  CLI::App* group = app.add_subcommand("group", "");
  group->require_subcommand(1);
  group->add_subcommand("inner", "")->add_option("NAME", name)->required();
  app.add_subcommand("make", "")->add_option("--count", count)->check(whole_number(1, 10));
  std::reverse(words.begin(), words.end());
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error);
  }
  return {};
}

}  // namespace

TEST_CASE("a whole number is decimal digits within its range", "[options]") {
  const CLI::Validator validator = whole_number(1, 10'000'000);
  for (const char* good : {"1", "10000000"}) CHECK(refusal(validator, good).empty());
  for (const char* bad : {"", "0", "10000001", "99999999999999999999", "-1", "-18446744073709551615", "+1", "1.5",
                          "1e3", "0x10", "010", " 1"}) {
    INFO(bad);
    CHECK(refusal(validator, bad) == "must be a whole number from 1 to 10000000, is \"" + std::string(bad) + "\"");
  }
  CHECK(refusal(whole_number(0, UINT64_MAX), "18446744073709551615").empty());
  CHECK_FALSE(refusal(whole_number(0, UINT64_MAX), "18446744073709551616").empty());
}

TEST_CASE("a time is finite and not negative", "[options]") {
  for (const char* good : {"0", "0.5", "31536000"}) CHECK(refusal(seconds_of_a_year(), good).empty());
  for (const char* bad : {"", "-1", "31536001", "1e300", "inf", "nan", "5s"}) {
    INFO(bad);
    CHECK_FALSE(refusal(seconds_of_a_year(), bad).empty());
  }
}

TEST_CASE("a duration has units, larger ones first, or is a number of seconds", "[options]") {
  const CLI::Validator validator = duration(86'400);
  const std::vector<std::pair<std::string, std::string>> good{
      {"1", "1"},        {"90", "90"},   {"90s", "90"}, {"15m", "900"},         {"12h", "43200"}, {"1d", "86400"},
      {"1h30m", "5400"}, {"1m1s", "61"}, {"0d1s", "1"}, {"23h59m60s", "86400"}, {"010s", "10"}};
  for (const auto& [given, seconds] : good) {
    INFO(given);
    std::string text = given;
    CHECK(validator(text).empty());
    CHECK(text == seconds);
  }
  for (const char* bad : {"",
                          "0",
                          "0s",
                          "0h0m",
                          "-1",
                          "-1s",
                          "+1s",
                          "1.5h",
                          "s",
                          "h1",
                          "1w",
                          "1 h",
                          "30m1h",
                          "1h1h",
                          "1h30",
                          "86401",
                          "25h",
                          "2d",
                          "1d1s",
                          "99999999999999999999d",
                          "5124095576030432h",
                          "1d\n"}) {
    INFO(bad);
    std::string text = bad;
    CHECK(validator(text) ==
          "must be a time from 1s to 1d, such as 90s, 15m, 12h, 1d or 1h30m, is \"" + std::string(bad) + "\"");
    CHECK(text == bad);
  }
  CHECK_THAT(refusal(duration(1800), "31m"), Catch::Contains("from 1s to 30m"));
  CHECK_THAT(refusal(duration(90), "91"), Catch::Contains("from 1s to 90s"));
  for (const char* overflows : {"213503982334602d", "213503982334601d86400s", "18446744073709551616"})
    CHECK_FALSE(refusal(duration(UINT64_MAX), overflows).empty());
}

TEST_CASE("an unknown subcommand is named, with those there are", "[options]") {
  CHECK(error_of({"sttus"}) == "unknown subcommand \"sttus\"; the subcommands are status, group, make");
  CHECK(error_of({"--json", "sttus", "--count", "3"}) ==
        "unknown subcommand \"sttus\"; the subcommands are status, group, make");
  CHECK(error_of({"--jsn"}) == "unknown option \"--jsn\"; the subcommands are status, group, make");
  CHECK(error_of({}) == "a subcommand is required; the subcommands are status, group, make");
}

TEST_CASE("so is one of a subcommand's own", "[options]") {
  CHECK(error_of({"group", "innr"}) == "unknown subcommand \"innr\"; the subcommands of group are inner");
  CHECK(error_of({"group"}) == "a subcommand is required; the subcommands of group are inner");
  CHECK(error_of({"group", "inner"}) == "NAME is required");
  CHECK(error_of({"group", "inner", "x"}).empty());
}

TEST_CASE("other mistakes are named as the parser names them", "[options]") {
  CHECK(error_of({"make", "--count", "5"}).empty());
  CHECK_THAT(error_of({"make", "--count", "99999999999999999999"}),
             Catch::Contains("--count: must be a whole number from 1 to 10"));
  CHECK_THAT(error_of({"status", "more"}), Catch::Contains("more"));
}
