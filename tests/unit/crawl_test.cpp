#include "core/survey/crawl.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/crawl_fixture.h"

namespace overlayd::survey {
namespace {

std::vector<NodeId> nodes(std::initializer_list<std::uint64_t> numbers) {
  std::vector<NodeId> made;
  for (const std::uint64_t number : numbers) made.push_back(nth_node(number));
  return made;
}

TEST_CASE("nobody is asked before a survey", "[crawl]") {
  Crawling t;
  CHECK(t.crawl.is_idle());
  CHECK_FALSE(t.next());
  CHECK(t.crawl.next_deadline().is_never());
  CHECK(t.crawl.nodes().empty());
  CHECK(t.crawl.find(nth_node(1)) == nullptr);
}

TEST_CASE("we ourselves are in the result, and not asked", "[crawl]") {
  Crawling t;
  t.start({});
  CHECK(t.crawl.is_idle());
  CHECK(t.node(0).state == SurveyNodeState::kComplete);
  CHECK(t.status().nodes_found == 1);
  CHECK(t.status().nodes_complete == 1);
  CHECK_FALSE(t.next());
}

TEST_CASE("our peers are asked, then those they name, each once", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 2));
  CHECK(t.ask_all() == nodes({1, 2}));
  CHECK(t.node(1).state == SurveyNodeState::kAsked);
  CHECK_FALSE(t.crawl.is_idle());
  CHECK(t.answer(1, whole({link_to(0), link_to(2)}, {link_to(3)})));
  CHECK(t.ask_all() == nodes({3}));
  CHECK(t.answer(2, whole({link_to(0)}, {link_to(1), link_to(3)})));
  CHECK(t.ask_all().empty());
  CHECK(t.answer(3, whole({link_to(1), link_to(2)})));
  CHECK(t.crawl.is_idle());
  const SurveyStatus status = t.status();
  CHECK(status.nodes_found == 4);
  CHECK(status.nodes_complete == 4);
  CHECK(status.links_found == 5);
  CHECK(t.node(3).named_by == nodes({1, 2}));
  CHECK(t.node(3).version == "3v");
  CHECK(t.node(3).inbound == std::vector{link_to(1), link_to(2)});
  CHECK(t.node(3).requests == 1);
}

TEST_CASE("a link that one end tells of counts once, and when both do", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 2));
  CHECK(t.status().links_found == 2);
  t.ask_all();
  REQUIRE(t.answer(1, whole({link_to(0)})));
  CHECK(t.status().links_found == 2);
  REQUIRE(t.answer(2, whole({link_to(0), link_to(1)})));
  CHECK(t.status().links_found == 3);
}

TEST_CASE("without following nobody is asked that no client asked for", "[crawl]") {
  Crawling t;
  t.crawl.set_self({}, {}, links_to(1, 2));
  CHECK_FALSE(t.next());
  CHECK(t.node(1).state == SurveyNodeState::kFound);
  CHECK(t.crawl.is_idle());
  t.crawl.set_following(true);  // turned on, all that were named wait
  CHECK(t.node(1).state == SurveyNodeState::kWaiting);
  CHECK(t.ask_all() == nodes({1, 2}));
}

TEST_CASE("pages are asked for until all links are there", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 1));
  const auto first = t.next();
  REQUIRE(first);
  CHECK(first->inbound_index == 0);
  CHECK(first->outbound_index == 0);
  REQUIRE(t.answer(1, page(links_to(100, 25), links_to(300, 3), 60, 3)));
  CHECK(t.node(1).state == SurveyNodeState::kWaiting);
  ++t.ledger;
  const auto of_node = [&] {
    for (;;) {
      const auto ask = t.next();
      REQUIRE(ask);
      if (ask->node == nth_node(1)) return *ask;
    }
  };
  CHECK(of_node().inbound_index == 25);
  REQUIRE(t.answer(1, page(links_to(125, 25), {}, 60, 3)));
  ++t.ledger;
  CHECK(of_node().inbound_index == 50);
  REQUIRE(t.answer(1, page(links_to(150, 10), {}, 60, 3)));
  const SurveyNode node = t.node(1);
  CHECK(node.state == SurveyNodeState::kComplete);
  CHECK(node.inbound == links_to(100, 60));
  CHECK(node.outbound == links_to(300, 3));
  CHECK(node.requests == 3);
}

