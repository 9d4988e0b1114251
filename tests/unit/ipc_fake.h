// For the tests of ipc: an overlay that answers from a thread of its own, a server over it in a directory of its own,
// and envelopes to work with.
#pragma once
#include <unistd.h>

#include <catch2/catch.hpp>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "core/crypto/keys.h"
#include "core/wire/message.h"
#include "core/wire/values.h"
#include "ipc/client/client.h"
#include "ipc/convert.h"
#include "ipc/server.h"

namespace overlayd::ipc::testing {

inline constexpr std::chrono::seconds kWait{20};  // until an expected thing counts as missing

inline std::string text_of(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// A valid TransactionEnvelope (v1, one INFLATION operation, no signature); `number` makes it different.
inline Bytes transaction_envelope(std::uint64_t number) {
  Bytes xdr;
  const auto put = [&](std::uint64_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) xdr.push_back(static_cast<std::uint8_t>(value >> shift));
  };
  put(2, 4);  // ENVELOPE_TYPE_TX
  put(0, 4);  // KEY_TYPE_ED25519
  xdr.insert(xdr.end(), 32, 0x11);
  put(100, 4);     // fee
  put(number, 8);  // sequence number
  put(0, 4);       // no preconditions
  put(0, 4);       // no memo
  put(1, 4);       // operations
  put(0, 4);       // no source account
  put(9, 4);       // INFLATION
  put(0, 4);       // ext
  put(0, 4);       // no signatures
  return xdr;
}

// A valid SCPEnvelope: a NOMINATE statement about `slot` without votes, with an empty signature.
inline Bytes scp_envelope(std::uint64_t slot) {
  Bytes xdr;
  const auto put = [&](std::uint64_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) xdr.push_back(static_cast<std::uint8_t>(value >> shift));
  };
  put(0, 4);  // PUBLIC_KEY_TYPE_ED25519
  xdr.insert(xdr.end(), 32, 0x22);
  put(slot, 8);
  put(3, 4);  // SCP_ST_NOMINATE
  xdr.insert(xdr.end(), 32, 0x33);
  put(0, 4);  // votes
  put(0, 4);  // accepted
  put(0, 4);  // signature
  return xdr;
}

// The same with one vote, as large as makes the StellarMessage around it `bytes` long (a multiple of 4).
inline Bytes large_scp_envelope(std::size_t bytes) {
  Bytes xdr = scp_envelope(1);
  xdr.resize(80);  // up to the votes
  const std::size_t vote = bytes - 4 - 80 - 4 * 4;
  const auto put = [&](std::size_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) xdr.push_back(static_cast<std::uint8_t>(value >> shift));
  };
  put(1);
  put(vote);
  xdr.insert(xdr.end(), vote, 0x55);
  put(0);  // accepted
  put(0);  // signature
  return xdr;
}

// A valid SCPQuorumSet of one validator; `number` makes it different.
inline Bytes quorum_set(std::uint8_t number) {
  Bytes xdr{0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0};  // threshold, validators, key type
  xdr.insert(xdr.end(), 32, number);
  xdr.insert(xdr.end(), 4, 0);  // inner sets
  return xdr;
}

// A valid TransactionSet of `count` transactions after the ledger `number`.
inline Bytes tx_set(std::uint8_t number, std::uint32_t count = 1) {
  Bytes xdr(32, number);
  for (int shift = 24; shift >= 0; shift -= 8) xdr.push_back(static_cast<std::uint8_t>(count >> shift));
  const Bytes envelope = transaction_envelope(number);
  for (std::uint32_t i = 0; i < count; ++i) xdr.insert(xdr.end(), envelope.begin(), envelope.end());
  return xdr;
}

// A valid GeneralizedTransactionSet without phases.
inline Bytes generalized_tx_set(std::uint8_t number) {
  Bytes xdr{0, 0, 0, 1};
  xdr.insert(xdr.end(), 32, number);
  xdr.insert(xdr.end(), 4, 0);
  return xdr;
}

inline NetworkId network() {
  NetworkId id;
  id.bytes.fill(0x44);
  return id;
}

inline MessagePtr transaction_message(std::uint64_t number) {
  return wire::Message::adopt(wire::wrap(wire::MessageType::kTransaction, transaction_envelope(number)), network());
}
inline MessagePtr scp_message(std::uint64_t slot) {
  return wire::Message::adopt(wire::wrap(wire::MessageType::kScpMessage, scp_envelope(slot)), network());
}

