// Items: what an envelope names is asked for, kept, shown to clients and served.
#include "overlay_fixture.h"

using namespace overlayd;
using Fixture = OverlayFixture;

namespace {

constexpr std::uint64_t kSlot = 100;

struct Named {
  MessagePtr tx_set = test::make_tx_set(1);
  MessagePtr quorum_set = test::make_quorum_set(1);
  [[nodiscard]] MessagePtr envelope(std::uint64_t node = 7, std::uint64_t slot = kSlot) const {
    return test::make_scp({}, {.node = test::make_node(node),
                               .slot = slot,
                               .tx_set = tx_set->item_hash(),
                               .quorum_set = quorum_set->item_hash()});
  }
};

void receive_verified(Fixture& f, PeerId from, const MessagePtr& envelope) {
  f.receive(from, envelope);
  f.give(ScpVerified{envelope->flood_hash(), true});
}

// Questions for items, but pings.
std::vector<std::pair<PeerId, ItemHash>> questions(const Fixture& f) {
  std::vector<std::pair<PeerId, ItemHash>> asked;
  for (const Send& send : f.find<Send>()) {
    if (const auto hash = wire::read_get_tx_set(send.message->xdr())) asked.emplace_back(send.peer, *hash);
    if (const auto hash = wire::read_get_scp_quorumset(send.message->xdr())) asked.emplace_back(send.peer, *hash);
  }
  return asked;
}

std::vector<std::pair<PeerId, wire::DontHave>> refusals(const Fixture& f) {
  std::vector<std::pair<PeerId, wire::DontHave>> all;
  for (const Send& send : f.find<Send>())
    if (const auto dont_have = wire::read_dont_have(send.message->xdr())) all.emplace_back(send.peer, *dont_have);
  return all;
}

using Questions = std::vector<std::pair<PeerId, ItemHash>>;

}  // namespace

TEST_CASE("what a verified envelope names is asked of its sender, and of nobody before", "[overlay_manager]") {
  Fixture f;
  const Named named;
  const PeerId a = f.connect(1);
  f.connect(2);
  const MessagePtr envelope = named.envelope();
  f.receive(a, envelope);
  CHECK(questions(f).empty());
  f.give(ScpVerified{envelope->flood_hash(), true});
  const auto asked = questions(f);
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].first == a);
  CHECK(asked[1].first == a);
  CHECK(std::set{asked[0].second, asked[1].second} ==
        std::set{named.tx_set->item_hash(), named.quorum_set->item_hash()});
}

TEST_CASE("peers that sent the envelope while its signature was checked are asked before others", "[overlay_manager]") {
  Fixture f;
  const Named named;
  const PeerId a = f.connect(1);
  for (std::uint64_t i = 2; i <= 6; ++i) f.connect(i);
  const MessagePtr envelope = named.envelope();
  f.receive(a, envelope);
  f.receive(f.id(5), envelope);
  std::set<PeerId> asked;
  const auto note = [&] {
    for (const auto& [peer, hash] : questions(f))
      if (hash == named.tx_set->item_hash()) asked.insert(peer);
  };
  f.give(ScpVerified{envelope->flood_hash(), true});
  note();
  f.receive(f.id(6), envelope);
  for (int i = 0; i < 2; ++i) {
    f.pass(limits::kFetchReplyTimeout);
    note();
  }
  CHECK(asked == std::set{a, f.id(5), f.id(6)});
}

TEST_CASE("what came is shown to clients and served to peers", "[overlay_manager]") {
  Fixture f;
  const Named named;
  const PeerId a = f.connect(1);
  const PeerId b = f.connect(2);
  receive_verified(f, a, named.envelope());
  f.now.instant = f.now.instant + milliseconds(40);
  f.receive(b, named.tx_set);  // whoever has it
  const auto published = f.find<PublishItem>();
  REQUIRE(published.size() == 1);
  CHECK(published[0].item == test::item_id_of(*named.tx_set));
  CHECK(published[0].change == ItemChange::kArrived);
  CHECK(published[0].from == test::make_node(2));
  CHECK(published[0].message == named.tx_set);
  CHECK(published[0].searched_for == milliseconds(40));
  CHECK(published[0].peers_asked == 1);
  CHECK(f.overlay->find_item(test::item_id_of(*named.tx_set)) == named.tx_set);
  f.receive(b, wire::write_get_tx_set(named.tx_set->item_hash()));
  CHECK(f.sent() == Sent{{b, MessageType::kGeneralizedTxSet}});
  f.receive(b, named.tx_set);
  CHECK(f.overlay->metrics().fetch.unsolicited == 1);
  CHECK(f.find<PublishItem>().empty());
  receive_verified(f, b, named.envelope(8));
  CHECK(questions(f).empty());  // held, or asked for already
}

TEST_CASE("a set under another hash than was asked for is not taken", "[overlay_manager]") {
  Fixture f;
  const Named named;
  const PeerId a = f.connect(1);
  receive_verified(f, a, named.envelope());
  const MessagePtr other = test::make_tx_set(2);
  f.receive(a, other);
  CHECK(f.overlay->metrics().fetch.unsolicited == 1);
  CHECK(f.overlay->find_item(test::item_id_of(*other)) == nullptr);
  CHECK(f.find<PublishItem>().empty());
}

