#include "core/fetch/scp_state.h"

#include <catch2/catch.hpp>

#include "core/wire/message.h"
#include "tests/support/messages.h"

namespace overlayd::fetch {
namespace {

struct Envelope {
  std::uint64_t node = 1;
  std::uint64_t slot = 1;
  std::uint32_t counter = 1;
};

MessagePtr ballot(const Envelope& of) {
  return test::make_scp({}, {.node = test::make_node(of.node), .slot = of.slot, .ballot_counter = of.counter});
}

// A NOMINATE for the sets 1 to `counter`.
MessagePtr nomination(const Envelope& of) {
  std::vector<ItemHash> votes;
  for (std::uint32_t i = 1; i <= of.counter; ++i) votes.push_back({test::make_full_hash(i).bytes});
  return test::make_scp({}, {.node = test::make_node(of.node), .slot = of.slot, .votes = votes});
}

std::size_t cost(const MessagePtr& message) { return message->size() + kScpStateOverheadBytes; }

struct State {
  explicit State(std::size_t bytes_max = limits::kScpStateBytesMax) : state({.bytes_max = bytes_max}, metrics) {}
  ~State() { state.check_invariants(); }
  bool remember(const MessagePtr& message) {
    const auto envelope = xdr::read_scp_envelope(message->body());
    REQUIRE(envelope.has_value());
    return state.remember(message, *envelope);
  }

