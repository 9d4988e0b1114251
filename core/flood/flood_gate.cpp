#include "core/flood/flood_gate.h"

#include <algorithm>
#include <tuple>

#include "core/check.h"

namespace overlayd::flood {
namespace {
constexpr std::uint32_t kWordBits = 64;
constexpr std::size_t kEvictedShare = 4;
constexpr std::size_t kSweepMax = 1024;  // records freed with one call
}  // namespace

std::uint64_t& FloodGate::NodeSet::word_for(std::uint32_t slot) {
  const std::size_t index = slot / kWordBits;
  if (index < near_.size()) return near_[index];
  if (index - near_.size() >= far_.size()) far_.resize(index - near_.size() + 1);
  return far_[index - near_.size()];
}

std::uint64_t FloodGate::NodeSet::word(std::size_t index) const {
  if (index < near_.size()) return near_[index];
  return index < word_count() ? far_[index - near_.size()] : 0;
}

bool FloodGate::NodeSet::insert(std::uint32_t slot) {
  std::uint64_t& word = word_for(slot);
  const std::uint64_t bit = std::uint64_t{1} << (slot % kWordBits);
  const bool is_absent = (word & bit) == 0;
  word |= bit;
  return is_absent;
}

bool FloodGate::NodeSet::contains(std::uint32_t slot) const {
  return (word(slot / kWordBits) >> (slot % kWordBits) & 1) != 0;
}

void FloodGate::NodeSet::remove(const std::vector<std::uint64_t>& mask) {
  for (std::size_t i = 0; i < near_.size() && i < mask.size(); ++i) near_[i] &= ~mask[i];
  for (std::size_t i = 0; i < far_.size() && i + near_.size() < mask.size(); ++i) far_[i] &= ~mask[i + near_.size()];
}

FloodGate::FloodGate(const FloodGateOptions& options, FloodGateMetrics& metrics)
    : options_(options), metrics_(metrics), records_(options.records_max) {
  OVERLAYD_CHECK(options_.records_max > 0 && options_.nodes_max > 0);
}

bool FloodGate::on_received(const FloodHash& hash, const NodeId& from, std::uint32_t ledger) {
  // The slot first: finding one may sweep the records.
  const std::uint32_t slot = slot_of(from);
  bool is_new = false;
  record_of(hash, ledger, is_new).nodes.insert(slot);
  ++(is_new ? metrics_.unique : metrics_.duplicate);
  return is_new;
}

bool FloodGate::on_local(const FloodHash& hash, std::uint32_t ledger) {
  bool is_new = false;
  record_of(hash, ledger, is_new);
  return is_new;
}

bool FloodGate::tell(const FloodHash& hash, const NodeId& peer, std::uint32_t ledger) {
  const std::uint32_t slot = slot_of(peer);
  bool is_new = false;
  return record_of(hash, ledger, is_new).nodes.insert(slot);
}

void FloodGate::tell_all(const FloodHash& hash, std::span<const NodeId> peers, std::uint32_t ledger,
                         std::vector<std::size_t>& untold) {
  bool is_new = false;
  Record& record = record_of(hash, ledger, is_new);
  for (std::size_t i = 0; i < peers.size(); ++i) {
    if (record.nodes.insert(slot_of(peers[i]))) untold.push_back(i);
  }
}

bool FloodGate::is_known_to(const FloodHash& hash, const NodeId& peer) const {
  const Record* const record = find(hash);
  if (record == nullptr) return false;
  const auto found = slots_.find(peer);
  return found != slots_.end() && record->nodes.contains(found->second);
}

bool FloodGate::forget(const FloodHash& hash) {
  const bool is_live = find(hash) != nullptr;
  records_.erase(hash);
  if (is_live) ++metrics_.forgotten;
  return is_live;
}

void FloodGate::clear_below(std::uint32_t ledger) {
  // Going back must not bring back what was cleared.
  if (ledger < cleared_below_)
    records_.erase_if([&](const FloodHash&, const Record& record) { return record.ledger < cleared_below_; });
  cleared_below_ = ledger;
  sweep(kSweepMax);
}

const FloodGate::Record* FloodGate::find(const FloodHash& hash) const {
  const Record* const record = records_.find(hash);
  return record == nullptr || record->ledger < cleared_below_ ? nullptr : record;
}

FloodGate::Record& FloodGate::record_of(const FloodHash& hash, std::uint32_t ledger, bool& is_new) {
  auto [record, is_inserted] = records_.try_insert(hash, ledger);
  if (!is_inserted && record->ledger < cleared_below_) {
    records_.erase(hash);
    std::tie(record, is_inserted) = records_.try_insert(hash, ledger);
  }
  is_new = is_inserted;
  if (!is_new) return *record;
  if (records_.size() > options_.records_max) {
    if (records_.oldest().ledger >= cleared_below_) ++metrics_.evicted;
    records_.erase_oldest();
  }
  if (ledger >= cleared_below_) sweep(2);
  return *record;
}

void FloodGate::sweep(std::size_t count_max) {
  records_.erase_oldest_if(count_max, [&](const Record& record) { return record.ledger < cleared_below_; });
}

std::uint32_t FloodGate::slot_of(const NodeId& node) {
  ++named_count_;
  if (const auto found = slots_.find(node); found != slots_.end()) {
    nodes_[found->second].last_named = named_count_;
    return found->second;
  }
  if (free_slots_.empty() && nodes_.size() >= options_.nodes_max) evict_nodes();
  std::uint32_t slot = static_cast<std::uint32_t>(nodes_.size());
  if (free_slots_.empty()) {
    nodes_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  nodes_[slot] = Node{node, named_count_};
  slots_.emplace(node, slot);
  return slot;
}

void FloodGate::evict_nodes() {
  std::vector<std::uint32_t> by_age(nodes_.size());
  for (std::uint32_t slot = 0; slot < by_age.size(); ++slot) by_age[slot] = slot;
  const auto is_older = [&](std::uint32_t a, std::uint32_t b) { return nodes_[a].last_named < nodes_[b].last_named; };
  std::sort(by_age.begin(), by_age.end(), is_older);
  by_age.resize(std::max<std::size_t>(1, by_age.size() / kEvictedShare));

  std::vector<std::uint64_t> mask((nodes_.size() + kWordBits - 1) / kWordBits);
  for (const std::uint32_t slot : by_age) {
    mask[slot / kWordBits] |= std::uint64_t{1} << (slot % kWordBits);
    slots_.erase(nodes_[slot].id);
    nodes_[slot] = Node{};
    free_slots_.push_back(slot);
  }
  std::sort(free_slots_.begin(), free_slots_.end(), std::greater<>());
  records_.for_each([&](const FloodHash&, Record& record) { record.nodes.remove(mask); });
}

void FloodGate::check_invariants() const {
  records_.check_invariants();
  OVERLAYD_CHECK(records_.size() <= options_.records_max);
  OVERLAYD_CHECK(nodes_.size() <= options_.nodes_max);
  OVERLAYD_CHECK(slots_.size() + free_slots_.size() == nodes_.size());
  std::vector<std::uint64_t> used((nodes_.size() + kWordBits - 1) / kWordBits);
  for (std::uint32_t slot = 0; slot < nodes_.size(); ++slot) {
    if (nodes_[slot].last_named == 0) continue;
    const auto found = slots_.find(nodes_[slot].id);
    OVERLAYD_CHECK(found != slots_.end() && found->second == slot);
    used[slot / kWordBits] |= std::uint64_t{1} << (slot % kWordBits);
  }
  records_.for_each([&](const FloodHash&, const Record& record) {
    for (std::size_t i = 0; i < record.nodes.word_count(); ++i) {
      OVERLAYD_CHECK((record.nodes.word(i) & ~(i < used.size() ? used[i] : 0)) == 0);
    }
  });
}

}  // namespace overlayd::flood
