#include "daemon/storage_thread.h"

#include <algorithm>
#include <exception>
#include <vector>

namespace overlayd::daemon {
namespace {

const PeerAddress& address_of(const StorageChange& change) {
  if (const auto* store = std::get_if<StorePeer>(&change)) return store->record.address;
  return std::get<ErasePeer>(change).address;
}

}  // namespace

StorageThread::StorageThread(std::unique_ptr<PeerStore> store, StorageThreadOptions options)
    : options_(std::move(options)), store_(std::move(store)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

StorageThread::~StorageThread() { stop(); }

bool StorageThread::submit(const StorageChange& change) {
  const std::lock_guard lock(mutex_);
  const PeerAddress& address = address_of(change);
  const auto waiting = pending_.find(address);
  const bool is_full = pending_.size() + writing_ >= options_.queue_max;
  if (is_ended_ || (is_full && waiting == pending_.end())) {
    ++counters_.refused;
    return false;
  }
  ++counters_.submitted;
  if (waiting != pending_.end()) {
    waiting->second = change;
  } else {
    pending_.emplace(address, change);
  }
  // The first starts the period, the last of a batch ends it; those between would wake the thread for nothing.
  if (pending_.size() == 1 || pending_.size() >= options_.batch_max) wake_.notify_one();
  return true;
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
  if (!pending_.empty()) write_pending(lock);
  counters_.lost = pending_.size();
  is_ended_ = true;
  done_.notify_all();
}

void StorageThread::wait_for_work(std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
  const auto is_flush_wanted = [this] { return flushes_wanted_ > flushes_served_; };
  wake_.wait(lock, stop, [&] { return !pending_.empty() || is_flush_wanted(); });
  // After a failure a full batch waits for the period too, or a full disk would keep this thread spinning.
  wake_.wait_for(lock, stop, options_.flush_period,
                 [&] { return is_flush_wanted() || (!is_failing_ && pending_.size() >= options_.batch_max); });
}

void StorageThread::write_pending(std::unique_lock<std::mutex>& lock) {
  Pending batch = std::exchange(pending_, {});
  const std::size_t taken = batch.size();
  writing_ = taken;
  lock.unlock();
  std::string why;
  const bool is_written = write_batch(batch, why);
  note_result(is_written, why);
  lock.lock();
  writing_ = 0;
  counters_.written += taken - batch.size();
  is_last_write_good_ = is_written;
  if (!is_written) {
    ++counters_.failed_batches;
    pending_.merge(batch);  // keeps what came meanwhile: it is newer
  }
}

bool StorageThread::write_batch(Pending& batch, std::string& why) {
  try {
    while (!batch.empty()) {
      std::vector<StorageChange> changes;
      auto end = batch.begin();
      for (; end != batch.end() && changes.size() < options_.batch_max; ++end) changes.push_back(end->second);
      if (auto applied = store_->apply(changes); !applied) {
        why = applied.error();
        return false;
      }
      batch.erase(batch.begin(), end);
    }
    return true;
  } catch (const std::exception& error) {
    why = error.what();
    return false;
  }
}

void StorageThread::note_result(bool is_written, const std::string& why) {
  const bool is_news = is_written == is_failing_;
  is_failing_ = !is_written;
  if (!is_news || !options_.warn) return;
  try {
    options_.warn(is_written ? "peer records are written again" : "peer records wait in memory: " + why);
  } catch (const std::exception&) {
    // A logger that fails must not end the storage thread; the counter tells of the batch.
  }
}

}  // namespace overlayd::daemon
