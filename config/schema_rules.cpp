// How the rows of the schema are searched, checked and described.
#include <algorithm>

#include "config/schema.h"

namespace overlayd::config {
namespace {

std::string quoted_choices(const Key& key) {
  std::string out;
  for (const std::string_view choice : choices_of(key)) {
    out += (out.empty() ? "\"" : ", \"") + std::string(choice) + '"';
  }
  return out;
}

std::string check_size(const Key& key, std::size_t size, std::string_view unit) {
  const auto count = static_cast<std::int64_t>(size);
  if (count == 0 && key.range.low > 0) return "must not be empty";
  if (count <= key.range.high) return {};
  return "must have at most " + std::to_string(key.range.high) + ' ' + std::string(unit) + ", has " +
         std::to_string(count);
}

std::string check_text(const Key& key, const std::string& text) {
  if (text.find('\0') != std::string::npos) return "must not contain a NUL character";
  return check_size(key, text.size(), "bytes");
}

std::string must_be(const Key& key, const Value& value) {
  return "must be " + allowed_text(key) + ", is " + std::string(kind_of(value));
}

std::string apply_choice(const Key& key, const Value& value, Config& config) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return must_be(key, value);
  const auto choices = choices_of(key);
  const auto found = std::find(choices.begin(), choices.end(), *text);
  if (found == choices.end()) return "must be " + allowed_text(key) + ", is " + to_toml(value);
  return key.set(config, std::int64_t{found - choices.begin()});
}

std::string apply_integer(const Key& key, const Value& value, Config& config) {
  const auto* number = std::get_if<std::int64_t>(&value);
  if (number == nullptr) return must_be(key, value);
  if (*number < key.range.low || *number > key.range.high) {
    return "must be " + std::to_string(key.range.low) + ".." + std::to_string(key.range.high) + ", is " +
           to_toml(value);
  }
  return key.set(config, value);
}

std::string apply_list(const Key& key, const Value& value, Config& config) {
  const auto* list = std::get_if<StringList>(&value);
  if (list == nullptr) return must_be(key, value);
  if (auto why = check_size(key, list->size(), "items"); !why.empty()) return why;
  for (const std::string& item : *list) {
    if (item.find('\0') != std::string::npos) return "must not contain a NUL character";
  }
  return key.set(config, value);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

const Key* find_key(std::string_view name) {
  const auto found = std::find_if(schema().begin(), schema().end(), [&](const Key& key) { return key.name == name; });
  return found == schema().end() ? nullptr : &*found;
}

const Key* nearest_key(std::string_view name) {
  constexpr std::size_t kNameMax = 64;  // longer ones are nothing's misspelling, and the distance costs their product
  constexpr std::size_t kEditsMax = 3;
  if (name.size() > kNameMax) return nullptr;
  const bool has_section = name.find('.') != std::string_view::npos;
  const Key* best = nullptr;
  std::size_t best_edits = kEditsMax + 1;
  for (const Key& key : schema()) {
    if (!key.stellar_core_name.empty() && key.stellar_core_name == name) return &key;
    const std::string_view known = has_section ? key.name : key.name.substr(key.name.find('.') + 1);
    const std::size_t edits = edit_distance(name, known);
    if (edits < best_edits && edits < known.size()) {
      best_edits = edits;
      best = &key;
    }
  }
  return best;
}

std::string apply(const Key& key, const Value& value, Config& config) {
  switch (key.kind) {
    case Kind::kBoolean: return std::holds_alternative<bool>(value) ? key.set(config, value) : must_be(key, value);
    case Kind::kInteger: return apply_integer(key, value, config);
    case Kind::kChoice: return apply_choice(key, value, config);
    case Kind::kStringList: return apply_list(key, value, config);
    case Kind::kString: break;
  }
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return must_be(key, value);
  if (auto why = check_text(key, *text); !why.empty()) return why;
  return key.set(config, value);
}

std::string allowed_text(const Key& key) {
  switch (key.kind) {
    case Kind::kBoolean: return "true or false";
    case Kind::kInteger: return "an integer, " + std::to_string(key.range.low) + ".." + std::to_string(key.range.high);
    case Kind::kChoice: return "one of " + quoted_choices(key);
    case Kind::kStringList: return "an array of strings";
    case Kind::kString: break;
  }
  return "a string";
}

std::vector<std::string_view> choices_of(const Key& key) {
  std::vector<std::string_view> choices;
  for (std::string_view rest = key.choices; !rest.empty();) {
    const std::size_t bar = rest.find('|');
    choices.push_back(rest.substr(0, bar));
    rest = bar == std::string_view::npos ? std::string_view{} : rest.substr(bar + 1);
  }
  return choices;
}

}  // namespace overlayd::config
