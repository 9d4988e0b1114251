#include "core/fetch/item_fetcher.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/support/messages.h"

namespace overlayd::fetch {
namespace {

using Want = ItemFetcher::Want;
constexpr Duration kReply = limits::kFetchReplyTimeout;

constexpr std::size_t kPlacesOfPeers = limits::kTrackersMax - limits::kClientFetchesMax;

ItemId item(std::uint64_t number, ItemKind kind = ItemKind::kTxSet) {
  return {kind, {test::make_full_hash(number).bytes}};
}
FloodHash envelope(std::uint64_t number) { return {test::make_full_hash(number).bytes}; }
// The peer with this number, by its node id.
NodeId link(std::uint64_t number) { return test::make_node(1'000'000 + number); }

struct Envelope {
  std::uint64_t number = 1;
  std::uint64_t node = 1;
  std::uint64_t link = 1;  // who sent it; 0: a client
  std::uint64_t slot = 10;
};

struct Fetch {
  explicit Fetch(std::uint64_t peers = 0, std::uint64_t seed = 1) : random(seed) {
    for (std::uint64_t i = 1; i <= peers; ++i) fetcher.on_peer(PeerId{i});
  }
  ~Fetch() { fetcher.check_invariants(); }

  void need(const Envelope& of, const std::vector<ItemId>& items) {
    fetcher.need({envelope(of.number),
                  {of.slot, test::make_node(of.node)},
                  PeerId{of.link},
                  of.link == 0 ? NodeId{} : link(of.link)},
                 items, now);
  }
  // As many envelopes, each lacking one item of its own; both are numbered from `of.number` on.
  void flood(Envelope of, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i, ++of.number) need(of, {item(of.number)});
  }
  Want want(const ItemId& id, std::uint64_t slot = 10, const std::vector<PeerId>& holders = {}) {
    return fetcher.want(id, slot, holders, now);
  }
  // All that is due now, however many steps it takes.
  FetchBatch advance() {
    FetchBatch batch;
    while (fetcher.next_deadline() <= now) fetcher.advance(now, batch);
    return batch;
  }
  FetchBatch advance(Duration by) {
    now = now + by;
    return advance();
  }
  // Who is asked for what now; 0: nobody.
  std::uint64_t asked(const ItemId& id, Duration by = Duration(0)) {
    for (const auto& question : advance(by).questions)
      if (question.item == id) return question.peer.value;
    return 0;
  }
  [[nodiscard]] std::size_t searched(std::uint64_t first, std::size_t count) const {
    std::size_t found = 0;
    for (std::uint64_t i = first; i < first + count; ++i) found += fetcher.is_searched(item(i)) ? 1 : 0;
    return found;
  }

