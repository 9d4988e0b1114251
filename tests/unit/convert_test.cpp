#include "ipc/convert.h"
#include "core/book/address.h"

#include <catch2/catch.hpp>

#include "core/book/address.h"
#include "core/wire/hashes.h"
#include "ipc_fake.h"

using namespace overlayd;
using namespace overlayd::ipc;
using namespace overlayd::ipc::testing;

TEST_CASE("a valid envelope becomes the StellarMessage around it", "[convert]") {
  crypto::init();
  v1::BroadcastRequest request;
  request.set_transaction_envelope(text_of(transaction_envelope(1)));
  const auto transaction = to_message(request, network());
  REQUIRE(transaction.ok());
  CHECK(transaction.value()->type() == wire::MessageType::kTransaction);
  CHECK(text_of(transaction.value()->body()) == request.transaction_envelope());
  request.set_scp_envelope(text_of(scp_envelope(1)));
  const auto scp = to_message(request, network());
  REQUIRE(scp.ok());
  CHECK(scp.value()->type() == wire::MessageType::kScpMessage);
}

TEST_CASE("malformed XDR is refused with the field, the byte and the type", "[convert]") {
  crypto::init();
  v1::BroadcastRequest request;
  CHECK_THAT(to_message(request, network()).error(), Catch::StartsWith("item: "));
  request.set_transaction_envelope(text_of(transaction_envelope(1)).substr(0, 60));
  CHECK_THAT(to_message(request, network()).error(), Catch::StartsWith("transaction_envelope: ") &&
                                                         Catch::Contains("at byte") && Catch::Contains("Transaction"));
  request.set_transaction_envelope(text_of(transaction_envelope(1)) + std::string(4, '\0'));
  CHECK_THAT(to_message(request, network()).error(), Catch::StartsWith("transaction_envelope: "));
  request.set_scp_envelope("\xff\xff\xff\xff");
  CHECK_THAT(to_message(request, network()).error(), Catch::StartsWith("scp_envelope: ") && Catch::Contains("at byte"));
}

TEST_CASE("a verdict names its subject by 32 bytes and a known judgement", "[convert]") {
  v1::VerdictsRequest::Item item;
  item.set_verdict(v1::VERDICT_BAN);
  CHECK_THAT(to_verdict(item).error(), Catch::StartsWith("subject: "));
  item.set_flood_hash(std::string(31, 'x'));
  CHECK_THAT(to_verdict(item).error(), Catch::StartsWith("flood_hash: must be 32 bytes, has 31"));
  item.set_flood_hash(std::string(32, 'x'));
  CHECK(std::holds_alternative<FloodHash>(to_verdict(item).value().subject));
  CHECK(to_verdict(item).value().verdict == Verdict::kBan);
  item.set_tx_hash(std::string(32, 'y'));
  CHECK(std::holds_alternative<TxHash>(to_verdict(item).value().subject));
  item.set_verdict(v1::VERDICT_UNSPECIFIED);
  CHECK_THAT(to_verdict(item).error(), Catch::StartsWith("verdict: "));
  item.set_verdict(static_cast<v1::Verdict>(77));
  CHECK_THAT(to_verdict(item).error(), Catch::StartsWith("verdict: "));
}

TEST_CASE("fields absent from UpdateLedger keep their former value", "[convert]") {
  LedgerView former;
  v1::UpdateLedgerRequest request;
  CHECK_THAT(to_ledger_update(request, former).error(), Catch::StartsWith("sequence: "));
  request.set_sequence(100);
  request.set_in_sync(false);
  request.set_max_tx_set_ops(500);
  request.set_close_time_ms(6000);
  request.mutable_quorum()->add_node_ids(std::string(32, 'q'));
  const auto first = to_ledger_update(request, former);
  REQUIRE(first.ok());
  CHECK(first.value().view.is_known);
  CHECK(first.value().view.quorum.size() == 1);
  v1::UpdateLedgerRequest next;
  next.set_sequence(101);
  const auto second = to_ledger_update(next, first.value().view);
  REQUIRE(second.ok());
  const LedgerView& view = second.value().view;
  CHECK(view.sequence == 101);
  CHECK_FALSE(view.is_in_sync);
  CHECK(view.max_tx_set_ops == 500);
  CHECK(view.close_time == seconds(6));
  CHECK(view.quorum.size() == 1);
  next.mutable_quorum();
  CHECK(to_ledger_update(next, view).value().view.quorum.empty());
}

