#include "core/book/link_journal.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "core/random.h"

namespace overlayd::book {
namespace {

NodeId node(std::uint8_t number) {
  NodeId made;
  if (number != 0) made.bytes[31] = number;
  return made;
}
PeerAddress address(std::uint8_t host, std::uint16_t port = 11625) {
  return PeerAddress::from_v4({20, 1, 1, host}, port);
}

// A link of node and address `number`, the `id`th.
ClosedLink closed(std::uint64_t id, std::uint8_t number, bool is_authenticated = true) {
  ClosedLink link;
  link.last.peer = {id};
  link.last.node = node(number);
  link.last.address = address(number);
  link.last.is_authenticated = is_authenticated;
  link.closed = {1'700'000'000 + id};
  return link;
}
std::vector<std::uint64_t> ids(const std::vector<ClosedLink>& links) {
  std::vector<std::uint64_t> ids;
  for (const ClosedLink& link : links) ids.push_back(link.last.peer.value);
  return ids;
}
using Ids = std::vector<std::uint64_t>;

struct Journal {
  LinkJournal journal;
  explicit Journal(const LinkJournalOptions& options = {}) : journal(options) {}
  void add(const ClosedLink& link) {
    journal.add(link);
    journal.check_invariants();
  }
  PeerTotals total(std::uint8_t number) const {
    const auto totals = journal.totals_of(node(number));
    REQUIRE(totals.size() == 1);
    return totals[0];
  }
};

TEST_CASE("the latest links come first, of both kinds", "[link_journal]") {
  Journal j;
  CHECK(j.journal.latest(10).empty());
  CHECK(j.journal.size() == 0);
  j.add(closed(1, 1));
  j.add(closed(2, 2, false));
  j.add(closed(3, 3, false));
  j.add(closed(4, 4));
  j.add(closed(5, 5, false));
  CHECK(ids(j.journal.latest(10)) == Ids{5, 4, 3, 2, 1});
  CHECK(ids(j.journal.latest(2)) == Ids{5, 4});
  CHECK(j.journal.latest(0).empty());
  CHECK(j.journal.size() == 5);
}

TEST_CASE("the order is that of adding, whatever the clock says", "[link_journal]") {
  Journal j;
  ClosedLink early = closed(1, 1);
  early.closed = {2'000'000'000};
  j.add(early);
  j.add(closed(2, 2, false));
  CHECK(ids(j.journal.latest(10)) == Ids{2, 1});
}

TEST_CASE("a flood of strangers does not wash out why peers left", "[link_journal]") {
  Journal j({.links_max = 3, .totals_max = 10});
  j.add(closed(1, 1));
  j.add(closed(2, 2));
  for (std::uint64_t id = 3; id < 100; ++id) j.add(closed(id, 3, false));
  CHECK(ids(j.journal.latest(10)) == Ids{99, 98, 97, 2, 1});
  CHECK(j.journal.size() == 5);
  SECTION("nor the other way round") {
    for (std::uint64_t id = 100; id < 200; ++id) j.add(closed(id, 4));
    CHECK(ids(j.journal.latest(10)) == Ids{199, 198, 197, 99, 98, 97});
  }
}

TEST_CASE("what is told of a link is kept as it was", "[link_journal]") {
  Journal j;
  ClosedLink link = closed(1, 1);
  link.last.direction = Direction::kOutbound;
  link.last.version_string = "v27";
  link.last.queue_delays[1] = milliseconds(7);
  link.last.connected_for = seconds(90);
  link.reason = DropReason::kStraggling;
  link.closed_by = ClosedBy::kRemote;
  link.error_code = 4;
  link.error_text = "straggling (cannot keep up)";
  link.detail = "somewhere";
  link.timer = seconds(120);
  j.add(link);
  const ClosedLink kept = j.journal.latest(1).at(0);
  CHECK(kept.last.direction == Direction::kOutbound);
  CHECK(kept.last.version_string == "v27");
  CHECK(kept.last.queue_delays[1] == milliseconds(7));
  CHECK(kept.last.connected_for == seconds(90));
  CHECK(kept.closed == link.closed);
  CHECK(kept.reason == DropReason::kStraggling);
  CHECK(kept.closed_by == ClosedBy::kRemote);
  CHECK(kept.error_code == 4);
  CHECK(kept.error_text == "straggling (cannot keep up)");
  CHECK(kept.detail == "somewhere");
  CHECK(kept.timer == Duration(seconds(120)));
}

TEST_CASE("texts are cut", "[link_journal]") {
  Journal j;
  ClosedLink link = closed(1, 1);
  link.error_text = std::string(99, 'a').append("bc");
  link.detail = std::string(199, 'd').append("ef");
  j.add(link);
  CHECK(j.journal.latest(1)[0].error_text == std::string(99, 'a').append("b"));
  CHECK(j.journal.latest(1)[0].detail == std::string(199, 'd').append("e"));
  link.error_text.resize(100);
  link.detail.resize(200);
  j.add(link);
  CHECK(j.journal.latest(1)[0].error_text.size() == 100);
  CHECK(j.journal.latest(1)[0].detail.size() == 200);
}

TEST_CASE("a peer's links are found by its node", "[link_journal]") {
  Journal j;
  j.add(closed(1, 1));
  j.add(closed(2, 2));
  j.add(closed(3, 1, false));
  j.add(closed(4, 1));
  CHECK(ids(j.journal.latest_of(node(1), 10)) == Ids{4, 3, 1});
  CHECK(ids(j.journal.latest_of(node(1), 2)) == Ids{4, 3});
  CHECK(j.journal.latest_of(node(3), 10).empty());
}

TEST_CASE("a peer's links are found by its address, port 0 standing for any", "[link_journal]") {
  Journal j;
  for (std::uint64_t id = 1; id <= 4; ++id) {
    ClosedLink link = closed(id, 0, id % 2 == 0);
    link.last.address = address(id < 4 ? 1 : 2, static_cast<std::uint16_t>(id));
    j.add(link);
  }
  CHECK(ids(j.journal.latest_of(address(1, 0), 10)) == Ids{3, 2, 1});
  CHECK(ids(j.journal.latest_of(address(1, 2), 10)) == Ids{2});
  CHECK(j.journal.latest_of(address(1, 4), 10).empty());
  CHECK(ids(j.journal.latest_of(address(2, 4), 10)) == Ids{4});
}

TEST_CASE("who is the peer", "[link_journal]") {
  CHECK(is_peer(node(1), node(1), address(1)));
  CHECK_FALSE(is_peer(node(1), node(2), address(1)));
  CHECK(is_peer(address(1, 5), node(1), address(1, 5)));
  CHECK_FALSE(is_peer(address(1, 5), node(1), address(1, 6)));
  CHECK(is_peer(address(1, 0), node(1), address(1, 6)));
  CHECK_FALSE(is_peer(address(2, 0), node(1), address(1, 6)));
  CHECK_FALSE(is_peer(address(1, 5), node(1), address(1, 0)));
}

TEST_CASE("totals outlive the links they count", "[link_journal]") {
  Journal j({.links_max = 1, .totals_max = 10});
  for (std::uint64_t id = 1; id <= 3; ++id) {
    ClosedLink link = closed(id, 1);
    link.last.address = address(static_cast<std::uint8_t>(id));
    link.last.connected_for = seconds(10 * id);
    link.last.messages_read = id;
    link.last.messages_written = 10 * id;
    link.last.bytes_read = 100 * id;
    link.last.bytes_written = 1000 * id;
    link.reason = id == 3 ? DropReason::kIdle : DropReason::kStraggling;
    j.add(link);
  }
  const PeerTotals total = j.total(1);
  CHECK(total.node == node(1));
  CHECK(total.address == address(3));
  CHECK(total.links == 3);
  CHECK(total.authenticated_links == 3);
  CHECK(total.connected == seconds(60));
  CHECK(total.messages_read == 6);
  CHECK(total.messages_written == 60);
  CHECK(total.bytes_read == 600);
  CHECK(total.bytes_written == 6000);
  CHECK(total.last_closed == UnixTime{1'700'000'003});
  CHECK(total.last_reason == DropReason::kIdle);
}

TEST_CASE("a link that never was authenticated adds to totals but makes none", "[link_journal]") {
  Journal j;
  j.add(closed(1, 1, false));
  CHECK(j.journal.totals_of(node(1)).empty());
  j.add(closed(2, 1));
  CHECK(j.total(1).links == 1);
  j.add(closed(3, 1, false));
  CHECK(j.total(1).links == 2);
  CHECK(j.total(1).authenticated_links == 1);
}

TEST_CASE("a node that nobody knows has no totals", "[link_journal]") {
  Journal j;
  j.add(closed(1, 0, false));
  CHECK(j.journal.totals_of(node(0)).empty());
  CHECK(j.journal.size() == 1);
}

TEST_CASE("totals are found by the address of the last link", "[link_journal]") {
  Journal j;
  j.add(closed(1, 1));
  ClosedLink second = closed(2, 2);
  second.last.address = address(1, 5);
  j.add(second);
  const auto nodes = [&](const PeerAddress& at) {
    std::vector<NodeId> nodes;
    for (const PeerTotals& totals : j.journal.totals_of(at)) nodes.push_back(totals.node);
    std::ranges::sort(nodes);
    return nodes;
  };
  CHECK(nodes(address(1, 0)) == std::vector{node(1), node(2)});
  CHECK(nodes(address(1, 5)) == std::vector{node(2)});
  ClosedLink moved = closed(3, 1);
  moved.last.address = address(9);
  j.add(moved);
  CHECK(nodes(address(1, 0)) == std::vector{node(2)});
  CHECK(nodes(address(9)) == std::vector{node(1)});
}

TEST_CASE("of too many nodes the one that went longest ago goes", "[link_journal]") {
  Journal j({.links_max = 10, .totals_max = 2});
  j.add(closed(1, 1));
  j.add(closed(2, 2));
  SECTION("by its last link") {
    j.add(closed(3, 1));
    j.add(closed(4, 3));
    CHECK(j.journal.totals_of(node(2)).empty());
    CHECK(j.total(1).links == 2);
    CHECK(j.total(3).links == 1);
  }
  SECTION("a HELLO does not keep it") {
    j.add(closed(3, 1, false));
    j.add(closed(4, 3));
    CHECK(j.journal.totals_of(node(1)).empty());
    CHECK(j.total(2).links == 1);
  }
  SECTION("strangers push out nobody") {
    for (std::uint8_t number = 10; number < 200; ++number) j.add(closed(number, number, false));
    CHECK(j.total(1).links == 1);
    CHECK(j.total(2).links == 1);
  }
}

TEST_CASE("many links of many nodes stay within the limits", "[link_journal]") {
  Journal j({.links_max = 7, .totals_max = 5});
  Random random(1);
  for (std::uint64_t id = 1; id < 2000; ++id)
    j.add(closed(id, static_cast<std::uint8_t>(random.below(12)), random.below(2) == 0));
  CHECK(j.journal.size() == 14);
  std::size_t nodes = 0;
  for (std::uint8_t number = 1; number < 12; ++number) nodes += j.journal.totals_of(node(number)).size();
  CHECK(nodes == 5);
}

}  // namespace
}  // namespace overlayd::book
