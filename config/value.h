// TOML syntax, reduced to what the schema can use. The only door to the TOML library: its types and exceptions stop
// here.
//
// A document is flattened to entries `section.key = value` with the line each stands on. Values of a kind no key takes
// (dates, floats, tables inside arrays) arrive as Unsupported, so that the caller can say which key they stand at.
// Limits: a document of kDocumentBytesMax; beyond it a failure, before parsing.
// Errors: a syntax error ends the parse, so there is at most one, with its line.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace overlayd::config {

inline constexpr std::size_t kDocumentBytesMax = 1 << 20;

struct Unsupported {
  std::string kind;  // for the message: "a float", "an array of mixed kinds"
};
using StringList = std::vector<std::string>;
using Value = std::variant<bool, std::int64_t, std::string, StringList, Unsupported>;

// "true", "11625", "\"text\"", "[\"a\", \"b\"]": how a value is written in TOML.
[[nodiscard]] std::string to_toml(const Value& value);
// For messages: "a string", "an integer".
[[nodiscard]] std::string_view kind_of(const Value& value);

struct Entry {
  std::string name;  // "section.key"; a lone key outside sections has no dot
  Value value;
  std::uint32_t line = 0;   // of the value; 0: the whole document
  bool is_section = false;  // `name` is a section that holds nothing
};

struct Document {
  std::vector<Entry> entries;  // in the order of their lines
  std::string error;           // empty: parsed
  std::uint32_t error_line = 0;
};

[[nodiscard]] Document parse_document(std::string_view text);

}  // namespace overlayd::config
