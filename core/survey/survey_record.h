// A survey of ours as it is stored: the state of the survey, and each node of its result, in XDR of our own with a version
// in front. Reading takes whatever a disk may hold: nothing if it is not exactly a record of this version.
#pragma once
#include <optional>

#include "core/survey_values.h"

namespace overlayd::survey {

struct SurveyRecord {
  std::uint32_t nonce = 0;
  SurveyPhase phase = SurveyPhase::kInactive;  // of our survey
  UnixTime phase_began;
  SurveyRun run = SurveyRun::kNone;
  UnixTime run_began;
  UnixTime stop_at;  // of a run that collects
  bool was_asking = false;
  NodeId rival;
  std::string why;
  std::uint64_t requests_sent = 0;
  std::uint64_t responses = 0;
  std::uint64_t bad_responses = 0;
  std::uint32_t last_ledger = 0;  // of the last request; 0: there was none
};

struct SurveyNodeRecord {
  SurveyNode node;
  // crawl.h
  std::uint32_t rank = 0;
  std::uint32_t next_inbound = 0;
  std::uint32_t next_outbound = 0;
};

[[nodiscard]] Bytes write_survey_record(const SurveyRecord& record);
[[nodiscard]] std::optional<SurveyRecord> read_survey_record(ByteView bytes);
[[nodiscard]] Bytes write_survey_node(const SurveyNodeRecord& record);
[[nodiscard]] std::optional<SurveyNodeRecord> read_survey_node(ByteView bytes);

}  // namespace overlayd::survey
