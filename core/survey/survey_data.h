// The phases of a survey, and what this node counts and tells in it.
//
// Words.   A *survey* is known by its surveyor and nonce. *Links* are authenticated ones.
// Rule 1.  inactive -> collecting (begin) -> reporting (stop, or kSurveyCollectMax after the begin) -> inactive
//          (kSurveyReportMax after that). One survey at a time. Source: SurveyDataManager.
// Rule 2.  Links there at the begin are counted from there; a link that comes later is counted in added_peers and not
//          told of, one that goes leaves the list and counts in dropped_peers. A node that goes and comes again is not
//          told of. Source: startSurveyCollecting, modifyPeerData, recordDroppedPeer, finalizePeerData.
// Rule 3.  When reporting begins everything is fixed: counters as deltas since the begin, seconds_connected in all, the
//          median of the pings of the phase, links ascending by node id. So pages of one survey never overlap.
// Rule 4.  lost_sync_count: how often UpdateLedger took us out of sync during the phase, and one more if we were out of
//          sync when it began. Source: finalizeNodeData.
// Rule 5.  A page has at most kSurveyLinksPerPage links a direction, from the index asked for; none past the end. Source:
//          fillTimeSlicedPeerDataList.
// Limits.  One entry for each link of the begin, each with at most kSurveySamplesMax samples.
// Not here: who may ask (survey.h), and whether the messages are genuine.
// Source:  stellar-core SurveyDataManager, commit a9b8613; departures are marked "ours".
#pragma once
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/snapshots.h"
#include "core/survey/externalize_lag.h"
#include "core/survey/samples.h"
#include "core/wire/survey_messages.h"

namespace overlayd::survey {

// What a node says of its configuration.
struct SurveyedLimits {
  std::uint32_t max_inbound = 0;
  std::uint32_t max_outbound = 0;
};

class SurveyData {
 public:
  explicit SurveyData(const SurveyedLimits& limits) : limits_(limits) {}

  // Only while inactive. `links`: the authenticated ones.
  void begin(const NodeId& surveyor, std::uint32_t nonce, bool is_in_sync, const std::vector<PeerSnapshot>& links,
             const Now& now);
  // Ends the collecting phase of exactly this survey; false: there is no such one.
  bool stop(const NodeId& surveyor, std::uint32_t nonce, bool is_validator, const std::vector<PeerSnapshot>& links,
            const Now& now);
  // Takes up a survey of ours that a former process began, with the phase's own begin. Reporting, it has nothing to tell.
  void resume(SurveyPhase phase, const NodeId& surveyor, std::uint32_t nonce, bool is_in_sync,
              const std::vector<PeerSnapshot>& links, UnixTime began, const Now& now);
  // The phase ends if its time is over; true if it did.
  bool advance(bool is_validator, const std::vector<PeerSnapshot>& links, const Now& now);
  [[nodiscard]] Instant next_deadline() const { return phase_ends_; }

  [[nodiscard]] SurveyPhase phase() const { return phase_; }
  [[nodiscard]] bool is_active() const { return phase_ != SurveyPhase::kInactive; }
  [[nodiscard]] bool is_collecting() const { return phase_ == SurveyPhase::kCollecting; }
  [[nodiscard]] bool is_reporting(std::uint32_t nonce) const {
    return phase_ == SurveyPhase::kReporting && nonce_ == nonce;
  }
  [[nodiscard]] const NodeId& surveyor() const { return surveyor_; }  // zero while inactive
  [[nodiscard]] std::uint32_t nonce() const { return nonce_; }
  [[nodiscard]] UnixTime phase_began() const { return began_; }
  [[nodiscard]] UnixTime phase_ends() const { return ends_; }

  // What happens to us. Outside a collecting phase these change nothing but what a later phase begins with.
  void on_link_added();
  void on_link_dropped(const NodeId& node);
  void on_latency(const NodeId& node, Duration latency);
  void on_lost_sync();
  void on_externalized_by_us(std::uint64_t slot, Instant now);
  void on_externalized(std::uint64_t slot, const NodeId& node, Instant now);
  void forget_slots_after(std::uint64_t slot) { lag_.forget_after(slot); }

  // While reporting.
  [[nodiscard]] wire::SurveyTopology page(std::uint32_t inbound_index, std::uint32_t outbound_index) const;
  [[nodiscard]] const SurveyedNode& node() const { return node_; }
  [[nodiscard]] const std::vector<SurveyedLink>& inbound() const { return inbound_; }
  [[nodiscard]] const std::vector<SurveyedLink>& outbound() const { return outbound_; }
  void check_invariants() const;

 private:
  struct Collecting {
    PeerSnapshot at_begin;
    Samples latencies;
  };
  void report(bool is_validator, const std::vector<PeerSnapshot>& links, const Now& now);
  void reset();
  void enter(SurveyPhase phase, Duration lasts, UnixTime began, const Now& now);

  const SurveyedLimits limits_;
  SurveyPhase phase_ = SurveyPhase::kInactive;
  NodeId surveyor_;
  std::uint32_t nonce_ = 0;
  UnixTime began_;
  UnixTime ends_;
  Instant phase_ends_ = Instant::never();
  ExternalizeLag lag_;
  std::map<NodeId, Collecting> collecting_;
  Samples first_to_self_;
  Samples self_to_other_;
  SurveyedNode node_;  // counts while collecting, fixed while reporting
  std::vector<SurveyedLink> inbound_;
  std::vector<SurveyedLink> outbound_;
};

}  // namespace overlayd::survey
