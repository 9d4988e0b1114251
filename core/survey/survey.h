// Time-sliced network surveys: this node as one that is surveyed, as one that relays, and as the surveyor.
//
// What a survey message of a peer meets, in this order (SurveyManager and SurveyMessageLimiter, commit a9b8613):
//   1. permission    the surveyor is one of surveyor_keys, or, if there are none, a node of the quorum. Not of responses.
//   2. ledger        survey_limiter.h, rule 1
//   3. limits        of requests and responses: survey_limiter.h, rules 2 and 3
//   4. phase         START: none is under way. STOP: that survey is collecting. REQUEST, RESPONSE: that nonce reports.
//                    REQUEST to us: the surveyor is that of the survey too.
//   5. signature     a bad one ends the link (kSurveySignature)
// What fails 1 to 4 is ignored and counted by the rule it failed. stellar-core looks at the signature of a STOP before its
// phase, and drops the sender of a bad one for a survey that is not there; we do not ("ours": the end is the same for all
// that is honest). What passes is relayed to all peers that do not know it, but for a request to us, which is answered,
// and a response to us.
// Our own messages are followed by the same rules, without 1 and 5.
// Permission is asked for each message: a quorum that changes during a survey ends it for those no longer in it.
//         START and STOP in our own name are of us alone: a peer that has one repeats what a former process sent.
// Rivals. A permitted START while our own survey is under way is ignored, as any; but its signature is looked at, and it
//         is noted in the status: nodes that heard of it first take part in that one and do not answer us.
// Limits: survey_limiter.h, survey_data.h, crawl.h; kRivalChecksPerLedger signatures of rivals are looked at.
#pragma once
#include <functional>

#include "core/error.h"
#include "core/local_node.h"
#include "core/survey/survey_data.h"
#include "core/survey/survey_limiter.h"
#include "core/survey/surveyor.h"

namespace overlayd::survey {

inline constexpr std::uint32_t kRivalChecksPerLedger = 10;
// EXTERNALIZE of later slots than our ledger and this are not timed.
inline constexpr std::uint32_t kTimedSlotsAhead = 3;

class Survey {
 public:
  // The authenticated links, with their counters as of now.
  using Links = std::function<std::vector<PeerSnapshot>(Instant now)>;
  // The nodes at their other ends.
  using Peers = std::function<std::vector<NodeId>()>;
  // `broadcasts`: to be sent to every peer that does not know the message. `outputs`: RequestAnswer and what is stored.
  struct Effects {
    std::vector<MessagePtr>& broadcasts;
    Outputs& outputs;
  };

  // `ledger` and `metrics` outlive it.
  Survey(const SurveyOptions& options, const SurveyedLimits& limits, const LocalNode& local, const LedgerView& ledger,
         Links links, Peers peers, SurveyMetrics& metrics, const Now& now);
  Survey(const Survey&) = delete;
  Survey& operator=(const Survey&) = delete;

  // One of the four survey messages, from a peer.
  [[nodiscard]] std::optional<DropReason> on_message(const MessagePtr& message, const Now& now, const Effects& effects);
  void on(const StartSurvey& start, const Now& now, const Effects& effects);
  void on(const StopSurvey& stop, const Now& now, const Effects& effects);
  void on(const RequestSurvey& request, const Now& now, const Effects& effects);
  void on(const RunSurvey& run, const Now& now, const Effects& effects);
  void on(const EndSurvey& end, const Now& now, const Effects& effects);
  // `ledger` has changed. `was_in_sync`: before.
  void on_ledger(bool was_in_sync, const Now& now, const Effects& effects);
  void on_link_added() { data_.on_link_added(); }
  void on_link_dropped(const NodeId& node) { data_.on_link_dropped(node); }
  void on_latency(const NodeId& node, Duration latency) { data_.on_latency(node, latency); }
  // An SCP envelope whose statement is EXTERNALIZE; `node` is ours: the client's own.
  void on_externalize(std::uint64_t slot, const NodeId& node, Instant now);

  // Everything due at or before `now`.
  void advance(const Now& now, const Effects& effects);
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] SurveyStatus status(Instant now) const;
  [[nodiscard]] SurveyResult result(Instant now) const { return {status(now), surveyor_.nodes()}; }
  // True once after the status has changed.
  [[nodiscard]] bool take_changed();
  void check_invariants() const;

 private:
  // One received message, or one of our own: then `is_own`.
  struct Incoming {
    const MessagePtr& message;
    wire::SignedSurvey parts;
    bool is_own = false;
    const Now& now;
    const Effects& effects;
  };
  // What rules 1 to 5 say of a message; nothing: it is to be followed.
  using Refusal = std::optional<std::uint64_t SurveyMetrics::*>;

  [[nodiscard]] std::optional<DropReason> follow(const Incoming& incoming);
  [[nodiscard]] Refusal refuse(const Incoming& incoming, const wire::SurveyCollecting& message);
  [[nodiscard]] Refusal refuse(const Incoming& incoming, const wire::SurveyRequest& message);
  [[nodiscard]] Refusal refuse(const Incoming& incoming, const wire::SurveyResponse& message);
  // Followed: what it means here. True: it is to be relayed.
  bool apply(const Incoming& incoming, const wire::SurveyCollecting& message);
  bool apply(const Incoming& incoming, const wire::SurveyRequest& message);
  bool apply(const Incoming& incoming, const wire::SurveyResponse& message);
  // Of a message that was refused.
  [[nodiscard]] std::optional<DropReason> look_at_rival(const Incoming& incoming, const wire::SurveyCollecting& start);
  void answer_request(const Incoming& incoming, const wire::SurveyRequest& request);
  [[nodiscard]] bool is_permitted(const NodeId& surveyor) const;
  [[nodiscard]] bool is_own_survey() const { return data_.is_active() && data_.surveyor() == local_.node_id; }

  // Signs a message of our own.
  [[nodiscard]] MessagePtr sign(wire::MessageType type, const Bytes& signed_part) const;
  void send_own(wire::MessageType type, const Bytes& signed_part, const Now& now, const Effects& effects);
  // Why no survey can be begun; empty: one can.
  [[nodiscard]] std::string why_not(const Now& now) const;
  // Why a message of ours would be followed by nobody; empty: somebody hears it.
  [[nodiscard]] std::string why_not_heard() const;
  // `run`: how long to collect; nothing: no run.
  void begin(std::uint32_t nonce, std::optional<Duration> run, const Now& now, const Effects& effects);
  void stop(const Now& now, const Effects& effects);
  void begin_asking(const Now& now);
  void store(const Effects& effects);
  void send_requests(const Now& now, const Effects& effects);
  void resume(const Now& now);
  // What is due, whatever the deadline.
  void work(const Now& now, const Effects& effects);

  SurveyOptions options_;  // without what was stored
  const LocalNode& local_;
  const LedgerView& ledger_;
  const Links links_;
  const Peers peers_;
  SurveyMetrics& metrics_;
  SurveyLimiter limiter_;
  SurveyData data_;
  Surveyor surveyor_;
  std::uint32_t rival_checks_ = 0;  // in this ledger
  bool is_changed_ = false;
  bool has_answer_ = false;    // one came for us: there may be more to do
  bool is_self_lost_ = false;  // a former process counted for our survey
};

}  // namespace overlayd::survey