TEST_CASE("pages that come in the order of a node's own are merged in ours", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 1));
  REQUIRE(t.next());
  REQUIRE(t.answer(1, page({link_to(9), link_to(5)}, {}, 4, 0)));
  ++t.ledger;
  t.ask_all();
  REQUIRE(t.answer(1, page({link_to(7), link_to(3)}, {}, 4, 0)));
  CHECK(t.node(1).inbound == std::vector{link_to(3), link_to(5), link_to(7), link_to(9)});
}

TEST_CASE("a node is not asked twice in one ledger", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 1));
  REQUIRE(t.next());
  REQUIRE(t.answer(1, page(links_to(1000, 25), {}, 26, 0)));
  CHECK(std::ranges::count(t.ask_all(), nth_node(1)) == 0);
  ++t.ledger;
  CHECK(std::ranges::count(t.ask_all(), nth_node(1)) == 1);
  REQUIRE(t.answer(1, std::nullopt) == false);
  CHECK(std::ranges::count(t.ask_all(), nth_node(1)) == 0);
  ++t.ledger;
  CHECK(std::ranges::count(t.ask_all(), nth_node(1)) == 1);
}

TEST_CASE("a request dies when our ledger is more than six past its own", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 1));
  REQUIRE(t.next());
  t.pass_ledgers(6);
  CHECK(t.node(1).state == SurveyNodeState::kAsked);
  CHECK_FALSE(t.next());
  t.pass_ledgers(1);
  CHECK(t.node(1).state == SurveyNodeState::kWaiting);
  CHECK(t.ask_all() == nodes({1}));
  CHECK(t.node(1).requests == 2);
}

TEST_CASE("while the ledger stands still a request dies after two minutes", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 1));
  REQUIRE(t.next());
  CHECK(t.crawl.next_deadline() == t.now + seconds(120));
  t.crawl.advance(t.ledger, t.now + seconds(119));
  CHECK(t.node(1).state == SurveyNodeState::kAsked);
  t.now = t.now + seconds(120);
  t.crawl.advance(t.ledger, t.now);
  CHECK(t.node(1).state == SurveyNodeState::kWaiting);
  CHECK(t.crawl.next_deadline().is_never());
  CHECK_FALSE(t.next());  // the same ledger
}

TEST_CASE("a node that answers nothing has failed after three requests", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 1));
  for (int attempt = 1; attempt <= 3; ++attempt) {
    CHECK(t.ask_all() == nodes({1}));
    t.pass_ledgers(7);
  }
  CHECK(t.crawl.is_idle());
  const SurveyNode node = t.node(1);
  CHECK(node.state == SurveyNodeState::kFailed);
  CHECK(node.problem == SurveyProblem::kSilent);
  CHECK(node.requests == 3);
  CHECK_FALSE(node.detail.empty());
  CHECK(t.status().nodes_failed == 1);
  CHECK_FALSE(t.next());
  CHECK_FALSE(t.answer(1, whole({link_to(0)})));  // too late
  CHECK(t.node(1).state == SurveyNodeState::kFailed);
}

TEST_CASE("each page has three requests of its own", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 1));
  for (int attempt = 1; attempt <= 3; ++attempt) {
    REQUIRE(t.next());
    if (attempt < 3) t.pass_ledgers(7);
  }
  REQUIRE(t.answer(1, page({link_to(0)}, {}, 2, 0)));
  t.fall_silent();
  CHECK(t.node(1).requests == 6);
  CHECK(t.node(1).state == SurveyNodeState::kFailed);
  CHECK(t.node(1).problem == SurveyProblem::kTruncated);
  CHECK(t.node(1).inbound.size() == 1);
}

TEST_CASE("an answer to a request that is given up, but not dead elsewhere, is taken", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 1));
  REQUIRE(t.next());
  t.now = t.now + seconds(121);
  t.crawl.advance(t.ledger, t.now);
  REQUIRE(t.node(1).state == SurveyNodeState::kWaiting);
  CHECK(t.answer(1, whole({link_to(0)})));
  CHECK(t.node(1).state == SurveyNodeState::kComplete);
  CHECK(t.crawl.is_idle());
}

TEST_CASE("an answer that nobody asked for is none", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 2));
  CHECK_FALSE(t.answer(1, whole({link_to(0)})));
  CHECK_FALSE(t.answer(77, whole({link_to(0)})));
  CHECK(t.crawl.find(nth_node(77)) == nullptr);
  t.ask_all();
  REQUIRE(t.answer(1, whole({link_to(0)})));
  CHECK_FALSE(t.answer(1, whole({link_to(0)})));
  CHECK(t.node(1).inbound.size() == 1);
}