TEST_CASE("who asks for what is on its way gets it when it comes", "[overlay_manager]") {
  Fixture f;
  const Named named;
  const PeerId a = f.connect(1);
  const PeerId b = f.connect(2);
  receive_verified(f, a, named.envelope());
  f.receive(b, wire::write_get_tx_set(named.tx_set->item_hash()));
  CHECK(f.sent().empty());
  f.receive(a, named.tx_set);
  CHECK(f.sent() == Sent{{b, MessageType::kGeneralizedTxSet}});
  CHECK(f.overlay->metrics().fetch.queries_held == 1);
  f.pass(seconds(1));
  CHECK(refusals(f).empty());
}

TEST_CASE("who asks for what does not come in time is told that we have none", "[overlay_manager]") {
  Fixture f;
  const Named named;
  const PeerId a = f.connect(1);
  const PeerId b = f.connect(2);
  receive_verified(f, a, named.envelope());
  f.receive(b, wire::write_get_scp_quorumset(named.quorum_set->item_hash()));
  CHECK(refusals(f).empty());
  f.pass(limits::kHeldQuestionMax);
  const auto told = refusals(f);
  REQUIRE(told.size() == 1);
  CHECK(told[0].first == b);
  CHECK(told[0].second.type == MessageType::kScpQuorumset);
  CHECK(told[0].second.hash == named.quorum_set->item_hash());
}

TEST_CASE("what nobody looks for is refused at once, with the type that the protocol has for it", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  const ItemHash hash = test::make_tx_set(9)->item_hash();
  f.receive(a, wire::write_get_tx_set(hash));
  REQUIRE(refusals(f).size() == 1);
  CHECK(refusals(f)[0].second.type == MessageType::kGeneralizedTxSet);
  LedgerView view;
  view.sequence = 10;
  view.protocol_version = 19;
  f.give(LedgerUpdated{view, {}, {}});
  f.receive(a, wire::write_get_tx_set(hash));
  REQUIRE(refusals(f).size() == 1);
  CHECK(refusals(f)[0].second.type == MessageType::kTxSet);
}

TEST_CASE("a peer that has none, or asks for the item itself, is not waited for", "[overlay_manager]") {
  Fixture f;
  const Named named;
  const PeerId a = f.connect(1);
  const PeerId b = f.connect(2);
  receive_verified(f, a, named.envelope());
  f.receive(a, wire::write_dont_have({MessageType::kTxSet, named.tx_set->item_hash()}));
  CHECK(questions(f) == Questions{{b, named.tx_set->item_hash()}});
  f.receive(a, wire::write_get_scp_quorumset(named.quorum_set->item_hash()));
  CHECK(questions(f) == Questions{{b, named.quorum_set->item_hash()}});
}

TEST_CASE("an item nobody has is reported after each full round", "[overlay_manager]") {
  Fixture f;
  const Named named;
  const PeerId a = f.connect(1);
  receive_verified(f, a, named.envelope());
  const auto refuse = [&] {
    f.receive(a, wire::write_dont_have({MessageType::kGeneralizedTxSet, named.tx_set->item_hash()}));
  };
  refuse();
  auto missing = f.find<PublishItem>();
  REQUIRE(missing.size() == 1);
  CHECK(missing[0].change == ItemChange::kMissing);
  CHECK(missing[0].item == test::item_id_of(*named.tx_set));
  CHECK(missing[0].rounds == 1);
  f.pass(limits::kFetchReplyTimeout);
  refuse();
  missing = f.find<PublishItem>();
  REQUIRE(missing.size() == 1);
  CHECK(missing[0].rounds == 2);
  CHECK(missing[0].peers_asked == 2);
}

TEST_CASE("an envelope that a client rejects is neither fetched for nor shown to those who ask", "[overlay_manager]") {
  Fixture f;
  const Named named;
  const PeerId a = f.connect(1);
  const MessagePtr envelope = named.envelope();
  receive_verified(f, a, envelope);
  CHECK(f.overlay->status(f.now.instant).items_wanted == 2);
  CHECK(f.overlay->status(f.now.instant).scp_state_envelopes == 1);
  f.give(VerdictGiven{envelope->flood_hash(), Verdict::kAccept});
  CHECK(f.overlay->status(f.now.instant).items_wanted == 2);
  f.give(VerdictGiven{envelope->flood_hash(), Verdict::kReject});
  CHECK(f.overlay->status(f.now.instant).items_wanted == 0);
  CHECK(f.overlay->status(f.now.instant).scp_state_envelopes == 0);
}

TEST_CASE("the search for what only past slots name ends with them", "[overlay_manager]") {
  Fixture f;
  const Named named;
  const PeerId a = f.connect(1);
  receive_verified(f, a, named.envelope(7, 20));
  LedgerView view;
  view.sequence = 31;
  f.give(LedgerUpdated{view, {}, {}});
  CHECK(f.overlay->status(f.now.instant).items_wanted == 2);
  view.sequence = 32;
  f.give(LedgerUpdated{view, {}, {}});
  CHECK(f.overlay->status(f.now.instant).items_wanted == 0);
}

