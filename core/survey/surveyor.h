// A survey of our own, from its begin to its result: the run, the sealing key, and the pace of the requests.
//
// Rule 1.  Each time asking begins there is a new X25519 key pair; when it ends the pair is wiped. Source:
//          SurveyManager::startSurveyReporting, stopSurveyReporting.
// Rule 2.  At most kSurveyBatch requests in a period of kSurveyBatchPeriod, which begins with the first of them, and at
//          most kSurveyBatch in one ledger: others follow no more of one surveyor. Whatever begins, ends or restarts
//          meanwhile. Source: SurveyManager::topOffRequests, SurveyMessageLimiter.
// Rule 3.  Nothing is asked while no peer is connected or the ledger is not known: it would reach nobody, and cost an
//          attempt. A run that has nobody to ask does not end then either.
// Rule 4.  A run stops collecting when its time is over (the caller sends STOP), then asks until nobody is left; it ends
//          with the reporting phase. Requests of clients are served in the reporting phase, with a run or without.
// Rule 5.  The result is kept until the next survey of ours begins, and with the run's state stored (survey_record.h), so
//          that the next process goes on: with a new key, for requests of the former one are forgotten everywhere but at
//          others, who follow none twice in a ledger.
// Not here: messages and signatures (survey.h), whom to ask (crawl.h).
#pragma once
#include <optional>

#include "core/crypto/sealed_box.h"
#include "core/outputs.h"
#include "core/survey/crawl.h"
#include "core/survey/survey_options.h"
#include "core/survey/survey_record.h"

namespace overlayd::survey {

class Surveyor {
 public:
  explicit Surveyor(const NodeId& self) : crawl_(self) {}

  // A survey of ours began to collect; what the one before left goes.
  void begin(std::uint32_t nonce);
  // A run takes the survey over that is under way, or the one just begun.
  void begin_run(Duration collect_for, SurveyPhase phase, UnixTime phase_began, const Now& now);
  // What we tell of ourselves.
  void set_self(const SurveyedNode& self, const std::vector<SurveyedLink>& inbound,
                const std::vector<SurveyedLink>& outbound);
  // The nonce's nodes report from now on, up to `phase_ends`. Asking begins, but after a run that was ended.
  void begin_asking(Entropy& entropy, Instant phase_ends, const Now& now);
  // Asking goes on or begins again, in the same reporting phase.
  void resume_asking(Entropy& entropy, Instant phase_ends, const Now& now);
  // What we counted of ourselves is lost.
  void lose_self(const std::string& why) { crawl_.set_self_lost(why); }
  // Ends a run, and asking. False: there was neither.
  bool end(const std::string& why);

  Crawl::Queued request(const RequestSurvey& request);
  // The next request to send, if there is one and its time has come.
  [[nodiscard]] std::optional<Crawl::Ask> next(std::uint32_t ledger, bool has_peers, Instant now);
  // A genuine answer of the node to the request of that ledger, sealed for us.
  Crawl::Answered on_response(const NodeId& node, std::uint32_t ledger, ByteView sealed);
  // Everything due. `peers`: nodes we are connected to.
  void advance(std::uint32_t ledger, const std::vector<NodeId>& peers, Instant now);
  [[nodiscard]] Instant next_deadline() const;
  // A run's collecting phase is over.
  [[nodiscard]] bool is_stop_due(Instant now) const { return record_.run == SurveyRun::kCollecting && now >= stop_at_; }
  // For a second: nobody would hear of it now.
  void put_off_stop(const std::string& why, Instant now);

  [[nodiscard]] bool is_asking() const { return key_.has_value(); }
  [[nodiscard]] bool is_running() const {
    return record_.run == SurveyRun::kCollecting || record_.run == SurveyRun::kCrawling;
  }
  [[nodiscard]] const std::array<std::uint8_t, 32>& public_key() const { return key_->public_key(); }  // while asking
  [[nodiscard]] bool has_result() const { return has_result_; }
  void note_rival(const NodeId& rival);
  [[nodiscard]] bool has_rival() const { return !record_.rival.is_zero(); }

  void fill(SurveyStatus& status, Instant now) const;
  [[nodiscard]] std::vector<SurveyNodePtr> nodes() const { return crawl_.nodes(); }
  // What has to be stored since the last call.
  void store(SurveyPhase phase, UnixTime phase_began, Outputs& out);
  // Takes over what a former process stored. False: there was nothing that could be read.
  bool load(const SurveyOptions& stored, const Now& now);
  [[nodiscard]] const SurveyRecord& record() const { return record_; }
  // True once after the status has changed.
  [[nodiscard]] bool take_changed() { return std::exchange(is_changed_, false); }
  void check_invariants() const { crawl_.check_invariants(); }

 private:
  void finish(SurveyRun end, std::string why);
  // Why nothing is asked now, beside the pace; empty: nothing holds it up.
  [[nodiscard]] std::string what_holds(std::uint32_t ledger, bool has_peers) const;
  void wait_for(const std::string& what);
  [[nodiscard]] std::optional<Duration> time_left(Instant now) const;

  Crawl crawl_;
  SurveyRecord record_;  // its phase: as it was stored last
  UnixTime last_run_;    // when the last run began, also one of a survey before
  bool has_result_ = false;
  std::optional<crypto::EcdhKeyPair> key_;
  Instant stop_at_ = Instant::never();      // of a run that collects
  Instant asking_ends_ = Instant::never();  // with the reporting phase
  Instant batch_began_;                     // with its first request
  std::size_t batch_left_ = limits::kSurveyBatch;
  Instant look_at_ = Instant::never();  // when peers may have come back
  std::size_t ledger_sent_ = 0;         // requests with the ledger of the last one
  std::vector<NodeId> stayed_;          // peers that were there all the time since asking began
  std::string waits_for_;
  bool is_record_changed_ = false;
  bool is_new_ = false;
  bool is_changed_ = false;
};

}  // namespace overlayd::survey
