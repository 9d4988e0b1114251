#include "ipc/ctl/options.h"

#include <charconv>

namespace overlayd::ipc::ctl {
namespace {

// All of `text` as a number; false: it is none, or too large for its type.
template <typename Number>
bool parse(const std::string& text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && rest == end;
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

std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
  if (!app.get_subcommands().empty() || error.get_name() != "RequiredError") return error.what();
  const std::vector<std::string> words = app.remaining();
  const std::string choice = "the subcommands are " + subcommands_of(app);
  if (words.empty()) return "a subcommand is required; " + choice;
  const bool is_option = words.front().starts_with('-');
  return (is_option ? "unknown option \"" : "unknown subcommand \"") + words.front() + "\"; " + choice;
}

}  // namespace overlayd::ipc::ctl