TEST_CASE("a client's own envelope is refused if no peer could decode it", "[overlay_manager]") {
  Fixture f;
  f.connect(1);
  f.give(Broadcast{RequestId{1}, test::make_scp({}, {.node = test::make_node(7), .value_bytes = 8})});
  CHECK(f.answer().status == RequestStatus::kRefused);
  CHECK(f.sent().empty());
}

TEST_CASE("what a client puts is served, and ends the search for it", "[overlay_manager]") {
  Fixture f;
  const Named named;
  const PeerId a = f.connect(1);
  f.give(PutItem{RequestId{1}, named.quorum_set});
  CHECK(f.answer().status == RequestStatus::kAccepted);
  f.give(PutItem{RequestId{2}, named.quorum_set});
  CHECK(f.answer().status == RequestStatus::kDuplicate);
  f.give(Broadcast{RequestId{3}, named.envelope()});
  CHECK(questions(f) == Questions{{a, named.tx_set->item_hash()}});
  f.receive(a, wire::write_get_tx_set(named.tx_set->item_hash()));
  f.give(PutItem{RequestId{4}, named.tx_set});
  CHECK(f.answer().status == RequestStatus::kAccepted);
  const auto published = f.find<PublishItem>();
  REQUIRE(published.size() == 1);
  CHECK(published[0].peer.is_local());
  CHECK(f.sent() == Sent{{a, MessageType::kGeneralizedTxSet}});
}

TEST_CASE("a client waits for an item like an envelope until it cancels", "[overlay_manager]") {
  Fixture f;
  const Named named;
  f.connect(1);
  const PeerId b = f.connect(2);
  const ItemId item = test::item_id_of(*named.tx_set);
  f.give(FetchItem{RequestId{1}, item, 0, {test::make_node(2), test::make_node(99)}});
  CHECK(f.answer().status == RequestStatus::kAccepted);
  CHECK(questions(f) == Questions{{b, item.hash}});
  f.give(CancelFetch{RequestId{2}, item});
  CHECK(f.answer().status == RequestStatus::kAccepted);
  CHECK(f.overlay->status(f.now.instant).items_wanted == 0);
  f.give(CancelFetch{RequestId{3}, item});
  CHECK(f.answer().status == RequestStatus::kNotFound);
  f.give(FetchItem{RequestId{4}, item, 0, {}});
  f.receive(b, named.tx_set);
  f.give(FetchItem{RequestId{5}, item, 0, {}});
  CHECK(f.answer().status == RequestStatus::kDuplicate);
}

TEST_CASE("a client waits for the slot it named, or the ledger's", "[overlay_manager]") {
  Fixture f;
  f.connect(1);
  const ItemId item = test::item_id_of(*Named{}.tx_set);
  f.give(FetchItem{RequestId{1}, item, 0, {}});  // no ledger is known yet
  LedgerView view;
  view.sequence = 1000;
  f.give(LedgerUpdated{view, {}, {}});
  CHECK(f.overlay->status(f.now.instant).items_wanted == 1);
  view.sequence = 1012;
  f.give(LedgerUpdated{view, {}, {}});
  CHECK(f.overlay->status(f.now.instant).items_wanted == 0);
  f.give(FetchItem{RequestId{2}, item, 1000, {}});
  CHECK(f.answer().status == RequestStatus::kRefused);
  CHECK(f.answer().why.find("slot: 1000") == 0);
}

TEST_CASE("what a client waited for is held before what several nodes name", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  const MessagePtr wanted = test::make_tx_set(1, 15 << 20);
  const ItemId item = test::item_id_of(*wanted);
  f.give(FetchItem{RequestId{1}, item, 0, {}});
  f.receive(a, wanted);
  for (std::uint64_t i = 2; i < 14; ++i) {
    const MessagePtr other = test::make_tx_set(i, 15 << 20);
    for (std::uint64_t node = 1; node <= 2; ++node)
      receive_verified(f, a,
                       test::make_scp({}, {.node = test::make_node(node),
                                           .slot = kSlot,
                                           .ballot_counter = static_cast<std::uint32_t>(i),
                                           .tx_set = other->item_hash()}));
    f.receive(a, other);
  }
  CHECK(f.overlay->metrics().fetch.items_evicted > 0);
  CHECK(f.overlay->find_item(item) == wanted);
}

TEST_CASE("a client that waits for too many items is told so", "[overlay_manager]") {
  Fixture f;
  for (std::uint64_t i = 0; i < limits::kClientFetchesMax; ++i) {
    f.give(FetchItem{RequestId{i}, {ItemKind::kTxSet, {test::make_full_hash(i).bytes}}, 0, {}});
    REQUIRE(f.answer().status == RequestStatus::kAccepted);
  }
  f.give(FetchItem{RequestId{1}, {ItemKind::kTxSet, {test::make_full_hash(5000).bytes}}, 0, {}});
  CHECK(f.answer().status == RequestStatus::kRefused);
  CHECK(f.answer().why.find("1000") != std::string::npos);
}
