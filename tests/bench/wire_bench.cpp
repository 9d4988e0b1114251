// The way of a message through one core, beside the bare hashes that it cannot do without, in one run. Budgets:
//   receive a 300-byte TRANSACTION   >= 0.65 of HMAC-SHA256 + SHA-256 + BLAKE2b over the same bytes
//   receive a 1 MiB transaction set  >= 0.80 of HMAC-SHA256 + SHA-256
//   a 300-byte message for 64 peers  <= 1.25 times 64 MACs
// "Receive" is frame, MAC, XDR validation, all hashes of the message (for a transaction three, for the other two of
// which the budget does not ask: its full hash is what adverts carry), flow control and flood record. "Send" is credit,
// queue, sealing and gathering, up to the system call.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <map>

#include "core/crypto/hash.h"
#include "core/flood/flood_gate.h"
#include "core/peer/peer.h"
#include "core/wire/hashes.h"
#include "core/xdr/validate.h"
#include "core/xdr/writer.h"
#include "daemon/secure_link.h"
#include "tests/support/messages.h"

namespace {

using namespace overlayd;

constexpr UnixTime kNow{1'800'000'000};
constexpr std::size_t kMessages = 4096;

// The message whose ways are measured: a payment of 260 to 320 bytes, and its bare bytes for the hashes beside them.
MessagePtr ordinary_transaction(const NetworkId& network, std::uint64_t number) {
  MessagePtr message = test::make_transaction(network, number, 316);
  OVERLAYD_CHECK(message->size() >= 260 && message->size() <= 320);
  return message;
}
Bytes ordinary_bytes() {
  const MessagePtr message = ordinary_transaction({}, 1);
  return {message->xdr().begin(), message->xdr().end()};
}

// Two ends of an authenticated link.
struct LinkPair {
  crypto::SystemEntropy entropy;
  NetworkId network = crypto::network_id("benchmark");
  std::shared_ptr<const crypto::NodeKey> key =
      std::make_shared<const crypto::NodeKey>(crypto::NodeKey::generate(entropy));
  std::shared_ptr<const crypto::EcdhKeyPair> pair =
      std::make_shared<const crypto::EcdhKeyPair>(crypto::EcdhKeyPair::generate(entropy));
  peer::PeerAuth auth{{.node_key = key, .pair = pair, .network = network}};
  daemon::SecureLink initiator{Direction::kOutbound, network, auth, entropy};
  daemon::SecureLink responder{Direction::kInbound, network, auth, entropy};

  LinkPair() {
    pass(initiator, hello(initiator), responder);
    pass(responder, hello(responder), initiator);
    initiator.on_authenticated();
    responder.on_authenticated();
  }
  MessagePtr hello(const daemon::SecureLink& link) {
    LocalNode local;
    local.node_id = key->id();
    local.network_id = network;
    return wire::Message::adopt(wire::write_hello(peer::make_hello(local, auth.certificate(kNow), link.local_nonce())),
                                network);
  }
  static Bytes frame(daemon::SecureLink& from, const MessagePtr& message) {
    const auto sealed = from.seal(message, Instant());
    return xdr::Writer(sealed->size())
        .fixed(sealed->sealed.head)
        .fixed(message->xdr())
        .fixed(sealed->sealed.mac)
        .take();
  }
  static void put(daemon::SecureLink& to, ByteView bytes) {
    while (!bytes.empty()) {
      const auto space = to.space();
      const std::size_t count = std::min(space.size(), bytes.size());
      std::memcpy(space.data(), bytes.data(), count);
      to.commit(count);
      bytes = bytes.subspan(count);
      if (!bytes.empty()) OVERLAYD_CHECK(!to.read_next(kNow).message);
    }
  }
  static void pass(daemon::SecureLink& from, const MessagePtr& message, daemon::SecureLink& to) {
    put(to, frame(from, message));
    OVERLAYD_CHECK(to.read_next(kNow).message != nullptr);
  }
};

// A GENERALIZED_TX_SET of about `size` bytes: one phase, one component, payments.
MessagePtr make_tx_set(const NetworkId& network, std::size_t size) {
  xdr::Writer transactions(size + 1024);
  std::uint32_t count = 0;
  while (transactions.bytes().size() < size) transactions.fixed(test::make_transaction(network, ++count)->body());
  xdr::Writer writer(size + 2048);
  writer.u32(1).fixed(test::make_full_hash(1).bytes).u32(1).u32(0).u32(1).u32(0).u32(0);
  writer.u32(count).fixed(transactions.bytes());
  return wire::Message::adopt(wire::wrap(wire::MessageType::kGeneralizedTxSet, writer.bytes()), network);
}

void bare_transaction_hashes(benchmark::State& state) {
  const crypto::MacKey key(Bytes(32, 7));
  const std::array<std::uint8_t, 8> sequence{};
  const Bytes message = ordinary_bytes();
  for (auto _ : state) {
    benchmark::DoNotOptimize(key.mac({sequence, message}));
    benchmark::DoNotOptimize(crypto::sha256(message));
    benchmark::DoNotOptimize(crypto::blake2b_256(message));
  }
  state.SetItemsProcessed(state.iterations());
}

void receive_transaction(benchmark::State& state) {
  LinkPair link;
  OverlayMetrics metrics;
  LocalNode local;
  flood::FloodGate gate({}, metrics.flood_gate);
  peer::Peer peer({PeerId{1}, {}, Direction::kInbound, {}, {}}, Instant(), limits::kMaxClassicTxBytes, {}, local,
                  metrics);
  const NodeId node = test::make_node(1);
  Outputs out;
  std::vector<MessagePtr> messages;
  for (std::uint64_t i = 0; i < kMessages; ++i) messages.push_back(ordinary_transaction(link.network, i));
  std::vector<Bytes> frames(kMessages);
  std::size_t next = kMessages;
  for (auto _ : state) {
    if (next == kMessages) {
      // Frames carry sequence numbers, so each is read once; sealing the next ones is not what is measured.
      state.PauseTiming();
      for (std::size_t i = 0; i < kMessages; ++i) frames[i] = LinkPair::frame(link.initiator, messages[i]);
      gate.clear_below(2);
      next = 0;
      state.ResumeTiming();
    }
    LinkPair::put(link.responder, frames[next++]);
    const daemon::LinkRead read = link.responder.read_next(kNow);
    OVERLAYD_CHECK(read.message && !peer.begin_message(*read.message, Instant(), out));
    benchmark::DoNotOptimize(gate.on_received(read.message->flood_hash(), node, 1));
    peer.end_message(*read.message, Instant(), out);
    out.clear();
  }
  state.SetItemsProcessed(state.iterations());
}

void bare_tx_set_hashes(benchmark::State& state) {
  const crypto::MacKey key(Bytes(32, 7));
  const std::array<std::uint8_t, 8> sequence{};
  const MessagePtr set = make_tx_set({}, 1 << 20);
  const ByteView message = set->xdr();
  for (auto _ : state) {
    benchmark::DoNotOptimize(key.mac({sequence, message}));
    benchmark::DoNotOptimize(crypto::sha256(message));
  }
  state.SetItemsProcessed(state.iterations());
}

void receive_tx_set(benchmark::State& state) {
  LinkPair link;
  const MessagePtr message = make_tx_set(link.network, 1 << 20);
  OVERLAYD_CHECK(xdr::validate(xdr::Type::kStellarMessage, message->xdr()).ok());
  Bytes frame;
  for (auto _ : state) {
    state.PauseTiming();
    frame = LinkPair::frame(link.initiator, message);
    LinkPair::put(link.responder, frame);
    state.ResumeTiming();
    const daemon::LinkRead read = link.responder.read_next(kNow);
    OVERLAYD_CHECK(read.message != nullptr);
    benchmark::DoNotOptimize(read.message->item_hash());
  }
  state.SetItemsProcessed(state.iterations());
}

void bare_64_macs(benchmark::State& state) {
  const crypto::MacKey key(Bytes(32, 7));
  const std::array<std::uint8_t, 8> sequence{};
  const Bytes message = ordinary_bytes();
  for (auto _ : state)
    for (int i = 0; i < 64; ++i) benchmark::DoNotOptimize(key.mac({sequence, message}));
  state.SetItemsProcessed(state.iterations());
}

void send_to_64_peers(benchmark::State& state) {
  struct End {
    LinkPair link;
    std::unique_ptr<peer::Peer> peer;
    daemon::WriteQueue queue;
  };
  LocalNode local;
  OverlayMetrics metrics;
  std::vector<std::unique_ptr<End>> ends;
  Outputs out;
  for (std::uint64_t i = 0; i < 64; ++i) {
    auto end = std::make_unique<End>();
    end->peer = std::make_unique<peer::Peer>(LinkOpened{PeerId{i}, {}, Direction::kInbound, {}, {}}, Instant(),
                                             limits::kMaxClassicTxBytes, peer::PeerOptions{}, local, metrics);
    for (int k = 0; k < 1000; ++k) OVERLAYD_CHECK(!end->peer->on_grant({0xffffffffU, 0xffffffffU}, Instant(), out));
    ends.push_back(std::move(end));
  }
  const MessagePtr message = ordinary_transaction(ends[0]->link.network, 1);
  for (auto _ : state) {
    out.clear();
    for (const auto& end : ends) end->peer->send(message, Instant(), {}, out);
    for (Output& output : out) {
      Send& send = std::get<Send>(output);
      End& end = *ends[send.peer.value];
      OVERLAYD_CHECK(end.queue.push(*end.link.initiator.seal(std::move(send.message), Instant())));
    }
    for (const auto& end : ends) {
      benchmark::DoNotOptimize(end->queue.gather().data());
      end->queue.consume(end->queue.bytes());
    }
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(bare_transaction_hashes);
BENCHMARK(receive_transaction);
BENCHMARK(bare_tx_set_hashes);
BENCHMARK(receive_tx_set);
BENCHMARK(bare_64_macs);
BENCHMARK(send_to_64_peers);

// Prints as usual and keeps the best rate of each.
class RatioReporter final : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      const auto rate = run.counters.find("items_per_second");
      if (rate == run.counters.end() || run.run_type == Run::RT_Aggregate) continue;
      double& best = rates_[run.run_name.function_name];
      best = std::max(best, rate->second.value);
    }
    ConsoleReporter::ReportRuns(runs);
  }
  void print_ratios() {
    std::printf("receive 300-byte TRANSACTION / its three hashes: %.2f (budget >= 0.65)\n",
                rates_["receive_transaction"] / rates_["bare_transaction_hashes"]);
    std::printf("receive 1 MiB transaction set / its two hashes:  %.2f (budget >= 0.80)\n",
                rates_["receive_tx_set"] / rates_["bare_tx_set_hashes"]);
    std::printf("300 bytes for 64 peers / 64 MACs:                %.2f (budget <= 1.25)\n",
                rates_["bare_64_macs"] / rates_["send_to_64_peers"]);
  }

 private:
  std::map<std::string, double> rates_;
};

}  // namespace

int main(int argc, char** argv) {
  overlayd::crypto::init();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  RatioReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  reporter.print_ratios();
  benchmark::Shutdown();
  return 0;
}
