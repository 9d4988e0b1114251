#include "core/survey/surveyor.h"

#include <algorithm>

namespace overlayd::survey {
namespace {

Instant instant_of(UnixTime time, const Now& now) {
  if (time.seconds <= now.unix_time.seconds) return now.instant;
  return now.instant +
         Duration(std::chrono::seconds(std::min<std::uint64_t>(time.seconds - now.unix_time.seconds, 1 << 20)));
}

UnixTime after(UnixTime time, Duration by) {
  return {time.seconds + static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(by).count())};
}

}  // namespace

// --- begin and end ------------------------------------------------------------------------------------------------

void Surveyor::begin(std::uint32_t nonce) {
  key_.reset();
  crawl_.clear();
  const std::uint32_t last_ledger = record_.last_ledger;
  record_ = {};
  record_.nonce = nonce;
  record_.last_ledger = last_ledger;
  stop_at_ = asking_ends_ = Instant::never();
  waits_for_.clear();
  stayed_.clear();
  has_result_ = true;
  is_new_ = is_record_changed_ = is_changed_ = true;
}

void Surveyor::begin_run(Duration collect_for, SurveyPhase phase, UnixTime phase_began, const Now& now) {
  // What tells one run from another: two of one second are not to be one.
  last_run_ = record_.run_began = std::max(now.unix_time, after(last_run_, seconds(1)));
  record_.why.clear();
  is_record_changed_ = is_changed_ = true;
  if (phase == SurveyPhase::kCollecting) {
    record_.run = SurveyRun::kCollecting;
    record_.stop_at = after(phase_began, collect_for);
    stop_at_ = phase_began == now.unix_time ? now.instant + collect_for : instant_of(record_.stop_at, now);
    return;
  }
  record_.run = SurveyRun::kCrawling;
  crawl_.forgive_failed();
  if (is_asking()) crawl_.set_following(true);
}

void Surveyor::set_self(const SurveyedNode& self, const std::vector<SurveyedLink>& inbound,
                        const std::vector<SurveyedLink>& outbound) {
  crawl_.set_self(self, inbound, outbound);
  stayed_.clear();
  for (const auto* links : {&inbound, &outbound})
    for (const SurveyedLink& link : *links) stayed_.push_back(link.node);
  is_changed_ = true;
}

void Surveyor::begin_asking(Entropy& entropy, Instant phase_ends, const Now& now) {
  is_record_changed_ = is_changed_ = true;
  if (record_.run != SurveyRun::kEnded) resume_asking(entropy, phase_ends, now);
}

void Surveyor::resume_asking(Entropy& entropy, Instant phase_ends, const Now& now) {
  key_ = crypto::EcdhKeyPair::generate(entropy);
  asking_ends_ = phase_ends;
  stop_at_ = Instant::never();
  waits_for_.clear();
  look_at_ = now.instant;
  if (record_.run == SurveyRun::kCollecting) record_.run = SurveyRun::kCrawling;
  if (record_.run == SurveyRun::kCrawling) crawl_.set_following(true);
  is_record_changed_ = is_changed_ = true;
}

bool Surveyor::end(const std::string& why) {
  if (!is_asking() && !is_running() && crawl_.is_idle()) return false;
  crawl_.end(why);
  finish(is_running() ? SurveyRun::kEnded : record_.run, why);
  return true;
}

void Surveyor::finish(SurveyRun end, std::string why) {
  crawl_.set_following(false);
  key_.reset();
  record_.run = end;
  record_.why = std::move(why);
  stop_at_ = asking_ends_ = Instant::never();
  waits_for_.clear();
  is_record_changed_ = is_changed_ = true;
}

// --- requests and answers -----------------------------------------------------------------------------------------

Crawl::Queued Surveyor::request(const RequestSurvey& request) {
  is_changed_ = true;
  return crawl_.request({request.node, request.inbound_index, request.outbound_index});
}

std::string Surveyor::what_holds(std::uint32_t ledger, bool has_peers) const {
  if (crawl_.is_idle() && has_peers) return {};
  if (!has_peers) return "no peer is connected";
  if (ledger == 0) return "the ledger is not known (UpdateLedger)";
  if (batch_left_ == 0 || ledger != record_.last_ledger || ledger_sent_ < limits::kSurveyBatch) return {};
  return "ledger " + std::to_string(ledger) + " lasts: others follow " + std::to_string(limits::kSurveyBatch) +
         " requests in one (UpdateLedger)";
}

void Surveyor::wait_for(const std::string& what) {
  if (what == waits_for_) return;
  waits_for_ = what;
  is_changed_ = true;
}

std::optional<Crawl::Ask> Surveyor::next(std::uint32_t ledger, bool has_peers, Instant now) {
  if (!is_asking()) return std::nullopt;
  if (now >= batch_began_ + limits::kSurveyBatchPeriod) batch_left_ = limits::kSurveyBatch;
  wait_for(what_holds(ledger, has_peers));
  if (!waits_for_.empty() || batch_left_ == 0) return std::nullopt;
  const auto ask = crawl_.next(ledger, now);
  if (!ask) return std::nullopt;
  if (batch_left_ == limits::kSurveyBatch) batch_began_ = now;
  --batch_left_;
  if (std::exchange(record_.last_ledger, ledger) != ledger) ledger_sent_ = 0;
  ++ledger_sent_;
  ++record_.requests_sent;
  is_record_changed_ = is_changed_ = true;
  return ask;
}

