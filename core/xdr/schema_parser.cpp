#include "core/xdr/schema_parser.h"

#include <algorithm>
#include <charconv>

#include "core/check.h"

namespace overlayd::xdr {

namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

std::optional<std::int64_t> to_number(std::string_view token) {
  const bool is_hex = token.starts_with("0x");
  if (is_hex) token.remove_prefix(2);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value, is_hex ? 16 : 10);
  if (error != std::errc{} || end != token.data() + token.size()) return std::nullopt;
  return value;
}

}  // namespace

SchemaParser::SchemaParser(std::span<const std::string_view> roots) {
  for (const std::string_view root : roots) named(root);
  constexpr std::pair<std::string_view, Kind> kPrimitives[] = {
      {"void", Kind::kVoid},   {"int", Kind::kInt32},     {"int32", Kind::kInt32}, {"uint32", Kind::kUint32},
      {"int64", Kind::kInt64}, {"uint64", Kind::kUint64}, {"bool", Kind::kBool},
  };
  for (const auto& [name, kind] : kPrimitives) {
    const Type type = named(name);
    at(type).kind = kind;
    define(type);
  }
}

void SchemaParser::parse(std::string_view text) {
  text_ = text;
  while (!peek().empty()) {
    const std::string_view keyword = next();
    if (keyword == "const") {
      parse_const();
    } else if (keyword == "typedef") {
      parse_typedef();
    } else {
      const Type type = named(next());
      define(type);
      if (keyword == "enum") {
        parse_enum(type);
      } else if (keyword == "struct") {
        parse_struct(type);
      } else {
        OVERLAYD_CHECK(keyword == "union");
        parse_union(type);
      }
      expect(";");
    }
  }
}

std::vector<TypeInfo> SchemaParser::take() {
  OVERLAYD_CHECK(std::all_of(is_defined_.begin(), is_defined_.end(), [](bool defined) { return defined; }));
  return std::move(types_);
}

void SchemaParser::parse_const() {
  const std::string name(next());
  expect("=");
  constants_[name] = parse_value();
  expect(";");
}

void SchemaParser::parse_typedef() {
  Field target = parse_declaration("");
  expect(";");
  const Type type = named(target.name);
  define(type);
  TypeInfo& element = at(target.type);
  if (element.name.starts_with('.')) element.name = target.name + "<>";
  at(type).kind = Kind::kNewtype;
  at(type).element = target.type;
}

void SchemaParser::parse_enum(Type type) {
  expect("{");
  do {
    std::string name(next());
    expect("=");
    const std::int32_t value = parse_value();
    constants_[name] = value;
    at(type).values.push_back({std::move(name), value});
  } while (accept(","));
  expect("}");
  at(type).kind = Kind::kEnum;
}

void SchemaParser::parse_struct(Type type) {
  const std::string owner = at(type).name;
  std::vector<Field> fields;
  expect("{");
  while (!accept("}")) {
    fields.push_back(parse_declaration(owner));
    expect(";");
  }
  at(type).kind = Kind::kStruct;
  at(type).fields = std::move(fields);
}

void SchemaParser::parse_union(Type type) {
  const std::string owner = at(type).name;
  expect("switch");
  expect("(");
  const Type discriminant = parse_base_type(owner);
  next();  // the discriminant's name says nothing on the wire
  expect(")");
  expect("{");
  std::vector<Field> arms;
  std::vector<UnionCase> cases;
  while (!accept("}")) {
    while (accept("case")) {
      cases.push_back({parse_value(), static_cast<std::uint16_t>(arms.size())});
      expect(":");
    }
    if (accept("void")) {
      arms.push_back({"", named("void")});
    } else {
      arms.push_back(parse_declaration(owner));
    }
    expect(";");
  }
  TypeInfo& info = at(type);
  info.kind = Kind::kUnion;
  info.element = discriminant;
  info.fields = std::move(arms);
  info.cases = std::move(cases);
}

