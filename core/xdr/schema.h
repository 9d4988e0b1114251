// The XDR types of the overlay, as data. They are stated once, in the language of RFC 4506, in schema/*.h; everything
// else here follows from that text: validation (program.h), JSON (json.h), the fuzz dictionary (json.h).
//
// Words.  A *type* is one node of the graph: a primitive, or something built of other types. Named types carry the name
//         they have in Stellar's .x files ("SCVal"); anonymous ones (the elements of a struct's field) have a path
//         ("Transaction.ext"). A *newtype* is a typedef: the same bytes under another name. int32, uint32, int64 and
//         uint64 are primitives, not newtypes.
// Errors. A schema text that does not parse, or names an unknown type, stops the process at first use: it is ours.
// Limits. Built once, at first use, in well under a millisecond; about a thousand types. Immutable afterwards, so every
//         thread may read it.
#pragma once
#include "core/bytes.h"

namespace overlayd::xdr {

// A type by number. The named enumerators are the roots callers ask for; others come from find_type.
enum class Type : std::uint16_t {
  kStellarMessage,
  kAuthenticatedMessage,
  kTransactionEnvelope,
  kTransactionSet,
  kGeneralizedTransactionSet,
  kScpEnvelope,
  kScpQuorumSet,
  kScpStatement,
  kStellarValue,
  kTransactionV0,
  kTransaction,
  kFeeBumpTransaction,
  kTimeSlicedSurveyRequestMessage,
  kTimeSlicedSurveyResponseMessage,
  kTimeSlicedSurveyStartCollectingMessage,
  kTimeSlicedSurveyStopCollectingMessage,
  kTopologyResponseBodyV2,
  kSurveyResponseBody,
  kScpBallot,
  kPreconditions,
  kTimeBounds,
  kMemo,
  kOperation,
  kMuxedAccount,
};

enum class Kind : std::uint8_t {
  kVoid,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kBool,
  kEnum,
  kOpaque,     // opaque[size]
  kVarOpaque,  // opaque<size>
  kString,     // string<size>
  kArray,      // element<size>
  kOptional,   // element*
  kNewtype,    // typedef of element
  kStruct,
  kUnion,
};

// A field of a struct or an arm of a union.
struct Field {
  std::string name;  // as in the .x file, "slotIndex"
  Type type{};
};

struct EnumValue {
  std::string name;  // "SCP_ST_PREPARE"
  std::int32_t value = 0;
};

// One discriminant of a union. Several may lead to the same arm.
struct UnionCase {
  std::int32_t value = 0;
  std::uint16_t arm = 0;  // index into fields
};

inline constexpr std::uint32_t kUnbounded = 0xffffffff;  // the size of opaque<>, string<> and element<>

struct TypeInfo {
  Kind kind = Kind::kVoid;
  std::string name;               // a path for anonymous types
  std::uint32_t size = 0;         // bytes or items; the largest allowed where the kind is variable
  Type element{};                 // of kArray, kOptional, kNewtype; the discriminant's type of kUnion
  std::vector<Field> fields;      // of kStruct, kUnion
  std::vector<UnionCase> cases;   // of kUnion
  std::vector<EnumValue> values;  // of kEnum
};

class Schema {
 public:
  static const Schema& get();

  [[nodiscard]] const TypeInfo& info(Type type) const { return types_[static_cast<std::size_t>(type)]; }
  [[nodiscard]] std::size_t size() const { return types_.size(); }
  [[nodiscard]] std::optional<Type> find_type(std::string_view name) const;
  // The union's arm for a discriminant, if it has one.
  [[nodiscard]] static const Field* find_arm(const TypeInfo& union_type, std::int32_t discriminant);

 private:
  Schema();
  std::vector<TypeInfo> types_;
};

// A named type, "SCVal".
[[nodiscard]] std::optional<Type> find_type(std::string_view name);
[[nodiscard]] std::string_view type_name(Type type);

}  // namespace overlayd::xdr
