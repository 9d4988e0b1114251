// How many survey messages are followed, so that no surveyor floods the network.
//
// Words.   A *request* is known by (ledger, surveyor, surveyed), whatever else it says.
// Rule 1.  A message is of our window if its ledger is at most kSurveyLedgerWindow from ours. Source:
//          SurveyMessageLimiter::surveyLedgerNumValid.
// Rule 2.  In one ledger at most kSurveyorsPerLedger surveyors, ourselves beside them, and of each at most
//          kSurveyedPerSurveyor surveyed nodes; of ourselves any number. Each request once. Source:
//          addAndValidateRequest.
// Rule 3.  A response is followed once, and only if its request was. Source: recordAndValidateResponse.
// Rule 4.  may_* change nothing: a message is recorded when its phase and its signature were looked at too. Rationale:
//          else anybody could use up a surveyor's share with requests that surveyor did not sign.
// Limits.  2 * kSurveyLedgerWindow + 1 ledgers; our own requests are the caller's to pace.
// Source:  stellar-core SurveyMessageLimiter, commit a9b8613.
#pragma once
#include <map>

#include "core/ids.h"
#include "core/limits.h"

namespace overlayd::survey {

class SurveyLimiter {
 public:
  explicit SurveyLimiter(const NodeId& self) : self_(self) {}

  [[nodiscard]] static bool is_in_window(std::uint32_t ledger, std::uint32_t ours);

  // The request is in the limits of its ledger and was not recorded.
  [[nodiscard]] bool may_request(std::uint32_t ledger, const NodeId& surveyor, const NodeId& surveyed) const;
  void record_request(std::uint32_t ledger, const NodeId& surveyor, const NodeId& surveyed);
  // Its request was recorded, and no response to it.
  [[nodiscard]] bool may_respond(std::uint32_t ledger, const NodeId& surveyor, const NodeId& surveyed) const;
  void record_response(std::uint32_t ledger, const NodeId& surveyor, const NodeId& surveyed);

  // Forgets ledgers that are out of the window below `ours` (clearOldLedgers); and those ahead of it, should the ledger
  // have gone back.
  void on_ledger(std::uint32_t ours);
  [[nodiscard]] std::size_t ledgers() const { return records_.size(); }
  void check_invariants() const;

 private:
  using Surveyed = std::map<NodeId, bool>;  // whether it responded
  const NodeId self_;
  std::map<std::uint32_t, std::map<NodeId, Surveyed>> records_;
};

}  // namespace overlayd::survey
