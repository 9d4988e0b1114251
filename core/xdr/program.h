// The schema compiled for validation: a flat table of instructions, one for each thing of variable shape. What lies
// between them, any run of integers and fixed opaques over any number of structs, is the `skip` of the next one: one
// bounds check.
//
// Words.  A *block* is the code of one type, ended by kReturn. A *target* is a block as seen from where it is used:
//         either code, or, when the type is plain bytes throughout, just their number.
//         `depth` of an instruction is how many levels (validate.h) lie between its block's start and what it opens;
//         `need` of a block is how many levels it goes down without opening anything.
#pragma once
#include "core/xdr/schema.h"

namespace overlayd::xdr {

enum class Op : std::uint8_t {
  kReturn,  // end of the block
  kBool,
  kEnum,         // u32 in [low, low + count)
  kSparseEnum,   // targets[target + (u32 - low)] is one
  kOpaque,       // length at most `size_max`, bytes, padding
  kOptional,     // flag, targets[target]
  kArray,        // count at most `size_max`, that many times targets[target], each of at least `item_bytes_min`
  kUnion,        // discriminant, targets[target + (discriminant - low)] of `count`
  kSparseUnion,  // discriminant, the target beside it in targets[target, target + count)
};

struct Instruction {
  Op op = Op::kReturn;
  std::uint8_t depth = 0;
  std::uint16_t skip = 0;  // plain bytes before it
  std::uint32_t size_max = 0;
  std::uint32_t operand = 0;  // `low`, or `item_bytes_min`
  std::uint16_t target = 0;
  std::uint16_t count = 0;
};
static_assert(sizeof(Instruction) == 16);

inline constexpr std::uint16_t kPlain = 0;          // Target::code of plain bytes
inline constexpr std::uint16_t kNoTarget = 0xffff;  // Target::code of a discriminant or enumerator that is not one

struct Target {
  std::uint16_t code = kNoTarget;
  std::uint16_t bytes = 0;  // of kPlain
  std::uint16_t need = 0;
  std::int32_t value = 0;  // the discriminant, for kSparseUnion
};

class Program {
 public:
  static const Program& get();

  [[nodiscard]] const Instruction* code() const { return code_.data(); }
  [[nodiscard]] const Target* targets() const { return targets_.data(); }
  [[nodiscard]] const Target& entry(Type type) const { return entries_[static_cast<std::size_t>(type)]; }
  [[nodiscard]] std::string_view where(std::size_t index) const { return where_[index]; }
  [[nodiscard]] std::size_t size() const { return code_.size(); }

 private:
  friend class ProgramBuilder;
  explicit Program(const Schema& schema);

  std::vector<Instruction> code_;
  std::vector<std::string> where_;  // beside code_
  std::vector<Target> targets_;
  std::vector<Target> entries_;  // by Type; code is never kPlain
};

}  // namespace overlayd::xdr
