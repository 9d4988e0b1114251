// Which SCP envelopes had their signature checked, and how it came out.
//
// A flood record says whether a message is known *now*; it goes when its ledger is over, when the gate is full, and when
// the envelope was discarded. A signature stays right or wrong for ever, and some 12,900 a second can be checked on a
// core (design.md, section 7). So an envelope that comes again is judged without a second check, and one with a bad
// signature, sent over and over, costs us a look here each time.
// Keyed by the flood hash, which covers node, statement and signature.
// Limits.  envelopes_max (stellar-core's cache of verified signatures has 65,535 entries as well); past it the oldest
//          goes, and is checked again should it come again.
#pragma once
#include <optional>

#include "core/flood/insertion_map.h"
#include "core/ids.h"
#include "core/limits.h"

namespace overlayd::flood {

class SignatureCache {
 public:
  explicit SignatureCache(std::size_t envelopes_max = limits::kSignatureCacheMax) : envelopes_max_(envelopes_max) {}

  // Whether the signature is valid, if that is known.
  [[nodiscard]] std::optional<bool> find(const FloodHash& envelope) const;
  void remember(const FloodHash& envelope, bool is_valid);
  [[nodiscard]] std::size_t size() const { return checked_.size(); }

 private:
  std::size_t envelopes_max_;
  InsertionMap<FloodHash, bool> checked_;
};

}  // namespace overlayd::flood
