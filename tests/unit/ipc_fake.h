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
#include <mutex>
#include <set>
#include <thread>

#include "core/crypto/keys.h"
#include "core/wire/message.h"
#include "core/wire/values.h"
#include "ipc/client/client.h"
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

inline NodeId node(std::uint8_t fill) {
  NodeId id;
  id.bytes.fill(fill);
  return id;
}

// Takes inputs on its own thread, as the daemon's overlay thread does. A broadcast is accepted, or a duplicate if its
// flood hash was broadcast before.
class FakeOverlay final : public OverlayPort {
 public:
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
  // Broadcasts are taken and not answered.
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
  void take(Input input) {
    if (const auto* broadcast = std::get_if<Broadcast>(&input)) {
      const bool is_new = known_.insert(broadcast->message->flood_hash()).second;
      bool is_answered = false;
      {
        const std::lock_guard lock(mutex_);
        is_answered = !is_silent_;
      }
      if (is_answered) {
        events_->on_broadcast_answer({.request = broadcast->request,
                                      .status = is_new ? BroadcastStatus::kAccepted : BroadcastStatus::kDuplicate,
                                      .peers_told = is_new ? 3U : 0U,
                                      .why = {}});
      }
    }
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
  std::set<FloodHash> known_;  // the overlay's thread only
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
    if (server) server->stop();
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
    options.broadcasts_bytes_max = broadcasts_bytes_max;
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
  std::size_t broadcasts_bytes_max = limits::kBroadcastsPendingBytesMax;  // set before the server starts
  TempDirectory directory;
  FakeOverlay overlay;
  std::unique_ptr<Server> server;
};

}  // namespace overlayd::ipc::testing
