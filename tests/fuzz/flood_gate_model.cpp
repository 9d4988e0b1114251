#include "tests/fuzz/flood_gate_model.h"

#include "core/flood/flood_gate.h"
#include "tests/fuzz/commands.h"

namespace overlayd {
namespace {

using fuzz::Commands;

FloodHash hash_of(std::size_t number) { return fuzz::numbered_id<FloodHash>(number); }
NodeId node_of(std::size_t number) { return fuzz::numbered_id<NodeId>(number); }

// Hashes and nodes by number.
class GateModel {
 public:
  explicit GateModel(const flood::FloodGateOptions& options) : options_(options) {}

  bool on_received(std::size_t hash, std::size_t from, std::uint32_t ledger) {
    const bool is_new = make_record(hash, ledger);
    mark(hash, from);
    ++(is_new ? metrics.unique : metrics.duplicate);
    return is_new;
  }
  bool make_record(std::size_t hash, std::uint32_t ledger) {
    if (find(hash) != nullptr) return false;
    records_.push_back({hash, ledger, {}});
    if (records_.size() > options_.records_max) {
      records_.erase(records_.begin());
      ++metrics.evicted;
    }
    return true;
  }
  bool tell(std::size_t hash, std::size_t node, std::uint32_t ledger) {
    make_record(hash, ledger);
    return mark(hash, node);
  }
  bool forget(std::size_t hash) {
    const bool is_gone = std::erase_if(records_, [&](const Record& record) { return record.hash == hash; }) > 0;
    if (is_gone) ++metrics.forgotten;
    return is_gone;
  }
  void clear_below(std::uint32_t ledger) {
    std::erase_if(records_, [&](const Record& record) { return record.ledger < ledger; });
  }

  [[nodiscard]] bool is_known(std::size_t hash) { return find(hash) != nullptr; }
  [[nodiscard]] bool is_known_to(std::size_t hash, std::size_t node) {
    const Record* const record = find(hash);
    return record != nullptr && std::count(record->nodes.begin(), record->nodes.end(), node) > 0;
  }
  [[nodiscard]] std::size_t size() const { return records_.size(); }
  [[nodiscard]] std::size_t node_count() const { return by_naming_.size(); }

  FloodGateMetrics metrics;

 private:
  struct Record {
    std::size_t hash;
    std::uint32_t ledger;
    std::vector<std::size_t> nodes;
  };
  Record* find(std::size_t hash) {
    const auto is_it = [&](const Record& record) { return record.hash == hash; };
    const auto found = std::find_if(records_.begin(), records_.end(), is_it);
    return found == records_.end() ? nullptr : &*found;
  }
  // Names the node. True if it did not know the message.
  bool mark(std::size_t hash, std::size_t node) {
    if (std::erase(by_naming_, node) == 0 && by_naming_.size() == options_.nodes_max) {
      const std::size_t evicted = std::max<std::size_t>(1, options_.nodes_max / 4);
      for (std::size_t i = 0; i < evicted; ++i) {
        for (Record& record : records_) std::erase(record.nodes, by_naming_[i]);
      }
      by_naming_.erase(by_naming_.begin(), by_naming_.begin() + static_cast<std::ptrdiff_t>(evicted));
    }
    by_naming_.push_back(node);
    if (is_known_to(hash, node)) return false;
    find(hash)->nodes.push_back(node);
    return true;
  }

  flood::FloodGateOptions options_;
  std::vector<Record> records_;         // the oldest first
  std::vector<std::size_t> by_naming_;  // nodes, the one named longest ago first
};

flood::FloodGateOptions take_options(Commands& commands) {
  static constexpr std::array<std::size_t, 8> kRecordsMax{1, 2, 3, 5, 8, 16, 64, 1000};
  static constexpr std::array<std::size_t, 8> kNodesMax{1, 2, 3, 4, 7, 12, 140, 200};
  flood::FloodGateOptions options;
  options.records_max = commands.take_one_of(kRecordsMax);
  options.nodes_max = commands.take_one_of(kNodesMax);
  return options;
}

class GateRun {
 public:
  explicit GateRun(Commands& commands)
      : commands_(commands),
        options_(take_options(commands)),
        hash_count_(commands.take_one_of(kHashCounts)),
        // With more than 128 nodes a record needs more room than it has in itself.
        node_count_(std::min<std::size_t>(options_.nodes_max * 2 + 1, 250)),
        ledgers_(options_.records_max < hash_count_),
        real_(options_, metrics_),
        model_(options_) {}