TEST_CASE("first attempts come before others, and those by rank", "[crawl]") {
  Crawling t;
  t.start({link_to(20), link_to(10)});  // in the order in which we tell of them
  CHECK(t.crawl.record(nth_node(0)).rank < t.crawl.record(nth_node(20)).rank);
  const auto first = t.next();
  REQUIRE(first);
  t.pass_ledgers(7);
  // The silent one waits again, behind the other.
  const auto order = t.ask_all();
  REQUIRE(order.size() == 2);
  CHECK(order[1] == first->node);
}

TEST_CASE("whoever invents peers makes the own branch long", "[crawl]") {
  Crawling t;
  t.start({link_to(1), link_to(2)});
  t.ask_all();
  // 1 names 25 inventions; 2 names one real node.
  REQUIRE(t.answer(1, page(links_to(1000, 25), {}, 1000, 0)));
  REQUIRE(t.answer(2, whole({link_to(0)}, {link_to(3)})));
  ++t.ledger;
  const auto order = t.ask_all();
  const auto place = std::ranges::find(order, nth_node(3)) - order.begin();
  CHECK(place <= 3);
  CHECK(order.size() == 27);
  CHECK(std::ranges::find(order, nth_node(1)) - order.begin() >= 24);  // its next page: as far as what that names
}

TEST_CASE("a node is as near as the nearest that names it", "[crawl]") {
  Crawling t;
  t.start({link_to(1), link_to(2)});
  REQUIRE(t.ask_all().size() == 2);
  REQUIRE(t.answer(1, whole({}, links_to(100, 25))));
  // The last that 1 named is the first of 2.
  REQUIRE(t.answer(2, whole({}, {link_to(124)})));
  ++t.ledger;
  const auto order = t.ask_all();
  CHECK(std::ranges::find(order, nth_node(124)) - order.begin() <= 3);
}

TEST_CASE("what clients asked for comes first, in their order", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 3));
  CHECK(t.crawl.request({nth_node(50), 25, 50}) == Crawl::Queued::kQueued);
  CHECK(t.crawl.request({nth_node(3), 0, 0}) == Crawl::Queued::kQueued);
  CHECK(t.crawl.request({nth_node(40), 0, 0}) == Crawl::Queued::kQueued);
  const auto first = t.next();
  REQUIRE(first);
  CHECK(first->node == nth_node(50));
  CHECK(first->inbound_index == 25);
  CHECK(first->outbound_index == 50);
  CHECK(t.ask_all() == nodes({3, 40, 1, 2}));
}

TEST_CASE("a client's request for a node that waits or is asked for a client is a duplicate", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 1));
  CHECK(t.crawl.request({nth_node(1), 0, 0}) == Crawl::Queued::kQueued);
  CHECK(t.crawl.request({nth_node(1), 25, 0}) == Crawl::Queued::kDuplicate);
  REQUIRE(t.next());
  CHECK(t.crawl.request({nth_node(1), 25, 0}) == Crawl::Queued::kDuplicate);
  REQUIRE(t.answer(1, page(links_to(100, 25), {}, 30, 0)));
  CHECK(t.crawl.request({nth_node(1), 25, 0}) == Crawl::Queued::kQueued);
}

TEST_CASE("requests of clients wait in a queue that has an end", "[crawl]") {
  Crawling t;
  for (std::uint64_t i = 1; i <= limits::kSurveyQueueMax; ++i)
    REQUIRE(t.crawl.request({nth_node(i), 0, 0}) == Crawl::Queued::kQueued);
  CHECK(t.crawl.request({nth_node(5000), 0, 0}) == Crawl::Queued::kFull);
  REQUIRE(t.next());
  CHECK(t.crawl.request({nth_node(5000), 0, 0}) == Crawl::Queued::kFull);  // it may have to wait again
  REQUIRE(t.answer(1, whole({})));
  CHECK(t.crawl.request({nth_node(5000), 0, 0}) == Crawl::Queued::kQueued);
}

TEST_CASE("a client's request that got no answer comes first again, and a second one is a duplicate", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 3));
  REQUIRE(t.crawl.request({nth_node(50), 25, 0}) == Crawl::Queued::kQueued);
  REQUIRE(t.next()->node == nth_node(50));
  t.pass_ledgers(7);
  CHECK(t.crawl.request({nth_node(50), 0, 0}) == Crawl::Queued::kDuplicate);
  const auto again = t.next();
  REQUIRE(again);
  CHECK(again->node == nth_node(50));
  CHECK(again->inbound_index == 25);
  t.fall_silent();
  CHECK(t.node(50).problem == SurveyProblem::kSilent);
}

