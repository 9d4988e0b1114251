// Many overlays in one thread on virtual time, with the consensus process of each, and scripted peers among them.
//
// Promise. Every run repeats exactly from its seed. What a node decides, what a link's jitter is, and how a random graph
//          looks depend on the seed and on that node, link or graph alone: adding a peer to a network changes nothing
//          about the rest but what the peer itself brings about.
// Rule 1.  Events are ordered by (time, sequence): two at the same time fire in the order in which they were scheduled.
//          A node's clock is read once per event, as the daemon reads it once per batch.
// Rule 2.  The transport is that of sim_links.h. A HELLO's certificate always verifies.
// Rule 3.  A SCP envelope counts as correctly signed unless it was marked as forged; checking takes verify_delay. A
//          client judges each transaction as its node's options say, after verdict_delay.
// Rule 4.  Addresses are public ones, each node's in an IPv4 /16 of its own, unless its options say otherwise. Where nobody
//          listens a dial is refused after two latencies; in a range that is silent it ends after kDialTimeout.
// Rule 5.  A node has a disk: what it stores is there at once, and outlives its process. A process that died hears of
//          nothing more, and its successor of nothing that was meant for it.
// Rule 6.  Identities and keys are real, made from a node's index: what nodes sign others can verify.
// Rule 7.  A message is one object wherever it goes, so that messages may be told apart by address.
#pragma once
#include <map>

#include "tests/sim/event_queue.h"
#include "tests/sim/sim_links.h"
#include "tests/sim/sim_node.h"

namespace overlayd::sim {

struct SimOptions {
  std::uint64_t seed = 1;
  LinkModel link{};
  Duration verify_delay{0};
  // Addresses are private ones instead, each a group of its own: nobody is told of anybody, and the links are those that
  // the test makes.
  bool is_closed = false;
};

inline constexpr Duration kDialTimeout = seconds(5);  // the daemon's

class SimNetwork {
 public:
  explicit SimNetwork(const SimOptions& options);

  // Of the node that gets or will get this index.
  [[nodiscard]] static NodeId id_of(std::size_t index);
  std::size_t add_node(const NodeOptions& options = {});
  // A node that `make` makes, given its identity.
  using Make = std::function<std::unique_ptr<Participant>(const LocalNode& local)>;
  std::size_t add_participant(const Make& make, const std::optional<PeerAddress>& address = {});
  [[nodiscard]] SimNode& node(std::size_t index) { return *nodes_.at(index); }
  [[nodiscard]] const SimNode& node(std::size_t index) const { return *nodes_.at(index); }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] const SimLinks& links() const { return links_; }
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] Now clock() const;
  [[nodiscard]] Duration latency() const { return options_.link.latency; }
  [[nodiscard]] const NetworkId& network_id() const { return network_id_; }
  // For what a test decides.
  [[nodiscard]] Random& random() { return random_; }

  // `from` dials `to`.
  void connect(std::size_t from, std::size_t to);
  // What a node's configured names stand for, now and for every later process.
  void resolve(std::size_t node, const PeersResolved& resolved);
  // A random connected graph of all nodes, without double links: each dials `degree` / 2 others and is dialled by as
  // many. More nodes than `degree` are needed.
  void connect_randomly(std::size_t degree);
  // Hands an input to a node now.
  void give(std::size_t node, const Input& input);
  void broadcast(std::size_t node, MessagePtr message);
  void mark_forged(const MessagePtr& scp) { forged_.insert(scp->flood_hash()); }
  // Ends a random open link as a broken cable would; false if there is none.
  bool cut_random_link() { return links_.cut_random(random_, now_); }
  // The process dies: its links break, nothing more reaches it.
  void kill(std::size_t node);
  // Of a node that was killed: a new process with the old identity, address and disk, and chances of its own.
  void restart(std::size_t node);
  // Whoever dials into the range gets no answer, not even a refusal.
  void silence(const Subnet& range) { silent_.push_back(range); }

  void at(Instant when, Task task) { events_.push(std::max(when, now_), std::move(task)); }
  // The first time a period from now.
  void every(Duration period, Task task);
  void run_for(Duration duration);
  // False if `limit` passed first. The condition is asked after every event, so it had better be cheap.
  [[nodiscard]] bool run_until(const std::function<bool()>& condition, Duration limit);
  void check_invariants() const;

 private:
  SimNode& add(const std::optional<PeerAddress>& address);
  // Begins a process of an overlay.
  void start(SimNode& node);
  // Rule 5.
  void give_later(const SimNode& node, Input input, Instant at);
  bool step(Instant until);
  void carry_out(SimNode& node, const Outputs& outputs);
  void carry_out(SimNode& node, const Output& output);
  void publish(SimNode& node, const PublishMessage& published);
  void dial(SimNode& node, const Dial& dial);
  void close(SimNode& node, const Close& close);
  void store(SimNode& node, const Output& output);
  void open_link(std::size_t from, PeerId from_peer, const PeerAddress& address);
  void rearm(SimNode& node);
  void wake(std::size_t node);

  SimOptions options_;
  Random random_;
  NetworkId network_id_;
  Instant now_;
  EventQueue events_;
  SimLinks links_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::map<PeerAddress, std::size_t> by_address_;
  std::unordered_set<FloodHash> forged_;
  std::shared_ptr<SignatureMemory> signatures_ = std::make_shared<SignatureMemory>();
  std::vector<Subnet> silent_;
  Outputs outputs_;  // scratch, kept for its capacity
  std::uint64_t next_request_ = 1;
};

}  // namespace overlayd::sim
