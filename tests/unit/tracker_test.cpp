#include "core/fetch/tracker.h"

#include <catch2/catch.hpp>
#include <set>

namespace overlayd::fetch {
namespace {

constexpr Duration kReply = limits::kFetchReplyTimeout;

Instant at(std::int64_t ms) { return Instant(milliseconds(ms)); }

struct Search {
  std::vector<Candidate> candidates;
  Random random{7};
  Tracker tracker{at(0)};

  // The number of who is asked; 0: the round is over.
  std::uint64_t next(Instant now) {
    const auto peer = tracker.next(candidates, random, now);
    return peer ? peer->value : 0;
  }
};

TEST_CASE("a search is due at once and has asked nobody", "[tracker]") {
  const Tracker tracker(at(70));
  CHECK(tracker.due() == at(70));
  CHECK(tracker.started() == at(70));
  CHECK_FALSE(tracker.awaited());
  CHECK(tracker.asked_count() == 0);
  CHECK(tracker.rounds() == 0);
}

TEST_CASE("senders are asked first, each kind from the nearest band outwards", "[tracker]") {
  Search t{{{PeerId{1}, 0, false}, {PeerId{2}, 3, true}, {PeerId{3}, 1, false}, {PeerId{4}, 1, true}}};
  std::vector<std::uint64_t> asked;
  for (int i = 0; i < 4; ++i) asked.push_back(t.next(at(1500 * i)));
  CHECK(asked == std::vector<std::uint64_t>{4, 2, 1, 3});
  CHECK(t.tracker.asked_count() == 4);
}

TEST_CASE("among equals the choice is random, and repeats with its seed", "[tracker]") {
  std::set<std::uint64_t> first;
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    Search t{{{PeerId{1}, 1, true}, {PeerId{2}, 1, true}, {PeerId{3}, 1, true}, {PeerId{4}, 2, true}}, Random(seed)};
    Search again{t.candidates, Random(seed)};
    const std::uint64_t chosen = t.next(at(0));
    CHECK(again.next(at(0)) == chosen);
    first.insert(chosen);
  }
  CHECK(first == std::set<std::uint64_t>{1, 2, 3});
}

TEST_CASE("one peer is asked at a time, and has the reply timeout to answer", "[tracker]") {
  Search t{{{PeerId{1}}, {PeerId{2}}}};
  const std::uint64_t first = t.next(at(100));
  CHECK(t.tracker.awaited());
  CHECK(t.tracker.due() == at(100) + kReply);
  CHECK(t.next(t.tracker.due()) == 3 - first);
}

TEST_CASE("DONT_HAVE of the peer asked makes the next due, of any other nothing", "[tracker]") {
  Search t{{{PeerId{1}}, {PeerId{2}}}};
  const std::uint64_t first = t.next(at(0));
  CHECK_FALSE(t.tracker.on_dont_have(PeerId{3 - first}, at(10)));
  CHECK(t.tracker.due() == at(0) + kReply);
  CHECK(t.tracker.on_dont_have(PeerId{first}, at(20)));
  CHECK(t.tracker.due() == at(20));
  CHECK_FALSE(t.tracker.awaited());
  CHECK_FALSE(t.tracker.on_dont_have(PeerId{first}, at(30)));  // said once already
  CHECK(t.tracker.due() == at(20));
}

TEST_CASE("a peer asked before it became a sender is asked again, and then not in this round", "[tracker]") {
  Search t{{{PeerId{1}, 0, false}, {PeerId{2}, 1, false}}};
  CHECK(t.next(at(0)) == 1);
  t.candidates[0].is_sender = true;
  CHECK(t.next(at(1500)) == 1);
  CHECK(t.next(at(3000)) == 2);
  CHECK(t.next(at(4500)) == 0);
}

TEST_CASE("after every round the pause grows by a reply timeout, up to ten of them", "[tracker]") {
  Search t{{{PeerId{1}}}};
  Instant now = at(0);
  for (std::uint32_t round = 1; round <= 12; ++round) {
    REQUIRE(t.next(now) == 1);
    now = t.tracker.due();
    REQUIRE(t.next(now) == 0);
    CHECK(t.tracker.rounds() == round);
    CHECK_FALSE(t.tracker.awaited());
    CHECK(t.tracker.due() == now + kReply * std::min(10U, round));
    now = t.tracker.due();
  }
  CHECK(t.tracker.asked_count() == 12);
}

TEST_CASE("while there are no peers no round is over", "[tracker]") {
  Search t;
  CHECK(t.next(at(0)) == 0);
  CHECK(t.tracker.rounds() == 0);
  t.candidates = {{PeerId{5}}};
  CHECK(t.next(t.tracker.due()) == 5);
}

TEST_CASE("while some not asked are spent the round is not over, and who was asked stays asked", "[tracker]") {
  Search t{{{PeerId{1}}, {.peer = PeerId{2}, .is_sender = true, .is_spent = true}}};
  CHECK(t.next(at(0)) == 1);
  for (int i = 1; i < 4; ++i) {
    CHECK(t.next(at(1500 * i)) == 0);
    CHECK(t.tracker.due() == at(1500 * i) + kReply);
    CHECK_FALSE(t.tracker.awaited());
  }
  CHECK(t.tracker.rounds() == 0);
  t.candidates[1].is_spent = false;
  CHECK(t.next(at(6000)) == 2);
  CHECK(t.next(at(7500)) == 0);
  CHECK(t.tracker.rounds() == 1);
}

TEST_CASE("a spent peer that was asked in this round does not keep it open", "[tracker]") {
  Search t{{{PeerId{1}}}};
  CHECK(t.next(at(0)) == 1);
  t.candidates[0].is_spent = true;
  CHECK(t.next(at(1500)) == 0);
  CHECK(t.tracker.rounds() == 1);
  CHECK(t.next(at(3000)) == 0);  // it cannot be asked in the next one yet
  CHECK(t.tracker.rounds() == 1);
}

TEST_CASE("when the peer asked goes, the next is due; when another goes, nothing happens", "[tracker]") {
  Search t{{{PeerId{1}, 0}, {PeerId{2}, 1}}};
  CHECK(t.next(at(0)) == 1);
  CHECK_FALSE(t.tracker.on_peer_gone(PeerId{2}, at(10)));
  CHECK(t.tracker.due() == at(0) + kReply);
  CHECK(t.tracker.on_peer_gone(PeerId{1}, at(20)));
  CHECK(t.tracker.due() == at(20));
  CHECK_FALSE(t.tracker.awaited());
}

TEST_CASE("nothing is remembered of a peer that went", "[tracker]") {
  Search t{{{PeerId{1}}}};
  CHECK(t.next(at(0)) == 1);
  CHECK(t.tracker.on_peer_gone(PeerId{1}, at(5)));
  CHECK(t.next(at(5)) == 1);  // as if it were new
}

TEST_CASE("peers that left questions unanswered come last, and one of them a round", "[tracker]") {
  Search t{{{.peer = PeerId{1}, .is_sender = true, .is_mute = true},
            {.peer = PeerId{2}, .is_mute = true},
            {.peer = PeerId{3}, .band = 4}}};
  CHECK(t.next(at(0)) == 3);
  CHECK(t.next(at(1500)) == 1);
  CHECK(t.next(at(3000)) == 0);
  CHECK(t.tracker.rounds() == 1);
  t.candidates.pop_back();  // only mute ones are left: all of them
  CHECK(t.next(at(4500)) == 1);
  CHECK(t.next(at(6000)) == 2);
  CHECK(t.next(at(7500)) == 0);
}

TEST_CASE("what was put off is tried again, a pause between rounds stays", "[tracker]") {
  Search t{{{.peer = PeerId{1}, .is_spent = true}}};
  CHECK(t.next(at(0)) == 0);
  t.tracker.try_again(at(10));
  CHECK(t.tracker.due() == at(10));
  t.candidates[0].is_spent = false;
  CHECK(t.next(at(10)) == 1);
  CHECK(t.next(at(1510)) == 0);
  t.tracker.try_again(at(1520));
  CHECK(t.tracker.due() == at(1510) + kReply);
}

}  // namespace
}  // namespace overlayd::fetch
