// A crawl that goes on with what a former process stored.
#include "tests/unit/crawl_fixture.h"

namespace overlayd::survey {
namespace {

// All there is of `crawl`, as it would be read from a disk.
std::vector<SurveyNodeRecord> stored(const Crawl& crawl) {
  std::vector<SurveyNodeRecord> records;
  for (const SurveyNodePtr& node : crawl.nodes()) records.push_back(crawl.record(node->node));
  return records;
}

TEST_CASE("what waited or was asked waits again, with its page, but not in the ledger it was asked in", "[crawl]") {
  Crawling before;
  before.start(links_to(1, 3));
  REQUIRE(before.ask_all().size() == 3);
  REQUIRE(before.answer(1, page(links_to(100, 25), {}, 30, 0)));
  Crawling t;
  t.crawl.load(stored(before.crawl), before.ledger);
  t.crawl.check_invariants();
  CHECK(t.crawl.take_changed().empty());
  for (const std::uint64_t number : {1U, 2U, 3U}) CHECK(t.node(number).state == SurveyNodeState::kWaiting);
  CHECK(t.node(100).state == SurveyNodeState::kWaiting);
  CHECK(t.ask_all().size() == 25);  // those that 1 named
  ++t.ledger;
  std::map<NodeId, std::uint32_t> pages;
  while (const auto ask = t.next()) pages[ask->node] = ask->inbound_index;
  CHECK(pages == std::map<NodeId, std::uint32_t>{{nth_node(1), 25}, {nth_node(2), 0}, {nth_node(3), 0}});
}

TEST_CASE("pages go on behind the last one that was stored", "[crawl]") {
  Crawling before;
  before.start(links_to(1, 1));
  REQUIRE(before.next());
  REQUIRE(before.answer(1, page(links_to(100, 25), {}, 80, 0)));
  Crawling t;
  t.crawl.load(stored(before.crawl), before.ledger);
  const auto next_page = [&t] {
    ++t.ledger;
    while (const auto ask = t.next())
      if (ask->node == nth_node(1)) return ask->inbound_index;
    return UINT32_MAX;
  };
  REQUIRE(next_page() == 25);
  REQUIRE(t.answer(1, page(links_to(125, 25), {}, 80, 0)));
  CHECK(next_page() == 50);
}

TEST_CASE("pages that a client had of a former process are no contradiction", "[crawl]") {
  Crawling before;
  REQUIRE(before.crawl.request({nth_node(1), 25, 0}) == Crawl::Queued::kQueued);
  REQUIRE(before.next());
  REQUIRE(before.answer(1, page(links_to(125, 5), {}, 30, 0)));
  REQUIRE(before.crawl.request({nth_node(1), 0, 0}) == Crawl::Queued::kQueued);
  Crawling t;
  t.crawl.load(stored(before.crawl), before.ledger);
  ++t.ledger;
  REQUIRE(t.next());
  CHECK(t.answer(1, page(links_to(106, 25), {}, 30, 0)));  // the last five are there already
  CHECK(t.node(1).problem != SurveyProblem::kBad);
}

TEST_CASE("nodes that are named, but were lost, are known again", "[crawl]") {
  Crawling before;
  before.start(links_to(1, 1));
  REQUIRE(before.next());
  REQUIRE(before.answer(1, whole({link_to(50)}, {link_to(60)})));
  auto records = stored(before.crawl);
  std::erase_if(records, [](const SurveyNodeRecord& record) {
    return record.node.node == nth_node(50) || record.node.node == nth_node(60);
  });
  Crawling t;
  t.crawl.load(records, before.ledger);
  CHECK(t.node(50).named_by == std::vector{nth_node(1)});
  CHECK(t.node(60).named_by == std::vector{nth_node(1)});
}

TEST_CASE("what a former process asked for has a reason when it is asked no more", "[crawl]") {
  Crawling before;
  before.start(links_to(1, 4));
  for (int i = 0; i < 3; ++i) REQUIRE(before.next());
  REQUIRE(before.answer(1, page({link_to(0)}, {}, 2, 0)));
  REQUIRE_FALSE(before.answer(2, std::nullopt));
  Crawling t;
  t.crawl.load(stored(before.crawl), before.ledger);
  t.crawl.end("it is over");
  t.crawl.check_invariants();
  CHECK(t.node(1).problem == SurveyProblem::kTruncated);
  CHECK(t.node(2).problem == SurveyProblem::kBad);
  CHECK(t.node(3).problem == SurveyProblem::kSilent);
  CHECK(t.node(4).problem == SurveyProblem::kNotAsked);
  for (const std::uint64_t number : {1U, 2U, 3U, 4U}) CHECK_THAT(t.node(number).detail, Catch::Contains("it is over"));
}

TEST_CASE("of a full result every node is there again", "[crawl]") {
  Crawling before;
  // More names than there is room for, most of them before those of the nodes in the order of ids.
  std::vector<SurveyedLink> ours = links_to(1'000'000, 30);
  before.start(ours);
  std::uint64_t invented = 1;
  for (int ledger = 0; ledger < 100 && before.status().nodes_refused < 1000; ++ledger) {
    before.pass_ledgers(1);
    while (const auto ask = before.next()) {
      if (ask->node < nth_node(1'000'000)) continue;
      REQUIRE(before.answer_now(ask->node, page(links_to(invented, 25), {}, 1000, 0)));
      invented += 25;
    }
  }
  REQUIRE(before.status().nodes_found == limits::kSurveyNodesMax);
  REQUIRE(before.status().nodes_refused >= 1000);
  Crawling t;
  t.crawl.load(stored(before.crawl), before.ledger);
  t.crawl.check_invariants();
  CHECK(t.status().links_found == before.status().links_found);
  for (const SurveyNodePtr& node : before.crawl.nodes()) {
    const SurveyNodePtr found = t.crawl.find(node->node);
    REQUIRE(found != nullptr);
    REQUIRE(found->stats == node->stats);
    REQUIRE(found->inbound == node->inbound);
  }
}

TEST_CASE("records of a disk that somebody edited keep the crawl's order", "[crawl]") {
  Crawling t;
  const auto waiting = [](std::uint64_t number) {
    SurveyNodeRecord record;
    record.node.node = nth_node(number);
    record.node.state = SurveyNodeState::kWaiting;
    return record;
  };
  auto twice = waiting(5);
  twice.rank = 77;
  twice.node.state = SurveyNodeState::kComplete;
  t.crawl.load({waiting(0), waiting(5), twice}, 0);
  t.crawl.check_invariants();
  CHECK(t.node(0).state == SurveyNodeState::kFound);  // we do not ask ourselves
  CHECK(t.ask_all() == std::vector{nth_node(5)});
}

TEST_CASE("that ourselves are lost is told", "[crawl]") {
  Crawling t;
  t.crawl.set_self_lost("killed");
  t.crawl.forgive_failed();
  t.crawl.add_seeds({nth_node(1)});
  t.crawl.set_following(true);
  CHECK(t.node(0).state == SurveyNodeState::kFailed);
  CHECK(t.node(0).detail == "killed");
  CHECK(t.ask_all() == std::vector{nth_node(1)});
  REQUIRE(t.answer(1, whole({link_to(0)})));
  CHECK(t.crawl.is_idle());
}

}  // namespace
}  // namespace overlayd::survey
