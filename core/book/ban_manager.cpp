#include "core/book/ban_manager.h"

#include <algorithm>

#include "core/book/address.h"
#include "core/check.h"
#include "core/crypto/strkey.h"

namespace overlayd::book {
namespace {

UnixTime later_by(UnixTime now, std::chrono::seconds by) {
  const auto wanted = static_cast<std::uint64_t>(std::max<std::int64_t>(0, by.count()));
  return {now.seconds + std::min(wanted, static_cast<std::uint64_t>(limits::kBanLastsMax.count()))};
}

bool has_ended(const Ban& ban, UnixTime now) { return ban.ends && *ban.ends <= now; }

}  // namespace

std::string subject_text(const BanSubject& subject) {
  if (const auto* node = std::get_if<NodeId>(&subject)) return crypto::encode_node_id(*node);
  return to_string(std::get<Subnet>(subject));
}

// --- bans ---------------------------------------------------------------------------------------------------------

bool BanManager::load(const Ban& ban) {
  if (bans_.size() >= options_.bans_max && !bans_.contains(ban.subject)) return false;
  if (bans_.insert_or_assign(ban.subject, ban).second) add_prefix(ban.subject);
  return true;
}

const Ban* BanManager::ban(const BanSubject& subject, const BanTerms& terms, UnixTime now) {
  const auto found = bans_.find(subject);
  Ban made{.subject = subject, .reason = terms.reason, .set_by = terms.set_by, .made = now};
  if (terms.lasts_for) made.ends = later_by(now, *terms.lasts_for);
  if (found != bans_.end()) {
    made.hits = found->second.hits;
    made.last_hit = found->second.last_hit;
    found->second = std::move(made);
    return &found->second;
  }
  if (!load(made)) return nullptr;
  return &bans_.at(subject);
}

bool BanManager::unban(const BanSubject& subject) {
  if (bans_.erase(subject) == 0) return false;
  remove_prefix(subject);
  hit_.erase(subject);
  return true;
}

void BanManager::add_prefix(const BanSubject& subject) {
  if (const auto* subnet = std::get_if<Subnet>(&subject)) ++prefixes_[subnet->prefix];
}

void BanManager::remove_prefix(const BanSubject& subject) {
  const auto* subnet = std::get_if<Subnet>(&subject);
  if (subnet != nullptr && --prefixes_.at(subnet->prefix) == 0) prefixes_.erase(subnet->prefix);
}

const Ban* BanManager::find(const BanSubject& subject, UnixTime now) const {
  const auto found = bans_.find(subject);
  return found == bans_.end() || has_ended(found->second, now) ? nullptr : &found->second;
}

const Ban* BanManager::find(const NodeId& node, UnixTime now) const {
  return node.is_zero() ? nullptr : find(BanSubject(node), now);
}

const Ban* BanManager::find(const PeerAddress& address, UnixTime now) const {
  for (const auto& [prefix, count] : prefixes_)
    if (const Ban* ban = find(BanSubject(Subnet::around(address, prefix)), now)) return ban;
  return nullptr;
}

std::vector<Ban> BanManager::matching(const NodeId& node, const PeerAddress& address, UnixTime now) const {
  std::vector<Ban> found;
  if (const Ban* ban = find(node, now); ban != nullptr) found.push_back(*ban);
  for (const auto& [prefix, count] : prefixes_)
    if (const Ban* ban = find(BanSubject(Subnet::around(address, prefix)), now)) found.push_back(*ban);
  return found;
}

void BanManager::hit(const BanSubject& subject, UnixTime now) {
  const auto found = bans_.find(subject);
  if (found == bans_.end()) return;
  ++metrics_.ban_hits;
  ++found->second.hits;
  found->second.last_hit = now;
  hit_.insert(subject);
}

void BanManager::put_out_hits(Outputs& out) {
  for (const BanSubject& subject : hit_) out.emplace_back(StoreBan{bans_.at(subject)});
  hit_.clear();
}

std::vector<Ban> BanManager::list(UnixTime now) const {
  std::vector<Ban> list;
  for (const auto& [subject, ban] : bans_)
    if (!has_ended(ban, now)) list.push_back(ban);
  return list;
}

// --- cool-downs ---------------------------------------------------------------------------------------------------

void BanManager::cool_down(const NodeId& node, Instant until) {
  if (!node.is_zero()) cool(node, until);
}
void BanManager::cool_down(const PeerAddress& address, Instant until) { cool(address, until); }

void BanManager::cool(const Cooling& whom, Instant until) {
  const auto found = cooling_.find(whom);
  if (found != cooling_.end()) {
    found->second = std::max(found->second, until);
    return;
  }
  if (options_.cool_downs_max == 0) return;
  if (cooling_.size() >= options_.cool_downs_max) {
    cooling_.erase(std::min_element(cooling_.begin(), cooling_.end(),
                                    [](const auto& a, const auto& b) { return a.second < b.second; }));
  }
  cooling_.emplace(whom, until);
}

Duration BanManager::cools_for(const Cooling& whom, Instant now) const {
  const auto found = cooling_.find(whom);
  return found == cooling_.end() ? Duration(0) : std::max(Duration(0), found->second - now);
}

Duration BanManager::cools_down_for(const NodeId& node, Instant now) const { return cools_for(node, now); }

Duration BanManager::cools_down_for(const PeerAddress& address, Instant now) const {
  if (address.port != 0) return std::max(cools_for(address, now), cools_for(PeerAddress{address.ip, 0}, now));
  Duration longest{0};
  for (auto at = cooling_.lower_bound(Cooling(address)); at != cooling_.end(); ++at) {
    const auto& cooling = std::get<PeerAddress>(at->first);  // addresses come after all nodes
    if (!is_same_ip(cooling, address)) break;
    longest = std::max(longest, at->second - now);
  }
  return longest;
}

// --- time ---------------------------------------------------------------------------------------------------------

void BanManager::expire(const Now& now, Outputs& out) {
  std::vector<BanSubject> ended;
  for (const auto& [subject, ban] : bans_)
    if (has_ended(ban, now.unix_time)) ended.push_back(subject);
  for (const BanSubject& subject : ended) {
    unban(subject);
    out.emplace_back(EraseBan{subject});
  }
  std::erase_if(cooling_, [&](const auto& entry) { return entry.second <= now.instant; });
}

void BanManager::check_invariants() const {
  OVERLAYD_CHECK(bans_.size() <= options_.bans_max && cooling_.size() <= options_.cool_downs_max);
  std::size_t subnets = 0;
  std::size_t counted = 0;
  for (const auto& [subject, ban] : bans_) {
    OVERLAYD_CHECK(ban.subject == subject);
    if (std::holds_alternative<Subnet>(subject)) ++subnets;
  }
  for (const auto& [prefix, count] : prefixes_) counted += count;
  OVERLAYD_CHECK(subnets == counted);
  for (const BanSubject& subject : hit_) OVERLAYD_CHECK(bans_.contains(subject));
}

}  // namespace overlayd::book
