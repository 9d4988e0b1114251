// subscribe: prints events as they come.
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>

#include "ipc/client/client.h"
#include "ipc/ctl/commands.h"
#include "ipc/ctl/options.h"
#include "ipc/ctl/output.h"

namespace overlayd::ipc::ctl {
namespace {

namespace v1 = ::overlay::v1;
using Clock = std::chrono::steady_clock;

struct SubscribeOptions {
  std::vector<std::string> topics{"scp", "transactions"};
  std::uint64_t count = 0;
  double timeout_seconds = 0;
  bool is_accepting = false;
  bool is_observing = false;
  std::vector<std::uint64_t> resume_after;
  std::optional<std::uint64_t> boot_id;
};

const char* topic_text(v1::Topic topic) {
  switch (topic) {
    case v1::TOPIC_SCP: return "scp";
    case v1::TOPIC_TRANSACTIONS: return "transactions";
    case v1::TOPIC_PEERS: return "peers";
    default: return "unknown";
  }
}

v1::SubscribeRequest to_request(const SubscribeOptions& options, std::uint64_t boot_id) {
  v1::SubscribeRequest request;
  for (const std::string& topic : options.topics) {
    if (topic == "scp") request.add_topics(v1::TOPIC_SCP);
    if (topic == "transactions") request.add_topics(v1::TOPIC_TRANSACTIONS);
    if (topic == "peers") request.add_topics(v1::TOPIC_PEERS);
  }
  request.set_observer_only(options.is_observing);
  for (const std::uint64_t sequence : options.resume_after) request.add_resume_after(sequence);
  if (!options.resume_after.empty()) request.set_boot_id(options.boot_id.value_or(boot_id));
  return request;
}

Json event_json(const v1::Event& event) {
  Json object{{"seq", event.sequence()},
              {"topic", topic_text(event.topic())},
              {"arrival_unix_nanos", event.arrival_unix_nanos()},
              {"from", node_text(event.from())}};
  if (!event.has_peer()) {
    object["hash"] = hex(event.hash());
    object["flood_hash"] = hex(event.flood_hash());
    if (!event.tx_full_hash().empty()) object["full_hash"] = hex(event.tx_full_hash());
    object["size"] = event.xdr().size();
    object["xdr"] = base64(event.xdr());
    return object;
  }
  const v1::PeerEvent& peer = event.peer();
  const bool is_dropped = peer.change() == v1::PeerEvent::CHANGE_DROPPED;
  object["change"] = is_dropped ? "dropped" : "authenticated";
  object["address"] = peer.address();
  object["direction"] = peer.direction() == v1::DIRECTION_INBOUND ? "inbound" : "outbound";
  if (is_dropped) object["reason"] = peer.reason();
  if (!peer.detail().empty()) object["detail"] = peer.detail();
  return object;
}

void print_event(const v1::Event& event) {
  const std::string from = event.from().empty() ? "-" : node_text(event.from());
  if (event.has_peer()) {
    const v1::PeerEvent& peer = event.peer();
    const bool is_dropped = peer.change() == v1::PeerEvent::CHANGE_DROPPED;
    std::printf("%llu  peers  %s  %s  %s%s%s  %s\n", static_cast<unsigned long long>(event.sequence()), from.c_str(),
                peer.address().c_str(), is_dropped ? "dropped: " : "authenticated", peer.reason().c_str(), "",
                peer.detail().c_str());
    return;
  }
  std::printf("%llu  %s  %s  %s  %zu bytes\n", static_cast<unsigned long long>(event.sequence()),
              topic_text(event.topic()), from.c_str(), hex(event.hash()).c_str(), event.xdr().size());
}

void print_item(const Context& context, const Subscriber::Item& item) {
  if (const auto* gap = std::get_if<v1::Gap>(&item)) {
    if (context.is_json) {
      print_json({{"gap", true},
                  {"topic", topic_text(gap->topic())},
                  {"count", gap->count()},
                  {"from", gap->from()},
                  {"to", gap->to()}});
    } else {
      std::printf("lost: %llu events of topic %s\n", static_cast<unsigned long long>(gap->count()),
                  topic_text(gap->topic()));
    }
    return;
  }
  const auto& event = std::get<v1::Event>(item);
  if (context.is_json) {
    print_json(event_json(event));
  } else {
    print_event(event);
  }
}

// Until `count` events were printed (0: no limit), the deadline passed, or the stream ended.
class Session {
 public:
  Session(Context& context, const SubscribeOptions& options, Client& client)
      : context_(context), options_(options), client_(client) {
    if (options.is_accepting) verdicts_ = client.verdicts();
  }

