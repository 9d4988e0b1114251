#include "core/xdr/validate.h"

#include "core/xdr/program.h"

namespace overlayd::xdr {

namespace {

std::uint32_t load_u32(const std::uint8_t* at) {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return __builtin_bswap32(value);
}

// Where to go on when a block ends: to the loop's next item while `items_left`, else behind the instruction.
struct Frame {
  std::uint16_t resume;
  std::uint16_t loop;
  std::uint16_t depth;       // of the block that is returned to
  std::uint16_t item_depth;  // of the loop's items
  std::uint32_t items_left;
};

// A frame is opened one level or more below the last, so the depth bounds the stack too.
constexpr std::size_t kFramesMax = limits::kXdrDepthMax + 1;

class Walk {
 public:
  Walk(const Program& program, ByteView bytes, std::uint32_t depth_max)
      : code_(program.code()),
        targets_(program.targets()),
        at_(bytes.data()),
        end_(bytes.data() + bytes.size()),
        depth_max_(depth_max) {}

  // Walks one value; afterwards at() is its end, or the place of the fault.
  Fault run(const Target& entry) {
    if (entry.need > depth_max_) return Fault::kDepth;
    pc_ = entry.code;
    for (;;) {
      const Instruction& in = code_[pc_];
      if (in.op == Op::kReturn) {
        if (!advance(in.skip)) return Fault::kTruncated;
        if (frame_count_ == 0) return Fault::kNone;
        resume();
        continue;
      }
      if (remaining() < in.skip + std::size_t{4}) return Fault::kTruncated;
      at_ += in.skip;
      const Fault fault = step(in);
      if (fault != Fault::kNone) return fault;
    }
  }

  [[nodiscard]] const std::uint8_t* at() const { return at_; }
  [[nodiscard]] std::size_t pc() const { return pc_; }

 private:
  [[gnu::always_inline]] Fault step(const Instruction& in) {
    const std::uint32_t word = load_u32(at_);
    switch (in.op) {
      case Op::kReturn: break;
      case Op::kBool: return word <= 1 ? done() : Fault::kBool;
      case Op::kEnum: return index(in, word) < in.count ? done() : Fault::kEnum;
      case Op::kSparseEnum: {
        const std::uint32_t i = index(in, word);
        return i < in.count && targets_[in.target + i].code != kNoTarget ? done() : Fault::kEnum;
      }
      case Op::kOpaque: return opaque(in, word);
      case Op::kOptional:
        if (word > 1) return Fault::kOptional;
        if (word == 0) return done();
        return enter(in, targets_[in.target], 1);
      case Op::kArray: return array(in, word);
      case Op::kUnion: {
        const std::uint32_t i = index(in, word);
        if (i >= in.count || targets_[in.target + i].code == kNoTarget) return Fault::kDiscriminant;
        return enter(in, targets_[in.target + i], 1);
      }
      case Op::kSparseUnion:
        for (std::uint32_t i = 0; i < in.count; ++i) {
          const Target& target = targets_[in.target + i];
          if (target.value == static_cast<std::int32_t>(word)) return enter(in, target, 1);
        }
        return Fault::kDiscriminant;
    }
    return Fault::kNone;
  }

  // The word is read: go on behind the instruction.
  Fault done() {
    at_ += 4;
    ++pc_;
    return Fault::kNone;
  }

  static std::uint32_t index(const Instruction& in, std::uint32_t word) { return word - in.operand; }

  [[gnu::always_inline]] Fault opaque(const Instruction& in, std::uint32_t length) {
    if (length > in.size_max) return Fault::kTooLong;
    const std::size_t padded = (std::size_t{length} + 3) & ~std::size_t{3};
    if (remaining() - 4 < padded) return Fault::kTruncated;
    at_ += 4 + padded;
    // The last word's low bytes are the padding.
    const std::uint32_t unused = static_cast<std::uint32_t>(padded) - length;
    if (unused != 0 && (load_u32(at_ - 4) & ((1U << (8 * unused)) - 1)) != 0) {
      at_ -= unused;
      return Fault::kPadding;
    }
    ++pc_;
    return Fault::kNone;
  }