TEST_CASE("UpdateLedger takes hashes of 32 bytes and times within their range", "[convert]") {
  LedgerView former;
  v1::UpdateLedgerRequest request;
  request.set_sequence(1);
  request.add_applied_tx_hashes(std::string(32, 'a'));
  request.add_banned_tx_hashes(std::string(32, 'b'));
  CHECK(to_ledger_update(request, former).value().applied.size() == 1);
  CHECK(to_ledger_update(request, former).value().banned.size() == 1);
  request.add_banned_tx_hashes("short");
  CHECK_THAT(to_ledger_update(request, former).error(), Catch::StartsWith("banned_tx_hashes[1]: "));
  request.clear_banned_tx_hashes();
  for (const std::uint32_t good : {1U, 3'600'000U}) {
    request.set_close_time_ms(good);
    CHECK(to_ledger_update(request, former).ok());
  }
  for (const std::uint32_t bad : {0U, 3'600'001U}) {
    request.set_close_time_ms(bad);
    CHECK_THAT(to_ledger_update(request, former).error(), Catch::StartsWith("close_time_ms: "));
  }
}

TEST_CASE("a number of UpdateLedger out of its range is refused with the field, the range and the value", "[convert]") {
  LedgerView former;
  v1::UpdateLedgerRequest request;
  request.set_sequence(0);
  CHECK(to_ledger_update(request, former).error() == "sequence: must be at least 1, is 0");
  request.set_sequence(UINT32_MAX);
  const auto outcome = [&](auto set, std::uint32_t value) {
    v1::UpdateLedgerRequest changed = request;
    (changed.*set)(value);
    const auto update = to_ledger_update(changed, former);
    return update ? std::string() : update.error();
  };
  const auto protocol = &v1::UpdateLedgerRequest::set_protocol_version;
  CHECK(outcome(protocol, 1).empty());
  CHECK(outcome(protocol, 1000).empty());
  CHECK(outcome(protocol, 0) == "protocol_version: must be 1 to 1000, is 0");
  CHECK(outcome(protocol, 1001) == "protocol_version: must be 1 to 1000, is 1001");
  const auto ops = &v1::UpdateLedgerRequest::set_max_tx_set_ops;
  CHECK(outcome(ops, 1).empty());
  CHECK(outcome(ops, 1'000'000).empty());
  CHECK(outcome(ops, 0) == "max_tx_set_ops: must be 1 to 1000000, is 0");
  CHECK(outcome(ops, 1'000'001) == "max_tx_set_ops: must be 1 to 1000000, is 1000001");
  const auto soroban = &v1::UpdateLedgerRequest::set_soroban_tx_bytes_max;
  CHECK(outcome(soroban, 0).empty());
  CHECK(outcome(soroban, 16'775'172).empty());
  CHECK(outcome(soroban, 16'775'173) == "soroban_tx_bytes_max: must be 0 to 16775172, is 16775173");
  CHECK(outcome(soroban, UINT32_MAX) == "soroban_tx_bytes_max: must be 0 to 16775172, is 4294967295");
}

TEST_CASE("the largest Soroban transaction of a ledger still fits a message", "[convert]") {
  v1::UpdateLedgerRequest request;
  request.set_sequence(1);
  request.set_soroban_tx_bytes_max(16'775'172);
  const auto update = to_ledger_update(request, LedgerView{});
  REQUIRE(update.ok());
  CHECK(update.value().view.max_tx_size() == 16'775'172 + limits::kMaxTxSizeBuffer);
  CHECK(update.value().view.max_tx_size() <= limits::kMessageBytesMax);
}

