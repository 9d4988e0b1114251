#include "core/flood/signature_cache.h"

namespace overlayd::flood {

std::optional<bool> SignatureCache::find(const FloodHash& envelope) const {
  const bool* const is_valid = checked_.find(envelope);
  return is_valid == nullptr ? std::nullopt : std::optional(*is_valid);
}

void SignatureCache::remember(const FloodHash& envelope, bool is_valid) {
  *checked_.try_insert(envelope, is_valid).first = is_valid;
  if (checked_.size() > envelopes_max_) checked_.erase_oldest();
}

}  // namespace overlayd::flood
