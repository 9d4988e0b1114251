// The surveyor's side: what clients order, what comes due, and what a former process left.
#include "core/crypto/strkey.h"
#include "core/survey/survey.h"

namespace overlayd::survey {

using wire::MessageType;

namespace {

constexpr const char* kSelfLost = "the daemon was restarted while it counted: what it had is lost";

void answer(RequestId request, RequestStatus status, std::string why, Outputs& out) {
  if (request.value != 0) out.emplace_back(RequestAnswer{.request = request, .status = status, .why = std::move(why)});
}

}  // namespace

Survey::Survey(const SurveyOptions& options, const SurveyedLimits& limits, const LocalNode& local,
               const LedgerView& ledger, Links links, Peers peers, SurveyMetrics& metrics, const Now& now)
    : options_(options),
      local_(local),
      ledger_(ledger),
      links_(std::move(links)),
      peers_(std::move(peers)),
      metrics_(metrics),
      limiter_(local.node_id),
      data_(limits),
      surveyor_(local.node_id) {
  if (!options_.stored.empty() && surveyor_.load(options_, now)) resume(now);
  options_.stored = {};
  options_.stored_nodes = {};
}

void Survey::resume(const Now& now) {
  const SurveyRecord& record = surveyor_.record();
  const auto seconds_of = [](Duration duration) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
  };
  SurveyPhase phase = record.phase;
  std::uint64_t began = record.phase_began.seconds;
  const std::uint64_t unix_now = now.unix_time.seconds;
  // Phases that ended meanwhile: everybody else went on by the clock.
  if (phase == SurveyPhase::kCollecting && unix_now >= began + seconds_of(limits::kSurveyCollectMax)) {
    phase = SurveyPhase::kReporting;
    began += seconds_of(limits::kSurveyCollectMax);
  }
  if (phase == SurveyPhase::kReporting && unix_now >= began + seconds_of(limits::kSurveyReportMax))
    phase = SurveyPhase::kInactive;
  const bool has_key = options_.key && options_.entropy;
  if (phase == SurveyPhase::kInactive || !has_key) {
    surveyor_.end(has_key ? "the reporting phase was over when the daemon came back"
                          : "the daemon came back without a key to sign requests with");
    return;
  }
  const bool was_asking = record.was_asking || (record.phase != phase && record.run != SurveyRun::kEnded);
  is_self_lost_ = record.phase == SurveyPhase::kCollecting;
  data_.resume(phase, local_.node_id, record.nonce, ledger_.is_in_sync, {}, {began}, now);
  if (phase != SurveyPhase::kReporting) return;
  if (is_self_lost_) surveyor_.lose_self(kSelfLost);
  if (!was_asking && !surveyor_.is_running()) return;
  surveyor_.resume_asking(*options_.entropy, data_.next_deadline(), now);
}

// --- orders -------------------------------------------------------------------------------------------------------

std::string Survey::why_not(const Now& now) const {
  if (!options_.key || !options_.entropy) return "this node has no key to sign a survey with";
  if (!data_.is_active()) return why_not_heard();
  const std::uint64_t left =
      data_.phase_ends().seconds > now.unix_time.seconds ? data_.phase_ends().seconds - now.unix_time.seconds : 0;
  const std::string whose = is_own_survey() ? "of this node" : "of " + crypto::encode_node_id(data_.surveyor());
  return "a survey " + whose + " with nonce " + std::to_string(data_.nonce()) + " is " +
         (data_.is_collecting() ? "collecting" : "reporting") + ", for " + std::to_string(left) +
         " s more at most, and there is one at a time";
}

void Survey::on(const StartSurvey& start, const Now& now, const Effects& effects) {
  const std::string why = why_not(now);
  if (!why.empty()) return answer(start.request, RequestStatus::kRefused, why, effects.outputs);
  begin(start.nonce, std::nullopt, now, effects);
  answer(start.request, RequestStatus::kAccepted, {}, effects.outputs);
}

std::string Survey::why_not_heard() const {
  if (ledger_.sequence == 0) return "the ledger is not known: surveys carry its number (UpdateLedger)";
  return peers_().empty() ? "no peer is connected that could hear of the survey" : "";
}

void Survey::begin(std::uint32_t nonce, std::optional<Duration> run, const Now& now, const Effects& effects) {
  while (nonce == 0) {
    std::array<std::uint8_t, 4> drawn{};
    options_.entropy->fill(drawn);
    std::memcpy(&nonce, drawn.data(), drawn.size());
  }
  surveyor_.begin(nonce);
  is_self_lost_ = false;
  // Before anything is stored: a process that dies now leaves the run to the next one.
  if (run) surveyor_.begin_run(*run, SurveyPhase::kCollecting, now.unix_time, now);
  send_own(MessageType::kTimeSlicedSurveyStartCollecting,
           wire::write_signed_part(
               wire::SurveyCollecting{.surveyor = local_.node_id, .nonce = nonce, .ledger = ledger_.sequence}),
           now, effects);
}

