#include "tests/daemons/traffic.h"

#include <algorithm>

#include "core/crypto/keys.h"
#include "tests/support/messages.h"

namespace overlayd::daemons {
namespace {

using namespace std::chrono_literals;
namespace pb = ::overlay::v1;

constexpr std::size_t kMessageTypeBytes = 4;
// In a TransactionEnvelope: its type, the source's key type and key, the fee.
constexpr std::size_t kSequenceNumberAt = 4 + 4 + 32 + 4;
constexpr std::size_t kSequenceNumberBytes = 8;
constexpr std::uint32_t kScpNodes = 500;  // 2 s of a large network's chatter on one slot

double milliseconds(Clock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

std::string make_template(const std::string& passphrase, std::size_t bytes) {
  const MessagePtr message = test::make_transaction(crypto::network_id(passphrase), 1, bytes);
  const auto envelope = message->xdr().subspan(kMessageTypeBytes);
  return {envelope.begin(), envelope.end()};
}

}  // namespace

Traffic::Traffic(const std::string& passphrase, std::uint32_t first_slot, std::size_t transaction_bytes)
    : template_(make_template(passphrase, transaction_bytes)),
      left_(std::make_unique<std::atomic<Clock::rep>[]>(kOnTheWayMax)),
      generator_({.seed = 1, .network = crypto::network_id(passphrase), .nodes = kScpNodes, .first_slot = first_slot}) {
}

std::string Traffic::leave_transaction() {
  const std::uint64_t number = transactions();
  std::string envelope = template_;
  for (std::size_t i = 0; i < kSequenceNumberBytes; ++i)
    envelope[kSequenceNumberAt + i] = static_cast<char>(number >> (8 * (kSequenceNumberBytes - 1 - i)));
  left_[number % kOnTheWayMax] = Clock::now().time_since_epoch().count();
  transactions_ = number + 1;
  return envelope;
}

std::string Traffic::leave_scp() {
  const ipc::ctl::GeneratedScp item = generator_.next();
  const auto hash = item.hash.view();
  {
    const std::lock_guard lock(mutex_);
    scp_left_[{hash.begin(), hash.end()}] = Clock::now();
  }
  ++scp_;
  return {item.envelope.begin(), item.envelope.end()};
}

std::optional<std::uint64_t> Traffic::number_of(const std::string& envelope) const {
  if (envelope.size() != template_.size()) return std::nullopt;
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < kSequenceNumberBytes; ++i)
    number = number << 8 | static_cast<std::uint8_t>(envelope[kSequenceNumberAt + i]);
  if (number >= transactions()) return std::nullopt;
  return number;
}

Clock::time_point Traffic::left_at(std::uint64_t number) const {
  return Clock::time_point(Clock::duration(left_[number % kOnTheWayMax]));
}

std::optional<Clock::time_point> Traffic::scp_left_at(const std::string& flood_hash) const {
  const std::lock_guard lock(mutex_);
  const auto found = scp_left_.find(flood_hash);
  if (found == scp_left_.end()) return std::nullopt;
  return found->second;
}

Taker::Taker(ipc::Client& client, const Traffic& traffic) : traffic_(traffic) {
  pb::SubscribeRequest request;
  request.add_topics(pb::TOPIC_SCP);
  request.add_topics(pb::TOPIC_TRANSACTIONS);
  subscriber_ = client.subscribe(request);
  must(subscriber_->wait_attached(5s), "Subscribe");
  verdicts_ = client.verdicts();
  thread_ = std::thread([this] { run(); });
}

Taker::~Taker() {
  is_stopping_ = true;
  thread_.join();
}

void Taker::run() {
  while (!is_stopping_) {
    auto item = subscriber_->next(50ms);
    if (!item) continue;
    if (const auto* gap = std::get_if<pb::Gap>(&*item)) {
      wrong_ += gap->count();
      continue;
    }
    take(std::get<pb::Event>(*item));
    // Judged in batches; a waiter is woken when there is nothing more to take at once.
    if (subscriber_->has_next()) continue;
    verdicts_->flush();
    { const std::lock_guard lock(mutex_); }  // a waiter that found too few is waiting by now
    arrived_.notify_all();
  }
}

void Taker::take(pb::Event& event) {
  const auto now = Clock::now();
  verdicts_->add(event.flood_hash(), pb::VERDICT_ACCEPT);
  if (event.topic() == pb::TOPIC_SCP) {
    const auto left = traffic_.scp_left_at(event.hash());
    const std::lock_guard lock(mutex_);
    if (!left) {
      ++wrong_;
      return;
    }
    scp_ways_.push_back(milliseconds(now - *left));
    ++scp_;
    return;
  }
  const auto number = traffic_.number_of(event.xdr());
  if (number && *number >= seen_.size()) seen_.resize(std::max<std::size_t>(*number + 1, 2 * seen_.size()));
  if (!number || seen_[*number]) {
    ++wrong_;
    return;
  }
  seen_[*number] = true;
  const std::lock_guard lock(mutex_);
  transaction_ways_.push_back(milliseconds(now - traffic_.left_at(*number)));
  hashes_.push_back(std::move(*event.mutable_hash()));
  ++transactions_;
}

bool Taker::wait_transactions(std::uint64_t count, Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return arrived_.wait_until(lock, deadline, [&] { return transactions_ >= count; });
}

bool Taker::wait_scp(std::uint64_t count, Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return arrived_.wait_until(lock, deadline, [&] { return scp_ >= count; });
}

Milliseconds Taker::take_transaction_ways() {
  const std::lock_guard lock(mutex_);
  return std::exchange(transaction_ways_, {});
}

Milliseconds Taker::take_scp_ways() {
  const std::lock_guard lock(mutex_);
  return std::exchange(scp_ways_, {});
}

std::vector<std::string> Taker::take_hashes() {
  const std::lock_guard lock(mutex_);
  return std::exchange(hashes_, {});
}

}  // namespace overlayd::daemons
