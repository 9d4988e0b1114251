#include "daemon/daemon.h"

#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <csignal>

#include "core/book/address.h"
#include "core/crypto/strkey.h"
#include "core/overlay_manager.h"
#include "daemon/addresses.h"
#include "daemon/clocks.h"
#include "daemon/listener.h"
#include "daemon/output_router.h"
#include "daemon/overlay_thread.h"
#include "daemon/resolver.h"
#include "daemon/sd_notify.h"
#include "daemon/watchdog.h"
#include "ipc/server.h"

namespace overlayd::daemon {
namespace {

constexpr auto kStopPollPeriod = std::chrono::milliseconds(10);
constexpr std::size_t kLinksSlack = 64;  // links that are closing do not count in any slot any more
constexpr std::uint32_t kNetworkThreadsMax = 4;

class ManagedOverlay final : public OverlayCore {
 public:
  ManagedOverlay(const OverlayOptions& options, std::uint64_t seed, const Now& now)
      : random_(seed), manager_(options, random_, now) {}
  void handle(const Input& input, const Now& now, Outputs& out) override { manager_.handle(input, now, out); }
  void advance(const Now& now, Outputs& out) override { manager_.advance(now, out); }
  [[nodiscard]] Instant next_deadline() const override { return manager_.next_deadline(); }
  [[nodiscard]] StatusSnapshot status(Instant now) const override { return manager_.status(now); }
  [[nodiscard]] std::vector<PeerSnapshot> peers(Instant now) const override { return manager_.peers(now); }
  [[nodiscard]] std::vector<ClosedLink> closed_links(std::size_t limit) const override {
    return manager_.closed_links(limit);
  }
  [[nodiscard]] PeerExplanation explain(const PeerSubject& peer, const Now& now) const override {
    return manager_.explain(peer, now);
  }
  [[nodiscard]] std::vector<KnownPeerSnapshot> known_peers(const Now& now) const override {
    return manager_.known_peers(now);
  }
  [[nodiscard]] std::vector<Ban> bans(const Now& now) const override { return manager_.bans(now); }
  [[nodiscard]] SurveyResult survey_result(const Now& now) const override { return manager_.survey_result(now); }
  [[nodiscard]] MessagePtr find_item(const ItemId& id) const override { return manager_.find_item(id); }