TEST_CASE("a late answer to a client's request is taken", "[crawl]") {
  Crawling t;
  REQUIRE(t.crawl.request({nth_node(50), 0, 0}) == Crawl::Queued::kQueued);
  REQUIRE(t.next());
  t.now = t.now + seconds(121);
  t.crawl.advance(t.ledger, t.now);
  REQUIRE(t.node(50).state == SurveyNodeState::kWaiting);
  CHECK(t.answer(50, whole({link_to(0)})));
  CHECK(t.crawl.is_idle());
}

TEST_CASE("an answer to a request before the last one is ignored", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 1));
  REQUIRE(t.next());
  t.pass_ledgers(7);
  REQUIRE(t.next());
  CHECK(t.answer_to(t.ledger - 7, 1, std::nullopt) == Crawl::Answered::kIgnored);
  CHECK(t.answer_to(t.ledger - 7, 1, whole({link_to(0)})) == Crawl::Answered::kIgnored);
  CHECK(t.node(1).bad_responses == 0);
  CHECK(t.answer_to(t.ledger, 1, whole({link_to(0)})) == Crawl::Answered::kGood);
}

TEST_CASE("a node that lost a message is asked again before the last of what others invent", "[crawl]") {
  Crawling t;
  t.start({link_to(1), link_to(2)});
  REQUIRE(t.ask_all().size() == 2);
  REQUIRE(t.answer(1, page(links_to(10'000, 25), {}, 1000, 0)));
  std::uint64_t invented = 10'025;
  std::uint64_t asked_before = 0;
  for (auto ask = std::optional<Crawl::Ask>(); !ask || ask->node != nth_node(2); ask = t.next()) {
    REQUIRE(asked_before < 1000);
    if (ask) ++asked_before;
    if (ask && ask->node == nth_node(1)) {
      REQUIRE(t.answer(1, page(links_to(invented, 25), {}, 1000, 0)));
      invented += 25;
    }
    t.pass_ledgers(ask ? 1 : 7);  // 2 is silent
  }
  CHECK(asked_before >= Crawl::kRetryPlaces * 9 / 10);
  CHECK(asked_before <= Crawl::kRetryPlaces * 12 / 10);
}

TEST_CASE("pages that a client asks for in any order are merged", "[crawl]") {
  Crawling t;
  const auto ask = [&](std::uint32_t index) {
    ++t.ledger;
    REQUIRE(t.crawl.request({nth_node(1), index, 0}) == Crawl::Queued::kQueued);
    REQUIRE(t.next());
  };
  ask(50);
  CHECK(t.answer(1, page(links_to(150, 10), {}, 60, 0)));
  ask(0);
  CHECK(t.answer(1, page(links_to(100, 25), {}, 60, 0)));
  ask(10);  // half of it is there
  CHECK(t.answer(1, page(links_to(110, 25), {}, 60, 0)));
  CHECK(t.node(1).inbound.size() == 45);
  CHECK(t.node(1).state != SurveyNodeState::kComplete);
  ask(35);
  CHECK(t.answer(1, page(links_to(135, 25), {}, 60, 0)));
  CHECK(t.node(1).inbound == links_to(100, 60));
  CHECK(t.node(1).state == SurveyNodeState::kComplete);
  CHECK(t.node(1).problem == SurveyProblem::kNone);
}

TEST_CASE("a crawl goes on where a client's page leaves links out", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 1));
  REQUIRE(t.crawl.request({nth_node(1), 25, 0}) == Crawl::Queued::kQueued);
  REQUIRE(t.next());
  REQUIRE(t.answer(1, page(links_to(125, 25), {}, 60, 0)));
  std::vector<std::uint32_t> indices;
  for (int i = 0; i < 10 && t.node(1).state != SurveyNodeState::kComplete; ++i) {
    ++t.ledger;
    while (const auto ask = t.next()) {
      if (ask->node != nth_node(1)) continue;
      indices.push_back(ask->inbound_index);
      const std::uint64_t count = std::min<std::uint64_t>(25, 60 - ask->inbound_index);
      REQUIRE(t.answer(1, page(links_to(100 + ask->inbound_index, count), {}, 60, 0)));
      break;
    }
  }
  CHECK(t.node(1).inbound == links_to(100, 60));
  CHECK(t.node(1).state == SurveyNodeState::kComplete);
}

TEST_CASE("an end leaves what came, and says why the rest did not", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 4));
  for (int i = 0; i < 3; ++i) REQUIRE(t.next());
  REQUIRE(t.answer(1, whole({link_to(0)})));
  REQUIRE(t.answer(2, page({link_to(0)}, {}, 2, 0)));
  t.crawl.end("somebody ended it");
  t.crawl.check_invariants();
  CHECK(t.crawl.is_idle());
  CHECK(t.node(1).state == SurveyNodeState::kComplete);
  CHECK(t.node(2).state == SurveyNodeState::kFailed);
  CHECK(t.node(2).inbound.size() == 1);
  CHECK(t.node(3).problem == SurveyProblem::kSilent);
  CHECK(t.node(4).problem == SurveyProblem::kNotAsked);
  CHECK(t.node(4).detail.find("somebody ended it") != std::string::npos);
  CHECK_FALSE(t.next());
  CHECK_FALSE(t.answer(3, whole({link_to(0)})));
  CHECK(t.crawl.next_deadline().is_never());
}

