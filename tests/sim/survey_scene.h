// A network that is surveyed: its nodes, whom they permit, the ledgers they close, and what a surveyor's result is to
// be compared with.
//
// Ledgers.  Every node is told each ledger by its client, one every limits::kCloseTime, all at the same instant.
// Quorum.   Each node's quorum is the surveyors, which is what permits them, unless permission comes from keys.
// Restarts. A node that comes back has its old disk, is told the ledger, and calls or is called by those who were its
//           peers.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/sim_network.h"

namespace overlayd::sim {

struct SurveyScene {
  std::uint64_t seed = 1;
  LinkModel link{.latency = milliseconds(50), .jitter = milliseconds(10)};
  std::size_t nodes = 20;
  std::size_t degree = 4;              // of a random graph; 0: the test makes the links
  std::set<std::size_t> surveyors{0};  // whom all permit who permit anybody
  std::set<std::size_t> silent{};      // relay surveys, but answer none
  std::set<std::size_t> unwilling{};   // permit nobody
  bool is_by_keys = false;             // permission is in the configuration, and no quorum is known
};

// Who dialled whom, by index.
using LinkSet = std::set<std::pair<std::size_t, std::size_t>>;

class SurveyNetwork {
 public:
  // The links are up when it is made.
  explicit SurveyNetwork(const SurveyScene& scene);
  SurveyNetwork(const SurveyNetwork&) = delete;
  SurveyNetwork& operator=(const SurveyNetwork&) = delete;

  [[nodiscard]] SimNetwork& network() { return network_; }
  [[nodiscard]] const SimNetwork& network() const { return network_; }
  [[nodiscard]] std::size_t honest() const { return scene_.nodes; }
  [[nodiscard]] const NodeId& id(std::size_t index) const { return network_.node(index).id(); }
  [[nodiscard]] std::optional<std::size_t> index_of(const NodeId& node) const;
  [[nodiscard]] std::uint32_t ledger() const { return sequence_; }
  // Of a node whose client says nothing for a while.
  void hold_ledger(std::size_t node) { held_.insert(node); }
  void release_ledger(std::size_t node) { held_.erase(node); }
  // What each node's client says of the ledger from the next one on.
  void set_in_sync(std::size_t node, bool is_in_sync);

  void kill(std::size_t node);
  void come_back(std::size_t node);

  // What a client asks for, and the answer to it.
  RequestAnswer start(std::size_t node, std::uint32_t nonce = 0) { return ask(node, StartSurvey{{}, nonce}); }
  RequestAnswer stop(std::size_t node) { return ask(node, StopSurvey{}); }
  RequestAnswer end(std::size_t node) { return ask(node, EndSurvey{}); }
  RequestAnswer request(std::size_t node, const NodeId& surveyed);
  RequestAnswer run(std::size_t node, Duration collect_for) { return ask(node, RunSurvey{{}, collect_for}); }
  // False: the run was still under way when `limit` had passed.
  [[nodiscard]] bool run_to_end(std::size_t node, Duration limit);
  [[nodiscard]] bool is_running(std::size_t node) const;
  // What a client knows.
  [[nodiscard]] const SurveyStatus& status(std::size_t node) const { return network_.node(node).survey_status(); }
  [[nodiscard]] SurveyResult result(std::size_t node) const;

  // Between nodes that are overlays, as they are now.
  [[nodiscard]] LinkSet links() const;
  // Indices of the nodes that a node is connected to.
  [[nodiscard]] std::set<std::size_t> peers_of(std::size_t node) const;
  // To any node, be it of the scene or not.
  [[nodiscard]] bool is_connected(std::size_t node, std::size_t to) const {
    return network_.node(node).is_connected_to(id(to));
  }
  // Links that the outbound lists of a result tell of, and those of the inbound lists; of nodes of this network only.
  [[nodiscard]] LinkSet told_by_diallers(const SurveyResult& result) const;
  [[nodiscard]] LinkSet told_by_dialled(const SurveyResult& result) const;
  // `from`, its neighbours, and on through every node of which `is_passing` says so.
  using Passing = std::function<bool(std::size_t node)>;
  [[nodiscard]] std::set<std::size_t> reach(std::size_t from, const Passing& is_passing) const;
  // Of the nodes that are alive.
  [[nodiscard]] std::size_t count_in(SurveyPhase phase) const;

 private:
  template <typename Order>
  RequestAnswer ask(std::size_t node, Order order);
  [[nodiscard]] LedgerView view_of(std::size_t node) const;
  void close_ledger();

  SurveyScene scene_;
  SimNetwork network_;
  std::map<NodeId, std::size_t> indices_;
  std::set<NodeId> permitted_;
  std::set<std::size_t> held_;
  std::set<std::size_t> out_of_sync_;
  std::map<std::size_t, std::vector<std::pair<std::size_t, Direction>>> former_peers_;  // of those that were killed
  std::uint32_t sequence_ = 1'000;
  std::uint64_t next_request_ = 1ULL << 40;  // apart from those of SimNetwork
};

// Of the seeds that a scenario runs with, the first few: for what is long and hardly depends on chance.
[[nodiscard]] std::vector<std::uint64_t> few_seeds(std::size_t count);
#define SIM_FEW_SEEDS(seed, count)                                                    \
  const std::uint64_t seed = GENERATE(from_range(::overlayd::sim::few_seeds(count))); \
  INFO("seed " << (seed) << ", " << ::overlayd::sim::how_to_repeat(seed))

// Null: it is not in the result.
[[nodiscard]] const SurveyNode* find(const SurveyResult& result, const NodeId& node);
[[nodiscard]] const SurveyedLink* find(const std::vector<SurveyedLink>& links, const NodeId& node);
// Those in that state, with that problem.
[[nodiscard]] std::size_t count(const SurveyResult& result, SurveyNodeState state,
                                SurveyProblem problem = SurveyProblem::kNone);
// For people.
[[nodiscard]] std::string describe(const SurveyStatus& status);

}  // namespace overlayd::sim
