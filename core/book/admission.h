// Who gets a slot and who yields. Pure functions over values; the caller counts and drops.
//
// Rule 1.  Pending slots are split between the directions as the authenticated ones are: outbound gets ceil(pending ×
//          outbound ÷ (outbound + inbound)), at least 1; inbound the rest, at least 1. Without any authenticated slot
//          there is no pending one. Source: Config::adjust.
// Rule 2.  A pending inbound link is taken while a slot is free; an address whose IP is that of a configured preferred
//          peer may use 2 more. Rationale: a flood of strangers cannot lock preferred peers out before they prove who
//          they are. Source: OverlayManagerImpl::haveSpaceForConnection, Config::POSSIBLY_PREFERRED_EXTRA.
//          (ours) While none is free, the one that yields to a newcomer is the oldest link that has not sent HELLO, of the
//          group (address.h) that has most of those; of equal groups, that of the oldest link. Rationale: an honest
//          caller's HELLO comes with the first packet; whoever opens sockets and says nothing has only its own places to
//          lose.
// Rule 3.  On authentication, per direction: a preferred peer takes a free slot, else the slot of a peer that is not
//          preferred (it is dropped with kPreferredSelected), else it is refused. Any other takes a free slot, unless
//          only preferred peers are wanted. Source: OverlayManagerImpl::PeersList::acceptAuthenticatedPeer.
// Rule 4.  (ours) The one that yields is the youngest, of equals the one with the highest PeerId; stellar-core takes
//          the lowest node id. Rationale: long links have proved their worth, and a node id can be chosen to survive.
// Source:  stellar-core, commit a9b8613; departures from it are marked "ours".
#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include "core/clock.h"
#include "core/ids.h"
#include "core/limits.h"

namespace overlayd::book {

struct SlotTargets {
  std::uint32_t outbound = limits::kOutboundTarget;
  std::uint32_t inbound = limits::kInboundMax;
  std::uint32_t pending = limits::kPendingMax;
};
struct PendingSlots {
  std::uint32_t outbound = 0;
  std::uint32_t inbound = 0;
};
[[nodiscard]] PendingSlots split_pending(const SlotTargets& targets);

struct PendingInbound {
  std::uint32_t pending = 0;           // inbound links not authenticated yet, without the new one
  std::uint32_t slots = 0;             // PendingSlots::inbound
  bool is_possibly_preferred = false;  // its IP is that of a preferred peer
};
[[nodiscard]] bool has_pending_slot(const PendingInbound& inbound);

// An inbound link that is not authenticated yet.
struct PendingLink {
  PeerId peer;
  PeerAddress group;
  Instant since;
  bool has_hello = false;
  bool is_possibly_preferred = false;
};
// Rule 2; nothing: all have sent HELLO, or may be preferred.
[[nodiscard]] std::optional<PeerId> choose_pending_to_yield(std::span<const PendingLink> links);

// (ours) How many inbound links one address, and its neighbours, may have; the candidate's own not counted.
struct InboundCrowd {
  std::uint32_t of_ip = 0;
  std::uint32_t of_subnet = 0;
};
struct InboundLimits {
  std::uint32_t per_ip = limits::kInboundPerIpMax;
  std::uint32_t per_subnet = limits::kInboundPerSubnetMax;
};
[[nodiscard]] inline bool is_crowded(const InboundCrowd& crowd, const InboundLimits& limits) {
  return crowd.of_ip >= limits.per_ip || crowd.of_subnet >= limits.per_subnet;
}
// The neighbours of an address: its IPv4 /24 or IPv6 /64.
[[nodiscard]] Subnet neighbourhood_of(const PeerAddress& address);

// An authenticated peer of the candidate's direction.
struct SlotHolder {
  PeerId peer;
  bool is_preferred = false;
  Instant since;
};
struct Candidate {
  bool is_preferred = false;
  bool is_preferred_only = false;  // Config::PREFERRED_PEERS_ONLY
  std::uint32_t slots = 0;         // authenticated slots of the direction
};
struct Admission {
  bool is_accepted = false;
  std::optional<PeerId> yields;  // to be dropped first
};
[[nodiscard]] Admission admit(const Candidate& candidate, std::span<const SlotHolder> holders);

}  // namespace overlayd::book
