// A survey of a whole network finds every node and every link, and what the two ends of a link say of it agrees.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

#include "tests/sim/seeds.h"
#include "tests/sim/survey_scene.h"
#include "tests/sim/traffic.h"
#include "tests/support/messages.h"

using namespace overlayd;
using namespace overlayd::sim;

namespace {

constexpr std::size_t kNodes = 100;
constexpr std::size_t kDegree = 8;
constexpr Duration kCollect = seconds(60);

// What each node had written to each peer.
struct Written {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};
using WrittenByLink = std::map<std::pair<std::size_t, std::size_t>, Written>;  // from, to

WrittenByLink look(const SurveyNetwork& net) {
  WrittenByLink written;
  for (std::size_t i = 0; i < net.honest(); ++i)
    for (const PeerSnapshot& peer : net.network().node(i).overlay().peers(net.network().now()))
      if (const auto to = net.index_of(peer.node)) written[{i, *to}] = {peer.messages_written, peer.bytes_written};
  return written;
}

// The longest way of a message from `from` to anybody, if nobody holds it.
Duration propagation(const SurveyNetwork& net, std::size_t from, const LinkModel& link) {
  std::set<std::size_t> seen{from};
  std::set<std::size_t> last{from};
  Duration longest{0};
  while (seen.size() < net.honest()) {
    std::set<std::size_t> next;
    for (const std::size_t node : last)
      for (const std::size_t peer : net.peers_of(node))
        if (seen.insert(peer).second) next.insert(peer);
    REQUIRE(!next.empty());
    last = std::move(next);
    longest += link.latency + link.jitter;
  }
  return longest;
}

// A message counts at one end of a link and not at the other only if it was on its way when a phase began or ended at
// one of them. START and STOP are everywhere within `propagation` of their sending, and a message is on its way for at
// most `hop`: so it was written between a hop before the sending and a propagation after. What was written in these two
// windows, the first requests with it, bounds the difference.
struct Windows {
  WrittenByLink before_start, after_start, before_stop, after_stop;
  [[nodiscard]] Written in(const std::pair<std::size_t, std::size_t>& link) const {
    const auto sum = [&](auto member) {
      return (after_start.at(link).*member - before_start.at(link).*member) +
             (after_stop.at(link).*member - before_stop.at(link).*member);
    };
    return {sum(&Written::messages), sum(&Written::bytes)};
  }
};

std::uint64_t distance(std::uint64_t a, std::uint64_t b) { return std::max(a, b) - std::min(a, b); }

// What `from` says it wrote to `to`, against what that one says it read.
struct Agreement {
  std::uint64_t written = 0;
  std::uint64_t bounds = 0;
  std::vector<std::string> wrong;

