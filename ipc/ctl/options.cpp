#include "ipc/ctl/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace overlayd::ipc::ctl {
namespace {

// All of `text` as a number; false: it is none, or too large for its type.
template <typename Number>
bool parse(const std::string& text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && rest == end;
}

struct Unit {
  char name;
  std::uint64_t seconds;
};
constexpr std::array<Unit, 4> kUnits{{{'d', 86'400}, {'h', 3'600}, {'m', 60}, {'s', 1}}};

// Nothing: it is no time, or a larger one than `max`.
std::optional<std::uint64_t> parse_duration(std::string_view text, std::uint64_t max) {
  std::uint64_t total = 0;
  const Unit* unit = kUnits.begin();  // the largest one that may come next
  const bool is_seconds = text.find_first_not_of("0123456789") == std::string_view::npos;
  do {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number > max) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!is_seconds) {
      unit = std::find_if(unit, kUnits.end(), [&](const Unit& known) { return text.starts_with(known.name); });
      if (unit == kUnits.end() || number > max / unit->seconds) return std::nullopt;
      number *= (unit++)->seconds;
      text.remove_prefix(1);
    }
    if (number > max - total) return std::nullopt;
    total += number;
  } while (!text.empty());
  return total;
}

// "30m", "1d": in the largest unit that divides it.
std::string in_largest_unit(std::uint64_t seconds) {
  for (const Unit& unit : kUnits)
    if (seconds % unit.seconds == 0) return std::to_string(seconds / unit.seconds) + unit.name;
  return {};
}

std::string subcommands_of(const CLI::App& app) {
  std::string names;
  for (const CLI::App* subcommand : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!names.empty()) names += ", ";
    names += subcommand->get_name();
  }
  return names;
}

}  // namespace

CLI::Validator whole_number(std::uint64_t min, std::uint64_t max) {
  const std::string range = std::to_string(min) + " to " + std::to_string(max);
  return {[=](std::string& text) -> std::string {
            std::uint64_t number = 0;
            const bool is_octal = text.size() > 1 && text.front() == '0';  // so the parser would read it
            if (is_octal || !parse(text, number) || number < min || number > max) {
              return "must be a whole number from " + range + ", is \"" + text + "\"";
            }
            return {};
          },
          max < UINT32_MAX ? range : std::string()};  // what help shows beside the option
}

CLI::Validator seconds_of_a_year() {
  static constexpr double kYear = 365 * 86'400;
  return {[](std::string& text) -> std::string {
            double number = -1;
            const bool is_number = parse(text, number);
            // Not the other way round: "nan" is within nothing.
            if (is_number && number >= 0 && number <= kYear) return {};
            return "must be 0 to 31536000 seconds, is \"" + text + "\"";
          },
          "0 to 31536000"};
}

CLI::Validator duration(std::uint64_t max_seconds) {
  return {[max_seconds](std::string& text) -> std::string {
            const auto parsed = parse_duration(text, max_seconds);
            if (!parsed || *parsed == 0) {
              return "must be a time from 1s to " + in_largest_unit(max_seconds) +
                     ", such as 90s, 15m, 12h, 1d or 1h30m, is \"" + text + "\"";
            }
            text = std::to_string(*parsed);
            return {};
          },
          "90s, 15m, 12h, 1d"};
}

std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* level = &app;  // the innermost subcommand that was understood
  while (!level->get_subcommands().empty()) level = level->get_subcommands().front();
  const std::string names = subcommands_of(*level);
  if (names.empty() || error.get_name() != "RequiredError") return error.what();
  const std::vector<std::string> words = app.remaining(true);
  const std::string choice =
      "the subcommands " + (level == &app ? "" : "of " + level->get_name() + " ") + "are " + names;
  if (words.empty()) return "a subcommand is required; " + choice;
  const bool is_option = words.front().starts_with('-');
  return (is_option ? "unknown option \"" : "unknown subcommand \"") + words.front() + "\"; " + choice;
}

}  // namespace overlayd::ipc::ctl
