// How the schema is shown: the example file and the text of --help.
#include <string>

#include "config/schema.h"

namespace overlayd::config {
namespace {

constexpr std::size_t kHelpColumn = 26;

std::string unit_and_range(const Key& key) {
  std::string out = allowed_text(key);
  if (!key.unit.empty()) out += ' ' + std::string(key.unit);
  return out;
}

void append_lines(std::string& out, std::string_view text, std::string_view indent) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    out += std::string(indent) + std::string(text.substr(0, end)) + '\n';
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
}

std::string_view section_of(const Key& key) { return key.name.substr(0, key.name.find('.')); }

}  // namespace

std::string example_text() {
  std::string out =
      "# overlayd configuration (TOML). Every key is shown with its default; remove the '#' to change one.\n"
      "# `overlayd --check-config --config FILE` checks a file; `--set section.key=value` overrides it.\n";
  std::string_view section;
  for (const Key& key : schema()) {
    if (section != section_of(key)) {
      section = section_of(key);
      out += "\n[" + std::string(section) + "]\n";
    } else {
      out += '\n';
    }
    append_lines(out, key.help, "# ");
    out += "# Allowed: " + unit_and_range(key) + '.';
    if (!key.stellar_core_name.empty()) out += " In stellar-core: " + std::string(key.stellar_core_name) + '.';
    out += "\n# " + std::string(key.name.substr(section.size() + 1)) + " = " + std::string(key.default_toml) + '\n';
  }
  return out;
}

std::string help_text() {
  std::string out = "Keys of the configuration file, also --set KEY=VALUE (repeatable):\n";
  const std::string indent(kHelpColumn, ' ');
  for (const Key& key : schema()) {
    std::string line = "  " + std::string(key.name);
    line.resize(std::max(line.size() + 1, kHelpColumn), ' ');
    out += line + unit_and_range(key) + "; default " + std::string(key.default_toml) + '\n';
    append_lines(out, key.help, indent);
  }
  return out;
}

}  // namespace overlayd::config
