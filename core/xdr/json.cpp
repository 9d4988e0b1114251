#include "core/xdr/json.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "core/xdr/reader.h"
#include "core/xdr/validate.h"

namespace overlayd::xdr {

namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

// A word begins at a capital behind a small letter (digits count as what precedes them), and at a run of capitals' last
// one if a small letter follows: p75SCPFirst is p75, SCP, First.
std::string snake_case(std::string_view name) {
  std::string out;
  bool was_lower = false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool ends_run = is_upper(c) && !was_lower && i + 1 < name.size() && is_lower(name[i + 1]);
    if (is_upper(c) && !out.empty() && out.back() != '_' && (was_lower || ends_run)) out += '_';
    if (is_upper(c)) was_lower = false;
    if (is_lower(c)) was_lower = true;
    out += is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

std::string field_name(const Field& field) { return field.name == "type" ? "type_" : snake_case(field.name); }

// How many characters all enumerators share, in whole words; an only one shares nothing.
std::size_t common_prefix(const std::vector<EnumValue>& values) {
  if (values.size() < 2) return 0;
  std::string_view shared = values.front().name;
  for (const EnumValue& value : values) {
    const auto [end, other] = std::mismatch(shared.begin(), shared.end(), value.name.begin(), value.name.end());
    shared = shared.substr(0, static_cast<std::size_t>(end - shared.begin()));
  }
  const std::size_t last = shared.rfind('_');
  return last == std::string_view::npos ? 0 : last + 1;
}

std::string enum_name(const TypeInfo& info, std::int32_t number) {
  for (const EnumValue& value : info.values) {
    if (value.value == number) return snake_case(std::string_view(value.name).substr(common_prefix(info.values)));
  }
  return {};
}

std::string numbered(std::string_view word, std::int64_t number) {
  std::string name(word);
  name += std::to_string(number);
  return name;
}

std::string discriminant_name(const TypeInfo& union_info, std::int32_t number) {
  const TypeInfo& type = Schema::get().info(union_info.element);
  return type.kind == Kind::kEnum ? enum_name(type, number) : numbered("v", number);
}

// Writes one validated value.
class Emitter {
 public:
  Emitter(ByteView bytes, JsonOptions options) : reader_(bytes), options_(options) {}

  std::string take() { return std::move(out_); }

  void value(Type type) {
    const TypeInfo& info = Schema::get().info(type);
    switch (info.kind) {
      case Kind::kVoid: out_ += "null"; return;
      case Kind::kInt32: out_ += std::to_string(reader_.i32()); return;
      case Kind::kUint32: out_ += std::to_string(reader_.u32()); return;
      case Kind::kInt64: quoted(std::to_string(static_cast<std::int64_t>(reader_.u64()))); return;
      case Kind::kUint64: quoted(std::to_string(reader_.u64())); return;
      case Kind::kBool: out_ += reader_.u32() != 0 ? "true" : "false"; return;
      case Kind::kEnum: quoted(enum_name(info, reader_.i32())); return;
      case Kind::kOpaque: numbers(reader_.fixed(info.size)); return;
      case Kind::kVarOpaque: quoted(to_hex(reader_.variable(info.size))); return;
      case Kind::kString: text(reader_.variable(info.size)); return;
      case Kind::kArray: array(info); return;
      case Kind::kOptional:
        if (reader_.optional()) {
          value(info.element);
        } else {
          out_ += "null";
        }
        return;
      case Kind::kNewtype: newtype(info); return;
      case Kind::kStruct: structure(info); return;
      case Kind::kUnion: union_value(info); return;
    }
  }

 private:
  void quoted(std::string_view plain) {
    out_ += '"';
    out_ += plain;
    out_ += '"';
  }

  void text(ByteView bytes) {
    out_ += '"';
    for (const std::uint8_t byte : bytes) character(byte);
    out_ += '"';
  }

  // Printable ASCII as it is; the rest as the text \xNN, \n, \t, \r or \0, whose backslash JSON then escapes.
  void character(std::uint8_t byte) {
    switch (byte) {
      case '"': out_ += "\\\""; return;
      case '\\': out_ += "\\\\\\\\"; return;
      case '\n': out_ += "\\\\n"; return;
      case '\r': out_ += "\\\\r"; return;
      case '\t': out_ += "\\\\t"; return;
      case 0: out_ += "\\\\0"; return;
      default: break;
    }
    if (byte >= 0x20 && byte < 0x7f) {
      out_ += static_cast<char>(byte);
      return;
    }
    out_ += "\\\\x";
    out_ += to_hex({&byte, 1});
  }

  void numbers(ByteView bytes) {
    out_ += '[';
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (i != 0) out_ += ',';
      out_ += std::to_string(bytes[i]);
    }
    out_ += ']';
  }

  void array(const TypeInfo& info) {
    const std::uint32_t count = reader_.count(kUnbounded, 4);
    out_ += '[';
    for (std::uint32_t i = 0; i < count; ++i) {
      if (i != 0) out_ += ',';
      value(info.element);
    }
    out_ += ']';
  }

  void newtype(const TypeInfo& info) {
    const TypeInfo& element = Schema::get().info(info.element);
    if (element.kind != Kind::kOpaque) {
      value(info.element);
      return;
    }
    const ByteView bytes = reader_.fixed(element.size);
    if (info.name.starts_with("AssetCode")) {
      text(asset_code(bytes));
    } else {
      quoted(to_hex(bytes));
    }
  }

  // Without the zeros behind it; a 12-byte code keeps at least 5 characters, or it would read as a 4-byte one.
  static ByteView asset_code(ByteView bytes) {
    const std::size_t least = bytes.size() > 4 ? 5 : 0;
    while (bytes.size() > least && bytes.back() == 0) bytes = bytes.first(bytes.size() - 1);
    return bytes;
  }

  void structure(const TypeInfo& info) {
    out_ += '{';
    for (const Field& field : info.fields) {
      if (out_.back() != '{') out_ += ',';
      quoted(field_name(field));
      out_ += ':';
      value(field.type);
    }
    out_ += '}';
  }

  void union_value(const TypeInfo& info) {
    const std::int32_t discriminant = reader_.i32();
    const Field* arm = Schema::find_arm(info, discriminant);
    if (arm == nullptr) return;  // validated
    if (info.name == "AssetCode" || info.name == "SCAddress" || info.name == "MuxedAccount" ||
        info.name == "PublicKey") {
      if (bare(info, discriminant, *arm)) return;
    }
    const std::string name = discriminant_name(info, discriminant);
    if (Schema::get().info(arm->type).kind == Kind::kVoid) {
      quoted(name);
      return;
    }
    out_ += '{';
    quoted(name);
    out_ += ':';
    value(arm->type);
    out_ += '}';
  }

  // Keys and asset codes stand for themselves.
  bool bare(const TypeInfo& info, std::int32_t discriminant, const Field& arm) {
    constexpr std::int32_t kEd25519 = 0;  // also SC_ADDRESS_TYPE_ACCOUNT
    if (info.name == "AssetCode" || (info.name == "SCAddress" && discriminant == kEd25519)) {
      value(arm.type);
      return true;
    }
    if (info.name == "SCAddress" || discriminant != kEd25519) return false;
    const ByteView key = reader_.fixed(32);
    quoted(options_.key_text != nullptr ? options_.key_text(key) : to_hex(key));
    return true;
  }

  Reader reader_;
  JsonOptions options_;
  std::string out_;
};

void add_word(std::string& out, std::set<std::string>& seen, const std::string& name, std::uint32_t value) {
  if (!seen.insert(name).second) return;
  char line[40];
  std::snprintf(line, sizeof line, "=\"\\x%02x\\x%02x\\x%02x\\x%02x\"\n", value >> 24, (value >> 16) & 0xff,
                (value >> 8) & 0xff, value & 0xff);
  out += name + line;
}

}  // namespace

