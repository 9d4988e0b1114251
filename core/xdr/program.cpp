#include "core/xdr/program.h"

#include <algorithm>
#include <limits>

#include "core/check.h"

namespace overlayd::xdr {

namespace {

// Unions and enums spanning more than this are searched, not indexed: MuxedAccount has 0 and 0x100.
constexpr std::int64_t kDenseSpanMax = 64;

template <typename T>
T narrow(std::size_t value) {
  OVERLAYD_CHECK(value <= std::numeric_limits<T>::max());
  return static_cast<T>(value);
}

template <typename Items>
std::pair<std::int32_t, std::int32_t> range_of(const Items& items) {
  const auto [low, high] =
      std::minmax_element(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.value < b.value; });
  return {low->value, high->value};
}

}  // namespace

class ProgramBuilder {
 public:
  ProgramBuilder(const Schema& schema, Program& program) : schema_(schema), program_(program), bodies_(schema.size()) {}

  void build() {
    for (std::size_t i = 0; i < schema_.size(); ++i) compile(static_cast<Type>(i));
    lay_out();
  }

 private:
  struct Body {
    std::vector<Instruction> code;
    std::vector<std::string> where;
    std::size_t pending = 0;  // plain bytes not yet put before an instruction
    std::size_t need = 0;
  };

  void compile(Type type) {
    Body& body = bodies_[static_cast<std::size_t>(type)];
    const std::string& name = schema_.info(type).name;
    emit(body, type, 0, name);
    put(body, {.op = Op::kReturn}, name);
  }

  static void put(Body& body, Instruction instruction, const std::string& where) {
    instruction.skip = narrow<std::uint16_t>(body.pending);
    body.pending = 0;
    body.code.push_back(instruction);
    body.where.push_back(where);
  }

  static void plain(Body& body, std::size_t bytes, std::size_t need) {
    body.pending += bytes;
    body.need = std::max(body.need, need);
  }

  // Appends `type`, which starts `depth` levels below the block's start.
  void emit(Body& body, Type type, std::size_t depth, const std::string& where) {
    const TypeInfo& info = schema_.info(type);
    const auto opened = narrow<std::uint8_t>(depth + 1);
    switch (info.kind) {
      case Kind::kVoid: return;
      case Kind::kInt32:
      case Kind::kUint32: return plain(body, 4, depth + 1);
      case Kind::kInt64:
      case Kind::kUint64: return plain(body, 8, depth + 1);
      case Kind::kOpaque: return plain(body, info.size, depth + 1);
      case Kind::kBool: put(body, {.op = Op::kBool}, where); return plain(body, 0, depth + 2);
      case Kind::kEnum: return emit_enum(body, info, depth, where);
      case Kind::kVarOpaque:
      case Kind::kString:
        put(body, {.op = Op::kOpaque, .size_max = info.size}, where);
        return plain(body, 0, depth + 2);
      case Kind::kArray: {
        Instruction array{.op = Op::kArray, .depth = opened, .size_max = info.size, .target = target(info.element)};
        array.operand = narrow<std::uint32_t>(bytes_min(info.element));
        put(body, array, where);
        return plain(body, 0, depth + 2);
      }
      case Kind::kOptional: {
        const bool is_boxed = info.name.starts_with(schema_.info(info.element).name + ".");
        const auto child = narrow<std::uint8_t>(depth + (is_boxed ? 2 : 1));
        put(body, {.op = Op::kOptional, .depth = child, .target = target(info.element)}, where);
        return plain(body, 0, depth + 2);
      }
      case Kind::kNewtype: return emit(body, info.element, depth + 1, where);
      case Kind::kStruct:
        plain(body, 0, depth + 1);
        for (const Field& field : info.fields) emit(body, field.type, depth + 1, info.name + "." + field.name);
        return;
      case Kind::kUnion: return emit_union(body, info, depth, where);
    }
  }

  void emit_enum(Body& body, const TypeInfo& info, std::size_t depth, const std::string& where) {
    const auto [low, high] = range_of(info.values);
    const std::size_t span = static_cast<std::size_t>(std::int64_t{high} - low) + 1;
    Instruction instruction{
        .op = Op::kEnum, .operand = static_cast<std::uint32_t>(low), .count = narrow<std::uint16_t>(span)};
    if (span != info.values.size()) {
      instruction.op = Op::kSparseEnum;
      instruction.target = reserve_targets(span);
      for (const EnumValue& value : info.values) {
        program_.targets_[instruction.target + static_cast<std::size_t>(value.value - low)].code = kPlain;
      }
    }
    put(body, instruction, where);
    plain(body, 0, depth + 2);
  }

