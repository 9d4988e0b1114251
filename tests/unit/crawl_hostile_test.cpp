// Answers of nodes that lie, and whole networks.
#include <catch2/catch.hpp>
#include <set>

#include "tests/unit/crawl_fixture.h"

namespace overlayd::survey {
namespace {

constexpr std::uint64_t kLiar = 1;

struct Lied : Crawling {
  Lied() {
    start(links_to(kLiar, 1));
    REQUIRE(next());
  }
  // It told of its links 100 to 124 of 60.
  void tell_first_page() {
    REQUIRE(answer(kLiar, page(links_to(100, 25), {}, 60, 0)));
    ask_liar();
  }
  void ask_liar() {
    ++ledger;
    const auto asked = ask_all();
    REQUIRE(std::ranges::count(asked, nth_node(kLiar)) == 1);
  }
  void require_bad(std::size_t inbound, std::size_t outbound = 0) const {
    CHECK(node(kLiar).state == SurveyNodeState::kFailed);
    CHECK(node(kLiar).problem == SurveyProblem::kBad);
    CHECK(node(kLiar).bad_responses == 1);
    CHECK_FALSE(node(kLiar).detail.empty());
    CHECK(node(kLiar).inbound.size() == inbound);
    CHECK(node(kLiar).outbound.size() == outbound);
  }
};

TEST_CASE("more links than it counts", "[crawl]") {
  Lied t;
  const auto direction = GENERATE(0, 1);
  const auto links = links_to(100, 3);
  CHECK_FALSE(t.answer(kLiar, direction == 0 ? page(links, {}, 2, 5) : page({}, links, 5, 2)));
  t.require_bad(0);
  CHECK(t.crawl.find(nth_node(100)) == nullptr);
}

TEST_CASE("more links than it counts, over two pages", "[crawl]") {
  Lied t;
  REQUIRE(t.answer(kLiar, page(links_to(100, 25), {}, 26, 0)));
  t.ask_liar();
  CHECK_FALSE(t.answer(kLiar, page(links_to(125, 2), {}, 26, 0)));
  t.require_bad(25);
}

TEST_CASE("a link told twice on one page", "[crawl]") {
  Lied t;
  CHECK_FALSE(t.answer(kLiar, whole({link_to(100), link_to(101), link_to(100)})));
  t.require_bad(0);
}

TEST_CASE("a link told again on the next page", "[crawl]") {
  Lied t;
  t.tell_first_page();
  CHECK_FALSE(t.answer(kLiar, page(links_to(124, 25), {}, 60, 0)));
  t.require_bad(25);
}

TEST_CASE("the same page over and over", "[crawl]") {
  Lied t;
  t.tell_first_page();
  CHECK_FALSE(t.answer(kLiar, page(links_to(100, 25), {}, 60, 0)));
  t.require_bad(25);
}

TEST_CASE("another total than before", "[crawl]") {
  Lied t;
  t.tell_first_page();
  const auto [inbound, outbound] = GENERATE(std::pair{61, 0}, std::pair{60, 1}, std::pair{59, 0});
  CHECK_FALSE(t.answer(
      kLiar, page(links_to(125, 25), {}, static_cast<std::size_t>(inbound), static_cast<std::size_t>(outbound))));
  t.require_bad(25);
  CHECK(t.node(kLiar).stats->total_inbound == 60);
}

TEST_CASE("itself as its own peer", "[crawl]") {
  Lied t;
  const bool is_inbound = GENERATE(true, false);
  const std::vector links{link_to(100), link_to(kLiar)};
  CHECK_FALSE(t.answer(kLiar, is_inbound ? whole(links) : whole({}, links)));
  t.require_bad(0);
}

TEST_CASE("fewer links than it counts", "[crawl]") {
  Lied t;
  SECTION("none at all") { REQUIRE(t.answer(kLiar, page({}, {}, 1, 0))); }
  SECTION("an empty page after the first") {
    t.tell_first_page();
    REQUIRE(t.answer(kLiar, page({}, {}, 60, 0)));
  }
  CHECK(t.node(kLiar).state == SurveyNodeState::kFailed);
  CHECK(t.node(kLiar).problem == SurveyProblem::kTruncated);
  CHECK(t.node(kLiar).stats.has_value());
  CHECK(t.node(kLiar).bad_responses == 0);
}

TEST_CASE("what cannot be read is asked for again, and in the end it is bad", "[crawl]") {
  Lied t;
  CHECK_FALSE(t.answer(kLiar, std::nullopt));
  CHECK(t.node(kLiar).bad_responses == 1);
  t.ask_liar();
  SECTION("three times") {
    CHECK_FALSE(t.answer(kLiar, std::nullopt));
    t.ask_liar();
    CHECK_FALSE(t.answer(kLiar, std::nullopt));
    CHECK(t.node(kLiar).state == SurveyNodeState::kFailed);
    CHECK(t.node(kLiar).problem == SurveyProblem::kBad);
    CHECK(t.node(kLiar).bad_responses == 3);
  }
  SECTION("or it comes at last") {
    CHECK(t.answer(kLiar, whole({link_to(0)})));
    CHECK(t.node(kLiar).state == SurveyNodeState::kComplete);
    CHECK(t.node(kLiar).bad_responses == 1);
  }
}

TEST_CASE("what one node says of another is not believed", "[crawl]") {
  Lied t;
  SurveyedLink about_self = link_to(0);
  about_self.bytes_read = UINT64_MAX;
  about_self.version = "lies";
  REQUIRE(t.answer(kLiar, whole({about_self, link_to(5)})));
  CHECK(t.node(0).outbound == links_to(1, 1));
  CHECK(t.node(0).inbound.empty());
  CHECK(t.node(0).state == SurveyNodeState::kComplete);
  CHECK_FALSE(t.node(5).stats.has_value());
  CHECK(t.node(5).inbound.empty());
}

// Counts 4 billion and tells of `fresh` new ones a page.
std::uint32_t requests_of_endless_node(Crawling& t, std::uint64_t fresh, bool is_repeating) {
  std::uint64_t told = 0;
  for (int i = 0; i < 5000 && t.node(kLiar).state != SurveyNodeState::kFailed; ++i) {
    ++t.ledger;
    while (const auto ask = t.next()) {
      if (ask->node != nth_node(kLiar)) continue;
      t.answer(kLiar, page(links_to(10'000 + (is_repeating ? 0 : told), fresh), {}, UINT32_MAX, UINT32_MAX));
      told += fresh;
      break;
    }
  }
  CHECK(t.node(kLiar).state == SurveyNodeState::kFailed);
  CHECK(t.node(kLiar).inbound.size() <= limits::kSurveyLinksMax);
  return t.node(kLiar).requests;
}

TEST_CASE("a node without end is truncated", "[crawl]") {
  Crawling t;
  t.start(links_to(kLiar, 1));
  // With 23 the last page is partly beyond the limit.
  const std::uint64_t fresh = GENERATE(25, 23);
  CHECK(requests_of_endless_node(t, fresh, false) <= limits::kSurveyLinksMax / fresh + 1);
  CHECK(t.node(kLiar).problem == SurveyProblem::kTruncated);
  CHECK(t.node(kLiar).inbound.size() == limits::kSurveyLinksMax);
}

TEST_CASE("a node that leads in circles is left", "[crawl]") {
  Crawling t;
  SECTION("from the beginning") { t.start(links_to(kLiar, 1)); }
  SECTION("after a client had a page of it") {
    t.start(links_to(kLiar, 1));
    REQUIRE(t.crawl.request({nth_node(kLiar), 0, 0}) == Crawl::Queued::kQueued);
  }
  SECTION("after a former process had pages of it") {
    SurveyNode stored;
    stored.node = nth_node(kLiar);
    stored.state = SurveyNodeState::kWaiting;
    stored.stats = page({}, {}, UINT32_MAX, UINT32_MAX).node;
    stored.inbound = links_to(10'000, 25);
    t.crawl.load({{stored, 1}}, 0);
    t.start(links_to(kLiar, 1));
  }
  CHECK(requests_of_endless_node(t, 25, true) <= limits::kSurveyLinksMax / 25 + 2);
  CHECK(t.node(kLiar).inbound.size() == 25);
}

// Each of 400 nodes names 250 that are not there: 100,000 inventions.
TEST_CASE("a hundred thousand invented peers are bounded and counted", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 400));
  std::uint64_t invented = 1'000'000;
  std::set<NodeId> done;
  for (int ledger = 0; ledger < 120 && done.size() < 400; ++ledger) {
    t.pass_ledgers(7);  // what nobody answered is dead
    for (std::uint64_t i = 0; i < 500; ++i) {
      const auto ask = t.crawl.next(t.ledger, t.now);
      if (!ask) break;
      if (ask->node > nth_node(400)) continue;
      REQUIRE(t.answer_now(ask->node, page(links_to(invented, 25), {}, 250, 0)));
      invented += 25;
      if (t.crawl.find(ask->node)->state == SurveyNodeState::kComplete) done.insert(ask->node);
    }
    t.crawl.check_invariants();
  }
  CHECK(done.size() == 400);
  const SurveyStatus status = t.status();
  CHECK(status.nodes_found == limits::kSurveyNodesMax);
  CHECK(status.nodes_refused == invented - 1'000'000 - (limits::kSurveyNodesMax - 401));
  CHECK(status.nodes_complete == 401);
  CHECK(t.crawl.nodes().size() == limits::kSurveyNodesMax);
}

TEST_CASE("links of all nodes together have an end", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 250));
  for (int ledger = 0; ledger < 2000 && !t.crawl.is_idle(); ++ledger) {
    ++t.ledger;
    while (const auto ask = t.crawl.next(t.ledger, t.now))
      t.answer_now(ask->node, page(links_to(2000 + ask->inbound_index, 25), {}, 1000, 0));
  }
  t.crawl.check_invariants();
  REQUIRE(t.crawl.is_idle());
  std::size_t links = 0;
  std::size_t truncated = 0;
  for (const SurveyNodePtr& node : t.crawl.nodes()) {
    links += node->inbound.size() + node->outbound.size();
    truncated += node->problem == SurveyProblem::kTruncated ? 1 : 0;
  }
  CHECK(links == limits::kSurveyTotalLinksMax);
  CHECK(truncated > 0);
}

TEST_CASE("of those who name a node the first few are remembered", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 20));
  t.ask_all();
  for (std::uint64_t i = 1; i <= 20; ++i) REQUIRE(t.answer(i, whole({link_to(0)}, {link_to(500)})));
  CHECK(t.node(500).named_by.size() == limits::kSurveyNamersMax);
  CHECK(t.status().links_found == 40);
}

