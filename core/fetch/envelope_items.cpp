#include "core/fetch/envelope_items.h"

#include <set>

namespace overlayd::fetch {

bool are_values_decodable(const xdr::ScpEnvelopeView& envelope) {
  bool are_decodable = true;
  envelope.for_each_value([&](ByteView bytes) { are_decodable &= xdr::read_stellar_value(bytes).has_value(); });
  return are_decodable;
}

std::optional<std::vector<ItemId>> items_of(const xdr::ScpEnvelopeView& envelope) {
  if (!are_values_decodable(envelope)) return std::nullopt;
  std::vector<ItemId> items{{ItemKind::kQuorumSet, envelope.quorum_set_hash}};
  std::set<ItemHash> tx_sets;  // ordered: whoever made the envelope could choose hashes that fall into one bucket
  envelope.for_each_value([&](ByteView bytes) {
    const auto value = xdr::read_stellar_value(bytes);
    if (value->needs_tx_set() && tx_sets.insert(value->tx_set_hash).second)
      items.push_back({ItemKind::kTxSet, value->tx_set_hash});
  });
  return items;
}

}  // namespace overlayd::fetch