std::string to_json(Type type, ByteView bytes, JsonOptions options) {
  if (!validate(type, bytes)) return {};
  Emitter emitter(bytes, options);
  emitter.value(type);
  return emitter.take();
}

std::string json_name(Type enum_or_union, std::int32_t value) {
  const TypeInfo& info = Schema::get().info(enum_or_union);
  if (info.kind == Kind::kEnum) return enum_name(info, value);
  if (info.kind == Kind::kUnion && Schema::find_arm(info, value) != nullptr) return discriminant_name(info, value);
  return {};
}

std::vector<std::string> type_names() {
  const Schema& schema = Schema::get();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < schema.size(); ++i) {
    const std::string& name = schema.info(static_cast<Type>(i)).name;
    if (name.find_first_of(".<") == std::string::npos) names.push_back(name);
  }
  return names;
}

std::string fuzz_dictionary() {
  const Schema& schema = Schema::get();
  std::string out;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < schema.size(); ++i) {
    const TypeInfo& info = schema.info(static_cast<Type>(i));
    for (const EnumValue& value : info.values) {
      add_word(out, seen, value.name, static_cast<std::uint32_t>(value.value));
    }
    for (const UnionCase& c : info.cases) {
      add_word(out, seen, numbered("case_", c.value), static_cast<std::uint32_t>(c.value));
    }
    const bool is_bounded = info.kind == Kind::kVarOpaque || info.kind == Kind::kString || info.kind == Kind::kArray;
    if (is_bounded && info.size != kUnbounded) {
      add_word(out, seen, numbered("bound_", info.size), info.size);
      add_word(out, seen, numbered("over_", info.size), info.size + 1);
    }
  }
  return out;
}

}  // namespace overlayd::xdr