inline MessagePtr quorum_set_message(std::uint8_t number) {
  return wire::Message::adopt(wire::wrap(wire::MessageType::kScpQuorumset, quorum_set(number)), network());
}
inline MessagePtr tx_set_message(std::uint8_t number, std::uint32_t count = 1) {
  return wire::Message::adopt(wire::wrap(wire::MessageType::kTxSet, tx_set(number, count)), network());
}
inline MessagePtr generalized_tx_set_message(std::uint8_t number) {
  return wire::Message::adopt(wire::wrap(wire::MessageType::kGeneralizedTxSet, generalized_tx_set(number)), network());
}
// What the item is called, by kind and hash.
inline ItemId item_id(const wire::Message& message) {
  const bool is_quorum_set = message.type() == wire::MessageType::kScpQuorumset;
  return {.kind = is_quorum_set ? ItemKind::kQuorumSet : ItemKind::kTxSet, .hash = message.item_hash()};
}
inline PublishItem arrival(MessagePtr message, const NodeId& from) {
  const ItemId id = item_id(*message);
  return {.item = id,
          .change = ItemChange::kArrived,
          .peer = PeerId{1},
          .from = from,
          .message = std::move(message),
          .searched_for = milliseconds(250),
          .peers_asked = 4,
          .rounds = 1};
}

inline NodeId node(std::uint8_t fill) {
  NodeId id;
  id.bytes.fill(fill);
  return id;
}

// Takes inputs on its own thread, as the daemon's overlay thread does. A broadcast is accepted, or a duplicate if its
// flood hash was broadcast before. Of the peers only kPeer is connected. What was put is held and not fetched; of fetches
// only the last can be cancelled.
class FakeOverlay final : public OverlayPort {
 public:
  static constexpr std::uint8_t kPeer = 7;
  static constexpr std::uint64_t kRefusedSlot = 666;  // a fetch for it is refused

  FakeOverlay() : thread_([this] { run(); }) {}
  ~FakeOverlay() override { stop(); }
  FakeOverlay(const FakeOverlay&) = delete;
  FakeOverlay& operator=(const FakeOverlay&) = delete;

  void set_events(OverlayEvents* events) {
    const std::lock_guard lock(mutex_);
    events_ = events;
  }
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }
  // The queue has no room from now on, or has again.
  void set_full(bool is_full) {
    const std::lock_guard lock(mutex_);
    is_full_ = is_full;
  }
  // Requests are taken and not answered, and questions are dropped.
  void set_silent(bool is_silent) {
    const std::lock_guard lock(mutex_);
    is_silent_ = is_silent;
  }
  // Runs on the overlay's thread and waits for it.
  void run_there(std::function<void(OverlayEvents&)> task) {
    std::mutex done_mutex;
    std::condition_variable done;
    bool is_done = false;
    post([&] {
      task(*events_);
      events_->flush();
      const std::lock_guard lock(done_mutex);
      is_done = true;
      done.notify_one();
    });
    std::unique_lock lock(done_mutex);
    REQUIRE(done.wait_for(lock, kWait, [&] { return is_done; }));
  }
  void publish(MessagePtr message, std::uint8_t from = 7) {
    run_there([&](OverlayEvents& events) {
      events.on_message({.peer = PeerId{1}, .from = node(from), .message = std::move(message)},
                        1'700'000'000'000'000'000);
    });
  }

  // Waits until `count` inputs of a kind were taken, and gives a copy of all of them.
  template <typename Kind>
  std::vector<Kind> await(std::size_t count) {
    std::vector<Kind> found;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kWait, [&] {
      found.clear();
      for (const Input& input : taken_) {
        if (const auto* kind = std::get_if<Kind>(&input)) found.push_back(*kind);
      }
      return found.size() >= count;
    });
    return found;
  }
  std::size_t refusals() const {
    const std::lock_guard lock(mutex_);
    return refusals_;
  }
  void await_refusals(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, kWait, [&] { return refusals_ >= count; }));
  }

  bool submit(std::vector<Input> inputs) override {
    {
      const std::lock_guard lock(mutex_);
      if (is_full_) {
        ++refusals_;
        changed_.notify_all();
        return false;
      }
    }
    post([this, inputs = std::move(inputs)]() mutable {
      for (Input& input : inputs) take(std::move(input));
      if (events_ != nullptr) events_->flush();
    });
    return true;
  }
  bool query_status(std::function<void(StatusSnapshot)> done) override {
    return query([this, done = std::move(done)] { done(status); });
  }
  bool query_peers(std::function<void(std::vector<PeerSnapshot>)> done) override {
    return query([this, done = std::move(done)] { done(peers); });
  }

  bool query_item(const ItemId& id, std::function<void(MessagePtr)> done) override {
    return query([this, id, done = std::move(done)] {
      if (is_silent()) return;
      const auto found = held_.find(id);
      done(found == held_.end() ? nullptr : found->second);
    });
  }

  StatusSnapshot status;            // set before the server starts
  std::vector<PeerSnapshot> peers;  // set before the server starts

 private:
  bool query(std::function<void()> task) {
    {
      const std::lock_guard lock(mutex_);
      if (is_full_) return false;
    }
    post(std::move(task));
    return true;
  }
  void post(std::function<void()> task) {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    changed_.notify_all();
  }
  bool is_silent() const {
    const std::lock_guard lock(mutex_);
    return is_silent_;
  }
  RequestAnswer answer_to(const Broadcast& broadcast) {
    const bool is_new = known_.insert(broadcast.message->flood_hash()).second;
    return {.request = {},
            .status = is_new ? RequestStatus::kAccepted : RequestStatus::kDuplicate,
            .peers_told = is_new ? 3U : 0U};
  }
  RequestAnswer answer_to(const FetchItem& fetch) {
    if (fetch.slot == kRefusedSlot)
      return {.request = {}, .status = RequestStatus::kRefused, .why = "too many searches"};
    if (held_.contains(fetch.item)) return {.request = {}, .status = RequestStatus::kDuplicate};
    fetched_ = fetch.item;
    return {};
  }
  RequestAnswer answer_to(const CancelFetch& cancel) {
    const bool is_fetched = fetched_ == cancel.item;
    fetched_.reset();
    return {.request = {}, .status = is_fetched ? RequestStatus::kAccepted : RequestStatus::kNotFound};
  }
  RequestAnswer answer_to(const PutItem& put) {
    const bool is_new = held_.emplace(item_id(*put.message), put.message).second;
    return {.request = {}, .status = is_new ? RequestStatus::kAccepted : RequestStatus::kDuplicate};
  }
  RequestAnswer answer_to(const RequestScpState& request) {
    if (request.node && *request.node != node(kPeer)) return {.request = {}, .status = RequestStatus::kNotFound};
    return {.request = {}, .nodes = std::vector<NodeId>(request.count, node(kPeer))};
  }
  RequestAnswer answer_to(const SendScpState& state) {
    return {.request = {}, .status = state.node == node(kPeer) ? RequestStatus::kAccepted : RequestStatus::kNotFound};
  }
  void take(Input input) {
    const auto answer = [this]<typename T>(const T& request) {
      if constexpr (requires { answer_to(request); }) {
        if (is_silent()) return;
        RequestAnswer answer = answer_to(request);
        answer.request = request.request;
        events_->on_request_answer(answer);
      }
    };
    std::visit(answer, input);
    const std::lock_guard lock(mutex_);
    taken_.push_back(std::move(input));
    changed_.notify_all();
  }
  void run() {
    while (true) {
      std::function<void()> task;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return is_stopping_ || !tasks_.empty(); });
        if (is_stopping_) return;
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
      task();
    }
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  OverlayEvents* events_ = nullptr;
  bool is_stopping_ = false;
  bool is_full_ = false;
  bool is_silent_ = false;
  std::size_t refusals_ = 0;
  std::deque<std::function<void()>> tasks_;
  std::vector<Input> taken_;
  std::set<FloodHash> known_;  // this and what follows: the overlay's thread only
  std::map<ItemId, MessagePtr> held_;
  std::optional<ItemId> fetched_;
  std::thread thread_;
};