Crawl::Answered Surveyor::on_response(const NodeId& node, std::uint32_t ledger, ByteView sealed) {
  if (!is_asking()) return Crawl::Answered::kIgnored;
  std::optional<wire::SurveyTopology> topology;
  if (const auto opened = crypto::open(*key_, sealed)) topology = wire::read_survey_topology(*opened);
  const Crawl::Answered answered = crawl_.on_answer(node, ledger, topology);
  if (answered == Crawl::Answered::kIgnored) return answered;
  ++(answered == Crawl::Answered::kGood ? record_.responses : record_.bad_responses);
  is_record_changed_ = is_changed_ = true;
  return answered;
}

void Surveyor::advance(std::uint32_t ledger, const std::vector<NodeId>& peers, Instant now) {
  if (!is_asking()) return;
  look_at_ = now + limits::kSurveyBatchPeriod;
  std::erase_if(stayed_, [&](const NodeId& node) { return std::ranges::find(peers, node) == peers.end(); });
  const bool was_idle = crawl_.is_idle();
  // Links that came while we collected, or with a new process, are in no report of ours.
  crawl_.add_seeds(peers);
  crawl_.advance(ledger, now);
  if (now >= asking_ends_) {
    end("the reporting phase is over");
  } else if (record_.run == SurveyRun::kCrawling && crawl_.is_idle() && !peers.empty()) {
    crawl_.judge_silent(stayed_);
    finish(SurveyRun::kDone, "");
  }
  if (was_idle != crawl_.is_idle()) is_changed_ = true;
}

Instant Surveyor::next_deadline() const {
  if (!is_asking()) return stop_at_;
  Instant next = std::min(asking_ends_, crawl_.next_deadline());
  if (crawl_.is_idle() && record_.run != SurveyRun::kCrawling) return next;
  if (batch_left_ == 0) next = std::min(next, batch_began_ + limits::kSurveyBatchPeriod);
  return std::min(next, look_at_);
}

void Surveyor::note_rival(const NodeId& rival) {
  record_.rival = rival;
  is_record_changed_ = is_changed_ = true;
}

// --- what is told and stored --------------------------------------------------------------------------------------

std::optional<Duration> Surveyor::time_left(Instant now) const {
  if (record_.run == SurveyRun::kCollecting) return std::max(Duration(0), stop_at_ - now);
  if (record_.run != SurveyRun::kCrawling || !is_asking()) return std::nullopt;
  const std::size_t requests = crawl_.requests_left();
  const std::size_t later = requests > batch_left_ ? requests - batch_left_ : 0;
  const auto batches = static_cast<std::int64_t>((later + limits::kSurveyBatch - 1) / limits::kSurveyBatch);
  const bool has_begun = batch_left_ < limits::kSurveyBatch;
  const Duration to_next = std::max(Duration(0), (has_begun ? batch_began_ : now) + limits::kSurveyBatchPeriod - now);
  const Duration sent = batches == 0 ? Duration(0) : to_next + limits::kSurveyBatchPeriod * (batches - 1);
  // The last answer comes, or is missed, within the time a request lives.
  return sent + limits::kCloseTime * (limits::kSurveyLedgerWindow + 1);
}

void Surveyor::put_off_stop(const std::string& why, Instant now) {
  stop_at_ = now + seconds(1);
  wait_for(why);
}

void Surveyor::fill(SurveyStatus& status, Instant now) const {
  status.has_result = has_result_;
  if (!has_result_) return;
  status.result_nonce = record_.nonce;
  status.is_asking = is_asking();
  status.run = record_.run;
  status.why = record_.why;
  status.run_began = record_.run_began;
  status.rival = record_.rival;
  status.requests_sent = record_.requests_sent;
  status.responses = record_.responses;
  status.bad_responses = record_.bad_responses;
  status.time_left = time_left(now);
  crawl_.count(status);
  if (!waits_for_.empty()) status.why = waits_for_;
}

void Surveyor::store(SurveyPhase phase, UnixTime phase_began, Outputs& out) {
  if (!has_result_) return;
  if (record_.phase != phase) is_record_changed_ = true;
  if (std::exchange(is_record_changed_, false)) {
    record_.phase = phase;
    record_.phase_began = phase_began;
    record_.was_asking = is_asking();
    out.emplace_back(StoreSurvey{write_survey_record(record_), std::exchange(is_new_, false)});
  }
  for (const NodeId& node : crawl_.take_changed())
    out.emplace_back(StoreSurveyNode{node, write_survey_node(crawl_.record(node))});
}

bool Surveyor::load(const SurveyOptions& stored, const Now& now) {
  const auto record = read_survey_record(stored.stored);
  if (!record) return false;
  record_ = *record;
  last_run_ = record_.run_began;
  has_result_ = true;
  if (record_.run == SurveyRun::kCollecting) stop_at_ = instant_of(record->stop_at, now);
  std::vector<SurveyNodeRecord> nodes;
  for (const StoreSurveyNode& node : stored.stored_nodes)
    if (auto read = read_survey_node(node.record)) nodes.push_back(std::move(*read));
  crawl_.load(nodes, record_.last_ledger);
  if (record_.was_asking) {  // how many requests those were, and when, is not stored
    ledger_sent_ = limits::kSurveyBatch;
    batch_left_ = 0;
    batch_began_ = now.instant;
  }
  return true;
}

}  // namespace overlayd::survey
