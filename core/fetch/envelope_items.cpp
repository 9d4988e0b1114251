#include "core/fetch/envelope_items.h"

#include <set>

namespace overlayd::fetch {

std::optional<std::vector<ItemId>> items_of(const xdr::ScpEnvelopeView& envelope) {
  std::vector<ItemId> items{{ItemKind::kQuorumSet, envelope.quorum_set_hash}};
  std::set<ItemHash> tx_sets;  // ordered: whoever made the envelope could choose hashes that fall into one bucket
  bool are_decodable = true;
  envelope.for_each_value([&](ByteView bytes) {
    const auto value = xdr::read_stellar_value(bytes);
    are_decodable &= value.has_value();
    if (value && value->needs_tx_set() && tx_sets.insert(value->tx_set_hash).second)
      items.push_back({ItemKind::kTxSet, value->tx_set_hash});
  });
  if (!are_decodable) return std::nullopt;
  return items;
}

}  // namespace overlayd::fetch
