#include "core/survey/survey_data.h"

#include <algorithm>

#include "core/check.h"

namespace overlayd::survey {
namespace {

// What came in while the phase lasted. `connected` of a snapshot is in all.
SurveyedLink told(const PeerSnapshot& link, const PeerSnapshot& before, const Samples& latencies) {
  SurveyedLink told;
  told.node = link.node;
  told.version = link.version_string;
  told.messages_read = link.messages_read - before.messages_read;
  told.messages_written = link.messages_written - before.messages_written;
  told.bytes_read = link.bytes_read - before.bytes_read;
  told.bytes_written = link.bytes_written - before.bytes_written;
  told.seconds_connected =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(link.connected_for).count());
  told.unique_flood_bytes = link.unique_flood_bytes - before.unique_flood_bytes;
  told.duplicate_flood_bytes = link.duplicate_flood_bytes - before.duplicate_flood_bytes;
  told.unique_fetch_bytes = link.unique_fetch_bytes - before.unique_fetch_bytes;
  told.duplicate_fetch_bytes = link.duplicate_fetch_bytes - before.duplicate_fetch_bytes;
  told.unique_flood_messages = link.unique_flood_messages - before.unique_flood_messages;
  told.duplicate_flood_messages = link.duplicate_flood_messages - before.duplicate_flood_messages;
  told.unique_fetch_messages = link.unique_fetch_messages - before.unique_fetch_messages;
  told.duplicate_fetch_messages = link.duplicate_fetch_messages - before.duplicate_fetch_messages;
  told.average_latency_ms = latencies.percentile_ms(50);
  return told;
}

std::vector<SurveyedLink> slice(const std::vector<SurveyedLink>& links, std::size_t index) {
  if (index >= links.size()) return {};
  const std::size_t count = std::min(links.size() - index, limits::kSurveyLinksPerPage);
  const auto first = links.begin() + static_cast<std::ptrdiff_t>(index);
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

// --- phases -------------------------------------------------------------------------------------------------------

void SurveyData::enter(SurveyPhase phase, Duration lasts, UnixTime began, const Now& now) {
  phase_ = phase;
  began_ = began;
  ends_.seconds =
      began.seconds + static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(lasts).count());
  const std::uint64_t left = ends_.seconds > now.unix_time.seconds ? ends_.seconds - now.unix_time.seconds : 0;
  phase_ends_ = now.instant + std::min(lasts, Duration(std::chrono::seconds(std::min<std::uint64_t>(left, 1 << 20))));
}

void SurveyData::begin(const NodeId& surveyor, std::uint32_t nonce, bool is_in_sync,
                       const std::vector<PeerSnapshot>& links, const Now& now) {
  OVERLAYD_CHECK(phase_ == SurveyPhase::kInactive);
  surveyor_ = surveyor;
  nonce_ = nonce;
  node_.lost_sync_count = is_in_sync ? 0 : 1;
  for (const PeerSnapshot& link : links) collecting_.try_emplace(link.node, Collecting{link, {}});
  enter(SurveyPhase::kCollecting, limits::kSurveyCollectMax, now.unix_time, now);
}

bool SurveyData::stop(const NodeId& surveyor, std::uint32_t nonce, bool is_validator,
                      const std::vector<PeerSnapshot>& links, const Now& now) {
  if (!is_collecting() || surveyor_ != surveyor || nonce_ != nonce) return false;
  report(is_validator, links, now);
  return true;
}

void SurveyData::resume(SurveyPhase phase, const NodeId& surveyor, std::uint32_t nonce, bool is_in_sync,
                        const std::vector<PeerSnapshot>& links, UnixTime began, const Now& now) {
  begin(surveyor, nonce, is_in_sync, links, now);
  if (phase == SurveyPhase::kCollecting) {
    enter(phase, limits::kSurveyCollectMax, began, now);
  } else {
    collecting_.clear();
    enter(phase, limits::kSurveyReportMax, began, now);
  }
}

bool SurveyData::advance(bool is_validator, const std::vector<PeerSnapshot>& links, const Now& now) {
  if (!is_active() || now.instant < phase_ends_) return false;
  if (is_collecting()) {
    report(is_validator, links, now);
  } else {
    reset();
  }
  return true;
}

void SurveyData::report(bool is_validator, const std::vector<PeerSnapshot>& links, const Now& now) {
  std::vector<PeerSnapshot> sorted = links;
  std::ranges::sort(sorted, {}, &PeerSnapshot::node);
  for (const PeerSnapshot& link : sorted) {
    const auto found = collecting_.find(link.node);
    if (found == collecting_.end()) continue;
    (link.direction == Direction::kInbound ? inbound_ : outbound_)
        .push_back(told(link, found->second.at_begin, found->second.latencies));
  }
  collecting_.clear();
  node_.total_inbound = static_cast<std::uint32_t>(inbound_.size());
  node_.total_outbound = static_cast<std::uint32_t>(outbound_.size());
  node_.p75_scp_first_to_self_ms = first_to_self_.percentile_ms(75);
  node_.p75_scp_self_to_other_ms = self_to_other_.percentile_ms(75);
  node_.is_validator = is_validator;
  node_.max_inbound = limits_.max_inbound;
  node_.max_outbound = limits_.max_outbound;
  enter(SurveyPhase::kReporting, limits::kSurveyReportMax, now.unix_time, now);
}

void SurveyData::reset() {
  phase_ = SurveyPhase::kInactive;
  surveyor_ = {};
  nonce_ = 0;
  began_ = ends_ = {};
  phase_ends_ = Instant::never();
  collecting_.clear();
  first_to_self_ = {};
  self_to_other_ = {};
  node_ = {};
  inbound_.clear();
  outbound_.clear();
}

// --- what is counted ----------------------------------------------------------------------------------------------

void SurveyData::on_link_added() {
  if (is_collecting()) ++node_.added_peers;
}

void SurveyData::on_link_dropped(const NodeId& node) {
  if (!is_collecting()) return;
  ++node_.dropped_peers;
  collecting_.erase(node);
}

void SurveyData::on_latency(const NodeId& node, Duration latency) {
  if (const auto found = collecting_.find(node); found != collecting_.end()) found->second.latencies.add(latency);
}

void SurveyData::on_lost_sync() {
  if (is_collecting()) ++node_.lost_sync_count;
}

void SurveyData::on_externalized_by_us(std::uint64_t slot, Instant now) {
  const auto sample = lag_.on_self(slot, now);
  if (sample && is_collecting()) first_to_self_.add(*sample);
}

void SurveyData::on_externalized(std::uint64_t slot, const NodeId& node, Instant now) {
  const auto sample = lag_.on_other(slot, node, now);
  if (sample && is_collecting()) self_to_other_.add(*sample);
}

// --- what is told -------------------------------------------------------------------------------------------------

wire::SurveyTopology SurveyData::page(std::uint32_t inbound_index, std::uint32_t outbound_index) const {
  return {slice(inbound_, inbound_index), slice(outbound_, outbound_index), node_};
}

void SurveyData::check_invariants() const {
  OVERLAYD_CHECK(is_collecting() || collecting_.empty());
  OVERLAYD_CHECK(is_active() == !surveyor_.is_zero());
  OVERLAYD_CHECK(phase_ == SurveyPhase::kReporting || (inbound_.empty() && outbound_.empty()));
  OVERLAYD_CHECK(lag_.slots() <= limits::kSurveySlotsMax);
}

}  // namespace overlayd::survey
