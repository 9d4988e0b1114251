#include "core/survey/survey_record.h"

#include <catch2/catch.hpp>

#include "core/limits.h"
#include "tests/unit/survey_samples.h"

namespace overlayd::survey {
namespace {

SurveyRecord any_record(Random& random) {
  SurveyRecord record;
  record.nonce = test::any_u32(random);
  record.phase = static_cast<SurveyPhase>(random.below(3));
  record.phase_began = {test::any_u64(random)};
  record.run = static_cast<SurveyRun>(random.below(5));
  record.run_began = {test::any_u64(random)};
  record.stop_at = {test::any_u64(random)};
  record.was_asking = random.below(2) == 0;
  record.rival = test::any_node(random);
  record.why = random.below(2) == 0 ? "" : test::any_version(random);
  record.requests_sent = test::any_u64(random);
  record.responses = test::any_u64(random);
  record.bad_responses = test::any_u64(random);
  record.last_ledger = test::any_u32(random);
  return record;
}

SurveyNode any_survey_node(Random& random, std::size_t inbound, std::size_t outbound) {
  SurveyNode node;
  node.node = test::any_node(random);
  node.state = static_cast<SurveyNodeState>(random.below(5));
  node.problem = static_cast<SurveyProblem>(random.below(6));
  node.detail = test::any_version(random);
  node.version = test::any_version(random);
  node.requests = test::any_u32(random);
  node.bad_responses = test::any_u32(random);
  if (inbound + outbound > 0 || random.below(2) == 0) node.stats = test::any_surveyed_node(random);
  node.inbound = test::any_links(random, inbound);
  node.outbound = test::any_links(random, outbound);
  for (std::uint64_t namers = random.below(limits::kSurveyNamersMax + 1); namers > 0; --namers)
    node.named_by.push_back(test::any_node(random));
  return node;
}

void check_same(const SurveyRecord& a, const SurveyRecord& b) {
  CHECK(std::tie(a.nonce, a.phase, a.phase_began, a.run, a.run_began, a.stop_at, a.was_asking, a.rival) ==
        std::tie(b.nonce, b.phase, b.phase_began, b.run, b.run_began, b.stop_at, b.was_asking, b.rival));
  CHECK(std::tie(a.why, a.requests_sent, a.responses, a.bad_responses, a.last_ledger) ==
        std::tie(b.why, b.requests_sent, b.responses, b.bad_responses, b.last_ledger));
}
void check_same(const SurveyNode& a, const SurveyNode& b) {
  CHECK(std::tie(a.node, a.state, a.problem, a.detail, a.version, a.requests, a.bad_responses) ==
        std::tie(b.node, b.state, b.problem, b.detail, b.version, b.requests, b.bad_responses));
  CHECK(a.stats == b.stats);
  CHECK(a.inbound == b.inbound);
  CHECK(a.outbound == b.outbound);
  CHECK(a.named_by == b.named_by);
}

TEST_CASE("the state of a survey that was written is read", "[survey_record]") {
  Random random(1);
  check_same(read_survey_record(write_survey_record({})).value(), {});
  for (int i = 0; i < 200; ++i) {
    const SurveyRecord record = any_record(random);
    const auto read = read_survey_record(write_survey_record(record));
    REQUIRE(read);
    check_same(*read, record);
  }
}

TEST_CASE("a node that was written is read, with all the links a node can have", "[survey_record]") {
  Random random(2);
  for (const auto& [inbound, outbound] :
       {std::pair{0, 0}, std::pair{1, 0}, std::pair{0, 1}, std::pair{25, 25}, std::pair{26, 25}, std::pair{3, 51},
        std::pair{0, 1000}, std::pair{1000, 1000}}) {
    CAPTURE(inbound, outbound);
    const SurveyNode node =
        any_survey_node(random, static_cast<std::size_t>(inbound), static_cast<std::size_t>(outbound));
    const auto read = read_survey_node(write_survey_node({node, 4'000'000'000, 25, 50}));
    REQUIRE(read);
    check_same(read->node, node);
    CHECK(read->rank == 4'000'000'000);
    CHECK(read->next_inbound == 25);
    CHECK(read->next_outbound == 50);
  }
  for (int i = 0; i < 100; ++i) {
    const SurveyNode node = any_survey_node(random, random.below(60), random.below(60));
    const std::uint32_t rank = test::any_u32(random);
    const auto read = read_survey_node(write_survey_node({node, rank}));
    REQUIRE(read);
    check_same(read->node, node);
    CHECK(read->rank == rank);
  }
}

TEST_CASE("a text of any length can be stored", "[survey_record]") {
  SurveyRecord record;
  record.why.assign(100'000, 'w');
  const auto read = read_survey_record(write_survey_record(record));
  REQUIRE(read);
  CHECK(record.why.starts_with(read->why));
  CHECK(read->why.size() >= 200);
  SurveyNode node;
  node.detail.assign(100'000, 'd');
  const auto read_node = read_survey_node(write_survey_node({node}));
  REQUIRE(read_node);
  CHECK(node.detail.starts_with(read_node->node.detail));
}

TEST_CASE("of a record that is cut or goes on nothing is read", "[survey_record]") {
  Random random(3);
  const Bytes state = write_survey_record(any_record(random));
  const Bytes node = write_survey_node({any_survey_node(random, 2, 1), 5});
  for (std::size_t size = 0; size < state.size(); ++size) REQUIRE_FALSE(read_survey_record({state.data(), size}));
  for (std::size_t size = 0; size < node.size(); ++size) REQUIRE_FALSE(read_survey_node({node.data(), size}));
  for (const std::size_t more : {1U, 4U}) {
    Bytes longer = state;
    longer.resize(state.size() + more);
    CHECK_FALSE(read_survey_record(longer));
    longer = node;
    longer.resize(node.size() + more);
    CHECK_FALSE(read_survey_node(longer));
  }
}

TEST_CASE("another version is not read, nor one record as the other", "[survey_record]") {
  Random random(4);
  Bytes state = write_survey_record(any_record(random));
  Bytes node = write_survey_node({any_survey_node(random, 1, 1), 5});
  CHECK_FALSE(read_survey_record(node));
  CHECK_FALSE(read_survey_node(state));
  for (Bytes* bytes : {&state, &node})
    for (std::size_t i = 0; i < 4; ++i) (*bytes)[i] ^= 0x40;
  CHECK_FALSE(read_survey_record(state));
  CHECK_FALSE(read_survey_node(node));
}

TEST_CASE("noise is read as nothing, or as what it would be written as", "[survey_record]") {
  Random random(5);
  const Bytes state = write_survey_record(any_record(random));
  const Bytes node = write_survey_node({any_survey_node(random, 30, 2), 5});
  const auto broken = [&](Bytes bytes) {
    for (std::uint64_t flips = 1 + random.below(3); flips > 0; --flips)
      bytes[random.below(bytes.size())] ^= static_cast<std::uint8_t>(1U << random.below(8));
    return bytes;
  };
  for (int i = 0; i < 5000; ++i) {
    const Bytes state_bytes = broken(state);
    if (const auto read = read_survey_record(state_bytes)) REQUIRE(write_survey_record(*read) == state_bytes);
    const Bytes node_bytes = broken(node);
    if (const auto read = read_survey_node(node_bytes)) REQUIRE(write_survey_node(*read) == node_bytes);
    const Bytes noise = test::any_bytes(random, random.below(300));
    REQUIRE_FALSE(read_survey_record(noise));
    REQUIRE_FALSE(read_survey_node(noise));
  }
}

}  // namespace
}  // namespace overlayd::survey