  void compare(const SurveyedLink& at_from, const SurveyedLink& at_to, const Written& bound, const std::string& name) {
    written += at_from.messages_written;
    bounds += bound.messages;
    if (distance(at_from.messages_written, at_to.messages_read) > bound.messages)
      wrong.push_back(name + " messages: " + std::to_string(at_from.messages_written) + " written, " +
                      std::to_string(at_to.messages_read) + " read, bound " + std::to_string(bound.messages));
    if (distance(at_from.bytes_written, at_to.bytes_read) > bound.bytes)
      wrong.push_back(name + " bytes: " + std::to_string(at_from.bytes_written) + " written, " +
                      std::to_string(at_to.bytes_read) + " read, bound " + std::to_string(bound.bytes));
  }
};

Agreement compare_ends(const SurveyNetwork& net, const SurveyResult& result, const Windows& windows) {
  Agreement agreement;
  for (const auto& [dialler, dialled] : net.links()) {
    const SurveyNode* from = find(result, net.id(dialler));
    const SurveyNode* to = find(result, net.id(dialled));
    REQUIRE((from != nullptr && to != nullptr));
    const SurveyedLink* out = find(from->outbound, to->node);
    const SurveyedLink* in = find(to->inbound, from->node);
    REQUIRE((out != nullptr && in != nullptr));
    const std::string name = std::to_string(dialler) + " to " + std::to_string(dialled);
    agreement.compare(*out, *in, windows.in({dialler, dialled}), name);
    agreement.compare(*in, *out, windows.in({dialled, dialler}), name + " back");
  }
  return agreement;
}

// Validators that tell of each ledger some time around its close.
constexpr std::array<std::pair<std::size_t, Duration>, 4> kValidators{
    {{10, milliseconds(-900)}, {20, milliseconds(-700)}, {30, milliseconds(-600)}, {40, milliseconds(1'500)}}};

class Externalizers {
 public:
  explicit Externalizers(SurveyNetwork& net)
      : net_(net), tx_set_(test::make_tx_set(1)), quorum_set_(test::make_quorum_set(1)) {}

  // Of the ledger that closes at `close`.
  void plan(std::uint64_t slot, Instant close) {
    for (const auto& [validator, offset] : kValidators) {
      const Duration late = offset;
      const std::size_t from = validator;
      net_.network().at(close + late, [this, from, slot] { send(from, slot); });
    }
    closes_[slot] = close;
  }
  // In milliseconds, as the node's own clock and its client saw it.
  [[nodiscard]] std::uint32_t p75_first_to_self(std::size_t node) const { return p75(node, true); }
  [[nodiscard]] std::uint32_t p75_self_to_other(std::size_t node) const { return p75(node, false); }

 private:
  void send(std::size_t from, std::uint64_t slot) {
    for (std::size_t i = 0; i < net_.honest(); ++i)
      for (const MessagePtr& item : {tx_set_, quorum_set_}) net_.network().give(i, PutItem{{}, item});
    const test::ScpFields fields{.node = net_.id(from),
                                 .slot = slot,
                                 .tx_set = tx_set_->item_hash(),
                                 .quorum_set = quorum_set_->item_hash(),
                                 .is_externalize = true};
    const MessagePtr message = test::make_scp(net_.network().network_id(), fields);
    slot_of_.emplace(message.get(), slot);
    own_[{from, slot}] = net_.network().now();
    net_.network().broadcast(from, message);
  }

  [[nodiscard]] std::uint32_t p75(std::size_t node, bool is_to_self) const {
    std::map<std::uint64_t, std::vector<Instant>> heard;
    for (const Arrival& arrival : net_.network().node(node).arrivals())
      if (const auto slot = slot_of_.find(arrival.message.get()); slot != slot_of_.end())
        heard[slot->second].push_back(arrival.at);
    std::vector<Duration> samples;
    for (const auto& [slot, close] : closes_) {
      const auto own = own_.find({node, slot});
      const Instant self = own == own_.end() ? close : std::min(close, own->second);
      std::vector<Instant> others = heard[slot];
      std::ranges::sort(others);
      const Instant first = others.empty() ? self : std::min(self, others.front());
      if (is_to_self) samples.push_back(self - first);
      for (const Instant other : others)
        if (!is_to_self && other > self) samples.push_back(other - first);
    }
    if (samples.empty()) return 0;
    std::ranges::sort(samples);
    const Duration at = samples[(samples.size() * 3 + 3) / 4 - 1];
    return static_cast<std::uint32_t>(at / milliseconds(1));
  }

  SurveyNetwork& net_;
  MessagePtr tx_set_;
  MessagePtr quorum_set_;
  std::map<const wire::Message*, std::uint64_t> slot_of_;
  std::map<std::pair<std::size_t, std::uint64_t>, Instant> own_;
  std::map<std::uint64_t, Instant> closes_;
};

void check_latencies(const SurveyNetwork& net, const SurveyResult& result, const LinkModel& link) {
  const auto least = static_cast<std::uint32_t>(2 * link.latency / milliseconds(1));
  const auto most = static_cast<std::uint32_t>(2 * (link.latency + link.jitter) / milliseconds(1));
  std::size_t outside = 0;
  for (const SurveyNodePtr& node : result.nodes)
    for (const auto* links : {&node->inbound, &node->outbound})
      for (const SurveyedLink& told : *links)
        outside += told.average_latency_ms < least || told.average_latency_ms > most ? 1 : 0;
  CHECK(outside == 0);
  CHECK(result.nodes.size() == net.honest());
}

// While a run is under way its estimate is there, and what is complete never becomes less.
void check_progress(const SurveyNetwork& net, std::size_t surveyor) {
  std::uint32_t complete = 0;
  std::size_t without_estimate = 0;
  std::size_t steps = 0;
  for (const SurveyEvent& event : net.network().node(surveyor).survey_events()) {
    const SurveyStatus& status = event.status;
    const bool is_running = status.run == SurveyRun::kCollecting || status.run == SurveyRun::kCrawling;
    if (is_running && !status.time_left) ++without_estimate;
    if (!is_running && status.time_left) ++without_estimate;
    CHECK(status.nodes_complete >= complete);
    if (status.nodes_complete > complete) ++steps;
    complete = status.nodes_complete;
  }
  CHECK(without_estimate == 0);
  CHECK(steps >= net.honest() / 2);
}

}  // namespace

TEST_CASE("a survey of 100 nodes finds every node and link, and the counters of both ends agree", "[sim]") {
  SIM_FEW_SEEDS(seed, 5);
  const SurveyScene scene{.seed = seed, .nodes = kNodes, .degree = kDegree, .is_by_keys = true};
  SurveyNetwork net(scene);
  REQUIRE(net.links().size() == kNodes * kDegree / 2);
  const Duration hop = scene.link.latency + scene.link.jitter;
  const Duration spread = propagation(net, 0, scene.link);
  const Instant start = net.network().now() + seconds(1);
  const auto look_at = [&](Duration after_start, WrittenByLink& into) {
    net.network().at(start + after_start, [&net, &into] { into = look(net); });
  };
  Windows windows;
  look_at(-hop, windows.before_start);
  look_at(spread, windows.after_start);
  look_at(kCollect - hop, windows.before_stop);
  look_at(kCollect + spread, windows.after_stop);
  // Ledgers close 1 s after the start, and every 5 s.
  Externalizers externalizers(net);
  for (std::uint32_t i = 0; i < kCollect / limits::kCloseTime; ++i)
    externalizers.plan(net.ledger() + 1 + i, start + seconds(1) + i * limits::kCloseTime);
  Traffic traffic(net.network(), kNodes, seed);
  traffic.send_transactions({.count = 330, .per_second = 5});
  net.network().run_for(start - net.network().now());

  REQUIRE(net.run(0, kCollect).status == RequestStatus::kAccepted);
  REQUIRE(net.run_to_end(0, std::chrono::minutes(20)));
  const SurveyResult result = net.result(0);
  INFO(describe(result.status));
  CAPTURE((net.network().now() - start) / seconds(1));
  CHECK(result.status.run == SurveyRun::kDone);
  CHECK(count(result, SurveyNodeState::kComplete) == kNodes);
  CHECK(result.status.nodes_complete == kNodes);
  CHECK(result.status.links_found == net.links().size());
  CHECK(net.told_by_diallers(result) == net.links());
  CHECK(net.told_by_dialled(result) == net.links());

  const Agreement agreement = compare_ends(net, result, windows);
  for (const std::string& wrong : agreement.wrong) UNSCOPED_INFO(wrong);
  CHECK(agreement.wrong.empty());
  CAPTURE(agreement.bounds, agreement.written);
  CHECK(agreement.bounds * 10 < agreement.written);  // else the bounds would say nothing

  check_latencies(net, result, scene.link);
  for (std::size_t i = 0; i < kNodes; ++i) {
    const SurveyNode* node = find(result, net.id(i));
    CAPTURE(i);
    REQUIRE((node != nullptr && node->stats));
    CHECK(node->stats->p75_scp_first_to_self_ms == externalizers.p75_first_to_self(i));
    CHECK(node->stats->p75_scp_self_to_other_ms == externalizers.p75_self_to_other(i));
    CHECK((node->stats->added_peers == 0 && node->stats->dropped_peers == 0 && node->stats->lost_sync_count == 0));
  }
  check_progress(net, 0);
  net.network().check_invariants();
}

TEST_CASE("a node with more links than a page has is asked until it told of all, each once", "[sim]") {
  SIM_FEW_SEEDS(seed, 5);
  constexpr std::size_t kCallers = 60;  // the surveyor is one more
  constexpr std::size_t kCalled = 30;
  SurveyNetwork net({.seed = seed, .nodes = 2 + kCallers + kCalled, .degree = 0});
  const std::size_t hub = 1;
  net.network().connect(0, hub);
  for (std::size_t i = 0; i < kCallers; ++i) net.network().connect(2 + i, hub);
  for (std::size_t i = 0; i < kCalled; ++i) net.network().connect(hub, 2 + kCallers + i);
  net.network().run_for(seconds(3));
  REQUIRE(net.peers_of(hub).size() == 1 + kCallers + kCalled);
  REQUIRE(net.run(0, seconds(10)).status == RequestStatus::kAccepted);
  REQUIRE(net.run_to_end(0, std::chrono::minutes(20)));
  const SurveyResult result = net.result(0);
  INFO(describe(result.status));
  CHECK(result.status.run == SurveyRun::kDone);
  CHECK(count(result, SurveyNodeState::kComplete) == net.honest());
  CHECK(net.told_by_diallers(result) == net.links());
  CHECK(net.told_by_dialled(result) == net.links());
  const SurveyNode* told = find(result, net.id(hub));
  REQUIRE(told != nullptr);
  CHECK(told->inbound.size() == 1 + kCallers);
  CHECK(told->outbound.size() == kCalled);
  CHECK(told->requests == (1 + kCallers + limits::kSurveyLinksPerPage - 1) / limits::kSurveyLinksPerPage);
  CHECK(told->bad_responses == 0);
  CHECK(result.status.requests_sent == net.honest() - 2 + told->requests);
}
