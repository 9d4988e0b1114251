#include "daemon/storage_thread.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "daemon/overloaded.h"

namespace overlayd::daemon {
namespace {

// What has to be answered once the change is on disk.
std::optional<BanStored> order_in(const StorageChange& change) {
  if (const auto* store = std::get_if<StoreBan>(&change); store != nullptr && store->request != RequestId{})
    return BanStored{store->request, store->links_dropped, {}};
  if (const auto* erase = std::get_if<EraseBan>(&change); erase != nullptr && erase->request != RequestId{})
    return BanStored{erase->request, 0, {}};
  return std::nullopt;
}

}  // namespace

StorageThread::StorageThread(std::unique_ptr<PeerStore> store, StorageThreadOptions options)
    : options_(std::move(options)), store_(std::move(store)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

StorageThread::~StorageThread() { stop(); }

StorageThread::Subject StorageThread::subject_of(const StorageChange& change) {
  return std::visit(Overloaded{[](const StorePeer& one) -> Subject { return one.record.address; },
                               [](const ErasePeer& one) -> Subject { return one.address; },
                               [](const StoreBan& one) -> Subject { return one.ban.subject; },
                               [](const EraseBan& one) -> Subject { return one.subject; },
                               [](const StoreAnchors&) -> Subject { return std::monostate{}; },
                               [](const StoreSurvey&) -> Subject { return SurveySubject{}; },
                               [](const StoreSurveyNode& one) -> Subject { return SurveySubject{one.node}; }},
                    change);
}

bool StorageThread::submit(StorageChange change) {
  auto order = order_in(change);
  {
    const std::lock_guard lock(mutex_);
    const Subject subject = subject_of(change);
    if (has_room_for(subject, order.has_value())) {
      ++counters_.submitted;
      auto* survey = std::get_if<StoreSurvey>(&change);
      if (survey != nullptr && survey->is_new) {
        forget_survey(pending_);
        surveys_pending_ = 0;
        is_urgent_ = true;
      }
      const auto [waiting, is_first] = pending_.try_emplace(subject);
      if (survey != nullptr && !is_first)
        replace_survey(waiting->second.change, std::move(*survey));
      else
        waiting->second.change = std::move(change);
      if (is_first && is_ban(subject)) ++bans_pending_;
      if (is_first && is_survey(subject)) ++surveys_pending_;
      if (order) {
        waiting->second.orders.push_back(std::move(*order));
        ++orders_pending_;
      }
      // The first starts the period, the last of a batch ends it; those between would wake the thread for nothing.
      if (order || is_urgent_ || pending_.size() == 1 || pending_.size() >= options_.batch_max) wake_.notify_one();
      return true;
    }
    ++counters_.refused;
    if (order) ++counters_.orders_failed;
  }
  if (order) {
    order->why = "too many changes wait to be written";
    report(*order);
  }
  return false;
}

bool StorageThread::has_room_for(const Subject& subject, bool is_order) const {
  if (is_ended_ || (is_order && orders_pending_ >= options_.order_max)) return false;
  if (pending_.contains(subject) || std::holds_alternative<std::monostate>(subject)) return true;
  const std::size_t bans = bans_pending_ + bans_writing_;
  if (is_ban(subject)) return bans < options_.ban_queue_max;
  const std::size_t surveys = surveys_pending_ + surveys_writing_;
  if (is_survey(subject)) return !std::get<SurveySubject>(subject).node || surveys < options_.survey_queue_max;
  return pending_.size() + writing_ - bans - surveys < options_.queue_max;
}

bool StorageThread::is_ban(const Subject& subject) { return std::holds_alternative<BanSubject>(subject); }

bool StorageThread::is_survey(const Subject& subject) { return std::holds_alternative<SurveySubject>(subject); }

void StorageThread::replace_survey(StorageChange& older, StoreSurvey change) {
  change.is_new = change.is_new || std::get<StoreSurvey>(older).is_new;
  older = std::move(change);
}

// The last of all subjects.
void StorageThread::forget_survey(Pending& pending) {
  pending.erase(pending.lower_bound(Subject(SurveySubject{})), pending.end());
}

void StorageThread::take_back(Pending& batch) {
  if (const auto newer = pending_.find(Subject(SurveySubject{})); newer != pending_.end()) {
    auto& survey = std::get<StoreSurvey>(newer->second.change);
    const auto older = batch.find(newer->first);
    if (survey.is_new)
      forget_survey(batch);
    else if (older != batch.end())
      survey.is_new = std::get<StoreSurvey>(older->second.change).is_new;
  }
  pending_.merge(batch);  // keeps what came meanwhile: it is newer
  bans_pending_ = static_cast<std::size_t>(std::ranges::count_if(pending_, is_ban, &Pending::value_type::first));
  surveys_pending_ = static_cast<std::size_t>(std::ranges::count_if(pending_, is_survey, &Pending::value_type::first));
}

bool StorageThread::flush() {
  std::unique_lock lock(mutex_);
  if (is_ended_) return false;
  const std::uint64_t ticket = ++flushes_wanted_;
  wake_.notify_one();
  done_.wait(lock, [&] { return flushes_served_ >= ticket || is_ended_; });
  return flushes_served_ >= ticket && is_last_write_good_;
}

void StorageThread::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

StorageCounters StorageThread::counters() const {
  const std::lock_guard lock(mutex_);
  StorageCounters counters = counters_;
  counters.waiting = pending_.size() + writing_;
  return counters;
}

void StorageThread::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    wait_for_work(lock, stop);
    const std::uint64_t ticket = flushes_wanted_;
    if (!pending_.empty()) write_pending(lock);
    flushes_served_ = ticket;
    done_.notify_all();
  }
  do {
    if (!pending_.empty()) write_pending(lock);
  } while (!pending_.empty() && is_last_write_good_);
  counters_.lost = pending_.size();
  is_ended_ = true;
  done_.notify_all();
}

