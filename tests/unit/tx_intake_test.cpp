#include "core/flood/tx_intake.h"

#include <catch2/catch.hpp>

#include "core/limits.h"
#include "tests/support/messages.h"

namespace overlayd::flood {
namespace {

const std::uint64_t kCost = test::make_transaction({}, 1)->size() + limits::kEventOverheadBytes;

struct Intake {
  TxFloodMetrics metrics;
  TxIntake intake{metrics};

  bool admit(std::uint64_t peer, std::uint64_t number) {
    return intake.admit({PeerId{peer}, test::make_node(peer), test::make_transaction({}, number)});
  }
  // Numbers of the transactions that had room, in order.
  std::vector<MessagePtr> take_all() {
    std::vector<MessagePtr> taken;
    while (auto ready = intake.take_ready()) taken.push_back(std::move(ready->message));
    return taken;
  }
};

TEST_CASE("without a bound everything is published", "[tx_intake]") {
  Intake t;
  for (std::uint64_t i = 0; i < 100; ++i) CHECK(t.admit(1, i));
  CHECK(t.intake.published_bytes() == 100 * kCost);
  CHECK_FALSE(t.intake.is_short());
}

TEST_CASE("the window is used to its last byte and not beyond", "[tx_intake]") {
  Intake t;
  t.intake.set_window({.published_bytes_max = 2 * kCost});
  CHECK(t.admit(1, 1));
  CHECK(t.admit(1, 2));
  CHECK_FALSE(t.admit(1, 3));
  t.intake.set_window({.published_bytes_max = 3 * kCost - 1});
  CHECK_FALSE(t.intake.take_ready());
  t.intake.set_window({.published_bytes_max = 3 * kCost});
  CHECK(t.take_all().size() == 1);
  CHECK(t.intake.size() == 0);
  CHECK(t.metrics.transactions_waited == 1);
}

TEST_CASE("what waits is given out in the order of its arrival, and nothing overtakes it", "[tx_intake]") {
  Intake t;
  t.intake.set_window({.published_bytes_max = 0});
  for (std::uint64_t i = 0; i < 5; ++i) CHECK_FALSE(t.admit(i % 2, i));
  t.intake.set_window({.published_bytes_max = 3 * kCost});
  CHECK_FALSE(t.admit(3, 5));  // there is room, but others were first
  const auto taken = t.take_all();
  REQUIRE(taken.size() == 3);
  for (std::uint64_t i = 0; i < 3; ++i) CHECK(taken[i]->tx_hash() == test::make_transaction({}, i)->tx_hash());
  CHECK(t.intake.size() == 3);
}

TEST_CASE("with less than the reserve left, nothing more is to be asked for", "[tx_intake]") {
  Intake t;
  t.intake.set_window({.published_bytes_max = 10 * kCost, .reserve_bytes = 8 * kCost});
  CHECK_FALSE(t.intake.is_short());
  CHECK(t.admit(1, 1));
  CHECK(t.admit(1, 2));
  CHECK_FALSE(t.intake.is_short());
  CHECK(t.admit(1, 3));  // still has room
  CHECK(t.intake.is_short());
  t.intake.set_window({.published_bytes_max = 11 * kCost, .reserve_bytes = 8 * kCost});
  CHECK_FALSE(t.intake.is_short());
}

TEST_CASE("a window that became smaller holds back what comes next", "[tx_intake]") {
  Intake t;
  t.intake.set_window({.published_bytes_max = 10 * kCost});
  CHECK(t.admit(1, 1));
  t.intake.set_window({.published_bytes_max = kCost / 2});
  CHECK_FALSE(t.admit(1, 2));
  t.intake.set_window({});
  CHECK(t.take_all().size() == 1);
}

TEST_CASE("what waits from a peer goes with it", "[tx_intake]") {
  Intake t;
  t.intake.set_window({.published_bytes_max = 0});
  for (std::uint64_t i = 0; i < 6; ++i) CHECK_FALSE(t.admit(i % 2, i));
  const auto gone = t.intake.on_peer_gone(PeerId{1});
  REQUIRE(gone.size() == 3);
  CHECK(gone[0]->tx_hash() == test::make_transaction({}, 1)->tx_hash());
  CHECK(t.intake.size() == 3);
  CHECK(t.metrics.transactions_unwaited == 3);
  CHECK(t.intake.on_peer_gone(PeerId{7}).empty());
  t.intake.set_window({});
  CHECK(t.take_all().size() == 3);
}

}  // namespace
}  // namespace overlayd::flood
