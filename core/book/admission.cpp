#include "core/book/admission.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace overlayd::book {

PendingSlots split_pending(const SlotTargets& targets) {
  const std::uint64_t authenticated = std::uint64_t{targets.outbound} + targets.inbound;
  if (authenticated == 0) return {};
  const std::uint64_t share = (std::uint64_t{targets.pending} * targets.outbound + authenticated - 1) / authenticated;
  const auto outbound = static_cast<std::uint32_t>(std::max<std::uint64_t>(1, share));
  const std::uint32_t rest = targets.pending > outbound ? targets.pending - outbound : 0;
  return {outbound, std::max<std::uint32_t>(1, rest)};
}

bool has_pending_slot(const PendingInbound& inbound) {
  const std::uint32_t extra = inbound.is_possibly_preferred ? limits::kPreferredInboundPendingExtra : 0;
  return inbound.pending < std::uint64_t{inbound.slots} + extra;
}

std::optional<PeerId> choose_pending_to_yield(std::span<const PendingLink> links) {
  struct Crowd {
    std::size_t size = 0;
    const PendingLink* oldest = nullptr;
  };
  const auto is_older = [](const PendingLink& a, const PendingLink& b) {
    return std::tie(a.since, a.peer) < std::tie(b.since, b.peer);
  };
  std::map<PeerAddress, Crowd> crowds;
  for (const PendingLink& link : links) {
    if (link.has_hello || link.is_possibly_preferred) continue;
    Crowd& crowd = crowds[link.group];
    ++crowd.size;
    if (crowd.oldest == nullptr || is_older(link, *crowd.oldest)) crowd.oldest = &link;
  }
  const Crowd* yields = nullptr;
  for (const auto& [group, crowd] : crowds) {
    const bool is_first = yields == nullptr || crowd.size > yields->size;
    if (is_first || (crowd.size == yields->size && is_older(*crowd.oldest, *yields->oldest))) yields = &crowd;
  }
  if (yields == nullptr) return std::nullopt;
  return yields->oldest->peer;
}

Subnet neighbourhood_of(const PeerAddress& address) {
  constexpr std::uint8_t kV4Bits = 96 + 24;
  constexpr std::uint8_t kV6Bits = 64;
  return Subnet::around(address, address.is_v4() ? kV4Bits : kV6Bits);
}

Admission admit(const Candidate& candidate, std::span<const SlotHolder> holders) {
  if (holders.size() < candidate.slots) return {candidate.is_preferred || !candidate.is_preferred_only, std::nullopt};
  if (!candidate.is_preferred) return {};
  const SlotHolder* yields = nullptr;
  for (const SlotHolder& holder : holders) {
    if (holder.is_preferred) continue;
    if (yields == nullptr || std::tie(holder.since, holder.peer) > std::tie(yields->since, yields->peer)) {
      yields = &holder;
    }
  }
  if (yields == nullptr) return {};
  return {true, yields->peer};
}

}  // namespace overlayd::book
