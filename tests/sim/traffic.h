// What the consensus processes of a simulated network do: send transactions and SCP messages at random times from
// random nodes, and close ledgers.
//
// Promise. The same seed sends the same messages from the same nodes at the same times, whatever else happens in the
//          network: runs with and without a hostile peer compare message by message.
// Nodes.   Those with the indices below `nodes`: what is added to the network later is not one of them.
#pragma once
#include <functional>
#include <vector>

#include "tests/sim/sim_network.h"

namespace overlayd::sim {

// `count` messages, per_second a second, at random times.
struct Load {
  std::size_t count = 0;
  double per_second = 1;
  bool is_regular = false;     // at regular times instead
  std::size_t tx_bytes = 300;  // roughly
};

struct Sent {
  MessagePtr message;
  std::size_t origin = 0;
  Instant at;
};

class Traffic {
 public:
  Traffic(SimNetwork& network, std::size_t nodes, std::uint64_t seed);
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  // Closes a ledger at once and then every view.close_time: tells every node the next sequence number and, if wanted,
  // that the transactions of the ledgers before the last one were applied.
  struct Ledgers {
    LedgerView view{};
    bool is_applying = false;
  };
  void close_ledgers(const Ledgers& ledgers);

  // Both start now and go on while the network runs. Each transaction, and each SCP message (of the next slot, with a
  // node of its own, so that none supersedes another), is different.
  void send_transactions(const Load& load);
  void send_scp(const Load& load);
  // One, now.
  const Sent& send_transaction(std::size_t origin, std::size_t bytes = 300);
  const Sent& send_scp_message(std::size_t origin);
  // Called right before each leaves.
  void on_sending(std::function<void(const Sent&)> call) { on_sending_ = std::move(call); }

  [[nodiscard]] const std::vector<Sent>& transactions() const { return transactions_; }
  [[nodiscard]] const std::vector<Sent>& scp_messages() const { return scp_messages_; }
  [[nodiscard]] std::size_t nodes() const { return nodes_; }

 private:
  struct Stream {
    Load load;
    std::size_t sent = 0;
    Random random;
    std::function<void(Stream&)> send;
  };
  void start(const Load& load, std::function<void(Stream&)> send);
  void arm(std::size_t stream);
  const Sent& send(std::vector<Sent>& log, std::size_t origin, MessagePtr message);
  void close_ledger();

  SimNetwork& network_;
  std::size_t nodes_;
  Random random_;
  MessagePtr tx_set_;  // that all SCP messages name
  MessagePtr quorum_set_;
  Ledgers ledgers_;
  std::size_t applied_ = 0;  // of transactions_, so far
  Instant last_close_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<Sent> transactions_;
  std::vector<Sent> scp_messages_;
  std::function<void(const Sent&)> on_sending_;
};

}  // namespace overlayd::sim