TEST_CASE("an SCP envelope must fit the flow control of every peer, a transaction need not", "[convert]") {
  crypto::init();
  const auto message_of = [](const Bytes& envelope) {
    v1::BroadcastRequest request;
    request.set_scp_envelope(text_of(envelope));
    auto message = to_message(request, network());
    REQUIRE(message.ok());
    return message.value();
  };
  const MessagePtr largest = message_of(large_scp_envelope(limits::kScpMessageBytesMax));
  CHECK(largest->size() == 200'000);
  CHECK(check_broadcastable(*largest).ok());
  const auto refused = check_broadcastable(*message_of(large_scp_envelope(limits::kScpMessageBytesMax + 4)));
  REQUIRE_FALSE(refused.ok());
  CHECK_THAT(refused.error(), Catch::StartsWith("scp_envelope: its StellarMessage is 200004 bytes; at most 200000"));
  CHECK(check_broadcastable(*transaction_message(1)).ok());
}

TEST_CASE("at most 100,000 hashes pass in one UpdateLedger", "[convert]") {
  LedgerView former;
  v1::UpdateLedgerRequest request;
  request.set_sequence(1);
  for (std::size_t i = 0; i < limits::kLedgerHashesMax; ++i) request.add_applied_tx_hashes(std::string(32, 'a'));
  CHECK(to_ledger_update(request, former).ok());
  request.add_applied_tx_hashes(std::string(32, 'a'));
  CHECK_THAT(to_ledger_update(request, former).error(), Catch::StartsWith("applied_tx_hashes: at most 100000"));
}

TEST_CASE("an address is an IP with or without a port", "[convert]") {
  CHECK(book::display_text(parse_address("192.0.2.1:99").value()) == "192.0.2.1:99");
  CHECK(book::display_text(parse_address("192.0.2.1").value()) == "192.0.2.1:11625");
  CHECK(book::display_text(parse_address("[2001:db8::1]:99").value()) == "[2001:db8::1]:99");
  CHECK(book::display_text(parse_address("[2001:db8::1]").value()) == "[2001:db8::1]:11625");
  CHECK(book::display_text(parse_address("2001:db8::1").value()) == "[2001:db8::1]:11625");
  CHECK(book::display_text(parse_address("192.0.2.1", "address", 0).value()) == "192.0.2.1");
  CHECK(book::display_text(parse_address("[2001:db8::1]", "address", 0).value()) == "[2001:db8::1]");
  for (const char* bad : {"", "host", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:9x", "[::1", "[::1]9",
                          "1.2.3", "192.0.2.1:-1"}) {
    INFO(bad);
    CHECK_FALSE(parse_address(bad).ok());
  }
}

TEST_CASE("an event carries the hashes of its kind and the envelope", "[convert]") {
  crypto::init();
  const MessagePtr message = transaction_message(3);
  v1::Event event;
  to_proto(
      LoggedEvent{
          .topic = Topic::kTransactions, .ordinal = 8, .arrival_unix_nanos = 77, .from = node(4), .message = message},
      event);
  CHECK(event.sequence() == 2'000'000'000'000'008);
  CHECK(event.topic() == v1::TOPIC_TRANSACTIONS);
  CHECK(event.arrival_unix_nanos() == 77);
  CHECK(event.from() == std::string(32, '\4'));
  CHECK(event.hash() == text_of(message->tx_hash().view()));
  CHECK(event.flood_hash() == text_of(message->flood_hash().view()));
  CHECK(event.tx_full_hash() == text_of(message->tx_full_hash().view()));
  CHECK(event.xdr() == text_of(transaction_envelope(3)));
  const MessagePtr scp = scp_message(3);
  v1::Event other;
  to_proto(LoggedEvent{.topic = Topic::kScp, .ordinal = 1, .arrival_unix_nanos = 77, .from = node(4), .message = scp},
           other);
  CHECK(other.hash() == text_of(scp->flood_hash().view()));
  CHECK(other.tx_full_hash().empty());
}

TEST_CASE("an item that arrived comes with its XDR, kind and hash, and from whom", "[convert]") {
  crypto::init();
  struct Example {
    MessagePtr message;
    Bytes xdr;
    v1::ItemKind kind;
  };
  for (const Example& example :
       {Example{tx_set_message(1), tx_set(1), v1::ITEM_KIND_TX_SET},
        Example{generalized_tx_set_message(2), generalized_tx_set(2), v1::ITEM_KIND_GENERALIZED_TX_SET},
        Example{quorum_set_message(3), quorum_set(3), v1::ITEM_KIND_QUORUM_SET}}) {
    EventLog log({});
    auto cursor = log.attach({Topic::kItems}, {}).value();
    log.append_item(77, arrival(example.message, node(4)));
    v1::Event event;
    to_proto(log.read(cursor, {}).events.at(0), event);
    CHECK(event.sequence() == 4'000'000'000'000'001);
    CHECK(event.topic() == v1::TOPIC_ITEMS);
    CHECK(event.arrival_unix_nanos() == 77);
    CHECK(event.from() == std::string(32, '\4'));
    CHECK(event.hash() == text_of(example.message->item_hash().view()));
    CHECK(event.flood_hash().empty());
    CHECK(event.xdr() == text_of(example.xdr));
    CHECK(event.item().change() == v1::ItemEvent::CHANGE_ARRIVED);
    CHECK(event.item().kind() == example.kind);
    CHECK(event.item().size() == example.xdr.size());
    CHECK(event.item().searched_ms() == 250);
    CHECK(event.item().peers_asked() == 4);
    CHECK(event.item().rounds() == 1);
  }
}

TEST_CASE("a missing item has its hash and how long it was searched, and nobody it came from", "[convert]") {
  PublishItem missing;
  missing.item = {.kind = ItemKind::kQuorumSet, .hash = ItemHash{}};
  missing.item.hash.bytes.fill(5);
  missing.change = ItemChange::kMissing;
  missing.searched_for = seconds(3);
  missing.peers_asked = 8;
  missing.rounds = 2;
  EventLog log({});
  auto cursor = log.attach({Topic::kItems}, {}).value();
  log.append_item(77, missing);
  v1::Event event;
  to_proto(log.read(cursor, {}).events.at(0), event);
  CHECK(event.hash() == std::string(32, '\5'));
  CHECK(event.from().empty());
  CHECK(event.xdr().empty());
  CHECK(event.item().change() == v1::ItemEvent::CHANGE_MISSING);
  CHECK(event.item().kind() == v1::ITEM_KIND_QUORUM_SET);
  CHECK(event.item().size() == 0);
  CHECK(event.item().searched_ms() == 3000);
  CHECK(event.item().peers_asked() == 8);
  CHECK(event.item().rounds() == 2);
}

TEST_CASE("a peer's request for SCP state says from where and what it got", "[convert]") {
  EventLog log({});
  auto cursor = log.attach({Topic::kScpStateRequests}, {}).value();
  log.append_scp_state_request(77, {.peer = PeerId{1}, .from = node(4), .from_ledger = 12, .envelopes_sent = 34});
  v1::Event event;
  to_proto(log.read(cursor, {}).events.at(0), event);
  CHECK(event.topic() == v1::TOPIC_SCP_STATE_REQUESTS);
  CHECK(event.from() == std::string(32, '\4'));
  CHECK(event.hash().empty());
  CHECK(event.scp_state_request().from_ledger() == 12);
  CHECK(event.scp_state_request().envelopes_sent() == 34);
}

TEST_CASE("the hash of an item is that of its own XDR, not of the message around it", "[convert]") {
  crypto::init();
  CHECK(tx_set_message(1)->item_hash() == wire::tx_set_hash(tx_set(1)));
  CHECK(generalized_tx_set_message(1)->item_hash() == wire::generalized_tx_set_hash(generalized_tx_set(1)));
  CHECK(quorum_set_message(1)->item_hash() == wire::quorum_set_hash(quorum_set(1)));
}

TEST_CASE("status tells of fetching: what is wanted and held, and every counter under its own name", "[convert]") {
  StatusSnapshot status;
  FetchMetrics& fetch = status.metrics.fetch;
  const std::vector<std::pair<std::uint64_t*, std::string>> counters{{&fetch.queries_answered, "queries_answered"},
                                                                     {&fetch.queries_dont_have, "queries_dont_have"},
                                                                     {&fetch.queries_ignored, "queries_ignored"},
                                                                     {&fetch.queries_held, "queries_held"},
                                                                     {&fetch.scp_state_sent, "scp_state_sent"},
                                                                     {&fetch.asked, "items_asked"},
                                                                     {&fetch.dont_have, "items_dont_have"},
                                                                     {&fetch.timeouts, "items_timeouts"},
                                                                     {&fetch.rounds, "items_rounds"},
                                                                     {&fetch.fetched, "items_fetched"},
                                                                     {&fetch.fetched_bytes, "items_fetched_bytes"},
                                                                     {&fetch.abandoned, "fetches_abandoned"},
                                                                     {&fetch.trackers_refused, "fetches_refused"},
                                                                     {&fetch.trackers_evicted, "fetches_evicted"},
                                                                     {&fetch.envelopes_refused, "envelopes_refused"},
                                                                     {&fetch.unsolicited, "items_unsolicited"},
                                                                     {&fetch.items_refused, "items_refused"},
                                                                     {&fetch.items_evicted, "items_evicted"},
                                                                     {&fetch.scp_state_refused, "scp_state_refused"}};
  for (std::size_t i = 0; i < counters.size(); ++i) *counters[i].first = 100 + i;
  fetch.delay.observe(milliseconds(30));
  status.items_wanted = 1;
  status.envelopes_waiting = 2;
  status.tx_sets_held = 3;
  status.tx_sets_bytes = 4;
  status.quorum_sets_held = 5;
  status.quorum_sets_bytes = 6;
  status.scp_state_slots = 7;
  status.scp_state_envelopes = 8;
  v1::GetStatusResponse out;
  to_proto(status, out);
  std::map<std::string, std::uint64_t> named;
  for (const auto& counter : out.counters()) CHECK(named.emplace(counter.name(), counter.value()).second);
  for (std::size_t i = 0; i < counters.size(); ++i) {
    INFO(counters[i].second);
    CHECK(named[counters[i].second] == 100 + i);
  }
  CHECK(named["items_delay_ms"] == 30);
  CHECK(out.items_wanted() == 1);
  CHECK(out.envelopes_waiting() == 2);
  CHECK(out.tx_sets_held() == 3);
  CHECK(out.tx_sets_bytes() == 4);
  CHECK(out.quorum_sets_held() == 5);
  CHECK(out.quorum_sets_bytes() == 6);
  CHECK(out.scp_state_slots() == 7);
  CHECK(out.scp_state_envelopes() == 8);
}

TEST_CASE("text of a peer is made printable before it leaves", "[convert]") {
  CHECK(printable("ok \x1b[31m\xff\n") == "ok ?[31m??");
  PeerSnapshot peer;
  peer.version_string = "evil\x80\x01";
  peer.latency = milliseconds(12);
  v1::Peer out;
  to_proto(peer, out);
  CHECK(out.version() == "evil??");
  CHECK(out.latency_ms() == Approx(12.0));
  CHECK(out.node_id().empty());
  peer.latency = Duration(-1);
  v1::Peer unmeasured;
  to_proto(peer, unmeasured);
  CHECK_FALSE(unmeasured.has_latency_ms());
}