  [[gnu::always_inline]] Fault array(const Instruction& in, std::uint32_t count) {
    if (count > in.size_max) return Fault::kTooLong;
    if (std::uint64_t{count} * in.operand > remaining() - 4) return Fault::kTruncated;
    if (count == 0) return done();
    return enter(in, targets_[in.target], count);
  }

  // Behind the word: `count` times the target, then on behind the instruction.
  [[gnu::always_inline]] Fault enter(const Instruction& in, const Target& target, std::uint32_t count) {
    const std::uint32_t depth = depth_ + in.depth;
    if (depth + target.need > depth_max_) return Fault::kDepth;
    at_ += 4;
    ++pc_;
    if (target.code == kPlain) {
      const std::size_t bytes = std::size_t{target.bytes} * count;
      return advance(bytes) ? Fault::kNone : Fault::kTruncated;
    }
    frames_[frame_count_++] = {.resume = pc_,
                               .loop = target.code,
                               .depth = static_cast<std::uint16_t>(depth_),
                               .item_depth = static_cast<std::uint16_t>(depth),
                               .items_left = count - 1};
    depth_ = depth;
    pc_ = target.code;
    return Fault::kNone;
  }

  void resume() {
    Frame& frame = frames_[frame_count_ - 1];
    if (frame.items_left != 0) {
      --frame.items_left;
      depth_ = frame.item_depth;
      pc_ = frame.loop;
      return;
    }
    depth_ = frame.depth;
    pc_ = frame.resume;
    --frame_count_;
  }

  [[nodiscard]] std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }

  bool advance(std::size_t bytes) {
    if (remaining() < bytes) return false;
    at_ += bytes;
    return true;
  }

  const Instruction* code_;
  const Target* targets_;
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  std::uint32_t depth_max_;
  std::uint32_t depth_ = 0;
  std::uint16_t pc_ = 0;
  std::uint32_t frame_count_ = 0;
  std::array<Frame, kFramesMax> frames_;  // only the first frame_count_ are set
};

std::uint32_t bounded(ValidateLimits limits) { return std::min(limits.depth_max, limits::kXdrDepthMax); }

}  // namespace

Validation validate(Type type, ByteView bytes, ValidateLimits limits) {
  const Program& program = Program::get();
  Walk walk(program, bytes, bounded(limits));
  Fault fault = walk.run(program.entry(type));
  const auto offset = static_cast<std::size_t>(walk.at() - bytes.data());
  if (fault == Fault::kNone) {
    if (offset == bytes.size()) return {.fault = fault, .offset = offset, .where = {}};
    return {.fault = Fault::kTrailing, .offset = offset, .where = type_name(type)};
  }
  return {.fault = fault, .offset = offset, .where = program.where(walk.pc())};
}

std::optional<std::size_t> skip(Type type, ByteView bytes, ValidateLimits limits) {
  const Program& program = Program::get();
  Walk walk(program, bytes, bounded(limits));
  if (walk.run(program.entry(type)) != Fault::kNone) return std::nullopt;
  return static_cast<std::size_t>(walk.at() - bytes.data());
}

std::string_view fault_text(Fault fault) {
  switch (fault) {
    case Fault::kNone: return "valid";
    case Fault::kTruncated: return "truncated";
    case Fault::kTrailing: return "trailing bytes";
    case Fault::kTooLong: return "length over its bound";
    case Fault::kPadding: return "padding is not zero";
    case Fault::kBool: return "bool is neither 0 nor 1";
    case Fault::kOptional: return "optional's flag is neither 0 nor 1";
    case Fault::kEnum: return "unknown enumerator";
    case Fault::kDiscriminant: return "unknown discriminant";
    case Fault::kDepth: return "nested too deeply";
  }
  return "unknown fault";
}

std::string Validation::text() const {
  std::string text(fault_text(fault));
  if (ok()) return text;
  text += " at byte " + std::to_string(offset);
  text += ", in ";
  text += where;
  return text;
}

}  // namespace overlayd::xdr
