// What a network survey is made of, as values: what one node tells of itself and its links, and how far a survey of ours
// is. Source of the counters: Stellar-overlay.x (TimeSlicedNodeData, TimeSlicedPeerData), overlay version 42.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/ids.h"

namespace overlayd {

enum class SurveyPhase : std::uint8_t { kInactive = 0, kCollecting = 1, kReporting = 2 };

// One link of a surveyed node, as that node counted it during the collecting phase.
struct SurveyedLink {
  NodeId node;          // at the other end
  std::string version;  // what that one calls itself; raw, at most limits::kVersionStringMax bytes
  std::uint64_t messages_read = 0;
  std::uint64_t messages_written = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t seconds_connected = 0;  // in all, not in the phase alone
  std::uint64_t unique_flood_bytes = 0;
  std::uint64_t duplicate_flood_bytes = 0;
  std::uint64_t unique_fetch_bytes = 0;
  std::uint64_t duplicate_fetch_bytes = 0;
  std::uint64_t unique_flood_messages = 0;
  std::uint64_t duplicate_flood_messages = 0;
  std::uint64_t unique_fetch_messages = 0;
  std::uint64_t duplicate_fetch_messages = 0;
  std::uint32_t average_latency_ms = 0;  // the median, stellar-core's name notwithstanding; 0 also: not measured
  bool operator==(const SurveyedLink&) const = default;
};

// A surveyed node of itself.
struct SurveyedNode {
  std::uint32_t added_peers = 0;    // authenticated during the phase
  std::uint32_t dropped_peers = 0;  // that had been authenticated
  std::uint32_t total_inbound = 0;  // links it can report
  std::uint32_t total_outbound = 0;
  std::uint32_t p75_scp_first_to_self_ms = 0;  // from the first EXTERNALIZE of a slot to its own
  std::uint32_t p75_scp_self_to_other_ms = 0;  // to those that came after its own
  std::uint32_t lost_sync_count = 0;
  bool is_validator = false;
  std::uint32_t max_inbound = 0;
  std::uint32_t max_outbound = 0;
  bool operator==(const SurveyedNode&) const = default;
};

enum class SurveyNodeState : std::uint8_t {
  kFound = 0,     // a node named it; it was not asked
  kWaiting = 1,   // in the queue
  kAsked = 2,     // a request to it is under way
  kComplete = 3,  // all its links are here
  kFailed = 4,    // it is asked no more; `problem` says why
};
enum class SurveyProblem : std::uint8_t {
  kNone = 0,
  kSilent = 1,       // it answered no request
  kUnpermitted = 2,  // a peer of ours was there all the time, and neither it nor anybody else answered
  kTruncated = 3,    // it has more links than it told of, or than are kept
  kBad = 4,          // what it answered cannot be read, or contradicts itself
  kNotAsked = 5,     // the survey ended first, or has no room for it
};

// One node in the result of a survey of ours.
struct SurveyNode {
  NodeId node;
  SurveyNodeState state = SurveyNodeState::kFound;
  SurveyProblem problem = SurveyProblem::kNone;
  std::string detail{};                 // more of `problem`, for people
  std::string version{};                // as a neighbour told it; empty: nobody did
  std::uint32_t requests = 0;           // sent to it
  std::uint32_t bad_responses = 0;      // of its answers, those that could not be used
  std::optional<SurveyedNode> stats{};  // absent: it has not answered
  std::vector<SurveyedLink> inbound{};  // merged from all its pages, ascending by node, each once
  std::vector<SurveyedLink> outbound{};
  std::vector<NodeId> named_by{};  // nodes that name it as a peer, the first limits::kSurveyNamersMax
};
using SurveyNodePtr = std::shared_ptr<const SurveyNode>;

// How far a survey that this node conducts by itself (RunSurvey) is.
enum class SurveyRun : std::uint8_t {
  kNone = 0,        // there was none
  kCollecting = 1,  // every node counts
  kCrawling = 2,    // nodes are asked
  kDone = 3,        // nobody is left to ask
  kEnded = 4,       // somebody ended it, or the reporting phase was over; `why` says which
};

struct SurveyStatus {
  // The survey this node takes part in, its own or another's.
  SurveyPhase phase = SurveyPhase::kInactive;
  NodeId surveyor;  // zero: none
  std::uint32_t nonce = 0;
  UnixTime phase_began;
  UnixTime phase_ends;  // at the latest
  bool is_ours = false;

  // The last survey of our own, of which there is a result. Kept until the next one.
  bool has_result = false;
  std::uint32_t result_nonce = 0;
  bool is_asking = false;  // requests are sent, and their answers taken
  SurveyRun run = SurveyRun::kNone;
  std::string why{};  // of kEnded; else what it waits for, empty: nothing
  UnixTime run_began;
  NodeId rival;                   // another permitted surveyor that began while ours was under way; zero: none
  std::uint32_t nodes_found = 0;  // ourselves with them
  std::uint32_t nodes_complete = 0;
  std::uint32_t nodes_failed = 0;
  std::uint32_t nodes_waiting = 0;
  std::uint32_t nodes_asked = 0;
  std::uint32_t nodes_refused = 0;  // names of others for which there was no room
  std::uint64_t links_found = 0;    // pairs of nodes of which one names the other
  std::uint64_t requests_sent = 0;
  std::uint64_t responses = 0;  // that could be used
  std::uint64_t bad_responses = 0;
  std::optional<Duration> time_left{};  // an estimate, while a run is under way
  bool operator==(const SurveyStatus&) const = default;
};

struct SurveyResult {
  SurveyStatus status;
  std::vector<SurveyNodePtr> nodes;  // ascending by node
};

}  // namespace overlayd
