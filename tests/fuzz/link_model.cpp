#include "tests/fuzz/link_model.h"

#include <algorithm>

#include "core/peer/handshake.h"
#include "core/xdr/writer.h"
#include "daemon/secure_link.h"
#include "tests/fuzz/commands.h"
#include "tests/fuzz/link_naive.h"
#include "tests/support/messages.h"

namespace overlayd {
namespace {

using fuzz::Commands;
using fuzz::NaiveEnd;
using fuzz::NaiveLink;

constexpr UnixTime kNow{1'800'000'000};
constexpr std::uint64_t kLifetime = 3'600;
constexpr std::size_t kBulkFramesMax = 4;  // of one run, so that it stays short
constexpr std::size_t kRunBytesMax = 8'192;

// --- who speaks -----------------------------------------------------------------------------------------------------

class FixedEntropy final : public Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, std::uint8_t{0x17}); }
};

crypto::Secret<32> fixed_secret(std::uint8_t byte) {
  crypto::init();
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(byte);
  return crypto::Secret<32>(bytes);
}

struct Identity {
  explicit Identity(std::uint8_t number)
      : node(std::make_shared<const crypto::NodeKey>(crypto::NodeKey::from_seed(fixed_secret(number)))),
        pair(std::make_shared<const crypto::EcdhKeyPair>(
            crypto::EcdhKeyPair::from_secret(fixed_secret(static_cast<std::uint8_t>(number + 1))))) {}

  std::shared_ptr<const crypto::NodeKey> node;
  std::shared_ptr<const crypto::EcdhKeyPair> pair;
};

const Identity& daemon_identity() {
  static const Identity kIdentity(1);
  return kIdentity;
}
const Identity& peer_identity() {
  static const Identity kIdentity(3);
  return kIdentity;
}
const NetworkId& network() {
  static const NetworkId kNetwork = fuzz::numbered_id<NetworkId>(7);
  return kNetwork;
}

enum class HelloFlaw : std::uint8_t { kNone, kSignature, kSignatureShort, kExpired, kLowOrder, kNode, kNetwork };

wire::Hello make_hello(HelloFlaw flaw) {
  LocalNode local;
  local.node_id = peer_identity().node->id();
  local.network_id = network();
  AuthCert cert{peer_identity().pair->public_key(), {kNow.seconds + kLifetime}, {}};
  if (flaw == HelloFlaw::kExpired) cert.expiration.seconds = kNow.seconds - 1;
  if (flaw == HelloFlaw::kLowOrder) cert.public_key = {};
  const NetworkId signed_for = flaw == HelloFlaw::kNetwork ? NetworkId{} : network();
  const auto signature = peer_identity().node->sign(peer::cert_hash(signed_for, cert.expiration, cert.public_key));
  cert.signature.assign(signature.begin(), signature.end());
  if (flaw == HelloFlaw::kSignature) cert.signature[5] ^= 1;
  if (flaw == HelloFlaw::kSignatureShort) cert.signature.pop_back();
  peer::Nonce nonce{};
  nonce.fill(0x29);
  wire::Hello hello = peer::make_hello(local, cert, nonce);
  if (flaw == HelloFlaw::kNode) hello.peer_id = daemon_identity().node->id();
  return hello;
}

// --- what is said ---------------------------------------------------------------------------------------------------

Bytes bytes_of(const MessagePtr& message) { return {message->xdr().begin(), message->xdr().end()}; }

