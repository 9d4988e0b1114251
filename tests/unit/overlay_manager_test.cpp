#include "core/overlay_manager.h"

#include "overlay_fixture.h"

using namespace overlayd;
using Fixture = OverlayFixture;

TEST_CASE("what comes from a link that is not open is ignored", "[overlay_manager]") {
  Fixture f;
  f.receive(Fixture::id(9), test::make_transaction({}, 1));
  f.give(LinkFaulted{Fixture::id(9), DropReason::kAuthMac, ""});
  f.give(LinkClosed{Fixture::id(9), DropReason::kClosedByRemote, ""});
  CHECK(f.out.empty());
}

TEST_CASE("a fault of the transport closes the link with its error", "[overlay_manager]") {
  Fixture f;
  const PeerId peer = f.connect(1);
  f.give(LinkFaulted{peer, DropReason::kAuthMac, ""});
  const auto closes = f.find<Close>();
  REQUIRE(closes.size() == 1);
  REQUIRE(closes[0].error);
  CHECK(wire::read_error(closes[0].error->xdr())->text == "unexpected MAC");
  CHECK(f.dropped(DropReason::kAuthMac) == 1);
}

TEST_CASE("a peer that sends more than its credit is dropped in silence", "[overlay_manager]") {
  Fixture f;
  const PeerId peer = f.connect(1);
  Bytes advert(300'004);  // our window is 300,000 bytes
  advert[3] = 18;
  f.receive(peer, advert);
  CHECK(f.dropped(DropReason::kOverCapacity) == 1);
  REQUIRE(f.find<Close>().size() == 1);
  CHECK_FALSE(f.find<Close>()[0].error);
}

TEST_CASE("a message to all goes to those who do not know it, never back", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  const PeerId b = f.connect(2);
  const PeerId c = f.connect(3);
  const MessagePtr scp = test::make_scp({}, {.node = test::make_node(7)});
  f.receive(a, scp);
  CHECK(f.find<VerifyScp>().size() == 1);
  CHECK(f.find<Send>().empty());
  f.receive(b, scp);  // b has it too, before it is verified
  f.give(ScpVerified{scp->flood_hash(), true});
  CHECK(f.sent_of(MessageType::kScpMessage) == std::vector{c});
  CHECK(f.find<PublishMessage>().size() == 1);
}

TEST_CASE("a SCP message with a bad signature is not relayed, and forgotten", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  f.connect(2);
  const MessagePtr scp = test::make_scp({}, {.node = test::make_node(7)});
  f.receive(a, scp);
  f.give(ScpVerified{scp->flood_hash(), false});
  CHECK(f.out.empty());
  CHECK(f.overlay->metrics().scp.invalid_signature == 1);
  // A later copy is looked at again, without a second check of what is known to be wrong.
  f.receive(a, scp);
  CHECK(f.out.empty());
  CHECK(f.overlay->metrics().scp.invalid_signature == 2);
}

TEST_CASE("the credit of a SCP message returns when its signature was checked", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  std::vector<MessagePtr> messages;
  for (std::uint64_t i = 0; i < 200; ++i) {
    messages.push_back(test::make_scp({}, {.node = test::make_node(100 + i)}));
    f.receive(a, messages.back());
    REQUIRE(f.find<Send>().empty());
  }
  SECTION("one more than the window ends the link of its sender alone") {
    f.receive(a, test::make_scp({}, {.node = test::make_node(7)}));
    CHECK(f.dropped(DropReason::kOverCapacity) == 1);
  }
  SECTION("40 verdicts return 40 messages, whatever they say") {
    for (std::size_t i = 0; i < 39; ++i) {
      f.give(ScpVerified{messages[i]->flood_hash(), i % 2 == 0});
      REQUIRE(f.sent_of(MessageType::kSendMoreExtended).empty());
    }
    f.give(ScpVerified{messages[39]->flood_hash(), false});
    REQUIRE(f.sent() == Sent{{a, MessageType::kSendMoreExtended}});
    CHECK(wire::read_send_more_extended(f.find<Send>()[0].message->xdr())->messages == 40);
  }
  SECTION("a peer that left is not missed") {
    f.give(LinkClosed{a, DropReason::kClosedByRemote, ""});
    f.give(ScpVerified{messages[0]->flood_hash(), true});
    CHECK(f.find<PublishMessage>().size() == 1);
  }
}

TEST_CASE("a verdict against a SCP envelope does not make it new", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  const PeerId b = f.connect(2);
  const MessagePtr scp = test::make_scp({}, {.node = test::make_node(7)});
  f.receive(a, scp);
  f.give(ScpVerified{scp->flood_hash(), true});
  f.give(VerdictGiven{scp->flood_hash(), Verdict::kBan});
  f.receive(b, scp);
  CHECK(f.out.empty());
}

TEST_CASE("a hash named twice in a demand is served once", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  const MessagePtr transaction = test::make_transaction({}, 1);
  f.give(Broadcast{RequestId{1}, transaction});
  f.receive(a, wire::write_flood_demand(std::vector(1000, transaction->tx_full_hash())));
  CHECK(f.sent() == Sent{{a, MessageType::kTransaction}});
}

TEST_CASE("a transaction over the maximum is neither kept nor published", "[overlay_manager]") {
  Fixture f(RelayMode::kStandalone);
  const PeerId a = f.connect(1);
  f.connect(2);
  f.receive(a, test::make_upload({}, 1, 102'400));
  CHECK(f.find<PublishMessage>().empty());
  CHECK(f.overlay->status(f.now.instant).tx_pool_transactions == 0);
  f.receive(a, test::make_upload({}, 2, 100'000));
  CHECK(f.find<PublishMessage>().size() == 1);
}

TEST_CASE("slots and nodes that cannot matter are not relayed", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  LedgerView view;
  view.sequence = 1000;
  view.checkpoint_slot = 960;
  view.quorum = {test::make_node(7)};
  f.give(LedgerUpdated{view, {}, {}});
  const auto is_taken = [&](std::uint64_t slot, std::uint64_t node) {
    f.receive(a, test::make_scp({}, {.node = test::make_node(node), .slot = slot}));
    return f.find<VerifyScp>().size() == 1;
  };
  CHECK(is_taken(1001, 7));
  CHECK_FALSE(is_taken(1001, 8));
  CHECK(is_taken(989, 7));
  CHECK_FALSE(is_taken(988, 7));
  CHECK(is_taken(960, 7));
  CHECK(is_taken(1100, 7));
  CHECK_FALSE(is_taken(1101, 7));
  CHECK(f.overlay->metrics().scp.implausible == 3);
}

TEST_CASE("a transaction is advertised once the client accepts it, and sent when demanded", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  const PeerId b = f.connect(2);
  const MessagePtr transaction = test::make_transaction({}, 1);
  f.receive(a, transaction);
  CHECK(f.find<PublishMessage>().size() == 1);
  CHECK(f.find<Send>().empty());
  f.receive(b, wire::write_flood_demand(std::vector{transaction->tx_full_hash()}));
  CHECK(f.find<Send>().empty());
  f.give(VerdictGiven{transaction->tx_hash(), Verdict::kAccept});
  CHECK(f.sent() == Sent{{b, MessageType::kFloodAdvert}});
  f.receive(b, wire::write_flood_demand(std::vector{transaction->tx_full_hash()}));
  CHECK(f.sent() == Sent{{b, MessageType::kTransaction}});
}

TEST_CASE("adverts carry the hash of the whole envelope", "[overlay_manager]") {
  Fixture f;
  f.connect(1);
  const MessagePtr transaction = test::make_transaction({}, 1);
  f.give(Broadcast{RequestId{1}, transaction});
  const auto sends = f.find<Send>();
  REQUIRE(sends.size() == 1);
  const auto hashes = wire::read_tx_hashes(sends[0].message->xdr());
  REQUIRE(hashes->size() == 1);
  CHECK((*hashes)[0] == transaction->tx_full_hash());
}

TEST_CASE("a rejected transaction may come again, a banned one is not looked at", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  const MessagePtr transaction = test::make_transaction({}, 1);
  f.receive(a, transaction);
  f.give(VerdictGiven{transaction->tx_hash(), Verdict::kReject});
  f.receive(a, transaction);
  CHECK(f.find<PublishMessage>().size() == 1);
  f.give(VerdictGiven{transaction->tx_hash(), Verdict::kBan});
  f.receive(a, transaction);
  CHECK(f.find<PublishMessage>().empty());
  f.receive(a, wire::write_flood_advert(std::vector{transaction->tx_full_hash()}));
  CHECK(f.find<Send>().empty());
}

TEST_CASE("a verdict by flood hash reaches that envelope alone", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  f.connect(2);
  const MessagePtr good = test::make_transaction({}, 1);
  Bytes forged(good->xdr().begin(), good->xdr().end());
  forged.back() ^= 1;  // another signature, the same transaction
  const MessagePtr bad = wire::Message::adopt(std::move(forged), {});
  REQUIRE(bad->tx_hash() == good->tx_hash());
  f.receive(a, bad);
  f.receive(a, good);
  f.give(VerdictGiven{bad->flood_hash(), Verdict::kBan});
  f.give(VerdictGiven{good->flood_hash(), Verdict::kAccept});
  REQUIRE(f.find<Send>().size() == 1);
  CHECK(f.find<Send>()[0].message->type() == MessageType::kFloodAdvert);
}

TEST_CASE("a broadcast is answered with what became of it", "[overlay_manager]") {
  Fixture f;
  f.connect(1);
  f.connect(2);
  const auto answer = [&](const MessagePtr& message) {
    f.give(Broadcast{RequestId{5}, message});
    const auto answers = f.find<RequestAnswer>();
    REQUIRE(answers.size() == 1);
    return answers[0];
  };
  const MessagePtr transaction = test::make_transaction({}, 1);
  CHECK(answer(transaction).peers_told == 2);
  CHECK(answer(transaction).status == RequestStatus::kDuplicate);
  const MessagePtr scp = test::make_scp({}, {.node = test::make_node(7)});
  CHECK(answer(scp).status == RequestStatus::kAccepted);
  CHECK(answer(scp).status == RequestStatus::kDuplicate);
  f.give(VerdictGiven{transaction->tx_hash(), Verdict::kBan});
  CHECK(answer(transaction).status == RequestStatus::kRefused);
  CHECK_FALSE(answer(transaction).why.empty());
}

TEST_CASE("what we do not have is answered with DONT_HAVE of the right type", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  const ItemHash hash{{1, 2, 3}};
  f.receive(a, wire::write_get_tx_set(hash));
  REQUIRE(f.find<Send>().size() == 1);
  auto dont_have = wire::read_dont_have(f.find<Send>()[0].message->xdr());
  CHECK(dont_have->type == MessageType::kGeneralizedTxSet);
  CHECK(dont_have->hash == hash);
  f.receive(a, wire::write_get_scp_quorumset(hash));
  dont_have = wire::read_dont_have(f.find<Send>()[0].message->xdr());
  CHECK(dont_have->type == MessageType::kScpQuorumset);
}

TEST_CASE("queries beyond the limit are ignored in silence", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  for (int i = 0; i < 300; ++i) {
    f.receive(a, wire::write_get_tx_set({}));
    REQUIRE(f.find<Send>().size() == 1);
  }
  f.receive(a, wire::write_get_tx_set({}));
  CHECK(f.out.empty());
  CHECK(f.overlay->metrics().fetch.queries_ignored == 1);
}

TEST_CASE("a second link of the same node is refused by its short id", "[overlay_manager]") {
  Fixture f;
  f.connect(1);
  f.open(2);
  f.receive(Fixture::id(2), f.hello(1), true);
  const auto closes = f.find<Close>();
  REQUIRE(closes.size() == 1);
  CHECK(closes[0].reason == DropReason::kAlreadyConnected);
  CHECK(wire::read_error(closes[0].error->xdr())->text.starts_with("already-connected peer: G"));
  CHECK(f.overlay->status(f.now.instant).peers_inbound == 1);
}

TEST_CASE("the error a peer sends is kept, with everything odd made a star", "[overlay_manager]") {
  Fixture f;
  const PeerId a = f.connect(1);
  f.receive(a, wire::write_error({4, "no\nroom; sorry 1"}));
  const auto events = f.find<PublishPeer>();
  REQUIRE(events.size() == 1);
  CHECK(events[0].reason == DropReason::kErrorFromRemote);
  CHECK(events[0].detail == "ERR_LOAD (no*room* sorry 1)");
}

TEST_CASE("a banned node is dropped at HELLO without a word", "[overlay_manager]") {
  Fixture f;
  f.options.stored_bans = {{.subject = test::make_node(1)}};
  f.overlay = std::make_unique<OverlayManager>(f.options, f.random, f.now);
  f.open(1);
  f.receive(Fixture::id(1), f.hello(1), true);
  CHECK(f.find<Send>().empty());
  REQUIRE(f.find<Close>().size() == 1);
  CHECK_FALSE(f.find<Close>()[0].error);
}

TEST_CASE("PEERS goes to those who call us, and names those we know", "[overlay_manager]") {
  Fixture f;
  f.connect(1);
  f.open(2);
  f.receive(Fixture::id(2), f.hello(2), true);
  f.receive(Fixture::id(2), wire::write_auth(200));
  const Sent sent = f.sent();
  REQUIRE(sent.size() >= 2);
  CHECK(sent[0].second == MessageType::kAuth);
  CHECK(sent[1].second == MessageType::kPeers);
}

TEST_CASE("pending inbound links are bounded", "[overlay_manager]") {
  Fixture f;
  f.options.max_pending = 10;
  f.overlay = std::make_unique<OverlayManager>(f.options, f.random, f.now);
  for (std::uint64_t i = 0; i < 12; ++i) f.open(i);
  CHECK(f.dropped(DropReason::kNoPendingSlot) > 0);
  CHECK(f.overlay->status(f.now.instant).peers_pending < 10);
}

TEST_CASE("after shutdown new links are refused with the reason", "[overlay_manager]") {
  Fixture f;
  f.connect(1);
  f.give(ShutDown{});
  REQUIRE(f.find<Close>().size() == 1);
  CHECK(wire::read_error(f.find<Close>()[0].error->xdr())->text == "shutdown");
  f.open(2);
  REQUIRE(f.find<Close>().size() == 1);
  CHECK(f.overlay->peers(f.now.instant).empty());
}
