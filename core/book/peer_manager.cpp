#include "core/book/peer_manager.h"

#include <algorithm>

#include "core/book/address.h"
#include "core/check.h"

namespace overlayd::book {
namespace {
constexpr std::uint64_t kBackOffUnitSeconds = 10;  // SECONDS_PER_BACKOFF
constexpr std::uint32_t kBackOffExponentMax = 10;  // MAX_BACKOFF_EXPONENT

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
  const bool is_new = !records_.contains(record.address);
  if (!put(record, Source::kOurs, nullptr)) return false;
  if (is_new && record.type == PeerType::kInbound) callers_[origin_of(record.address)].push_back(record.address);
  return true;
}

void PeerManager::ensure_exists(const PeerAddress& address, UnixTime now, Outputs& out) {
  if (!records_.contains(address)) put(find_or_default(address, now), Source::kOurs, &out);
}

void PeerManager::update_type(const PeerAddress& address, const Observation& observed, UnixTime now, Outputs& out) {
  PeerRecord record = find_or_default(address, now);
  apply(record, observed);
  observe(record, observed, out);
}

void PeerManager::update_back_off(const PeerAddress& address, BackOff back_off, UnixTime now, Outputs& out) {
  PeerRecord record = find_or_default(address, now);
  apply(record, back_off, now);
  if (put(record, Source::kOurs, &out) && back_off == BackOff::kHardReset) set_configured(address);
}

void PeerManager::update(const PeerAddress& address, const Observation& observed, BackOff back_off, UnixTime now,
                         Outputs& out) {
  PeerRecord record = find_or_default(address, now);
  apply(record, observed);
  apply(record, back_off, now);
  observe(record, observed, out);
  if (back_off == BackOff::kHardReset && records_.contains(address)) set_configured(address);
}

void PeerManager::observe(const PeerRecord& record, const Observation& observed, Outputs& out) {
  if (observed.type == PeerType::kInbound && !records_.contains(record.address)) {
    put_caller(record, out);
  } else {
    put(record, Source::kOurs, &out);
  }
}

void PeerManager::put_caller(const PeerRecord& record, Outputs& out) {
  const auto found = callers_.find(origin_of(record.address));
  if (found != callers_.end() && found->second.size() >= options_.inbound_per_ip_max) {
    const PeerAddress oldest = found->second.front();  // erasing it changes the list
    erase(oldest, &out);
  }
  if (put(record, Source::kHearsay, &out)) {
    callers_[origin_of(record.address)].push_back(record.address);
  } else {
    ++metrics_.addresses_refused;
  }
}

void PeerManager::forget_caller(const PeerAddress& address) {
  const auto found = callers_.find(origin_of(address));
  if (found == callers_.end()) return;
  std::erase(found->second, address);
  if (found->second.empty()) callers_.erase(found);
}

void PeerManager::set_configured(const PeerAddress& address) {
  const PeerRecord& record = records_.at(address);
  remove_ranks(record);
  configured_.insert(address);
  add_ranks(record);
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
  }
  const std::uint32_t exponent = std::min(kBackOffExponentMax, record.failures);
  record.next_attempt =
      UnixTime{now.seconds + random_.between(1, (std::uint64_t{1} << exponent) * kBackOffUnitSeconds)};
}

void PeerManager::forget_hopeless(Outputs& out) {
  std::vector<PeerAddress> hopeless;
  for (const auto& [address, record] : records_) {
    if (record.failures >= limits::kPeerFailuresForget) hopeless.push_back(address);
  }
  for (const PeerAddress& address : hopeless) erase(address, &out);
}

void PeerManager::forget_if_hopeless(const PeerAddress& address, Outputs& out) {
  std::vector<PeerAddress> hopeless;
  for (auto at = records_.lower_bound(PeerAddress{address.ip, 0}); at != records_.end(); ++at) {
    if (!is_same_ip(at->first, address)) break;
    if (at->second.failures >= limits::kPeerFailuresForget) hopeless.push_back(at->first);
  }
  for (const PeerAddress& each : hopeless) erase(each, &out);
}

std::size_t PeerManager::on_peers(std::span<const wire::WirePeerAddress> peers, const std::optional<PeerAddress>& self,
                                  UnixTime now, Outputs& out) {
  std::size_t new_count = 0;
  for (const wire::WirePeerAddress& peer : peers) {
    ++metrics_.addresses_received;
    const bool is_port_good = peer.wire_port >= 1 && peer.wire_port <= 65'535 && peer.wire_port == peer.address.port;
    if (!is_port_good || !is_shareable(peer.address, options_.is_private_allowed) || peer.address == self) {
      ++metrics_.addresses_refused;
      continue;
    }
    if (records_.contains(peer.address)) continue;
    if (put(find_or_default(peer.address, now), Source::kHearsay, &out)) {
      ++new_count;
    } else {
      ++metrics_.addresses_refused;
    }
  }
  return new_count;
}

