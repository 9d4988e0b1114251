// What the tests of OverlayManager share.
#pragma once
#include <catch2/catch.hpp>

#include "core/overlay_manager.h"
#include "tests/support/messages.h"

namespace overlayd {

using wire::MessageType;

// One overlay, and peers that are nothing but the messages they send.
struct OverlayFixture {
  OverlayOptions options;
  Random random{1};
  Now now{Instant(seconds(100)), {1'800'000'000}};
  std::unique_ptr<OverlayManager> overlay;
  Outputs out;

  explicit OverlayFixture(RelayMode mode = RelayMode::kConsensus) {
    options.local.node_id = test::make_node(1000);
    options.relay_mode = mode;
    overlay = std::make_unique<OverlayManager>(options, random, now);
    give(TransactionTakers{true});
  }
  void give(const Input& input) {
    out.clear();
    overlay->handle(input, now, out);
    overlay->check_invariants();
  }
  void receive(PeerId peer, Bytes xdr, bool is_cert_valid = false) {
    give(MessageReceived{peer, wire::Message::adopt(std::move(xdr), {}), is_cert_valid});
  }
  void receive(PeerId peer, const MessagePtr& message) { give(MessageReceived{peer, message, false}); }
  void open(std::uint64_t number) {
    const PeerId peer = id(number);
    give(LinkOpened{peer,
                    PeerAddress::from_v4({20, 1, 1, static_cast<std::uint8_t>(number)}, 40'000),
                    Direction::kInbound,
                    {},
                    {}});
  }
  static PeerId id(std::uint64_t number) { return {kAcceptedPeerBit | number}; }
  Bytes hello(std::uint64_t number) const {
    wire::Hello hello = peer::make_hello(options.local, {}, {});
    hello.peer_id = test::make_node(number);
    return wire::write_hello(hello);
  }
  // An authenticated inbound peer with plenty of credit for us.
  PeerId connect(std::uint64_t number) {
    open(number);
    receive(id(number), hello(number), true);
    receive(id(number), wire::write_auth(200));
    receive(id(number), wire::write_send_more_extended({1000, 10'000'000}));
    return id(number);
  }
  template <typename T>
  std::vector<T> find() const {
    std::vector<T> found;
    for (const Output& output : out)
      if (const auto* value = std::get_if<T>(&output)) found.push_back(*value);
    return found;
  }
  std::vector<std::pair<PeerId, MessageType>> sent() const {
    std::vector<std::pair<PeerId, MessageType>> sent;
    for (const Send& send : find<Send>()) sent.emplace_back(send.peer, send.message->type());
    return sent;
  }
  // To whom a message of this type went.
  std::vector<PeerId> sent_of(MessageType type) const {
    std::vector<PeerId> peers;
    for (const auto& [peer, sent_type] : sent())
      if (sent_type == type) peers.push_back(peer);
    return peers;
  }
  // Time passes, and what was due is done.
  void pass(Duration time) {
    now.instant = now.instant + time;
    out.clear();
    overlay->advance(now, out);
    overlay->check_invariants();
  }
  // The one that was given last.
  RequestAnswer answer() const {
    const auto answers = find<RequestAnswer>();
    REQUIRE(answers.size() == 1);
    return answers[0];
  }
  std::uint64_t dropped(DropReason reason) const {
    return overlay->metrics().link.drops[static_cast<std::size_t>(reason)];
  }
};

inline LedgerView ledger_at(std::uint32_t sequence) {
  LedgerView view;
  view.sequence = sequence;
  return view;
}

using Sent = std::vector<std::pair<PeerId, MessageType>>;

}  // namespace overlayd
