#include "core/xdr/schema.h"

#include "core/xdr/schema/contract.h"
#include "core/xdr/schema/ledger.h"
#include "core/xdr/schema/ledger_entries.h"
#include "core/xdr/schema/overlay.h"
#include "core/xdr/schema/scp.h"
#include "core/xdr/schema/transaction.h"
#include "core/xdr/schema/types.h"
#include "core/xdr/schema_parser.h"

namespace overlayd::xdr {

namespace {

// In the order of the enumerators of Type.
constexpr std::string_view kRoots[] = {
    "StellarMessage",
    "AuthenticatedMessage",
    "TransactionEnvelope",
    "TransactionSet",
    "GeneralizedTransactionSet",
    "SCPEnvelope",
    "SCPQuorumSet",
    "SCPStatement",
    "StellarValue",
    "TransactionV0",
    "Transaction",
    "FeeBumpTransaction",
    "TimeSlicedSurveyRequestMessage",
    "TimeSlicedSurveyResponseMessage",
    "TimeSlicedSurveyStartCollectingMessage",
    "TimeSlicedSurveyStopCollectingMessage",
    "TopologyResponseBodyV2",
    "SurveyResponseBody",
    "SCPBallot",
    "Preconditions",
    "TimeBounds",
    "Memo",
    "Operation",
    "MuxedAccount",
};
static_assert(std::size(kRoots) == static_cast<std::size_t>(Type::kMuxedAccount) + 1);

}  // namespace

const Schema& Schema::get() {
  static const Schema schema;
  return schema;
}

Schema::Schema() {
  SchemaParser parser(kRoots);
  for (const std::string_view text : {schema::kTypes, schema::kScp, schema::kContract, schema::kLedgerEntries,
                                      schema::kTransaction, schema::kLedger, schema::kOverlay}) {
    parser.parse(text);
  }
  types_ = parser.take();
}

std::optional<Type> Schema::find_type(std::string_view name) const {
  for (std::size_t i = 0; i < types_.size(); ++i) {
    if (types_[i].name == name) return static_cast<Type>(i);
  }
  return std::nullopt;
}

const Field* Schema::find_arm(const TypeInfo& union_type, std::int32_t discriminant) {
  for (const UnionCase& c : union_type.cases) {
    if (c.value == discriminant) return &union_type.fields[c.arm];
  }
  return nullptr;
}

std::optional<Type> find_type(std::string_view name) { return Schema::get().find_type(name); }

std::string_view type_name(Type type) { return Schema::get().info(type).name; }

}  // namespace overlayd::xdr
