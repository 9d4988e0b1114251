// Every key of the configuration, one row each: the single place that says its name, kind, default, range and meaning.
// Loading, `--set`, the example file and the text of --help are derived from it.
//
// Words.   A *key* is `section.name`. Its *range* bounds an integer's value, a string's bytes or a list's items.
// Rules.   set() is called only with a value of the row's kind, inside its range and among its choices; it returns an
//          empty string, or why the value cannot be used. No message repeats a string that could be a secret.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/value.h"

namespace overlayd::config {

enum class Kind : std::uint8_t { kBoolean, kInteger, kString, kChoice, kStringList };

struct Range {
  std::int64_t low = 0;
  std::int64_t high = 0;
};

struct Key {
  std::string_view name;
  Kind kind;
  std::string_view default_toml;  // as it stands in a file
  Range range;
  std::string_view unit;               // of an integer; may be empty
  std::string_view choices;            // of kChoice: words separated by '|', in the order of the enum
  std::string_view stellar_core_name;  // the matching key of stellar-core.cfg; empty: none
  std::string_view help;               // one or more sentences; '\n' starts a new line in the example file
  std::string (*set)(Config&, const Value&);
};

[[nodiscard]] std::span<const Key> schema();
[[nodiscard]] const Key* find_key(std::string_view name);
// The key an operator may have meant: a stellar-core name, or a name at most three edits away.
[[nodiscard]] const Key* nearest_key(std::string_view name);

// Kind, range and choices, then set(). Empty: `value` is in `config`.
[[nodiscard]] std::string apply(const Key& key, const Value& value, Config& config);
// "an integer, 1..65535": for messages and documentation.
[[nodiscard]] std::string allowed_text(const Key& key);
[[nodiscard]] std::vector<std::string_view> choices_of(const Key& key);

// The whole example file, every key commented out at its default. config/examples/overlayd.toml is this text.
[[nodiscard]] std::string example_text();
// The keys as --help shows them, at most 120 columns.
[[nodiscard]] std::string help_text();

}  // namespace overlayd::config
