// What peers are told of past slots, and how they are asked.
#include "overlay_fixture.h"

using namespace overlayd;
using Fixture = OverlayFixture;

namespace {

MessagePtr envelope(std::uint64_t node, std::uint64_t slot, std::uint32_t counter = 1) {
  return test::make_scp({}, {.node = test::make_node(node), .slot = slot, .ballot_counter = counter});
}

std::vector<MessagePtr> scp_sent_to(const Fixture& f, PeerId peer) {
  std::vector<MessagePtr> sent;
  for (const Send& send : f.find<Send>())
    if (send.peer == peer && send.message->type() == MessageType::kScpMessage) sent.push_back(send.message);
  return sent;
}

// First ledger asked for, by peer.
std::vector<std::pair<PeerId, std::uint32_t>> states_asked(const Fixture& f) {
  std::vector<std::pair<PeerId, std::uint32_t>> asked;
  for (const Send& send : f.find<Send>())
    if (const auto first = wire::read_get_scp_state(send.message->xdr())) asked.emplace_back(send.peer, *first);
  return asked;
}

}  // namespace

TEST_CASE("who asks for SCP state gets the latest of all slots from there, ascending", "[overlay_manager]") {
  Fixture f;
  f.give(LedgerUpdated{ledger_at(100), {}, {}});
  const PeerId a = f.connect(1);
  const MessagePtr old = envelope(7, 101, 1);
  const MessagePtr latest = envelope(7, 101, 2);
  const MessagePtr later = envelope(8, 102);
  const MessagePtr before = envelope(8, 99);
  for (const MessagePtr& message : {later, old, before, latest}) {
    f.receive(a, message);
    f.give(ScpVerified{message->flood_hash(), true});
  }
  const MessagePtr own = envelope(1000, 101);
  f.give(Broadcast{RequestId{1}, own});
  const PeerId b = f.connect(2);
  f.receive(b, wire::write_get_scp_state(100));
  CHECK(scp_sent_to(f, b) == std::vector{latest, own, later});
  const auto published = f.find<PublishScpStateRequest>();
  REQUIRE(published.size() == 1);
  CHECK(published[0].from == test::make_node(2));
  CHECK(published[0].from_ledger == 100);
  CHECK(published[0].envelopes_sent == 3);
  f.receive(b, wire::write_get_scp_state(0));
  CHECK(scp_sent_to(f, b).size() == 4);
}

TEST_CASE("envelopes whose signature is wrong, and those of slots gone by, are not remembered", "[overlay_manager]") {
  Fixture f;
  f.give(LedgerUpdated{ledger_at(100), {}, {}});
  const PeerId a = f.connect(1);
  const MessagePtr forged = envelope(7, 101);
  f.receive(a, forged);
  f.give(ScpVerified{forged->flood_hash(), false});
  const MessagePtr good = envelope(8, 101);
  f.receive(a, good);
  f.give(ScpVerified{good->flood_hash(), true});
  f.receive(a, wire::write_get_scp_state(0));
  CHECK(scp_sent_to(f, a) == std::vector{good});
  f.give(LedgerUpdated{ledger_at(113), {}, {}});
  f.receive(a, wire::write_get_scp_state(0));
  CHECK(scp_sent_to(f, a).empty());
}

TEST_CASE("the eleventh question for SCP state in a window is ignored in silence", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  for (int i = 0; i < 10; ++i) {
    f.receive(a, wire::write_get_scp_state(0));
    REQUIRE(f.find<PublishScpStateRequest>().size() == 1);
  }
  f.receive(a, wire::write_get_scp_state(0));
  CHECK(f.out.empty());
  CHECK(f.overlay->metrics().fetch.queries_ignored == 1);
}