  Random random;
  FetchMetrics metrics;
  ItemFetcher fetcher{random, metrics};
  Instant now{seconds(1000)};
};

TEST_CASE("a search begins with the first need and is due at once", "[item_fetcher]") {
  Fetch t(1);
  t.need({}, {});
  CHECK(t.fetcher.waiting() == 0);
  CHECK(t.fetcher.next_deadline().is_never());
  t.need({}, {item(1), item(2, ItemKind::kQuorumSet)});
  CHECK(t.fetcher.searches() == 2);
  CHECK(t.fetcher.waiting() == 1);
  t.need({}, {item(3)});  // it waits already
  CHECK(t.fetcher.searches() == 2);
  CHECK(t.fetcher.next_deadline() == t.now);
  CHECK(t.advance().questions.size() == 2);
  CHECK(t.metrics.asked == 2);
  CHECK(t.fetcher.next_deadline() == t.now + kReply);
}

TEST_CASE("a search ends when the last envelope that waits for it is forgotten", "[item_fetcher]") {
  Fetch t;
  t.need({.number = 1}, {item(1), item(2)});
  t.need({.number = 2}, {item(1)});
  t.fetcher.forget(envelope(1));
  CHECK(t.searched(1, 2) == 1);
  CHECK(t.metrics.abandoned == 1);
  t.fetcher.forget(envelope(2));
  CHECK(t.fetcher.next_deadline().is_never());
}

TEST_CASE("what waits of slots outside the window ends, the kept slot's does not", "[item_fetcher]") {
  Fetch t;
  for (const std::uint64_t slot : {63, 99, 100, 200, 201}) t.need({.number = slot, .slot = slot}, {item(slot)});
  t.need({.number = 300, .slot = 100}, {item(99), item(500)});  // keeps 99's item searched
  t.need({.number = 301, .slot = 99}, {item(500), item(501)});
  t.fetcher.set_window({100, 200, 63}, 150);
  for (const std::uint64_t number : {63, 99, 100, 200, 500}) CHECK(t.fetcher.is_searched(item(number)));
  for (const std::uint64_t number : {201, 501}) CHECK_FALSE(t.fetcher.is_searched(item(number)));
  CHECK(t.fetcher.waiting() == 4);
}

TEST_CASE("the item ends its search, whoever sends it, and gives what waited", "[item_fetcher]") {
  Fetch t(2);
  t.need({.number = 1, .node = 1, .slot = 10}, {item(1), item(2)});
  t.need({.number = 2, .node = 2, .slot = 11}, {item(1)});
  t.advance();
  t.advance(kReply);
  t.now = t.now + milliseconds(20);
  const auto found = t.fetcher.on_item(item(1), PeerId{}, t.now);
  REQUIRE(found.has_value());
  CHECK(found->searched_for == kReply + milliseconds(20));
  CHECK(found->peers_asked == 2);
  CHECK(found->rounds == 0);
  REQUIRE(found->references.size() == 2);
  CHECK((found->references[0].node == test::make_node(1) && found->references[0].slot == 10));
  CHECK((found->references[1].node == test::make_node(2) && found->references[1].slot == 11));
  CHECK(t.metrics.delay.count() == 1);
  CHECK(t.fetcher.waiting() == 1);  // the first still lacks another
  CHECK(t.fetcher.on_item(item(2), PeerId{}, t.now));
  CHECK(t.fetcher.waiting() == 0);
  CHECK(t.metrics.abandoned == 0);
  CHECK_FALSE(t.fetcher.on_item(item(2), PeerId{}, t.now));  // nobody searches for it any more
}

TEST_CASE("a client's want begins a search, its holders are asked first, its cancel ends it", "[item_fetcher]") {
  Fetch t(20);
  CHECK(t.want(item(1), 10, {PeerId{7}}) == Want::kBegun);
  CHECK(t.asked(item(1)) == 7);
  CHECK(t.want(item(1), 10, {PeerId{13}, PeerId{99}}) == Want::kJoined);
  CHECK(t.asked(item(1), kReply) == 13);
  CHECK(t.fetcher.cancel(item(1)));
  CHECK_FALSE(t.fetcher.cancel(item(1)));
  CHECK(t.fetcher.searches() == 0);
}

TEST_CASE("a client and envelopes wait for one search; it ends with the last of them", "[item_fetcher]") {
  Fetch t;
  t.need({.number = 1}, {item(1), item(2)});
  CHECK(t.want(item(1)) == Want::kJoined);
  CHECK_FALSE(t.fetcher.cancel(item(2)));
  CHECK(t.fetcher.cancel(item(1)));
  CHECK(t.fetcher.is_searched(item(1)));
  CHECK(t.want(item(1)) == Want::kJoined);
  t.fetcher.forget(envelope(1));
  CHECK(t.searched(1, 2) == 1);
  const auto found = t.fetcher.on_item(item(1), PeerId{}, t.now);
  REQUIRE(found);
  CHECK(found->references.empty());
}

TEST_CASE("a client's want ends with its slot, the latest it named; slot 0 never does", "[item_fetcher]") {
  Fetch t;
  t.want(item(1), 50);
  t.want(item(2), 0);
  t.want(item(3), 50);
  t.want(item(3), 150);
  t.want(item(3), 40);
  t.want(item(4), 63);
  t.fetcher.set_window({100, 200, 63}, 150);
  CHECK(t.searched(1, 4) == 3);
  CHECK_FALSE(t.fetcher.is_searched(item(1)));
}

TEST_CASE("clients wait for so many items at most, and get room when one ends", "[item_fetcher]") {
  Fetch t;
  for (std::uint64_t i = 1; i <= limits::kClientFetchesMax; ++i) REQUIRE(t.want(item(i)) == Want::kBegun);
  CHECK(t.want(item(5000)) == Want::kRefused);
  CHECK(t.metrics.trackers_refused == 1);
  CHECK(t.want(item(1)) == Want::kJoined);
  t.need({}, {item(6000)});
  CHECK(t.want(item(6000)) == Want::kRefused);  // even where an envelope waits already
  CHECK(t.fetcher.on_item(item(1), PeerId{}, t.now));
  CHECK(t.want(item(5000)) == Want::kBegun);
}

TEST_CASE("after every round in vain the item is reported as missing and the search goes on", "[item_fetcher]") {
  Fetch t(2);
  t.need({}, {item(1)});
  CHECK(t.advance().missing.empty());
  CHECK(t.advance(kReply).missing.empty());
  CHECK(t.metrics.timeouts == 1);
  const FetchBatch first = t.advance(kReply);
  REQUIRE((first.missing.size() == 1 && first.missing[0].item == item(1)));
  CHECK(first.missing[0].searched_for == 2 * kReply);
  CHECK(first.missing[0].peers_asked == 2);
  CHECK(first.missing[0].rounds == 1);
  CHECK(t.asked(item(1), kReply) != 0);
  CHECK(t.asked(item(1), kReply) != 0);
  CHECK(t.advance(kReply).missing.at(0).rounds == 2);
  CHECK(t.asked(item(1), kReply) == 0);  // the pause is of two reply timeouts now
  CHECK(t.asked(item(1), kReply) != 0);
}

TEST_CASE("DONT_HAVE of the peer asked brings the next one's turn at once", "[item_fetcher]") {
  Fetch t(2);
  t.need({}, {item(1)});
  const std::uint64_t first = t.asked(item(1));
  t.fetcher.on_dont_have(PeerId{3 - first}, item(1), t.now);
  t.fetcher.on_dont_have(PeerId{first}, item(1, ItemKind::kQuorumSet), t.now);
  CHECK(t.asked(item(1)) == 0);
  t.fetcher.on_dont_have(PeerId{first}, item(1), t.now);
  CHECK(t.asked(item(1)) == 3 - first);
  CHECK((t.metrics.dont_have == 1 && t.metrics.timeouts == 0));
}

TEST_CASE("who sent the envelope is asked first, then the nearest", "[item_fetcher]") {
  Fetch t(6);
  t.fetcher.on_latency(PeerId{1}, limits::kLatencyBand);
  for (const std::uint64_t peer : {2, 3, 4, 5}) t.fetcher.on_latency(PeerId{peer}, 4 * limits::kLatencyBand);
  t.fetcher.on_latency(PeerId{6}, limits::kLatencyBand - Duration(1));
  t.fetcher.on_latency(PeerId{77}, Duration(0));
  t.need({.link = 4}, {item(1)});
  t.fetcher.on_sender(envelope(1), PeerId{2});
  std::vector<std::uint64_t> order{t.asked(item(1))};
  for (int i = 1; i < 4; ++i) order.push_back(t.asked(item(1), kReply));
  std::sort(order.begin(), order.begin() + 2);
  CHECK(order == std::vector<std::uint64_t>{2, 4, 6, 1});
}

TEST_CASE("a peer that goes gives its turn to the next, and is asked no more", "[item_fetcher]") {
  Fetch t(2);
  t.need({.link = 1}, {item(1)});
  CHECK(t.asked(item(1)) == 1);
  t.fetcher.on_peer_gone(PeerId{1}, t.now);
  CHECK(t.asked(item(1)) == 2);
  for (int i = 0; i < 20; ++i) CHECK(t.asked(item(1), kReply) != 1);
}

TEST_CASE("one step looks after so many searches at most, the rest is due at once", "[item_fetcher]") {
  Fetch t(1);
  t.fetcher.set_query_limit(seconds(60), 500);
  t.flood({}, kFetchStepMax + 6);
  FetchBatch batch;
  t.fetcher.advance(t.now, batch);
  CHECK(batch.questions.size() == kFetchStepMax);
  CHECK(t.fetcher.next_deadline() == t.now);
  t.fetcher.advance(t.now, batch);
  CHECK(batch.questions.size() == kFetchStepMax + 6);
  CHECK(t.fetcher.next_deadline() > t.now);
}

TEST_CASE("a peer is asked no more than it answers, of each kind, wherever its windows begin", "[item_fetcher]") {
  Fetch t(1);
  t.fetcher.set_query_limit(seconds(60), 1);  // 60 answered: 24 at once, and one every two seconds
  for (std::uint64_t i = 1; i <= 70; ++i) t.want(item(i));
  std::size_t asked = t.advance().questions.size();
  CHECK(asked == 24);
  for (std::uint64_t i = 1; i <= 40; ++i) t.want(item(i, ItemKind::kQuorumSet));
  CHECK(t.advance().questions.size() == 24);
  for (std::uint64_t i = 1; i <= 40; ++i) t.fetcher.cancel(item(i, ItemKind::kQuorumSet));
  for (int i = 0; i < 40; ++i) asked += t.advance(kReply).questions.size();
  CHECK((asked >= 50 && asked <= 60));
}

TEST_CASE("made-up hashes leave a third of the questions to what several ask for", "[item_fetcher]") {
  Fetch t(1);
  t.fetcher.set_query_limit(seconds(60), 5);
  for (std::uint64_t node = 60; node < 66; ++node) t.flood({.number = node * 1000, .node = node}, 100);
  CHECK(t.advance().questions.size() == 80);
  for (std::uint64_t i = 1; i <= 80; ++i) {
    t.need({.number = 2 * i, .node = 1}, {item(i)});
    t.need({.number = 2 * i + 1, .node = 2}, {item(i)});
  }
  CHECK(t.advance().questions.size() == 40);
  CHECK(t.searched(1, 80) == 80);
}

TEST_CASE("made-up hashes of one node leave others' what they need", "[item_fetcher]") {
  Fetch t(1);
  t.fetcher.set_query_limit(seconds(60), 5);
  t.flood({.number = 1000, .node = 66}, limits::kTrackersPerNodeMax);
  CHECK(t.advance().questions.size() == 20);
  CHECK(t.advance(seconds(5)).questions.size() <= 3);
  t.need({.number = 1, .node = 1}, {item(1)});
  CHECK(t.asked(item(1)) == 1);
  t.need({.number = 2, .node = 66}, {item(2, ItemKind::kQuorumSet)});
  CHECK(t.asked(item(2, ItemKind::kQuorumSet)) == 1);  // each kind for itself
  CHECK(t.advance(seconds(60)).questions.size() >= 18);
}

TEST_CASE("while some may be asked no more the round is not over", "[item_fetcher]") {
  Fetch t(1);
  t.fetcher.set_query_limit(seconds(60), 0);  // two questions, one for what a single node names
  t.need({.number = 1}, {item(1)});
  t.need({.number = 2}, {item(2)});
  CHECK(t.advance().questions.size() == 1);
  for (int i = 0; i < 20; ++i) t.advance(kReply);
  CHECK(t.metrics.asked == 1);
  CHECK(t.metrics.rounds == 1);  // of the one that was asked for: nobody else is left
}

TEST_CASE("of one node so many envelopes wait, past which its own oldest does no longer", "[item_fetcher]") {
  Fetch t;
  t.need({.number = 1, .node = 2}, {item(1)});
  for (std::uint64_t i = 0; i < limits::kWaitingPerNodeMax; ++i)
    t.need({.number = 100 + i, .node = 1}, {item(i == 0 ? 8 : 9)});
  t.need({.number = 50, .node = 1}, {item(10)});
  CHECK((t.fetcher.waiting() == limits::kWaitingPerNodeMax + 1 && t.metrics.envelopes_refused == 1));
  CHECK((t.fetcher.is_searched(item(1)) && t.fetcher.is_searched(item(10)) && !t.fetcher.is_searched(item(8))));
}

TEST_CASE("for what one node alone names so many searches are begun; others' are not touched", "[item_fetcher]") {
  Fetch t;
  for (std::uint64_t i = 0; i < limits::kTrackersPerNodeMax; ++i)
    t.need({.number = i, .node = 66}, {item(1000 + 2 * i), item(1001 + 2 * i)});
  CHECK(t.searched(1000, limits::kTrackersPerNodeMax) == limits::kTrackersPerNodeMax);
  CHECK(t.fetcher.searches() == limits::kTrackersPerNodeMax);
  CHECK(t.metrics.trackers_refused == limits::kTrackersPerNodeMax);
  t.need({.number = 5000, .node = 1}, {item(1)});
  CHECK(t.fetcher.is_searched(item(1)));
  t.need({.number = 5001, .node = 1}, {item(1000)});  // named by two now: no longer that node's alone
  t.need({.number = 5002, .node = 66}, {item(3000), item(3001)});
  CHECK(t.searched(3000, 2) == 1);
}

TEST_CASE("for envelopes that one peer sent first so many searches are begun, others' go on", "[item_fetcher]") {
  Fetch t;
  for (std::uint64_t node = 1; node <= 5; ++node)
    t.flood({.number = node * 1000, .node = node, .link = 66}, limits::kTrackersPerNodeMax);
  CHECK(t.fetcher.searches() == limits::kTrackersPerLinkMax);
  t.need({.number = 1, .node = 5, .link = 1}, {item(1)});
  CHECK(t.fetcher.is_searched(item(1)));
  t.fetcher.on_item(item(1000), PeerId{}, t.now);
  t.need({.number = 2, .node = 9, .link = 66}, {item(2), item(3)});
  CHECK(t.searched(2, 2) == 1);
}

TEST_CASE("an envelope waits for so many items, the first it names", "[item_fetcher]") {
  Fetch t;
  std::vector<ItemId> many{item(0), item(0)};
  for (std::uint64_t i = 0; i < 4000; ++i) many.push_back(item(i));
  t.need({}, many);
  CHECK(t.fetcher.searches() == kLackingMax);
  CHECK(t.searched(0, kLackingMax) == kLackingMax);
  CHECK(t.metrics.trackers_refused == 4000 - kLackingMax);
}

TEST_CASE("an envelope whose node id is zero counts like any other", "[item_fetcher]") {
  Fetch t;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const std::array<ItemId, 2> items{item(2 * i), item(2 * i + 1)};
    t.fetcher.need({envelope(i), {10, NodeId{}}, PeerId{1}, link(1)}, items, t.now);
  }
  CHECK(t.fetcher.searches() == limits::kTrackersPerNodeMax);
}