TEST_CASE("silent peers are judged unpermitting only if nobody answered", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 3));
  const bool has_answer = GENERATE(false, true);
  t.ask_all();
  if (has_answer) REQUIRE(t.answer(3, whole({link_to(0)})));
  t.fall_silent();
  t.crawl.judge_silent(nodes({1, 99}));
  CHECK(t.node(1).problem == (has_answer ? SurveyProblem::kSilent : SurveyProblem::kUnpermitted));
  CHECK(t.node(2).problem == SurveyProblem::kSilent);
  CHECK(t.crawl.find(nth_node(99)) == nullptr);
}

TEST_CASE("changed nodes are told once, also those that were named", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 2));
  CHECK(t.crawl.take_changed() == nodes({0, 1, 2}));
  CHECK(t.crawl.take_changed().empty());
  REQUIRE(t.next());
  CHECK(t.crawl.take_changed() == nodes({1}));
  REQUIRE(t.answer(1, whole({link_to(0)}, {link_to(7)})));
  const auto changed = t.crawl.take_changed();
  CHECK(std::ranges::count(changed, nth_node(1)) == 1);
  CHECK(std::ranges::count(changed, nth_node(7)) == 1);
  CHECK(std::ranges::count(changed, nth_node(2)) == 0);
}

TEST_CASE("a node that was handed out does not change", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 1));
  const SurveyNodePtr before = t.crawl.find(nth_node(1));
  const std::vector<SurveyNodePtr> all = t.crawl.nodes();
  REQUIRE(t.next());
  CHECK(before->state == SurveyNodeState::kWaiting);
  CHECK(all.at(1) == before);
  CHECK(t.node(1).state == SurveyNodeState::kAsked);
}

TEST_CASE("a new survey knows nothing of the one before", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 2));
  t.ask_all();
  REQUIRE(t.answer(1, page(links_to(100, 25), {}, 60, 0)));
  t.crawl.clear();
  t.crawl.check_invariants();
  CHECK(t.crawl.nodes().empty());
  CHECK(t.crawl.is_idle());
  CHECK(t.crawl.take_changed().empty());
  CHECK(t.crawl.next_deadline().is_never());
  SurveyStatus zero;
  CHECK(t.status() == zero);
  t.start(links_to(1, 1));
  CHECK(t.status().nodes_found == 2);
  CHECK(t.ask_all() == nodes({1}));
}

TEST_CASE("what is left to ask is counted", "[crawl]") {
  Crawling t;
  CHECK(t.crawl.requests_left() == 0);
  t.start(links_to(1, 3));
  CHECK(t.crawl.requests_left() == 3);
  t.ask_all();
  CHECK(t.crawl.requests_left() == 0);
  t.pass_ledgers(7);
  CHECK(t.crawl.requests_left() == 6);  // of each silent one two more
}

TEST_CASE("pages that are known to come are left to ask", "[crawl]") {
  Crawling t;
  t.start(links_to(1, 1));
  REQUIRE(t.next());
  REQUIRE(t.answer(1, page(links_to(100, 25), {}, 76, 40)));
  CHECK(t.crawl.requests_left() == 3 + 25);  // 51 inbound links are three pages; and those it named
  ++t.ledger;
  CHECK(t.ask_all().size() == 26);
  CHECK(t.crawl.requests_left() == 2);
}

}  // namespace
}  // namespace overlayd::survey
