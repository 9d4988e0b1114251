#include "core/flood/flood_gate.h"

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "core/random.h"

namespace overlayd::flood {
namespace {

template <typename Id>
Id id(std::uint32_t number) {
  Id made;
  for (std::size_t i = 0; i < 4; ++i) made.bytes[i] = made.bytes[8 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  return made;
}
FloodHash hash(std::uint32_t number) { return id<FloodHash>(number); }
NodeId node(std::uint32_t number) { return id<NodeId>(number); }

struct Gate {
  FloodGateMetrics metrics;
  FloodGate gate;
  explicit Gate(const FloodGateOptions& options = {}) : gate(options, metrics) {}
};

TEST_CASE("a message is new once, and its senders know it", "[flood_gate]") {
  Gate t;
  REQUIRE(t.gate.on_received(hash(1), node(1), 10));
  REQUIRE_FALSE(t.gate.on_received(hash(1), node(2), 10));
  REQUIRE(t.gate.is_known(hash(1)));
  REQUIRE(t.gate.is_known_to(hash(1), node(1)));
  REQUIRE(t.gate.is_known_to(hash(1), node(2)));
  REQUIRE_FALSE(t.gate.is_known_to(hash(1), node(3)));
  REQUIRE_FALSE(t.gate.is_known_to(hash(2), node(1)));
  REQUIRE(t.metrics.unique == 1);
  REQUIRE(t.metrics.duplicate == 1);
}

TEST_CASE("a node is told once, and never what it sent", "[flood_gate]") {
  Gate t;
  t.gate.on_received(hash(1), node(1), 10);
  REQUIRE_FALSE(t.gate.tell(hash(1), node(1), 10));
  REQUIRE(t.gate.tell(hash(1), node(2), 10));
  REQUIRE_FALSE(t.gate.tell(hash(1), node(2), 10));

  std::vector<std::size_t> untold;
  t.gate.tell_all(hash(1), std::vector{node(3), node(1), node(2), node(4), node(3)}, 10, untold);
  REQUIRE(untold == std::vector<std::size_t>{0, 3});
}

TEST_CASE("a message of our own makes a record without touching the counts of received ones", "[flood_gate]") {
  Gate t;
  REQUIRE(t.gate.on_local(hash(1), 10));
  REQUIRE_FALSE(t.gate.on_local(hash(1), 10));
  REQUIRE(t.gate.tell(hash(2), node(1), 10));
  REQUIRE(t.gate.is_known(hash(2)));
  REQUIRE(t.metrics.unique == 0);
  REQUIRE_FALSE(t.gate.on_received(hash(1), node(1), 10));
}

TEST_CASE("a forgotten message is new again", "[flood_gate]") {
  Gate t;
  t.gate.on_received(hash(1), node(1), 10);
  REQUIRE(t.gate.forget(hash(1)));
  REQUIRE_FALSE(t.gate.forget(hash(1)));
  REQUIRE(t.metrics.forgotten == 1);
  REQUIRE(t.gate.tell(hash(1), node(1), 10));
}

TEST_CASE("records first seen below a ledger are cleared, those at it stay", "[flood_gate]") {
  Gate t;
  t.gate.on_received(hash(1), node(1), 9);
  t.gate.on_received(hash(2), node(1), 10);
  t.gate.on_received(hash(3), node(1), 11);
  t.gate.on_received(hash(1), node(2), 12);  // seen again: the first ledger counts
  t.gate.clear_below(10);
  REQUIRE_FALSE(t.gate.is_known(hash(1)));
  REQUIRE(t.gate.is_known(hash(2)));
  REQUIRE(t.gate.is_known(hash(3)));
  t.gate.check_invariants();
}

TEST_CASE("one record over the limit evicts the oldest", "[flood_gate]") {
  Gate t({.records_max = 3, .nodes_max = 8});
  for (std::uint32_t i = 0; i < 2; ++i) t.gate.on_received(hash(i), node(1), 1);
  REQUIRE(t.gate.size() == 2);
  t.gate.on_received(hash(2), node(1), 1);
  REQUIRE(t.gate.size() == 3);
  REQUIRE(t.metrics.evicted == 0);
  t.gate.on_received(hash(0), node(2), 1);  // known: does not make it younger
  t.gate.on_received(hash(3), node(1), 1);
  REQUIRE(t.gate.size() == 3);
  REQUIRE(t.metrics.evicted == 1);
  REQUIRE_FALSE(t.gate.is_known(hash(0)));
  REQUIRE(t.gate.is_known(hash(1)));
}

TEST_CASE("one node over the limit evicts the quarter named longest ago, from every record", "[flood_gate]") {
  Gate t({.records_max = 10, .nodes_max = 8});
  for (std::uint32_t i = 0; i < 7; ++i) t.gate.on_received(hash(1), node(i), 1);
  t.gate.on_received(hash(1), node(7), 1);
  REQUIRE(t.gate.node_count() == 8);
  REQUIRE(t.gate.is_known_to(hash(1), node(0)));
  t.gate.on_received(hash(2), node(0), 1);  // named again: now 1 and 2 are the oldest
  t.gate.on_received(hash(3), node(8), 1);
  REQUIRE(t.gate.node_count() == 7);
  REQUIRE(t.gate.is_known_to(hash(1), node(0)));
  REQUIRE_FALSE(t.gate.is_known_to(hash(1), node(1)));
  REQUIRE_FALSE(t.gate.is_known_to(hash(1), node(2)));
  REQUIRE(t.gate.is_known_to(hash(1), node(3)));
  REQUIRE_FALSE(t.gate.is_known_to(hash(1), node(8)));  // it got a slot that was used before
  REQUIRE(t.gate.is_known_to(hash(3), node(8)));
  t.gate.check_invariants();
}

TEST_CASE("more nodes than fit a record itself are told apart", "[flood_gate]") {
  Gate t;
  for (std::uint32_t i = 0; i < 300; i += 2) REQUIRE(t.gate.tell(hash(1), node(i), 1));
  for (std::uint32_t i = 0; i < 300; ++i) REQUIRE(t.gate.is_known_to(hash(1), node(i)) == (i % 2 == 0));
  t.gate.check_invariants();
}

// The rules in the dumbest way.
struct Model {
  struct Record {
    std::uint32_t ledger = 0;
    std::set<std::uint32_t> nodes;
  };
  std::map<std::uint32_t, Record> records;
  std::vector<std::uint32_t> order;
  std::size_t records_max = 0;

  bool add(std::uint32_t number, std::uint32_t ledger) {
    if (records.contains(number)) return false;
    records[number].ledger = ledger;
    order.push_back(number);
    if (order.size() > records_max) forget(order.front());
    return true;
  }
  void forget(std::uint32_t number) {
    records.erase(number);
    std::erase(order, number);
  }
};

TEST_CASE("the flood gate does what a naive table does", "[flood_gate]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Gate t({.records_max = 12, .nodes_max = 64});
    Model model;
    model.records_max = 12;
    for (int step = 0; step < 3000; ++step) {
      const auto h = static_cast<std::uint32_t>(random.below(24));
      const auto n = static_cast<std::uint32_t>(random.below(10));
      const auto ledger = static_cast<std::uint32_t>(step / 100);
      switch (random.below(8)) {
        case 0:
        case 1:
        case 2: {
          const bool is_new = model.add(h, ledger);
          model.records[h].nodes.insert(n);
          REQUIRE(t.gate.on_received(hash(h), node(n), ledger) == is_new);
          break;
        }
        case 3:
        case 4:
        case 5: {
          model.add(h, ledger);
          REQUIRE(t.gate.tell(hash(h), node(n), ledger) == model.records[h].nodes.insert(n).second);
          break;
        }
        case 6:
          REQUIRE(t.gate.forget(hash(h)) == model.records.contains(h));
          model.forget(h);
          break;
        case 7: {
          const auto below = ledger - std::min(ledger, static_cast<std::uint32_t>(random.below(3)));
          t.gate.clear_below(below);
          for (std::uint32_t i = 0; i < 24; ++i) {
            if (model.records.contains(i) && model.records[i].ledger < below) model.forget(i);
          }
          break;
        }
      }
      REQUIRE(t.gate.size() == model.records.size());
      t.gate.check_invariants();
    }
    for (std::uint32_t h = 0; h < 24; ++h) {
      REQUIRE(t.gate.is_known(hash(h)) == model.records.contains(h));
      for (std::uint32_t n = 0; n < 10; ++n) {
        REQUIRE(t.gate.is_known_to(hash(h), node(n)) ==
                (model.records.contains(h) && model.records[h].nodes.contains(n)));
      }
    }
  }
}

TEST_CASE("of more records than are freed at once, none that was cleared is known", "[flood_gate]") {
  Gate t({.records_max = 10'000});
  for (std::uint32_t h = 0; h < 3000; ++h) t.gate.on_received(hash(h), node(1), 5);
  for (std::uint32_t h = 3000; h < 3010; ++h) t.gate.on_received(hash(h), node(1), 6);
  t.gate.clear_below(6);
  REQUIRE(t.gate.size() == 3010 - 1024);
  REQUIRE_FALSE(t.gate.is_known(hash(2999)));
  REQUIRE_FALSE(t.gate.is_known_to(hash(2999), node(1)));
  REQUIRE_FALSE(t.gate.forget(hash(2998)));
  REQUIRE(t.gate.on_received(hash(2999), node(2), 6));
  REQUIRE_FALSE(t.gate.is_known_to(hash(2999), node(1)));
  REQUIRE(t.gate.is_known(hash(3000)));
  for (std::uint32_t h = 4000; h < 5000; ++h) t.gate.on_received(hash(h), node(1), 6);
  REQUIRE(t.gate.size() == 1011);  // each new record took two of the cleared along
  REQUIRE(t.metrics.evicted == 0);
  t.gate.check_invariants();
}

TEST_CASE("what was cleared stays so when the ledger goes back", "[flood_gate]") {
  Gate t({.records_max = 10'000});
  for (std::uint32_t h = 0; h < 3000; ++h) t.gate.on_received(hash(h), node(1), 5);
  t.gate.clear_below(6);
  t.gate.clear_below(1);
  REQUIRE(t.gate.size() == 0);
  REQUIRE(t.gate.on_received(hash(2999), node(1), 1));
  REQUIRE_FALSE(t.gate.on_received(hash(2999), node(1), 1));
}

}  // namespace
}  // namespace overlayd::flood
