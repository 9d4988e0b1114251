#include "core/book/anchors.h"

#include <algorithm>

#include "core/book/address.h"
#include "core/limits.h"

namespace overlayd::book {

Anchors::Anchors(std::span<const PeerAddress> stored) {
  for (const PeerAddress& address : stored)
    if (anchors_.size() < limits::kAnchorsMax && !contains(address)) anchors_.push_back({address});
}

void Anchors::on_link_ended(const PeerAddress& address, Duration authenticated_for) {
  for (Anchor& anchor : anchors_) {
    if (anchor.address != address) continue;
    anchor.failures = authenticated_for < limits::kAnchorAgeMin ? anchor.failures + 1 : 0;
  }
}

void Anchors::refresh(std::span<const AnchorCandidate> candidates, Instant now,
                      const std::function<bool(const PeerAddress&)>& is_given_up, Outputs& out) {
  const std::vector<PeerAddress> before = list();
  std::erase_if(anchors_, [&](const Anchor& anchor) {
    return anchor.failures >= limits::kAnchorFailuresMax || is_given_up(anchor.address);
  });
  std::vector<AnchorCandidate> oldest(candidates.begin(), candidates.end());
  std::sort(oldest.begin(), oldest.end(), [](const AnchorCandidate& a, const AnchorCandidate& b) {
    return std::tie(a.since, a.address) < std::tie(b.since, b.address);
  });
  for (const AnchorCandidate& candidate : oldest) {
    if (anchors_.size() >= limits::kAnchorsMax || now - candidate.since < limits::kAnchorAgeMin) break;
    const bool is_group_taken = std::any_of(anchors_.begin(), anchors_.end(), [&](const Anchor& anchor) {
      return group_of(anchor.address) == group_of(candidate.address);
    });
    if (!is_group_taken && !is_given_up(candidate.address)) anchors_.push_back({candidate.address});
  }
  std::vector<PeerAddress> after = list();
  if (after != before) out.emplace_back(StoreAnchors{std::move(after)});
}

bool Anchors::contains(const PeerAddress& address) const {
  return std::any_of(anchors_.begin(), anchors_.end(), [&](const Anchor& anchor) { return anchor.address == address; });
}

std::vector<PeerAddress> Anchors::list() const {
  std::vector<PeerAddress> addresses;
  for (const Anchor& anchor : anchors_) addresses.push_back(anchor.address);
  return addresses;
}

}  // namespace overlayd::book