  void run() {
    const auto subscriber = client_.subscribe(to_request(options_, client_.info().boot_id()));
    if (const auto attached = subscriber->wait_attached(std::chrono::seconds(10)); !attached) {
      return report_error(context_, kExitCall, attached.error());
    }
    std::fprintf(stderr, "overlayctl: subscribed\n");
    const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                             std::chrono::duration<double>(options_.timeout_seconds));
    while (options_.count == 0 || printed_ < options_.count) {
      auto wait = std::chrono::milliseconds(1000);
      if (options_.timeout_seconds > 0) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0) break;
        wait = std::min(wait, left);
      }
      if (const auto item = subscriber->next(wait)) {
        take(*item);
        if (!subscriber->has_next()) settle();
      } else if (const auto end = subscriber->end()) {
        if (!end->ok()) report_error(context_, kExitCall, end->error());
        break;
      }
      if (std::ferror(stdout) != 0) break;  // whoever read our output is gone
    }
    finish();
  }

 private:
  void take(const Subscriber::Item& item) {
    print_item(context_, item);
    const auto* event = std::get_if<v1::Event>(&item);
    if (event == nullptr) return;
    ++printed_;
    if (verdicts_ && !event->flood_hash().empty()) verdicts_->add(event->flood_hash(), v1::VERDICT_ACCEPT);
  }

  void settle() {
    std::fflush(stdout);
    if (verdicts_) verdicts_->flush();
  }

  void finish() {
    settle();
    if (verdicts_) {
      if (const auto taken = verdicts_->finish(); !taken && context_.exit_code == kExitOk) {
        report_error(context_, kExitCall, "verdicts: " + taken.error());
      }
    }
    if (context_.exit_code == kExitOk && printed_ < options_.count) context_.exit_code = kExitRefused;
  }

  Context& context_;
  const SubscribeOptions& options_;
  Client& client_;
  std::unique_ptr<VerdictWriter> verdicts_;
  std::uint64_t printed_ = 0;
};

void subscribe(Context& context, const SubscribeOptions& options) {
  auto client = Client::connect({.socket = context.socket});
  if (!client) return report_error(context, kExitCall, client.error());
  Session(context, options, *client.value()).run();
}

}  // namespace

void add_subscribe(CLI::App& app, Context& context) {
  auto options = std::make_shared<SubscribeOptions>();
  SubscribeOptions& o = *options;
  CLI::App* command = app.add_subcommand("subscribe", "Prints what peers send, as it comes");
  command->add_option("--topics", o.topics, "Of scp, transactions, peers; separated by commas")
      ->delimiter(',')
      ->check(CLI::IsMember({"scp", "transactions", "peers"}))
      ->capture_default_str();
  command->add_option("--count", o.count, "End after so many events (0: never); exit code 1 if it ends before")
      ->check(whole_number(0, UINT64_MAX));
  command->add_option("--timeout", o.timeout_seconds, "End after so many seconds (0: never)")
      ->check(seconds_of_a_year());
  auto* accept =
      command->add_flag("--accept", o.is_accepting,
                        "Answer every transaction and envelope with an accepting verdict, so that it is relayed");
  command->add_flag("--observe", o.is_observing, "Only look on: do not make the daemon demand transactions")
      ->excludes(accept);
  command->add_option("--resume-after", o.resume_after, "Go on after these sequence numbers, one a topic")
      ->check(whole_number(0, UINT64_MAX))
      ->delimiter(',');
  command->add_option("--boot-id", o.boot_id, "The daemon's life they are of; default: its present one")
      ->check(whole_number(0, UINT64_MAX));
  command->footer(
      "With --json an event is {\"seq\",\"topic\",\"from\",\"hash\",\"xdr\",...}; events the daemon could not keep for "
      "us are\n"
      "reported as {\"gap\":true,\"topic\",\"count\",\"from\",\"to\"} and do not count.\n");
  command->callback([&context, options] { subscribe(context, *options); });
}

}  // namespace overlayd::ipc::ctl