const Bytes& take_ordinary(Commands& commands) {
  static const auto kMessages = [] {
    const ItemHash hash = fuzz::numbered_id<ItemHash>(1);
    const std::array<TxFullHash, 3> hashes{test::make_full_hash(1), test::make_full_hash(2), test::make_full_hash(3)};
    const PeerAddress address = PeerAddress::from_v4({10, 0, 0, 1}, limits::kPeerPort);
    xdr::Writer send_more;
    send_more.u32(40);
    return std::array<Bytes, 20>{
        wire::write_hello(make_hello(HelloFlaw::kNone)),
        wire::write_auth(static_cast<std::int32_t>(limits::kAuthFlags)),
        wire::write_error({2, "no"}),
        wire::write_dont_have({wire::MessageType::kTxSet, hash}),
        wire::write_peers({{address, limits::kPeerPort, 0}, {{.ip = {0x20, 1}, .port = 1}, 1, 2}}),
        wire::write_peers({}),
        wire::write_get_tx_set(hash),
        wire::write_get_scp_quorumset(hash),
        wire::write_get_scp_state(7),
        wire::wrap(wire::MessageType::kSendMore, send_more.bytes()),
        wire::write_send_more_extended({40, 100'000}),
        wire::write_flood_advert(hashes),
        wire::write_flood_demand(hashes),
        wire::write_flood_advert(std::vector<TxFullHash>(limits::kAdvertMax)),
        bytes_of(test::make_transaction(network(), 1)),
        bytes_of(test::make_transaction(network(), 2, 900)),
        bytes_of(test::make_scp(network(), {.node = test::make_node(1)})),
        bytes_of(test::make_scp(network(), {.node = test::make_node(1), .votes = {hash}})),
        bytes_of(test::make_tx_set(1)),
        bytes_of(test::make_quorum_set(1)),
    };
  }();
  return commands.take_one_of(kMessages);
}

// Around the sizes at which something changes: the limit before authentication, the decoder's buffer, bulk.
const Bytes& take_bulk(Commands& commands) {
  static const auto kMessages = [] {
    std::array<Bytes, 10> messages;
    std::size_t i = 0;
    for (const std::size_t bytes : {3'600, 3'980, 16'260, 16'340, 16'400, 65'300, 65'560, 70'000, 300'000, 1 << 20}) {
      messages[i] = bytes_of(i % 2 == 0 ? test::make_upload(network(), i, bytes) : test::make_tx_set(i, bytes));
      ++i;
    }
    return messages;
  }();
  return commands.take_one_of(kMessages);
}

enum class Flaw : std::uint8_t {
  kSequenceAhead,
  kSequenceBehind,
  kSequenceHigh,
  kMacBit,
  kMacZero,
  kVersion,
  kMarkTop,  // none: the top bit means nothing
  kMarkZero,
  kMarkShort,
  kMarkLong,
  kMarkOdd,
  kMarkLargest,
  kMarkTooLarge,
  kMarkHighest,
  kTail,   // bytes are missing that the mark announced
  kBody,   // bytes are missing, and the mark does not announce them
  kEmpty,  // nothing but what surrounds a message
};
constexpr std::size_t kFlaws = static_cast<std::size_t>(Flaw::kEmpty) + 1;

void put_u32(Bytes& bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

// Makes frames as the peer: with the keys of its HELLO, once it sent one.
class Speaker {
 public:
  void on_hello(std::optional<peer::LinkKeys> keys) { keys_ = std::move(keys); }
  [[nodiscard]] Bytes frame(Bytes message, std::optional<Flaw> flaw);

 private:
  [[nodiscard]] bool is_sealed(const Bytes& message) const {
    return keys_ && message.size() >= 4 && !std::equal(message.begin(), message.begin() + 4, kErrorType.begin());
  }
  static constexpr std::array<std::uint8_t, 4> kErrorType{};

  std::optional<peer::LinkKeys> keys_;
  std::uint64_t sequence_ = 0;
};

Bytes Speaker::frame(Bytes message, std::optional<Flaw> flaw) {
  if (flaw == Flaw::kBody && !message.empty()) message.resize(message.size() / 2);
  if (flaw == Flaw::kEmpty) message.clear();
  std::uint64_t sequence = keys_ ? sequence_ : 0;
  if (flaw == Flaw::kSequenceAhead) ++sequence;
  if (flaw == Flaw::kSequenceBehind) --sequence;
  if (flaw == Flaw::kSequenceHigh) sequence |= std::uint64_t{1} << 40;
  const bool is_sealed = this->is_sealed(message);
  const auto head = wire::frame_head(message.size(), sequence);
  crypto::Hash256 mac{};
  if (is_sealed) {
    // The keys are those of the reader, who receives with what the peer sends with.
    mac = keys_->receive.mac({ByteView(head).last(8), message});
    ++sequence_;
  }
  if (flaw == Flaw::kMacBit) mac[31] ^= 0x80;
  if (flaw == Flaw::kMacZero) mac = {};
  Bytes frame = xdr::Writer().fixed(head).fixed(message).fixed(mac).take();
  const auto body_bytes = static_cast<std::uint32_t>(frame.size() - 4);
  if (flaw == Flaw::kVersion) frame[7] = 1;
  if (flaw == Flaw::kMarkTop) put_u32(frame, 0, body_bytes);
  if (flaw == Flaw::kMarkZero) put_u32(frame, 0, 0x80000000);
  if (flaw == Flaw::kMarkShort) put_u32(frame, 0, body_bytes - 4);
  if (flaw == Flaw::kMarkLong) put_u32(frame, 0, body_bytes + 4);
  if (flaw == Flaw::kMarkOdd) put_u32(frame, 0, body_bytes + 1);
  if (flaw == Flaw::kMarkLargest) put_u32(frame, 0, limits::kFrameBodyMax);
  if (flaw == Flaw::kMarkTooLarge) put_u32(frame, 0, limits::kFrameBodyMax + 4);
  if (flaw == Flaw::kMarkHighest) put_u32(frame, 0, 0xffffffff);
  if (flaw == Flaw::kTail) frame.resize(frame.size() - std::min<std::size_t>(frame.size(), 36));
  return frame;
}

// --- what came out --------------------------------------------------------------------------------------------------

// What we can write, written again from what was read of it.
std::optional<Bytes> rewrite(ByteView xdr) {
  if (const auto hello = wire::read_hello(xdr)) return wire::write_hello(*hello);
  if (const auto flags = wire::read_auth_flags(xdr)) return wire::write_auth(*flags);
  if (const auto error = wire::read_error(xdr)) return wire::write_error(*error);
  if (const auto dont_have = wire::read_dont_have(xdr)) return wire::write_dont_have(*dont_have);
  if (const auto hash = wire::read_get_tx_set(xdr)) return wire::write_get_tx_set(*hash);
  if (const auto hash = wire::read_get_scp_quorumset(xdr)) return wire::write_get_scp_quorumset(*hash);
  if (const auto ledger = wire::read_get_scp_state(xdr)) return wire::write_get_scp_state(*ledger);
  if (const auto credit = wire::read_send_more_extended(xdr)) return wire::write_send_more_extended(*credit);
  return std::nullopt;
}

void check_message(const wire::Message& message) {
  const ByteView xdr = message.xdr();
  OVERLAYD_CHECK(wire::to_message_type(static_cast<std::int32_t>(message.type())).has_value());
  OVERLAYD_CHECK(xdr.size() <= limits::kMessageBytesMax && xdr[3] == static_cast<std::uint8_t>(message.type()));
  const MessagePtr again = wire::Message::parse(xdr, network()).message;
  OVERLAYD_CHECK(again != nullptr);
  for (const MessagePtr& same : {again, wire::Message::make(xdr, network())})
    OVERLAYD_CHECK(std::ranges::equal(same->xdr(), xdr) && same->type() == message.type() &&
                   same->flood_hash() == message.flood_hash() && same->tx_hash() == message.tx_hash() &&
                   same->tx_full_hash() == message.tx_full_hash() && same->item_hash() == message.item_hash());
  if (const auto rewritten = rewrite(xdr)) OVERLAYD_CHECK(std::ranges::equal(*rewritten, xdr));
  if (const auto peers = wire::read_peers(xdr)) {
    const Bytes rewritten = wire::write_peers(*peers);
    OVERLAYD_CHECK(xdr::validate(xdr::Type::kStellarMessage, rewritten).ok());
  }
}

// --- the link -------------------------------------------------------------------------------------------------------

// One link after another: the next begins when one ends.
class LinkRun {
 public:
  explicit LinkRun(Commands& commands) : commands_(commands) { open(); }

  void run() {
    while (!commands_.is_over()) step();
    deliver(sent_.size(), sent_.size());
  }

 private:
  void open() {
    const Direction direction = commands_.take_flag() ? Direction::kOutbound : Direction::kInbound;
    const std::size_t choice = commands_.take_below(24);
    const auto flaw =
        choice <= static_cast<std::size_t>(HelloFlaw::kNetwork) ? static_cast<HelloFlaw>(choice) : HelloFlaw::kNone;
    link_ = std::make_unique<daemon::SecureLink>(direction, network(), auth_, entropy_);
    const NaiveEnd end{direction, network(), daemon_identity().pair, link_->local_nonce()};
    naive_ = std::make_unique<NaiveLink>(end);
    speaker_ = {};
    sealed_ = 0;
    sent_.clear();
    constexpr std::size_t kNoHello = 23;
    if (choice == kNoHello) return;
    const wire::Hello hello = make_hello(flaw);
    send(wire::write_hello(hello), std::nullopt);
    speaker_.on_hello(fuzz::naive_keys(end, hello));
  }

  void step() {
    switch (commands_.take_below(16)) {
      case 0:
      case 1:
      case 2: return send(take_ordinary(commands_), std::nullopt);
      case 3: return send(take_changed(), std::nullopt);
      case 4: return send(take_raw(), std::nullopt);
      case 5: return send(take_any_bulk(), std::nullopt);
      case 6: return send(take_changed(), take_flaw());
      case 7: return send(take_any_bulk(), take_flaw());
      case 8: return append(commands_.take_bytes(commands_.take_below(64)));
      case 9:
      case 10:
      case 11: return deliver(sent_.size(), sent_.size());
      case 12: return dribble();
      case 13: return on_authenticated();
      case 14: return seal();
      default: now_ = {kNow.seconds + commands_.take_one_of(kLater)};
    }
  }
  static constexpr std::array<std::uint64_t, 4> kLater{0, 1, kLifetime, kLifetime + 1};

  Flaw take_flaw() { return static_cast<Flaw>(commands_.take_below(kFlaws)); }
  Bytes take_changed() {
    Bytes message = take_ordinary(commands_);
    for (std::size_t count = commands_.take_below(4); count > 0; --count) {
      const std::size_t at = (commands_.take_byte() * std::size_t{256} + commands_.take_byte()) % message.size();
      message[at] = static_cast<std::uint8_t>(message[at] ^ commands_.take_byte());
    }
    return message;
  }
  Bytes take_raw() {
    const std::size_t size = commands_.take_byte() * std::size_t{256} + commands_.take_byte();
    return commands_.take_bytes(size);
  }
  Bytes take_any_bulk() {
    const Bytes& message = take_bulk(commands_);
    return ++bulk_frames_ > kBulkFramesMax ? Bytes() : message;
  }

  void send(Bytes message, std::optional<Flaw> flaw) { append(speaker_.frame(std::move(message), flaw)); }
  void append(const Bytes& bytes) { sent_.insert(sent_.end(), bytes.begin(), bytes.end()); }

  void dribble() {
    const std::size_t piece = 1 + commands_.take_below(256);
    deliver(commands_.take_byte() * std::size_t{4}, piece);
  }
  // At most `count` bytes, of which each read gets at most `piece`.
  void deliver(std::size_t count, std::size_t piece) {
    count = std::min(count, sent_.size());
    std::size_t done = 0;
    while (done < count && !naive_->has_ended()) {
      const std::span<std::uint8_t> space = link_->space();
      check_space(space.size());
      const std::size_t bytes = std::min({space.size(), count - done, piece});
      std::memcpy(space.data(), sent_.data() + done, bytes);
      link_->commit(bytes);
      naive_->arrive(ByteView(sent_).subspan(done, bytes));
      done += bytes;
      while (read_one()) {
      }
    }
    sent_.erase(sent_.begin(), sent_.begin() + static_cast<std::ptrdiff_t>(done));
    if (naive_->has_ended()) end();
  }
  // Rules 4 and 5 of codec.h: the buffer grows with what came, not past its frame.
  void check_space(std::size_t space) const {
    const std::size_t capacity = naive_->unread() + space;
    constexpr std::size_t kIdle = wire::FrameDecoder::kBufferBytes;
    OVERLAYD_CHECK(space > 0 && capacity >= kIdle && capacity <= std::max(kIdle, 4 * naive_->unread()));
    OVERLAYD_CHECK(capacity == kIdle || capacity <= naive_->frame_bytes());
  }
  // False: nothing came out.
  bool read_one() {
    const bool is_bulk_next = link_->is_bulk_next();
    daemon::LinkRead read = link_->read_next(now_);
    const NaiveLink::Read expected = naive_->next(now_);
    OVERLAYD_CHECK(!read.item || read.item->xdr.size() >= daemon::kBulkBytesMin);
    if (read.item) read.message = read.item->make(network());
    OVERLAYD_CHECK((read.message != nullptr) == expected.message.has_value());
    OVERLAYD_CHECK(read.fault.has_value() == expected.fault.has_value());
    OVERLAYD_CHECK(read.is_cert_valid == expected.is_cert_valid);
    OVERLAYD_CHECK(link_->has_ended() == naive_->has_ended());
    OVERLAYD_CHECK(is_bulk_next || expected.frame_bytes < daemon::kBulkBytesMin);
    if (read.fault) OVERLAYD_CHECK(read.fault->reason == *expected.fault);
    if (!read.message) return false;
    OVERLAYD_CHECK(std::ranges::equal(read.message->xdr(), *expected.message));
    check_message(*read.message);
    return true;
  }
  // Rule 3: there is nothing more to come, whatever happens.
  void end() {
    link_->on_authenticated();
    for (int i = 0; i < 3; ++i) {
      const daemon::LinkRead read = link_->read_next(now_);
      OVERLAYD_CHECK(!read.message && !read.item && !read.fault && link_->has_ended());
    }
    seal();
    open();
  }

  void on_authenticated() {
    link_->on_authenticated();
    naive_->on_authenticated();
  }

  // The peer can read what the link seals.
  void seal() {
    const MessagePtr message = wire::Message::make(take_ordinary(commands_), network());
    const auto frame = link_->seal(message, fuzz::kFuzzStart);
    const bool is_open =
        message->type() == wire::MessageType::kHello || message->type() == wire::MessageType::kErrorMsg;
    OVERLAYD_CHECK(frame.has_value() == (is_open || naive_->has_keys()));
    if (!frame) return;
    OVERLAYD_CHECK(frame->message == message && frame->queued == fuzz::kFuzzStart);
    const auto head = wire::frame_head(message->size(), is_open ? 0 : sealed_);
    crypto::Hash256 mac{};
    if (!is_open) {
      mac = naive_->keys().send.mac({ByteView(head).last(8), message->xdr()});
      ++sealed_;
    }
    OVERLAYD_CHECK(frame->sealed.head == head && frame->sealed.mac == mac);
  }

  Commands& commands_;
  UnixTime now_ = kNow;
  FixedEntropy entropy_;
  peer::PeerAuth auth_{
      {.node_key = daemon_identity().node, .pair = daemon_identity().pair, .network = network(), .shared_keys_max = 1}};
  std::unique_ptr<daemon::SecureLink> link_;
  std::unique_ptr<NaiveLink> naive_;
  Speaker speaker_;
  Bytes sent_;  // by the peer, on its way
  std::uint64_t sealed_ = 0;
  std::size_t bulk_frames_ = 0;
};

// Before anybody is authenticated, judged as the daemon judges, but as if all certificates were good.
void run_raw(ByteView input) {
  if (input.empty()) return;
  const std::size_t piece = std::size_t{1} + input[0];
  ByteView rest = input.subspan(1);
  wire::FrameDecoder decoder;
  peer::MacStream macs;
  peer::Handshake handshake(Direction::kInbound);
  const LocalNode local;
  while (!rest.empty()) {
    const ByteView next = rest.first(std::min(piece, rest.size()));
    rest = rest.subspan(next.size() - decoder.feed(next).size());
    for (;;) {
      const auto frame = decoder.next();
      if (std::holds_alternative<DropReason>(frame)) return;
      if (std::holds_alternative<wire::FrameDecoder::NeedMore>(frame)) break;
      const wire::Frame& received = std::get<wire::Frame>(frame);
      if (macs.check(received)) return;
      const auto parsed = wire::Message::parse(received.message(), network(), decoder.take_buffer());
      if (!parsed.message) return;
      check_message(*parsed.message);
      if (const auto hello = wire::read_hello(parsed.message->xdr()))
        static_cast<void>(handshake.on_hello(*hello, {.is_cert_valid = true}, local));
      if (const auto flags = wire::read_auth_flags(parsed.message->xdr())) static_cast<void>(handshake.on_auth(*flags));
    }
    OVERLAYD_CHECK(decoder.capacity() <= wire::FrameDecoder::kBufferBytes);
  }
}

}  // namespace

void fuzz_link(ByteView input) {
  if (input.empty()) return;
  if ((input[0] & 1) == 0) return run_raw(input.subspan(1));
  Commands commands(input.subspan(1, std::min(kRunBytesMax, input.size() - 1)));
  LinkRun(commands).run();
}

}  // namespace overlayd
