// What an SCP envelope refers to: the sender's quorum set, and the transaction set of every value but those that stand for
// an empty one (protocol.md section 10).
#pragma once
#include <optional>
#include <vector>

#include "core/inputs.h"
#include "core/xdr/view.h"

namespace overlayd::fetch {

// An envelope with a value that does not decode is of no use to anybody: discarded, not relayed. Allocates nothing: it is
// asked before the signature is checked.
[[nodiscard]] bool are_values_decodable(const xdr::ScpEnvelopeView& envelope);
// Each item once, the quorum set first. Nothing: a value does not decode.
[[nodiscard]] std::optional<std::vector<ItemId>> items_of(const xdr::ScpEnvelopeView& envelope);

}  // namespace overlayd::fetch