  void emit_union(Body& body, const TypeInfo& info, std::size_t depth, const std::string& where) {
    const auto [low, high] = range_of(info.cases);
    const bool is_dense = std::int64_t{high} - low < kDenseSpanMax;
    const std::size_t span = is_dense ? static_cast<std::size_t>(high - low) + 1 : info.cases.size();
    const std::uint16_t first = reserve_targets(span);
    for (std::size_t i = 0; i < info.cases.size(); ++i) {
      const UnionCase& c = info.cases[i];
      const std::size_t slot = first + (is_dense ? static_cast<std::size_t>(c.value - low) : i);
      target_types_[slot] = info.fields[c.arm].type;
      program_.targets_[slot].value = c.value;
    }
    put(body,
        {.op = is_dense ? Op::kUnion : Op::kSparseUnion,
         .depth = narrow<std::uint8_t>(depth + 1),
         .operand = static_cast<std::uint32_t>(low),
         .target = first,
         .count = narrow<std::uint16_t>(span)},
        where);
    plain(body, 0, depth + (schema_.info(info.element).kind == Kind::kEnum ? 3 : 2));
  }

  std::uint16_t reserve_targets(std::size_t count) {
    const auto first = narrow<std::uint16_t>(program_.targets_.size());
    program_.targets_.resize(first + count);
    target_types_.resize(first + count);
    return first;
  }

  std::uint16_t target(Type type) {
    const std::uint16_t slot = reserve_targets(1);
    target_types_[slot] = type;
    return slot;
  }

  // The smallest encoding of a type. Recursive types recur behind counts and flags only, so this ends.
  std::size_t bytes_min(Type type) {
    const TypeInfo& info = schema_.info(type);
    switch (info.kind) {
      case Kind::kVoid: return 0;
      case Kind::kInt32:
      case Kind::kUint32:
      case Kind::kBool:
      case Kind::kEnum:
      case Kind::kVarOpaque:
      case Kind::kString:
      case Kind::kArray:
      case Kind::kOptional: return 4;
      case Kind::kInt64:
      case Kind::kUint64: return 8;
      case Kind::kOpaque: return info.size;
      case Kind::kNewtype: return bytes_min(info.element);
      case Kind::kStruct: {
        std::size_t sum = 0;
        for (const Field& field : info.fields) sum += bytes_min(field.type);
        return sum;
      }
      case Kind::kUnion: {
        std::size_t least = std::numeric_limits<std::size_t>::max();
        for (const Field& arm : info.fields) least = std::min(least, bytes_min(arm.type));
        return 4 + least;
      }
    }
    return 0;
  }

  void lay_out() {
    program_.code_.emplace_back();  // index 0 is kPlain
    program_.where_.emplace_back();
    for (const Body& body : bodies_) {
      const auto start = narrow<std::uint16_t>(program_.code_.size());
      program_.entries_.push_back({.code = start, .need = narrow<std::uint16_t>(body.need)});
      program_.code_.insert(program_.code_.end(), body.code.begin(), body.code.end());
      program_.where_.insert(program_.where_.end(), body.where.begin(), body.where.end());
    }
    OVERLAYD_CHECK(program_.code_.size() < kNoTarget);
    for (std::size_t slot = 0; slot < target_types_.size(); ++slot) {
      if (!target_types_[slot]) continue;
      const auto type = static_cast<std::size_t>(*target_types_[slot]);
      Target& target = program_.targets_[slot];
      const bool is_plain = bodies_[type].code.size() == 1;
      target.code = is_plain ? kPlain : program_.entries_[type].code;
      target.bytes = is_plain ? bodies_[type].code.front().skip : std::uint16_t{0};
      target.need = program_.entries_[type].need;
    }
  }

  const Schema& schema_;
  Program& program_;
  std::vector<Body> bodies_;
  std::vector<std::optional<Type>> target_types_;  // beside program_.targets_
};

Program::Program(const Schema& schema) { ProgramBuilder(schema, *this).build(); }

const Program& Program::get() {
  static const Program program(Schema::get());
  return program;
}

}  // namespace overlayd::xdr
