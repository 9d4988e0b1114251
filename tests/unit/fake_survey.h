// Surveys of the fake overlay (ipc_fake.h): takes orders as core does, and asks nobody. What a survey finds is put into
// `result` by the test.
#pragma once
#include <set>

#include "core/outputs.h"
#include "ipc_messages.h"

namespace overlayd::ipc::testing {

class FakeSurvey {
 public:
  static constexpr std::uint8_t kQueueFullNode = 66;  // a request to it finds a full queue

  SurveyResult result;

  RequestAnswer answer_to(const StartSurvey& start) {
    SurveyStatus& status = result.status;
    if (status.phase != SurveyPhase::kInactive)
      return {.request = {}, .status = RequestStatus::kRefused, .why = "a survey is under way until 1700000000"};
    begin(start.nonce);
    return {};
  }
  RequestAnswer answer_to(const StopSurvey&) {
    if (result.status.phase != SurveyPhase::kCollecting) return {.request = {}, .status = RequestStatus::kNotFound};
    result.status.phase = SurveyPhase::kReporting;
    result.status.is_asking = true;
    return {};
  }
  RequestAnswer answer_to(const RequestSurvey& request) {
    if (!result.status.is_asking) return {.request = {}, .status = RequestStatus::kNotFound};
    if (request.node == node(kQueueFullNode))
      return {.request = {}, .status = RequestStatus::kRefused, .why = "queue: 1000 requests wait"};
    const bool is_new = requested_.insert(request.node).second;
    return {.request = {}, .status = is_new ? RequestStatus::kAccepted : RequestStatus::kDuplicate};
  }
  RequestAnswer answer_to(const RunSurvey&) {
    SurveyStatus& status = result.status;
    if (status.run == SurveyRun::kCollecting || status.run == SurveyRun::kCrawling)
      return {.request = {}, .status = RequestStatus::kDuplicate};
    begin(++runs_);
    status.run = SurveyRun::kCollecting;
    status.run_began = UnixTime{1'700'000'000 + runs_};
    return {};
  }
  RequestAnswer answer_to(const EndSurvey&) {
    SurveyStatus& status = result.status;
    if (!status.is_asking && status.run != SurveyRun::kCollecting)
      return {.request = {}, .status = RequestStatus::kNotFound};
    status.is_asking = false;
    if (status.run == SurveyRun::kCollecting || status.run == SurveyRun::kCrawling) status.run = SurveyRun::kEnded;
    status.why = "a client ended it";
    return {};
  }

 private:
  void begin(std::uint32_t nonce) {
    result = {};
    result.status.phase = SurveyPhase::kCollecting;
    result.status.surveyor = node(9);
    result.status.nonce = nonce;
    result.status.result_nonce = nonce;
    result.status.has_result = true;
    result.status.is_ours = true;
    result.status.nodes_found = 1;
  }

  std::set<NodeId> requested_;
  std::uint32_t runs_ = 0;
};

// A node with `links` links in each direction.
inline SurveyNodePtr survey_node(std::uint32_t number, std::size_t links = 0) {
  SurveyNode found;
  found.node.bytes[0] = static_cast<std::uint8_t>(number >> 8);
  found.node.bytes[1] = static_cast<std::uint8_t>(number);
  found.state = SurveyNodeState::kComplete;
  found.stats = SurveyedNode{.total_inbound = static_cast<std::uint32_t>(links)};
  for (std::size_t i = 0; i < links; ++i) {
    SurveyedLink link{.node = node(static_cast<std::uint8_t>(i)), .version = std::string(100, 'v')};
    link.node.bytes[31] = static_cast<std::uint8_t>(i >> 8);
    found.inbound.push_back(link);
    found.outbound.push_back(link);
  }
  return std::make_shared<const SurveyNode>(std::move(found));
}

// The run is over, with `count` nodes.
inline void finish_run(SurveyResult& result, std::uint32_t count, std::size_t links = 0) {
  result.status.run = SurveyRun::kDone;
  result.status.phase = SurveyPhase::kReporting;
  result.status.nodes_found = count;
  for (std::uint32_t i = 0; i < count; ++i) result.nodes.push_back(survey_node(i, links));
}

}  // namespace overlayd::ipc::testing