 private:
  Random random_;
  OverlayManager manager_;
};

std::uint64_t draw_u64() {
  std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
  crypto::SystemEntropy().fill(bytes);
  return std::bit_cast<std::uint64_t>(bytes);
}

// --- from the configuration to each component's options -----------------------------------------------------------

LocalNode make_local_node(const config::Config& config, const NodeId& node, const std::string& version) {
  return {.node_id = node,
          .network_id = crypto::network_id(config.network.passphrase),
          .version_string = "overlayd " + version,
          .listening_port = config.listen.port,
          .ledger_version = config.overlay.ledger_version,
          .overlay_version = config.overlay.version,
          .overlay_min_version = config.overlay.min_version};
}

peer::InboundCreditOptions make_credit(const config::FlowControlConfig& flow) {
  peer::InboundCreditOptions credit;
  credit.flood = {flow.flood_capacity, flow.flood_capacity_bytes};
  credit.reading.messages = flow.reading_capacity;
  credit.batch = {flow.send_more_batch, flow.send_more_batch_bytes};
  return credit;
}

survey::SurveyOptions make_survey_options(const config::Config& config, std::shared_ptr<const crypto::NodeKey> key,
                                          LoadedSurvey stored) {
  return {.key = std::move(key),
          .entropy = std::make_shared<crypto::SystemEntropy>(),
          .surveyor_keys = {config.survey.surveyor_keys.begin(), config.survey.surveyor_keys.end()},
          .stored = std::move(stored.record),
          .stored_nodes = std::move(stored.nodes)};
}

OverlayOptions make_overlay_options(const config::Config& config, const LocalNode& local, Stored stored) {
  OverlayOptions options;
  options.local = local;
  options.relay_mode =
      config.relay.mode == config::RelayMode::kStandalone ? RelayMode::kStandalone : RelayMode::kConsensus;
  options.is_flood_immediate = config.flood.is_immediate;
  options.advert_period = config.flood.advert_period;
  options.demand_period = config.flood.demand_period;
  options.demand_backoff = config.flood.demand_backoff;
  options.tx_pool_bytes_max = config.flood.pool_bytes;
  options.tx_pool_ledgers_max = config.flood.pool_ledgers;
  options.credit = make_credit(config.flow_control);
  options.tx_queue_bytes_max = config.flow_control.tx_queue_bytes;
  options.slots_to_remember = config.fetch.slots_to_remember;
  options.queries = {.queries_per_second = config.fetch.queries_per_second,
                     .scp_state_queries_per_window = config.fetch.scp_state_queries};
  options.items = {.tx_set_bytes_max = config.fetch.tx_set_bytes,
                   .quorum_set_bytes_max = config.fetch.quorum_set_bytes};
  options.scp_state = {.bytes_max = config.fetch.scp_state_bytes};
  options.target_outbound = config.peers.target_outbound;
  options.max_inbound = config.peers.max_inbound;
  options.max_pending = config.peers.max_pending;
  options.is_preferred_only = config.peers.is_preferred_only;
  options.is_private_allowed = config.peers.is_private_allowed;
  options.preferred_keys.insert(config.peers.preferred_keys.begin(), config.peers.preferred_keys.end());
  options.max_inbound_per_ip = config.peers.max_inbound_per_ip;
  options.max_inbound_per_subnet = config.peers.max_inbound_per_subnet;
  options.max_outbound_per_group = config.peers.max_outbound_per_group;
  options.slow_drops_per_tick = config.peers.slow_drops_per_tick;
  options.stored_peers = std::move(stored.records);
  options.stored_bans = std::move(stored.bans.bans);
  options.stored_anchors = std::move(stored.anchors);
  return options;
}

ConnectionPoolOptions make_pool_options(const config::Config& config, const NetworkId& network,
                                        std::shared_ptr<const crypto::NodeKey> node_key) {
  crypto::SystemEntropy entropy;
  const std::uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
  return {.threads = config.threads.network > 0 ? config.threads.network : std::min(cores, kNetworkThreadsMax),
          .links_max = config.peers.max_pending + config.peers.max_inbound + config.peers.target_outbound + kLinksSlack,
          .thread = {.network = network,
                     .node_key = std::move(node_key),
                     .pair = std::make_shared<const crypto::EcdhKeyPair>(crypto::EcdhKeyPair::generate(entropy))}};
}

ipc::ServerOptions make_server_options(const config::Config& config, const LocalNode& local) {
  ipc::ServerOptions options;
  options.socket = config.ipc.socket;
  options.admin_socket = config.ipc.admin_socket;
  options.socket_group = config.ipc.socket_group;
  options.admin_group = config.ipc.admin_group;
  options.local = local;
  options.event_log.bytes_max[ipc::topic_index(ipc::Topic::kTransactions)] = config.ipc.event_log_bytes;
  options.boot_id = (draw_u64() & ((1ULL << 53) - 1)) | 1;  // JSON readers hold 53 bits; never 0
  return options;
}

std::vector<PeerName> make_names(const config::Config& config) {
  std::vector<PeerName> names;
  for (const auto& peer : config.peers.known) names.push_back({peer.host, peer.port, false});
  for (const auto& peer : config.peers.preferred) names.push_back({peer.host, peer.port, true});
  return names;
}

void log_stored(const Stored& stored) {
  spdlog::info("stored: {} peers, {} bans, {} anchors", stored.records.size(), stored.bans.bans.size(),
               stored.anchors.size());
  if (stored.skipped + stored.left_behind > 0)
    spdlog::warn("stored peers passed over: {} that cannot be read, {} too many", stored.skipped, stored.left_behind);
  if (stored.bans.skipped + stored.bans.left_behind > 0)
    spdlog::warn("stored bans passed over: {} that cannot be read, {} too many; they do not hold", stored.bans.skipped,
                 stored.bans.left_behind);
  if (!stored.survey.record.empty()) spdlog::info("stored: a survey with {} nodes", stored.survey.nodes.size());
  if (stored.survey.skipped + stored.survey.left_behind > 0)
    spdlog::warn("stored nodes of a survey passed over: {} that cannot be read, {} too many", stored.survey.skipped,
                 stored.survey.left_behind);
  const auto is_unreadable = [](const StoreSurveyNode& node) { return !survey::read_survey_node(node.record); };
  const auto unreadable = std::ranges::count_if(stored.survey.nodes, is_unreadable);
  if (!stored.survey.record.empty() && !survey::read_survey_record(stored.survey.record))
    spdlog::warn("the stored survey cannot be read, of another version perhaps: it is as if there was none");
  else if (unreadable > 0)
    spdlog::warn("{} stored nodes of a survey cannot be read: they are not in its result", unreadable);
}

void log_failure(const Result<Done>& result) {
  if (!result) spdlog::warn("{}", result.error());
}

}  // namespace

// In the order of the data: what a later member needs stands above it, and goes after it.
struct Daemon::Parts {
  Parts(const config::LoadOutcome& outcome, std::shared_ptr<const crypto::NodeKey> key, const std::string& version)
      : loaded(outcome),
        node_key(std::move(key)),
        local(make_local_node(outcome.config, node_key->id(), version)),
        notifier(NotifierOptions::from_environment()),
        signals(control, SIGTERM, SIGINT),
        pool(make_pool_options(outcome.config, local.network_id, node_key), inbox.inputs()),
        server(make_server_options(outcome.config, local), inbox),
        listener(control, pool),
        resolver(control, make_names(outcome.config),
                 [this](PeersResolved found) { return inbox.submit({std::move(found)}); }),
        stop_timer(control) {}

