#include "tests/daemons/node.h"

#include <algorithm>
#include <cstdio>
#include <fstream>

namespace overlayd::daemons {
namespace {

using namespace std::chrono_literals;
namespace pb = ::overlay::v1;

constexpr std::uint32_t kMaxTxSetOps = 1'000'000;
constexpr auto kPollPeriod = 20ms;

// By its log: the line comes once the port and both sockets are open.
bool is_started(const DaemonProcess& process) {
  std::ifstream log(process.log());
  const std::string text{std::istreambuf_iterator<char>(log), {}};
  return text.find(" started: node=") != std::string::npos;
}

}  // namespace

std::uint64_t Node::counter(const std::string& name) {
  const pb::GetStatusResponse now = status();
  for (const pb::Counter& counter : now.counters())
    if (counter.name() == name) return counter.value();
  return 0;
}

pb::TopicStatus Node::topic(pb::Topic topic) {
  const pb::GetStatusResponse now = status();
  for (const pb::TopicStatus& each : now.topics())
    if (each.topic() == topic) return each;
  return {};
}

void Node::update_ledger(std::uint32_t sequence, const std::vector<std::string>& applied) {
  for (std::size_t from = 0; from == 0 || from < applied.size(); from += kAppliedMax) {
    pb::UpdateLedgerRequest request;
    request.set_sequence(sequence);
    request.set_in_sync(true);
    request.set_max_tx_set_ops(kMaxTxSetOps);
    for (std::size_t i = from; i < std::min(applied.size(), from + kAppliedMax); ++i)
      request.add_applied_tx_hashes(applied[i]);
    must(client->update_ledger(request), "UpdateLedger of " + process.name);
  }
}

void wait_until(const std::string& what, const std::function<bool()>& is_true, std::chrono::seconds limit) {
  const auto deadline = Clock::now() + limit;
  while (!is_true()) {
    if (Clock::now() > deadline) throw SandboxError("waited in vain until " + what);
    std::this_thread::sleep_for(kPollPeriod);
  }
}

Node attach(const DaemonProcess& process) {
  wait_until("the daemon " + process.name + " has started", [&] { return is_started(process); });
  return {process,
          must(ipc::Client::connect({.socket = process.socket(), .connect_timeout = kReadyLimit}), process.name),
          must(ipc::AdminClient::connect({.socket = process.admin_socket()}), process.name)};
}

Pair start_pair(DaemonSandbox& sandbox, std::uint32_t sequence, const std::vector<std::string>& b_overrides) {
  Node b = attach(sandbox.start("b", "", b_overrides));  // before A starts: a dial in vain is not repeated soon
  Node a = attach(sandbox.start("a", "127.0.0.1:" + std::to_string(b.process.port)));
  a.update_ledger(sequence);
  b.update_ledger(sequence);
  wait_until("A and B are connected",
             [&] { return a.status().peers_outbound() == 1 && b.status().peers_inbound() == 1; });
  return {std::move(a), std::move(b)};
}

Source::Source(ipc::Client& client)
    : broadcaster_(client.broadcaster({.on_answer = [this](std::uint64_t, const pb::BroadcastResponse& answer) {
        if (answer.status() == pb::BROADCAST_STATUS_ACCEPTED)
          ++accepted_;
        else if (++refused_ == 1)
          std::fprintf(stderr, "first item not accepted: %s\n", answer.why().c_str());
      }})) {}

Percentiles percentiles(Milliseconds ways) {
  if (ways.empty()) return {};
  std::sort(ways.begin(), ways.end());
  const auto at = [&](double part) {
    return ways[static_cast<std::size_t>(part * static_cast<double>(ways.size() - 1))];
  };
  return {ways.size(), at(0.5), at(0.99), ways.back()};
}

}  // namespace overlayd::daemons