// A directory that goes with the test.
class TempDirectory {
 public:
  TempDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ipc-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TempDirectory() { std::filesystem::remove_all(path_); }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// A server over a fake overlay, and clients of it.
struct Api {
  explicit Api(EventLogOptions log = {}) : log_options(log) {
    crypto::init();
    overlay.status.local.node_id = node(9);
    overlay.status.peers_inbound = 2;
  }
  ~Api() {
    if (server) static_cast<void>(server->stop());
    overlay.stop();
  }
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  static constexpr std::uint64_t kBootId = 4242;

  ServerOptions options() {
    ServerOptions options;
    options.socket = directory.file("overlayd.sock");
    options.admin_socket = directory.file("admin.sock");
    options.local.node_id = node(9);
    options.local.network_id = network();
    options.local.version_string = "overlayd test";
    options.boot_id = kBootId;
    options.event_log = log_options;
    options.requests_bytes_max = requests_bytes_max;
    options.requests_timeout = requests_timeout;
    options.item_answers_bytes_max = item_answers_bytes_max;
    return options;
  }
  void start() {
    server = std::make_unique<Server>(options(), overlay);
    overlay.set_events(&server->events());
    const auto started = server->start();
    INFO((started ? std::string() : started.error()));
    REQUIRE(started.ok());
  }
  std::unique_ptr<Client> client() {
    auto connected = Client::connect({.socket = options().socket});
    INFO((connected ? std::string() : connected.error()));
    REQUIRE(connected.ok());
    return std::move(connected).value();
  }
  std::unique_ptr<AdminClient> admin() {
    auto connected = AdminClient::connect({.socket = options().admin_socket});
    REQUIRE(connected.ok());
    return std::move(connected).value();
  }

  EventLogOptions log_options;
  std::size_t requests_bytes_max = limits::kRequestsPendingBytesMax;  // set before the server starts
  Duration requests_timeout = limits::kRequestAnswerTimeout;          // set before the server starts
  std::size_t item_answers_bytes_max = limits::kItemAnswersBytesMax;  // set before the server starts
  TempDirectory directory;
  FakeOverlay overlay;
  std::unique_ptr<Server> server;
};

}  // namespace overlayd::ipc::testing
