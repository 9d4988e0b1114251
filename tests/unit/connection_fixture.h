// Two ends of real loopback sockets for connection_test: a TestNode is a network thread with its queue to the overlay;
// a RawPeer is a blocking socket that speaks the protocol (or breaks it) byte by byte.
#pragma once
#include <catch2/catch.hpp>
#include <condition_variable>
#include <deque>

#include "core/wire/values.h"
#include "daemon/addresses.h"
#include "daemon/clocks.h"
#include "daemon/network_thread.h"

namespace overlayd::daemon::test {

using tcp = asio::ip::tcp;
inline constexpr std::chrono::seconds kPatience{10};  // how long an event may take before the test gives up

[[nodiscard]] inline Bytes concat(std::initializer_list<ByteView> parts) {
  Bytes all;
  for (const ByteView part : parts) {
    const std::size_t at = all.size();
    all.resize(at + part.size());
    std::copy(part.begin(), part.end(), all.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return all;
}

struct Identity {
  NetworkId network = crypto::network_id("overlayd connection test");
  crypto::SystemEntropy entropy;
  std::shared_ptr<const crypto::NodeKey> key =
      std::make_shared<const crypto::NodeKey>(crypto::NodeKey::generate(entropy));
  std::shared_ptr<const crypto::EcdhKeyPair> pair =
      std::make_shared<const crypto::EcdhKeyPair>(crypto::EcdhKeyPair::generate(entropy));

  [[nodiscard]] MessagePtr hello(const AuthCert& cert, const std::array<std::uint8_t, 32>& nonce) const {
    return wire::Message::adopt(wire::write_hello({.ledger_version = 28,
                                                   .overlay_version = 42,
                                                   .overlay_min_version = 38,
                                                   .network_id = network,
                                                   .version_string = "test",
                                                   .listening_port = 11625,
                                                   .peer_id = key->id(),
                                                   .cert = cert,
                                                   .nonce = nonce}),
                                network);
  }
  [[nodiscard]] MessagePtr message(Bytes xdr) const { return wire::Message::adopt(std::move(xdr), network); }
  [[nodiscard]] MessagePtr auth() const { return message(wire::write_auth(limits::kAuthFlags)); }
  [[nodiscard]] MessagePtr get_scp_state(std::uint32_t ledger) const {
    return message(wire::write_get_scp_state(ledger));
  }
};

class TestNode {
 public:
  explicit TestNode(std::size_t inputs_max = limits::kInputQueueMax)
      : inputs_max_(inputs_max),
        queue_(inputs_max, [this] { wake(); }),
        thread_(0, {.network = id.network, .node_key = id.key, .pair = id.pair}, queue_, open_links) {
    thread_.start();
  }

  Identity id;
  std::atomic<std::size_t> open_links{0};
  bool is_releasing = true;  // whether inputs count as handled as soon as they are looked at

  void post(Outputs outputs) { thread_.post(std::move(outputs)); }
  void send(PeerId peer, std::initializer_list<MessagePtr> messages) {
    Outputs outputs;
    for (const auto& message : messages) outputs.emplace_back(Send{peer, message});
    post(std::move(outputs));
  }
  NetworkThread& thread() { return thread_; }
  // Accepts what connects next.
  void accept(tcp::acceptor& acceptor, PeerId peer) {
    tcp::socket socket(thread_.context());
    acceptor.accept(socket);
    const auto remote = to_peer_address(socket.remote_endpoint());
    thread_.adopt(peer, std::move(socket), remote);
  }
  // The next input, which must be a T.
  template <typename T>
  T await() {
    Input input = await_any();
    INFO("input number " << input.index());
    REQUIRE(std::holds_alternative<T>(input));
    return std::get<T>(std::move(input));
  }
  // Handles what came so far; the messages among it.
  std::size_t take_batches() {
    std::vector<InputBatch> batches;
    const bool was_refused = queue_.take_all(batches);
    for (InputBatch& batch : batches) {
      batch_sizes.push_back(batch.inputs.size());
      if (batch.gauge) unhandled_.push_back({batch.gauge, batch.inputs.size(), batch.bytes});
      for (Input& input : batch.inputs)
        if (!std::holds_alternative<LinkProgress>(input)) inputs_.push_back(std::move(input));
    }
    if (was_refused) thread_.on_overlay_room();
    if (is_releasing) release_all();
    return inputs_.size();
  }
  void release_all() {
    for (const Unhandled& batch : unhandled_) batch.gauge->release(batch.messages, batch.bytes);
    unhandled_.clear();
  }
  // Leaves no room in the queue until the next take_batches.
  void fill_queue() {
    InputBatch filler{.inputs = {}, .bytes = 0, .gauge = nullptr};
    REQUIRE(queue_.push(filler, inputs_max_));
  }
  // Nothing tells when a push is refused: that is the point of refusing.
  [[nodiscard]] bool await_refusal(std::uint64_t count) const {
    return await_that([&] { return queue_.refused_total() >= count; });
  }
  // A link is forgotten after its LinkClosed was handed over, by the thread that did it.
  [[nodiscard]] bool await_no_links() const {
    return await_that([&] { return open_links == 0; });
  }
  [[nodiscard]] bool await_bulk_done(std::uint64_t count) const {
    return await_that([&] { return thread_.bulk_done_total() >= count; });
  }
  // Waits for `count` inputs that nobody looked at yet.
  bool await_count(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (take_batches() < count)
      if (!await_wake(deadline)) return false;
    return true;
  }
  Input await_any() {
    REQUIRE(await_count(1));
    Input input = std::move(inputs_.front());
    inputs_.pop_front();
    return input;
  }
  std::vector<std::size_t> batch_sizes;

 private:
  template <typename Condition>
  static bool await_that(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return condition();
  }
  struct Unhandled {
    std::shared_ptr<ReadGauge> gauge;
    std::uint64_t messages;
    std::uint64_t bytes;
  };
  void wake() {
    {
      const std::lock_guard lock(mutex_);
      has_more_ = true;
    }
    changed_.notify_one();
  }
  bool await_wake(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    const bool is_woken = changed_.wait_until(lock, deadline, [this] { return has_more_; });
    has_more_ = false;
    return is_woken;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool has_more_ = false;
  const std::size_t inputs_max_;
  InputQueue queue_;
  std::deque<Input> inputs_;
  std::vector<Unhandled> unhandled_;
  NetworkThread thread_;
};

class RawPeer {
 public:
  // With a `receive_buffer` the kernel takes no more than that for us, so that a peer that reads nothing soon shows.
  explicit RawPeer(const tcp::endpoint& to, int receive_buffer = 0) : socket_(context_) {
    socket_.open(to.protocol());
    if (receive_buffer > 0) socket_.set_option(asio::socket_base::receive_buffer_size(receive_buffer));
    socket_.connect(to);
  }

  Identity id;
  peer::PeerAuth auth{{.node_key = id.key, .pair = id.pair, .network = id.network}};
  SecureLink link{Direction::kOutbound, id.network, auth, id.entropy};

  void write(ByteView bytes) { asio::write(socket_, asio::buffer(bytes.data(), bytes.size())); }
  [[nodiscard]] Bytes frame(const MessagePtr& message) {
    const auto sealed = link.seal(message, instant_now());
    REQUIRE(sealed);
    return concat({sealed->sealed.head, message->xdr(), sealed->sealed.mac});
  }
  void send(const MessagePtr& message) { write(frame(message)); }
  [[nodiscard]] MessagePtr hello() { return id.hello(auth.certificate(unix_time_now()), link.local_nonce()); }
  // The next message; null at the end of the stream.
  MessagePtr read() {
    for (;;) {
      LinkRead next = link.read_next(unix_time_now());
      REQUIRE_FALSE(next.fault);
      if (next.message) return next.message;
      if (next.item) return next.item->make(id.network);
      const auto space = link.space();
      asio::error_code error;
      const std::size_t bytes = socket_.read_some(asio::buffer(space.data(), space.size()), error);
      if (error == asio::error::eof) return nullptr;
      REQUIRE_FALSE(error);
      link.commit(bytes);
    }
  }
  void close() { socket_.close(); }

 private:
  asio::io_context context_;
  tcp::socket socket_;
};

// Up to AUTH received from both sides; the node's hello and auth are read by the raw peer.
inline void shake_hands(TestNode& node, const LinkOpened& opened, RawPeer& raw) {
  raw.send(raw.hello());
  REQUIRE(node.await<MessageReceived>().is_cert_valid);
  node.send(opened.peer, {node.id.hello(opened.local_cert, opened.local_nonce)});
  REQUIRE(raw.read()->type() == wire::MessageType::kHello);
  raw.send(raw.id.auth());
  REQUIRE(node.await<MessageReceived>().message->type() == wire::MessageType::kAuth);
  node.send(opened.peer, {node.id.auth()});
  REQUIRE(raw.read()->type() == wire::MessageType::kAuth);
}

// A node with one accepted link from a RawPeer.
struct Accepted {
  explicit Accepted(std::size_t inputs_max = limits::kInputQueueMax, int receive_buffer = 0)
      : node(inputs_max), raw(acceptor.local_endpoint(), receive_buffer) {
    node.accept(acceptor, peer);
    opened = node.await<LinkOpened>();
  }
  void shake_hands() { test::shake_hands(node, opened, raw); }

  const PeerId peer{kAcceptedPeerBit | 1};
  asio::io_context context;
  tcp::acceptor acceptor{context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  TestNode node;
  RawPeer raw;
  LinkOpened opened;
};

}  // namespace overlayd::daemon::test