// --- networks -----------------------------------------------------------------------------------------------------

struct Network {
  std::map<std::uint64_t, wire::SurveyTopology> nodes;  // in full, however many links

  Network(std::uint64_t count, std::uint64_t degree, Random& random) {
    for (std::uint64_t i = 0; i < count; ++i) nodes[i];
    for (std::uint64_t i = 1; i < count; ++i) connect(i, random.below(i));
    for (std::uint64_t i = 0; i < count * degree; ++i) connect(random.below(count), random.below(count));
    for (auto& [number, node] : nodes) {
      node.node.total_inbound = static_cast<std::uint32_t>(node.inbound.size());
      node.node.total_outbound = static_cast<std::uint32_t>(node.outbound.size());
    }
  }
  std::set<std::pair<std::uint64_t, std::uint64_t>> links;
  void connect(std::uint64_t from, std::uint64_t to) {
    if (from == to || !links.emplace(std::min(from, to), std::max(from, to)).second) return;
    nodes[from].outbound.push_back(link_to(to));
    nodes[to].inbound.push_back(link_to(from));
  }
  static std::vector<SurveyedLink> slice(const std::vector<SurveyedLink>& links, std::size_t index) {
    const std::size_t first = std::min(index, links.size());
    const std::size_t last = std::min(first + 25, links.size());
    return {links.begin() + static_cast<std::ptrdiff_t>(first), links.begin() + static_cast<std::ptrdiff_t>(last)};
  }
  wire::SurveyTopology tell(std::uint64_t number, const Crawl::Ask& ask) const {
    const wire::SurveyTopology& all = nodes.at(number);
    return {slice(all.inbound, ask.inbound_index), slice(all.outbound, ask.outbound_index), all.node};
  }
};