void StorageThread::wait_for_work(std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
  const auto is_flush_wanted = [this] { return flushes_wanted_ > flushes_served_; };
  wake_.wait(lock, stop, [&] { return !pending_.empty() || is_flush_wanted(); });
  // After a failure a full batch waits for the period too, or a full disk would keep this thread spinning. Orders do not:
  // whatever comes of the attempt, they wait no more after it.
  wake_.wait_for(lock, stop, options_.flush_period, [&] {
    return orders_pending_ > 0 || is_urgent_ || is_flush_wanted() ||
           (!is_failing_ && pending_.size() >= options_.batch_max);
  });
}

void StorageThread::write_pending(std::unique_lock<std::mutex>& lock) {
  Pending batch = std::exchange(pending_, {});
  const std::size_t taken = batch.size();
  writing_ = taken;
  bans_writing_ = std::exchange(bans_pending_, 0);
  surveys_writing_ = std::exchange(surveys_pending_, 0);
  orders_pending_ = 0;
  is_urgent_ = false;
  lock.unlock();
  const std::string why = write_batch(batch);
  note_result(why);
  lock.lock();
  writing_ = 0;
  bans_writing_ = 0;
  surveys_writing_ = 0;
  counters_.written += taken - batch.size();
  is_last_write_good_ = why.empty();
  if (is_last_write_good_) return;
  ++counters_.failed_batches;
  counters_.orders_failed += failed_orders_;
  take_back(batch);
}

std::string StorageThread::write_batch(Pending& batch) {
  failed_orders_ = 0;
  std::string why;
  try {
    why = write_some(batch, {.has_orders = true});
    if (why.empty()) why = write_some(batch, {.has_orders = false});
  } catch (const std::exception& error) {
    why = error.what();
  }
  for (auto& [subject, waiting] : batch) report_orders(waiting, why);
  return why;
}

std::string StorageThread::write_some(Pending& batch, Which which) {
  for (auto next = batch.begin();;) {
    std::vector<StorageChange> changes;
    std::vector<Pending::iterator> taken;
    for (; next != batch.end() && taken.size() < options_.batch_max; ++next) {
      if (next->second.orders.empty() == which.has_orders) continue;
      changes.push_back(next->second.change);
      taken.push_back(next);
    }
    if (taken.empty()) return {};
    if (auto applied = store_->apply(changes); !applied) return applied.error();
    for (const auto& written : taken) {
      report_orders(written->second, {});
      batch.erase(written);
    }
  }
}

void StorageThread::report_orders(Waiting& waiting, const std::string& why) {
  for (BanStored& order : std::exchange(waiting.orders, {})) {
    order.why = why;
    if (!why.empty()) ++failed_orders_;
    report(order);
  }
}

void StorageThread::report(const BanStored& stored) const {
  if (!options_.on_ban_stored) return;
  try {
    options_.on_ban_stored(stored);
  } catch (const std::exception&) {
    // Whoever waits for it times out; the thread goes on.
  }
}

void StorageThread::note_result(const std::string& why) {
  const bool is_written = why.empty();
  const bool is_news = is_written == is_failing_;
  is_failing_ = !is_written;
  if (!is_news || !options_.warn) return;
  try {
    options_.warn(is_written ? "peers, bans and surveys are written again"
                             : "peers, bans and surveys wait in memory: " + why);
  } catch (const std::exception&) {
    // A logger that fails must not end the storage thread; the counter tells of the batch.
  }
}

}  // namespace overlayd::daemon
