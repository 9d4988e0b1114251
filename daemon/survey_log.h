// The operator's lines about network surveys: one when the survey this node takes part in changes its phase, and who
// conducts it. Never keys. Permitted surveyors make such lines, and not more than their surveys have phases.
#pragma once
#include <string>

#include "core/survey_values.h"

namespace overlayd::daemon {

class SurveyLog {
 public:
  void on_survey(const SurveyStatus& status);
  // The line for a status, given the one before; empty: the phase is the same.
  [[nodiscard]] static std::string line(const SurveyStatus& before, const SurveyStatus& after);

 private:
  SurveyStatus last_;  // its phase, surveyor and nonce alone
};

}  // namespace overlayd::daemon