TEST_CASE("the checkpoint before the sequential slots follows two seconds after them, once", "[overlay_manager]") {
  Fixture f;
  LedgerView view = ledger_at(100);
  view.checkpoint_slot = 63;
  f.give(LedgerUpdated{view, {}, {}});
  const PeerId a = f.connect(1);
  const MessagePtr checkpoint = envelope(7, 63);
  const MessagePtr current = envelope(7, 100);
  for (const MessagePtr& message : {checkpoint, current}) {
    f.receive(a, message);
    f.give(ScpVerified{message->flood_hash(), true});
  }
  f.receive(a, wire::write_get_scp_state(0));
  CHECK(scp_sent_to(f, a) == std::vector{current});
  f.receive(a, wire::write_get_scp_state(0));
  f.pass(limits::kCheckpointDelay - milliseconds(1));
  CHECK(scp_sent_to(f, a).empty());
  f.pass(milliseconds(1));
  CHECK(scp_sent_to(f, a) == std::vector{checkpoint});
  f.pass(seconds(4));
  CHECK(scp_sent_to(f, a).empty());
}

TEST_CASE("a checkpoint among the sequential slots is sent with them", "[overlay_manager]") {
  Fixture f;
  LedgerView view = ledger_at(100);
  view.checkpoint_slot = 95;
  f.give(LedgerUpdated{view, {}, {}});
  const PeerId a = f.connect(1);
  const MessagePtr checkpoint = envelope(7, 95);
  f.receive(a, checkpoint);
  f.give(ScpVerified{checkpoint->flood_hash(), true});
  f.receive(a, wire::write_get_scp_state(0));
  CHECK(scp_sent_to(f, a) == std::vector{checkpoint});
}

TEST_CASE("a client has peers asked for their SCP state", "[overlay_manager]") {
  Fixture f;
  f.give(RequestScpState{RequestId{1}, std::nullopt, 1, std::nullopt});
  CHECK(f.answer().status == RequestStatus::kNotFound);
  f.give(LedgerUpdated{ledger_at(100), {}, {}});
  const PeerId a = f.connect(1);
  f.connect(2);
  f.connect(3);
  f.give(RequestScpState{RequestId{2}, test::make_node(1), 1, 77});
  CHECK(f.answer().nodes == std::vector{test::make_node(1)});
  CHECK(states_asked(f) == std::vector<std::pair<PeerId, std::uint32_t>>{{a, 77}});
  f.give(RequestScpState{RequestId{3}, test::make_node(99), 1, std::nullopt});
  CHECK(f.answer().status == RequestStatus::kNotFound);
  f.give(RequestScpState{RequestId{4}, std::nullopt, 2, std::nullopt});
  CHECK(f.answer().nodes.size() == 2);
  REQUIRE(states_asked(f).size() == 2);
  CHECK(states_asked(f)[0].second == 98);
}

TEST_CASE("while out of sync two peers are asked for SCP state every ten seconds", "[overlay_manager]") {
  Fixture f;
  for (std::uint64_t i = 1; i <= 3; ++i) f.connect(i);
  LedgerView view = ledger_at(100);
  view.is_in_sync = false;
  f.give(LedgerUpdated{view, {}, {}});
  f.pass(milliseconds(0));
  CHECK(states_asked(f).size() == 2);
  f.pass(limits::kOutOfSyncAskPeriod - milliseconds(1));
  CHECK(states_asked(f).empty());
  f.pass(milliseconds(1));
  CHECK(states_asked(f).size() == 2);
  f.give(LedgerUpdated{ledger_at(101), {}, {}});
  f.pass(seconds(20));
  CHECK(states_asked(f).empty());
}

TEST_CASE("a client answers a question for SCP state itself", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  const std::vector messages{envelope(7, 5), envelope(8, 6)};
  f.give(SendScpState{RequestId{1}, test::make_node(1), messages});
  CHECK(f.answer().status == RequestStatus::kAccepted);
  CHECK(scp_sent_to(f, a) == messages);
  f.give(SendScpState{RequestId{2}, test::make_node(9), messages});
  CHECK(f.answer().status == RequestStatus::kNotFound);
  f.give(LedgerUpdated{ledger_at(17), {}, {}});
  f.give(SendScpState{RequestId{3}, test::make_node(1), messages});
  CHECK(f.answer().status == RequestStatus::kRefused);
  CHECK(f.answer().why.find("scp_envelopes[0]") == 0);
  CHECK(scp_sent_to(f, a).empty());
}