std::vector<PeerAddress> PeerManager::choose_to_dial(PeerType type, std::size_t count_max, UnixTime now,
                                                     const AddressPredicate& is_wanted) {
  std::vector<PeerAddress> candidates;
  for (const auto& [address, record] : records_) {
    const bool is_due = record.next_attempt <= now && record.failures <= limits::kPeerFailuresForget;
    if (record.type == type && is_due && address.port != 0 && is_wanted(address)) candidates.push_back(address);
  }
  std::vector<PeerAddress> chosen;
  take_random(candidates, std::min(count_max, limits::kConnectBatchMax), chosen);
  return chosen;
}

std::vector<PeerAddress> PeerManager::choose_to_send(const PeerAddress& recipient) {
  std::vector<PeerAddress> outbound;
  std::vector<PeerAddress> inbound;
  for (const auto& [address, record] : records_) {
    if (record.failures > limits::kPeersSendFailuresMax || address == recipient) continue;
    if (!is_shareable(address, options_.is_private_allowed)) continue;
    (record.type == PeerType::kInbound ? inbound : outbound).push_back(address);
  }
  std::vector<PeerAddress> chosen;
  take_random(outbound, limits::kPeersSendMax, chosen);
  take_random(inbound, limits::kPeersSendMax - chosen.size(), chosen);
  return chosen;
}

void PeerManager::take_random(std::vector<PeerAddress>& from, std::size_t count_max, std::vector<PeerAddress>& to) {
  // The first steps of a shuffle: a draw for each address taken, not for each known.
  const std::size_t count = std::min(count_max, from.size());
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(from[i], from[i + random_.below(from.size() - i)]);
    to.push_back(from[i]);
  }
}

std::optional<PeerRecord> PeerManager::find(const PeerAddress& address) const {
  const auto found = records_.find(address);
  if (found == records_.end()) return std::nullopt;
  return found->second;
}

std::vector<PeerRecord> PeerManager::list() const {
  std::vector<PeerRecord> records;
  records.reserve(records_.size());
  for (const auto& [address, record] : records_) records.push_back(record);
  return records;
}

PeerManager::Rank PeerManager::rank_of(const PeerRecord& record) {
  return {record.failures, record.next_attempt, record.address};
}

PeerRecord PeerManager::find_or_default(const PeerAddress& address, UnixTime now) const {
  const auto found = records_.find(address);
  return found != records_.end() ? found->second : PeerRecord{address, now, 0, PeerType::kInbound};
}

bool PeerManager::is_expendable(const PeerRecord& record) const {
  return record.type == PeerType::kInbound && record.failures > 0 && !configured_.contains(record.address);
}

void PeerManager::add_ranks(const PeerRecord& record) {
  if (record.type != PeerType::kPreferred) evictable_.insert(rank_of(record));
  if (is_expendable(record)) expendable_.insert(rank_of(record));
}

void PeerManager::remove_ranks(const PeerRecord& record) {
  evictable_.erase(rank_of(record));
  expendable_.erase(rank_of(record));
}

bool PeerManager::put(const PeerRecord& record, Source source, Outputs* out) {
  const auto found = records_.find(record.address);
  if (found == records_.end()) {
    if (records_.size() >= options_.known_max && !make_room(source, out)) return false;
    records_.emplace(record.address, record);
  } else {
    remove_ranks(found->second);
    found->second = record;
    if (record.type != PeerType::kInbound) forget_caller(record.address);
  }
  add_ranks(record);
  if (out != nullptr) out->emplace_back(StorePeer{record});
  return true;
}

bool PeerManager::make_room(Source source, Outputs* out) {
  const std::set<Rank>& ranks = source == Source::kHearsay ? expendable_ : evictable_;
  if (ranks.empty()) return false;
  const PeerAddress worst = std::get<PeerAddress>(*ranks.rbegin());  // the rank goes with the record
  erase(worst, out);
  return true;
}

void PeerManager::erase(const PeerAddress& address, Outputs* out) {
  const auto found = records_.find(address);
  if (found == records_.end()) return;
  remove_ranks(found->second);
  configured_.erase(address);
  forget_caller(address);
  records_.erase(found);
  if (out != nullptr) out->emplace_back(ErasePeer{address});
}

void PeerManager::check_invariants() const {
  OVERLAYD_CHECK(records_.size() <= options_.known_max);
  std::size_t evictable_count = 0;
  std::size_t expendable_count = 0;
  for (const auto& [address, record] : records_) {
    OVERLAYD_CHECK(record.address == address);
    OVERLAYD_CHECK(expendable_.contains(rank_of(record)) == is_expendable(record));
    if (is_expendable(record)) ++expendable_count;
    if (record.type == PeerType::kPreferred) continue;
    ++evictable_count;
    OVERLAYD_CHECK(evictable_.contains(rank_of(record)));
  }
  OVERLAYD_CHECK(evictable_count == evictable_.size());
  OVERLAYD_CHECK(expendable_count == expendable_.size());
  for (const PeerAddress& address : configured_) OVERLAYD_CHECK(records_.contains(address));
  for (const auto& [origin, addresses] : callers_) {
    OVERLAYD_CHECK(!addresses.empty());
    for (const PeerAddress& address : addresses) {
      const auto found = records_.find(address);
      OVERLAYD_CHECK(found != records_.end() && origin_of(address) == origin);
      OVERLAYD_CHECK(found->second.type == PeerType::kInbound && !configured_.contains(address));
    }
  }
}

}  // namespace overlayd::book
