// Whether bytes are the canonical XDR of a type, told in one pass over them, in place.
//
// Promise. Accepts exactly what RFC 4506 and the schema allow, in the one form an encoder produces: padding is zero,
//          bools and optional flags are 0 or 1, enums and discriminants are known, lengths and counts are within their
//          bounds and within the bytes that remain (checked before anything else is done with them), and nothing
//          trails. Bytes of strings are not looked at: XDR strings are opaque here, as in stellar-core.
// Depth.   At most `depth_max` levels, 500 by default, counted like Rust's stellar-xdr (Limits::depth): every struct,
//          union, enum, array, optional, opaque, typedef and integer on the way down is a level; so is the u32 that
//          holds a length, flag, discriminant or bool, and the box of an optional of its own type. So an SCVal may hold
//          124 nested vectors or 99 nested maps, a ClaimPredicate 165 nots or 248 ands, an SCPQuorumSet 248 inner sets,
//          a SorobanAuthorizedInvocation 246 sub-invocations. Rationale: who relays what others cannot
//          decode loses them as peers.
// Departure. Rust's decoder reads any bool but 1 as false; here, as in RFC 4506, only 0 and 1 are bools.
// Cost.    No allocation, no recursion: a stack of 6 KiB in the frame. Time is linear in the bytes.
// Not here: meaning. A quorum set of threshold 0 or a transaction without operations is valid XDR.
#pragma once
#include "core/limits.h"
#include "core/xdr/schema.h"

namespace overlayd::xdr {

enum class Fault : std::uint8_t {
  kNone,
  kTruncated,     // the value goes on after the last byte, or a length or count says it must
  kTrailing,      // bytes after the value
  kTooLong,       // a length or count over the type's bound
  kPadding,       // padding that is not zero
  kBool,          // neither 0 nor 1
  kOptional,      // a flag that is neither 0 nor 1
  kEnum,          // not an enumerator
  kDiscriminant,  // no arm of the union
  kDepth,         // nested too deeply
};

struct ValidateLimits {
  std::uint32_t depth_max = limits::kXdrDepthMax;  // more than kXdrDepthMax counts as kXdrDepthMax
};

struct [[nodiscard]] Validation {
  Fault fault = Fault::kNone;
  std::size_t offset = 0;  // of the byte where the fault was noticed; the value's size if there is none
  std::string_view where;  // "Transaction.memo": the field being read, or the first after a run of plain bytes

  [[nodiscard]] bool ok() const { return fault == Fault::kNone; }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] std::string text() const;  // "unknown discriminant at byte 60, in Transaction.memo"
};

[[nodiscard]] std::string_view fault_text(Fault fault);

// Whether all of `bytes` is one value.
Validation validate(Type type, ByteView bytes, ValidateLimits limits = {});

// The size of the value at the start of `bytes`, if there is a valid one; what follows it does not matter.
[[nodiscard]] std::optional<std::size_t> skip(Type type, ByteView bytes, ValidateLimits limits = {});

}  // namespace overlayd::xdr
