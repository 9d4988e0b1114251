// What the tests of Crawl share.
#pragma once
#include <catch2/catch.hpp>

#include "core/survey/crawl.h"
#include "tests/unit/survey_samples.h"

namespace overlayd::survey {

using test::link_to;
using test::links_to;
using test::nth_node;

inline const NodeId kSelf = nth_node(0);

// One page of a node with so many links in all.
inline wire::SurveyTopology page(const std::vector<SurveyedLink>& inbound, const std::vector<SurveyedLink>& outbound,
                                 std::size_t total_inbound, std::size_t total_outbound) {
  wire::SurveyTopology made{inbound, outbound, {}};
  made.node.total_inbound = static_cast<std::uint32_t>(total_inbound);
  made.node.total_outbound = static_cast<std::uint32_t>(total_outbound);
  return made;
}
// All there is of a node with few links.
inline wire::SurveyTopology whole(const std::vector<SurveyedLink>& inbound,
                                  const std::vector<SurveyedLink>& outbound = {}) {
  return page(inbound, outbound, inbound.size(), outbound.size());
}

struct Crawling {
  Crawl crawl{kSelf};
  std::uint32_t ledger = 100;
  Instant now{seconds(1000)};

  // We have these outbound links, and ask whoever is named.
  void start(const std::vector<SurveyedLink>& links) {
    const auto topology = whole({}, links);
    crawl.set_self(topology.node, {}, links);
    crawl.set_following(true);
    crawl.check_invariants();
  }
  std::map<NodeId, std::uint32_t> asked_in{};  // the ledger of the last request

  std::optional<Crawl::Ask> next() {
    const auto ask = crawl.next(ledger, now);
    if (ask) asked_in[ask->node] = ledger;
    crawl.check_invariants();
    return ask;
  }
  // Whom all are asked now, in order.
  std::vector<NodeId> ask_all() {
    std::vector<NodeId> asked;
    while (const auto ask = next()) asked.push_back(ask->node);
    return asked;
  }
  // To the last request.
  bool answer(std::uint64_t number, const std::optional<wire::SurveyTopology>& topology) {
    return answer_to(asked_in[nth_node(number)], number, topology) == Crawl::Answered::kGood;
  }
  Crawl::Answered answer_to(std::uint32_t of_ledger, std::uint64_t number,
                            const std::optional<wire::SurveyTopology>& topology) {
    const auto answered = crawl.on_answer(nth_node(number), of_ledger, topology);
    crawl.check_invariants();
    return answered;
  }
  // To a request of now.
  bool answer_now(const NodeId& node, const std::optional<wire::SurveyTopology>& topology) {
    return crawl.on_answer(node, ledger, topology) == Crawl::Answered::kGood;
  }
  void pass_ledgers(std::uint32_t count) {
    ledger += count;
    now = now + seconds(5) * count;
    crawl.advance(ledger, now);
    crawl.check_invariants();
  }
  SurveyNode node(std::uint64_t number) const {
    const SurveyNodePtr found = crawl.find(nth_node(number));
    REQUIRE(found != nullptr);
    return *found;
  }
  SurveyStatus status() const {
    SurveyStatus status;
    crawl.count(status);
    return status;
  }
  // Nothing answers any more.
  void fall_silent() {
    for (int i = 0; i < 100 && !crawl.is_idle(); ++i) {
      ask_all();
      pass_ledgers(7);
    }
    REQUIRE(crawl.is_idle());
  }
};

}  // namespace overlayd::survey
