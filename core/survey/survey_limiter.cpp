#include "core/survey/survey_limiter.h"

#include "core/check.h"

namespace overlayd::survey {

bool SurveyLimiter::is_in_window(std::uint32_t ledger, std::uint32_t ours) {
  const std::uint64_t theirs = ledger;
  return theirs + limits::kSurveyLedgerWindow >= ours && theirs <= std::uint64_t{ours} + limits::kSurveyLedgerWindow;
}

bool SurveyLimiter::may_request(std::uint32_t ledger, const NodeId& surveyor, const NodeId& surveyed) const {
  const auto in_ledger = records_.find(ledger);
  if (in_ledger == records_.end()) return true;
  const auto of_surveyor = in_ledger->second.find(surveyor);
  if (of_surveyor == in_ledger->second.end()) {
    const std::size_t others = in_ledger->second.size() - in_ledger->second.count(self_);
    return surveyor == self_ || others < limits::kSurveyorsPerLedger;
  }
  if (of_surveyor->second.contains(surveyed)) return false;
  return surveyor == self_ || of_surveyor->second.size() < limits::kSurveyedPerSurveyor;
}

void SurveyLimiter::record_request(std::uint32_t ledger, const NodeId& surveyor, const NodeId& surveyed) {
  records_[ledger][surveyor].emplace(surveyed, false);
}

bool SurveyLimiter::may_respond(std::uint32_t ledger, const NodeId& surveyor, const NodeId& surveyed) const {
  const auto in_ledger = records_.find(ledger);
  if (in_ledger == records_.end()) return false;
  const auto of_surveyor = in_ledger->second.find(surveyor);
  if (of_surveyor == in_ledger->second.end()) return false;
  const auto found = of_surveyor->second.find(surveyed);
  return found != of_surveyor->second.end() && !found->second;
}

void SurveyLimiter::record_response(std::uint32_t ledger, const NodeId& surveyor, const NodeId& surveyed) {
  records_[ledger][surveyor][surveyed] = true;
}

void SurveyLimiter::on_ledger(std::uint32_t ours) {
  std::erase_if(records_, [ours](const auto& entry) { return !is_in_window(entry.first, ours); });
}

void SurveyLimiter::check_invariants() const {
  OVERLAYD_CHECK(records_.size() <= 2 * limits::kSurveyLedgerWindow + 1);
  for (const auto& [ledger, surveyors] : records_) {
    OVERLAYD_CHECK(surveyors.size() <= limits::kSurveyorsPerLedger + surveyors.count(self_));
    for (const auto& [surveyor, surveyed] : surveyors)
      OVERLAYD_CHECK(surveyor == self_ || surveyed.size() <= limits::kSurveyedPerSurveyor);
  }
}

}  // namespace overlayd::survey
