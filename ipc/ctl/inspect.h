// overlayctl inspect: what XDR values are, item by item.
//
// Output. --json: one object an item, in this order
//           index         from 0
//           type          the protocol name of the message (TRANSACTION) for StellarMessage and AuthenticatedMessage,
//           else
//                         the name of the type asked for; absent if the item has none that is known
//           size, blake2b_256, sha256   of the item's bytes; absent if there are none (a line that is not base64)
//           tx_hash       of a transaction, if a network is given
//           hash          of a transaction set or quorum set: the hash by which peers ask for it
//           content       with --decode, of a valid item
//           error         why the item is not valid: what, at which byte, in which field
//         Otherwise a table, and a line with the totals.
// Every item is looked at, whatever came before it. Nothing in the input can end the program.
#pragma once
#include <optional>
#include <ostream>
#include <string>

#include "core/ids.h"
#include "core/result.h"
#include "core/xdr/schema.h"
#include "ipc/ctl/xdr_input.h"

namespace overlayd::ipc::ctl {

struct InspectOptions {
  xdr::Type type = xdr::Type::kStellarMessage;
  std::optional<NetworkId> network{};
  bool is_json = false;
  bool is_decoded = false;
};

// The types that can be asked for: StellarMessage, AuthenticatedMessage, TransactionEnvelope,
// GeneralizedTransactionSet, TransactionSet, SCPEnvelope, SCPQuorumSet. The failure lists them.
[[nodiscard]] Result<xdr::Type> to_inspectable(std::string_view name);

struct InspectTotals {
  std::uint64_t items = 0;
  std::uint64_t invalid = 0;
};
// Fails only if reading or writing does.
[[nodiscard]] Result<InspectTotals> inspect(XdrInput& input, const InspectOptions& options, std::ostream& out);

}  // namespace overlayd::ipc::ctl
