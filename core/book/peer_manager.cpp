#include "core/book/peer_manager.h"

#include <algorithm>

#include "core/book/address.h"
#include "core/check.h"

namespace overlayd::book {
namespace {
constexpr std::uint64_t kBackOffUnitSeconds = 10;  // SECONDS_PER_BACKOFF
constexpr std::uint32_t kBackOffExponentMax = 10;  // MAX_BACKOFF_EXPONENT
constexpr std::uint64_t kOurDoingMinSeconds = 5;
constexpr std::uint64_t kOurDoingMaxSeconds = 30;
constexpr std::uint64_t kUnwantedMinSeconds = 60;
constexpr std::uint64_t kUnwantedMaxSeconds = 120;

std::array<std::uint8_t, 16> origin_of(const PeerAddress& address) {
  std::array<std::uint8_t, 16> origin = address.ip;
  // Whoever has one IPv6 address has the /64 around it.
  if (!address.is_v4()) std::fill(origin.begin() + 8, origin.end(), std::uint8_t{0});
  return origin;
}
}  // namespace

PeerManager::PeerManager(const PeerManagerOptions& options, Random& random, BookMetrics& metrics)
    : options_(options), random_(random), metrics_(metrics) {}

bool PeerManager::load(const PeerRecord& record) {
  const bool is_new = !entries_.contains(record.address);
  if (!put(record, nullptr)) return false;
  if (is_new && record.type == PeerType::kInbound) callers_[origin_of(record.address)].push_back(record.address);
  return true;
}

void PeerManager::ensure_exists(const PeerAddress& address, UnixTime now, Outputs& out) {
  if (!entries_.contains(address)) put(find_or_default(address, now), &out);
}

void PeerManager::update_type(const PeerAddress& address, const Observation& observed, UnixTime now, Outputs& out) {
  PeerRecord record = find_or_default(address, now);
  apply(record, observed);
  observe(record, observed, out);
}

void PeerManager::update_back_off(const PeerAddress& address, BackOff back_off, UnixTime now, Outputs& out) {
  PeerRecord record = find_or_default(address, now);
  apply(record, back_off, now);
  if (put(record, &out) && back_off == BackOff::kHardReset) set_configured(address);
}

void PeerManager::undo_success(const PeerAddress& address, std::uint32_t failures, UnixTime now, Outputs& out) {
  PeerRecord record = find_or_default(address, now);
  record.failures = failures;
  apply(record, BackOff::kIncrease, now);
  put(record, &out);
}

void PeerManager::update(const PeerAddress& address, const Observation& observed, BackOff back_off, UnixTime now,
                         Outputs& out) {
  PeerRecord record = find_or_default(address, now);
  apply(record, observed);
  apply(record, back_off, now);
  observe(record, observed, out);
  if (back_off == BackOff::kHardReset && entries_.contains(address)) set_configured(address);
}

void PeerManager::observe(const PeerRecord& record, const Observation& observed, Outputs& out) {
  if (observed.type == PeerType::kInbound && !entries_.contains(record.address)) {
    put_caller(record, out);
  } else {
    put(record, &out);
  }
}

void PeerManager::put_caller(const PeerRecord& record, Outputs& out) {
  const auto found = callers_.find(origin_of(record.address));
  if (found != callers_.end() && found->second.size() >= options_.inbound_per_ip_max) {
    const PeerAddress oldest = found->second.front();  // erasing it changes the list
    erase(oldest, &out);
  }
  if (put_hearsay(record, std::nullopt, out)) callers_[origin_of(record.address)].push_back(record.address);
}

void PeerManager::forget_caller(const PeerAddress& address) {
  const auto found = callers_.find(origin_of(address));
  if (found == callers_.end()) return;
  std::erase(found->second, address);
  if (found->second.empty()) callers_.erase(found);
}

void PeerManager::set_configured(const PeerAddress& address) {
  Entry& entry = entries_.at(address);
  remove_ranks(entry);
  entry.is_configured = true;
  entry.source.reset();
  add_ranks(entry);
  forget_caller(address);
}

void PeerManager::apply(PeerRecord& record, const Observation& observed) const {
  switch (observed.type) {
    case PeerType::kPreferred: record.type = PeerType::kPreferred; return;
    case PeerType::kOutbound:
      if (record.type == PeerType::kInbound || observed.is_preferred_known) record.type = PeerType::kOutbound;
      return;
    case PeerType::kInbound:
      if (record.type == PeerType::kPreferred) record.type = PeerType::kOutbound;
      return;
  }
}

void PeerManager::apply(PeerRecord& record, BackOff back_off, UnixTime now) {
  switch (back_off) {
    case BackOff::kHardReset:
      record.failures = 0;
      record.next_attempt = now;
      return;
    case BackOff::kReset: record.failures = 0; break;
    case BackOff::kIncrease: ++record.failures; break;
    case BackOff::kOurDoing:
      record.next_attempt = UnixTime{now.seconds + random_.between(kOurDoingMinSeconds, kOurDoingMaxSeconds)};
      return;
    case BackOff::kUnwanted:
      record.next_attempt = UnixTime{now.seconds + random_.between(kUnwantedMinSeconds, kUnwantedMaxSeconds)};
      return;
  }
  const std::uint32_t exponent = std::min(kBackOffExponentMax, record.failures);
  record.next_attempt =
      UnixTime{now.seconds + random_.between(1, (std::uint64_t{1} << exponent) * kBackOffUnitSeconds)};
}

void PeerManager::forget_hopeless(Outputs& out) {
  std::vector<PeerAddress> hopeless;
  for (const auto& [address, entry] : entries_) {
    if (entry.record.failures >= limits::kPeerFailuresForget) hopeless.push_back(address);
  }
  for (const PeerAddress& address : hopeless) erase(address, &out);
}

void PeerManager::forget_if_hopeless(const PeerAddress& address, Outputs& out) {
  std::vector<PeerAddress> hopeless;
  for (auto at = entries_.lower_bound(PeerAddress{address.ip, 0}); at != entries_.end(); ++at) {
    if (!is_same_ip(at->first, address)) break;
    if (at->second.record.failures >= limits::kPeerFailuresForget) hopeless.push_back(at->first);
  }
  for (const PeerAddress& each : hopeless) erase(each, &out);
}

std::size_t PeerManager::on_peers(std::span<const wire::WirePeerAddress> peers, const PeerAddress& source,
                                  const std::set<PeerAddress>& own, UnixTime now, Outputs& out) {
  std::size_t new_count = 0;
  for (const wire::WirePeerAddress& peer : peers) {
    ++metrics_.addresses_received;
    const bool is_port_good = peer.wire_port >= 1 && peer.wire_port <= 65'535 && peer.wire_port == peer.address.port;
    if (!is_port_good || !is_shareable(peer.address, options_.is_private_allowed) || own.contains(peer.address)) {
      ++metrics_.addresses_refused;
      continue;
    }
    if (entries_.contains(peer.address)) continue;
    if (put_hearsay(find_or_default(peer.address, now), group_of(source), out)) ++new_count;
  }
  return new_count;
}

std::vector<PeerAddress> PeerManager::choose_to_dial(PeerType type, std::size_t count_max, UnixTime now,
                                                     const AddressPredicate& is_wanted) {
  std::vector<PeerAddress> candidates;
  for (const auto& [address, entry] : entries_) {
    const PeerRecord& record = entry.record;
    const bool is_due = record.next_attempt <= now && record.failures <= limits::kPeerFailuresForget;
    if (record.type == type && is_due && address.port != 0) candidates.push_back(address);
  }
  std::vector<PeerAddress> chosen;
  draw_by_group(candidates, std::min(count_max, limits::kConnectBatchMax), is_wanted, chosen);
  return chosen;
}

std::vector<PeerAddress> PeerManager::choose_to_send(const PeerAddress& recipient) {
  std::vector<PeerAddress> outbound;
  std::vector<PeerAddress> inbound;
  for (const auto& [address, entry] : entries_) {
    if (entry.record.failures > limits::kPeersSendFailuresMax || address == recipient) continue;
    if (!is_shareable(address, options_.is_private_allowed)) continue;
    (entry.record.type == PeerType::kInbound ? inbound : outbound).push_back(address);
  }
  const auto any = [](const PeerAddress&) { return true; };
  std::vector<PeerAddress> chosen;
  draw_by_group(outbound, limits::kPeersSendMax, any, chosen);
  draw_by_group(inbound, limits::kPeersSendMax - chosen.size(), any, chosen);
  return chosen;
}

void PeerManager::draw_by_group(std::span<const PeerAddress> from, std::size_t count_max,
                                const AddressPredicate& is_wanted, std::vector<PeerAddress>& to) {
  std::vector<std::vector<PeerAddress>> groups;  // `from` is in the order of addresses: a group's stand together
  std::optional<Group> last;
  for (const PeerAddress& address : from) {
    const Group group = group_of(address);
    if (group != last) groups.emplace_back();
    last = group;
    groups.back().push_back(address);
  }
  random_.shuffle(groups);
  while (!groups.empty() && count_max > 0) {
    for (std::vector<PeerAddress>& group : groups) {
      if (count_max == 0) break;
      std::swap(group.back(), group[random_.below(group.size())]);
      if (is_wanted(group.back())) {
        to.push_back(group.back());
        --count_max;
      }
      group.pop_back();
    }
    std::erase_if(groups, [](const auto& group) { return group.empty(); });
  }
}

std::optional<PeerRecord> PeerManager::find(const PeerAddress& address) const {
  const auto found = entries_.find(address);
  if (found == entries_.end()) return std::nullopt;
  return found->second.record;
}

bool PeerManager::is_configured(const PeerAddress& address) const {
  const auto found = entries_.find(address);
  return found != entries_.end() && found->second.is_configured;
}

std::vector<PeerRecord> PeerManager::list() const {
  std::vector<PeerRecord> records;
  records.reserve(entries_.size());
  for (const auto& [address, entry] : entries_) records.push_back(entry.record);
  return records;
}

// --- the table and its ranks --------------------------------------------------------------------------------------

PeerManager::Rank PeerManager::rank_of(const PeerRecord& record) {
  return {record.failures, record.next_attempt, record.address};
}

PeerRecord PeerManager::find_or_default(const PeerAddress& address, UnixTime now) const {
  const auto found = find(address);
  return found ? *found : PeerRecord{address, now, 0, PeerType::kInbound};
}

bool PeerManager::is_hearsay(const Entry& entry) {
  return entry.record.type == PeerType::kInbound && !entry.is_configured;
}

bool PeerManager::is_expendable(const Entry& entry) { return is_hearsay(entry) && entry.record.failures > 0; }

void PeerManager::add_ranks(const Entry& entry) {
  const Rank rank = rank_of(entry.record);
  if (entry.record.type != PeerType::kPreferred) evictable_.insert(rank);
  if (is_expendable(entry)) expendable_.insert(rank);
  if (!is_hearsay(entry)) return;
  hearsay_[group_of(entry.record.address)].insert(rank);
  if (entry.source) told_[*entry.source].insert(rank);
}

void PeerManager::remove_ranks(const Entry& entry) {
  const Rank rank = rank_of(entry.record);
  const auto remove = [&rank](std::map<Group, Ranks>& from, const Group& group) {
    const auto found = from.find(group);
    found->second.erase(rank);
    if (found->second.empty()) from.erase(found);
  };
  evictable_.erase(rank);
  expendable_.erase(rank);
  if (!is_hearsay(entry)) return;
  remove(hearsay_, group_of(entry.record.address));
  if (entry.source) remove(told_, *entry.source);
}

bool PeerManager::put(const PeerRecord& record, Outputs* out) {
  const auto found = entries_.find(record.address);
  if (found == entries_.end()) {
    if (entries_.size() >= options_.known_max) {
      if (evictable_.empty()) return false;
      const PeerAddress worst = std::get<PeerAddress>(*evictable_.rbegin());  // the rank goes with the record
      ++metrics_.records_evicted;
      erase(worst, out);
    }
    insert({record}, out);
    return true;
  }
  Entry& entry = found->second;
  remove_ranks(entry);
  entry.record = record;
  if (record.type != PeerType::kInbound) forget_caller(record.address);
  add_ranks(entry);
  if (out != nullptr) out->emplace_back(StorePeer{record});
  return true;
}

void PeerManager::insert(Entry entry, Outputs* out) {
  add_ranks(entry);
  if (out != nullptr) out->emplace_back(StorePeer{entry.record});
  entries_.emplace(entry.record.address, std::move(entry));
}

std::optional<std::vector<PeerAddress>> PeerManager::places_for_hearsay(const PeerAddress& address,
                                                                        const std::optional<Group>& source) const {
  std::vector<PeerAddress> places;
  const auto make_room = [&](const Ranks& ranks, std::size_t max, std::size_t size) {
    const auto is_in = [&](const PeerAddress& place) { return ranks.contains(rank_of(entries_.at(place).record)); };
    if (size - static_cast<std::size_t>(std::count_if(places.begin(), places.end(), is_in)) < max) return true;
    if (ranks.empty()) return false;
    const PeerAddress& worst = std::get<PeerAddress>(*ranks.rbegin());
    if (!is_expendable(entries_.at(worst))) return false;
    places.push_back(worst);
    return true;
  };
  const auto group = hearsay_.find(group_of(address));
  if (group != hearsay_.end() && !make_room(group->second, options_.hearsay_per_group_max, group->second.size()))
    return std::nullopt;
  const auto told = source ? told_.find(*source) : told_.end();
  if (told != told_.end() && !make_room(told->second, options_.hearsay_per_source_max, told->second.size()))
    return std::nullopt;
  if (!make_room(expendable_, options_.known_max, entries_.size())) return std::nullopt;
  return places;
}

bool PeerManager::put_hearsay(const PeerRecord& record, const std::optional<Group>& source, Outputs& out) {
  const auto places = places_for_hearsay(record.address, source);
  if (!places) {
    ++metrics_.addresses_refused;
    return false;
  }
  for (const PeerAddress& place : *places) {
    ++metrics_.records_evicted;
    erase(place, &out);
  }
  insert({record, false, source}, &out);
  return true;
}

void PeerManager::erase(const PeerAddress& address, Outputs* out) {
  const auto found = entries_.find(address);
  if (found == entries_.end()) return;
  remove_ranks(found->second);
  forget_caller(address);
  entries_.erase(found);
  if (out != nullptr) out->emplace_back(ErasePeer{address});
}

void PeerManager::check_invariants() const {
  OVERLAYD_CHECK(entries_.size() <= options_.known_max);
  std::size_t evictable_count = 0;
  std::size_t expendable_count = 0;
  std::size_t hearsay_count = 0;
  std::size_t told_count = 0;
  for (const auto& [address, entry] : entries_) {
    const Rank rank = rank_of(entry.record);
    OVERLAYD_CHECK(entry.record.address == address);
    OVERLAYD_CHECK(expendable_.contains(rank) == is_expendable(entry));
    if (is_expendable(entry)) ++expendable_count;
    if (is_hearsay(entry)) {
      ++hearsay_count;
      OVERLAYD_CHECK(hearsay_.at(group_of(address)).contains(rank));
      if (entry.source) OVERLAYD_CHECK(told_.at(*entry.source).contains(rank) && ++told_count > 0);
    }
    if (entry.record.type == PeerType::kPreferred) continue;
    ++evictable_count;
    OVERLAYD_CHECK(evictable_.contains(rank));
  }
  OVERLAYD_CHECK(evictable_count == evictable_.size());
  OVERLAYD_CHECK(expendable_count == expendable_.size());
  for (const auto& [group, ranks] : hearsay_) hearsay_count -= ranks.size();
  for (const auto& [source, ranks] : told_) {
    told_count -= ranks.size();
    OVERLAYD_CHECK(ranks.size() <= options_.hearsay_per_source_max);
  }
  OVERLAYD_CHECK(hearsay_count == 0 && told_count == 0);
  for (const auto& [origin, addresses] : callers_) {
    OVERLAYD_CHECK(!addresses.empty());
    for (const PeerAddress& address : addresses) {
      const auto found = entries_.find(address);
      OVERLAYD_CHECK(found != entries_.end() && origin_of(address) == origin);
      OVERLAYD_CHECK(is_hearsay(found->second));
    }
  }
}

}  // namespace overlayd::book
