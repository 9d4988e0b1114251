#include "daemon/survey_log.h"

#include <spdlog/spdlog.h>

#include "core/crypto/strkey.h"

namespace overlayd::daemon {
namespace {

std::string describe(const SurveyStatus& status) {
  return fmt::format("survey {} of {}{}", status.nonce, crypto::short_node_id(status.surveyor),
                     status.is_ours ? " (this node)" : "");
}

}  // namespace

std::string SurveyLog::line(const SurveyStatus& before, const SurveyStatus& after) {
  const bool is_same_survey = before.surveyor == after.surveyor && before.nonce == after.nonce;
  if (before.phase == after.phase && (is_same_survey || after.phase == SurveyPhase::kInactive)) return {};
  const auto left = [&] { return after.phase_ends.seconds - std::min(after.phase_ends, after.phase_began).seconds; };
  switch (after.phase) {
    case SurveyPhase::kInactive: return describe(before) + " is over";
    case SurveyPhase::kCollecting: return fmt::format("{} collects, for at most {} s", describe(after), left());
    case SurveyPhase::kReporting: return fmt::format("{} reports, for at most {} s", describe(after), left());
  }
  return {};
}

void SurveyLog::on_survey(const SurveyStatus& status) {
  if (const std::string text = line(last_, status); !text.empty()) spdlog::info("{}", text);
  last_.phase = status.phase;
  last_.surveyor = status.surveyor;
  last_.nonce = status.nonce;
  last_.is_ours = status.is_ours;
}

}  // namespace overlayd::daemon