  Result<Done> start();
  Result<Done> open_storage();
  void start_watchdog();
  void await_signal();
  void begin_stop();
  void look_whether_links_ended();
  // False: the API is not closed; then the destructor would wait for it without bound.
  [[nodiscard]] bool stop();

  const config::LoadOutcome& loaded;
  const std::shared_ptr<const crypto::NodeKey> node_key;
  const LocalNode local;
  Notifier notifier;
  asio::io_context control{1};  // the main thread: signals, accepting, names, watchdog
  asio::signal_set signals;
  OverlayInbox inbox;
  ConnectionPool pool;
  ipc::Server server;
  std::unique_ptr<StorageThread> storage;
  std::unique_ptr<ManagedOverlay> core;
  std::unique_ptr<OutputRouter> router;
  std::unique_ptr<OverlayThread> overlay;
  std::unique_ptr<Watchdog> watchdog;
  Listener listener;
  Resolver resolver;
  asio::steady_timer stop_timer;
  bool is_stopping = false;
  bool has_told_overlay = false;
  Instant stop_deadline;
};

Result<Done> Daemon::Parts::open_storage() {
  const auto warn = [](std::string_view text) { spdlog::warn("{}", text); };
  auto store = PeerStore::open({.path = loaded.config.storage.database, .now = unix_time_now(), .warn = warn});
  if (!store) return Failure{loaded.at("storage.database", store.error())};
  auto stored = store.value()->load_all();
  if (!stored) return Failure{loaded.at("storage.database", stored.error())};
  log_stored(stored.value());
  auto survey = make_survey_options(loaded.config, node_key, std::move(stored.value().survey));
  OverlayOptions overlay_options = make_overlay_options(loaded.config, local, std::move(stored).value());
  overlay_options.survey = std::move(survey);
  core = std::make_unique<ManagedOverlay>(overlay_options, draw_u64(), now());
  StorageThreadOptions options;
  options.warn = warn;
  options.on_ban_stored = [this](const BanStored& ban) {
    if (!inbox.submit({ban})) spdlog::warn("nobody is told that a ban was written: the overlay's queue is full");
  };
  storage = std::make_unique<StorageThread>(std::move(store).value(), options);
  return Done{};
}

Result<Done> Daemon::Parts::start() {
  if (auto opened = open_storage(); !opened) return opened;
  router =
      std::make_unique<OutputRouter>(RouterDestinations{.pool = pool, .events = server.events(), .storage = *storage});
  overlay = std::make_unique<OverlayThread>(inbox, *core, *router);
  await_signal();
  pool.start();
  overlay->start();
  if (auto serving = server.start(); !serving) return Failure{loaded.at("ipc.socket", serving.error())};
  if (auto listening = listener.listen(loaded.config.listen.address, loaded.config.listen.port); !listening)
    return Failure{loaded.at("listen.port", listening.error())};
  resolver.start();
  start_watchdog();
  const std::string where = book::display_text(listener.local());
  spdlog::info(
      "{} started: node={} network={} overlay_versions={}..{} ledger_version={} listening={} network_threads={}",
      local.version_string, crypto::encode_node_id(local.node_id), to_hex(local.network_id.view()),
      local.overlay_min_version, local.overlay_version, local.ledger_version, where, pool.size());
  log_failure(notifier.ready("listening on " + where));
  return Done{};
}

void Daemon::Parts::start_watchdog() {
  WatchdogOptions options;
  if (const auto interval = notifier.watchdog_interval()) {
    options.keep_alive_period = *interval / 2;
    options.keep_alive = [this] { log_failure(notifier.watchdog()); };
  }
  watchdog = std::make_unique<Watchdog>(
      control, [this] { return overlay->busy_since(); }, options);
  watchdog->start();
}

void Daemon::Parts::await_signal() {
  signals.async_wait([this](const asio::error_code& error, int signal) {
    if (error) return;
    if (is_stopping) {
      spdlog::warn("second signal {}: stopping at once", signal);
      spdlog::shutdown();
      std::_Exit(1);
    }
    spdlog::info("signal {}: telling {} links, then stopping", signal, pool.open_links());
    begin_stop();
    await_signal();
  });
}

void Daemon::Parts::begin_stop() {
  is_stopping = true;
  log_failure(notifier.stopping("closing links"));
  listener.stop();
  resolver.stop();
  stop_deadline = instant_now() + limits::kDropFlushTimeout;
  look_whether_links_ended();
}

void Daemon::Parts::look_whether_links_ended() {
  if (!has_told_overlay) has_told_overlay = inbox.submit({ShutDown{}});
  const bool is_done = has_told_overlay && pool.open_links() == 0;
  if (is_done || instant_now() >= stop_deadline) return control.stop();
  stop_timer.expires_after(kStopPollPeriod);
  stop_timer.async_wait([this](const asio::error_code& error) {
    if (!error) look_whether_links_ended();
  });
}

bool Daemon::Parts::stop() {
  const Instant began = instant_now();
  const bool is_api_closed = server.stop();  // while the overlay thread still answers what it was asked
  if (!is_api_closed) {
    spdlog::warn("the API did not end in {} s: a client does not read its answers; stopping without it",
                 std::chrono::round<std::chrono::seconds>(instant_now() - began).count());
  }
  if (overlay) overlay->stop();
  const std::size_t cut_short = pool.open_links();
  pool.stop();
  if (storage) {
    storage->stop();
    const StorageCounters counters = storage->counters();
    spdlog::info("stopped: {} links cut short, {} changes of peers, bans and surveys written, {} lost", cut_short,
                 counters.written, counters.lost);
  }
  return is_api_closed;
}

Daemon::Daemon(const config::LoadOutcome& loaded, crypto::NodeKey node_key, const std::string& version)
    : parts_(std::make_unique<Parts>(loaded, std::make_shared<const crypto::NodeKey>(std::move(node_key)), version)) {}

Daemon::~Daemon() = default;

Result<Done> Daemon::run() {
  auto started = parts_->start();
  if (started) parts_->control.run();
  if (!parts_->stop()) {
    if (!started) spdlog::critical("{}", started.error());
    spdlog::shutdown();  // writes what is still queued
    std::_Exit(started ? 0 : 1);
  }
  return started;
}

void harden_process() {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that hangs up is an error of one write, not of the process
  // The seed, the session keys and the MAC keys live in our memory: neither a core dump nor another process of our user
  // may get at them. Crashes are diagnosed from the log and the backtrace of a debug build instead.
  const rlimit none{0, 0};
  static_cast<void>(setrlimit(RLIMIT_CORE, &none));
  static_cast<void>(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
}

void raise_file_limit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  static_cast<void>(setrlimit(RLIMIT_NOFILE, &files));
}

std::string describe(const config::LoadOutcome& loaded, const NodeId& node) {
  const config::Config& config = loaded.config;
  const bool is_standalone = config.relay.mode == config::RelayMode::kStandalone;
  return fmt::format(
      "configuration  {}\n"
      "node           {}\n"
      "network        {}\n"
      "listen         {} port {}\n"
      "peers          {} known, {} preferred names, {} preferred keys; {} outbound, {} inbound, {} pending\n"
      "surveyors      {}\n"
      "api            {} (admin: {})\n"
      "storage        {}\n"
      "relay          {}\n"
      "overlay        versions {}..{}, ledger version {}\n",
      loaded.filename.empty() ? "defaults" : loaded.filename, crypto::encode_node_id(node), config.network.passphrase,
      config.listen.address, config.listen.port, config.peers.known.size(), config.peers.preferred.size(),
      config.peers.preferred_keys.size(), config.peers.target_outbound, config.peers.max_inbound,
      config.peers.max_pending,
      config.survey.surveyor_keys.empty() ? "the quorum" : fmt::format("{} keys", config.survey.surveyor_keys.size()),
      config.ipc.socket, config.ipc.admin_socket, config.storage.database, is_standalone ? "standalone" : "consensus",
      config.overlay.min_version, config.overlay.version, config.overlay.ledger_version);
}

}  // namespace overlayd::daemon
