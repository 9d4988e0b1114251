#include "core/fetch/held_questions.h"

#include <catch2/catch.hpp>

namespace overlayd::fetch {
namespace {

ItemId item(std::uint64_t number, ItemKind kind = ItemKind::kTxSet) {
  ItemId id{kind, {}};
  for (int i = 0; i < 8; ++i) id.hash.bytes[8 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  return id;
}
Instant at(std::int64_t ms) { return Instant(milliseconds(ms)); }

std::vector<std::uint64_t> due(HeldQuestions& held, Instant now) {
  std::vector<HeldQuestions::Question> questions;
  held.advance(now, questions);
  std::vector<std::uint64_t> peers;
  for (const auto& question : questions) peers.push_back(question.peer.value);
  return peers;
}

TEST_CASE("who asked is given when the item comes, in the order of asking, and only once", "[held_questions]") {
  HeldQuestions held;
  CHECK(held.hold({PeerId{3}, item(1)}, at(0)));
  CHECK(held.hold({PeerId{1}, item(1)}, at(1)));
  CHECK(held.hold({PeerId{2}, item(2)}, at(2)));
  CHECK(held.hold({PeerId{4}, item(1, ItemKind::kQuorumSet)}, at(3)));
  CHECK(held.take(item(1)) == std::vector<PeerId>{{3}, {1}});
  CHECK(held.take(item(1)).empty());
  CHECK(due(held, at(600)) == std::vector<std::uint64_t>{2, 4});
}

TEST_CASE("what did not come within a third of the reply timeout is due, in the order of asking", "[held_questions]") {
  static_assert(limits::kHeldQuestionMax == milliseconds(500));
  HeldQuestions held;
  CHECK(held.next_deadline().is_never());
  held.hold({PeerId{2}, item(1)}, at(0));
  held.hold({PeerId{1}, item(1)}, at(100));
  CHECK(held.next_deadline() == at(500));
  CHECK(due(held, at(499)).empty());
  CHECK(due(held, at(500)) == std::vector<std::uint64_t>{2});
  CHECK(held.take(item(1)) == std::vector<PeerId>{{1}});
  CHECK(due(held, at(600)).empty());
  CHECK(held.next_deadline().is_never());
  CHECK(held.size() == 0);
}

TEST_CASE("a peer's further questions for an item are the same question, with its first deadline", "[held_questions]") {
  HeldQuestions held;
  for (int ms = 0; ms < 400; ms += 100) CHECK(held.hold({PeerId{1}, item(1)}, at(ms)));
  CHECK(held.size() == 1);
  CHECK(due(held, at(500)) == std::vector<std::uint64_t>{1});
  CHECK(due(held, at(2000)).empty());
}

TEST_CASE("a question asked again after its answer has its own time", "[held_questions]") {
  HeldQuestions held;
  held.hold({PeerId{1}, item(1)}, at(0));
  CHECK(held.take(item(1)).size() == 1);
  held.hold({PeerId{1}, item(1)}, at(400));
  CHECK(due(held, at(500)).empty());
  CHECK(due(held, at(899)).empty());
  CHECK(due(held, at(900)) == std::vector<std::uint64_t>{1});
}

TEST_CASE("past the limit a question is refused, until others' time has come", "[held_questions]") {
  HeldQuestions held;
  for (std::uint64_t i = 0; i < limits::kHeldQuestionsMax; ++i) {
    REQUIRE(held.hold({PeerId{1}, item(i)}, at(0)));
  }
  CHECK_FALSE(held.hold({PeerId{2}, item(1)}, at(1)));
  CHECK(held.hold({PeerId{1}, item(1)}, at(1)));  // held already
  CHECK(held.size() == limits::kHeldQuestionsMax);
  CHECK(due(held, at(500)).size() == limits::kHeldQuestionsMax);
  CHECK(held.hold({PeerId{2}, item(1)}, at(501)));
}

}  // namespace
}  // namespace overlayd::fetch
