// A survey of ours over the end of the process that began it.
#include <catch2/catch.hpp>

#include "tests/unit/surveyor_fixture.h"

namespace overlayd::survey {
namespace {

TEST_CASE("nothing stored is nothing to go on with", "[surveyor]") {
  Surveying t;
  CHECK_FALSE(t.surveyor->load({}, t.now));
  CHECK_FALSE(t.surveyor->has_result());
}

TEST_CASE("the result outlives the process", "[surveyor]") {
  Surveying t;
  t.begin_run(seconds(10));
  t.begin_asking(links_to(1, 2));
  t.surveyor->note_rival(nth_node(99));
  REQUIRE(t.ask_all().size() == 2);
  REQUIRE(t.answer(1, whole({link_to(0), link_to(2)})));
  REQUIRE(t.answer(2, whole({link_to(0)}, {link_to(1)})));
  t.advance();
  const SurveyStatus before = t.status();
  REQUIRE(before.run == SurveyRun::kDone);
  REQUIRE(t.restart());
  CHECK(t.status() == before);
  CHECK(t.surveyor->nodes().size() == 3);
  CHECK(t.node(1)->inbound == std::vector{link_to(0), link_to(2)});
  CHECK(t.node(1)->stats == whole({link_to(0), link_to(2)}).node);
  CHECK_FALSE(t.surveyor->is_asking());
  t.surveyor->check_invariants();
}

TEST_CASE("a run that collected goes on, and stops when it would have", "[surveyor]") {
  Surveying t;
  t.begin_run(minutes(5));
  t.store();
  t.pass(minutes(2));
  t.now.instant = Instant(seconds(3));  // another clock
  REQUIRE(t.restart());
  CHECK(t.status().run == SurveyRun::kCollecting);
  CHECK_FALSE(t.surveyor->is_stop_due(t.now.instant + (minutes(3) - seconds(1))));
  CHECK(t.surveyor->is_stop_due(t.now.instant + minutes(3) + seconds(1)));
}

TEST_CASE("a run that crawled goes on with what it does not know, under a new key", "[surveyor]") {
  Surveying t;
  t.begin_run(seconds(10));
  t.begin_asking(links_to(1, 3));
  const auto key = t.surveyor->public_key();
  REQUIRE(t.ask_all().size() == 3);
  REQUIRE(t.answer(1, whole({link_to(0)}, {link_to(4)})));
  REQUIRE(t.answer(2, page(links_to(100, 3), {}, 5, 0)));
  REQUIRE(t.restart());
  CHECK_FALSE(t.surveyor->is_asking());
  CHECK(t.surveyor->is_running());
  t.surveyor->resume_asking(t.entropy, t.now.instant + hours(2), t.now);
  CHECK(t.surveyor->public_key() != key);
  t.pass(seconds(15));
  ++t.ledger;
  bool has_second_page = false;
  std::vector<NodeId> asked;
  while (const auto ask = t.surveyor->next(t.ledger, true, t.now.instant)) {
    asked.push_back(ask->node);
    t.asked_in[ask->node] = t.ledger;
    has_second_page |= ask->node == nth_node(2) && ask->inbound_index == 3;
  }
  CHECK(asked.size() == 6);
  CHECK(std::ranges::count(asked, nth_node(1)) == 0);
  CHECK(std::ranges::count(asked, nth_node(3)) == 1);
  CHECK(std::ranges::count(asked, nth_node(4)) == 1);
  CHECK(has_second_page);
  CHECK(t.answer(2, page(links_to(103, 2), {}, 5, 0)));
  CHECK(t.node(2)->inbound == links_to(100, 5));
}

TEST_CASE("the ledger that a former process asked in is not used again", "[surveyor]") {
  Surveying t;
  t.ask_ten();
  REQUIRE(t.restart());
  t.surveyor->resume_asking(t.entropy, t.now.instant + hours(2), t.now);
  CHECK_FALSE(t.surveyor->next(0, false, t.now.instant));  // before UpdateLedger
  t.pass(seconds(15));
  CHECK(t.ask_all().empty());
  CHECK_FALSE(t.status().why.empty());
  ++t.ledger;
  CHECK(t.ask_all().size() == 10);
}

TEST_CASE("after a restart the fifteen seconds begin anew", "[surveyor]") {
  Surveying t;
  t.ask_ten();
  REQUIRE(t.restart());
  t.surveyor->resume_asking(t.entropy, t.now.instant + hours(2), t.now);
  t.pass(milliseconds(14'999));
  ++t.ledger;
  CHECK(t.ask_all().empty());
  t.pass(milliseconds(1));
  CHECK(t.ask_all().size() == 10);
}

TEST_CASE("counts go on where the former process left them", "[surveyor]") {
  Surveying t;
  t.begin_run(seconds(10));
  t.begin_asking(links_to(1, 3));
  REQUIRE(t.ask_all().size() == 3);
  REQUIRE(t.answer(1, whole({link_to(0)})));
  REQUIRE(t.respond(2, Bytes(100, 1)) == Crawl::Answered::kBad);
  REQUIRE(t.restart());
  CHECK(t.status().requests_sent == 3);
  CHECK(t.status().responses == 1);
  CHECK(t.status().bad_responses == 1);
  CHECK(t.status().nodes_found == 4);
  CHECK(t.status().nodes_complete == 2);
  CHECK(t.status().links_found == 3);
}

TEST_CASE("records that a disk has broken are left out", "[surveyor]") {
  Surveying t;
  t.begin_run(seconds(10));
  t.begin_asking(links_to(1, 3));
  t.store();
  REQUIRE(t.disk.stored_nodes.size() == 4);
  SECTION("a node's") {
    t.disk.stored_nodes[1].record = Bytes(100, 0xff);
    t.disk.stored_nodes[2].record.clear();
    t.surveyor = std::make_unique<Surveyor>(kSelf);
    REQUIRE(t.surveyor->load(t.disk, t.now));
    t.surveyor->check_invariants();
    CHECK(t.surveyor->nodes().size() >= 2);
  }
  SECTION("the survey's") {
    t.disk.stored.pop_back();
    t.surveyor = std::make_unique<Surveyor>(kSelf);
    CHECK_FALSE(t.surveyor->load(t.disk, t.now));
    CHECK_FALSE(t.surveyor->has_result());
    CHECK(t.surveyor->nodes().empty());
  }
}

TEST_CASE("records of a disk that say too much are bounded", "[surveyor]") {
  Surveying t;
  t.begin();
  t.store();
  SurveyNode node;
  node.state = SurveyNodeState::kAsked;
  for (std::uint64_t i = 1; i <= limits::kSurveyNodesMax + 500; ++i) {
    node.node = nth_node(i);
    t.disk.stored_nodes.push_back({node.node, write_survey_node({node, 1})});
  }
  t.surveyor = std::make_unique<Surveyor>(kSelf);
  REQUIRE(t.surveyor->load(t.disk, t.now));
  t.surveyor->check_invariants();
  CHECK(t.surveyor->nodes().size() == limits::kSurveyNodesMax);
}

TEST_CASE("a stored node that tells of a link twice, or of itself, has each link once", "[surveyor]") {
  Surveying t;
  t.begin();
  t.store();
  SurveyNode node;
  node.node = nth_node(5);
  node.state = SurveyNodeState::kComplete;
  node.stats = whole(links_to(1, 3)).node;
  node.inbound = {link_to(3), link_to(1), link_to(3)};
  t.disk.stored_nodes.push_back({node.node, write_survey_node({node, 1})});
  t.disk.stored_nodes.push_back({node.node, write_survey_node({node, 1})});
  t.surveyor = std::make_unique<Surveyor>(kSelf);
  REQUIRE(t.surveyor->load(t.disk, t.now));
  t.surveyor->check_invariants();
  CHECK(t.node(5)->inbound == std::vector{link_to(1), link_to(3)});
  CHECK(t.status().links_found == 2);
}

}  // namespace
}  // namespace overlayd::survey
