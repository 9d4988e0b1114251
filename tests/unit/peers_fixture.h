// What the tests of links, slots and the book share: callers and dials from any address, and time that runs as in a
// daemon, deadline by deadline.
#pragma once
#include <algorithm>
#include <functional>

#include "overlay_fixture.h"

namespace overlayd {

struct PeersFixture : OverlayFixture {
  const Now began = now;
  std::set<PeerId> silent;  // links that neither read nor write
  std::uint64_t last_caller = 0;
  std::uint64_t last_request = 0;

  explicit PeersFixture(const std::function<void(OverlayOptions&)>& set = {}) {
    if (set) set(options);
    start();
  }
  void start() {
    overlay = std::make_unique<OverlayManager>(options, random, now);
    out.clear();
  }

  static PeerAddress at(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, std::uint16_t port = 11625) {
    return PeerAddress::from_v4({a, b, c, d}, port);
  }
  // An address in a group of its own.
  static PeerAddress in_group(std::uint8_t group, std::uint8_t host = 1) { return at(20, group, 0, host); }
  static NodeId node(std::uint64_t number) { return test::make_node(number); }
  PeerRecord record(const PeerAddress& address, PeerType type = PeerType::kOutbound, std::uint32_t failures = 0) const {
    return {address, now.unix_time, failures, type};
  }

  // Time passes: `out` has all that happened in it.
  void run(Duration time) {
    out.clear();
    const Instant end = now.instant + time;
    int steps = 0;
    while (overlay->next_deadline() <= end) {
      REQUIRE(++steps < 1'000'000);
      move_to(overlay->next_deadline());
      overlay->advance(now, out);
    }
    move_to(end);
    overlay->check_invariants();
  }
  void move_to(Instant instant) {
    now.instant = std::max(now.instant, instant);
    const auto since = std::chrono::duration_cast<seconds>(now.instant - began.instant);
    now.unix_time = {began.unix_time.seconds + static_cast<std::uint64_t>(since.count())};
    for (const PeerSnapshot& peer : overlay->peers(now.instant))
      if (!silent.contains(peer.peer)) overlay->handle(LinkProgress{peer.peer, now.instant, now.instant}, now, out);
  }
  void tick() { run(limits::kTick); }

  // --- callers
  PeerId open_from(const PeerAddress& remote) {
    const PeerId peer = id(++last_caller);
    give(LinkOpened{peer, {remote.ip, static_cast<std::uint16_t>(40'000 + last_caller)}, Direction::kInbound, {}, {}});
    return peer;
  }
  Bytes hello_of(const NodeId& node, std::uint16_t port = 11625) const {
    wire::Hello hello = peer::make_hello(options.local, {}, {});
    hello.peer_id = node;
    hello.listening_port = port;
    return wire::write_hello(hello);
  }
  void say_hello(PeerId peer, const NodeId& node, std::uint16_t port = 11625) {
    receive(peer, hello_of(node, port), true);
  }
  void authenticate(PeerId peer, const NodeId& node, std::uint16_t port = 11625) {
    say_hello(peer, node, port);
    if (!find<Close>().empty()) return;
    receive(peer, wire::write_auth(200));
    const Outputs effects = out;  // the grant is no part of the story
    if (is_authenticated(peer)) receive(peer, wire::write_send_more_extended({1000, 10'000'000}));
    out = effects;
  }
  PeerId call(std::uint64_t number, const PeerAddress& remote) {
    const PeerId peer = open_from(remote);
    authenticate(peer, node(number), remote.port);
    return peer;
  }

  // --- dials
  RequestId next_request() { return {++last_request}; }
  RequestAnswer order(const PeerAddress& address) {
    give(ConnectTo{address, next_request()});
    return answer();
  }
  PeerId ordered(const PeerAddress& address) {
    REQUIRE(order(address).status == RequestStatus::kAccepted);
    const auto dials = find<Dial>();
    REQUIRE(dials.size() == 1);
    REQUIRE(dials[0].address == address);
    return dials[0].peer;
  }
  void on_connected(PeerId peer, const PeerAddress& address) {
    give(LinkOpened{peer, address, Direction::kOutbound, {}, {}});
  }
  void answer_dial(PeerId peer, const PeerAddress& address, const NodeId& node) {
    on_connected(peer, address);
    authenticate(peer, node, address.port);
  }
  // An authenticated outbound link.
  PeerId link(std::uint64_t number, const PeerAddress& address) {
    const PeerId peer = ordered(address);
    answer_dial(peer, address, node(number));
    REQUIRE(is_authenticated(peer));
    return peer;
  }
  std::vector<PeerAddress> dialled() const {
    std::vector<PeerAddress> addresses;
    for (const Dial& dial : find<Dial>()) addresses.push_back(dial.address);
    return addresses;
  }
  bool has_dialled(const PeerAddress& address) const { return std::ranges::count(dialled(), address) != 0; }

  // --- what there is
  bool is_open(PeerId peer) const {
    const auto peers = overlay->peers(now.instant);
    return std::ranges::find(peers, peer, &PeerSnapshot::peer) != peers.end();
  }
  bool is_authenticated(PeerId peer) const {
    const auto peers = overlay->peers(now.instant);
    const auto found = std::ranges::find(peers, peer, &PeerSnapshot::peer);
    return found != peers.end() && found->is_authenticated;
  }
  std::optional<DropReason> closed_for(PeerId peer) const {
    for (const Close& close : find<Close>())
      if (close.peer == peer) return close.reason;
    return std::nullopt;
  }
  std::optional<KnownPeerSnapshot> known(const PeerAddress& address) const {
    for (const KnownPeerSnapshot& known : overlay->known_peers(now))
      if (known.record.address == address) return known;
    return std::nullopt;
  }
  std::uint32_t failures(const PeerAddress& address) const {
    const auto found = known(address);
    REQUIRE(found);
    return found->record.failures;
  }
  ClosedLink last_closed() const {
    const auto closed = overlay->closed_links(1);
    REQUIRE(closed.size() == 1);
    return closed[0];
  }

  // --- bans
  static Subnet range(const PeerAddress& address, std::uint8_t prefix) {
    return Subnet::around(address, static_cast<std::uint8_t>(96 + prefix));
  }
  // A ban that is on disk.
  RequestAnswer ban(const BanSubject& subject, const BanTerms& terms = {}) {
    const RequestId request = next_request();
    give(BanPeers{subject, terms, request});
    const auto stored = find<StoreBan>();
    REQUIRE(stored.size() == 1);
    give(BanStored{request, stored[0].links_dropped, ""});
    return answer();
  }
};

}  // namespace overlayd
