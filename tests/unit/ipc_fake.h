// For the tests of ipc: an overlay that answers from a thread of its own, a server over it in a directory of its own,
// and clients of it.
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
#include "fake_survey.h"
#include "ipc/client/client.h"
#include "ipc/client/survey_client.h"
#include "ipc/convert.h"
#include "ipc/server.h"
#include "ipc_messages.h"
#include "tests/support/temp_directory.h"

namespace overlayd::ipc::testing {

using test::TempDirectory;

inline constexpr std::chrono::seconds kWait{20};  // until an expected thing counts as missing

// Takes inputs on its own thread, as the daemon's overlay thread does. A broadcast is accepted, or a duplicate if its
// flood hash was broadcast before. Of the peers only kPeer is connected. What was put is held and not fetched; of fetches
// only the last can be cancelled. Bans are kept in a list; with set_unwritable none gets to the disk.
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
  // The queue has room for one more request only.
  void fill_up_with_next() {
    const std::lock_guard lock(mutex_);
    is_filling_up_ = true;
  }
  // Requests are taken and not answered, and questions are dropped.
  void set_silent(bool is_silent) {
    const std::lock_guard lock(mutex_);
    is_silent_ = is_silent;
  }
  void set_unwritable(bool is_unwritable) {
    const std::lock_guard lock(mutex_);
    is_unwritable_ = is_unwritable;
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

  bool query_closed(std::size_t limit, std::function<void(std::vector<ClosedLink>)> done) override {
    return query([this, limit, done = std::move(done)] {
      done({closed.begin(), closed.begin() + static_cast<std::ptrdiff_t>(std::min(limit, closed.size()))});
    });
  }
  bool query_explanation(const PeerSubject& peer, std::function<void(PeerExplanation)> done) override {
    return query([this, peer, done = std::move(done)] {
      if (is_silent()) return;
      explained_.push_back(peer);
      done(explanation);
    });
  }
  bool query_known_peers(std::function<void(std::vector<KnownPeerSnapshot>)> done) override {
    return query([this, done = std::move(done)] { done(known_peers); });
  }
  bool query_bans(std::function<void(std::vector<Ban>)> done) override {
    return query([this, done = std::move(done)] { done(bans); });
  }

  bool query_survey(std::function<void(SurveyResult)> done) override {
    return query([this, done = std::move(done)] {
      if (!is_silent()) done(surveys.result);
      const std::lock_guard lock(mutex_);
      ++survey_questions_;
      changed_.notify_all();
    });
  }
  // Waits until so many questions about surveys were asked, since the start.
  void await_survey_questions(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, kWait, [&] { return survey_questions_ >= count; }));
  }
  // Changes what there is of surveys, and publishes it.
  void change_survey(const std::function<void(SurveyResult&)>& change) {
    run_there([&](OverlayEvents& events) {
      change(surveys.result);
      events.on_survey({surveys.result.status}, 5);
    });
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
  std::vector<ClosedLink> closed;   // this and what follows: set before the server starts
  std::vector<KnownPeerSnapshot> known_peers;
  PeerExplanation explanation;
  std::vector<Ban> bans;
  std::size_t bans_max = limits::kBansMax;
  FakeSurvey surveys;  // later the overlay's thread only
  PeerSubject explained_last() {
    std::optional<PeerSubject> last;
    run_there([&](OverlayEvents&) { last = explained_.back(); });
    return *last;
  }

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
  RequestAnswer answer_to(const ConnectTo& connect) {
    const auto is_there = [&](const PeerSnapshot& peer) { return peer.address == connect.address; };
    if (std::ranges::any_of(peers, is_there)) return {.request = {}, .status = RequestStatus::kDuplicate};
    const auto is_banned = [&](const Ban& ban) {
      const auto* subnet = std::get_if<Subnet>(&ban.subject);
      return subnet != nullptr && subnet->contains(connect.address);
    };
    if (std::ranges::any_of(bans, is_banned))
      return {.request = {}, .status = RequestStatus::kRefused, .why = "192.0.2.0/24 is banned"};
    return {};
  }
  RequestAnswer answer_to(const Disconnect& disconnect) {
    const auto is_it = [&](const PeerSnapshot& peer) {
      if (const auto* id = std::get_if<NodeId>(&disconnect.peer)) return peer.node == *id;
      const auto& address = std::get<PeerAddress>(disconnect.peer);
      return peer.address.ip == address.ip && (address.port == 0 || peer.address.port == address.port);
    };
    const auto count = static_cast<std::uint32_t>(std::ranges::count_if(peers, is_it));
    if (count == 0) return {.request = {}, .status = RequestStatus::kNotFound};
    return stored({.request = {}, .links_dropped = count}, disconnect.ban.has_value());
  }
  RequestAnswer answer_to(const BanPeers& ban) {
    if (bans.size() >= bans_max)
      return {.request = {}, .status = RequestStatus::kRefused, .why = "there are too many bans; lift some"};
    bans.push_back({.subject = ban.subject, .reason = ban.terms.reason, .set_by = ban.terms.set_by, .made = {}});
    return stored({.request = {}, .links_dropped = 1}, true);
  }
  RequestAnswer answer_to(const Unban& unban) {
    const std::size_t lifted = std::erase_if(bans, [&](const Ban& ban) { return ban.subject == unban.subject; });
    if (lifted == 0) return {.request = {}, .status = RequestStatus::kNotFound};
    return stored({}, true);
  }
  template <typename T>
  requires requires(FakeSurvey& surveys, const T& request) { surveys.answer_to(request); }
  RequestAnswer answer_to(const T& request) {
    const SurveyStatus before = surveys.result.status;
    RequestAnswer answer = surveys.answer_to(request);
    if (surveys.result.status != before) events_->on_survey({surveys.result.status}, 5);
    return answer;
  }
  RequestAnswer stored(RequestAnswer answer, bool is_written) {
    const std::lock_guard lock(mutex_);
    if (is_written && is_unwritable_) answer.why = "disk full";
    return answer;
  }
  void take(Input input) {
    const auto answer = [this]<typename T>(const T& request) {
      if constexpr (requires { answer_to(request); }) {
        if (is_silent()) return;
        RequestAnswer answer = answer_to(request);
        answer.request = request.request;
        {
          const std::lock_guard lock(mutex_);
          is_full_ = std::exchange(is_filling_up_, false) || is_full_;
        }
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
  bool is_filling_up_ = false;
  bool is_silent_ = false;
  bool is_unwritable_ = false;
  std::size_t refusals_ = 0;
  std::size_t survey_questions_ = 0;
  std::deque<std::function<void()>> tasks_;
  std::vector<Input> taken_;
  std::set<FloodHash> known_;  // this and what follows: the overlay's thread only
  std::map<ItemId, MessagePtr> held_;
  std::optional<ItemId> fetched_;
  std::vector<PeerSubject> explained_;
  std::thread thread_;
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
  std::unique_ptr<SurveyClient> surveyor() {
    auto connected = SurveyClient::connect({.socket = options().socket});
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
