#include "tests/sim/measure.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "core/check.h"

namespace overlayd::sim {
namespace {

constexpr std::size_t kLostNamedMax = 10;

// By address, for a message is one object wherever it goes.
std::unordered_map<const wire::Message*, std::size_t> index_of(std::span<const Sent> sent) {
  std::unordered_map<const wire::Message*, std::size_t> index;
  for (std::size_t i = 0; i < sent.size(); ++i) index.emplace(sent[i].message.get(), i);
  return index;
}

std::string describe(const Sent& sent, std::size_t number, std::size_t node) {
  return "message " + std::to_string(number) + " of node " + std::to_string(sent.origin) + ", sent at " +
         std::to_string(static_cast<double>(sent.at.since_start().count()) / 1e9) + " s, to node " +
         std::to_string(node);
}

}  // namespace

Duration Spread::percentile(double percent) const {
  OVERLAYD_CHECK(!times.empty());
  const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(times.size())));
  return times[std::clamp<std::size_t>(rank, 1, times.size()) - 1];
}

Spread measure_spread(const SimNetwork& network, std::span<const Sent> sent, std::size_t nodes) {
  const auto index = index_of(sent);
  Spread spread;
  std::vector<bool> has_arrived;
  for (std::size_t node = 0; node < nodes; ++node) {
    has_arrived.assign(sent.size(), false);
    for (const Arrival& arrival : network.node(node).arrivals()) {
      const auto found = index.find(arrival.message.get());
      if (found == index.end()) continue;
      if (has_arrived[found->second] || sent[found->second].origin == node) {
        ++spread.repeated;
        continue;
      }
      has_arrived[found->second] = true;
      spread.times.push_back(arrival.at - sent[found->second].at);
    }
    for (std::size_t i = 0; i < sent.size(); ++i) {
      if (sent[i].origin == node) continue;
      ++spread.expected;
      if (!has_arrived[i] && spread.lost.size() < kLostNamedMax) spread.lost.push_back(describe(sent[i], i, node));
    }
  }
  spread.delivered = spread.times.size();
  std::sort(spread.times.begin(), spread.times.end());
  return spread;
}

std::vector<Instant> first_arrivals(const SimNode& node, std::span<const Sent> sent) {
  const auto index = index_of(sent);
  std::vector<Instant> first(sent.size(), Instant::never());
  for (const Arrival& arrival : node.arrivals()) {
    const auto found = index.find(arrival.message.get());
    if (found != index.end()) first[found->second] = std::min(first[found->second], arrival.at);
  }
  return first;
}

WireMeter::WireMeter(const SimNetwork& network, std::size_t nodes) : network_(network) {
  for (std::size_t i = 0; i < nodes; ++i) start_.push_back(network.links().read(i));
}

WireCounts WireMeter::read(std::size_t node) const {
  WireCounts counts = network_.links().read(node);
  counts -= start_.at(node);
  return counts;
}

WireCounts WireMeter::read() const {
  WireCounts total;
  for (std::size_t i = 0; i < start_.size(); ++i) total += read(i);
  return total;
}

}  // namespace overlayd::sim
