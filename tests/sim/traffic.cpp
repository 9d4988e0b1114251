#include "tests/sim/traffic.h"

#include "core/check.h"
#include "tests/support/messages.h"

namespace overlayd::sim {

Traffic::Traffic(SimNetwork& network, std::size_t nodes, std::uint64_t seed)
    : network_(network),
      nodes_(nodes),
      random_(seed),
      tx_set_(test::make_tx_set(seed)),
      quorum_set_(test::make_quorum_set(seed)) {}

void Traffic::close_ledgers(const Ledgers& ledgers) {
  ledgers_ = ledgers;
  close_ledger();
  network_.every(ledgers.view.close_time, [this] { close_ledger(); });
}

void Traffic::close_ledger() {
  ++ledgers_.view.sequence;
  LedgerUpdated updated{ledgers_.view, {}, {}};
  for (; ledgers_.is_applying && applied_ < transactions_.size() && transactions_[applied_].at < last_close_;
       ++applied_)
    updated.applied.push_back(transactions_[applied_].message->tx_hash());
  last_close_ = network_.now();
  for (std::size_t i = 0; i < nodes_; ++i) network_.give(i, updated);
}

void Traffic::send_transactions(const Load& load) {
  start(load, [this](Stream& stream) { send_transaction(stream.random.below(nodes_), stream.load.tx_bytes); });
}

void Traffic::send_scp(const Load& load) {
  start(load, [this](Stream& stream) { send_scp_message(stream.random.below(nodes_)); });
}

const Sent& Traffic::send_scp_message(std::size_t origin) {
  // Everybody has what the messages name: fetching is another scenario's.
  for (std::size_t i = 0; i < nodes_; ++i)
    for (const MessagePtr& item : {tx_set_, quorum_set_}) network_.give(i, PutItem{{}, item});
  const test::ScpFields fields{.node = test::make_node(scp_messages_.size()),
                               .slot = ledgers_.view.sequence + 1,
                               .tx_set = tx_set_->item_hash(),
                               .quorum_set = quorum_set_->item_hash()};
  return send(scp_messages_, origin, test::make_scp(network_.network_id(), fields));
}

const Sent& Traffic::send_transaction(std::size_t origin, std::size_t bytes) {
  return send(transactions_, origin, test::make_transaction(network_.network_id(), transactions_.size(), bytes));
}

void Traffic::start(const Load& load, std::function<void(Stream&)> send) {
  OVERLAYD_CHECK(load.per_second > 0);
  streams_.push_back(std::make_unique<Stream>(Stream{load, 0, Random(random_.next()), std::move(send)}));
  arm(streams_.size() - 1);
}

void Traffic::arm(std::size_t stream) {
  Stream& armed = *streams_[stream];
  if (armed.sent == armed.load.count) return;
  const double share = armed.load.is_regular ? 1 : 2 * armed.random.unit();
  const Duration gap(static_cast<std::int64_t>(1e9 / armed.load.per_second * share));
  network_.at(network_.now() + gap, [this, stream] {
    ++streams_[stream]->sent;
    streams_[stream]->send(*streams_[stream]);
    arm(stream);
  });
}

const Sent& Traffic::send(std::vector<Sent>& log, std::size_t origin, MessagePtr message) {
  log.push_back({std::move(message), origin, network_.now()});
  if (on_sending_) on_sending_(log.back());
  network_.broadcast(origin, log.back().message);
  return log.back();
}

}  // namespace overlayd::sim