  void run() {
    for (std::size_t steps = 0; !commands_.is_over(); ++steps) {
      step();
      check(steps % 16 == 0);
    }
    real_.clear_below(~std::uint32_t{0});
    model_.clear_below(~std::uint32_t{0});
    check(true);
    OVERLAYD_CHECK(model_.size() == 0);
  }

 private:
  static constexpr std::array<std::size_t, 4> kHashCounts{2, 6, 12, 24};

  // The one place that says how much memory may lag behind the rules.
  static void check_size(std::size_t real, std::size_t model) { OVERLAYD_CHECK(real >= model); }

  void step() {
    const std::size_t command = commands_.take_below(12);
    hash_ = commands_.take_below(hash_count_);
    switch (command) {
      case 0:
      case 1:
      case 2: return receive();
      case 3: return make_own();
      case 4:
      case 5: return tell();
      case 6:
      case 7: return tell_all();
      case 8: OVERLAYD_CHECK(real_.forget(hash_of(hash_)) == model_.forget(hash_)); return;
      case 9: return clear();
      default: ledgers_.close();
    }
  }

  void receive() {
    const std::size_t from = commands_.take_below(node_count_);
    const std::uint32_t ledger = ledgers_.take_seen(commands_);
    OVERLAYD_CHECK(real_.on_received(hash_of(hash_), node_of(from), ledger) == model_.on_received(hash_, from, ledger));
  }

  void make_own() {
    const std::uint32_t ledger = ledgers_.take_seen(commands_);
    OVERLAYD_CHECK(real_.on_local(hash_of(hash_), ledger) == model_.make_record(hash_, ledger));
  }

  void tell() {
    const std::size_t node = commands_.take_below(node_count_);
    const std::uint32_t ledger = ledgers_.take_seen(commands_);
    OVERLAYD_CHECK(real_.tell(hash_of(hash_), node_of(node), ledger) == model_.tell(hash_, node, ledger));
  }

  // Neighbours by number, wrapped: with few nodes some are named more than once.
  void tell_all() {
    const std::size_t first = commands_.take_below(node_count_);
    const std::size_t count = commands_.take_below(32);
    const std::uint32_t ledger = ledgers_.take_seen(commands_);
    std::vector<NodeId> peers;
    std::vector<std::size_t> expected{77};  // the real one appends
    std::vector<std::size_t> untold{77};
    model_.make_record(hash_, ledger);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t node = (first + i) % node_count_;
      peers.push_back(node_of(node));
      if (model_.tell(hash_, node, ledger)) expected.push_back(i);
    }
    real_.tell_all(hash_of(hash_), peers, ledger, untold);
    OVERLAYD_CHECK(untold == expected);
  }

  void clear() {
    const std::uint32_t ledger = ledgers_.take_cleared(commands_);
    real_.clear_below(ledger);
    model_.clear_below(ledger);
  }

  // What the last command touched, or everything.
  void check(bool is_full) {
    real_.check_invariants();
    check_size(real_.size(), model_.size());
    OVERLAYD_CHECK(real_.node_count() == model_.node_count());
    OVERLAYD_CHECK(metrics_.unique == model_.metrics.unique && metrics_.duplicate == model_.metrics.duplicate);
    OVERLAYD_CHECK(metrics_.forgotten == model_.metrics.forgotten);
    OVERLAYD_CHECK(metrics_.evicted == model_.metrics.evicted);
    for (std::size_t hash = 0; hash < hash_count_; ++hash) {
      OVERLAYD_CHECK(real_.is_known(hash_of(hash)) == model_.is_known(hash));
      if (!is_full && hash != hash_) continue;
      for (std::size_t node = 0; node < node_count_; ++node)
        OVERLAYD_CHECK(real_.is_known_to(hash_of(hash), node_of(node)) == model_.is_known_to(hash, node));
    }
  }

  Commands& commands_;
  const flood::FloodGateOptions options_;
  const std::size_t hash_count_;
  const std::size_t node_count_;
  fuzz::Ledgers ledgers_;
  FloodGateMetrics metrics_;
  flood::FloodGate real_;
  GateModel model_;
  std::size_t hash_ = 0;  // of the last command
};

}  // namespace

void fuzz_flood_gate(ByteView input) {
  Commands commands(input);
  GateRun(commands).run();
}

}  // namespace overlayd
