// Reads type definitions in the language of RFC 4506 section 6, as far as Stellar's files use it: const, enum, struct,
// union, typedef; opaque, string, arrays of variable size, optionals, nested structs and unions. Comments, fixed arrays
// of anything but opaque, float and double are not understood.
#pragma once
#include <unordered_map>

#include "core/xdr/schema.h"

namespace overlayd::xdr {

class SchemaParser {
 public:
  // Names in `roots` get the numbers 0, 1, 2, ….
  explicit SchemaParser(std::span<const std::string_view> roots);

  // Takes one file of definitions. Types may be used before they are defined, in other files too.
  void parse(std::string_view text);
  // Ends it. CHECKs that every name that was used was defined.
  [[nodiscard]] std::vector<TypeInfo> take();

 private:
  std::string_view next();
  [[nodiscard]] std::string_view peek();
  void expect(std::string_view token);
  bool accept(std::string_view token);

  void parse_const();
  void parse_typedef();
  void parse_enum(Type type);
  void parse_struct(Type type);
  void parse_union(Type type);
  Field parse_declaration(const std::string& owner);
  Type parse_base_type(const std::string& owner);
  Type parse_nested(std::string_view keyword, const std::string& owner);
  std::uint32_t parse_bound(std::string_view close);
  std::int32_t parse_value();

  Type named(std::string_view name);
  Type add(Kind kind, std::string name, std::uint32_t size, Type element);
  TypeInfo& at(Type type) { return types_[static_cast<std::size_t>(type)]; }
  void define(Type type);

  std::string_view text_;
  std::vector<TypeInfo> types_;
  std::vector<bool> is_defined_;
  std::unordered_map<std::string, Type> names_;
  std::unordered_map<std::string, std::int32_t> constants_;  // consts and enumerators
};

}  // namespace overlayd::xdr
