// What the command line of overlayctl takes for a number, and what it says when it cannot be used.
#pragma once
#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>

namespace overlayd::ipc::ctl {

// Decimal digits without leading zeros and nothing else, from min to max: what overflows is refused, not cut.
[[nodiscard]] CLI::Validator whole_number(std::uint64_t min, std::uint64_t max);
// A finite number of seconds from 0 to a year, fractions allowed.
[[nodiscard]] CLI::Validator seconds_of_a_year();

// A time of at least a second: "90s", "15m", "12h", "7d", "1d12h", larger units first, or a number alone for seconds.
// For transform(): leaves the number of seconds.
[[nodiscard]] CLI::Validator duration(std::uint64_t max_seconds);

// One sentence about a command line that `app` refused. Where the subcommand is missing or unknown it names the word in
// its place and those there are.
[[nodiscard]] std::string usage_error(const CLI::App& app, const CLI::ParseError& error);

}  // namespace overlayd::ipc::ctl
