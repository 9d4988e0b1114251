#include "daemon/survey_log.h"

#include <catch2/catch.hpp>

#include "core/crypto/strkey.h"

using namespace overlayd;
using daemon::SurveyLog;

namespace {

NodeId surveyor(std::uint8_t number) {
  NodeId node;
  node.bytes.fill(number);
  return node;
}

SurveyStatus status_of(SurveyPhase phase, std::uint32_t nonce = 7) {
  SurveyStatus status;
  status.phase = phase;
  if (phase != SurveyPhase::kInactive) status.surveyor = surveyor(1);
  status.nonce = nonce;
  status.phase_began = UnixTime{100};
  status.phase_ends = UnixTime{1900};
  return status;
}

}  // namespace

TEST_CASE("each change of a survey's phase is one line with the surveyor's short id and the nonce", "[survey_log]") {
  const std::string who = "survey 7 of " + crypto::short_node_id(surveyor(1));
  const SurveyStatus inactive = status_of(SurveyPhase::kInactive);
  const SurveyStatus collecting = status_of(SurveyPhase::kCollecting);
  const SurveyStatus reporting = status_of(SurveyPhase::kReporting);
  CHECK(SurveyLog::line(inactive, collecting) == who + " collects, for at most 1800 s");
  CHECK(SurveyLog::line(collecting, reporting) == who + " reports, for at most 1800 s");
  CHECK(SurveyLog::line(reporting, inactive) == who + " is over");
}

TEST_CASE("what else changes of a status makes no line", "[survey_log]") {
  SurveyStatus later = status_of(SurveyPhase::kCollecting);
  later.nodes_found = 5;
  later.requests_sent = 6;
  CHECK(SurveyLog::line(status_of(SurveyPhase::kCollecting), later).empty());
  SurveyStatus inactive = status_of(SurveyPhase::kInactive);
  inactive.nonce = 8;
  CHECK(SurveyLog::line(status_of(SurveyPhase::kInactive), inactive).empty());
}

TEST_CASE("another survey in the same phase is told, and our own is marked", "[survey_log]") {
  SurveyStatus other = status_of(SurveyPhase::kCollecting, 8);
  other.is_ours = true;
  CHECK(SurveyLog::line(status_of(SurveyPhase::kCollecting), other) ==
        "survey 8 of " + crypto::short_node_id(surveyor(1)) + " (this node) collects, for at most 1800 s");
}
