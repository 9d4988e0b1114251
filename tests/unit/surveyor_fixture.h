// What the tests of Surveyor share.
#pragma once
#include <catch2/catch.hpp>
#include <memory>

#include "core/crypto/sealed_box.h"
#include "core/survey/surveyor.h"
#include "tests/unit/crawl_fixture.h"
#include "tests/unit/survey_entropy.h"

namespace overlayd::survey {

using std::chrono::hours;
using std::chrono::minutes;

inline const std::vector<NodeId> kPeers{nth_node(1)};

struct Surveying {
  test::CountingEntropy entropy;
  std::unique_ptr<Surveyor> surveyor = std::make_unique<Surveyor>(kSelf);
  Now now{Instant(seconds(1000)), {1'800'000'000}};
  std::uint32_t ledger = 100;
  SurveyPhase phase = SurveyPhase::kInactive;
  UnixTime phase_began;
  Instant phase_ends;
  std::vector<NodeId> peers = kPeers;
  std::map<NodeId, std::uint32_t> asked_in{};  // the ledger of the last request

  void begin() {
    surveyor->begin(7);
    enter(SurveyPhase::kCollecting);
  }
  void begin_run(Duration collect_for) {
    begin();
    surveyor->begin_run(collect_for, phase, phase_began, now);
  }
  void begin_asking(const std::vector<SurveyedLink>& links = links_to(1, 3)) {
    enter(SurveyPhase::kReporting);
    phase_ends = now.instant + hours(3);
    surveyor->set_self(whole({}, links).node, {}, links);
    surveyor->begin_asking(entropy, phase_ends, now);
  }
  // A run over 35 nodes, of which the first ten are asked.
  void ask_ten() {
    begin_run(seconds(10));
    begin_asking(links_to(1, 35));
    REQUIRE(ask_all().size() == 10);
  }
  void enter(SurveyPhase next) {
    phase = next;
    phase_began = now.unix_time;
  }
  void pass(Duration time) {
    now.instant = now.instant + time;
    now.unix_time.seconds += static_cast<std::uint64_t>(std::chrono::duration_cast<seconds>(time).count());
  }
  void pass_ledger(Duration time = seconds(5)) {
    pass(time);
    ++ledger;
    advance();
  }
  void advance() {
    surveyor->advance(ledger, peers, now.instant);
    surveyor->check_invariants();
  }
  std::vector<NodeId> ask_all() {
    std::vector<NodeId> asked;
    while (const auto ask = surveyor->next(ledger, !peers.empty(), now.instant)) {
      asked.push_back(ask->node);
      asked_in[ask->node] = ledger;
    }
    return asked;
  }
  bool answer(std::uint64_t number, const wire::SurveyTopology& topology) {
    const auto sealed = crypto::seal(surveyor->public_key(), wire::write_survey_topology(topology), entropy);
    REQUIRE(sealed);
    return respond(number, *sealed) == Crawl::Answered::kGood;
  }
  // To the last request.
  Crawl::Answered respond(std::uint64_t number, ByteView sealed) {
    return surveyor->on_response(nth_node(number), asked_in[nth_node(number)], sealed);
  }
  SurveyStatus status() const {
    SurveyStatus status;
    surveyor->fill(status, now.instant);
    return status;
  }
  SurveyNodePtr node(std::uint64_t number) const {
    for (const SurveyNodePtr& node : surveyor->nodes())
      if (node->node == nth_node(number)) return node;
    return nullptr;
  }
  // What is stored, as a disk would keep it.
  SurveyOptions disk;
  void store() {
    Outputs out;
    surveyor->store(phase, phase_began, out);
    for (const Output& output : out) {
      if (const auto* state = std::get_if<StoreSurvey>(&output)) {
        if (state->is_new) disk.stored_nodes.clear();
        disk.stored = state->record;
      }
      if (const auto* node = std::get_if<StoreSurveyNode>(&output)) {
        std::erase_if(disk.stored_nodes, [&](const StoreSurveyNode& old) { return old.node == node->node; });
        disk.stored_nodes.push_back(*node);
      }
    }
  }
  // The next process.
  bool restart() {
    store();
    surveyor = std::make_unique<Surveyor>(kSelf);
    return surveyor->load(disk, now);
  }
};

}  // namespace overlayd::survey