  FetchMetrics metrics;
  ScpState state;
};

using Messages = std::vector<MessagePtr>;

TEST_CASE("of each node and slot the latest of each kind is kept", "[scp_state]") {
  State t;
  const MessagePtr nominated = nomination({.counter = 1});
  const MessagePtr balloted = ballot({.counter = 1});
  CHECK(t.remember(nominated));
  CHECK(t.remember(balloted));
  CHECK(t.state.size() == 2);
  const MessagePtr newer = ballot({.counter = 2});
  CHECK(t.remember(newer));
  CHECK(t.state.of(1) == Messages{nominated, newer});
  CHECK(t.state.holds(newer->flood_hash()));
  CHECK_FALSE(t.state.holds(balloted->flood_hash()));
  const MessagePtr more_votes = nomination({.counter = 2});
  CHECK(t.remember(more_votes));
  CHECK(t.state.of(1) == Messages{more_votes, newer});
}

TEST_CASE("older, equal and incomparable statements are not taken", "[scp_state]") {
  State t;
  const MessagePtr held = ballot({.counter = 5});
  t.remember(held);
  CHECK_FALSE(t.remember(held));
  CHECK_FALSE(t.remember(ballot({.counter = 4})));
  const MessagePtr votes = nomination({.counter = 2});
  t.remember(votes);
  CHECK_FALSE(t.remember(nomination({.counter = 1})));
  CHECK_FALSE(t.remember(test::make_scp({}, {.node = test::make_node(1), .votes = {{test::make_full_hash(9).bytes}}})));
  CHECK(t.state.of(1) == Messages{votes, held});
  CHECK(t.metrics.scp_state_refused == 0);
}

TEST_CASE("slots come in ascending order, nominations before ballots, each in the order of nodes", "[scp_state]") {
  State t;
  const Messages wanted{nomination({.node = 1, .slot = 3}), nomination({.node = 2, .slot = 3}),
                        ballot({.node = 1, .slot = 3}),     ballot({.node = 2, .slot = 3}),
                        ballot({.node = 1, .slot = 4}),     nomination({.node = 2, .slot = 7})};
  REQUIRE(test::make_node(1) < test::make_node(2));
  for (auto message = wanted.rbegin(); message != wanted.rend(); ++message) REQUIRE(t.remember(*message));
  CHECK(t.state.from(0, 100, 0) == wanted);
  CHECK(t.state.from(3, 100, 0) == wanted);
  CHECK(t.state.from(4, 100, 0) == Messages{wanted[4], wanted[5]});
  CHECK(t.state.from(8, 100, 0).empty());
  CHECK(t.state.of(3) == Messages(wanted.begin(), wanted.begin() + 4));
  CHECK(t.state.of(5).empty());
  CHECK(t.state.slots() == 3);
}

TEST_CASE("at most so many slots are given, and the one left out is none of them", "[scp_state]") {
  State t;
  Messages all;
  for (std::uint64_t slot = 1; slot <= 5; ++slot) {
    all.push_back(ballot({.slot = slot}));
    t.remember(all.back());
  }
  CHECK(t.state.from(0, 2, 0) == Messages{all[0], all[1]});
  CHECK(t.state.from(0, 2, 1) == Messages{all[1], all[2]});
  CHECK(t.state.from(2, 2, 3) == Messages{all[1], all[3]});
  CHECK(t.state.from(0, 5, 0) == all);
  CHECK(t.state.from(0, 0, 0).empty());
}

TEST_CASE("slots outside the window end, the checkpoint does not", "[scp_state]") {
  State t;
  for (const std::uint64_t slot : {63, 98, 99, 100, 150, 200, 201}) t.remember(ballot({.slot = slot}));
  t.state.forget_outside({100, 200, 63});
  CHECK(t.state.slots() == 4);
  for (const std::uint64_t slot : {63, 100, 150, 200}) CHECK(t.state.of(slot).size() == 1);
  t.state.check_invariants();
  t.state.forget_outside({100, 200, 0});
  CHECK(t.state.of(63).empty());
  t.state.forget_outside({1000, 2000, 0});
  CHECK(t.state.size() == 0);
  CHECK(t.state.bytes() == 0);
}

TEST_CASE("a forgotten envelope is gone, and its node may say it again", "[scp_state]") {
  State t;
  const MessagePtr first = ballot({.counter = 1});
  const MessagePtr second = ballot({.counter = 2});
  const MessagePtr other = nomination({.node = 2});
  t.remember(first);
  t.remember(second);
  t.remember(other);
  t.state.forget(first->flood_hash());  // replaced already: nothing happens
  CHECK(t.state.of(1) == Messages{other, second});
  t.state.forget(second->flood_hash());
  CHECK(t.state.of(1) == Messages{other});
  t.state.forget(other->flood_hash());
  CHECK(t.state.slots() == 0);
  CHECK(t.state.bytes() == 0);
  CHECK(t.remember(first));
}

TEST_CASE("an envelope counts with its overhead, and what it replaces is freed", "[scp_state]") {
  const std::size_t one = cost(ballot({}));
  State t(one * kScpStateNodeShare);  // each node may have just one
  CHECK(t.remember(ballot({.counter = 1})));
  CHECK(t.state.bytes() == one);
  for (std::uint32_t counter = 2; counter < 50; ++counter) REQUIRE(t.remember(ballot({.counter = counter})));
  CHECK(t.state.bytes() == one);
  CHECK(t.metrics.scp_state_refused == 0);
}

TEST_CASE("one node has its share of the room, others theirs", "[scp_state]") {
  const std::size_t one = cost(ballot({}));
  State t(2 * one * kScpStateNodeShare);
  CHECK(t.remember(ballot({.slot = 1})));
  CHECK(t.remember(ballot({.slot = 2})));
  CHECK_FALSE(t.remember(ballot({.slot = 3})));
  CHECK_FALSE(t.remember(nomination({.slot = 1, .counter = 50})));
  CHECK(t.metrics.scp_state_refused == 2);
  CHECK(t.state.slots() == 2);
  CHECK(t.remember(ballot({.node = 2, .slot = 3})));
  t.state.forget_outside({2, 9, 0});
  CHECK(t.remember(ballot({.slot = 3})));  // what was forgotten counts no more
}

TEST_CASE("a larger envelope that finds no room leaves the former in place", "[scp_state]") {
  const MessagePtr small = nomination({.counter = 1});
  State t(cost(small) * kScpStateNodeShare);
  CHECK(t.remember(small));
  CHECK_FALSE(t.remember(nomination({.counter = 2})));
  CHECK(t.state.of(1) == Messages{small});
}

TEST_CASE("many nodes cannot pass the room for all", "[scp_state]") {
  const std::size_t one = cost(ballot({}));
  State t(one * kScpStateNodeShare);
  for (std::uint64_t node = 1; node <= kScpStateNodeShare; ++node) REQUIRE(t.remember(ballot({.node = node})));
  CHECK_FALSE(t.remember(ballot({.node = 1000})));
  CHECK(t.state.bytes() == one * kScpStateNodeShare);
  CHECK(t.metrics.scp_state_refused == 1);
  CHECK(t.remember(ballot({.node = 1, .counter = 2})));  // its own makes room
}

TEST_CASE("one who signs for slots of his own pushes out none that others speak of", "[scp_state]") {
  State t;
  for (const std::uint64_t node : {1, 2}) t.remember(ballot({.node = node, .slot = 63}));
  for (std::uint64_t slot = 1000; slot < 1000 + 2 * kScpStateSlotsMax; ++slot) {
    REQUIRE(t.remember(ballot({.node = 66, .slot = slot})));
    REQUIRE(t.state.of(slot).size() == 1);
  }
  CHECK(t.state.of(63).size() == 2);
  CHECK(t.state.slots() == kScpStateSlotsMax);
  for (const std::uint64_t node : {1, 2}) CHECK(t.remember(ballot({.node = node, .slot = 64})));
  CHECK(t.state.of(64).size() == 2);
}

TEST_CASE("a new slot finds room among slots that more speak of", "[scp_state]") {
  State t;
  for (std::uint64_t slot = 1; slot <= kScpStateSlotsMax; ++slot)
    for (const std::uint64_t node : {1, 2}) t.remember(ballot({.node = node, .slot = slot}));
  CHECK(t.remember(ballot({.node = 3, .slot = 5000})));
  CHECK(t.state.of(5000).size() == 1);
  CHECK(t.state.of(1).empty());
}

TEST_CASE("a checkpoint of 0 is none: slot 0 ends like any other", "[scp_state]") {
  State t;
  t.remember(ballot({.slot = 0}));
  t.state.forget_outside({100, 200, 0});
  CHECK(t.state.slots() == 0);
}

TEST_CASE("past the bound on slots, of equals the one goes whose last envelope came longest ago", "[scp_state]") {
  State t;
  for (std::uint64_t slot = 1; slot <= kScpStateSlotsMax; ++slot) t.remember(ballot({.node = slot, .slot = slot}));
  CHECK(t.state.slots() == kScpStateSlotsMax);
  t.remember(ballot({.node = 1, .slot = 1, .counter = 2}));  // touched again
  t.remember(ballot({.slot = 5000}));
  CHECK(t.state.slots() == kScpStateSlotsMax);
  CHECK(t.state.of(1).size() == 1);
  CHECK(t.state.of(2).empty());
  CHECK(t.state.of(5000).size() == 1);
}

}  // namespace
}  // namespace overlayd::fetch
