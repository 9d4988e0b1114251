#include "core/survey/survey.h"

#include "core/check.h"
#include "core/crypto/sealed_box.h"
#include "core/wire/message.h"

namespace overlayd::survey {

using wire::MessageType;

// --- messages -----------------------------------------------------------------------------------------------------

std::optional<DropReason> Survey::on_message(const MessagePtr& message, const Now& now, const Effects& effects) {
  ++metrics_.received;
  const auto parts = wire::read_signed(message->xdr());
  if (!parts) return DropReason::kFrameMalformed;
  const auto reason = follow({message, *parts, false, now, effects});
  // It may have been the last answer, or name nodes to ask.
  if (std::exchange(has_answer_, false) && surveyor_.is_asking()) work(now, effects);
  return reason;
}

std::optional<DropReason> Survey::follow(const Incoming& incoming) {
  const auto by_rules = [&]<typename T>(const T& message, const NodeId& signer) -> std::optional<DropReason> {
    if (const Refusal refusal = refuse(incoming, message)) {
      ++(metrics_.**refusal);
      if constexpr (std::same_as<T, wire::SurveyCollecting>) {
        if (*refusal == &SurveyMetrics::phase_refused) return look_at_rival(incoming, message);
      }
      return std::nullopt;
    }
    if (!incoming.is_own && !options_.verify(signer, incoming.parts.signed_part, incoming.parts.signature)) {
      ++metrics_.bad_signatures;
      return DropReason::kSurveySignature;
    }
    if (apply(incoming, message)) incoming.effects.broadcasts.push_back(incoming.message);
    store(incoming.effects);
    return std::nullopt;
  };
  const ByteView xdr = incoming.message->xdr();
  if (const auto request = wire::read_survey_request(xdr)) return by_rules(*request, request->surveyor);
  if (const auto response = wire::read_survey_response(xdr)) return by_rules(*response, response->surveyed);
  if (const auto collecting = wire::read_survey_collecting(xdr)) return by_rules(*collecting, collecting->surveyor);
  return DropReason::kFrameMalformed;
}

bool Survey::is_permitted(const NodeId& surveyor) const {
  const std::set<NodeId>& permitted = options_.surveyor_keys.empty() ? ledger_.quorum : options_.surveyor_keys;
  return permitted.contains(surveyor);
}

Survey::Refusal Survey::refuse(const Incoming& incoming, const wire::SurveyCollecting& message) {
  if (!incoming.is_own && !is_permitted(message.surveyor)) return &SurveyMetrics::unpermitted;
  if (!SurveyLimiter::is_in_window(message.ledger, ledger_.sequence)) return &SurveyMetrics::ledger_refused;
  const bool is_start = incoming.message->type() == MessageType::kTimeSlicedSurveyStartCollecting;
  if (!incoming.is_own && message.surveyor == local_.node_id) return &SurveyMetrics::phase_refused;
  const bool is_this = data_.surveyor() == message.surveyor && data_.nonce() == message.nonce;
  if (is_start ? !data_.is_active() : data_.is_collecting() && is_this) return std::nullopt;
  return &SurveyMetrics::phase_refused;
}

Survey::Refusal Survey::refuse(const Incoming& incoming, const wire::SurveyRequest& message) {
  if (!incoming.is_own && !is_permitted(message.surveyor)) return &SurveyMetrics::unpermitted;
  if (!SurveyLimiter::is_in_window(message.ledger, ledger_.sequence)) return &SurveyMetrics::ledger_refused;
  if (!limiter_.may_request(message.ledger, message.surveyor, message.surveyed)) return &SurveyMetrics::limit_refused;
  if (!data_.is_reporting(message.nonce)) return &SurveyMetrics::phase_refused;
  if (message.surveyed == local_.node_id && message.surveyor != data_.surveyor()) return &SurveyMetrics::phase_refused;
  return std::nullopt;
}

Survey::Refusal Survey::refuse(const Incoming&, const wire::SurveyResponse& message) {
  if (!SurveyLimiter::is_in_window(message.ledger, ledger_.sequence)) return &SurveyMetrics::ledger_refused;
  if (!limiter_.may_respond(message.ledger, message.surveyor, message.surveyed)) return &SurveyMetrics::limit_refused;
  if (!data_.is_reporting(message.nonce)) return &SurveyMetrics::phase_refused;
  return std::nullopt;
}

std::optional<DropReason> Survey::look_at_rival(const Incoming& incoming, const wire::SurveyCollecting& start) {
  const bool is_start = incoming.message->type() == MessageType::kTimeSlicedSurveyStartCollecting;
  if (!is_start || !is_own_survey() || start.surveyor == local_.node_id) return std::nullopt;
  if (surveyor_.has_rival() || rival_checks_ >= kRivalChecksPerLedger) return std::nullopt;
  ++rival_checks_;
  if (!options_.verify(start.surveyor, incoming.parts.signed_part, incoming.parts.signature)) {
    ++metrics_.bad_signatures;
    return DropReason::kSurveySignature;
  }
  surveyor_.note_rival(start.surveyor);
  store(incoming.effects);
  return std::nullopt;
}

bool Survey::apply(const Incoming& incoming, const wire::SurveyCollecting& message) {
  const Now& now = incoming.now;
  if (incoming.message->type() == MessageType::kTimeSlicedSurveyStartCollecting) {
    data_.begin(message.surveyor, message.nonce, ledger_.is_in_sync, links_(now.instant), now);
  } else {
    data_.stop(message.surveyor, message.nonce, ledger_.is_validator, links_(now.instant), now);
  }
  is_changed_ = true;
  return true;
}

bool Survey::apply(const Incoming& incoming, const wire::SurveyRequest& message) {
  limiter_.record_request(message.ledger, message.surveyor, message.surveyed);
  if (message.surveyed != local_.node_id) return true;
  answer_request(incoming, message);
  return false;
}

bool Survey::apply(const Incoming&, const wire::SurveyResponse& message) {
  limiter_.record_response(message.ledger, message.surveyor, message.surveyed);
  if (message.surveyor != local_.node_id) return true;
  switch (surveyor_.on_response(message.surveyed, message.ledger, message.sealed)) {
    case Crawl::Answered::kGood: ++metrics_.responses; break;
    case Crawl::Answered::kBad: ++metrics_.bad_responses; break;
    case Crawl::Answered::kIgnored: return false;
  }
  has_answer_ = true;
  return false;
}

void Survey::answer_request(const Incoming& incoming, const wire::SurveyRequest& request) {
  if (!options_.key || !options_.entropy) return;
  const Bytes topology = wire::write_survey_topology(data_.page(request.inbound_index, request.outbound_index));
  auto sealed = crypto::seal(request.encryption_key, topology, *options_.entropy);
  if (!sealed) {
    ++metrics_.answers_failed;
    return;
  }
  ++metrics_.answered;
  const wire::SurveyResponse response{.surveyor = request.surveyor,
                                      .surveyed = local_.node_id,
                                      .ledger = request.ledger,
                                      .sealed = std::move(*sealed),
                                      .nonce = request.nonce};
  // No second copy is to come back from a peer: the response counts as seen.
  limiter_.record_response(response.ledger, response.surveyor, response.surveyed);
  incoming.effects.broadcasts.push_back(
      sign(MessageType::kTimeSlicedSurveyResponse, wire::write_signed_part(response)));
}

MessagePtr Survey::sign(MessageType type, const Bytes& signed_part) const {
  return wire::Message::adopt(wire::write_survey_message(type, options_.key->sign(signed_part), signed_part),
                              local_.network_id);
}

void Survey::send_own(MessageType type, const Bytes& signed_part, const Now& now, const Effects& effects) {
  const MessagePtr message = sign(type, signed_part);
  const auto parts = wire::read_signed(message->xdr());
  OVERLAYD_CHECK(parts.has_value());
  static_cast<void>(follow({message, *parts, true, now, effects}));
}

// --- what happens to us -------------------------------------------------------------------------------------------

void Survey::on_ledger(bool was_in_sync, const Now& now, const Effects& effects) {
  limiter_.on_ledger(ledger_.sequence);
  rival_checks_ = 0;
  if (was_in_sync && !ledger_.is_in_sync) data_.on_lost_sync();
  data_.forget_slots_after(std::uint64_t{ledger_.sequence} + kTimedSlotsAhead);
  data_.on_externalized_by_us(ledger_.sequence, now.instant);
  work(now, effects);
}

void Survey::on_externalize(std::uint64_t slot, const NodeId& node, Instant now) {
  // Slots far ahead of us are nobody's to time: they would push out those of now.
  if (!ledger_.is_known || slot > std::uint64_t{ledger_.sequence} + kTimedSlotsAhead) return;
  if (node == local_.node_id) {
    data_.on_externalized_by_us(slot, now);
  } else {
    data_.on_externalized(slot, node, now);
  }
}

SurveyStatus Survey::status(Instant now) const {
  SurveyStatus status;
  status.phase = data_.phase();
  status.surveyor = data_.surveyor();
  status.nonce = data_.nonce();
  status.phase_began = data_.phase_began();
  status.phase_ends = data_.phase_ends();
  status.is_ours = is_own_survey();
  surveyor_.fill(status, now);
  return status;
}

bool Survey::take_changed() {
  const bool has_surveyor_changed = surveyor_.take_changed();
  return std::exchange(is_changed_, false) || has_surveyor_changed;
}

void Survey::check_invariants() const {
  limiter_.check_invariants();
  data_.check_invariants();
  surveyor_.check_invariants();
  OVERLAYD_CHECK(!surveyor_.is_asking() || (is_own_survey() && data_.phase() == SurveyPhase::kReporting));
}

}  // namespace overlayd::survey