std::uint64_t number_of(const NodeId& node) {
  std::uint64_t number = 0;
  for (std::size_t i = 24; i < 32; ++i) number = number << 8 | node.bytes[i];
  return number;
}

TEST_CASE("a crawl finds every node and every link, whatever is lost on the way", "[crawl]") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const Network network(120, 1 + seed * 2, random);
    Crawling t;
    const wire::SurveyTopology& self = network.nodes.at(0);
    t.crawl.set_self(self.node, self.inbound, self.outbound);
    t.crawl.set_following(true);
    std::map<std::pair<NodeId, std::uint32_t>, int> asked;
    for (int step = 0; step < 3000 && !t.crawl.is_idle(); ++step) {
      for (int i = 0; i < 10; ++i) {
        const auto ask = t.next();
        if (!ask) break;
        REQUIRE(++asked[{ask->node, t.ledger}] == 1);
        const std::uint64_t number = number_of(ask->node);
        // Every first request is lost, and no second one.
        if (t.node(number).requests == 1 && random.below(2) == 0) continue;
        REQUIRE(t.answer(number, network.tell(number, *ask)));
      }
      t.pass_ledgers(1);
    }
    REQUIRE(t.crawl.is_idle());
    CHECK(t.status().nodes_found == 120);
    CHECK(t.status().nodes_complete == 120);
    CHECK(t.status().links_found == network.links.size());
    for (const auto& [number, node] : network.nodes) {
      CHECK(t.node(number).inbound.size() == node.inbound.size());
      CHECK(t.node(number).outbound.size() == node.outbound.size());
    }
  }
}

}  // namespace
}  // namespace overlayd::survey