void Survey::on(const StopSurvey& stop_order, const Now& now, const Effects& effects) {
  if (!is_own_survey() || !data_.is_collecting())
    return answer(stop_order.request, RequestStatus::kNotFound, {}, effects.outputs);
  if (const std::string why = why_not_heard(); !why.empty())
    return answer(stop_order.request, RequestStatus::kRefused, why, effects.outputs);
  stop(now, effects);
  answer(stop_order.request, RequestStatus::kAccepted, {}, effects.outputs);
}

void Survey::stop(const Now& now, const Effects& effects) {
  send_own(MessageType::kTimeSlicedSurveyStopCollecting,
           wire::write_signed_part(
               wire::SurveyCollecting{.surveyor = local_.node_id, .nonce = data_.nonce(), .ledger = ledger_.sequence}),
           now, effects);
  begin_asking(now);
  work(now, effects);
}

void Survey::begin_asking(const Now& now) {
  if (is_self_lost_)
    surveyor_.lose_self(kSelfLost);
  else
    surveyor_.set_self(data_.node(), data_.inbound(), data_.outbound());
  surveyor_.begin_asking(*options_.entropy, data_.next_deadline(), now);
}

void Survey::on(const RequestSurvey& request, const Now& now, const Effects& effects) {
  const auto end = [&](RequestStatus status, std::string why = {}) {
    answer(request.request, status, std::move(why), effects.outputs);
  };
  if (!is_own_survey() || data_.is_collecting()) return end(RequestStatus::kNotFound);
  if (request.node == local_.node_id)
    return end(RequestStatus::kRefused, "node_id: that is this node; it is in the result already");
  if (!surveyor_.is_asking()) surveyor_.resume_asking(*options_.entropy, data_.next_deadline(), now);
  switch (surveyor_.request(request)) {
    case Crawl::Queued::kQueued: end(RequestStatus::kAccepted); break;
    case Crawl::Queued::kDuplicate: end(RequestStatus::kDuplicate); break;
    case Crawl::Queued::kFull:
      end(RequestStatus::kRefused, "queue: " + std::to_string(limits::kSurveyQueueMax) +
                                       " requests wait, or the result has no room for another node");
      break;
  }
  work(now, effects);
}

void Survey::on(const RunSurvey& run, const Now& now, const Effects& effects) {
  if (surveyor_.is_running()) return answer(run.request, RequestStatus::kDuplicate, {}, effects.outputs);
  if (!is_own_survey()) {
    const std::string why = why_not(now);
    if (!why.empty()) return answer(run.request, RequestStatus::kRefused, why, effects.outputs);
    begin(0, run.collect_for, now, effects);
  } else {
    surveyor_.begin_run(run.collect_for, data_.phase(), data_.phase_began(), now);
  }
  if (!data_.is_collecting() && !surveyor_.is_asking())
    surveyor_.resume_asking(*options_.entropy, data_.next_deadline(), now);
  answer(run.request, RequestStatus::kAccepted, {}, effects.outputs);
  work(now, effects);
}

void Survey::on(const EndSurvey& end, const Now&, const Effects& effects) {
  const bool has_ended = surveyor_.end("ended by a client");
  answer(end.request, has_ended ? RequestStatus::kAccepted : RequestStatus::kNotFound, {}, effects.outputs);
  store(effects);
}

// --- what comes due -----------------------------------------------------------------------------------------------

void Survey::advance(const Now& now, const Effects& effects) {
  if (now.instant >= next_deadline()) work(now, effects);
}

Instant Survey::next_deadline() const { return std::min(data_.next_deadline(), surveyor_.next_deadline()); }

void Survey::work(const Now& now, const Effects& effects) {
  if (surveyor_.is_stop_due(now.instant) && is_own_survey() && data_.is_collecting()) {
    const std::string why = why_not_heard();
    if (why.empty()) return stop(now, effects);
    surveyor_.put_off_stop(why, now.instant);
  } else if (surveyor_.is_stop_due(now.instant)) {
    surveyor_.end("its survey is under way no more");
  }
  if (now.instant >= data_.next_deadline() && data_.advance(ledger_.is_validator, links_(now.instant), now)) {
    is_changed_ = true;
    if (is_own_survey()) begin_asking(now);
  }
  if (surveyor_.is_asking()) {
    surveyor_.advance(ledger_.sequence, peers_(), now.instant);
    send_requests(now, effects);
  }
  store(effects);
}

void Survey::store(const Effects& effects) {
  // Another's survey is not ours to go on with.
  const bool is_own = is_own_survey();
  surveyor_.store(is_own ? data_.phase() : SurveyPhase::kInactive, is_own ? data_.phase_began() : UnixTime{},
                  effects.outputs);
}

void Survey::send_requests(const Now& now, const Effects& effects) {
  const bool has_peers = !peers_().empty();
  while (const auto ask = surveyor_.next(ledger_.sequence, has_peers, now.instant)) {
    ++metrics_.requests_sent;
    send_own(MessageType::kTimeSlicedSurveyRequest,
             wire::write_signed_part(wire::SurveyRequest{.surveyor = local_.node_id,
                                                         .surveyed = ask->node,
                                                         .ledger = ledger_.sequence,
                                                         .encryption_key = surveyor_.public_key(),
                                                         .nonce = data_.nonce(),
                                                         .inbound_index = ask->inbound_index,
                                                         .outbound_index = ask->outbound_index}),
             now, effects);
  }
}

}  // namespace overlayd::survey