// All that peers may begin: 1,024 of link 1, the rest of links 2 to 14, 256 each of a node of its own.
void fill(Fetch& t) {
  std::uint64_t number = 10'000;
  std::uint64_t node = 100;
  const auto begin = [&](std::uint64_t link, std::size_t nodes) {
    for (std::size_t i = 0; i < nodes; ++i, number += limits::kTrackersPerNodeMax)
      t.flood({.number = number, .node = node++, .link = link}, limits::kTrackersPerNodeMax);
  };
  begin(1, 4);
  for (std::uint64_t link = 2; link <= 13; ++link) begin(link, 2);
  t.flood({.number = number, .node = node, .link = 14}, kPlacesOfPeers - t.fetcher.searches());
  REQUIRE(t.fetcher.searches() == kPlacesOfPeers);
}

TEST_CASE("when there are too many searches, who began most loses his oldest, and gets no more", "[item_fetcher]") {
  Fetch t;
  fill(t);
  for (std::uint64_t i = 1; i <= 100; ++i) t.need({.number = i, .node = 1, .link = 20}, {item(i)});
  CHECK(t.searched(1, 100) == 100);
  CHECK(t.metrics.trackers_evicted == 100);
  CHECK(t.searched(10'000, 100) == 0);  // link 1's first
  CHECK(t.searched(10'100, kPlacesOfPeers - 100) == kPlacesOfPeers - 100);
  t.need({.number = 300, .node = 2, .link = 1}, {item(300)});  // has most, though 100 less than its share
  CHECK_FALSE(t.fetcher.is_searched(item(300)));
  CHECK(t.metrics.envelopes_refused == 1);
  CHECK(t.metrics.trackers_evicted == 100);
  CHECK(t.want(item(200)) == Want::kBegun);
}

TEST_CASE("what several nodes or a client ask for does not yield", "[item_fetcher]") {
  Fetch t;
  fill(t);
  for (std::uint64_t i = 0; i < 100; ++i) {
    if (i % 2 == 0) t.need({.number = 100 + i, .node = 50, .link = 30}, {item(10'000 + i)});
    if (i % 2 == 1) t.want(item(10'000 + i));
  }
  for (std::uint64_t i = 1; i <= 100; ++i)
    t.need({.number = i + 1000, .node = 1, .link = 20}, {item(i)});  // fifty places are free
  CHECK(t.searched(1, 100) == 100);
  CHECK(t.searched(10'000, 100) == 100);
  CHECK(t.searched(10'100, 50) == 0);
}

TEST_CASE("searches begun for a client's own envelopes do not yield", "[item_fetcher]") {
  Fetch t;
  t.flood({.number = 1, .node = 1, .link = 0}, limits::kTrackersPerNodeMax);
  t.flood({.number = 1001, .node = 2, .link = 0}, limits::kTrackersPerNodeMax);
  for (std::uint64_t link = 1; link <= 30; ++link)
    t.flood({.number = 10'000 * link, .node = 10 + link, .link = link}, limits::kTrackersPerNodeMax);
  REQUIRE(t.fetcher.searches() == kPlacesOfPeers);
  t.need({.number = 5000, .node = 3, .link = 50}, {item(5000)});
  CHECK(t.fetcher.is_searched(item(5000)));
  CHECK(t.searched(1, 256) + t.searched(1001, 256) == 512);
}

TEST_CASE("where all is shared, who began most loses his oldest but what a client waits for", "[item_fetcher]") {
  Fetch t;
  fill(t);
  for (std::uint64_t i = 0; i < kPlacesOfPeers; ++i)
    t.need({.number = 100'000 + i, .node = 200 + i / 128, .link = 30 + i / 512}, {item(10'000 + i)});
  CHECK(t.want(item(10'000)) == Want::kJoined);
  CHECK(t.want(item(1)) == Want::kBegun);  // places of their own
  t.need({.number = 1, .node = 1, .link = 90}, {item(2), item(3)});
  CHECK((t.fetcher.is_searched(item(2)) && t.fetcher.is_searched(item(10'000)) && t.metrics.trackers_evicted == 1));
}

TEST_CASE("so many envelopes wait in all, and for one item", "[item_fetcher]") {
  Fetch t;
  std::uint64_t number = 1;
  for (; number <= limits::kWaitingPerTrackerMax; ++number) t.need({.number = number, .node = number / 100}, {item(1)});
  t.need({.number = number++, .node = 70}, {item(1), item(2)});
  CHECK(t.fetcher.waiting() == limits::kWaitingPerTrackerMax + 1);
  t.need({.number = number++, .node = 70}, {item(1)});
  CHECK(t.metrics.envelopes_refused == 1);
  for (; t.fetcher.waiting() < limits::kWaitingMax; ++number)
    t.need({.number = number, .node = 100 + number / 200}, {item(10 + number / 200)});
  t.need({.number = number++, .node = 7000}, {item(10)});
  CHECK(t.fetcher.waiting() == limits::kWaitingMax);
  CHECK(t.metrics.envelopes_refused == 2);
}

TEST_CASE("so many senders of an envelope are remembered, others are asked as any peer", "[item_fetcher]") {
  Fetch t(40);
  t.need({.link = 1}, {item(1)});
  for (std::uint64_t peer = 2; peer <= limits::kSendersPerEnvelopeMax; ++peer)
    for (int i = 0; i < 2; ++i) t.fetcher.on_sender(envelope(1), PeerId{peer});
  t.fetcher.on_sender(envelope(1), PeerId{40});
  t.fetcher.on_latency(PeerId{17}, Duration(0));
  for (std::uint64_t peer = 18; peer <= 40; ++peer) t.fetcher.on_latency(PeerId{peer}, seconds(2));
  std::vector<std::uint64_t> order{t.asked(item(1))};
  for (int i = 1; i < 17; ++i) order.push_back(t.asked(item(1), kReply));
  CHECK(std::ranges::max(std::span(order).first(16)) == 16);
  CHECK(order[16] == 17);
  for (std::uint64_t peer = 1; peer <= 16; ++peer) t.fetcher.on_peer_gone(PeerId{peer}, t.now);
  t.fetcher.on_sender(envelope(1), PeerId{40});  // senders that went leave their places to others
  CHECK(t.asked(item(1), kReply) == 40);
}

void do_anything(Fetch& t, Random& dice) {
  const std::uint64_t number = dice.below(800);
  const PeerId peer{dice.between(1, 12)};
  const ItemId any = item(dice.below(1500), static_cast<ItemKind>(dice.below(2)));
  switch (dice.between(1, 14)) {
    case 1: return t.fetcher.on_latency(peer, milliseconds(dice.below(3000)));
    case 2: return dice.below(4) == 0 ? t.fetcher.on_peer_gone(peer, t.now) : t.fetcher.on_peer(peer);
    case 3: return t.fetcher.on_sender(envelope(number), peer);
    case 4: return t.fetcher.forget(envelope(number));
    case 5: return static_cast<void>(t.want(any, dice.below(40), {peer}));
    case 6: return static_cast<void>(t.fetcher.cancel(any));
    case 7: return static_cast<void>(t.fetcher.on_item(any, PeerId{}, t.now));
    case 8: return t.fetcher.on_dont_have(peer, any, t.now);
    case 9:
      if (dice.below(20) == 0) t.fetcher.set_window({number % 20, number % 20 + 25, dice.below(40)}, number % 20);
      return;
    case 10: return static_cast<void>(t.advance(milliseconds(dice.below(700))));
    default:  // mostly of one node, so that its limits are met
      t.need({number, dice.below(3) == 0 ? number % 6 : 1, dice.below(8), number % 40}, {any, any, item(number)});
  }
}

TEST_CASE("whatever happens, in whatever order, the books agree", "[item_fetcher]") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Fetch t(4, seed);
    Random dice(seed);
    INFO("seed=" << seed);
    for (int i = 0; i < 5000; ++i) {
      do_anything(t, dice);
      t.fetcher.check_invariants();
    }
    t.fetcher.set_window({1000, 1001, 0}, 150);
    for (std::uint64_t i = 0; i < 1500; ++i)
      for (const ItemKind kind : {ItemKind::kTxSet, ItemKind::kQuorumSet}) t.fetcher.cancel(item(i, kind));
    CHECK(t.fetcher.searches() == 0);
    CHECK(t.fetcher.waiting() == 0);
    CHECK(t.fetcher.next_deadline().is_never());
  }
}

}  // namespace
}  // namespace overlayd::fetch
