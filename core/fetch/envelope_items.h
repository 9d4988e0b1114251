// What an SCP envelope refers to: the sender's quorum set, and the transaction set of every value but those that stand for
// an empty one (protocol.md section 10).
#pragma once
#include <optional>
#include <vector>

#include "core/inputs.h"
#include "core/xdr/view.h"

namespace overlayd::fetch {

// Each item once, the quorum set first. Nothing: a value does not decode, and the envelope is of no use to anybody.
[[nodiscard]] std::optional<std::vector<ItemId>> items_of(const xdr::ScpEnvelopeView& envelope);

}  // namespace overlayd::fetch
