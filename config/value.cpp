#include "config/value.h"

#include <algorithm>
#include <optional>

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

namespace overlayd::config {
namespace {

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string kind_name(const toml::node& node) {
  if (node.is_table()) return "a table";
  if (node.is_array()) return "an array that is not all strings";
  if (node.is_floating_point()) return "a float";
  return "a date or time";
}

Value to_value(const toml::node& node) {
  if (const auto* boolean = node.as_boolean()) return boolean->get();
  if (const auto* integer = node.as_integer()) return integer->get();
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* array = node.as_array()) {
    StringList list;
    for (const toml::node& item : *array) {
      const auto* text = item.as_string();
      if (text == nullptr) return Unsupported{kind_name(node)};
      list.push_back(text->get());
    }
    return list;
  }
  return Unsupported{kind_name(node)};
}

std::uint32_t line_of(const toml::node& node) { return node.source().begin.line; }

void flatten(const toml::table& root, std::vector<Entry>& entries) {
  for (const auto& [section, node] : root) {
    const std::string section_name(section.str());
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      entries.push_back({section_name, to_value(node), line_of(node), false});
      continue;
    }
    if (table->empty()) entries.push_back({section_name, false, line_of(node), true});
    for (const auto& [key, value] : *table) {
      entries.push_back({section_name + '.' + std::string(key.str()), to_value(value), line_of(value), false});
    }
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.line < b.line; });
}

}  // namespace

std::string to_toml(const Value& value) {
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* text = std::get_if<std::string>(&value)) return quote(*text);
  if (const auto* list = std::get_if<StringList>(&value)) {
    std::string out = "[";
    for (const std::string& item : *list) out += (out.size() > 1 ? ", " : "") + quote(item);
    return out + "]";
  }
  return std::get<Unsupported>(value).kind;
}

std::string_view kind_of(const Value& value) {
  if (std::holds_alternative<bool>(value)) return "a boolean";
  if (std::holds_alternative<std::int64_t>(value)) return "an integer";
  if (std::holds_alternative<std::string>(value)) return "a string";
  if (std::holds_alternative<StringList>(value)) return "an array of strings";
  return std::get<Unsupported>(value).kind;
}

Document parse_document(std::string_view text) {
  Document document;
  if (text.size() > kDocumentBytesMax) {
    document.error =
        "is " + std::to_string(text.size()) + " bytes; at most " + std::to_string(kDocumentBytesMax) + " are read";
    return document;
  }
  const toml::parse_result parsed = toml::parse(text);
  if (parsed.failed()) {
    document.error = parsed.error().description();
    document.error_line = parsed.error().source().begin.line;
    return document;
  }
  flatten(parsed.table(), document.entries);
  return document;
}

}  // namespace overlayd::config