// type name, type name<n>, type* name, opaque name[n]
Field SchemaParser::parse_declaration(const std::string& owner) {
  const std::string_view keyword = peek();
  if (keyword == "opaque" || keyword == "string") {
    next();
    std::string name(next());
    const Kind variable = keyword == "string" ? Kind::kString : Kind::kVarOpaque;
    const bool is_fixed = accept("[");
    if (!is_fixed) expect("<");
    const std::uint32_t size = parse_bound(is_fixed ? "]" : ">");
    OVERLAYD_CHECK(!is_fixed || size % 4 == 0);
    const Type type = add(is_fixed ? Kind::kOpaque : variable, owner + "." + name, size, {});
    return {std::move(name), type};
  }
  // A nested definition is named by its field, which follows it.
  Type type = parse_base_type(owner);
  const bool is_optional = accept("*");
  std::string name(next());
  const std::string path = owner + "." + name;
  if (at(type).name == owner + ".") {
    at(type).name = path;
    for (TypeInfo& info : types_) {
      if (info.name.starts_with(owner + "..")) info.name = path + info.name.substr(owner.size() + 1);
    }
  }
  if (is_optional) type = add(Kind::kOptional, path, 0, type);
  if (accept("<")) type = add(Kind::kArray, path, parse_bound(">"), type);
  return {std::move(name), type};
}

Type SchemaParser::parse_base_type(const std::string& owner) {
  const std::string_view word = next();
  if (word == "struct" || word == "union") return parse_nested(word, owner);
  return named(word);
}

Type SchemaParser::parse_nested(std::string_view keyword, const std::string& owner) {
  const Type type = add(Kind::kVoid, owner + ".", 0, {});
  if (keyword == "struct") {
    parse_struct(type);
  } else {
    parse_union(type);
  }
  return type;
}

std::uint32_t SchemaParser::parse_bound(std::string_view close) {
  if (accept(close)) return kUnbounded;
  const std::int32_t bound = parse_value();
  expect(close);
  OVERLAYD_CHECK(bound > 0);
  return static_cast<std::uint32_t>(bound);
}

std::int32_t SchemaParser::parse_value() {
  const std::string_view token = next();
  if (const auto number = to_number(token)) return static_cast<std::int32_t>(*number);
  const auto found = constants_.find(std::string(token));
  OVERLAYD_CHECK(found != constants_.end());
  return found->second;
}

Type SchemaParser::named(std::string_view name) {
  const auto [entry, is_new] = names_.try_emplace(std::string(name), static_cast<Type>(types_.size()));
  if (is_new) {
    types_.emplace_back().name = name;
    is_defined_.push_back(false);
  }
  return entry->second;
}

Type SchemaParser::add(Kind kind, std::string name, std::uint32_t size, Type element) {
  const auto type = static_cast<Type>(types_.size());
  TypeInfo& info = types_.emplace_back();
  info.kind = kind;
  info.name = std::move(name);
  info.size = size;
  info.element = element;
  is_defined_.push_back(true);
  return type;
}

void SchemaParser::define(Type type) {
  OVERLAYD_CHECK(!is_defined_[static_cast<std::size_t>(type)]);
  is_defined_[static_cast<std::size_t>(type)] = true;
}

std::string_view SchemaParser::peek() {
  const std::size_t start = text_.find_first_not_of(" \n");
  if (start == std::string_view::npos) return {};
  std::size_t length = 1;
  if (is_word(text_[start])) {
    while (start + length < text_.size() && is_word(text_[start + length])) ++length;
  }
  return text_.substr(start, length);
}

std::string_view SchemaParser::next() {
  const std::string_view token = peek();
  OVERLAYD_CHECK(!token.empty());
  text_.remove_prefix(static_cast<std::size_t>(token.data() - text_.data()) + token.size());
  return token;
}

void SchemaParser::expect(std::string_view token) { OVERLAYD_CHECK(next() == token); }

bool SchemaParser::accept(std::string_view token) {
  if (peek() != token) return false;
  next();
  return true;
}

}  // namespace overlayd::xdr
